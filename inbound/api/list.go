package api

import (
	"context"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strconv"

	"github.com/google/uuid"

	"smsbridge/inbound/web"
	"smsbridge/internal/store"
	"smsbridge/internal/verification"
)

// The verifications of one page of the list.
const (
	defaultPage = 20
	maxPage     = 100
)

// listVerifications lists the tenant's verifications of all doors, the newest first.
func (d *Door) listVerifications(r request) (response, error) {
	limit, before, p := readPage(r.QueryParams())
	if p != nil {
		return response{}, p
	}
	all, err := web.Read(r.ctx, d.Store,
		func(ctx context.Context, view store.View) ([]verification.Shown, error) {
			all, err := verification.List(ctx, view, r.tenant.Slug, before, limit+1)
			for i := 0; i < len(all) && err == nil; i++ {
				v := &all[i].Verification
				*v, err = verification.WithLimits(ctx, view, r.tenant, *v)
			}
			return all, err
		})
	if err != nil {
		return response{}, err
	}
	page := struct {
		Verifications []shownVerification `json:"verifications"`
		Next          string              `json:"next,omitempty"` // the before of the next page
	}{Verifications: []shownVerification{}}
	for _, v := range all[:min(limit, len(all))] {
		page.Verifications = append(page.Verifications, showWhole(v))
	}
	if len(all) > limit {
		page.Next = all[limit-1].ID
	}
	return response{status: http.StatusOK, body: page}, nil
}

// readPage reads the query of the list.
func readPage(query url.Values) (limit int, before string, p *web.Problem) {
	limit = defaultPage
	for _, name := range slices.Sorted(maps.Keys(query)) { // so that equal requests hear the same
		var err error
		values := query[name]
		switch {
		case len(values) != 1:
			err = web.ErrRepeated
		case name == "limit":
			if limit, err = strconv.Atoi(values[0]); err == nil && (limit < 1 || limit > maxPage) {
				err = strconv.ErrRange
			}
		case name == "before":
			// In the one spelling that ids have in the database, which compares texts.
			var id uuid.UUID
			id, err = uuid.Parse(values[0])
			before = id.String()
		default:
			return 0, "", web.BadRequest.Of("The query has a parameter that is not known here" +
				named(name) + ".")
		}
		if err != nil {
			return 0, "", web.BadField.On(name, "limit is 1 to 100, before is the next of another page.")
		}
	}
	return limit, before, nil
}

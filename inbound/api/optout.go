package api

import (
	"context"
	"net/http"
	"slices"
	"strings"
	"time"

	"smsbridge/inbound/web"
	"smsbridge/internal/optout"
	"smsbridge/internal/store"
	"smsbridge/internal/tenant"
	"smsbridge/internal/text"
	"smsbridge/phonemail"
)

// shownOptOuts says whether the tenant may text a phone, and why not.
type shownOptOuts struct {
	Phone    string        `json:"phone"`
	OptedOut bool          `json:"opted_out"`
	OptOuts  []shownOptOut `json:"opt_outs"`
}

type shownOptOut struct {
	Scope      string `json:"scope"`
	Via        string `json:"via"`
	By         string `json:"by,omitempty"`
	Since      string `json:"since"`
	RecordedAt string `json:"recorded_at,omitempty"`
}

// addOptOut records that a person who wrote or called wants no more texts of the tenant.
func (d *Door) addOptOut(r request) (response, error) {
	phone, err := phonemail.ParseNumber(r.fields["phone"])
	if err != nil {
		return response{}, err
	}
	said := text.Said{
		Phone: phone, Reach: text.Reach{Tenant: r.tenant.Slug}, Via: text.Via(r.fields["via"]),
		Recorder: r.key,
	}
	if !slices.Contains(text.Vias(), said.Via) {
		return response{}, web.BadField.On("via", "It is mail, phone, letter or other.")
	}
	if since, given := r.fields["since"]; given {
		said.Since, err = time.Parse(time.RFC3339, since)
		// The database keeps the start of 1970 as "not known". Programs send it, or the year 1, when they
		// do not know either.
		if err != nil || said.Since.After(d.Now()) || said.Since.UnixMilli() <= 0 {
			return response{}, web.BadField.On("since", "It is a past time such as 2026-01-31T12:00:00Z.")
		}
	}
	return d.optOuts(r, phone, func(ctx context.Context, tx *store.Tx) error {
		_, err := optout.Record(ctx, tx, d.Settings.Tenants, said)
		return err
	})
}

// removeOptOut ends what an app or an operator recorded for the tenant. What a reply said ends with
// another reply.
func (d *Door) removeOptOut(r request) (response, error) {
	phone, err := phonemail.ParseNumber(r.fields["phone"])
	if err != nil {
		return response{}, err
	}
	return d.optOuts(r, phone, func(ctx context.Context, tx *store.Tx) error {
		_, err := text.ClearOptOuts(ctx, tx, phone, func(o text.KnownOptOut) bool {
			return o.Reach.Tenant == r.tenant.Slug && slices.Contains(text.Vias(), o.Via)
		})
		return err
	})
}

// findOptOut shows what a phone said no to. It is a POST, so that no number stands in a URL.
func (d *Door) findOptOut(r request) (response, error) {
	phone, err := phonemail.ParseNumber(r.fields["phone"])
	if err != nil {
		return response{}, err
	}
	return d.optOuts(r, phone, func(context.Context, *store.Tx) error { return nil })
}

// optOuts runs f, and shows what then keeps the tenant from texting a phone.
func (d *Door) optOuts(
	r request, phone phonemail.Number, f func(ctx context.Context, tx *store.Tx) error,
) (response, error) {
	web.About(r, "", phone)
	shown, err := web.Commit(r.ctx, d.Store,
		func(ctx context.Context, tx *store.Tx) (shownOptOuts, error) {
			if err := f(ctx, tx); err != nil {
				return shownOptOuts{}, err
			}
			all, err := text.OptOutsOf(ctx, tx, phone)
			return showOptOuts(r.tenant, phone, all), err
		})
	return response{status: http.StatusOK, body: shown}, err
}

// showOptOuts shows those that keep a tenant from texting a phone. Of what was said to all, the app
// learns no more than that.
func showOptOuts(
	t *tenant.Tenant, phone phonemail.Number, all []text.KnownOptOut,
) shownOptOuts {
	shown := shownOptOuts{Phone: phone.E164(), OptOuts: []shownOptOut{}}
	lines := t.Lines(phone) // codes may come from another than questions
	for _, o := range all {
		covers := func(l phonemail.Line) bool { return o.Reach.Covers(t.Slug, l) }
		if !slices.ContainsFunc(lines, covers) {
			continue
		}
		one := shownOptOut{
			Scope: o.Reach.String(), Via: string(o.Via), Since: dateTime(o.Since),
			RecordedAt: dateTime(o.Recorded),
		}
		if o.Reach.Tenant == t.Slug {
			one.By = o.Recorder
		}
		shown.OptedOut, shown.OptOuts = true, append(shown.OptOuts, one)
	}
	slices.SortFunc(shown.OptOuts, func(a, b shownOptOut) int {
		return strings.Compare(a.Since+a.Scope, b.Since+b.Scope)
	})
	return shown
}

package operator

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/labstack/echo/v4"

	"smsbridge/inbound/web"
	"smsbridge/internal/cases"
	"smsbridge/internal/operator"
	"smsbridge/internal/store"
	"smsbridge/phonemail"
)

// casesData is the list of cases.
type casesData struct {
	Cases  []cases.Brief
	Filter cases.Filter
	States []cases.State
	Next   string // before which older ones go on, "" for none
	Older  bool   // these are not the newest
	Live   string // where the list is followed, "" when it is not
	Now    time.Time
}

// filterOf reads what is looked for. What is no tenant and no state is left out.
func (d *Door) filterOf(c echo.Context) (f cases.Filter) {
	if _, known := d.Settings.Tenants.Tenant(c.QueryParam("tenant")); known {
		f.Tenant = c.QueryParam("tenant")
	}
	if s := cases.State(c.QueryParam("state")); slices.Contains(cases.States(), s) {
		f.State = s
	}
	return f
}

func (d *Door) listCases(
	ctx context.Context, f cases.Filter, before string,
) (casesData, error) {
	return web.Read(ctx, d.Store, func(ctx context.Context, view store.View) (casesData, error) {
		found, next, err := cases.Newest(ctx, view, f, before, perPage)
		return casesData{
			Cases: found, Filter: f, States: cases.States(), Next: next, Older: before != "",
			Now: view.Now(),
		}, err
	})
}

func (d *Door) showCases(c echo.Context, v visitor) error {
	data, err := d.listCases(c.Request().Context(), d.filterOf(c), c.QueryParam("before"))
	if err != nil {
		return d.fail(c, err)
	}
	if !data.Older {
		data.Live = "/operator/cases/live"
		if query := c.QueryString(); query != "" {
			data.Live += "?" + query
		}
	}
	return d.show(c, v, "cases", page{Title: "Cases", Current: "cases", Now: data.Now, Data: data})
}

// caseData is one case, and whose it is.
type caseData struct {
	cases.Case
	Phone phonemail.Number
	Whole string // the number, for an operator who asked for it
}

var errNoCase = errors.New("operator: no such case")

// findCase returns the case of an id.
func findCase(ctx context.Context, view store.View, id string) (caseData, error) {
	found, phone, err := cases.Find(ctx, view, id)
	if errors.Is(err, cases.ErrUnknown) || errors.Is(err, cases.ErrSeveral) {
		err = errNoCase
	}
	return caseData{Case: found, Phone: phone}, err
}

func (d *Door) showCase(c echo.Context, v visitor) error {
	data, err := web.Read(c.Request().Context(), d.Store,
		func(ctx context.Context, view store.View) (caseData, error) {
			return findCase(ctx, view, c.Param("id"))
		})
	return d.renderCase(c, v, data, err)
}

func (d *Door) renderCase(c echo.Context, v visitor, data caseData, err error) error {
	switch {
	case errors.Is(err, errNoCase):
		return d.refuse(c, http.StatusNotFound, "There is no such case.",
			"Rows are kept for a year. Look for the phone.", &v)
	case err != nil:
		return d.fail(c, err)
	}
	return d.show(c, v, "case", page{Title: "Case of " + data.Phone.String(), Current: "cases",
		Data: data})
}

// revealPhone shows a case with the whole number of its phone, and records who asked for it.
func (d *Door) revealPhone(c echo.Context, v visitor) error {
	f, done, err := d.formOf(c, v, false)
	if done {
		return err
	}
	var data caseData
	err = d.perform(c, v, func(ctx context.Context, tx *store.Tx) (operator.Act, error) {
		data, err = findCase(ctx, tx, f.id)
		return operator.Act{Act: "phone.show", Subject: data.ID, Detail: data.Phone.String()}, err
	})
	if err == nil && data.Phone.Erased() {
		data.Whole = "The number is erased; a digest stands for it."
	} else if err == nil {
		data.Whole = data.Phone.E164()
	}
	return d.renderCase(c, v, data, err)
}

// personData is all cases of a phone, the newest first.
type personData struct {
	Phone phonemail.Number
	Cases []cases.Case
}

// search looks for a phone, or for any id. It is a POST, so that no number is in an address.
func (d *Door) search(c echo.Context, v visitor) error {
	f, done, err := d.formOf(c, v, true)
	if done {
		return err
	}
	asked := strings.Trim(strings.TrimSpace(f.Get("for")), "<>")
	phone, malformed := phonemail.ParseNumber(asked)
	data, err := web.Read(c.Request().Context(), d.Store,
		func(ctx context.Context, view store.View) (data personData, err error) {
			if data.Phone = phone; malformed != nil {
				if data.Phone, err = cases.Whose(ctx, view, asked); err != nil {
					return data, err
				}
			}
			data.Cases, err = cases.Of(ctx, view, data.Phone)
			slices.Reverse(data.Cases)
			return data, err
		})
	switch {
	case errors.Is(err, cases.ErrUnknown):
		return d.refuse(c, http.StatusNotFound, "Nothing here has that number or id.",
			"Write a phone as +4512345678, or an id from the log, from /v1 or from the provider.", &v)
	case errors.Is(err, cases.ErrSeveral):
		return d.refuse(c, http.StatusNotFound, "That id belongs to several phones.",
			"Write one of the phones: +4512345678.", &v)
	case err != nil:
		return d.fail(c, err)
	}
	return d.show(c, v, "person", page{Title: "Cases of " + data.Phone.String(), Current: "cases",
		Data: data})
}

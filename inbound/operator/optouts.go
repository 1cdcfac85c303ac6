package operator

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/labstack/echo/v4"

	"smsbridge/inbound/web"
	"smsbridge/internal/operator"
	"smsbridge/internal/optout"
	"smsbridge/internal/store"
	"smsbridge/internal/text"
	"smsbridge/phonemail"
)

// optOutsData is a page of opt-outs, the oldest record first.
type optOutsData struct {
	OptOuts []text.KnownOptOut
	Vias    []text.Via
	Next    string // after which newer ones go on, "" for none
}

func (d *Door) showOptOuts(c echo.Context, v visitor) error {
	ctx := c.Request().Context()
	if err := optout.Adopt(ctx, d.Store); err != nil {
		return d.fail(c, err)
	}
	data, err := web.Read(ctx, d.Store,
		func(ctx context.Context, view store.View) (data optOutsData, err error) {
			data.OptOuts, err = text.OptOutsAfter(ctx, view, c.QueryParam("after"), perPage+1)
			return data, err
		})
	if err != nil {
		return d.fail(c, err)
	}
	data.Vias = text.Vias()
	data.OptOuts, data.Next = paged(data.OptOuts, func(o text.KnownOptOut) string { return o.ID })
	return d.show(c, v, "optouts", page{Title: "Opt-outs", Current: "optouts", Data: data})
}

func (d *Door) addOptOut(ctx context.Context, tx *store.Tx, f form) (operator.Act, error) {
	phone, err := phonemail.ParseNumber(strings.TrimSpace(f.Get("phone")))
	if err != nil {
		return operator.Act{}, wrong{"That is no phone number.", "Write it as +4512345678."}
	}
	s := text.Said{
		Phone: phone, Via: text.Via(f.Get("via")), Recorder: f.by.Name,
		Reach: text.Reach{Tenant: f.Get("tenant"), All: f.Get("tenant") == ""},
	}
	if _, known := d.Settings.Tenants.Tenant(s.Reach.Tenant); !known && !s.Reach.All {
		return operator.Act{}, wrong{"There is no such tenant.", "Choose one of the list."}
	}
	if !slices.Contains(text.Vias(), s.Via) {
		return operator.Act{}, wrong{"It is not clear how the person said so.",
			"Choose mail, phone, letter or other."}
	}
	_, err = optout.Record(ctx, tx, d.Settings.Tenants, s)
	return operator.Act{Act: "optout.add", Subject: phone.String(), Detail: scopeName(s.Reach)}, err
}

// scopeName names what an opt-out holds for.
func scopeName(r text.Reach) string {
	switch {
	case r.All:
		return "all tenants"
	case r.Tenant != "":
		return "tenant " + r.Tenant
	}
	return "sender " + r.Line.Sender
}

func removeOptOut(ctx context.Context, tx *store.Tx, f form) (operator.Act, error) {
	o, known, err := text.OptOutOf(ctx, tx, f.id)
	if err != nil {
		return operator.Act{}, err
	}
	if !known {
		return operator.Act{}, wrong{"That opt-out has ended already.", ""}
	}
	_, err = text.ClearOptOuts(ctx, tx, o.Phone,
		func(other text.KnownOptOut) bool { return other.ID == o.ID })
	return operator.Act{Act: "optout.remove", Subject: o.Phone.String(),
		Detail: scopeName(o.Reach)}, err
}

// importOptOuts records the opt-outs of a CSV file. One with a mistake changes nothing.
func (d *Door) importOptOuts(ctx context.Context, tx *store.Tx, f form) (operator.Act, error) {
	all, err := optout.ReadCSV(strings.NewReader(f.Get("csv")), d.Settings.Tenants, tx.Now())
	var bad *optout.Bad
	if errors.As(err, &bad) {
		return operator.Act{}, wrong{"Nothing was imported: " + bad.What + ".", bad.Hint}
	}
	added := 0
	for _, s := range all {
		first, err := optout.Record(ctx, tx, d.Settings.Tenants, s)
		if err != nil {
			return operator.Act{}, err
		}
		if first {
			added++
		}
	}
	return operator.Act{Act: "optout.import",
		Detail: fmt.Sprintf("%d read, %d of them new", len(all), added)}, err
}

// mostExported is how many opt-outs the page exports. The command line has no limit.
const mostExported = 200_000

var errTooMany = errors.New("operator: too many opt-outs for the page")

// exportOptOuts hands out all opt-outs, with whole numbers, and records who has them.
func (d *Door) exportOptOuts(c echo.Context, v visitor) error {
	if _, done, err := d.formOf(c, v, false); done {
		return err
	}
	var file bytes.Buffer
	out, n := optout.NewCSVWriter(&file), 0
	err := optout.Each(c.Request().Context(), d.Store, func(o text.KnownOptOut) error {
		if n == mostExported {
			return errTooMany
		}
		if o.Phone.Erased() {
			return nil // only this database recognizes it
		}
		n++
		return out.Write(o)
	})
	if errors.Is(err, errTooMany) {
		return d.refuse(c, http.StatusUnprocessableEntity, "There are too many opt-outs for a page.",
			"Use smsbridge optout export.", &v)
	}
	if err = errors.Join(err, out.Flush()); err != nil {
		return d.fail(c, err)
	}
	err = d.perform(c, v, func(context.Context, *store.Tx) (operator.Act, error) {
		return operator.Act{Act: "optout.export", Detail: fmt.Sprintf("%d opt-outs", n)}, nil
	})
	if err != nil {
		return d.fail(c, err)
	}
	c.Response().Header().Set("Content-Disposition", `attachment; filename="opt-outs.csv"`)
	return c.Blob(http.StatusOK, "text/csv; charset=utf-8", file.Bytes())
}

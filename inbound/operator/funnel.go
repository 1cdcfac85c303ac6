package operator

import (
	"context"
	"slices"
	"time"

	"github.com/labstack/echo/v4"

	"smsbridge/inbound/web"
	"smsbridge/internal/cases"
	"smsbridge/internal/store"
)

// funnelData is how far the mails of a time came.
type funnelData struct {
	Rows   []cases.Funnel
	Sum    cases.Funnel
	Last   string
	Lasts  []string
	By     cases.By
	Bys    []cases.By
	Tenant string // "" for all
}

// lasts are the times that a funnel is shown of.
func lasts() []string { return []string{"hour", "day", "week"} }

// sinceOf is when such a time began.
func sinceOf(last string, now time.Time) time.Time {
	switch last {
	case "hour":
		return now.Add(-time.Hour)
	case "week":
		return now.AddDate(0, 0, -7)
	}
	return now.AddDate(0, 0, -1)
}

func (d *Door) showFunnel(c echo.Context, v visitor) error {
	data := funnelData{
		Last: c.QueryParam("last"), Lasts: lasts(), By: cases.By(c.QueryParam("by")), Bys: cases.Bys(),
		Tenant: d.filterOf(c).Tenant,
	}
	if !slices.Contains(data.Lasts, data.Last) {
		data.Last = "day"
	}
	if !slices.Contains(data.Bys, data.By) {
		data.By = cases.ByEach
	}
	p, err := web.Read(c.Request().Context(), d.Store,
		func(ctx context.Context, view store.View) (p page, err error) {
			data.Rows, data.Sum, err = cases.Funnels(ctx, view, sinceOf(data.Last, view.Now()),
				data.Tenant, data.By)
			return page{Title: "Funnel", Current: "funnel", Now: view.Now(), Data: data}, err
		})
	if err != nil {
		return d.fail(c, err)
	}
	return d.show(c, v, "funnel", p)
}

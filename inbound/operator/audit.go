package operator

import (
	"context"

	"github.com/labstack/echo/v4"

	"smsbridge/inbound/web"
	"smsbridge/internal/operator"
	"smsbridge/internal/store"
)

// perPage is how many rows a page shows.
const perPage = 50

// auditData is what operators did.
type auditData struct {
	Acts []operator.Act
	Next string // from where older ones go on, "" for none
}

func (d *Door) showAudit(c echo.Context, v visitor) error {
	p, err := web.Read(c.Request().Context(), d.Store,
		func(ctx context.Context, view store.View) (page, error) {
			acts, err := operator.Acts(ctx, view, c.QueryParam("before"), perPage)
			data := auditData{Acts: acts}
			if len(acts) == perPage {
				data.Next = acts[perPage-1].ID
			}
			return page{Title: "Audit", Current: "audit", Now: view.Now(), Data: data}, err
		})
	if err != nil {
		return d.fail(c, err)
	}
	return d.show(c, v, "audit", p)
}

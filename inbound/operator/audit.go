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

// paged is a page of rows, of which one more than a page has was read. Next is the id of the last
// row that is shown, after which the next page goes on, "" when there is none.
func paged[T any](rows []T, id func(T) string) (shown []T, next string) {
	if len(rows) <= perPage {
		return rows, ""
	}
	return rows[:perPage], id(rows[perPage-1])
}

// auditData is what operators did.
type auditData struct {
	Acts []operator.Act
	Next string // from where older ones go on, "" for none
}

func (d *Door) showAudit(c echo.Context, v visitor) error {
	p, err := web.Read(c.Request().Context(), d.Store,
		func(ctx context.Context, view store.View) (page, error) {
			acts, err := operator.Acts(ctx, view, c.QueryParam("before"), perPage+1)
			var data auditData
			data.Acts, data.Next = paged(acts, func(a operator.Act) string { return a.ID })
			return page{Title: "Audit", Current: "audit", Now: view.Now(), Data: data}, err
		})
	if err != nil {
		return d.fail(c, err)
	}
	return d.show(c, v, "audit", p)
}

package operator

import (
	"context"
	"strings"

	"github.com/labstack/echo/v4"

	"smsbridge/inbound/web"
	"smsbridge/internal/limit"
	"smsbridge/internal/operator"
	"smsbridge/internal/store"
	"smsbridge/phonemail"
)

// limitsData is what is used of the limits, and what is held.
type limitsData struct {
	Uses []limit.Use
	Held []limit.Scope
	All  bool // and not only what is near its limit
	More bool // than are shown
}

// mostUses is how many limits a page shows, the widest first. A fraud fills those of many phones.
const mostUses = 500

func (d *Door) showLimits(c echo.Context, v visitor) error {
	data := limitsData{All: c.QueryParam("all") == "1"}
	_, err := web.Read(c.Request().Context(), d.Store,
		func(ctx context.Context, view store.View) (struct{}, error) {
			uses, err := limit.Uses(ctx, view, d.Settings.Tenants.All())
			if err != nil {
				return struct{}{}, err
			}
			for _, u := range uses {
				budget := u.What == "all" || strings.HasPrefix(u.What, "tenant/")
				shown := u.Of != "" && (data.All || u.Near() || budget) || u.State == "open"
				if shown {
					data.Uses = append(data.Uses, u)
				}
			}
			if data.More = len(data.Uses) > mostUses; data.More {
				data.Uses = data.Uses[:mostUses]
			}
			data.Held, err = limit.Holds(ctx, view)
			return struct{}{}, err
		})
	if err != nil {
		return d.fail(c, err)
	}
	return d.show(c, v, "limits", page{Title: "Limits and holds", Current: "limits", Data: data})
}

// scopeOf reads what is to be held or released.
func (d *Door) scopeOf(f form) (s limit.Scope, err error) {
	s = limit.Scope{
		Tenant:  f.Get("tenant"),
		Country: strings.ToUpper(strings.TrimSpace(f.Get("country"))),
	}
	if _, known := d.Settings.Tenants.Tenant(s.Tenant); s.Tenant != "" && !known {
		return s, wrong{"There is no such tenant.", "Choose one of the list."}
	}
	if s.Country != "" && !phonemail.IsCountry(s.Country) {
		return s, wrong{"That is no country.", "Write a code of two letters, such as DK, SE or GB."}
	}
	return s, nil
}

func (d *Door) hold(ctx context.Context, tx *store.Tx, f form) (operator.Act, error) {
	s, err := d.scopeOf(f)
	if err != nil {
		return operator.Act{}, err
	}
	return operator.Act{Act: "hold", Subject: s.String()}, limit.Hold(ctx, tx, s)
}

// release ends a hold, also one of a tenant that there is no more.
func (d *Door) release(ctx context.Context, tx *store.Tx, f form) (operator.Act, error) {
	s := limit.Scope{Tenant: f.Get("tenant"), Country: f.Get("country")}
	held, err := limit.Holds(ctx, tx)
	if err != nil {
		return operator.Act{}, err
	}
	for _, h := range held {
		if h == s {
			return operator.Act{Act: "release", Subject: s.String()}, limit.Release(ctx, tx, s)
		}
	}
	return operator.Act{}, wrong{"That is not held any more.", "Open the page again to see what is."}
}

package operator

import (
	"context"
	"errors"
	"net/http"
	"slices"

	"github.com/labstack/echo/v4"

	"smsbridge/inbound/web"
	"smsbridge/internal/callback"
	"smsbridge/internal/operator"
	"smsbridge/internal/store"
)

// callbacksData is what the tenants' apps are told, the newest first.
type callbacksData struct {
	Callbacks []callback.Callback
	State     callback.State // "" for all
	States    []callback.State
	Next      string // before which older ones go on, "" for none
}

func (d *Door) showCallbacks(c echo.Context, v visitor) error {
	data, before := callbacksData{States: callback.States()}, c.QueryParam("before")
	if s := callback.State(c.QueryParam("state")); slices.Contains(data.States, s) {
		data.State = s
	}
	p, err := web.Read(c.Request().Context(), d.Store,
		func(ctx context.Context, view store.View) (p page, err error) {
			if data.State == "" {
				data.Callbacks, err = callback.Newest(ctx, view, false, before, perPage+1)
			} else {
				data.Callbacks, err = callback.InState(ctx, view, before, perPage+1, data.State)
			}
			data.Callbacks, data.Next = paged(data.Callbacks,
				func(c callback.Callback) string { return c.ID })
			return page{Title: "Callbacks", Current: "callbacks", Now: view.Now(), Data: data}, err
		})
	if err != nil {
		return d.fail(c, err)
	}
	return d.show(c, v, "callbacks", p)
}

func (d *Door) showCallback(c echo.Context, v visitor) error {
	p, err := web.Read(c.Request().Context(), d.Store,
		func(ctx context.Context, view store.View) (page, error) {
			found, err := callback.Get(ctx, view, c.Param("id"))
			return page{Title: "Callback " + found.Type, Current: "callbacks", Now: view.Now(),
				Data: found}, err
		})
	switch {
	case errors.Is(err, callback.ErrUnknown):
		return d.refuse(c, http.StatusNotFound, "There is no such callback.",
			"One that is older than a year is gone.", &v)
	case err != nil:
		return d.fail(c, err)
	}
	return d.show(c, v, "callback", p)
}

// replayCallback tells an app once more what it was told, or did not take.
func replayCallback(ctx context.Context, tx *store.Tx, f form) (operator.Act, error) {
	found, err := callback.Get(ctx, tx, f.id)
	if err == nil {
		err = callback.Replay(ctx, tx, f.id)
	}
	switch {
	case errors.Is(err, callback.ErrUnknown):
		return operator.Act{}, wrong{"There is no such callback.",
			"One that is older than a year is gone."}
	case errors.Is(err, callback.ErrDue):
		return operator.Act{}, wrong{"That callback is due already.",
			"Open the page again to see when it is tried next."}
	}
	return operator.Act{Act: "callback.replay", Subject: f.id,
		Detail: found.Type + " to " + found.Endpoint + " of " + found.Tenant}, err
}

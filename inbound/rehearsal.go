package inbound

import (
	"context"
	"net/http"

	"github.com/labstack/echo/v4"

	"smsbridge/inbound/web"
	"smsbridge/internal/rehearsal"
	"smsbridge/internal/store"
)

// showRehearsal is what the link of a rehearsal opens, as an identity provider shows that a sign-up
// is confirmed. That it was opened is recorded. Any other ticket finds nothing.
func (s *Server) showRehearsal(c echo.Context) error {
	given := c.QueryParam("ticket")
	ctx := c.Request().Context()
	known, err := web.Read(ctx, s.Store, func(_ context.Context, view store.View) (bool, error) {
		return rehearsal.Knows(view, given), nil
	})
	if err == nil && known {
		_, err = web.Commit(ctx, s.Store, func(ctx context.Context, tx *store.Tx) (struct{}, error) {
			return struct{}{}, rehearsal.Open(ctx, tx, given)
		})
	}
	h := c.Response().Header()
	h.Set("Cache-Control", "no-store")
	h.Set("Referrer-Policy", "no-referrer")
	switch {
	case err != nil:
		h.Set("Retry-After", "5")
		s.Log.Error("rehearsal", "error", err)
		return c.String(http.StatusServiceUnavailable, "The bridge cannot record it now.\n")
	case !known:
		return c.String(http.StatusNotFound, "There is no such rehearsal.\n")
	}
	return c.HTML(http.StatusOK, "<!doctype html>\n<html lang=\"en\"><title>Rehearsal</title>\n"+
		"<p>Your email address has been verified.</p>\n"+
		"<p>This was a rehearsal of smsbridge. There is no account.</p>\n</html>\n")
}

package inbound

import (
	"context"
	"net/http"

	"github.com/labstack/echo/v4"

	"smsbridge/inbound/web"
	"smsbridge/internal/reply"
	"smsbridge/internal/store"
	"smsbridge/internal/text"
)

// This file records what every provider of texts reports: a reply of a phone, and how far a text of
// ours has come.

// notNow is the response while the database does not record.
var notNow = response{http.StatusServiceUnavailable, "cannot record now, please try again"}

// takeReply records a text from a phone, and says in the provider's log what was made of it.
func (s *Server) takeReply(c echo.Context, received reply.Received) (response, error) {
	taken, err := web.Commit(c.Request().Context(), s.Store,
		func(ctx context.Context, tx *store.Tx) (reply.Taken, error) {
			return reply.Take(ctx, tx, s.Settings.Tenants, received)
		})
	switch {
	case err != nil:
		return notNow, err
	case taken.Duplicate:
		return response{http.StatusOK, "known already"}, nil
	}
	return response{http.StatusOK, "recorded: " + string(taken.Word)}, nil
}

// takeReceipt records a provider's report on a text of ours.
func (s *Server) takeReceipt(c echo.Context, receipt text.Receipt) error {
	_, err := web.Commit(c.Request().Context(), s.Store,
		func(ctx context.Context, tx *store.Tx) (struct{}, error) {
			return struct{}{}, text.TakeReceipt(ctx, tx, receipt)
		})
	if err != nil {
		return s.respond(c, "receipt", notNow, err)
	}
	return c.NoContent(http.StatusOK)
}

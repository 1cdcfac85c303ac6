package auth0

import (
	"context"
	"net/http"
	"slices"

	"github.com/labstack/echo/v4"

	"smsbridge/inbound/web"
	"smsbridge/internal/auth0"
	"smsbridge/internal/store"
	"smsbridge/internal/tenant"
	"smsbridge/phonemail"
)

// This file takes feedback from a post-login Action: a code of Auth0's was right. Feedback from a
// stream is in stream.go.

// receiveFeedback takes {"user_id", "phone_number", "factor": "sms" or "mfa"}.
func (d *Door) receiveFeedback(c echo.Context) error {
	t, _, p := d.proveAction(c)
	if p != nil {
		return d.refuse(c, p)
	}
	var said struct {
		UserID string `json:"user_id"`
		Phone  string `json:"phone_number"`
		Factor string `json:"factor"`
	}
	if p := web.ReadJSON(c.Request(), maxNotification, &said); p != nil {
		return d.refuse(c, p)
	}
	if !slices.Contains([]string{"sms", "mfa"}, said.Factor) {
		return d.refuse(c, web.BadField.On("factor", "It is sms or mfa."))
	}
	f := auth0.Feedback{Source: said.Factor, UserID: said.UserID}
	f.Phone, _ = phonemail.ParseNumber(said.Phone) // an Action may know only the user
	if f.UserID == "" && f.Phone == (phonemail.Number{}) {
		return d.refuse(c, web.BadField.On("user_id", "It is missing, and so is phone_number."))
	}
	return d.feed(c, t, func(ctx context.Context, tx *store.Tx) (counts, error) {
		result, err := auth0.TakeFeedback(ctx, tx, t, f)
		return counts{result: 1}, err
	})
}

// counts say how often feedback came to each result.
type counts map[auth0.Result]int

// feed commits f, and responds with its counts.
func (d *Door) feed(
	c echo.Context, t *tenant.Tenant, f func(ctx context.Context, tx *store.Tx) (counts, error),
) error {
	counted, err := web.Commit(c.Request().Context(), d.Store, f)
	if err != nil {
		return d.refuse(c, asProblem(err), err)
	}
	attrs := []any{"tenant", t.Slug, "path", c.Path(), "status", http.StatusOK}
	for _, result := range []auth0.Result{
		auth0.Matched, auth0.Known, auth0.Forwarded, auth0.Unmatched, auth0.Other,
	} {
		attrs = append(attrs, string(result), counted[result])
	}
	d.Log.Info("auth0 feedback", attrs...)
	return c.JSON(http.StatusOK, counted)
}

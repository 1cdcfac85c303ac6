package inbound

import (
	"context"
	"net/http"
	"slices"

	"github.com/labstack/echo/v4"

	"smsbridge/internal/auth0"
	"smsbridge/internal/store"
	"smsbridge/internal/tenant"
	"smsbridge/phonemail"
)

// This file takes the news that a code of Auth0's was right, from a post-login Action here and from a stream in auth0_stream.go. Twilio Verify is told
// by the job that reports every verification, until it has heard; its Fraud Guard learns from that.

// receiveAuth0Feedback takes the word of a post-login Action: {"user_id", "phone_number", "factor": "sms" or "mfa"}.
func (s *Server) receiveAuth0Feedback(c echo.Context) error {
	t, _, p := s.auth0Action(c)
	if p != nil {
		return s.refuseAuth0(c, p)
	}
	var said struct {
		UserID string `json:"user_id"`
		Phone  string `json:"phone_number"`
		Factor string `json:"factor"`
	}
	if p := readJSON(c.Request(), maxNotification, &said); p != nil {
		return s.refuseAuth0(c, p)
	}
	if choices := []string{"sms", "mfa"}; !slices.Contains(choices, said.Factor) {
		return s.refuseAuth0(c, badField.on("factor", "It is sms or mfa."))
	}
	f := auth0.Feedback{Source: said.Factor, UserID: said.UserID}
	f.Phone, _ = phonemail.ParseNumber(said.Phone) // an Action may know only the user
	if f.UserID == "" && f.Phone == (phonemail.Number{}) {
		return s.refuseAuth0(c, badField.on("user_id", "It is missing, and so is phone_number."))
	}
	return s.feed(c, t, func(ctx context.Context, tx *store.Tx) (map[auth0.Result]int, error) {
		what, err := auth0.TakeFeedback(ctx, tx, t, f)
		return map[auth0.Result]int{what: 1}, err
	})
}

// feed runs f and answers with what it counted.
func (s *Server) feed(c echo.Context, t *tenant.Tenant, f func(ctx context.Context, tx *store.Tx) (map[auth0.Result]int, error)) error {
	ctx, cancel := context.WithTimeout(c.Request().Context(), commitWait)
	defer cancel()
	var counts map[auth0.Result]int
	err := s.Store.Do(ctx, func(ctx context.Context, tx *store.Tx) (err error) {
		counts, err = f(ctx, tx)
		return err
	})
	if err != nil {
		return s.refuseAuth0(c, asProblem(err), err)
	}
	attrs := []any{"tenant", t.Slug, "path", c.Path(), "status", http.StatusOK}
	for _, what := range []auth0.Result{auth0.Matched, auth0.Known, auth0.Forwarded, auth0.Unmatched, auth0.Other} {
		attrs = append(attrs, string(what), counts[what])
	}
	s.Log.Info("auth0 feedback", attrs...)
	return c.JSON(http.StatusOK, counts)
}

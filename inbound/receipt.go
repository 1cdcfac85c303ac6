package inbound

import (
	"context"
	"net/http"

	"github.com/labstack/echo/v4"

	"smsbridge/inbound/web"
	"smsbridge/internal/challenge"
	"smsbridge/internal/optout"
	"smsbridge/internal/reply"
	"smsbridge/internal/store"
	"smsbridge/internal/text"
	"smsbridge/internal/verification"
)

// This file records what every provider of texts reports: a reply of a phone, and how far a text of
// ours has come. Each provider has a function that proves a request and reads it.

// notNow is the response while the database does not record.
var notNow = response{http.StatusServiceUnavailable, "cannot record now, please try again"}

// receiveReply handles a provider's webhook about a text from a phone. Read returns the reply, or
// the response to a request that is none. Write writes a response as the provider wants it. The
// reason, which the provider's log shows, says what was made of the reply.
func (s *Server) receiveReply(
	read func(c echo.Context) (reply.Received, response),
	write func(c echo.Context, r response) error,
) echo.HandlerFunc {
	return func(c echo.Context) error {
		received, r := read(c)
		if r.status != 0 {
			s.note(c, "reply", r, nil)
			return write(c, r)
		}
		taken, err := web.Commit(c.Request().Context(), s.Store,
			func(ctx context.Context, tx *store.Tx) (reply.Taken, error) {
				return reply.Take(ctx, tx, s.Settings.Tenants, received)
			})
		switch {
		case err != nil:
			r = notNow
		case taken.Duplicate:
			r = response{http.StatusOK, "known already"}
		default:
			r = response{http.StatusOK, "recorded: " + string(taken.Word)}
		}
		s.note(c, "reply", r, err, "case", taken.Case, "phone", received.Phone)
		return write(c, r)
	}
}

// receiveReceipt handles a provider's webhook about a text of ours. Read returns the receipt, or
// the response to a request that is none.
func (s *Server) receiveReceipt(
	read func(c echo.Context) (text.Receipt, response),
) echo.HandlerFunc {
	return func(c echo.Context) error {
		receipt, refusal := read(c)
		if refusal.status != 0 {
			return s.respond(c, "receipt", refusal, nil)
		}
		moved, err := web.Commit(c.Request().Context(), s.Store,
			func(ctx context.Context, tx *store.Tx) (text.Moved, error) {
				moved, err := verification.TakeReceipt(ctx, tx, receipt)
				if err == nil && moved.State == text.Failed {
					err = s.learn(ctx, tx, moved)
				}
				return moved, err
			})
		if err != nil {
			return s.respond(c, "receipt", notNow, err)
		}
		s.noteMoved(c, moved)
		return c.NoContent(http.StatusOK)
	}
}

// learn records what follows when a provider took a text and did not send it: an app's question
// ends. With a Messaging Service, Twilio says only then that the phone had sent STOP.
//
// Source: https://github.com/twilio/twilio-python/issues/478
func (s *Server) learn(ctx context.Context, tx *store.Tx, m text.Moved) error {
	err := challenge.FailUnsent(ctx, tx, m.TextID)
	if err != nil || verification.TwilioReason(m.Code) != verification.OptedOut {
		return err
	}
	return optout.Learn(ctx, tx, optout.Heard{
		Line: m.Line, Sharing: s.Settings.Tenants.ByLine(m.Line), Phone: m.Phone, Via: text.ByProvider,
	})
}

// noteMoved logs how far a text has come. One that does not reach its phone is a warning.
func (s *Server) noteMoved(c echo.Context, m text.Moved) {
	ctx := c.Request().Context()
	attrs := []any{
		"tenant", m.Tenant, "case", m.Case, "phone", m.Phone, "text", m.TextID,
		"purpose", string(m.Purpose),
	}
	s.isAbout(c, attrs)
	switch m.State {
	case text.Delivered:
		s.Log.InfoContext(ctx, "text delivered", attrs...)
	case text.Undelivered, text.Failed:
		attrs = append(attrs, "state", string(m.State), "code", m.Code)
		if meaning := text.Meaning(m.Code); meaning != "" {
			attrs = append(attrs, "meaning", meaning)
		}
		s.Log.WarnContext(ctx, "text not delivered", attrs...)
		s.judgeAccount(c, m)
	}
}

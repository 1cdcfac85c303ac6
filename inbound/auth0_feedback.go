package inbound

import (
	"context"
	"database/sql"
	"errors"
	"net/http"
	"slices"
	"time"

	"github.com/labstack/echo/v4"

	"smsbridge/internal/store"
	"smsbridge/internal/store/db"
	"smsbridge/internal/tenant"
	"smsbridge/internal/verification"
	"smsbridge/phonemail"
)

// This file takes the news that a code of Auth0's was right, from a post-login Action here and from a stream in auth0_stream.go. Twilio Verify is told
// by the job that reports every verification, until it has heard; its Fraud Guard learns from that.

// doorAuth0Feedback names verifications that Twilio Verify made for somebody else, such as a phone provider's Action of its own.
const doorAuth0Feedback = "auth0_feedback"

// feedbackSince is how long ago a code may have been texted that turns out to have been right.
const feedbackSince = time.Hour

// feedback says whose code was right: the user's, or the phone's. One of the two may be unknown.
type feedback struct {
	source string // a word for the timeline
	userID string
	phone  phonemail.Number
}

// fed is what became of feedback.
type fed string

const (
	fedMatched   fed = "matched"   // a code of the bridge's: its verification is approved now
	fedKnown     fed = "known"     // that one was approved before, or the event has been seen
	fedForwarded fed = "forwarded" // no code of the bridge's: Twilio Verify is told for the phone, and knows whether it has one
	fedUnmatched fed = "unmatched" // nothing is known that it could be about
	fedOther     fed = "other"     // an event that is not about a code
)

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
	f := feedback{source: said.Factor, userID: said.UserID}
	f.phone, _ = phonemail.ParseNumber(said.Phone) // an Action may know only the user
	if f.userID == "" && f.phone == (phonemail.Number{}) {
		return s.refuseAuth0(c, badField.on("user_id", "It is missing, and so is phone_number."))
	}
	return s.feed(c, t, func(ctx context.Context, tx *store.Tx) (map[fed]int, error) {
		what, err := takeFeedback(ctx, tx, t, f)
		return map[fed]int{what: 1}, err
	})
}

// feed runs f and answers with what it counted.
func (s *Server) feed(c echo.Context, t *tenant.Tenant, f func(ctx context.Context, tx *store.Tx) (map[fed]int, error)) error {
	ctx, cancel := context.WithTimeout(c.Request().Context(), commitWait)
	defer cancel()
	var counts map[fed]int
	err := s.Store.Do(ctx, func(ctx context.Context, tx *store.Tx) (err error) {
		counts, err = f(ctx, tx)
		return err
	})
	if err != nil {
		return s.refuseAuth0(c, asProblem(err), err)
	}
	attrs := []any{"tenant", t.Slug, "path", c.Path(), "status", http.StatusOK}
	for _, what := range []fed{fedMatched, fedKnown, fedForwarded, fedUnmatched, fedOther} {
		attrs = append(attrs, string(what), counts[what])
	}
	s.Log.Info("auth0 feedback", attrs...)
	return c.JSON(http.StatusOK, counts)
}

// takeFeedback finds the verification that feedback is about, and approves it.
func takeFeedback(ctx context.Context, tx *store.Tx, t *tenant.Tenant, f feedback) (fed, error) {
	v, err := codeOf(ctx, tx, t, f)
	switch {
	case err != nil && !errors.Is(err, verification.ErrUnknown):
		return "", err
	case err != nil && f.phone != (phonemail.Number{}) && canForward(t):
		return fedForwarded, forward(ctx, tx, t, f)
	case err == nil && v.State == verification.Approved:
		return fedKnown, nil
	case err == nil && v.State == verification.Pending:
		_, err := verification.Approve(ctx, tx, t.Slug, v.ID, f.source)
		if errors.Is(err, verification.ErrGone) { // ended at this very moment
			return fedKnown, nil
		}
		return fedMatched, err
	}
	return fedUnmatched, tx.Record(ctx, t.Slug, "", "auth0.unmatched", f.source)
}

// canForward reports whether Twilio Verify can be told about codes that the bridge did not have texted. Not where Verify compares codes for the
// bridge: it might take that for one of these, which would then count no more.
func canForward(t *tenant.Tenant) bool {
	return slices.Contains(t.Sending.Providers, tenant.ByVerify) && !t.Sending.VerifyService.OwnCode
}

// codeOf is the verification of the last code of Auth0's that the bridge texted for the user, or else to the phone, or verification.ErrUnknown.
func codeOf(ctx context.Context, tx *store.Tx, t *tenant.Tenant, f feedback) (verification.Verification, error) {
	since := tx.Now().Add(-feedbackSince)
	if f.userID != "" {
		last, err := tx.LastAuth0Code(ctx, db.LastAuth0CodeParams{Tenant: t.Slug, UserID: f.userID, Since: store.Millis(since)})
		if err == nil {
			return verification.Get(ctx, tx, t.Slug, last.VerificationID)
		}
		if !errors.Is(err, sql.ErrNoRows) {
			return verification.Verification{}, err
		}
	}
	v, err := verification.ByExternalID(ctx, tx, t.Slug, doorAuth0Phone, f.phone.E164())
	if err == nil && v.Opened.Before(since) {
		err = verification.ErrUnknown
	}
	return v, err
}

// forward has Twilio Verify told that the code it texted to a phone was right, for somebody else: Verify knows its verification by the phone as well
// (https://www.twilio.com/docs/verify/api/verification#update-a-verification-status).
func forward(ctx context.Context, tx *store.Tx, t *tenant.Tenant, f feedback) error {
	id := store.NewID()
	account, sender := t.Line(f.phone)
	_, err := tx.AddVerifyFeedback(ctx, db.AddVerifyFeedbackParams{
		ID: id, Tenant: t.Slug, Door: doorAuth0Feedback, Account: account, Sender: sender, Phone: f.phone.E164(), At: store.Millis(tx.Now()),
	})
	if err != nil {
		return err
	}
	tx.Enqueue(verification.ReportVerification{ID: id})
	return tx.Record(ctx, t.Slug, id, "auth0.forwarded", f.source)
}

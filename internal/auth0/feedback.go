package auth0

import (
	"context"
	"database/sql"
	"errors"
	"slices"
	"time"

	"smsbridge/internal/store"
	"smsbridge/internal/store/db"
	"smsbridge/internal/store/moment"
	"smsbridge/internal/tenant"
	"smsbridge/internal/verification"
	"smsbridge/phonemail"
)

// feedbackSince is how long ago a code may have been texted that Auth0 now reports as right.
const feedbackSince = time.Hour

// sourceStream names Auth0's streams in the table of events that have been seen.
const sourceStream = "auth0"

// maxEventID is the longest id, in bytes, by which an event is known again.
const maxEventID = 200

// Feedback says whose code was right: the user's, or the phone's. One of the two may be unknown.
type Feedback struct {
	Source string // what reported it: a word for the timeline
	UserID string
	Phone  phonemail.Number
}

// Result is what feedback came to.
type Result string

// The results of feedback.
const (
	// Matched: it is about a code of the bridge's, whose verification is approved now.
	Matched Result = "matched"
	// Known: that verification was approved before, or the event has been seen.
	Known Result = "known"
	// Forwarded: it is about no code of the bridge's. Twilio Verify is told of the phone, and knows
	// whether it texted a code there.
	Forwarded Result = "forwarded"
	// Unmatched: it is about no code that is known, and Twilio Verify cannot be told.
	Unmatched Result = "unmatched"
	// Other: the event is not about a code.
	Other Result = "other"
)

// TakeEvent takes feedback that a stream delivered as the event id. A stream delivers an event at
// least once: the second time TakeEvent returns Known and does nothing. An event without an id, or
// with one that cannot be kept, is taken each time.
func TakeEvent(
	ctx context.Context, tx *store.Tx, t *tenant.Tenant, id string, f Feedback,
) (Result, error) {
	if id = kept(id, maxEventID); id != "" {
		n, err := tx.AddSeen(ctx, db.AddSeenParams{
			Source: sourceStream, Tenant: t.Slug, ID: id, At: tx.Moment(),
		})
		if err != nil || n == 0 {
			return Known, err
		}
	}
	return TakeFeedback(ctx, tx, t, f)
}

// TakeFeedback approves the verification that feedback is about. Feedback about no verification of
// the bridge's is forwarded to Twilio Verify if the tenant's settings allow that.
func TakeFeedback(
	ctx context.Context, tx *store.Tx, t *tenant.Tenant, f Feedback,
) (Result, error) {
	v, err := codeOf(ctx, tx, t, f)
	switch {
	case err != nil && !errors.Is(err, verification.ErrUnknown):
		return "", err
	case err != nil && f.Phone != (phonemail.Number{}) && canForward(t):
		id, err := verification.ReportPhone(ctx, tx, t.Slug, f.Phone)
		if err != nil {
			return "", err
		}
		return Forwarded, tx.Record(ctx, t.Slug, id, "auth0.forwarded", f.Source)
	case err == nil && v.State == verification.Approved:
		return Known, nil
	case err == nil && v.State == verification.Pending:
		_, err := verification.Approve(ctx, tx, t.Slug, v.ID, f.Source)
		if errors.Is(err, verification.ErrGone) { // another replica ended it at this very moment
			return Known, nil
		}
		return Matched, err
	}
	return Unmatched, tx.Record(ctx, t.Slug, "", "auth0.unmatched", f.Source)
}

// canForward reports whether Twilio Verify can be told about codes that the bridge did not have
// texted. It cannot where Verify compares codes for the bridge: Verify might take the report for
// one of those codes, and that code would count no more.
func canForward(t *tenant.Tenant) bool {
	return slices.Contains(t.Sending.Providers, tenant.ByVerify) && !t.Sending.VerifyService.OwnCode
}

// codeOf returns the verification of the last code that the bridge texted for Auth0's user, or else
// to the phone. It returns verification.ErrUnknown when there is none of the last hour.
func codeOf(
	ctx context.Context, tx *store.Tx, t *tenant.Tenant, f Feedback,
) (verification.Verification, error) {
	since := tx.Now().Add(-feedbackSince)
	if user := kept(f.UserID, maxUserID); user != "" {
		last, err := tx.LastAuth0Code(ctx, db.LastAuth0CodeParams{
			Tenant: t.Slug, UserID: user, Since: moment.Of(since),
		})
		if err == nil {
			return verification.Get(ctx, tx, t.Slug, last.VerificationID)
		}
		if !errors.Is(err, sql.ErrNoRows) {
			return verification.Verification{}, err
		}
	}
	v, err := verification.ByExternalID(ctx, tx, t.Slug, doorPhone, f.Phone.E164())
	if err == nil && v.Opened.Before(since) {
		err = verification.ErrUnknown
	}
	return v, err
}

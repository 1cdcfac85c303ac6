package verification

import (
	"context"
	"database/sql"
	"errors"

	"smsbridge/internal/store"
	"smsbridge/internal/store/db"
	"smsbridge/internal/text"
)

// This file ends verifications whose code does not reach its phone.

// Reason is why a verification failed. The words are part of the API.
type Reason = db.VerificationReason

// The reasons.
const (
	NumberInvalid     Reason = "number_invalid"     // the number is none
	NumberUnreachable Reason = "number_unreachable" // a number that gets no texts from here
	OptedOut          Reason = "opted_out"          // the phone said STOP
	// no text goes there, or the provider suspects fraud
	NotPermitted    Reason = "not_permitted"
	ProviderRefused Reason = "provider_refused" // any other refusal
	NotConfigured   Reason = "not_configured"   // the tenant has no provider for it any more
)

// Fail ends a pending verification for good, because a provider will never send a text of it. It
// does nothing while another text may reach the phone with the code that counts, or has: then the
// person may have the code. It does nothing either when the verification has ended or is unknown.
func Fail(ctx context.Context, tx *store.Tx, id string, reason Reason) error {
	row, err := tx.GetVerification(ctx, id)
	if errors.Is(err, sql.ErrNoRows) {
		return nil
	}
	if err != nil || read(row, tx.Now()).State != Pending {
		return err
	}
	since := row.OpenedAt
	if row.Renew > 0 { // earlier texts said other codes, which count no more
		since = row.SentAt
	}
	n, err := tx.CountTextsOfVerification(ctx, db.CountTextsOfVerificationParams{
		VerificationID: id, Since: since,
	})
	if err != nil || n > 0 {
		return err
	}
	return fail(ctx, tx, row, reason)
}

// fail ends a verification, unless it ended or was texted again since the row was read.
func fail(ctx context.Context, tx *store.Tx, row db.Verification, reason Reason) error {
	row, err := tx.FailVerification(ctx, db.FailVerificationParams{
		ID: row.ID, Reason: reason, Sends: row.Sends, EndedAt: tx.Moment(),
	})
	if errors.Is(err, sql.ErrNoRows) {
		return nil
	}
	if err != nil {
		return err
	}
	return settle(ctx, tx, row, string(reason))
}

// FailOptedOut ends the verification of a text that was not sent because its phone opted out, and
// does nothing for any other text.
func FailOptedOut(ctx context.Context, tx *store.Tx, textID string) error {
	row, err := tx.GetText(ctx, textID)
	if errors.Is(err, sql.ErrNoRows) {
		return nil
	}
	unsent := row.State == text.Suppressed && row.Error == text.OptedOutReason
	if err != nil || !unsent || row.VerificationID == "" {
		return err
	}
	return Fail(ctx, tx, row.VerificationID, OptedOut)
}

// FailLost ends the verification of a text that the bridge gave up before it knew of a provider
// that has it. It does nothing for a text that says no code.
func FailLost(ctx context.Context, tx *store.Tx, textID string) error {
	row, err := tx.GetText(ctx, textID)
	if errors.Is(err, sql.ErrNoRows) {
		return nil
	}
	if err != nil || row.State != text.Failed || row.VerificationID == "" {
		return err
	}
	return Fail(ctx, tx, row.VerificationID, ProviderRefused)
}

// TakeReceipt is text.TakeReceipt for a text that may say a code. A provider that took the text and
// now reports that it could not send it has refused it for good, and the verification fails. That
// is how Twilio refuses what a Messaging Service sends. Other receipts only show in the delivery.
func TakeReceipt(ctx context.Context, tx *store.Tx, r text.Receipt) (text.Moved, error) {
	moved, err := text.TakeReceipt(ctx, tx, r)
	if err == nil && moved.State == text.Failed {
		err = failRefused(ctx, tx, moved)
	}
	return moved, err
}

// failRefused ends the verification of a text that its provider could not send after all.
func failRefused(ctx context.Context, tx *store.Tx, moved text.Moved) error {
	row, err := tx.GetText(ctx, moved.TextID)
	if err != nil || row.VerificationID == "" {
		return err
	}
	return Fail(ctx, tx, row.VerificationID, TwilioReason(moved.Code))
}

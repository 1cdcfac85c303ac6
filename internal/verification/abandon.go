package verification

import (
	"context"

	"smsbridge/internal/store"
)

// Abandon ends a check about which Twilio Verify could not be asked: nothing is known of the code,
// so it counts as wrong, and Verify's verification as over. An answered check stays as it is.
func Abandon(ctx context.Context, tx *store.Tx, checkID string) error {
	check, err := tx.GetCodeCheck(ctx, checkID)
	if store.Missing(err) {
		return nil
	}
	if err != nil {
		return err
	}
	return Answer(ctx, tx, Comparison{ID: check.ID, VerificationID: check.VerificationID}, Over)
}

package text

import (
	"context"
	"errors"

	"smsbridge/internal/store"
	"smsbridge/internal/store/db"
)

// Receipt is the provider's report on a text.
type Receipt struct {
	TextID     string // ours, which the callback URL carries
	Account    string // the account whose signature the report bears
	ProviderID string
	Status     string // Twilio's MessageStatus
	Code       string // Twilio's ErrorCode, "" for none
}

// twilioStates says what Twilio's words for a text's progress mean here
// (https://www.twilio.com/docs/messaging/api/message-resource#message-status-values).
func twilioState(status string) (State, bool) {
	switch status {
	case "accepted", "scheduled", "queued", "sending", "sent":
		return Sent, true
	case "delivered", "read":
		return Delivered, true
	case "undelivered":
		return Undelivered, true
	case "failed", "canceled":
		return Failed, true
	}
	return "", false
}

// rank orders the states; a receipt only moves a text to a higher one, because receipts arrive in any order and more than once.
func rank(s State) int {
	switch s {
	case Due, Sending, Unclear:
		return 0
	case Sent:
		return 1
	}
	return 2
}

// TakeReceipt moves a text forward by the provider's report. A report for an unknown text, of another account, with an unknown status or older
// than what is known changes nothing and is no error: the provider could not mend it by trying again.
func TakeReceipt(ctx context.Context, tx *store.Tx, r Receipt) error {
	row, err := get(ctx, tx, r.TextID)
	if errors.Is(err, ErrUnknown) {
		return nil
	}
	if err != nil {
		return err
	}
	state, known := twilioState(r.Status)
	if !known || row.Account != r.Account || (row.ProviderID != "" && row.ProviderID != r.ProviderID) {
		return nil
	}
	if rank(state) <= rank(State(row.State)) {
		return nil
	}
	if row.ProviderID == "" {
		claimed, err := Claimed(ctx, tx, r.Account, r.ProviderID)
		if err != nil || claimed {
			return err
		}
		if _, err := tx.SetTextProvider(ctx, db.SetTextProviderParams{ID: row.ID, ProviderID: r.ProviderID}); err != nil {
			return err
		}
	}
	if state == Sent {
		n, err := tx.SetTextSent(ctx, db.SetTextSentParams{ID: row.ID, ProviderID: r.ProviderID})
		if err != nil || n == 0 {
			return err
		}
		return record(ctx, tx, row.Tenant, row.ID, Sent, row.Purpose)
	}
	return end(ctx, tx, row, state, r.Code)
}

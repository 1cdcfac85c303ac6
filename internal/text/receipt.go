package text

import (
	"context"
	"errors"

	"smsbridge/internal/store"
	"smsbridge/internal/store/db"
	"smsbridge/phonemail"
)

// Receipt is the provider's report on a text.
type Receipt struct {
	TextID     string // ours, which the callback URL carries
	Account    string // the account whose signature the report bears
	ProviderID string
	State      State  // how far the text has come, "" for a word that its door does not know
	Code       string // the provider's code for an error, "" for none
}

// TwilioState is the state that Twilio's word for a text's progress means, "" for an unknown word
// (https://www.twilio.com/docs/messaging/api/message-resource#message-status-values).
func TwilioState(status string) State {
	switch status {
	case "accepted", "scheduled", "queued", "sending", "sent":
		return Sent
	case "delivered", "read":
		return Delivered
	case "undelivered":
		return Undelivered
	case "failed", "canceled":
		return Failed
	}
	return ""
}

// rank orders the states; a receipt only moves a text to a higher one, because receipts arrive in
// any order and more than once. Of two reports on the end the better one holds. A text that the
// bridge suppressed was not sent.
func rank(s State) int {
	switch s {
	case Due, Sending, Unclear:
		return 0
	case Sent:
		return 1
	case Failed:
		return 2
	case Undelivered:
		return 3
	case Delivered:
		return 4
	}
	return 5
}

// receiptTries is how often a receipt may lose a race against the API's response or another
// receipt. The text comes further each time, so more tries cannot be needed.
const receiptTries = 6

// TakeReceipt moves a text forward by the provider's report. A report changes nothing when it is
// for an unknown text, of another account or provider id, or older than what is known. The same
// holds for a report with an unknown state. None of these is an error, because a retry of the
// provider could not mend it. TakeReceipt returns where the text was moved to.
func TakeReceipt(ctx context.Context, tx *store.Tx, r Receipt) (Moved, error) {
	if r.State == "" || r.ProviderID == "" || !store.IsText(r.TextID) {
		return Moved{}, nil
	}
	for range receiptTries {
		moved, done, err := r.move(ctx, tx)
		if errors.Is(err, ErrUnknown) {
			return Moved{}, nil
		}
		if err != nil || done {
			return moved, err
		}
	}
	return Moved{}, errors.New("text: a receipt lost every race")
}

// Moved is a text that a receipt moved, the zero value when it changed nothing.
type Moved struct {
	TextID, Tenant, Case string
	Line                 phonemail.Line
	Phone                phonemail.Number
	Purpose              Purpose
	State                State
	Code                 string // the provider's code for an error, "" for none
}

// move moves the text to the receipt's state. It reports false when another worker or receipt moved
// it in between.
func (r Receipt) move(ctx context.Context, tx *store.Tx) (m Moved, done bool, err error) {
	// Asked before the row is read, so that a claim of the row's own shows in the row.
	claimed, err := Claimed(ctx, tx, r.Account, r.ProviderID)
	if err != nil {
		return m, false, err
	}
	row, err := get(ctx, tx, r.TextID)
	switch {
	case err != nil:
		return m, false, err
	case row.Account != r.Account, rank(r.State) <= rank(row.State):
		return m, true, nil
	case row.State == Due && row.SendingAt.IsZero():
		return m, true, nil // no worker has asked the provider for it
	case row.ProviderID == "" && claimed, row.ProviderID != "" && row.ProviderID != r.ProviderID:
		return m, true, nil // another text's
	case row.ProviderID == "":
		taken := db.SetTextProviderIDParams{ID: row.ID, ProviderID: r.ProviderID}
		n, err := tx.SetTextProviderID(ctx, taken)
		if err != nil || n == 0 {
			return m, false, err
		}
	}
	if r.State == Sent {
		done, err = resumeSent(ctx, tx, row, r.ProviderID)
	} else {
		done, err = end(ctx, tx, row, r.State, r.Code)
	}
	if done && err == nil {
		line := phonemail.Line{Account: row.Account, Sender: row.Sender}
		m = Moved{
			row.ID, row.Tenant, CaseOf(row), line, row.Phone, row.Purpose, r.State, r.Code,
		}
	}
	return m, done, err
}

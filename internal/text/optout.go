package text

import (
	"context"

	"smsbridge/internal/store"
	"smsbridge/internal/store/db"
	"smsbridge/phonemail"
)

// OptOut records that a phone must not be texted from a line any more: it said STOP, or the
// provider says that it did (Twilio's error 21610).
func OptOut(ctx context.Context, tx *store.Tx, l phonemail.Line, phone phonemail.Number) error {
	_, err := tx.SetOptOut(ctx, db.SetOptOutParams{
		Account: l.Account, Sender: l.Sender, Phone: phone, Since: tx.Moment(),
	})
	return err
}

// OptIn undoes OptOut: the phone said START, UNSTOP or YES, which are Twilio's opt-in words
// (https://help.twilio.com/articles/223134027).
func OptIn(ctx context.Context, tx *store.Tx, l phonemail.Line, phone phonemail.Number) error {
	_, err := tx.ClearOptOut(ctx, db.ClearOptOutParams{
		Account: l.Account, Sender: l.Sender, Phone: phone,
	})
	return err
}

// OptedOut reports whether a phone must not be texted from a line.
func OptedOut(ctx context.Context, tx store.View, l phonemail.Line, phone phonemail.Number) (bool,
	error) {
	n, err := tx.CountOptOut(ctx, db.CountOptOutParams{
		Account: l.Account, Sender: l.Sender, Phone: phone,
	})
	return n > 0, err
}

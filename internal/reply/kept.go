package reply

import (
	"context"
	"time"

	"smsbridge/internal/store"
	"smsbridge/phonemail"
)

// Kept is what is remembered of a reply: who texted which line, and when.
type Kept struct {
	Line  phonemail.Line
	Phone phonemail.Number
	At    time.Time // when the provider delivered it
}

// Find returns a reply. The second result is false when there is none with that id.
func Find(ctx context.Context, tx store.View, id string) (Kept, bool, error) {
	row, err := tx.GetReply(ctx, id)
	if store.Missing(err) {
		return Kept{}, false, nil
	}
	if err != nil {
		return Kept{}, false, err
	}
	line := phonemail.Line{Account: row.Account, Sender: row.Sender}
	return Kept{line, row.Phone, row.ReceivedAt.Time}, true, nil
}

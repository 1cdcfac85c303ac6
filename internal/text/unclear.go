package text

import (
	"context"
	"time"

	"smsbridge/internal/store"
	"smsbridge/internal/store/db"
	"smsbridge/internal/store/moment"
)

// FindText is the job that looks an unclear text up at the provider.
type FindText struct {
	ID string `json:"id"`
}

// Kind names the job in the queue.
func (FindText) Kind() string { return "find_text" }

// LoseSight records that it is unclear whether the provider took the text of an attempt, and has it
// looked up. It returns ErrMoved when the text has been begun again since.
func LoseSight(ctx context.Context, tx *store.Tx, a Attempt) error {
	row, err := ofAttempt(ctx, tx, a)
	if err != nil {
		return err
	}
	return loseSight(ctx, tx, row)
}

func loseSight(ctx context.Context, tx *store.Tx, row db.Text) error {
	n, err := tx.SetTextUnclear(ctx, db.SetTextUnclearParams{ID: row.ID, SendingAt: row.SendingAt})
	if err != nil || n == 0 {
		return err
	}
	tx.EnqueueAt(FindText{row.ID}, tx.Now().Add(Quarantine/6))
	return record(ctx, tx, row, Unclear, string(row.Purpose))
}

// LoseSightSince does what LoseSight does for the texts whose sending began before a time and did
// not end: their workers are dead. It takes the oldest first, at most a number of them, and returns
// how many it found.
func LoseSightSince(ctx context.Context, tx *store.Tx, before time.Time, most int) (int, error) {
	ids, err := tx.TextsSendingSince(ctx, db.TextsSendingSinceParams{
		Before: moment.Of(before), Most: int32(most),
	})
	if err != nil {
		return 0, err
	}
	for _, id := range ids {
		row, err := get(ctx, tx, id)
		if err == nil {
			err = loseSight(ctx, tx, row)
		}
		if err != nil {
			return 0, err
		}
	}
	return len(ids), nil
}

// Find returns an unclear text, to be looked up at the provider. The second result is false when
// it is no longer unclear.
func Find(ctx context.Context, tx store.View, id string) (Attempt, bool, error) {
	row, err := get(ctx, tx, id)
	if err != nil || row.State != Unclear {
		return Attempt{}, false, err
	}
	a, err := attempt(tx, row)
	return a, err == nil, err
}

// Claimed reports whether the provider's id belongs to a text of ours already.
func Claimed(ctx context.Context, tx store.View, account, providerID string) (bool, error) {
	n, err := tx.CountTextsWithProviderID(ctx, db.CountTextsWithProviderIDParams{
		Account: account, ProviderID: providerID,
	})
	return n > 0, err
}

package limit

import (
	"context"

	"smsbridge/internal/store"
	"smsbridge/internal/store/db"
	"smsbridge/internal/store/moment"
	"smsbridge/phonemail"
)

// Answer counts that a phone gave a right code. That ends its wait. A yes is counted with the text
// that tells what came of it.
func Answer(
	ctx context.Context, tx *store.Tx, slug, account string, phone phonemail.Number,
) error {
	now := tx.Moment()
	thisHour := moment.Of(now.Truncate(hour))
	ledgerOf(tx).add([]db.TallyParams{
		{Key: routeKey(slug, phone.Country()), WindowAt: thisHour, Answered: 1},
		{Key: phoneKey(tx, account, phone), WindowAt: thisHour, YesAt: now},
	})
	return nil
}

// widest adds nothing to the row of all texts. It locks it.
func widest(now moment.Moment) db.TallyParams {
	return db.TallyParams{Key: keyAll, WindowAt: moment.Of(now.Truncate(day))}
}

// Forget deletes what was counted of a phone for the accounts, and returns how many rows. An
// operator asks for this and no caller can, so that none gets more texts by it.
func Forget(
	ctx context.Context, tx *store.Tx, accounts []string, phone phonemail.Number,
) (gone int64, err error) {
	for _, account := range accounts {
		n, err := tx.DropTally(ctx, phoneKey(tx, account, phone))
		if err != nil {
			return 0, err
		}
		gone += n
	}
	return gone, nil
}

// Silence is a question or code that went unanswered.
type Silence struct {
	Tenant string
	Phone  phonemail.Number
}

// CountSilence counts what went unanswered.
func CountSilence(ctx context.Context, tx *store.Tx, all []Silence) error {
	thisHour, l := moment.Of(tx.Moment().Truncate(hour)), ledgerOf(tx)
	for _, s := range all {
		l.add([]db.TallyParams{{
			Key: routeKey(s.Tenant, s.Phone.Country()), WindowAt: thisHour, Unanswered: 1,
		}})
	}
	return nil
}

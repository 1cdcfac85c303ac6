package limit

import (
	"cmp"
	"context"
	"maps"
	"slices"

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
	_, err := add(ctx, tx, []db.TallyParams{
		widest(now),
		{Key: routeKey(slug, phone.Country()), WindowAt: thisHour, Answered: 1},
		{Key: phoneKey(tx, account, phone), WindowAt: thisHour, YesAt: now},
	})
	return err
}

// widest adds nothing to the row of all texts. It locks it, as every count does first.
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

// routesAtOnce is how many countries one statement counts in.
const routesAtOnce = 7

// CountSilence counts what went unanswered.
func CountSilence(ctx context.Context, tx *store.Tx, all []Silence) error {
	silent := map[string]int64{}
	for _, s := range all {
		silent[routeKey(s.Tenant, s.Phone.Country())]++
	}
	now := tx.Moment()
	keys := slices.SortedFunc(maps.Keys(silent), cmp.Compare)
	for some := range slices.Chunk(keys, routesAtOnce) {
		rows := []db.TallyParams{widest(now)}
		for _, key := range some {
			rows = append(rows, db.TallyParams{
				Key: key, WindowAt: moment.Of(now.Truncate(hour)), Unanswered: silent[key],
			})
		}
		if _, err := add(ctx, tx, rows); err != nil {
			return err
		}
	}
	return nil
}

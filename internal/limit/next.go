package limit

import (
	"context"
	"time"

	"smsbridge/internal/store"
	"smsbridge/internal/store/db"
	"smsbridge/internal/tenant"
	"smsbridge/phonemail"
)

// Next is the earliest time at which a phone's own limits let a text to it ask something, if it
// gets no other text before. It is the zero time when they let it now. Limits that others use up,
// too, such as those of a country, may refuse it all the same.
func Next(
	ctx context.Context, view store.View, t *tenant.Tenant, account string, phone phonemail.Number,
) (next time.Time, err error) {
	row, err := rowOf(ctx, view, phoneKey(view, account, phone))
	if err != nil {
		return time.Time{}, err
	}
	c := count{Text: Text{Tenant: t}, now: view.Moment()}
	for _, until := range c.waits(stamps(row.Recent), row.YesAt.Time) {
		if c.now.Before(until) && until.After(next) {
			next = until
		}
	}
	return next, nil
}

// rowOf is a row with what the transaction has counted in it.
func rowOf(ctx context.Context, view store.View, key string) (db.Tally, error) {
	if tx, writes := view.(*store.Tx); writes {
		l := ledgerOf(tx)
		err := l.load(ctx, tx, []db.TallyParams{{Key: key}})
		return l.now[key], err
	}
	row, err := view.GetTally(ctx, key)
	if store.Missing(err) {
		err = nil
	}
	return row, err
}

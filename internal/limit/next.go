package limit

import (
	"context"
	"time"

	"smsbridge/internal/store"
	"smsbridge/internal/tenant"
	"smsbridge/phonemail"
)

// Next is the earliest time at which a phone's own limits let a text to it ask something, if it
// gets no other text before. It is the zero time when they let it now. Limits that others use up,
// too, such as those of a country, may refuse it all the same.
func Next(
	ctx context.Context, view store.View, t *tenant.Tenant, account string, phone phonemail.Number,
) (next time.Time, err error) {
	row, err := view.GetTally(ctx, phoneKey(view, account, phone))
	if store.Missing(err) {
		return time.Time{}, nil
	}
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

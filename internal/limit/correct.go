package limit

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"time"

	"smsbridge/internal/price"
	"smsbridge/internal/store"
	"smsbridge/internal/store/db"
	"smsbridge/internal/store/moment"
)

// Charge is a text of which the budgets were charged one price, and which cost another.
type Charge struct {
	Tenant, Provider, Country string
	At                        time.Time // when it was counted
	Charged                   price.Micro
	ChargedSegments           int
	Told                      price.Told
	Segments                  int         // what it had, by its provider
	Table                     price.Micro // of a segment
}

// difference is what a row of a day must be corrected by.
type difference struct{ segments, money int64 }

// Correct has the budgets of the day say what texts really cost. What is not in dollars corrects
// no money. Once for each country and day, an operator is told of a price that is far from the
// table's. The same goes for each currency but dollars.
func Correct(ctx context.Context, tx *store.Tx, charges []Charge) error {
	today := tx.Moment().Truncate(day)
	differences, said := map[string]difference{}, map[string]string{}
	for _, c := range charges {
		if key, detail := c.worthSaying(); key != "" && said[key] == "" {
			said[key] = detail
		}
		d := difference{segments: int64(c.Segments - c.ChargedSegments)}
		if c.Told.Currency == price.USD {
			d.money = int64(c.Told.Amount - c.Charged)
		}
		if c.At.Before(today) {
			continue // that day's budget is over
		}
		for _, key := range []string{keyAll, tenantKey(c.Tenant)} {
			sum := differences[key]
			differences[key] = difference{sum.segments + d.segments, sum.money + d.money}
		}
	}
	if err := say(ctx, tx, said); err != nil {
		return err
	}
	// The row of all texts sorts before those of tenants, so that it is locked first.
	for _, key := range slices.Sorted(maps.Keys(differences)) {
		d := differences[key]
		if d == (difference{}) {
			continue
		}
		err := tx.CorrectTally(ctx, db.CorrectTallyParams{
			Key: key, WindowAt: moment.Of(today), Segments: d.segments, Money: d.money,
		})
		if err != nil {
			return fmt.Errorf("limit: correcting: %w", err)
		}
	}
	return nil
}

// worthSaying returns what an operator should know about a price, under a key for what is said once
// in a day.
func (c Charge) worthSaying() (key, detail string) {
	if c.Told.Currency != price.USD {
		return "price/" + c.Told.Currency, fmt.Sprintf(
			"%s bills in %s: such prices correct no budget in dollars", c.Provider, c.Told.Currency)
	}
	segment := c.Told.Amount / price.Micro(max(c.Segments, 1))
	if c.Country == "" || !price.Far(segment, c.Table) {
		return "", ""
	}
	return "price/" + c.Country, fmt.Sprintf("a segment to %s cost %s dollars at %s, and %s by the "+
		"table of prices", c.Country, segment, c.Provider, c.Table)
}

// say tells an operator what was not said yet on this day.
func say(ctx context.Context, tx *store.Tx, said map[string]string) error {
	keys := slices.Sorted(maps.Keys(said))
	for some := range slices.Chunk(keys, routesAtOnce) {
		rows := []db.TallyParams{widest(tx.Moment())}
		for _, key := range some {
			rows = append(rows, db.TallyParams{
				Key: key, WindowAt: moment.Of(tx.Moment().Truncate(day)), Texts: 1,
			})
		}
		now, err := add(ctx, tx, rows)
		if err != nil {
			return err
		}
		for _, key := range some {
			if now[key].Texts != 1 {
				continue
			}
			if err := tell(ctx, tx, "", "limit.price", said[key]); err != nil {
				return err
			}
		}
	}
	return nil
}

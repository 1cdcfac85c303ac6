package limit

import (
	"context"
	"fmt"
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
func Correct(_ context.Context, tx *store.Tx, charges []Charge) error {
	today, l := tx.Moment().Truncate(day), ledgerOf(tx)
	if l.fixes == nil {
		l.fixes, l.said = map[string]difference{}, map[string]string{}
	}
	for _, c := range charges {
		if key, detail := c.worthSaying(); key != "" && l.said[key] == "" {
			l.said[key] = detail
			l.add([]db.TallyParams{{Key: key, WindowAt: moment.Of(today), Texts: 1}})
		}
		d := difference{segments: int64(c.Segments - c.ChargedSegments)}
		if c.Told.Currency == price.USD {
			d.money = int64(c.Told.Amount - c.Charged)
		}
		if d == (difference{}) || c.At.Before(today) {
			continue // that day's budget is over
		}
		for _, key := range []string{keyAll, tenantKey(c.Tenant)} {
			sum := l.fixes[key]
			l.fixes[key] = difference{sum.segments + d.segments, sum.money + d.money}
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

package text

import (
	"cmp"
	"context"
	"maps"
	"slices"
	"time"

	"smsbridge/internal/price"
	"smsbridge/internal/store"
	"smsbridge/internal/store/db"
)

// usedAtOnce is how many texts are read at once. No transaction of a flow waits behind a read.
const usedAtOnce = 2000

// Usage is what the texts of one tenant to one country used on one day.
type Usage struct {
	Day     string `json:"day"` // as 2026-11-27, UTC
	Tenant  string `json:"tenant"`
	Country string `json:"country"` // ISO 3166-1; "" when the retention has erased the numbers

	Sent        int64 `json:"sent"` // a provider has them, or may have; the next two are of these
	Delivered   int64 `json:"delivered"`
	Undelivered int64 `json:"undelivered"`
	Suppressed  int64 `json:"suppressed"` // a limit, an opt-out or a hold kept them back
	Failed      int64 `json:"failed"`     // no provider took them
	Segments    int64 `json:"segments"`   // of the sent ones

	// Charged is what the budgets were charged, in millionths of a dollar.
	Charged price.Micro `json:"charged_micro_usd"`
	// Told is what providers said that texts cost, by currency and in millionths.
	Told map[string]price.Micro `json:"told_micro"`
}

// Used returns what the texts made from one time to before another used, ordered by day, tenant and
// country. The numbers are read and not returned. It reads the texts of that span, by their ids.
func Used(ctx context.Context, view store.View, from, before time.Time) ([]Usage, error) {
	type place struct{ day, tenant, country string }
	found := map[place]*Usage{}
	after, end := store.FirstID(from), store.FirstID(before)
	for {
		rows, err := view.TextsUsed(ctx, db.TextsUsedParams{
			AfterID: after, BeforeID: end, Most: usedAtOnce,
		})
		if err != nil {
			return nil, err
		}
		for _, r := range rows {
			at := place{r.CreatedAt.UTC().Format(time.DateOnly), r.Tenant, r.Phone.Country()}
			if found[at] == nil {
				found[at] = &Usage{
					Day: at.day, Tenant: at.tenant, Country: at.country, Told: map[string]price.Micro{},
				}
			}
			found[at].count(r)
		}
		if len(rows) < usedAtOnce {
			break
		}
		after = rows[len(rows)-1].ID
	}
	all := make([]Usage, 0, len(found))
	for _, u := range found {
		all = append(all, *u)
	}
	slices.SortFunc(all, func(a, b Usage) int {
		return cmp.Or(cmp.Compare(a.Day, b.Day), cmp.Compare(a.Tenant, b.Tenant),
			cmp.Compare(a.Country, b.Country))
	})
	return all, nil
}

// UsedLately is Used of today and the days before it, as many in all (UTC).
func UsedLately(ctx context.Context, view store.View, days int) ([]Usage, error) {
	tomorrow := view.Now().UTC().Truncate(24*time.Hour).AddDate(0, 0, 1)
	return Used(ctx, view, tomorrow.AddDate(0, 0, -days), tomorrow)
}

// count adds a text. One that is due or on its way to a provider counts only in what is charged.
func (u *Usage) count(r db.TextsUsedRow) {
	switch r.State {
	case Suppressed:
		u.Suppressed++
	case Failed:
		u.Failed++
	case Sent, Delivered, Undelivered, Unclear:
		u.Sent++
		u.Segments += r.Segments
		if r.State == Delivered {
			u.Delivered++
		}
		if r.State == Undelivered {
			u.Undelivered++
		}
	}
	u.Charged += price.Micro(max(r.Charged, 0))
	if r.Currency != "" {
		u.Told[r.Currency] += price.Micro(r.Price)
	}
}

// Sum adds up usages, as one line about all of them.
func Sum(all []Usage) Usage {
	sum := Usage{Told: map[string]price.Micro{}}
	for _, u := range all {
		sum.Sent += u.Sent
		sum.Delivered += u.Delivered
		sum.Undelivered += u.Undelivered
		sum.Suppressed += u.Suppressed
		sum.Failed += u.Failed
		sum.Segments += u.Segments
		sum.Charged += u.Charged
		for currency, amount := range u.Told {
			sum.Told[currency] += amount
		}
	}
	return sum
}

// Currencies are those in which providers said prices, in order.
func (u Usage) Currencies() []string { return slices.Sorted(maps.Keys(u.Told)) }

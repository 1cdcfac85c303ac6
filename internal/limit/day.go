package limit

import (
	"context"
	"slices"

	"smsbridge/internal/price"
	"smsbridge/internal/store"
	"smsbridge/internal/store/db"
	"smsbridge/internal/tenant"
)

// Day is what a tenant has used today of its budget, or what all tenants together have.
type Day struct {
	Tenant         string // "" for all together
	Segments, Most int64  // Most is 0 when there is no such limit
	Money, Budget  price.Micro
}

// keysAtOnce is how many rows one query reads.
const keysAtOnce = 8

// Days returns what is used of each budget of the day: that of all tenants first.
func Days(
	ctx context.Context, view store.View, tenants []*tenant.Tenant,
) (days []Day, err error) {
	keys := budgetKeys(tenants)
	for i, t := range tenants {
		if i == 0 {
			most := t.Limits.ProcessDay
			days = append(days, Day{Most: int64(most.Segments), Budget: most.Money})
		}
		days = append(days, Day{
			Tenant: t.Slug, Most: int64(t.Limits.Day.Segments), Budget: t.Limits.Day.Money,
		})
	}
	rows, err := rowsOf(ctx, view, keys)
	if err != nil {
		return nil, err
	}
	for i := range days {
		row := rows[keys[i]]
		if !row.WindowAt.Before(view.Moment().Truncate(day)) {
			days[i].Segments, days[i].Money = row.Segments, price.Micro(row.Money)
		}
	}
	return days, nil
}

// budgetKeys are the keys of the rows that count against budgets of the day, in the order of Days.
func budgetKeys(tenants []*tenant.Tenant) []string {
	keys := []string{keyAll}
	for _, t := range tenants {
		keys = append(keys, tenantKey(t.Slug))
	}
	return keys
}

// rowsOf returns the rows with some keys, by their keys.
func rowsOf(ctx context.Context, view store.View, keys []string) (map[string]db.Tally, error) {
	rows := map[string]db.Tally{}
	for some := range slices.Chunk(keys, keysAtOnce) {
		k := make([]string, keysAtOnce)
		copy(k, some)
		found, err := view.TalliesOf(ctx, db.TalliesOfParams{
			Key1: k[0], Key2: k[1], Key3: k[2], Key4: k[3], Key5: k[4], Key6: k[5], Key7: k[6],
			Key8: k[7],
		})
		if err != nil {
			return nil, err
		}
		for _, row := range found {
			rows[row.Key] = row
		}
	}
	return rows, nil
}

// Breakers names the routes whose breaker is open, such as route/acme/DK.
func Breakers(ctx context.Context, view store.View) (open []string, err error) {
	rows, err := view.TalliesOpen(ctx)
	for _, row := range rows {
		open = append(open, row.Key)
	}
	return open, err
}

package limit_test

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"smsbridge/internal/limit"
	"smsbridge/internal/price"
	"smsbridge/internal/store"
)

// correct has a text cost an amount of a currency.
func (d *desk) correct(charges ...limit.Charge) {
	d.Helper()
	d.do(func(ctx context.Context, tx *store.Tx) error { return limit.Correct(ctx, tx, charges) })
}

// charge is a text to Denmark that was counted now.
func (d *desk) charge(slug string, told price.Micro) limit.Charge {
	return limit.Charge{
		Tenant: slug, Provider: "twilio", Country: "DK", At: d.at, Charged: 59_200,
		ChargedSegments: 1, Segments: 1, Table: 59_200,
		Told: price.Told{Amount: told, Currency: price.USD},
	}
}

// budget is what the row of a day says.
func (d *desk) budget(key string) (segments, money int64) {
	d.do(func(ctx context.Context, tx *store.Tx) error {
		row, err := tx.GetTally(ctx, key)
		segments, money = row.Segments, row.Money
		return err
	})
	return segments, money
}

// Ensure that corrections reach the budgets of their tenants and of all, and those of their day
// alone.
func TestCorrect(t *testing.T) {
	each(t, func(d *desk) {
		d.at = d.at.Truncate(24 * time.Hour).Add(23 * time.Hour)
		acmes, betas := d.prompt(0), d.prompt(1)
		betas.Tenant.Slug = "beta"
		require.Empty(d, d.count(acmes))
		require.Empty(d, d.count(betas))
		dear := d.charge("acme", 70_000)
		dear.Segments = 2
		d.correct(dear, d.charge("beta", 50_000))
		for key, want := range map[string][2]int64{
			"all": {3, 120_000}, "tenant/acme": {2, 70_000}, "tenant/beta": {1, 50_000},
		} {
			segments, money := d.budget(key)
			require.Equal(d, want, [2]int64{segments, money}, key)
		}
		late := d.charge("acme", 50_000)
		d.at = d.at.Add(2 * time.Hour)
		d.correct(late)
		_, money := d.budget("all")
		require.EqualValues(d, 120_000, money, "the row is still of the day before")
		require.Empty(d, d.count(d.prompt(2)))
		d.correct(late)
		_, money = d.budget("all")
		require.EqualValues(d, 59_200, money)
		_, money = d.budget("tenant/acme")
		require.EqualValues(d, 59_200, money)
	})
}

// Ensure that a correction counts for the budget: dear texts end it early, cheap ones give room.
func TestCorrectedBudget(t *testing.T) {
	each(t, func(d *desk) {
		text := func(n int) limit.Text {
			p := d.prompt(n)
			p.Tenant.Limits.Day.Money = price.Dollar
			return p
		}
		require.Empty(d, d.count(text(0)))
		d.correct(d.charge("acme", price.Dollar))
		require.Equal(d, limit.NoMoney, d.count(text(1)))
		dear := d.charge("acme", 100_000)
		dear.Charged = price.Dollar
		d.correct(dear)
		require.Empty(d, d.count(text(1)))
	})
}

// Ensure that an operator hears once a day of each country whose prices are far from the table's.
// The same goes for each currency that is not dollars.
func TestFarPrices(t *testing.T) {
	each(t, func(d *desk) {
		euros := d.charge("acme", 59_200)
		euros.Told.Currency = "EUR"
		sweden := d.charge("acme", 900_000)
		sweden.Country = "SE"
		day := []limit.Charge{d.charge("acme", 60_000), d.charge("acme", 200_000),
			d.charge("beta", 10_000), sweden, euros, euros}
		first := []string{
			"a segment to DK cost 0.20 dollars at twilio, and 0.0592 by the table of prices",
			"twilio bills in EUR: such prices correct no budget in dollars",
			"a segment to SE cost 0.90 dollars at twilio, and 0.0592 by the table of prices",
		}
		d.correct(day...)
		d.correct(day...)
		require.Equal(d, first, d.events("limit.price"))
		d.at = d.at.Add(24 * time.Hour)
		d.correct(day[2], euros)
		require.Equal(d, append(first,
			"a segment to DK cost 0.01 dollars at twilio, and 0.0592 by the table of prices",
			"twilio bills in EUR: such prices correct no budget in dollars"), d.events("limit.price"))
		gone := day[1]
		gone.Country = ""
		d.correct(gone)
		require.Len(d, d.events("limit.price"), 5, "a phone that was erased has no country")
	})
}

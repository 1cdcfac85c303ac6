package text_test

import (
	"context"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"smsbridge/internal/price"
	"smsbridge/internal/store"
	"smsbridge/internal/text"
)

// sent is a text of a tenant with the shipped prices, to Denmark, which its provider has.
func (b bridge) sent() string {
	b.Helper()
	t := acme()
	t.Limits.Prices = price.Shipped()
	id := b.draft(text.Draft{Tenant: t, Line: line(), Phone: phone(b, "+4520123456"),
		Purpose: text.Prompt, Body: "Reply YES.", Deadline: b.Now().Add(1)})
	b.Exec("UPDATE text SET state = 'sent', provider = 'twilio', provider_id = id WHERE id = $1", id)
	return id
}

// told has the provider say that a text cost as much as by the table, and a bit.
func (b bridge) told(id string) func(ctx context.Context, tx *store.Tx) error {
	row := b.row(id)
	return func(ctx context.Context, tx *store.Tx) error {
		return text.SetPrices(ctx, tx, []text.Priced{{
			Unpriced: text.Unpriced{
				ID: id, Tenant: "acme", Provider: "twilio", Phone: row.Phone, Made: row.CreatedAt.Time,
				Segments: 1, Charged: price.Micro(row.Charged),
			},
			Told:  price.Told{Amount: price.Micro(row.Charged) + 1, Currency: price.USD},
			Table: price.Micro(row.Charged),
		}})
	}
}

func (b bridge) money() []string {
	return b.Strings("SELECT CAST(money AS TEXT) FROM tally WHERE key IN ('all', 'tenant/acme')")
}

// Ensure that a price corrects the budgets once, also when several replicas have it in hand at
// once.
func TestPriceCorrectsOnce(t *testing.T) {
	each(t, func(b bridge) {
		id := b.sent()
		require.EqualValues(b, 400_000, b.row(id).Charged)
		require.Equal(b, []string{"400000", "400000"}, b.money())
		for _, err := range b.AtOnce(slices.Repeat(
			[]func(ctx context.Context, tx *store.Tx) error{b.told(id)}, 20)...) {
			require.NoError(b, err)
		}
		require.Equal(b, []string{"400001", "400001"}, b.money())
		require.EqualValues(b, 400_001, b.row(id).Price)
	})
}

// Ensure that a text which is gone corrects nothing, nor one whose charge is not known.
func TestPriceOfNoText(t *testing.T) {
	each(t, func(b bridge) {
		gone, older := b.sent(), b.sent()
		take := b.told(gone)
		b.Exec("DELETE FROM text WHERE id = $1", gone)
		b.Exec("UPDATE text SET charged = -1 WHERE id = $1", older)
		b.Do(take)
		for _, id := range []string{gone, older} {
			b.Do(func(ctx context.Context, tx *store.Tx) error {
				told := price.Told{Amount: 1, Currency: price.USD}
				return text.SetPrice(ctx, tx, id, "webhook", told, 1)
			})
		}
		require.Equal(b, []string{"800000", "800000"}, b.money())
		require.Empty(b, b.row(older).Currency)
	})
}

// Ensure that a failure of the database leaves neither a price nor a correction.
func TestPriceFails(t *testing.T) {
	each(t, func(b bridge) {
		id := b.sent()
		b.FailEach(b.told(id))
		require.Equal(b, []string{"400001", "400001"}, b.money())
		b.FailEach(func(ctx context.Context, tx *store.Tx) error {
			_, next, err := text.WithoutPrice(ctx, tx, "hour", 0, 10)
			if err != nil {
				return err
			}
			return text.Passed(ctx, tx, "hour", next)
		})
	})
}

// Ensure that a pass does not go back, whatever a slower replica says.
func TestPassGoesOn(t *testing.T) {
	each(t, func(b bridge) {
		for _, next := range []string{"b", "a"} {
			b.Do(func(ctx context.Context, tx *store.Tx) error {
				return text.Passed(ctx, tx, "hour", next)
			})
		}
		require.Equal(b, []string{"b"}, b.Strings("SELECT next_id FROM price_pass"))
	})
}

// Ensure that a pass asks about each text whose price may become known: of its age or older, not
// older than the memory, and not known yet. Where another pass goes on does not matter to it.
func TestWithoutPrice(t *testing.T) {
	each(t, func(b bridge) {
		aged := func(age time.Duration) string {
			id := store.FirstID(b.Now().Add(-age))
			b.Exec("UPDATE text SET id = $1 WHERE id = $2", id, b.sent())
			return id
		}
		oldest, free := aged(text.PriceMemory), aged(3*time.Hour)
		youngest := aged(time.Hour + time.Millisecond)
		b.Exec("UPDATE text SET charged = 0 WHERE id = $1", free)
		aged(text.PriceMemory + time.Millisecond)
		aged(time.Hour)
		for i, known := range []string{"currency = 'USD'", "charged = -1", "provider_id = ''"} {
			id := aged(2*time.Hour + time.Duration(i)*time.Minute)
			b.Exec("UPDATE text SET "+known+" WHERE id = $1", id)
		}
		var ids []string
		b.Do(func(ctx context.Context, tx *store.Tx) error {
			if err := text.Passed(ctx, tx, "day", store.FirstID(b.Now())); err != nil {
				return err
			}
			found, _, err := text.WithoutPrice(ctx, tx, "hour", time.Hour, 10)
			ids = nil
			for _, f := range found {
				ids = append(ids, f.ID)
			}
			return err
		})
		require.Equal(b, []string{oldest, free, youngest}, ids)
	})
}

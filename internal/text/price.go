package text

import (
	"context"
	"errors"
	"time"

	"smsbridge/internal/limit"
	"smsbridge/internal/price"
	"smsbridge/internal/store"
	"smsbridge/internal/store/db"
	"smsbridge/phonemail"
)

// Unpriced is a text that a provider has, and whose price is not known yet.
type Unpriced struct {
	ID, Tenant, Account  string
	Provider, ProviderID string
	Phone                phonemail.Number
	Made                 time.Time
	Segments             int
	Charged              price.Micro // what the budget of the day was charged for it
}

// PriceMemory is for how long the price of a text may become known. After that it is taken to have
// cost what the budget was charged.
const PriceMemory = 24 * time.Hour

// WithoutPrice returns the next texts of a pass that are of an age or older, at most most. It also
// returns where the pass goes on after them.
func WithoutPrice(
	ctx context.Context, view store.View, pass string, age time.Duration, most int,
) (found []Unpriced, next string, err error) {
	from, err := view.GetPricePass(ctx, pass)
	if err != nil && !store.Missing(err) {
		return nil, "", err
	}
	until := store.FirstID(view.Now().Add(-age))
	rows, err := view.TextsWithoutPrice(ctx, db.TextsWithoutPriceParams{
		FirstID:  max(from, store.FirstID(view.Now().Add(-PriceMemory))),
		BeforeID: until, Most: int32(most),
	})
	if err != nil {
		return nil, "", err
	}
	for _, r := range rows {
		found = append(found, Unpriced{
			ID: r.ID, Tenant: r.Tenant, Account: r.Account, Provider: r.Provider,
			ProviderID: r.ProviderID, Phone: r.Phone, Made: r.CreatedAt.Time,
			Segments: int(r.Segments), Charged: price.Micro(r.Charged),
		})
	}
	if len(rows) == most { // ids have one length, so this one sorts right behind the last
		until = rows[most-1].ID + "+"
	}
	return found, until, nil
}

// Passed records where a pass goes on.
func Passed(ctx context.Context, tx *store.Tx, pass, next string) error {
	return tx.SetPricePass(ctx, db.SetPricePassParams{Name: pass, NextID: next})
}

// Priced is a text with what its provider says about its price.
type Priced struct {
	Unpriced
	Told  price.Told
	Table price.Micro // what a segment costs by the table
}

// SetPrices records what texts cost, and corrects the budgets of their day. A text whose price was
// known, or that is gone, changes nothing.
func SetPrices(ctx context.Context, tx *store.Tx, all []Priced) error {
	var charges []limit.Charge
	for _, p := range all {
		segments := p.Segments
		if p.Told.Segments != 0 {
			segments = p.Told.Segments
		}
		n, err := tx.SetTextPrice(ctx, db.SetTextPriceParams{
			ID: p.ID, Price: int64(p.Told.Amount), Currency: p.Told.Currency, Segments: int64(segments),
		})
		if err != nil {
			return err
		}
		if n == 1 {
			charges = append(charges, limit.Charge{
				Tenant: p.Tenant, Provider: p.Provider, Country: p.Phone.Country(), At: p.Made,
				Charged: p.Charged, ChargedSegments: p.Segments,
				Told: p.Told, Segments: segments, Table: p.Table,
			})
		}
	}
	return limit.Correct(ctx, tx, charges)
}

// SetPrice is SetPrices for a text whose provider says the price when it takes it.
func SetPrice(
	ctx context.Context, tx *store.Tx, id, provider string, told price.Told, table price.Micro,
) error {
	row, err := get(ctx, tx, id)
	if errors.Is(err, ErrUnknown) {
		return nil
	}
	if err != nil || row.Charged < 0 {
		return err
	}
	return SetPrices(ctx, tx, []Priced{{
		Unpriced: Unpriced{
			ID: id, Tenant: row.Tenant, Provider: provider, Phone: row.Phone, Made: row.CreatedAt.Time,
			Segments: int(row.Segments), Charged: price.Micro(row.Charged),
		},
		Told: told, Table: table,
	}})
}

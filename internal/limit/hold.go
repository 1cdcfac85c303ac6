package limit

import (
	"context"
	"slices"
	"strings"

	"smsbridge/internal/store"
	"smsbridge/internal/store/db"
	"smsbridge/internal/store/moment"
)

// Scope is what an operator holds: a tenant's texts, those to a country, both, or all.
type Scope struct{ Tenant, Country string } // "" for any

func (s Scope) key() string {
	switch {
	case s.Tenant != "" && s.Country != "":
		return routeKey(s.Tenant, s.Country)
	case s.Tenant != "":
		return tenantKey(s.Tenant)
	case s.Country != "":
		return countryKey(s.Country)
	}
	return keyAll
}

// String names a scope.
func (s Scope) String() string {
	switch {
	case s.Tenant != "" && s.Country != "":
		return "tenant " + s.Tenant + " to " + s.Country
	case s.Tenant != "":
		return "tenant " + s.Tenant
	case s.Country != "":
		return "to " + s.Country
	}
	return "all texts"
}

// scopeOf is the scope of a row's key.
func scopeOf(key string) Scope {
	kind, rest, _ := strings.Cut(key, "/")
	switch kind {
	case "route":
		slug, country, _ := strings.Cut(rest, "/")
		return Scope{slug, country}
	case "tenant":
		return Scope{Tenant: rest}
	case "country":
		return Scope{Country: rest}
	}
	return Scope{}
}

// Holds returns all that operators hold.
func Holds(ctx context.Context, view store.View) (all []Scope, err error) {
	rows, err := view.TalliesHeld(ctx)
	for _, row := range rows {
		all = append(all, scopeOf(row.Key))
	}
	return all, err
}

// Hold has no text of a scope made due or sent from now on, except those that tell what came of an
// answer, until Release. It holds for all replicas from the commit on.
func Hold(ctx context.Context, tx *store.Tx, s Scope) error {
	return set(ctx, tx, s, tx.Moment(), "held")
}

// Release undoes Hold of the same scope.
func Release(ctx context.Context, tx *store.Tx, s Scope) error {
	return set(ctx, tx, s, moment.Moment{}, "released")
}

func set(ctx context.Context, tx *store.Tx, s Scope, at moment.Moment, done string) error {
	_, err := tx.SetHeld(ctx, db.SetHeldParams{Key: s.key(), HeldAt: at})
	if err != nil {
		return err
	}
	return tx.Record(ctx, s.Tenant, store.NewID(), "limit.hold", done+": "+s.String())
}

// IsHeld reports whether an operator holds the texts of a tenant to a country.
func IsHeld(ctx context.Context, view store.View, slug, country string) (bool, error) {
	held, err := view.TalliesHeld(ctx)
	keys := []string{keyAll, countryKey(country), tenantKey(slug), routeKey(slug, country)}
	holds := func(t db.Tally) bool { return slices.Contains(keys, t.Key) }
	return slices.ContainsFunc(held, holds), err
}

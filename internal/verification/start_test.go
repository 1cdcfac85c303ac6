package verification

import (
	"context"
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"smsbridge/internal/store"
)

// Ensure that people behind one address, whose phones Auth0 knows, have a budget each. Those who
// type numbers there have one together.
func TestWhoseBudgetOneAddressSpends(t *testing.T) {
	each(t, func(t *testing.T, b bench) {
		acme := *named("acme")
		acme.Limits.AskerHour = 3
		asks := func(class Class, n int) error {
			r := b.request()
			r.Tenant, r.Door, r.Source, r.Phone = &acme, "auth0", "192.0.2.1", b.Phone()
			r.Asker = AskedBy(class, "login.example", fmt.Sprint("auth0|", n))
			return b.Try(func(ctx context.Context, tx *store.Tx) error {
				_, _, err := Start(ctx, tx, r)
				return err
			})
		}
		for n := range 6 {
			require.NoError(t, asks(Claim, n))
		}
		for n := range 3 {
			require.NoError(t, asks(Typed, n))
		}
		require.ErrorIs(t, asks(Typed, 3), ErrLimited)
	})
}

// Ensure that each of several requests with one external id that come at once has its own phone
// verified. It replaces the verification before, and no caller is told of another's phone.
func TestReplacedAtOnce(t *testing.T) {
	each(t, func(t *testing.T, b bench) {
		for n := range 20 {
			steps := make([]func(ctx context.Context, tx *store.Tx) error, 4)
			started := make([]Verification, len(steps))
			phones := make([]Request, len(steps))
			for i := range steps {
				r := b.request()
				r.ExternalID, r.Replace, r.Phone = fmt.Sprint("order ", n), true, b.Phone()
				phones[i] = r
				steps[i] = func(ctx context.Context, tx *store.Tx) (err error) {
					started[i], _, err = Start(ctx, tx, r)
					return err
				}
			}
			for i, err := range b.AtOnce(steps...) {
				require.NoError(t, err)
				require.Equal(t, phones[i].Phone.E164(), started[i].Phone.E164())
			}
			b.Do(func(ctx context.Context, tx *store.Tx) error {
				v, err := ByExternalID(ctx, tx, "acme", "api", phones[0].ExternalID)
				require.Equal(t, Pending, v.State, "the last one is the one that counts")
				return err
			})
		}
		require.Len(t, b.Strings("SELECT external_id FROM verification WHERE state = 'pending'"+
			" GROUP BY external_id HAVING COUNT(*) = 1"), 20)
	})
}

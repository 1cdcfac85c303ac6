package verification

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"smsbridge/internal/store"
	"smsbridge/internal/text"
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

// Ensure that a code is texted which replaces one that opened a little later, by the clock: of a
// replica that waited for the other one, or one that was set back. When its second text is refused,
// the first one counts.
func TestReplacedByOneThatBeganBefore(t *testing.T) {
	each(t, func(t *testing.T, b bench) {
		replace := func(r *Request) { r.ExternalID, r.Replace = "order", true }
		first := b.start(replace)
		b.Pass(-5 * time.Millisecond)
		second := b.start(replace)
		require.True(t, second.Opened.After(first.Opened))
		textOf := func() string {
			return b.Strings("SELECT MAX(id) FROM text WHERE verification_id = '" + second.ID + "'")[0]
		}
		id, due := textOf(), false
		b.Do(func(ctx context.Context, tx *store.Tx) (err error) {
			_, due, err = text.Begin(ctx, tx, id)
			return errors.Join(err, text.Accept(ctx, tx, id, "SM1"))
		})
		require.True(t, due)
		b.Pass(2 * time.Minute)
		b.Do(func(ctx context.Context, tx *store.Tx) error {
			_, err := Resend(ctx, tx, named("acme"), second.ID, words, "")
			return err
		})
		id = textOf()
		b.Do(func(ctx context.Context, tx *store.Tx) error {
			return errors.Join(text.Refuse(ctx, tx, id, "21614"),
				Fail(ctx, tx, second.ID, ProviderRefused))
		})
		require.Equal(t, Pending, b.get(second).State)
	})
}

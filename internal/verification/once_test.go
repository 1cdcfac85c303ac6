package verification

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"smsbridge/internal/store"
	"smsbridge/internal/text"
)

// startOnce is StartOnce of the bench's request with a key.
func (b bench) startOnce(key Key) (v Verification, err error) {
	err = b.Try(func(ctx context.Context, tx *store.Tx) (err error) {
		v, err = StartOnce(ctx, tx, b.request(), key)
		return err
	})
	return v, err
}

func (b bench) optOut() {
	b.Do(func(ctx context.Context, tx *store.Tx) error {
		return text.OptOut(ctx, tx, line, b.request().Phone)
	})
}

// Ensure that requests with one key start one verification, and that one which asks for something
// else is refused.
func TestStartOnce(t *testing.T) {
	each(t, func(t *testing.T, b bench) {
		key := Key{Value: "order-66", Asked: "a text"}
		ids := make([]string, 12)
		steps := make([]func(context.Context, *store.Tx) error, len(ids))
		for i := range ids {
			steps[i] = func(ctx context.Context, tx *store.Tx) error {
				v, err := StartOnce(ctx, tx, b.request(), key)
				ids[i] = v.ID
				return err
			}
		}
		for i, err := range b.AtOnce(steps...) {
			require.NoError(t, err)
			require.Equal(t, ids[0], ids[i])
		}
		require.Equal(t, 1, b.Count("verification"))
		require.Equal(t, 1, b.Count("text"))
		require.NotContains(t, b.Strings("SELECT key || digest FROM idempotency_key")[0], "order-66")

		_, err := b.startOnce(Key{Value: "order-66", Asked: "another text"})
		require.ErrorIs(t, err, ErrKeyReused)
		require.Equal(t, 1, b.Count("verification"))

		other, err := b.startOnce(Key{Value: "order-67", Asked: "a text"})
		require.NoError(t, err)
		require.NotEqual(t, ids[0], other.ID)
		for range 2 {
			_, err := b.startOnce(Key{})
			require.NoError(t, err, "without a key each request starts one")
		}
		require.Equal(t, 4, b.Count("verification"))
		require.Equal(t, 2, b.Count("idempotency_key"))
	})
}

// Ensure that a refused request uses its key up for nothing.
func TestStartOnceRefused(t *testing.T) {
	each(t, func(t *testing.T, b bench) {
		key := Key{Value: "order-66"}
		b.optOut()
		_, err := b.startOnce(key)
		require.ErrorIs(t, err, ErrOptedOut)
		require.Zero(t, b.Count("idempotency_key"))
	})
}

// Ensure that what Start returns is what it wrote.
func TestStartReturnsWhatItWrote(t *testing.T) {
	each(t, func(t *testing.T, b bench) {
		v := b.start(func(r *Request) { r.ExternalID, r.Locale = "mine", "da" })
		require.Equal(t, b.get(v), v)
	})
}

// Ensure that a caller hears once that a verification has expired.
func TestCheckExternal(t *testing.T) {
	each(t, func(t *testing.T, b bench) {
		check := func(name, code string) (c Checked, news bool, err error) {
			err = b.Try(func(ctx context.Context, tx *store.Tx) (err error) {
				c, news, err = CheckExternal(ctx, tx, "acme", name, at("api", code))
				return err
			})
			return c, news, err
		}
		_, _, err := check("mine", right)
		require.ErrorIs(t, err, ErrUnknown)
		b.start(func(r *Request) { r.ExternalID = "mine" })
		c, news, err := check("mine", wrong)
		require.NoError(t, err)
		require.Equal(t, Wrong, c.Verdict)
		require.False(t, news)
		b.Pass(10 * time.Minute)
		for n := range 3 {
			c, news, err = check("mine", right)
			require.NoError(t, err)
			require.Equal(t, Over, c.Verdict)
			require.Equal(t, n == 0, news)
		}
		b.start(func(r *Request) { r.ExternalID = "mine" })
		c, news, err = check("mine", right)
		require.NoError(t, err)
		require.Equal(t, Right, c.Verdict)
		require.False(t, news)
	})
}

// Ensure that a database that fails is not told as "opted out".
func TestResendWithBrokenDatabase(t *testing.T) {
	each(t, func(t *testing.T, b bench) {
		v := b.start(nil)
		b.Pass(time.Minute)
		b.Exec("ALTER TABLE opt_out RENAME TO opted_out")
		_, err := b.resend(v)
		require.Error(t, err)
		require.NotErrorIs(t, err, ErrOptedOut)
	})
}

// Ensure that a phone may have ten wrong codes a day: a wrong code counts for 24 hours, to the
// millisecond.
func TestGuessMemoryIsADay(t *testing.T) {
	require.Equal(t, 24*time.Hour, GuessMemory)
	each(t, func(t *testing.T, b bench) {
		for range 2 {
			v := b.start(nil)
			for range 5 {
				require.Equal(t, Wrong, b.check(v, wrong).Verdict)
			}
		}
		started := func() error {
			return b.Try(func(ctx context.Context, tx *store.Tx) error {
				_, _, err := Start(ctx, tx, b.request())
				return err
			})
		}
		b.Pass(24*time.Hour - time.Millisecond)
		require.ErrorIs(t, started(), ErrBlocked)
		b.Pass(time.Millisecond)
		require.NoError(t, started())
	})
}

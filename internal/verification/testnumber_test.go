package verification

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"smsbridge/internal/store"
	"smsbridge/internal/tenant"
)

// Ensure that a test number has its fixed code until it is one no longer, is never texted, and
// counts nowhere. Without a code it cannot be proved.
func TestTestNumber(t *testing.T) {
	each(t, func(t *testing.T, b bench) {
		acme := named("acme")
		rehearse := func(fixed string) func(*Request) {
			return func(r *Request) {
				r.Tenant, r.Phone, r.Code = acme, b.Phone(), ""
				acme.Tests = []tenant.TestNumber{
					{Phone: r.Phone, Code: fixed, End: b.Now().Add(5 * time.Minute)},
				}
			}
		}
		v := b.start(rehearse(right))
		require.True(t, v.Test)
		require.Equal(t, b.Now().Add(5*time.Minute), v.Expires)
		require.Equal(t, Right, b.check(v, right).Verdict)
		expired := b.start(rehearse(right))
		b.Pass(5 * time.Minute)
		b.Do(func(ctx context.Context, tx *store.Tx) error { return ExpireDue(ctx, tx, expired.ID) })
		require.Zero(t, b.Count("text WHERE state <> 'suppressed'"))
		require.Zero(t, b.Count("tally"), "neither the right code nor the silence is counted")
		require.Equal(t, []string{"api: test number"},
			b.Strings("SELECT DISTINCT detail FROM event WHERE name = 'verification.pending'"))

		none := b.start(rehearse(""))
		require.Equal(t, Failed, none.State)
		require.Equal(t, NotPermitted, none.Reason)

		v = b.start(rehearse(right))
		b.Pass(time.Minute)
		resend := func() error {
			return b.Try(func(ctx context.Context, tx *store.Tx) error {
				_, err := Resend(ctx, tx, acme, v.ID, words, "")
				return err
			})
		}
		require.NoError(t, resend())
		acme.Tests = nil
		b.Pass(time.Minute)
		require.ErrorIs(t, resend(), ErrGone, "a fixed code is not texted")
	})
}

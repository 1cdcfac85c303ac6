package verification

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"

	"smsbridge/internal/store"
	"smsbridge/internal/store/db"
)

// A check that read the verification before another check counted, or before a new code was texted,
// judges by the row as it is now.
func TestStaleRow(t *testing.T) {
	each(t, func(t *testing.T, b bench) {
		stale := func(v Verification) (row db.Verification) {
			b.Do(func(ctx context.Context, tx *store.Tx) (err error) {
				row, err = get(ctx, tx, v.Tenant, v.ID)
				return err
			})
			return row
		}
		check := func(row db.Verification, code string) (c Checked) {
			b.Do(func(ctx context.Context, tx *store.Tx) (err error) {
				c, err = CheckRow(ctx, tx, row, at("api", code))
				return err
			})
			return c
		}
		v := b.start(func(r *Request) { r.Code, r.Limits.Attempts = "4829", 2 })
		row := stale(v)
		require.Equal(t, Wrong, b.check(v, "0000").Verdict)
		last := check(row, "0000")
		require.Equal(t, Wrong, last.Verdict)
		require.Equal(t, MaxAttemptsReached, last.Verification.State, "it was the last attempt")
		require.Equal(t, 2, last.Verification.Attempts)
		require.Equal(t, Over, check(row, "4829").Verdict)

		v = b.start(func(r *Request) { r.Limits.Attempts = 1 })
		b.Do(func(ctx context.Context, tx *store.Tx) error {
			return SentByVerify(ctx, tx, v.ID, "VE1", true)
		})
		row = stale(v)
		require.Equal(t, Asked, b.check(v, wrong).Verdict)
		require.Equal(t, Over, check(row, right).Verdict, "Verify has the last attempt")
		require.Equal(t, 1, b.get(v).Attempts)

		v = b.start(func(r *Request) {
			r.Code, r.Renew, r.Limits.Sends, r.Limits.Gap = "", true, 2, 0
		})
		row = stale(v)
		var old Secret
		b.Do(func(ctx context.Context, tx *store.Tx) (err error) {
			old, err = Open(ctx, tx, v.Tenant, v.ID)
			return err
		})
		_, err := b.resend(v)
		require.NoError(t, err)
		require.Equal(t, Wrong, check(row, old.Code).Verdict, "another code counts now")
	})
}

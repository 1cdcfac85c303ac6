package store_test

import (
	"context"
	"errors"
	"testing"

	"github.com/stretchr/testify/require"

	"smsbridge/internal/store"
	"smsbridge/internal/store/storetest"
)

type sum struct{ n, ends int }

// Ensure that what callers share is ended once, after them and within their transaction. A conflict
// runs them again, at last surely, and a failure undoes them.
func TestShared(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		var seen []bool
		ended := 0
		err := s.Do(t.Context(), func(ctx context.Context, tx *store.Tx) error {
			seen = append(seen, tx.Surely())
			for range 3 {
				store.Shared(tx, func(ctx context.Context, tx *store.Tx, of *sum) error {
					require.Equal(t, 3, of.n)
					if of.ends++; len(seen) < 2 {
						return store.ErrConflict
					}
					ended += of.ends
					return tx.Record(ctx, "acme", "row", "ended", "")
				}).n++
			}
			return tx.Record(ctx, "acme", "row", "done", "")
		})
		require.NoError(t, err)
		require.Equal(t, []bool{false, true}, seen)
		require.Equal(t, 1, ended)
		broken := errors.New("broken")
		end := func(context.Context, *store.Tx, *sum) error { return broken }
		require.ErrorIs(t, s.Do(t.Context(), func(ctx context.Context, tx *store.Tx) error {
			store.Shared(tx, end)
			return tx.Record(ctx, "acme", "row", "undone", "")
		}), broken)
		panics := func(context.Context, *store.Tx, *sum) error { panic("oops") }
		require.ErrorContains(t, s.Do(t.Context(), func(_ context.Context, tx *store.Tx) error {
			store.Shared(tx, panics)
			return nil
		}), "panic in the end of a transaction")
		var names []string
		require.NoError(t, s.Read(t.Context(), func(ctx context.Context, view store.View) error {
			events, err := view.EventsOf(ctx, "row")
			for _, e := range events {
				names = append(names, e.Name)
			}
			return err
		}))
		require.Equal(t, []string{"done", "ended"}, names)
	})
}

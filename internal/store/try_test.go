package store_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"smsbridge/internal/store"
	"smsbridge/internal/store/storetest"
)

// Ensure that what is tried leaves no row and no job, and begins none. Callers that share its
// transaction keep what they did, and an error of the trial is its own.
func TestTryChangesNothing(t *testing.T) {
	eachBeginning(t, func(b storetest.Bench, g *beginning) {
		var wg sync.WaitGroup
		for i := range 20 {
			id := fmt.Sprint(i)
			wg.Go(func() {
				found := 0
				assertTried(b, b.Store.Try(b.Context(), func(ctx context.Context, tx *store.Tx) error {
					if err := addEvent(ctx, tx, "tried"+id); err != nil {
						return err
					}
					tx.Enqueue(probe{"tried" + id})
					all, err := tx.EventsOf(ctx, "s")
					found = min(1, len(all))
					return err
				}), found)
			})
			wg.Go(func() {
				err := b.Store.Do(b.Context(), func(ctx context.Context, tx *store.Tx) error {
					return addEvent(ctx, tx, "done"+id)
				})
				assertTried(b, err, 1)
			})
		}
		wg.Wait()
		require.Equal(b, 20, b.Count("event"))
		require.Zero(b, b.Count("river_job"))
		require.Empty(b, g.begun)

		broken := errors.New("broken")
		err := b.Store.Try(b.Context(), func(context.Context, *store.Tx) error { return broken })
		require.Equal(b, broken, err)
	})
}

// Ensure that a trial does not even leave what a refusal would.
func TestTryLeavesNothing(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		for _, want := range []error{nil, errors.New("refused")} {
			err := s.Try(t.Context(), func(_ context.Context, tx *store.Tx) error {
				tx.IfUndone(func(ctx context.Context, tx *store.Tx) error {
					return addEvent(ctx, tx, "left")
				})
				return want
			})
			require.Equal(t, want, err)
		}
		require.Empty(t, events(t, s))
	})
}

// assertTried fails a test from any goroutine.
func assertTried(b storetest.Bench, err error, found int) {
	if err != nil || found != 1 {
		b.Errorf("found %d: %v", found, err)
	}
}

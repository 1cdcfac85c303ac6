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

// Ensure that what an undone call leaves is on disk when the call has its error, also beside calls
// that succeed. Those leave nothing.
func TestIfUndone(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		refused := errors.New("refused")
		call := func(id string, err error) error {
			return s.Do(t.Context(), func(ctx context.Context, tx *store.Tx) error {
				tx.IfUndone(func(ctx context.Context, tx *store.Tx) error {
					return addEvent(ctx, tx, "left by "+id)
				})
				tx.IfUndone(func(ctx context.Context, tx *store.Tx) error {
					return errors.Join(addEvent(ctx, tx, "undone"), refused)
				})
				return errors.Join(addEvent(ctx, tx, id), err)
			})
		}
		require.ErrorIs(t, call("a", refused), refused)
		require.Equal(t, map[string]bool{"left by a": true}, events(t, s))
		var all sync.WaitGroup
		for i := range 8 {
			all.Go(func() {
				want := []error{nil, refused}[i%2]
				if err := call(fmt.Sprint(i), want); !errors.Is(err, want) {
					t.Error(err)
				}
			})
		}
		all.Wait()
		require.Equal(t, map[string]bool{
			"left by a": true, "0": true, "left by 1": true, "2": true, "left by 3": true, "4": true,
			"left by 5": true, "6": true, "left by 7": true,
		}, events(t, s))
	})
}

package store_test

import (
	"context"
	"errors"
	"testing"

	"github.com/stretchr/testify/require"

	"smsbridge/internal/store"
	"smsbridge/internal/store/storetest"
)

// Ensure that those who await an id, and no others, are told of it once what was announced can be
// read. What is undone is not announced.
func TestAwait(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		has := func(told <-chan struct{}) bool {
			select {
			case <-told:
				return true
			default:
				return false
			}
		}
		announce := func(id string, end error) error {
			return s.Do(t.Context(), func(ctx context.Context, tx *store.Tx) error {
				tx.Announce(id)
				if end != nil {
					return end
				}
				return addEvent(ctx, tx, store.NewID())
			})
		}
		one, leaveOne := s.Await("one")
		other, leaveOther := s.Await("one")
		third, leaveThird := s.Await("third")
		defer leaveThird()
		require.False(t, has(one))

		require.Error(t, announce("one", errors.New("undone")))
		require.False(t, has(one), "nothing was recorded")
		require.NoError(t, announce("one", nil))
		require.True(t, has(one))
		require.True(t, has(other))
		require.False(t, has(third))
		require.Len(t, events(t, s), 1)

		leaveOther()
		require.NoError(t, announce("one", nil))
		require.NoError(t, announce("one", nil))
		require.True(t, has(one))
		require.False(t, has(one), "once is enough until it has looked")
		require.False(t, has(other))
		leaveOne()
		leaveOne()
		require.Equal(t, []string{"third"}, s.Awaited())
	})
}

// Ensure that connections which read are kept: a new one reads the schema first, and prepares its
// statements again.
func TestReadersAreKept(t *testing.T) {
	s := storetest.Open(t, storetest.SQLite(t), nil)
	closed, err := s.ReadAtOnce(t.Context())
	require.NoError(t, err)
	require.Zero(t, closed)
}

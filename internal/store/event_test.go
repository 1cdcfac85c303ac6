package store_test

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"

	"smsbridge/internal/store"
	"smsbridge/internal/store/storetest"
)

// Ensure that the timeline is read on from any event, and in the order in which it was recorded.
func TestTimeline(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		for _, name := range []string{"test.first", "test.second", "test.third"} {
			require.NoError(t, s.Do(t.Context(), func(ctx context.Context, tx *store.Tx) error {
				return tx.Record(ctx, "acme", "s", name, "detail")
			}))
		}
		read := func(after string, most int) (events []store.Event) {
			err := s.Read(t.Context(), func(ctx context.Context, view store.View) (err error) {
				events, err = store.Timeline(ctx, view, after, most)
				return err
			})
			require.NoError(t, err)
			return events
		}
		all := read("", 10)
		require.Len(t, all, 3)
		first := all[0]
		require.Equal(t, []string{"acme", "s", "test.first", "detail"},
			[]string{first.Tenant, first.Subject, first.Name, first.Detail})
		require.False(t, first.At.IsZero())
		require.Equal(t, all[1:2], read(first.ID, 1))
		require.Equal(t, all[1:], read(first.ID, 10))
		require.Empty(t, read(all[2].ID, 10))
	})
}

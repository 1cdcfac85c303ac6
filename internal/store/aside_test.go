package store_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/riverqueue/river"
	"github.com/stretchr/testify/require"

	"smsbridge/internal/store"
	"smsbridge/internal/store/storetest"
)

// start has a queue worked that has nothing to do.
func start(t *testing.T, s *store.Store) {
	t.Helper()
	river.AddWorker(s.Workers(), river.WorkFunc(func(context.Context, *river.Job[probe]) error {
		return nil
	}))
	require.NoError(t, s.Start(t.Context()))
}

// Ensure that what is done beside the queue begins only while that is worked. A stop asks it to end
// and waits for it.
func TestAside(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		require.False(t, s.Aside(func(context.Context) { t.Error("the queue is not worked") }))
		start(t, s)
		begun, ended := make(chan struct{}), false
		require.True(t, s.Aside(func(ctx context.Context) {
			close(begun)
			<-ctx.Done()
			ended = true
		}))
		<-begun
		require.NoError(t, s.Stop(context.Background()))
		require.True(t, ended)
		require.False(t, s.Aside(func(context.Context) { t.Error("the queue is not worked any more") }))
	})
}

// Ensure that a stop waits no longer than it may.
func TestStopWaitsForWhatIsAside(t *testing.T) {
	s := storetest.Open(t, storetest.SQLite(t), nil)
	start(t, s)
	end, ended := make(chan struct{}), make(chan struct{})
	require.True(t, s.Aside(func(context.Context) { <-end; close(ended) }))
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	require.ErrorIs(t, s.Stop(ctx), context.DeadlineExceeded)
	close(end)
	<-ended
}

// Ensure that a Recorder is called in the transaction that records an event. What it returns is
// done once that is on disk, and never if it is not.
func TestRecorder(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		var told []string
		refused := errors.New("refused")
		s.RecordWith(func(ctx context.Context, tx *store.Tx, e store.Event) (func(), error) {
			switch e.Name {
			case "test.refused":
				return nil, refused
			case "test.quiet":
				return nil, nil
			}
			require.False(t, e.At.IsZero())
			return func() { told = append(told, e.Tenant+" "+e.Subject+" "+e.Name+" "+e.Detail) }, nil
		})
		record := func(name string, err error) error {
			return s.Do(t.Context(), func(ctx context.Context, tx *store.Tx) error {
				return errors.Join(tx.Record(ctx, "acme", "s", name, "d"), err)
			})
		}
		require.NoError(t, record("test.quiet", nil))
		require.ErrorIs(t, record("test.refused", nil), refused)
		require.Error(t, record("test.undone", errors.New("undone")))
		require.Empty(t, told)
		require.NoError(t, record("test.done", nil))
		require.Equal(t, []string{"acme s test.done d"}, told)
	})
}

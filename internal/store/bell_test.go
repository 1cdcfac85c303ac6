package store_test

import (
	"context"
	"strconv"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/riverqueue/river"
	"github.com/stretchr/testify/require"

	"smsbridge/internal/store"
	"smsbridge/internal/store/storetest"
)

// step is a job of a test that makes the next step due.
type step struct {
	ID string `json:"id"`
}

func (step) Kind() string { return "step" }

// Ensure that each commit with jobs wakes the workers, however soon it follows the one before. They
// work through a chain in which each job makes the next one due, and never poll.
func TestCommitsWakeTheWorkers(t *testing.T) {
	const steps = 30
	for name, url := range map[string]func(*testing.T) string{
		"sqlite": storetest.SQLite, "postgres": storetest.PostgreSQL,
	} {
		t.Run(name, func(t *testing.T) {
			s, err := store.OpenWithoutPolls(t.Context(),
				store.Options{URL: url(t), Key: storetest.Key})
			require.NoError(t, err)
			t.Cleanup(func() { require.NoError(t, s.Close()) })
			ctx := context.Background() // the queue is stopped when the test's own context has ended
			due := func(n int) error {
				return s.Do(ctx, func(_ context.Context, tx *store.Tx) error {
					tx.Enqueue(step{strconv.Itoa(n)})
					return nil
				})
			}
			done := make(chan struct{})
			river.AddWorker(s.Workers(), river.WorkFunc(
				func(_ context.Context, job *river.Job[step]) error {
					n, err := strconv.Atoi(job.Args.ID)
					switch {
					case err != nil:
						return err
					case n == steps:
						close(done)
						return nil
					}
					return due(n + 1)
				},
			))
			require.NoError(t, s.Start(ctx))
			t.Cleanup(func() { require.NoError(t, s.Stop(ctx)) })
			require.NoError(t, due(1))
			select {
			case <-done:
			case <-time.After(time.Minute):
				require.Fail(t, "a job waits for a poll")
			}
		})
	}
}

// Ensure that River does not complain of a connection that was closed: it listens to nothing.
func TestUnlistenOnAClosedConnection(t *testing.T) {
	ctx, address := t.Context(), storetest.PostgreSQL(t)
	l := storetest.Open(t, address, nil).Listener()
	require.NoError(t, l.Connect(ctx))
	require.NoError(t, l.Listen(ctx, "topic"))
	other, err := pgconn.Connect(ctx, address)
	require.NoError(t, err)
	_, err = other.Exec(ctx, "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"+
		" WHERE datname = current_database() AND pid <> pg_backend_pid()").ReadAll()
	require.NoError(t, err)
	require.NoError(t, other.Close(ctx))
	_, err = l.WaitForNotification(ctx)
	require.Error(t, err)
	require.NoError(t, l.Unlisten(ctx, "topic"))
}

package store_test

import (
	"context"
	"database/sql"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/riverqueue/river"
	"github.com/stretchr/testify/require"

	"smsbridge/internal/store"
	"smsbridge/internal/store/storetest"
)

// Ensure that jobs wait as long as they should when PostgreSQL's clock and that of the process
// differ: neither is a job tried again at once, nor does it wait for the clocks. A job that another
// worker has just begun stays with that one.
func TestJobsGoByPostgreSQLsClock(t *testing.T) {
	t.Parallel()
	for name, ahead := range map[string]time.Duration{
		"fast": 10 * time.Minute, "slow": -10 * time.Minute,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			url := storetest.PostgreSQL(t)
			outside := storetest.OtherClock(t, url, ahead)
			s := storetest.Open(t, url, nil)
			river.AddWorker(s.Workers(), river.WorkFunc(
				func(_ context.Context, job *river.Job[failing]) error {
					switch job.Args.ID {
					case "snoozes":
						return river.JobSnooze(time.Hour)
					case "fails":
						return errors.New("mailgun: status 500")
					}
					return nil
				}))
			for id, wait := range map[string]time.Duration{
				"snoozes": 0, "fails": 0, "dead": 0, "begun": 0, "scheduled": time.Hour,
			} {
				require.NoError(t, s.Do(t.Context(), func(_ context.Context, tx *store.Tx) error {
					tx.EnqueueAt(failing{id, 0}, tx.Now().Add(wait))
					return nil
				}))
			}
			_, err := outside.ExecContext(t.Context(), `UPDATE river_job SET
				state = CASE args->>'id' WHEN 'scheduled' THEN state ELSE 'running' END,
				attempt = 3, scheduled_at = other.now() - interval '1 second',
				attempted_at = other.now() - CASE args->>'id'
					WHEN 'dead' THEN interval '5 minutes' ELSE interval '-5 minutes' END
				WHERE args->>'id' IN ('dead', 'begun', 'scheduled')`)
			require.NoError(t, err)
			ctx := context.Background() // the queue is stopped when the test's own context has ended
			require.NoError(t, s.Start(ctx))
			t.Cleanup(func() { require.NoError(t, s.Stop(ctx)) })
			is := func(id, condition string) func() bool {
				return func() (holds bool) {
					row := outside.QueryRowContext(t.Context(), "SELECT "+condition+
						" FROM river_job WHERE args->>'id' = $1", id)
					require.NoError(t, row.Scan(&holds))
					return holds
				}
			}
			const within, soon = "scheduled_at - other.now() BETWEEN interval ",
				"'-5 minutes' AND '5 minutes'"
			for id, condition := range map[string]string{
				"snoozes":   "state = 'scheduled' AND " + within + "'55 minutes' AND '65 minutes'",
				"fails":     "errors IS NOT NULL AND " + within + soon,
				"scheduled": "state = 'completed'",
				"dead":      "errors IS NOT NULL AND " + within + soon,
			} {
				require.Eventually(t, is(id, condition), time.Minute, 10*time.Millisecond, id)
			}
			require.True(t, is("begun", "state = 'running'")(), "another worker has it")
		})
	}
}

// Ensure that the difference between PostgreSQL's clock and that of the process is measured, and
// that what the round trip takes is none.
func TestClockAhead(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		ahead, err := s.ClockAhead(t.Context())
		require.NoError(t, err)
		require.Zero(t, ahead, "both have the clock of one machine")
	})
	for name, set := range map[string]time.Duration{"ahead": time.Hour, "behind": -time.Hour} {
		t.Run(name, func(t *testing.T) {
			url := storetest.PostgreSQL(t)
			storetest.OtherClock(t, url, set)
			ahead, err := storetest.Open(t, url, nil).ClockAhead(t.Context())
			require.NoError(t, err)
			require.LessOrEqual(t, ahead.Abs(), set.Abs(), "it is no more than it is for certain")
			require.InDelta(t, set.Minutes(), ahead.Minutes(), 10)
		})
	}
}

// Ensure that a worker does not count as dead because the clock went back behind the start.
func TestDeadAfterTheClockWentBack(t *testing.T) {
	t.Parallel()
	storetest.EachBench(t, func(b storetest.Bench) {
		opened := b.Now()
		require.False(b, b.Store.DeadBefore(opened).After(opened))
		back := opened.Add(-time.Hour)
		require.Equal(b, back.Add(-store.RescueAfter), b.Store.DeadBefore(back))
	})
}

// Ensure that a job which was due is done when the clock has gone back since, by an hour.
func TestDueJobAfterTheClockWentBack(t *testing.T) {
	t.Parallel()
	url := storetest.SQLite(t)
	s, err := store.Open(t.Context(), store.Options{URL: url, Key: storetest.Key})
	require.NoError(t, err)
	require.NoError(t, s.Do(t.Context(), func(_ context.Context, tx *store.Tx) error {
		tx.Enqueue(failing{"due", 0})
		return nil
	}))
	require.NoError(t, s.Close())
	outside, err := sql.Open("sqlite", "file:"+strings.TrimPrefix(url, "sqlite:"))
	require.NoError(t, err)
	_, err = outside.ExecContext(t.Context(),
		"UPDATE river_job SET scheduled_at = datetime('now', 'subsec', '+1 hour')")
	require.NoError(t, errors.Join(err, outside.Close()))

	s = storetest.Open(t, url, nil)
	done := make(chan struct{})
	river.AddWorker(s.Workers(), river.WorkFunc(func(context.Context, *river.Job[failing]) error {
		close(done)
		return nil
	}))
	ctx := context.Background() // the queue is stopped when the test's own context has ended
	require.NoError(t, s.Start(ctx))
	t.Cleanup(func() { require.NoError(t, s.Stop(ctx)) })
	select {
	case <-done:
	case <-time.After(time.Minute):
		require.Fail(t, "the job waits for the clock")
	}
}

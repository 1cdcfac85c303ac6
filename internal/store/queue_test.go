package store_test

import (
	"bytes"
	"context"
	"database/sql"
	"errors"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/riverqueue/river"
	"github.com/stretchr/testify/require"

	"smsbridge/internal/store"
	"smsbridge/internal/store/storetest"
)

// logBuffer is a log that a test reads while the store writes it.
type logBuffer struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (b *logBuffer) Write(line []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.Write(line)
}

func (b *logBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.String()
}

// Ensure that a job whose time has come is one that workers fetch, and no scheduled one.
func TestJobOfATimeThatHasCome(t *testing.T) {
	storetest.EachBench(t, func(b storetest.Bench) {
		for after, want := range map[time.Duration]string{
			-time.Hour: "available", 0: "available", time.Millisecond: "scheduled",
		} {
			b.Exec("DELETE FROM river_job")
			b.Do(func(_ context.Context, tx *store.Tx) error {
				tx.EnqueueAt(probe{"it"}, tx.Now().Add(after))
				return nil
			})
			require.Equal(b, []string{want}, b.Strings("SELECT state FROM river_job"), after)
		}
	})
}

// Ensure that what the queue does each night gives operators nothing to worry about.
func TestNightWarnsOfNothing(t *testing.T) {
	t.Parallel()
	for name, url := range map[string]func(*testing.T) string{
		"sqlite": storetest.SQLite, "postgres": storetest.PostgreSQL,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var log logBuffer
			s, over, err := store.OpenAtNight(t.Context(), store.Options{
				URL: url(t), Key: storetest.Key, Log: slog.New(slog.NewJSONHandler(&log, nil)),
			})
			require.NoError(t, err)
			t.Cleanup(func() { require.NoError(t, s.Close()) })
			done := func(context.Context, *river.Job[failing]) error { return nil }
			river.AddWorker(s.Workers(), river.WorkFunc(done))
			require.NoError(t, s.Start(t.Context()))
			select {
			case <-over:
			case <-time.After(time.Minute):
				require.Fail(t, "the night does not end")
			}
			require.NoError(t, s.Stop(t.Context()))
			require.NotRegexp(t, `"level":"(WARN|ERROR)"`, log.String())
		})
	}
}

// Ensure that a job that returns an error or panics is logged with its kind and id, also after
// its last try. The words of a panic are not logged.
func TestFailingJobsAreLogged(t *testing.T) {
	for _, test := range []struct {
		name  string
		fail  func() error
		tries int
		want  []string
	}{
		{
			"an error", func() error { return errors.New("mailgun: status 500") }, 0,
			[]string{`"a job failed and is tried again"`, `"attempt":1`, `"error":"mailgun: status 500"`},
		},
		{
			"the last try", func() error { return errors.New("mailgun: status 500") }, 1,
			[]string{`"a job failed for the last time and is dead"`},
		},
		{
			"a panic", func() error { panic("phone +4520123456 code 482913") }, 0,
			[]string{`"a job failed and is tried again"`, "panic in a job: string"},
		},
		{
			"a panic of Go's own", func() error { var none []error; return none[len(none)] }, 0,
			[]string{"panic in a job: runtime error: index out of range [0] with length 0"},
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			var log logBuffer
			url := storetest.SQLite(t)
			s, err := store.Open(t.Context(), store.Options{
				URL: url, Key: storetest.Key, Log: slog.New(slog.NewJSONHandler(&log, nil)),
			})
			require.NoError(t, err)
			t.Cleanup(func() { require.NoError(t, s.Close()) })
			river.AddWorker(s.Workers(), river.WorkFunc(
				func(context.Context, *river.Job[failing]) error { return test.fail() },
			))
			s.DescribeWith(func(_ context.Context, id string) []any { return []any{"case", "of " + id} })
			ctx := context.Background() // the queue is stopped when the test's own context has ended
			require.NoError(t, s.Start(ctx))
			t.Cleanup(func() { require.NoError(t, s.Stop(ctx)) })
			require.NoError(t, s.Do(t.Context(), func(_ context.Context, tx *store.Tx) error {
				tx.Enqueue(failing{"row-1", test.tries})
				return nil
			}))
			require.Eventually(t, func() bool {
				return log.String() != ""
			}, time.Minute, time.Millisecond)
			for _, want := range append(test.want, `"level":"ERROR"`, `"kind":"failing"`, `"id":"row-1"`,
				`"case":"of row-1"`) {
				require.Contains(t, log.String(), want)
			}
			require.NotContains(t, log.String(), "482913")
			keeps := func() string { return kept(t, strings.TrimPrefix(url, "sqlite:")) }
			require.Eventually(t, func() bool { return keeps() != "" }, time.Minute, time.Millisecond)
			require.NotContains(t, keeps(), "482913")
		})
	}
}

// Ensure that a job is logged that no worker ends at its last try, such as one at which each worker
// dies. SQLite's only process hands such jobs back when it starts, and never discards them.
func TestJobsThatNeverEndAreLogged(t *testing.T) {
	url := storetest.PostgreSQL(t)
	var log logBuffer
	s, err := store.Open(t.Context(), store.Options{
		URL: url, Key: storetest.Key, Log: slog.New(slog.NewJSONHandler(&log, nil)),
	})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, s.Close()) })
	done := func(context.Context, *river.Job[failing]) error { return nil }
	river.AddWorker(s.Workers(), river.WorkFunc(done))
	for _, id := range []string{"row-1", "row-2"} {
		require.NoError(t, s.Do(t.Context(), func(_ context.Context, tx *store.Tx) error {
			tx.Enqueue(failing{id, 25})
			return nil
		}))
	}
	outside, err := sql.Open("pgx", url)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, outside.Close()) })
	_, err = outside.ExecContext(t.Context(), `UPDATE river_job SET state = 'running',
		attempted_at = now() - interval '1 hour',
		attempt = CASE args->>'id' WHEN 'row-1' THEN 25 ELSE 24 END`)
	require.NoError(t, err)
	ctx := context.Background() // the queue is stopped when the test's own context has ended
	require.NoError(t, s.Start(ctx))
	t.Cleanup(func() { require.NoError(t, s.Stop(ctx)) })
	state := func(id string) (state string) {
		const query = "SELECT state FROM river_job WHERE args->>'id' = $1"
		row := outside.QueryRowContext(t.Context(), query, id)
		require.NoError(t, row.Scan(&state))
		return state
	}
	require.Eventually(t, func() bool {
		return state("row-1") == "discarded"
	}, time.Minute, time.Millisecond)
	for _, want := range []string{
		`"level":"ERROR"`, "did not end at its last try and is dead", `"kind":"failing"`,
		`"id":"row-1"`, `"attempt":25`,
	} {
		require.Contains(t, log.String(), want)
	}
	require.NotEqual(t, "discarded", state("row-2"), "it has a try left")
	require.NotContains(t, log.String(), "row-2")
}

// Ensure that a queue that is stopped while it starts complains of nothing.
func TestStopWhileStarting(t *testing.T) {
	for name, url := range map[string]func(*testing.T) string{
		"sqlite": storetest.SQLite, "postgres": storetest.PostgreSQL,
	} {
		t.Run(name, func(t *testing.T) {
			var log logBuffer
			s, err := store.Open(t.Context(), store.Options{
				URL: url(t), Key: storetest.Key, Log: slog.New(slog.NewJSONHandler(&log, nil)),
			})
			require.NoError(t, err)
			done := func(context.Context, *river.Job[failing]) error { return nil }
			river.AddWorker(s.Workers(), river.WorkFunc(done))
			s.Every(time.Hour, failing{})
			for range 20 {
				require.NoError(t, s.Start(context.Background()))
				require.NoError(t, s.Stop(context.Background()))
			}
			require.NoError(t, s.Close())
			require.Empty(t, log.String())
		})
	}
}

// kept is all that the queue keeps about its jobs.
func kept(t *testing.T, path string) string {
	db, err := sql.Open("sqlite", "file:"+path+"?mode=ro&_pragma=busy_timeout(5000)")
	require.NoError(t, err)
	defer db.Close()
	var all sql.NullString
	row := db.QueryRowContext(t.Context(), "SELECT group_concat(CAST(errors AS TEXT)) FROM river_job")
	require.NoError(t, row.Scan(&all))
	return all.String
}

// failing is a job of a test that fails; tries is how often it may, 0 for as often as others.
type failing struct {
	ID    string `json:"id"`
	tries int
}

func (failing) Kind() string { return "failing" }

func (f failing) InsertOpts() river.InsertOpts { return river.InsertOpts{MaxAttempts: f.tries} }

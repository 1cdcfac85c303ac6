package storetest

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"smsbridge/internal/store"
	"smsbridge/internal/store/db"
	"smsbridge/phonemail"
)

// Start is when the clock of every Bench begins: long enough ago that the queue, which has a
// clock of its own, finds due whatever a test makes due.
var Start = time.Date(2024, 3, 1, 12, 0, 0, 0, time.UTC)

// A Bench is what the test of a rule works on: a store with a clock that the test moves, and a
// view of the same database from outside the store. Whatever goes wrong fails the test, except
// in Try and AtOnce. Its copies share all but their T, so that a sub-test gives its own to a
// copy.
type Bench struct {
	*testing.T
	Store *store.Store

	outside *sql.DB
	clock   *atomic.Int64 // milliseconds since 1970
	serial  *atomic.Int64
}

// EachBench runs test on a new, empty store of each database, as Each does.
func EachBench(t *testing.T, test func(b Bench)) {
	t.Helper()
	t.Run("sqlite", func(t *testing.T) { test(OpenBench(t, SQLite(t))) })
	t.Run("postgres", func(t *testing.T) { test(OpenBench(t, PostgreSQL(t))) })
}

// OpenBench opens the store at url, which is closed when the test ends. For a second store with
// the same clock: Open with b.Now.
func OpenBench(t *testing.T, url string) Bench {
	t.Helper()
	b := Bench{T: t, clock: new(atomic.Int64), serial: new(atomic.Int64)}
	b.clock.Store(Start.UnixMilli())
	b.Store = Open(t, url, b.Now)
	driver, source := "pgx", url
	if path, ok := strings.CutPrefix(url, "sqlite:"); ok {
		driver, source = "sqlite", path
	}
	outside, err := sql.Open(driver, source)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, outside.Close()) })
	b.outside = outside
	return b
}

// Now is the time on the clock, in UTC.
func (b Bench) Now() time.Time { return time.UnixMilli(b.clock.Load()).UTC() }

// Pass moves the clock on by d, to the millisecond.
func (b Bench) Pass(d time.Duration) { b.clock.Add(d.Milliseconds()) }

// Serial is a number that this bench has not given before, from 1.
func (b Bench) Serial() int64 { return b.serial.Add(1) }

// Phone is a Danish mobile phone that this bench has not given before.
func (b Bench) Phone() phonemail.Number {
	b.Helper()
	phone, err := phonemail.ParseNumber(fmt.Sprintf("+45%d", 20_000_000+b.Serial()))
	require.NoError(b, err)
	return phone
}

// errEnded says that a step did not return, as one does not whose requirement fails.
var errEnded = errors.New("storetest: the step ended its goroutine")

// Try runs step in a transaction and returns its error. Step has a goroutine of its own: that of
// the store serves all callers, who would wait for ever if a failed requirement ended it.
func (b Bench) Try(step func(ctx context.Context, tx *store.Tx) error) error {
	return b.Store.Do(b.Context(), func(ctx context.Context, tx *store.Tx) error {
		err := errEnded
		var done sync.WaitGroup
		done.Go(func() {
			err = store.Survive("a step", func() error { return step(ctx, tx) })
		})
		done.Wait()
		return err
	})
}

// Do runs step in a transaction that must succeed.
func (b Bench) Do(step func(ctx context.Context, tx *store.Tx) error) {
	b.Helper()
	require.NoError(b, b.Try(step))
}

// AtOnce has steps race each other, each in a transaction of its own, and returns the error of
// each, in their order.
func (b Bench) AtOnce(steps ...func(ctx context.Context, tx *store.Tx) error) []error {
	var (
		errs = make([]error, len(steps))
		gate = make(chan struct{})
		wait sync.WaitGroup
	)
	for i, step := range steps {
		wait.Go(func() {
			<-gate
			errs[i] = b.Try(step)
		})
	}
	close(gate)
	wait.Wait()
	return errs
}

// Exec changes the database behind the store's back.
func (b Bench) Exec(statement string, args ...any) {
	b.Helper()
	_, err := b.outside.ExecContext(b.Context(), statement, args...)
	require.NoError(b, err)
}

// Strings is the one column that query selects, row by row.
func (b Bench) Strings(query string, args ...any) []string {
	b.Helper()
	return Strings(b, b.outside, query, args...)
}

// Strings is the one column that query selects, row by row, wherever it is asked.
func Strings(t testing.TB, from db.DBTX, query string, args ...any) (values []string) {
	t.Helper()
	rows, err := from.QueryContext(t.Context(), query, args...)
	require.NoError(t, err, query)
	defer rows.Close()
	for rows.Next() {
		var value string
		require.NoError(t, rows.Scan(&value))
		values = append(values, value)
	}
	require.NoError(t, rows.Err())
	return values
}

// Count is the number of rows of from, which may be anything that follows FROM in a query.
func (b Bench) Count(from string, args ...any) (n int) {
	b.Helper()
	row := b.outside.QueryRowContext(b.Context(), "SELECT count(*) FROM "+from, args...)
	require.NoError(b, row.Scan(&n))
	return n
}

// Jobs is the number of jobs of a kind that were made due, now or later, for the row id.
func (b Bench) Jobs(kind, id string) int {
	b.Helper()
	n := b.Count("river_job WHERE kind = $1 AND args->>'id' = $2", kind, id)
	for _, jobs := range b.Strings("SELECT args->>'jobs' FROM river_job"+
		" WHERE kind = 'bundle' AND args->>'of' = $1", kind) {
		n += strings.Count(jobs, `"`+id+`"`)
	}
	return n
}

// EventNames are the names of what the timeline says of the row id, oldest first.
func (b Bench) EventNames(id string) (names []string) {
	b.Helper()
	b.Do(func(ctx context.Context, tx *store.Tx) error {
		events, err := tx.EventsOf(ctx, id)
		names = nil
		for _, e := range events {
			names = append(names, e.Name)
		}
		return err
	})
	return names
}

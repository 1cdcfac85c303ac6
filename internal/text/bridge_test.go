package text_test

import (
	"context"
	"database/sql"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"smsbridge/internal/store"
	"smsbridge/internal/store/db"
	"smsbridge/internal/store/storetest"
	"smsbridge/internal/text"
	"smsbridge/phonemail"
)

// bridge is a store on one of the databases, with a clock that the test moves and a look at the queue.
type bridge struct {
	*testing.T
	store *store.Store
	raw   *sql.DB
	clock *atomic.Int64 // milliseconds since 1970
}

var start = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// each runs test on a new store of each database.
func each(t *testing.T, test func(b bridge)) {
	t.Helper()
	t.Run("sqlite", func(t *testing.T) { test(open(t, "sqlite", storetest.SQLite(t))) })
	t.Run("postgres", func(t *testing.T) { test(open(t, "pgx", storetest.PostgreSQL(t))) })
}

func open(t *testing.T, driver, url string) bridge {
	t.Helper()
	clock := new(atomic.Int64)
	clock.Store(start.UnixMilli())
	s := storetest.Open(t, url, func() time.Time { return time.UnixMilli(clock.Load()) })
	raw, err := sql.Open(driver, strings.TrimPrefix(url, "sqlite:"))
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, raw.Close()) })
	return bridge{t, s, raw, clock}
}

func (b bridge) now() time.Time       { return time.UnixMilli(b.clock.Load()) }
func (b bridge) pass(d time.Duration) { b.clock.Add(d.Milliseconds()) }
func (b bridge) run(name string, f func(b bridge)) {
	b.Run(name, func(t *testing.T) { b.T = t; f(b) })
}

// do runs f in a transaction that must succeed.
func (b bridge) do(f func(ctx context.Context, tx *store.Tx) error) {
	b.Helper()
	require.NoError(b, b.store.Do(b.Context(), f))
}

// jobs counts the queued jobs of a kind for the row id.
func (b bridge) jobs(kind, id string) (n int) {
	b.Helper()
	query := "SELECT count(*) FROM river_job WHERE kind = $1 AND args->>'id' = $2"
	require.NoError(b, b.raw.QueryRowContext(b.Context(), query, kind, id).Scan(&n))
	return n
}

// events are the names and details of what the timeline says of a row.
func (b bridge) events(id string) (told []string) {
	b.Helper()
	b.do(func(ctx context.Context, tx *store.Tx) error {
		rows, err := tx.EventsOf(ctx, id)
		told = nil
		for _, r := range rows {
			told = append(told, strings.TrimSpace(r.Name+" "+r.Detail))
		}
		return err
	})
	return told
}

func (b bridge) row(id string) (row db.Text) {
	b.Helper()
	b.do(func(ctx context.Context, tx *store.Tx) (err error) {
		row, err = tx.GetText(ctx, id)
		return err
	})
	return row
}

func phone(t require.TestingT, e164 string) phonemail.Number {
	n, err := phonemail.ParseNumber(e164)
	require.NoError(t, err)
	return n
}

func line() text.Line { return text.Line{Account: "AC1", Sender: "+4512340000"} }

// make makes a text due, ten minutes before its deadline.
func (b bridge) make() (id string) {
	b.Helper()
	return b.draft(text.Draft{Tenant: "acme", Line: line(), Phone: phone(b, "+4520123456"), Purpose: text.Prompt, Body: "Reply YES.", Deadline: b.now().Add(10 * time.Minute)})
}

func (b bridge) draft(d text.Draft) (id string) {
	b.Helper()
	b.do(func(ctx context.Context, tx *store.Tx) (err error) {
		id, err = text.Make(ctx, tx, d)
		return err
	})
	return id
}

func (b bridge) begin(id string) (a text.Attempt, due bool) {
	b.Helper()
	b.do(func(ctx context.Context, tx *store.Tx) (err error) {
		a, due, err = text.Begin(ctx, tx, id)
		return err
	})
	return a, due
}

// sending is a text of which sending has begun.
func (b bridge) sending() string {
	b.Helper()
	id := b.make()
	_, due := b.begin(id)
	require.True(b, due)
	return id
}

func (b bridge) loseSight(id string) {
	b.Helper()
	b.do(func(ctx context.Context, tx *store.Tx) error { return text.LoseSight(ctx, tx, id) })
}

func (b bridge) accept(id, providerID string) {
	b.Helper()
	b.do(func(ctx context.Context, tx *store.Tx) error { return text.Accept(ctx, tx, id, providerID) })
}

func (b bridge) refuse(id, reason string) {
	b.Helper()
	b.do(func(ctx context.Context, tx *store.Tx) error { return text.Refuse(ctx, tx, id, reason) })
}

func (b bridge) putBack(id string, from text.State) {
	b.Helper()
	b.do(func(ctx context.Context, tx *store.Tx) error { return text.PutBack(ctx, tx, id, from) })
}

func (b bridge) receipt(r text.Receipt) {
	b.Helper()
	b.do(func(ctx context.Context, tx *store.Tx) error { return text.TakeReceipt(ctx, tx, r) })
}

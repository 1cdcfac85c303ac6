package challenge_test

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

	"smsbridge/internal/challenge"
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
	phone *atomic.Int64 // the last one that was asked
}

// each runs test on a new store of each database.
func each(t *testing.T, test func(b bridge)) {
	t.Helper()
	t.Run("sqlite", func(t *testing.T) { test(open(t, "sqlite", storetest.SQLite(t))) })
	t.Run("postgres", func(t *testing.T) { test(open(t, "pgx", storetest.PostgreSQL(t))) })
}

func open(t *testing.T, driver, url string) bridge {
	t.Helper()
	clock := new(atomic.Int64)
	clock.Store(time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC).UnixMilli())
	s := storetest.Open(t, url, func() time.Time { return time.UnixMilli(clock.Load()) })
	raw, err := sql.Open(driver, strings.TrimPrefix(url, "sqlite:"))
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, raw.Close()) })
	return bridge{t, s, raw, clock, new(atomic.Int64)}
}

func (b bridge) now() time.Time       { return time.UnixMilli(b.clock.Load()).UTC() }
func (b bridge) pass(d time.Duration) { b.clock.Add(d.Milliseconds()) }
func (b bridge) run(name string, f func(b bridge)) {
	b.Run(name, func(t *testing.T) { b.T = t; f(b) })
}

// try runs f in a transaction.
func (b bridge) try(f func(ctx context.Context, tx *store.Tx) error) error {
	return b.store.Do(b.Context(), f)
}

// do runs f in a transaction that must succeed.
func (b bridge) do(f func(ctx context.Context, tx *store.Tx) error) {
	b.Helper()
	require.NoError(b, b.try(f))
}

// jobs counts the queued jobs of a kind for the row id.
func (b bridge) jobs(kind, id string) (n int) {
	b.Helper()
	query := "SELECT count(*) FROM river_job WHERE kind = $1 AND args->>'id' = $2"
	require.NoError(b, b.raw.QueryRowContext(b.Context(), query, kind, id).Scan(&n))
	return n
}

// events are the names of what the timeline says of a row.
func (b bridge) events(id string) (told []string) {
	b.Helper()
	b.do(func(ctx context.Context, tx *store.Tx) error {
		rows, err := tx.EventsOf(ctx, id)
		told = nil
		for _, r := range rows {
			told = append(told, r.Name)
		}
		return err
	})
	return told
}

func (b bridge) row(id string) (c db.Challenge) {
	b.Helper()
	b.do(func(ctx context.Context, tx *store.Tx) (err error) {
		c, err = tx.GetChallenge(ctx, id)
		return err
	})
	return c
}

// texts are the states of the texts that a challenge had sent, oldest first.
func (b bridge) texts(challengeID string) (states []string) {
	b.Helper()
	rows, err := b.raw.QueryContext(b.Context(), "SELECT state FROM text WHERE challenge_id = $1 ORDER BY id", challengeID)
	require.NoError(b, err)
	defer rows.Close()
	for rows.Next() {
		var state string
		require.NoError(b, rows.Scan(&state))
		states = append(states, state)
	}
	require.NoError(b, rows.Err())
	return states
}

// send begins the sending of all due texts of a challenge.
func (b bridge) send(challengeID string) {
	b.Helper()
	_, err := b.raw.ExecContext(b.Context(), "UPDATE text SET state = 'sending', sending_at = 1 WHERE state = 'due' AND challenge_id = $1", challengeID)
	require.NoError(b, err)
}

// race runs the moves at once, each in a transaction of its own, and returns how many came to nil. The others must come to challenge.ErrGone.
func (b bridge) race(moves ...func(ctx context.Context, tx *store.Tx) error) (won int) {
	b.Helper()
	var (
		wait sync.WaitGroup
		n    atomic.Int64
	)
	for _, move := range moves {
		wait.Go(func() {
			switch err := b.try(move); {
			case err == nil:
				n.Add(1)
			case !errors.Is(err, challenge.ErrGone):
				b.Error(err)
			}
		})
	}
	wait.Wait()
	return int(n.Load())
}

const link = "https://login.acme.example/verify?ticket=very-secret"

// question is what a tenant asks a phone that nobody has asked before.
func (b bridge) question() challenge.Question {
	b.Helper()
	phone, err := phonemail.ParseNumber(fmt.Sprintf("+45%d", 20_000_000+b.phone.Add(1)))
	require.NoError(b, err)
	return challenge.Question{
		MailID: store.NewID(), Tenant: "acme", Line: text.Line{Account: "AC1", Sender: "+4512340000"}, Phone: phone,
		Purpose: challenge.Registration, Link: link, Prompt: func(string, string) string { return "Reply YES." }, Life: 10 * time.Minute,
	}
}

func (b bridge) ask(q challenge.Question) (id string) {
	b.Helper()
	b.do(func(ctx context.Context, tx *store.Tx) (err error) {
		id, err = challenge.Ask(ctx, tx, q)
		return err
	})
	return id
}

// open is an open challenge whose phone has its prompt.
func (b bridge) open() db.Challenge {
	b.Helper()
	id := b.ask(b.question())
	b.send(id)
	return b.row(id)
}

func accept(c db.Challenge) func(context.Context, *store.Tx) error {
	return func(ctx context.Context, tx *store.Tx) error { return challenge.Accept(ctx, tx, c) }
}

func deny(c db.Challenge) func(context.Context, *store.Tx) error {
	return func(ctx context.Context, tx *store.Tx) error { return challenge.Deny(ctx, tx, c) }
}

func cancel(c db.Challenge) func(context.Context, *store.Tx) error {
	return func(ctx context.Context, tx *store.Tx) error { return challenge.Cancel(ctx, tx, c, "stop") }
}

func expire(c db.Challenge) func(context.Context, *store.Tx) error {
	return func(ctx context.Context, tx *store.Tx) error { return challenge.ExpireDue(ctx, tx, c.ID) }
}

// accepted is a challenge to which its phone has said yes.
func (b bridge) accepted() db.Challenge {
	b.Helper()
	c := b.open()
	b.do(accept(c))
	return b.row(c.ID)
}

func (b bridge) click(id string) (c challenge.Click, due bool) {
	b.Helper()
	b.do(func(ctx context.Context, tx *store.Tx) (err error) {
		c, due, err = challenge.BeginClick(ctx, tx, id)
		return err
	})
	return c, due
}

// clicking is a challenge whose link is being redeemed.
func (b bridge) clicking() challenge.Click {
	b.Helper()
	c, due := b.click(b.accepted().ID)
	require.True(b, due)
	return c
}

func finish(c challenge.Click, confirmed bool) func(context.Context, *store.Tx) error {
	return func(ctx context.Context, tx *store.Tx) error {
		return challenge.Finish(ctx, tx, c, confirmed, "outcome")
	}
}

func submit(id string) func(context.Context, *store.Tx) error {
	return func(ctx context.Context, tx *store.Tx) error { return challenge.Submit(ctx, tx, id) }
}

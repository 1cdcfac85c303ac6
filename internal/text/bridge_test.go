package text_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"smsbridge/internal/store"
	"smsbridge/internal/store/db"
	"smsbridge/internal/store/storetest"
	"smsbridge/internal/tenant"
	"smsbridge/internal/text"
	"smsbridge/phonemail"
)

// bridge is a storetest.Bench with what is done to texts.
type bridge struct{ storetest.Bench }

// each runs test on a new store of each database.
func each(t *testing.T, test func(b bridge)) {
	t.Helper()
	storetest.EachBench(t, func(b storetest.Bench) { test(bridge{b}) })
}

func (b bridge) run(name string, f func(b bridge)) {
	b.Run(name, func(t *testing.T) { b.T = t; f(b) })
}

// events are the names and details of what the timeline says of a row.
func (b bridge) events(id string) (told []string) {
	b.Helper()
	b.Do(func(ctx context.Context, tx *store.Tx) error {
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
	b.Do(func(ctx context.Context, tx *store.Tx) (err error) {
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

// acme is a tenant without limits.
func acme() *tenant.Tenant { return &tenant.Tenant{Slug: "acme"} }

func line() phonemail.Line { return phonemail.Line{Account: "AC1", Sender: "+4512340000"} }

// make makes a text due, ten minutes before its deadline.
func (b bridge) make() (id string) {
	b.Helper()
	return b.draft(text.Draft{Tenant: acme(), Line: line(), Phone: phone(b, "+4520123456"),
		Purpose: text.Prompt, Body: "Reply YES.", Deadline: b.Now().Add(10 * time.Minute)})
}

func (b bridge) draft(d text.Draft) (id string) {
	b.Helper()
	b.Do(func(ctx context.Context, tx *store.Tx) (err error) {
		id, err = text.Make(ctx, tx, d)
		return err
	})
	return id
}

func (b bridge) begin(id string) (a text.Attempt, due bool) {
	b.Helper()
	b.Do(func(ctx context.Context, tx *store.Tx) (err error) {
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

// last is the last attempt to send a text.
func (b bridge) last(id string) text.Attempt {
	return text.Attempt{ID: id, Began: b.row(id).SendingAt.Time}
}

func (b bridge) loseSight(id string) {
	b.Helper()
	a := b.last(id)
	b.Do(func(ctx context.Context, tx *store.Tx) error { return text.LoseSight(ctx, tx, a) })
}

func (b bridge) accept(id, providerID string) {
	b.Helper()
	b.Do(func(ctx context.Context, tx *store.Tx) error { return text.Accept(ctx, tx, id, providerID) })
}

func (b bridge) refuse(id, reason string) {
	b.Helper()
	b.Do(func(ctx context.Context, tx *store.Tx) error { return text.Refuse(ctx, tx, id, reason) })
}

func (b bridge) putBack(id string, from text.State) {
	b.Helper()
	a := b.last(id)
	b.Do(func(ctx context.Context, tx *store.Tx) error { return text.PutBack(ctx, tx, a, from) })
}

func (b bridge) receipt(r text.Receipt) {
	b.Helper()
	b.Do(func(ctx context.Context, tx *store.Tx) error { return takeReceipt(ctx, tx, r) })
}

func takeReceipt(ctx context.Context, tx *store.Tx, r text.Receipt) error {
	_, err := text.TakeReceipt(ctx, tx, r)
	return err
}

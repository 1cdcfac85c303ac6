package reply_test

import (
	"context"
	"errors"
	"time"

	"github.com/stretchr/testify/require"

	"smsbridge/internal/store"
	"smsbridge/internal/store/db"
	"smsbridge/internal/store/storetest"
)

// group is a transaction that several steps share, as callers do that come to the store at once.
// A step alone spends most of its time on the transaction and the queue. Steps of one group have
// one time, and the jobs that they make due are dropped: timelines say what became due.
type group struct {
	ctx   context.Context
	tx    *store.Tx // nil: none is open
	raw   db.DBTX   // its statements that are not generated
	end   chan error
	ended chan error
}

var errUndone = errors.New("the test failed in the middle of a transaction")

// begin opens the transaction, unless it is open.
func (b bridge) begin() {
	b.Helper()
	g := b.group
	if g.tx != nil {
		return
	}
	begun, end, ended := make(chan struct{}), make(chan error, 1), make(chan error, 1)
	go func() {
		ended <- b.Try(func(ctx context.Context, tx *store.Tx) error {
			// Without its own end, statements need no goroutine that waits for it.
			g.ctx = context.WithoutCancel(ctx)
			steps, statements := *tx, *tx // copies, whose jobs do not reach the queue
			g.tx, g.raw = &steps, storetest.Watch(&statements).DBTX
			close(begun)
			return <-end
		})
	}()
	select {
	case <-begun:
	case err := <-ended:
		require.NoError(b, err)
	}
	g.end, g.ended = end, ended
}

// settle commits what the group did. A door, and what looks from outside, sees it from then on.
func (b bridge) settle() {
	b.Helper()
	if g := b.group; g != nil && g.tx != nil {
		g.tx = nil
		g.end <- nil
		require.NoError(b, <-g.ended)
	}
}

// abandon undoes what is not committed, so that a failing test ends.
func (b bridge) abandon() {
	if g := b.group; g.tx != nil {
		g.tx = nil
		g.end <- errUndone
		<-g.ended
	}
}

// Do is Bench.Do, in the group if there is one.
func (b bridge) Do(step func(ctx context.Context, tx *store.Tx) error) {
	b.Helper()
	if b.group == nil {
		b.Bench.Do(step)
		return
	}
	b.begin()
	require.NoError(b, step(b.group.ctx, b.group.tx))
}

// Pass is Bench.Pass, for which a group ends.
func (b bridge) Pass(d time.Duration) {
	b.Helper()
	b.settle()
	b.Bench.Pass(d)
}

// Strings is Bench.Strings, in the group if there is one.
func (b bridge) Strings(query string, args ...any) []string {
	b.Helper()
	if b.group == nil {
		return b.Bench.Strings(query, args...)
	}
	b.begin()
	_, err := b.group.tx.EventsOf(b.group.ctx, "") // which writes what was recorded
	require.NoError(b, err)
	return storetest.Strings(b, b.group.raw, query, args...)
}

// Exec is Bench.Exec, in the group if there is one.
func (b bridge) Exec(statement string, args ...any) {
	b.Helper()
	if b.group == nil {
		b.Bench.Exec(statement, args...)
		return
	}
	b.begin()
	_, err := b.group.raw.ExecContext(b.group.ctx, statement, args...)
	require.NoError(b, err)
}

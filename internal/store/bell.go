package store

import (
	"context"
	"database/sql"
	"errors"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/riverqueue/river"
	"github.com/riverqueue/river/riverdriver"
	"github.com/riverqueue/river/riverdriver/riverpgxv5"
	"github.com/riverqueue/river/riverdriver/riversqlite"
)

// bell tells this process's own workers that a transaction with jobs was committed.
//
// River tells all workers through the database, but only once within a fetch pause. What is
// enqueued in the rest of that pause waits for the next poll. The next step of a job that was just
// fetched is nearly always enqueued so soon. The bell rings for each commit, and what rings while
// another ring waits is one ring: a fetch takes all jobs that are due.
type bell chan struct{}

func newBell() bell { return make(bell, 1) }

func (b bell) ring() {
	select {
	case b <- struct{}{}:
	default:
	}
}

// listener hands River's notifier what the bell and the database say.
type listener struct {
	riverdriver.Listener
	bell bell
	// wait blocks until the database says something or ctx ends.
	wait func(ctx context.Context) (*riverdriver.Notification, error)
	// said is what wait will have returned. It is nil while no goroutine waits.
	said chan heard
}

// heard is one return of wait.
type heard struct {
	notification *riverdriver.Notification
	err          error
}

// WaitForNotification implements riverdriver.Listener. The notifier calls it again and again with
// one context until it returns an error. So it lets the goroutine that waits for the database go on
// when the bell rings. It returns an error only when that goroutine has ended: the connection is
// then free for other work.
func (l *listener) WaitForNotification(ctx context.Context) (*riverdriver.Notification, error) {
	if l.said == nil {
		said := make(chan heard, 1)
		l.said = said
		go func() {
			notification, err := l.wait(ctx)
			said <- heard{notification, err}
		}()
	}
	select {
	case s := <-l.said:
		l.said = nil
		return s.notification, s.err
	case <-l.bell:
		return &riverdriver.Notification{Topic: insertTopic, Payload: insertPayload}, nil
	}
}

// Unlisten implements riverdriver.Listener. A closed connection listens to nothing any more. River
// would complain of it when a queue is stopped while it starts.
func (l *listener) Unlisten(ctx context.Context, topic string) error {
	err := l.Listener.Unlisten(ctx, topic)
	if errors.Is(err, pgconn.ErrConnClosed) {
		return nil
	}
	return err
}

// What River's workers are told of new jobs: the topic that they listen to, and the queue.
const (
	insertTopic   = "river_insert"
	insertPayload = `{"queue":"` + river.QueueDefault + `"}`
)

// postgresDriver is River on PostgreSQL, with the bell beside NOTIFY and PostgreSQL's clock beside
// the process's. NOTIFY reaches the other replicas, which help when this one has no worker free.
type postgresDriver struct {
	*riverpgxv5.Driver
	bell   bell
	clocks *clocks
}

var _ riverdriver.Driver[pgx.Tx] = (*postgresDriver)(nil)

// GetListener implements riverdriver.Driver.
func (d *postgresDriver) GetListener(
	params *riverdriver.GetListenenerParams,
) riverdriver.Listener {
	inner := d.Driver.GetListener(params)
	return &listener{Listener: inner, bell: d.bell, wait: inner.WaitForNotification}
}

// GetExecutor implements riverdriver.Driver.
func (d *postgresDriver) GetExecutor() riverdriver.Executor {
	return clockedExecutor{d.Driver.GetExecutor(), d.clocks}
}

// UnwrapExecutor implements riverdriver.Driver.
func (d *postgresDriver) UnwrapExecutor(tx pgx.Tx) riverdriver.ExecutorTx {
	return clockedTx{d.Driver.UnwrapExecutor(tx), d.clocks}
}

// UnwrapTx implements riverdriver.Driver.
func (d *postgresDriver) UnwrapTx(tx riverdriver.ExecutorTx) pgx.Tx {
	if clocked, ok := tx.(clockedTx); ok {
		tx = clocked.ExecutorTx
	}
	return d.Driver.UnwrapTx(tx)
}

// sqliteDriver is River on SQLite, with the bell in the place of River's table of notifications.
// This process is the only one that uses the file, so no other could read that table.
type sqliteDriver struct {
	*riversqlite.Driver
	bell bell
}

var _ riverdriver.Driver[*sql.Tx] = (*sqliteDriver)(nil)

// GetListener implements riverdriver.Driver. River's own listener would read its table 20 times a
// second.
func (d *sqliteDriver) GetListener(params *riverdriver.GetListenenerParams) riverdriver.Listener {
	return &listener{Listener: d.Driver.GetListener(params), bell: d.bell, wait: silence}
}

// SupportsListenNotify implements riverdriver.Driver. It keeps River from writing to its table.
func (d *sqliteDriver) SupportsListenNotify() bool { return false }

// silence says nothing until ctx ends.
func silence(ctx context.Context) (*riverdriver.Notification, error) {
	<-ctx.Done()
	return nil, ctx.Err()
}

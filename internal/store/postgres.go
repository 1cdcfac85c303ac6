package store

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/jackc/pgx/v5/stdlib"
	"github.com/pressly/goose/v3"
	"github.com/riverqueue/river"
	"github.com/riverqueue/river/riverdriver/riverpgxv5"
	"github.com/riverqueue/river/rivertype"

	"smsbridge/internal/store/db"
)

// postgresLanes is how many transactions run side by side. More of them only contend (measured: 4
// commit more than 1 or 8).
const postgresLanes = 4

type postgresEngine struct {
	pool   *pgxpool.Pool // of the store
	queue  *pgxpool.Pool // of River
	db     *sql.DB
	client *river.Client[pgx.Tx]
	bell   bell
	clock  func() time.Time // nil: the database's
	clocks clocks
}

func openPostgres(
	ctx context.Context, o Options, workers *river.Workers,
) (_ *postgresEngine, err error) {
	e := &postgresEngine{bell: newBell(), clock: o.Now}
	defer func() {
		if err != nil {
			err = errors.Join(err, e.close())
		}
	}()
	if err := e.connect(ctx, o.URL); err != nil {
		return nil, err
	}
	if err := e.sessions(ctx); err != nil {
		return nil, err
	}
	driver := riverpgxv5.New(e.queue)
	if o.Beside {
		err = current(ctx, goose.DialectPostgres, e.db)
	} else {
		err = e.migrate(ctx, driver, o.Log)
	}
	if err != nil {
		return nil, err
	}
	queue := &postgresDriver{driver, e.bell, &e.clocks}
	if e.client, err = river.NewClient(queue, queueConfig(workers, o)); err != nil {
		return nil, fmt.Errorf("store: opening the queue: %w", err)
	}
	return e, nil
}

// clock asks for the database's time, which all replicas share.
const clock = "SELECT clock_timestamp()"

func (e *postgresEngine) lanes() int { return postgresLanes }

func (e *postgresEngine) alone() time.Time { return time.Time{} }

func (e *postgresEngine) database() *sql.DB { return e.db }

func (e *postgresEngine) beside() *sql.DB { return e.db }

func (e *postgresEngine) sizeQuery() string {
	return "SELECT pg_database_size(current_database())"
}

// clockAhead has a connection before it asks: to wait for one is no part of the round trip.
func (e *postgresEngine) clockAhead(ctx context.Context) (_ time.Duration, err error) {
	conn, err := e.db.Conn(ctx)
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, conn.Close()) }()
	var there time.Time
	asked := time.Now()
	if err := conn.QueryRowContext(ctx, clock).Scan(&there); err != nil {
		return 0, err
	}
	return beyond(there, asked, time.Now()), nil
}

// retryable reports whether a retry of a transaction helps. It does when PostgreSQL ended the
// transaction to save another (class 40). It does too when the transaction lost a race for a unique
// row (23505), because the retry finds that row.
//
// Source: https://www.postgresql.org/docs/current/errcodes-appendix.html
func (e *postgresEngine) retryable(err error) bool {
	var pg *pgconn.PgError
	return errors.As(err, &pg) && (strings.HasPrefix(pg.Code, "40") || pg.Code == "23505")
}

func (e *postgresEngine) read(ctx context.Context) (*db.Queries, time.Time, error) {
	if e.clock != nil {
		return db.New(e.db), e.clock(), nil
	}
	var now time.Time
	err := e.db.QueryRowContext(ctx, clock).Scan(&now)
	if err == nil {
		e.clocks.read(now)
	}
	return db.New(e.db), now, err
}

// ping fails, too, while PostgreSQL records nothing. A provider of databases may have it so when
// the disk is full.
func (e *postgresEngine) ping(ctx context.Context) error {
	var readOnly bool
	const asked = "SELECT current_setting('transaction_read_only')::bool"
	err := e.pool.QueryRow(ctx, asked).Scan(&readOnly)
	if err == nil && readOnly {
		err = errors.New("store: PostgreSQL records nothing: it is read-only")
	}
	return err
}

// begin starts a pgx transaction on a connection that database/sql lends, so that the generated
// queries and River share it. The queries run on the connection outside of Raw, which would
// deadlock. They are inside the transaction all the same, because it is the connection's. Its time
// comes with the round trip that begins it.
func (e *postgresEngine) begin(ctx context.Context) (_ session, err error) {
	conn, err := e.db.Conn(ctx)
	if err != nil {
		return nil, err
	}
	s := &postgresSession{Conn: conn, client: e.client, bell: e.bell}
	err = conn.Raw(func(driver any) (err error) {
		s.tx, s.at, err = e.beginTx(ctx, driver.(*stdlib.Conn).Conn())
		return err
	})
	if err != nil {
		_ = s.rollback(ctx)
		return nil, err
	}
	s.q = db.New(s)
	return s, nil
}

// beginTx begins a transaction and reads the clock, in one round trip.
func (e *postgresEngine) beginTx(
	ctx context.Context, conn *pgx.Conn,
) (tx pgx.Tx, now time.Time, err error) {
	var batch pgx.Batch
	batch.BeginTx(pgx.TxOptions{})
	if e.clock != nil {
		now = e.clock()
	} else {
		batch.Queue(clock).QueryRow(func(row pgx.Row) error { return row.Scan(&now) })
	}
	results := conn.SendBatch(ctx, &batch)
	err = results.Close()
	if err == nil && e.clock == nil {
		e.clocks.read(now)
	}
	return results.Tx(), now, err
}

// scrub has PostgreSQL drop the older versions of rows. Its own log and its backups keep them for
// as long as they are kept.
func (e *postgresEngine) scrub(ctx context.Context) error {
	if _, err := e.db.ExecContext(ctx, "VACUUM"); err != nil {
		return fmt.Errorf("store: vacuuming: %w", err)
	}
	return nil
}

func (e *postgresEngine) start(ctx context.Context) error { return e.client.Start(ctx) }

func (e *postgresEngine) every(interval time.Duration, job Job) {
	e.client.PeriodicJobs().Add(periodic(interval, job))
}

func (e *postgresEngine) stop(ctx context.Context) error { return e.client.Stop(ctx) }

func (e *postgresEngine) close() error {
	var err error
	if e.db != nil {
		err = e.db.Close()
	}
	for _, pool := range []*pgxpool.Pool{e.queue, e.pool} {
		if pool != nil {
			pool.Close()
		}
	}
	return err
}

type postgresSession struct {
	*sql.Conn
	tx     pgx.Tx
	q      *db.Queries
	at     time.Time
	client *river.Client[pgx.Tx]
	bell   bell
	jobs   bool      // whether it enqueues any
	ending bool      // whether nothing is left but the events
	last   pgx.Batch // what is sent with the commit
}

func (s *postgresSession) queries() *db.Queries { return s.q }
func (s *postgresSession) now() time.Time       { return s.at }

// record has the events go with the commit, in the commit's round trip.
func (s *postgresSession) record(ctx context.Context, events *pending) error {
	s.ending = true
	return events.write(ctx, s.q)
}

// ExecContext implements db.DBTX. What is written at the very end waits for the commit, and the
// number of its rows is not known.
func (s *postgresSession) ExecContext(
	ctx context.Context, text string, args ...any,
) (sql.Result, error) {
	if s.ending {
		s.last.Queue(text, args...)
		return driver.ResultNoRows, nil
	}
	return s.Conn.ExecContext(ctx, text, args...)
}

// enqueue hands the jobs to River. It copies them, and its NOTIFY goes with the commit, in the
// commit's round trip.
func (s *postgresSession) enqueue(ctx context.Context, jobs []river.InsertManyParams) error {
	s.jobs = true
	return s.direct(func() error {
		_, err := s.client.InsertManyFastTx(ctx, queuing{s.tx, &s.last}, jobs)
		return err
	})
}

func (s *postgresSession) getJob(
	ctx context.Context, id int64,
) (row *rivertype.JobRow, err error) {
	err = s.direct(func() error {
		row, err = s.client.JobGetTx(ctx, s.tx, id)
		return err
	})
	return row, err
}

func (s *postgresSession) retryJob(
	ctx context.Context, id int64,
) (row *rivertype.JobRow, err error) {
	s.jobs = true
	err = s.direct(func() error {
		if _, err := s.tx.Exec(ctx, forgetFailures, id); err != nil {
			return err
		}
		row, err = s.client.JobRetryTx(ctx, s.tx, id)
		return err
	})
	return row, err
}

func (s *postgresSession) deleteJob(
	ctx context.Context, id int64,
) (row *rivertype.JobRow, err error) {
	err = s.direct(func() error {
		row, err = s.client.JobDeleteTx(ctx, s.tx, id)
		return err
	})
	return row, err
}

// queuing is a transaction whose statements without a result wait in a batch. River does not use
// the number of their rows. What has a result is sent at once.
type queuing struct {
	pgx.Tx
	batch *pgx.Batch
}

// Exec implements pgx.Tx.
func (q queuing) Exec(_ context.Context, text string, args ...any) (pgconn.CommandTag, error) {
	q.batch.Queue(text, args...)
	return pgconn.CommandTag{}, nil
}

// direct does something on the connection past database/sql, while that does nothing there. When a
// statement's context ends, database/sql closes its rows in a goroutine of its own.
func (s *postgresSession) direct(f func() error) error {
	return s.Conn.Raw(func(any) error { return f() })
}

// commit sends what waits, and COMMIT. PostgreSQL does nothing of a batch after what fails, so that
// nothing that it refuses is left out of a commit. When commit fails, rollback must follow.
func (s *postgresSession) commit(ctx context.Context) error {
	s.last.Queue("COMMIT").Exec(func(tag pgconn.CommandTag) error {
		if tag.String() == "ROLLBACK" {
			return pgx.ErrTxCommitRollback
		}
		return nil
	})
	err := s.direct(func() error { return s.tx.SendBatch(ctx, &s.last).Close() })
	if err != nil {
		return uncertain(err)
	}
	if s.jobs {
		s.bell.ring()
	}
	_ = s.Conn.Close() // what is committed stays so, whatever becomes of the connection
	return nil
}

// uncertain tells a commit that PostgreSQL refused, or never got, from one whose response got lost.
// A pooler says with an error of class 08 that it lost the server.
func uncertain(err error) error {
	var pg *pgconn.PgError
	refused := errors.As(err, &pg) && !strings.HasPrefix(pg.Code, "08")
	if refused || errors.Is(err, pgx.ErrTxCommitRollback) || pgconn.SafeToRetry(err) {
		return err
	}
	return fmt.Errorf("%w: %w", errUncertain, err)
}

func (s *postgresSession) rollback(ctx context.Context) (err error) {
	if s.tx != nil {
		err = s.direct(func() error { return s.tx.Rollback(ctx) })
	}
	return errors.Join(err, s.Conn.Close())
}

func (e *postgresEngine) jobs() jobClient { return e.client }

func (e *postgresEngine) clients() QueueClients {
	return QueueClients{PostgreSQL: e.client}
}

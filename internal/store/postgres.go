package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/jackc/pgx/v5/stdlib"
	"github.com/pressly/goose/v3"
	"github.com/riverqueue/river"
	"github.com/riverqueue/river/riverdriver/riverpgxv5"
	"github.com/riverqueue/river/rivermigrate"

	"smsbridge/internal/store/db"
)

// postgresLanes is how many transactions run side by side. More of them only contend (measured: 4
// commit more than 1 or 8).
const postgresLanes = 4

// migrationLock is the advisory lock under which one replica migrates while the others wait. The
// number means nothing; no other user of the database may take it.
const migrationLock = 7_726_274_343

// Connections of one replica. Those of the store are for the lanes and as many readers. River has
// its own: a listener, a fetch, a batch of ended jobs, an election, and two for its upkeep. With
// one pool for both, lanes that wait for a slow database would keep River from holding its
// leadership: it is elected, steps down and is elected again, and no job is fetched meanwhile.
const (
	storeConns = 2 * postgresLanes
	queueConns = 6
)

type postgresEngine struct {
	pool   *pgxpool.Pool // of the store
	queue  *pgxpool.Pool // of River
	db     *sql.DB
	client *river.Client[pgx.Tx]
	bell   bell
	clock  func() time.Time // nil: the database's
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
	driver := riverpgxv5.New(e.queue)
	if err := e.migrate(ctx, driver); err != nil {
		return nil, err
	}
	queue := &postgresDriver{driver, e.bell}
	if e.client, err = river.NewClient(queue, queueConfig(workers, o)); err != nil {
		return nil, fmt.Errorf("store: opening the queue: %w", err)
	}
	return e, nil
}

// connect makes the pools. Their connections are opened when they are needed. A URL with
// pool_max_conns says how many the store may have; River has its own all the same.
func (e *postgresEngine) connect(ctx context.Context, url string) error {
	config, err := pgxpool.ParseConfig(url)
	if err != nil {
		// pgx's error may quote the password
		return errors.New("store: the database URL cannot be used")
	}
	if !strings.Contains(url, "pool_max_conns=") {
		config.MaxConns = storeConns
	}
	own := config.Copy()
	own.MaxConns, own.MinConns, own.MinIdleConns = queueConns, 0, 0
	if e.pool, err = pgxpool.NewWithConfig(ctx, config); err != nil {
		return errors.New("store: the pool cannot be made")
	}
	if e.queue, err = pgxpool.NewWithConfig(ctx, own); err != nil {
		return errors.New("store: the queue's pool cannot be made")
	}
	e.db = stdlib.OpenDBFromPool(e.pool)
	return nil
}

func (e *postgresEngine) migrate(ctx context.Context, driver *riverpgxv5.Driver) error {
	conn, err := e.pool.Acquire(ctx)
	if err != nil {
		return fmt.Errorf("store: PostgreSQL does not answer: %w", err)
	}
	defer conn.Release()
	if _, err := conn.Exec(ctx, "SELECT pg_advisory_lock($1)", int64(migrationLock)); err != nil {
		return fmt.Errorf("store: waiting to migrate: %w", err)
	}
	err = migrate(ctx, goose.DialectPostgres, e.db, driver,
		&rivermigrate.Config{Logger: slog.New(slog.DiscardHandler)})
	_, unlockErr := conn.Exec(context.WithoutCancel(ctx), "SELECT pg_advisory_unlock($1)",
		int64(migrationLock))
	return errors.Join(err, unlockErr)
}

func (e *postgresEngine) lanes() int { return postgresLanes }

func (e *postgresEngine) alone() time.Time { return time.Time{} }

func (e *postgresEngine) database() *sql.DB { return e.db }

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
	now, err := e.time(ctx, e.db)
	return db.New(e.db), now, err
}

func (e *postgresEngine) ping(ctx context.Context) error { return e.pool.Ping(ctx) }

func (e *postgresEngine) time(ctx context.Context, q interface {
	QueryRowContext(context.Context, string, ...any) *sql.Row
}) (time.Time, error) {
	if e.clock != nil {
		return e.clock(), nil
	}
	var now time.Time
	err := q.QueryRowContext(ctx, "SELECT clock_timestamp()").Scan(&now)
	return now, err
}

// begin starts a pgx transaction on a connection that database/sql lends, so that the generated
// queries and River share it. The queries run on the connection outside of Raw, which would
// deadlock. They are inside the transaction all the same, because it is the connection's.
func (e *postgresEngine) begin(ctx context.Context) (_ session, err error) {
	conn, err := e.db.Conn(ctx)
	if err != nil {
		return nil, err
	}
	s := &postgresSession{conn: conn, client: e.client, bell: e.bell}
	err = conn.Raw(func(driver any) error {
		s.tx, err = driver.(*stdlib.Conn).Conn().Begin(ctx)
		return err
	})
	if err == nil {
		s.at, err = e.time(ctx, conn)
	}
	if err != nil {
		s.rollback(ctx)
		return nil, err
	}
	s.q = db.New(conn)
	return s, nil
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
	conn   *sql.Conn
	tx     pgx.Tx
	q      *db.Queries
	at     time.Time
	client *river.Client[pgx.Tx]
	bell   bell
	jobs   bool // whether it enqueues any
}

func (s *postgresSession) queries() *db.Queries { return s.q }
func (s *postgresSession) now() time.Time       { return s.at }

func (s *postgresSession) enqueue(ctx context.Context, jobs []river.InsertManyParams) error {
	s.jobs = true
	return s.direct(func() error {
		_, err := s.client.InsertManyFastTx(ctx, s.tx, jobs)
		return err
	})
}

// direct does something on the connection past database/sql, while that does nothing there. When a
// statement's context ends, database/sql closes its rows in a goroutine of its own.
func (s *postgresSession) direct(f func() error) error {
	return s.conn.Raw(func(any) error { return f() })
}

func (s *postgresSession) commit(ctx context.Context) error {
	err := s.direct(func() error { return s.tx.Commit(ctx) })
	if err == nil && s.jobs {
		s.bell.ring()
	}
	return errors.Join(err, s.conn.Close())
}

func (s *postgresSession) rollback(ctx context.Context) {
	if s.tx != nil {
		_ = s.direct(func() error { return s.tx.Rollback(ctx) })
	}
	_ = s.conn.Close()
}

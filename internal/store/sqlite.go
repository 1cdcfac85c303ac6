package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"os"
	"time"

	"github.com/pressly/goose/v3"
	"github.com/riverqueue/river"
	"github.com/riverqueue/river/riverdriver/riversqlite"
	"github.com/riverqueue/river/rivermigrate"
	_ "modernc.org/sqlite"

	"smsbridge/internal/store/db"
)

type sqliteEngine struct {
	lock     *os.File
	db       *sql.DB // one connection: SQLite has one writer
	readOnly *sql.DB
	queries  *db.Queries
	reading  *db.Queries
	client   *river.Client[*sql.Tx]
	clock    func() time.Time
}

// openSQLite opens the file in WAL mode with synchronous=FULL: a commit is on disk when it
// returns (https://sqlite.org/pragma.html#pragma_synchronous).
func openSQLite(
	ctx context.Context, path string, o Options, workers *river.Workers,
) (_ *sqliteEngine, err error) {
	e := &sqliteEngine{clock: o.Now}
	if e.clock == nil {
		e.clock = time.Now
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, e.close())
		}
	}()
	if e.lock, err = lockFile(path + ".lock"); err != nil {
		return nil, err
	}
	const pragmas = "_pragma=busy_timeout(5000)&_pragma=synchronous(FULL)" +
		"&_pragma=wal_autocheckpoint(4000)&_pragma=secure_delete(ON)"
	file := (&url.URL{Path: path}).EscapedPath()
	writing := "file:" + file + "?_txlock=immediate&_pragma=journal_mode(WAL)&" + pragmas
	if e.db, err = sql.Open("sqlite", writing); err != nil {
		return nil, fmt.Errorf("store: opening: %w", err)
	}
	e.db.SetMaxOpenConns(1)
	driver := riversqlite.New(e.db)
	quiet := &rivermigrate.Config{Logger: slog.New(slog.DiscardHandler)}
	if err := migrate(ctx, goose.DialectSQLite3, e.db, driver, quiet); err != nil {
		return nil, err
	}
	// Links have been in this file, so only its owner may read it.
	if err := os.Chmod(path, 0o600); err != nil {
		return nil, fmt.Errorf("store: %w", err)
	}
	if e.queries, err = db.Prepare(ctx, e.db); err != nil {
		return nil, fmt.Errorf("store: %w", err)
	}
	reading := "file:" + file + "?mode=ro&_pragma=query_only(ON)&_pragma=busy_timeout(5000)"
	if e.readOnly, err = sql.Open("sqlite", reading); err != nil {
		return nil, fmt.Errorf("store: opening for reading: %w", err)
	}
	e.readOnly.SetMaxOpenConns(4)
	e.reading = db.New(e.readOnly)
	if e.client, err = river.NewClient(driver, queueConfig(workers, o.Log)); err != nil {
		return nil, fmt.Errorf("store: opening the queue: %w", err)
	}
	return e, nil
}

func (e *sqliteEngine) lanes() int { return 1 }

func (e *sqliteEngine) retryable(error) bool { return false }

func (e *sqliteEngine) read(ctx context.Context) (*db.Queries, time.Time, error) {
	return e.reading, e.clock(), e.readOnly.PingContext(ctx)
}

func (e *sqliteEngine) begin(ctx context.Context) (session, error) {
	tx, err := e.db.BeginTx(ctx, nil)
	if err != nil {
		return nil, err
	}
	return &sqliteSession{tx: tx, q: e.queries.WithTx(tx), at: e.clock(), client: e.client}, nil
}

// start hands back what a killed process left. This file has no other user, so no worker does its
// running jobs any more and its leader is gone.
func (e *sqliteEngine) start(ctx context.Context) error {
	for _, statement := range []string{
		"DELETE FROM river_leader",
		"UPDATE river_job SET state = 'available' WHERE state = 'running'",
	} {
		if _, err := e.db.ExecContext(ctx, statement); err != nil {
			return fmt.Errorf("store: handing back jobs: %w", err)
		}
	}
	return e.client.Start(ctx)
}

func (e *sqliteEngine) every(interval time.Duration, job Job) {
	e.client.PeriodicJobs().Add(periodic(interval, job))
}

func (e *sqliteEngine) stop(ctx context.Context) error { return e.client.Stop(ctx) }

func (e *sqliteEngine) close() error {
	var errs []error
	for _, c := range []*sql.DB{e.readOnly, e.db} {
		if c != nil {
			errs = append(errs, c.Close())
		}
	}
	if e.lock != nil {
		errs = append(errs, e.lock.Close())
	}
	return errors.Join(errs...)
}

type sqliteSession struct {
	tx     *sql.Tx
	q      *db.Queries
	at     time.Time
	client *river.Client[*sql.Tx]
}

func (s *sqliteSession) queries() *db.Queries { return s.q }
func (s *sqliteSession) now() time.Time       { return s.at }

func (s *sqliteSession) enqueue(ctx context.Context, jobs []river.InsertManyParams) error {
	_, err := s.client.InsertManyFastTx(ctx, s.tx, jobs)
	return err
}

func (s *sqliteSession) commit(context.Context) error { return s.tx.Commit() }
func (s *sqliteSession) rollback(context.Context)     { _ = s.tx.Rollback() }

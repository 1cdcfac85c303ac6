package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net/url"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/pressly/goose/v3"
	"github.com/riverqueue/river"
	"github.com/riverqueue/river/riverdriver/riversqlite"
	"github.com/riverqueue/river/rivertype"

	"smsbridge/internal/store/db"
)

type sqliteEngine struct {
	lock     *fileLock
	db       *sql.DB // one connection: SQLite has one writer
	readOnly *sql.DB
	reading  *db.Queries
	client   *river.Client[*sql.Tx]
	bell     bell
	clock    func() time.Time
	opened   time.Time
	placed   placed
	rest     context.CancelFunc // ends the checkpoints
	fresh    sync.WaitGroup
}

// checkpointEvery is how often what was committed moves from the WAL into the database file. SQLite
// itself does it only when the WAL has 16 MB, and a bridge may take months to fill that.
const checkpointEvery = 30 * time.Second

// busyTimeout is how many milliseconds a statement waits for another process that writes.
const busyTimeout = 5000

// openSQLite opens the file in WAL mode with synchronous=FULL: a commit is on disk when it
// returns (https://sqlite.org/pragma.html#pragma_synchronous).
func openSQLite(
	ctx context.Context, path string, o Options, workers *river.Workers,
) (_ *sqliteEngine, err error) {
	e := &sqliteEngine{bell: newBell(), clock: o.Now}
	if e.clock == nil {
		e.clock = time.Now
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, e.close())
		}
	}()
	if !o.Beside {
		if e.lock, err = lockOf(path); err != nil {
			return nil, err
		}
		if err := private(path, o.Log); err != nil {
			return nil, err
		}
	}
	pragmas := fmt.Sprintf("_pragma=busy_timeout(%d)&_pragma=synchronous(FULL)"+
		"&_pragma=wal_autocheckpoint(4000)&_pragma=secure_delete(ON)", busyTimeout)
	file := (&url.URL{Path: path}).EscapedPath()
	writing := "file:" + file + "?_txlock=immediate&_pragma=journal_mode(WAL)&" + pragmas
	if e.db, err = openFile(writing); err != nil {
		return nil, err
	}
	e.db.SetMaxOpenConns(1)
	driver := riversqlite.New(e.db)
	if o.Beside {
		err = current(ctx, goose.DialectSQLite3, e.db)
	} else {
		err = e.migrate(ctx, driver, o.Log)
	}
	if err != nil {
		return nil, err
	}
	if e.placed, err = place(path); err != nil { // now that SQLite has written into it
		return nil, err
	}
	if e.readOnly, err = openReading(path); err != nil {
		return nil, err
	}
	e.reading = db.New(e.readOnly)
	queue := &sqliteDriver{driver, e.bell}
	config := queueConfig(workers, o)
	// SQLite uses the pages again that finished jobs leave. The queue would warn each night, too, that
	// three of its indexes are PostgreSQL's alone.
	config.ReindexerIndexNames = []string{}
	if e.client, err = river.NewClient(queue, config); err != nil {
		return nil, fmt.Errorf("store: opening the queue: %w", err)
	}
	e.opened = e.clock()
	if o.Beside {
		return e, nil
	}
	if err := e.checkpoint(ctx); err != nil {
		return nil, err
	}
	awake, rest := context.WithCancel(context.WithoutCancel(ctx))
	e.rest = rest
	e.fresh.Go(func() { e.keepFresh(awake, o.Log) })
	return e, nil
}

// keepFresh makes a checkpoint now and then, until ctx ends, and wakes what waits for the clock.
func (e *sqliteEngine) keepFresh(ctx context.Context, log *slog.Logger) {
	tick := time.NewTicker(checkpointEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			if err := e.checkpoint(ctx); err != nil && ctx.Err() == nil {
				log.Error("what was committed stays in the WAL for now", "error", err)
			}
			if err := wake(ctx, e.db); err != nil && ctx.Err() == nil {
				log.Error("jobs may wait for the clock", "error", err)
			}
		}
	}
}

// checkpoint moves what was committed from the WAL into the database file. What a reader still
// needs where it is stays there until the next one.
//
// Source: https://sqlite.org/pragma.html#pragma_wal_checkpoint
func (e *sqliteEngine) checkpoint(ctx context.Context) error {
	if _, err := e.db.ExecContext(ctx, "PRAGMA wal_checkpoint(PASSIVE)"); err != nil {
		return fmt.Errorf("store: checkpoint: %w", err)
	}
	return nil
}

// While a reader needs the WAL, emptyLog tries again every emptyEvery, and fails after emptyTries.
const (
	emptyEvery = 100 * time.Millisecond
	emptyTries = 50
)

// emptyLog empties the WAL, which has the pages as they were before. It waits for readers itself:
// SQLite would wait with the only connection that writes, and every webhook behind it.
func (e *sqliteEngine) emptyLog(ctx context.Context) error {
	tick := time.NewTicker(emptyEvery)
	defer tick.Stop()
	for range emptyTries {
		if busy, err := e.truncateLog(ctx); err != nil || !busy {
			return err
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-tick.C:
		}
	}
	return errors.New("store: the WAL is in use and still holds older pages: try again")
}

// truncateLog empties the WAL unless another connection uses it: then it is busy.
func (e *sqliteEngine) truncateLog(ctx context.Context) (busy bool, err error) {
	conn, err := e.db.Conn(ctx)
	if err != nil {
		return false, fmt.Errorf("store: emptying the WAL: %w", err)
	}
	patience := func(timeout int) error {
		_, err := conn.ExecContext(context.WithoutCancel(ctx),
			fmt.Sprintf("PRAGMA busy_timeout(%d)", timeout))
		return err
	}
	defer func() { err = errors.Join(err, patience(busyTimeout), conn.Close()) }()
	if err := patience(0); err != nil {
		return false, fmt.Errorf("store: emptying the WAL: %w", err)
	}
	var pages, moved int
	row := conn.QueryRowContext(ctx, "PRAGMA wal_checkpoint(TRUNCATE)")
	if err := row.Scan(&busy, &pages, &moved); err != nil {
		return false, fmt.Errorf("store: emptying the WAL: %w", err)
	}
	return busy, nil
}

func (e *sqliteEngine) scrub(ctx context.Context) error {
	for next := int64(1); next != 0; {
		var err error
		if next, err = e.blank(ctx, next); err != nil {
			return err
		}
	}
	return e.emptyLog(ctx)
}

// readers is how many connections read at once. Each is kept: a new one reads the schema first, and
// prepares its statements again, which takes longer than most readings.
const readers = 4

// openReading opens a SQLite file for reading, which another process may be writing.
func openReading(path string) (*sql.DB, error) {
	name := "file:" + (&url.URL{Path: path}).EscapedPath() +
		"?mode=ro&_pragma=query_only(ON)&_pragma=busy_timeout(5000)"
	conn, err := openFile(name)
	if err != nil {
		return nil, err
	}
	conn.SetMaxOpenConns(readers)
	conn.SetMaxIdleConns(readers)
	return conn, nil
}

func (e *sqliteEngine) lanes() int { return 1 }

func (e *sqliteEngine) alone() time.Time { return e.opened }

func (e *sqliteEngine) database() *sql.DB { return e.db }

func (e *sqliteEngine) beside() *sql.DB { return e.readOnly }

func (e *sqliteEngine) sizeQuery() string {
	return "SELECT page_count * page_size FROM pragma_page_count(), pragma_page_size()"
}

func (e *sqliteEngine) clockAhead(context.Context) (time.Duration, error) { return 0, nil }

func (e *sqliteEngine) retryable(error) bool { return false }

func (e *sqliteEngine) read(ctx context.Context) (*db.Queries, time.Time, error) {
	return e.reading, e.clock(), ctx.Err()
}

func (e *sqliteEngine) ping(ctx context.Context) error {
	return errors.Join(e.placed.check(), e.readOnly.PingContext(ctx))
}

func (e *sqliteEngine) begin(ctx context.Context) (session, error) {
	if err := e.placed.check(); err != nil {
		return nil, err
	}
	conn, err := e.db.Conn(ctx)
	if err != nil {
		return nil, err
	}
	// Not ctx: at its end, database/sql would roll back between two statements, and the second one
	// would be a transaction of its own.
	tx, err := conn.BeginTx(context.WithoutCancel(ctx), nil)
	if err != nil {
		return nil, errors.Join(err, conn.Close())
	}
	s := &sqliteSession{
		conn: conn, tx: tx, q: db.New(uninterrupted{conn}), client: e.client, bell: e.bell,
	}
	defer func() {
		if s.at.IsZero() { // the clock panicked, and the only connection that writes must go back
			_ = s.rollback(ctx)
		}
	}()
	s.at = e.clock()
	return s, nil
}

// start hands back what a killed process left, and wakes what waits for the clock. This file has no
// other user, so no worker does its running jobs any more and its leader is gone.
func (e *sqliteEngine) start(ctx context.Context) error {
	if err := handBack(ctx, e.db); err != nil {
		return fmt.Errorf("store: handing back jobs: %w", err)
	}
	if err := wake(ctx, e.db); err != nil {
		return err
	}
	return e.client.Start(ctx)
}

func (e *sqliteEngine) every(interval time.Duration, job Job) {
	e.client.PeriodicJobs().Add(periodic(interval, job))
}

func (e *sqliteEngine) stop(ctx context.Context) error { return e.client.Stop(ctx) }

func (e *sqliteEngine) close() error {
	if e.rest != nil {
		e.rest()
		e.fresh.Wait()
	}
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
	conn   *sql.Conn // of the transaction
	tx     *sql.Tx
	q      *db.Queries
	at     time.Time
	client *river.Client[*sql.Tx]
	bell   bell
	jobs   bool // whether it enqueues any
}

func (s *sqliteSession) queries() *db.Queries { return s.q }
func (s *sqliteSession) now() time.Time       { return s.at }

func (s *sqliteSession) record(ctx context.Context, events *pending) error {
	return events.write(ctx, s.q)
}

func (s *sqliteSession) enqueue(ctx context.Context, jobs []river.InsertManyParams) error {
	s.jobs = true
	_, err := s.client.InsertManyFastTx(ctx, s.tx, jobs)
	return err
}

func (s *sqliteSession) getJob(ctx context.Context, id int64) (*rivertype.JobRow, error) {
	return s.client.JobGetTx(ctx, s.tx, id)
}

func (s *sqliteSession) retryJob(ctx context.Context, id int64) (*rivertype.JobRow, error) {
	s.jobs = true
	if _, err := s.tx.ExecContext(ctx, forgetFailures, id); err != nil {
		return nil, err
	}
	return s.client.JobRetryTx(ctx, s.tx, id)
}

func (s *sqliteSession) deleteJob(ctx context.Context, id int64) (*rivertype.JobRow, error) {
	return s.client.JobDeleteTx(ctx, s.tx, id)
}

func (s *sqliteSession) commit(context.Context) error {
	err := s.tx.Commit()
	if err == nil && s.jobs {
		s.bell.ring()
	}
	_ = s.conn.Close() // it goes back to the pool
	return err
}

// rollback may follow a commit that failed.
func (s *sqliteSession) rollback(context.Context) error {
	return errors.Join(s.tx.Rollback(), s.conn.Close())
}

// folderOf returns an error when the folder of a SQLite file does not exist. A bridge that made it
// would begin with an empty database where a disk is not mounted or a path is misspelled.
func folderOf(path string) error {
	folder := filepath.Dir(path)
	info, err := os.Stat(folder)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return fmt.Errorf("store: the folder %s of the database does not exist:"+
			" create it, or correct the path", folder)
	case err != nil:
		return fmt.Errorf("store: %w", err)
	case !info.IsDir():
		return fmt.Errorf("store: %s is not a folder: correct the path of the database", folder)
	}
	return nil
}

// private makes the file when there is none, and lets only its owner read it and what lies beside
// it: they hold phone numbers. SQLite gives the files beside it the mode of the file
// (https://sqlite.org/tempfiles.html), so the mode is right before SQLite opens it.
func private(path string, log *slog.Logger) error {
	if err := restored(path); err != nil { // now that no restore can be under way
		return err
	}
	file, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o600)
	switch {
	case err == nil:
		log.Info("a new database was made", "path", path)
		if err := file.Close(); err != nil {
			return fmt.Errorf("store: %w", err)
		}
	case !errors.Is(err, fs.ErrExist):
		return fmt.Errorf("store: %w", err)
	}
	for _, name := range []string{path, path + "-wal", path + "-shm"} {
		if err := os.Chmod(name, 0o600); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("store: %w", err)
		}
	}
	return nil
}

func (e *sqliteEngine) jobs() jobClient { return e.client }

func (e *sqliteEngine) clients() QueueClients { return QueueClients{SQLite: e.client} }

// Package store is the bridge's memory. It opens the database, brings its tables up to date,
// commits work in groups, and seals what must not be readable on disk. It holds the River queue,
// in which every outside effect waits for a worker.
//
// It is for the rules (such as mail, reply, challenge and text), which say what to read and
// write. It knows none of them. It promises:
//
//   - When Do returns nil, what the function wrote and the jobs it enqueued are on disk, together
//     or not at all.
//   - One set of queries (folder query, generated into package db) and one folder of migrations
//     serve SQLite and PostgreSQL alike.
//   - A sealed value opens only in the row, column and tenant it was sealed for. A bridge without
//     the key of what is sealed does not start.
//   - A bridge that is older than the tables does not start.
//
// SQLite is one file used by one process. PostgreSQL may be shared by any number of equal replicas.
package store

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/riverqueue/river"
	"github.com/riverqueue/river/rivertype"

	"smsbridge/internal/store/db"
	"smsbridge/internal/store/fact"
	"smsbridge/internal/store/moment"
)

// Options say which database to open and how.
type Options struct {
	// URL is "sqlite:PATH" or a "postgres://…" connection URL.
	URL string
	// Key seals and opens values; 32 bytes. Nil with SQLite: the keys are read from the file PATH.key,
	// which a new database gets with mode 0600. PostgreSQL refuses to open without a key.
	Key []byte
	// OldKeys only open what they sealed before, until Reseal has sealed it anew.
	OldKeys [][]byte
	// Beside opens a database that a bridge may be working on, for a command. It makes nothing and
	// migrates nothing, and the queue must not be started.
	Beside bool
	// Now replaces the clock in tests. Nil: the process's clock on SQLite, the database's on
	// PostgreSQL.
	Now func() time.Time
	// Log is told of failing jobs, of the queue's warnings, of a new file, and of a WAL that stays
	// full. Nil: nothing is logged.
	Log *slog.Logger

	poll     time.Duration          // instead of pollEvery, in tests
	patience time.Duration          // instead of readTimeout, in tests
	night    river.PeriodicSchedule // instead of midnight UTC, in tests
	describe *describer
}

// Store is an open database. It is safe for concurrent use.
type Store struct {
	engine  engine
	sealer  sealer
	digests digestKey
	packer  packer
	workers *river.Workers
	calls   chan *call
	lanes   sync.WaitGroup
	closing chan struct{}
	once    sync.Once

	beginner Beginner
	patience time.Duration // of what reads
	describe *describer
	begins   []string // the kinds of jobs that it begins
	turns    turns
	periodic []string // the kinds of jobs that Every has done

	recorder Recorder // nil for none
	aside    aside
	groups   groupCount
	unable   unwritable
	waiters  waiters
	heard    func(facts []fact.Fact) // nil when none counts
}

// engine is what differs between the two databases.
type engine interface {
	begin(ctx context.Context) (session, error)
	read(ctx context.Context) (*db.Queries, time.Time, error)
	ping(ctx context.Context) error
	retryable(err error) bool
	every(interval time.Duration, job Job)
	start(ctx context.Context) error
	stop(ctx context.Context) error
	close() error
	lanes() int
	// alone is the time from which on no process but this one works. It is zero if others may.
	alone() time.Time
	// scrub removes what was deleted from the files of the database, as far as it can.
	scrub(ctx context.Context) error
	// jobs is for operators, who see what the queue has.
	jobs() jobClient
	clients() QueueClients
	// database is for the few statements that are not generated.
	database() *sql.DB
	// beside is for reading alone. No writer waits for it.
	beside() *sql.DB
	// sizeQuery asks how many bytes the database has.
	sizeQuery() string
	// clockAhead is as Store.ClockAhead.
	clockAhead(ctx context.Context) (time.Duration, error)
}

// session is one transaction: queries and jobs that are committed together.
type session interface {
	queries() *db.Queries
	now() time.Time
	// record writes the events that wait, with the commit at the latest.
	record(ctx context.Context, events *pending) error
	enqueue(ctx context.Context, jobs []river.InsertManyParams) error
	// These are for operators, who see what the queue has.
	getJob(ctx context.Context, id int64) (*rivertype.JobRow, error)
	retryJob(ctx context.Context, id int64) (*rivertype.JobRow, error)
	deleteJob(ctx context.Context, id int64) (*rivertype.JobRow, error)
	commit(ctx context.Context) error
	// rollback gives the connection back. An error says that the database did not answer.
	rollback(ctx context.Context) error
}

// Open opens the database, creating the SQLite file where there is none, and applies the
// migrations that are missing. The queue is not worked until Start. It returns a *KeyError when the
// database holds values of another key, and a *SchemaError when a newer smsbridge has migrated it.
func Open(ctx context.Context, o Options) (*Store, error) {
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	o.describe = &describer{}
	workers := river.NewWorkers()
	e, err := openEngine(ctx, &o, workers)
	if err != nil {
		return nil, err
	}
	sealer, err := o.sealer()
	if err == nil {
		err = sealer.admit(ctx, e.database())
	}
	var digests digestKey
	if err == nil {
		digests, err = openDigestKey(ctx, db.New(e.database()), sealer)
	}
	if err != nil {
		return nil, errors.Join(err, e.close())
	}
	s := &Store{
		engine: e, describe: o.describe, sealer: sealer, digests: digests, workers: workers,
		patience: cmp.Or(o.patience, readTimeout),
		calls:    make(chan *call, queuedCalls),
		closing:  make(chan struct{}),
	}
	for range e.lanes() {
		s.lanes.Go(s.lane)
	}
	return s, nil
}

// openEngine opens the database that the options name. It sets the keys when they lie beside it.
func openEngine(ctx context.Context, o *Options, workers *river.Workers) (engine, error) {
	switch {
	case strings.HasPrefix(o.URL, "sqlite:"):
		path := strings.TrimPrefix(o.URL, "sqlite:")
		if err := standing(path, *o); err != nil {
			return nil, err
		}
		if o.Key == nil {
			if err := o.take(keysBeside(path)); err != nil {
				return nil, err
			}
		}
		return openSQLite(ctx, path, *o, workers)
	case strings.HasPrefix(o.URL, "postgres://"), strings.HasPrefix(o.URL, "postgresql://"):
		if o.Key == nil {
			return nil, errNoPostgresKey
		}
		return openPostgres(ctx, *o, workers)
	}
	return nil, errors.New(`store: the database must be "sqlite:PATH" or "postgres://…"`)
}

var errNoPostgresKey = errors.New("store: PostgreSQL needs a configured key:" +
	" replicas must share it and it must not lie beside the data")

// QueueClients has River's client for one database, and nil for the other. It is for River's own
// pages: a rule makes a job due through its Tx.
type QueueClients struct {
	SQLite     *river.Client[*sql.Tx]
	PostgreSQL *river.Client[pgx.Tx]
}

// QueueClients returns the client of the job queue.
func (s *Store) QueueClients() QueueClients { return s.engine.clients() }

// Workers is where the functions that do the queued jobs are added, before Start.
func (s *Store) Workers() *river.Workers { return s.workers }

// Start begins to work the queue.
func (s *Store) Start(ctx context.Context) error {
	if err := s.engine.start(ctx); err != nil {
		return err
	}
	if s.beginner != nil {
		s.turns.admit()
	}
	s.aside.admit()
	return nil
}

// Every has a job done when the queue starts and at an interval from then on, by one replica.
func (s *Store) Every(interval time.Duration, job Job) {
	s.periodic = append(s.periodic, job.Kind())
	s.engine.every(interval, job)
}

// Stop lets running jobs finish until ctx ends, and begins no more. Jobs that did not finish are
// done after the next start.
func (s *Store) Stop(ctx context.Context) error {
	s.turns.close()
	s.aside.close()
	return errors.Join(s.engine.stop(ctx), s.turns.wait(ctx), s.aside.wait(ctx))
}

// DeadBefore returns a time: a worker that began something before it, and has not recorded its end,
// is dead. On SQLite no other process works, so that whatever is older than this Store counts. When
// the clock went back behind its start, that tells nothing.
func (s *Store) DeadBefore(now time.Time) time.Time {
	before := now.Add(-RescueAfter)
	if alone := s.engine.alone(); alone.After(before) && !alone.After(now) {
		return alone
	}
	return before
}

// Close ends the transactions under way and closes the database. Call Stop first.
func (s *Store) Close() error {
	s.once.Do(func() { close(s.closing) })
	s.lanes.Wait()
	return s.engine.close()
}

// Ping returns an error if the database does not respond, or could not write last.
func (s *Store) Ping(ctx context.Context) error {
	if err := s.engine.ping(ctx); err != nil {
		return err
	}
	return s.unable.err()
}

// readTimeout is how long what is read may take. A server that is gone without a word would take
// the caller with it, and one of few connections.
const readTimeout = time.Minute

// Read runs f with what the newest commit left, or one an instant before it. It is no snapshot:
// what is committed while f runs may be seen by its later queries. After a minute it fails.
func (s *Store) Read(ctx context.Context, f func(ctx context.Context, view View) error) error {
	return s.patiently(ctx, func(ctx context.Context) error {
		queries, now, err := s.engine.read(ctx)
		if err != nil {
			return fmt.Errorf("store: reading: %w", err)
		}
		return f(ctx, &reader{queries, now, s.sealer, s.digests, &s.packer})
	})
}

// patiently runs what reads, until ctx ends or readTimeout is over.
func (s *Store) patiently(ctx context.Context, f func(ctx context.Context) error) error {
	bound, cancel := context.WithTimeout(ctx, s.patience)
	defer cancel()
	err := f(bound)
	if err != nil && bound.Err() != nil && ctx.Err() == nil {
		err = fmt.Errorf("store: the database did not answer within %s: %w", s.patience, err)
	}
	return err
}

// Tx is one transaction, shared with other callers of Do. Queries are typed and generated from the
// folder query. Its one time is the database's on PostgreSQL and the process's on SQLite.
type Tx struct {
	reader
	jobs   []queued
	events *pending

	shared *shared

	session session // of all callers

	undone []func(ctx context.Context, tx *Tx) error // see IfUndone

	turns  *turns // nil when the queue must have every job
	begins []string
	begun  []Job // those that are begun in this transaction
	taken  int   // how many turns it took
}

// Job names one kind of work and the id of the row it is about. Nothing else belongs in its
// fields, because they are kept and shown.
type Job interface{ Kind() string }

// queued is a job as the queue takes it.
type queued = river.InsertManyParams

// queue makes job due now, by a row of the queue.
func (tx *Tx) queue(job Job) { tx.jobs = append(tx.jobs, queued{Args: job}) }

// EnqueueAt makes job due at a time, or now if that time has come: River looks for jobs with a time
// every five seconds only. The queue may be seconds late, so a worker compares a deadline with the
// time and does not rely on the job's.
func (tx *Tx) EnqueueAt(job Job, at time.Time) {
	if !at.After(tx.Now()) {
		tx.queue(job)
		return
	}
	opts := &river.InsertOpts{ScheduledAt: at}
	tx.jobs = append(tx.jobs, queued{Args: job, InsertOpts: opts})
}

// NewID is a new row's id: a UUIDv7 (RFC 9562 section 5.7), so that ids sort by the time they
// were made.
func NewID() string { return uuid.Must(uuid.NewV7()).String() }

// FirstID sorts before every id that NewID makes at a time or later, and after all before.
func FirstID(t time.Time) string { return firstID(moment.Of(t)) }

// AfterAll sorts after every id, in the order of each language: it comes after the digits of an id.
// In that of English, "~" comes before them.
const AfterAll = "g"

// IsText reports whether every database takes a text. PostgreSQL refuses NUL and what is not UTF-8.
//
// Source: https://www.postgresql.org/docs/current/datatype-character.html
func IsText(s string) bool { return utf8.ValidString(s) && !strings.ContainsRune(s, 0) }

// IsPlain reports whether a text has no control character either, such as the end of a line.
func IsPlain(s string) bool { return IsText(s) && !strings.ContainsFunc(s, unicode.IsControl) }

// Missing reports whether err says that a query for one row found none.
func Missing(err error) bool { return errors.Is(err, sql.ErrNoRows) }

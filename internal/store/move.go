package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
)

// ErrNotPostgres says that a database cannot be moved to: it is not PostgreSQL.
var ErrNotPostgres = errors.New("store: a database is moved to PostgreSQL")

// ErrNotEmpty says that the database that is moved to has rows.
var ErrNotEmpty = errors.New("store: the PostgreSQL database has rows of a bridge already")

// Move copies everything from a SQLite database, on which no bridge may be running, into an empty
// PostgreSQL database: all rows, and the jobs that are not done. It does so in one transaction of
// PostgreSQL, so that all is there afterwards or nothing. The SQLite database stays as it is. The
// keys are the same on both sides. Tell is told each table with its rows.
//
// It returns ErrNotSQLite, ErrNotPostgres or ErrNotEmpty, and an error that is fs.ErrNotExist when
// there is no SQLite file.
func Move(
	ctx context.Context, from Options, to string, tell func(table string, rows int64),
) (err error) {
	path, isSQLite := strings.CutPrefix(from.URL, "sqlite:")
	if !isSQLite {
		return ErrNotSQLite
	}
	if !strings.HasPrefix(to, "postgres://") && !strings.HasPrefix(to, "postgresql://") {
		return ErrNotPostgres
	}
	if _, err := os.Stat(path); err != nil {
		return fmt.Errorf("store: %w", err)
	}
	if err := giveKeys(&from, path); err != nil {
		return err
	}
	old, err := Open(ctx, from)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, old.Close()) }()
	if err := unused(ctx, to, old.engine.database()); err != nil {
		return err
	}
	target, err := Open(ctx, Options{URL: to, Key: from.Key, OldKeys: from.OldKeys, Now: from.Now})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, target.Close()) }()
	conn, err := target.engine.(*postgresEngine).pool.Acquire(ctx)
	if err != nil {
		return fmt.Errorf("store: PostgreSQL does not answer: %w", err)
	}
	defer conn.Release()
	return pgx.BeginFunc(ctx, conn, func(tx pgx.Tx) error {
		m := move{old.engine.database(), tx, tell}
		return m.all(ctx)
	})
}

// unused returns ErrNotEmpty when PostgreSQL has a row in one of the tables. It asks before Open
// does, which migrates: a bridge of an older version may be running on that database.
func unused(ctx context.Context, to string, from *sql.DB) (err error) {
	var e postgresEngine
	defer func() { err = errors.Join(err, e.close()) }()
	if err := e.connect(ctx, to); err != nil {
		return err
	}
	tables, err := tablesOf(ctx, from)
	if err != nil {
		return err
	}
	for _, table := range append(tables, "river_job") {
		there := false
		quoted := pgx.Identifier{table}.Sanitize()
		row := e.db.QueryRowContext(ctx, "SELECT to_regclass($1) IS NOT NULL", quoted)
		if err := row.Scan(&there); err != nil {
			return fmt.Errorf("store: PostgreSQL does not answer: %w", err)
		}
		if !there || own(table) {
			continue
		}
		if err := none(e.db.QueryRowContext(ctx, someRow(table)), table); err != nil {
			return err
		}
	}
	return nil
}

// move is a move under way.
type move struct {
	from *sql.DB
	to   pgx.Tx
	tell func(table string, rows int64)
}

// own reports whether each database has rows in a table from its beginning: the ids of its keys,
// and the key of its digests. Those of the database that is moved take their place.
func own(table string) bool { return table == "seal_key" || table == "secret" }

func (m move) all(ctx context.Context) error {
	tables, err := tablesOf(ctx, m.from)
	if err != nil {
		return err
	}
	if err := m.empty(ctx, tables); err != nil {
		return err
	}
	for _, table := range tables {
		n, err := m.table(ctx, table)
		if err != nil {
			return fmt.Errorf("store: moving the table %s: %w", table, err)
		}
		m.tell(table, n)
	}
	n, err := m.jobs(ctx)
	if err != nil {
		return fmt.Errorf("store: moving the jobs: %w", err)
	}
	m.tell("jobs", n)
	return nil
}

// empty returns ErrNotEmpty unless PostgreSQL has no row. Nothing else can write any until the move
// is over.
func (m move) empty(ctx context.Context, tables []string) error {
	for _, table := range append(slices.Clone(tables), "river_job") {
		lock := "LOCK TABLE " + pgx.Identifier{table}.Sanitize() + " IN EXCLUSIVE MODE"
		if _, err := m.to.Exec(ctx, lock); err != nil {
			return fmt.Errorf("store: locking %s: %w", table, err)
		}
		if own(table) {
			if _, err := m.to.Exec(ctx, "DELETE FROM "+table); err != nil {
				return fmt.Errorf("store: making room in %s: %w", table, err)
			}
			continue
		}
		if err := none(m.to.QueryRow(ctx, someRow(table)), table); err != nil {
			return err
		}
	}
	return nil
}

// someRow is the query for whether a table has a row.
func someRow(table string) string {
	return "SELECT EXISTS (SELECT 1 FROM " + pgx.Identifier{table}.Sanitize() + ")"
}

// none returns ErrNotEmpty when the response to that query is yes.
func none(row interface{ Scan(into ...any) error }, table string) error {
	var some bool
	if err := row.Scan(&some); err != nil {
		return fmt.Errorf("store: looking into %s: %w", table, err)
	}
	if some {
		return fmt.Errorf("%w: in %s", ErrNotEmpty, table)
	}
	return nil
}

// table copies the rows of a table. Both databases have the same columns.
func (m move) table(ctx context.Context, table string) (int64, error) {
	columns, err := column(ctx, m.from, "SELECT name FROM pragma_table_info($1)", table)
	if err != nil {
		return 0, err
	}
	quoted := make([]string, len(columns))
	for i, c := range columns {
		quoted[i] = pgx.Identifier{c}.Sanitize()
	}
	rows, err := m.from.QueryContext(ctx, "SELECT "+strings.Join(quoted, ", ")+" FROM "+
		pgx.Identifier{table}.Sanitize())
	if err != nil {
		return 0, err
	}
	defer rows.Close()
	n, err := m.to.CopyFrom(ctx, pgx.Identifier{table}, columns, pgx.CopyFromFunc(
		func() ([]any, error) {
			if !rows.Next() {
				return nil, rows.Err()
			}
			values, places := make([]any, len(columns)), make([]any, len(columns))
			for i := range values {
				places[i] = &values[i]
			}
			return values, rows.Scan(places...)
		}))
	return n, errors.Join(err, rows.Err())
}

// jobs gives PostgreSQL's queue the jobs that are not done. One that a worker had when the bridge
// was killed is due. One that waits for its time waits there, too. A job that drops another one
// names its number, so they keep their numbers.
func (m move) jobs(ctx context.Context) (n int64, err error) {
	rows, err := m.from.QueryContext(ctx, "SELECT id, json(args), kind, max_attempts, attempt,"+
		" priority, queue, scheduled_at,"+
		" CASE WHEN state IN ('retryable', 'scheduled') THEN state ELSE 'available' END FROM river_job"+
		" WHERE state IN ('available', 'pending', 'retryable', 'running', 'scheduled') ORDER BY id")
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	for rows.Next() {
		var (
			args, kind, queue, state        string
			id, attempts, attempt, priority int64
			at                              time.Time
		)
		err := rows.Scan(&id, &args, &kind, &attempts, &attempt, &priority, &queue, &at, &state)
		if err == nil {
			_, err = m.to.Exec(ctx, "INSERT INTO river_job (id, args, kind, max_attempts, attempt,"+
				" priority, queue, scheduled_at, state)"+
				" VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9::text::river_job_state)",
				id, args, kind, attempts, min(attempt, attempts-1), priority, queue, at, state)
		}
		if err != nil {
			return 0, err
		}
		n++
	}
	if err := rows.Err(); err != nil || n == 0 {
		return n, err
	}
	_, err = m.to.Exec(ctx, "SELECT setval(pg_get_serial_sequence('river_job', 'id'), max(id))"+
		" FROM river_job")
	return n, err
}

package main

import (
	"context"
	"database/sql"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"

	_ "github.com/jackc/pgx/v5/stdlib" // the driver pgx
	_ "modernc.org/sqlite"             // the driver sqlite
)

// database is one that a server works on. Each measurement has a fresh copy of a template, which
// one server of the same binary has made.
type database struct {
	kind string // sqlite or postgres
	path string // of SQLite's file
	name string // of PostgreSQL's database
	root string // URL of the PostgreSQL server
}

const (
	kindSQLite   = "sqlite"
	kindPostgres = "postgres"
)

// url is how the bridge is told.
func (d database) url() string {
	if d.kind == kindSQLite {
		return "sqlite:" + d.path
	}
	u, err := url.Parse(d.root)
	if err != nil {
		return d.root
	}
	u.Path = "/" + d.name
	return u.String()
}

// connect connects to the database beside the bridge.
func (d database) connect() (*sql.DB, error) {
	if d.kind == kindSQLite {
		return sql.Open("sqlite", "file:"+d.path+"?_pragma=busy_timeout(10000)")
	}
	return sql.Open("pgx", d.url())
}

// create makes an empty database, or a copy of a template that no process uses.
func (d database) create(ctx context.Context, template *database) error {
	if d.kind == kindSQLite {
		if template == nil {
			return nil // the bridge makes the file
		}
		return errors.Join(copyFile(template.path, d.path), copyFile(template.path+"-wal", d.path+"-wal"))
	}
	statement := "CREATE DATABASE " + d.name
	if template != nil {
		statement += " TEMPLATE " + template.name
	}
	return d.atRoot(ctx, statement)
}

// drop removes the database with all that is in it.
func (d database) drop(ctx context.Context) error {
	if d.kind == kindPostgres {
		return d.atRoot(ctx, "DROP DATABASE IF EXISTS "+d.name+" WITH (FORCE)")
	}
	files, err := filepath.Glob(d.path + "*")
	for _, file := range files {
		err = errors.Join(err, os.Remove(file))
	}
	return err
}

// atRoot runs a statement of the server, in the database that the given URL names. The error does
// not repeat the URL, which may have a password.
func (d database) atRoot(ctx context.Context, statement string) error {
	root, err := sql.Open("pgx", d.root)
	if err != nil {
		return mistake{"--postgres is no URL of a PostgreSQL database",
			"write postgres://user:password@host:5432/postgres"}
	}
	defer root.Close()
	if _, err := root.ExecContext(ctx, statement); err != nil {
		return fmt.Errorf("PostgreSQL: %w", err)
	}
	return nil
}

// copyFile copies a file, if there is one.
func copyFile(from, to string) error {
	source, err := os.Open(from)
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	defer source.Close()
	target, err := os.OpenFile(to, os.O_CREATE|os.O_WRONLY|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	_, err = io.Copy(target, source)
	if err == nil {
		err = target.Sync() // else the disk is busy with it while the server is measured
	}
	return errors.Join(err, target.Close())
}

// count counts the rows of each table.
func (d database) count(ctx context.Context) (map[string]int64, error) {
	db, err := d.connect()
	if err != nil {
		return nil, err
	}
	defer db.Close()
	tables, err := tablesOf(ctx, db, d.kind)
	if err != nil {
		return nil, err
	}
	counts := map[string]int64{}
	for _, table := range tables {
		var n int64
		query := `SELECT count(*) FROM "` + table + `"`
		if err := db.QueryRowContext(ctx, query).Scan(&n); err != nil {
			return nil, fmt.Errorf("counting %s: %w", table, err)
		}
		counts[table] = n
	}
	return counts, nil
}

// tablesOf names the tables.
func tablesOf(ctx context.Context, db *sql.DB, kind string) ([]string, error) {
	query := `SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'`
	if kind == kindPostgres {
		query = `SELECT table_name FROM information_schema.tables
			WHERE table_schema = current_schema() AND table_type = 'BASE TABLE'`
	}
	tables, err := stringsOf(ctx, db, query)
	slices.Sort(tables)
	return tables, err
}

// stringsOf is the one column that a query selects.
func stringsOf(ctx context.Context, db *sql.DB, query string, args ...any) ([]string, error) {
	rows, err := db.QueryContext(ctx, query, args...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var values []string
	for rows.Next() {
		var value string
		if err := rows.Scan(&value); err != nil {
			return nil, err
		}
		values = append(values, value)
	}
	return values, rows.Err()
}

// meter reads what a database has done, while the server works on it.
type meter struct {
	database
	db *sql.DB // nil on SQLite
}

func (d database) meter() (*meter, error) {
	if d.kind == kindSQLite {
		return &meter{d, nil}, nil
	}
	db, err := d.connect()
	return &meter{d, db}, err
}

func (m *meter) close() {
	if m.db != nil {
		_ = m.db.Close() // it only read
	}
}

// reading is what a database had done at a moment. With synchronous=FULL, as the bridge has it,
// each of SQLite's commits is one fsync of the WAL.
type reading struct {
	commits int64
	// backends are PostgreSQL's processes that serve this database. Those of another machine cannot
	// be read, and there are none then.
	backends map[int]usage
}

func (m *meter) read(ctx context.Context) reading {
	r := reading{backends: map[int]usage{}}
	if m.db == nil {
		r.commits = commitsIn(m.path + "-shm")
		return r
	}
	// What cannot be read stays 0, and the table says "–".
	_ = m.db.QueryRowContext(ctx, `SELECT xact_commit FROM pg_stat_database
		WHERE datname = current_database()`).Scan(&r.commits)
	pids, _ := stringsOf(ctx, m.db, `SELECT pid::text FROM pg_stat_activity
		WHERE datname = current_database() AND pid <> pg_backend_pid()`)
	for _, text := range pids {
		var pid int
		_, _ = fmt.Sscan(text, &pid)
		name, _ := os.ReadFile(fmt.Sprintf("/proc/%d/comm", pid))
		if strings.HasPrefix(string(name), "postgres") {
			r.backends[pid] = usageOf(pid)
		}
	}
	return r
}

// minus is what was done between two readings. A backend that came meanwhile counts in full.
func (r reading) minus(before reading) (commits int64, used usage) {
	for pid, now := range r.backends {
		d := now.minus(before.backends[pid])
		used.cpu += d.cpu
		used.written += d.written
	}
	return r.commits - before.commits, used
}

// commitsIn reads how many transactions changed a SQLite database in WAL mode: the counter in the
// index of the WAL, in the machine's own order of bytes.
//
// Source: https://sqlite.org/walformat.html#the_wal_index_header
func commitsIn(shm string) int64 {
	const at = 8
	file, err := os.Open(shm)
	if err != nil {
		return 0
	}
	defer file.Close()
	var counter [4]byte
	if _, err := file.ReadAt(counter[:], at); err != nil {
		return 0
	}
	return int64(binary.NativeEndian.Uint32(counter[:]))
}

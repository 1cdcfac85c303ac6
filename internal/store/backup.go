package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/pressly/goose/v3"

	"smsbridge/internal/store/migration"
)

// ErrNotSQLite says that a database is not a SQLite file, so that its own tools make its backups.
var ErrNotSQLite = errors.New("store: the database is not a SQLite file")

// ErrRestoring says that a restore did not end, and left no database. Open makes no new one in its
// place: the bridge would forget every person without a word.
var ErrRestoring = errors.New("store: a restore of the database did not end")

// restoring is the end of the name of a copy that is not yet complete.
const restoring = ".part"

// ErrOwnPart says that a restore was given the file that it would write itself, and remove before.
var ErrOwnPart = errors.New("store: it is what a restore left that did not end")

// Copy is what a backup holds, as it was read back.
type Copy struct {
	Bytes   int64
	Version int64       // of its tables
	Rows    []TableRows // in the order of the tables' names, without empty ones
	Keys    []KeyUse    // all that sealed something in it, and the configured ones
}

// TableRows is how many rows a table has.
type TableRows struct {
	Table string
	Rows  int64
}

// Backup copies a SQLite database, on which a bridge may be running, into a new file with mode
// 0600. The copy is of one moment, compact, and has been read back when Backup returns. The keys
// are not in it. Tell is told now and then how many bytes are written. Backup returns ErrNotSQLite
// for PostgreSQL, and an error that is fs.ErrExist when the file is there already.
func Backup(ctx context.Context, o Options, file string, tell func(bytes int64)) (Copy, error) {
	path, isSQLite := strings.CutPrefix(o.URL, "sqlite:")
	if !isSQLite {
		return Copy{}, ErrNotSQLite
	}
	if err := absent(file); err != nil {
		return Copy{}, err
	}
	conn, err := beside(&o)
	if err != nil {
		return Copy{}, err
	}
	defer conn.Close()
	part := file + restoring
	defer os.Remove(part)
	if err := copyOf(ctx, conn, path, part, tell); err != nil {
		return Copy{}, err
	}
	made, err := inspect(ctx, part, o)
	if err != nil {
		return Copy{}, err
	}
	return made, settle(part, file)
}

// vacuumInto copies a database in one read transaction (https://sqlite.org/lang_vacuum.html). The
// connection may write, which it does into the copy alone: the database is open for reading.
func vacuumInto(ctx context.Context, db *sql.DB, part string) (err error) {
	conn, err := db.Conn(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, conn.Close()) }()
	if _, err := conn.ExecContext(ctx, "PRAGMA query_only(OFF)"); err != nil {
		return err
	}
	_, err = conn.ExecContext(ctx, "VACUUM INTO $1", part)
	return err
}

// Restore puts a backup in the place of a SQLite database that no bridge is running on. It checks
// the backup first: whether it is whole, its tables are of a version that this smsbridge knows, and
// the configured keys open what is sealed in it. A database in that place is an error that is
// fs.ErrExist, unless replace is true. It then stays beside the new one, and Restore returns its
// name.
func Restore(
	ctx context.Context, o Options, file string, replace bool, tell func(bytes int64),
) (restored Copy, replaced string, err error) {
	path, isSQLite := strings.CutPrefix(o.URL, "sqlite:")
	if !isSQLite {
		return Copy{}, "", ErrNotSQLite
	}
	if err := folderOf(path); err != nil {
		return Copy{}, "", err
	}
	if err := giveKeys(&o, path); err != nil {
		return Copy{}, "", err
	}
	lock, err := lockOf(path)
	if err != nil {
		return Copy{}, "", err
	}
	defer func() { err = errors.Join(err, lock.Close()) }()
	if err := absent(path); err != nil && !(replace && errors.Is(err, fs.ErrExist)) {
		return Copy{}, "", err
	}
	if _, err := inspect(ctx, file, o); err != nil {
		return Copy{}, "", err
	}
	part := path + restoring
	if same(file, part) {
		return Copy{}, "", ErrOwnPart
	}
	defer func() {
		if replaced == "" { // else it is what says that this restore did not end
			_ = os.Remove(part)
		}
	}()
	if err := copyWithWAL(ctx, file, part, tell); err != nil {
		return Copy{}, "", err
	}
	if restored, err = inspect(ctx, part, o); err != nil {
		return Copy{}, "", err
	}
	if replaced, err = moveAside(path, os.Rename); err != nil {
		return Copy{}, "", err
	}
	return restored, replaced, settle(part, path)
}

// giveKeys sets the keys that lie beside a SQLite file. Restore makes none: a new one would open
// nothing.
func giveKeys(o *Options, path string) error {
	if o.Key != nil {
		return nil
	}
	keys, err := readKeys(path + ".key")
	if err != nil {
		return fmt.Errorf("store: reading the key that belongs to the backup: %w", err)
	}
	return o.take(keys, nil)
}

// inspect reads a copy from end to end. It returns a *KeyError or a *SchemaError for one with which
// a bridge would not start.
func inspect(ctx context.Context, path string, o Options) (c Copy, err error) {
	info, err := os.Stat(path)
	if err != nil {
		return Copy{}, fmt.Errorf("store: %w", err)
	}
	conn, err := openReading(path)
	if err != nil {
		return Copy{}, err
	}
	defer func() { err = errors.Join(err, conn.Close()) }()
	var verdict string
	err = conn.QueryRowContext(ctx, "PRAGMA integrity_check(1)").Scan(&verdict)
	if err == nil && verdict != "ok" {
		err = errors.New(verdict)
	}
	if err != nil {
		return Copy{}, fmt.Errorf("store: %s is not a whole SQLite database: %w", path, err)
	}
	c = Copy{Bytes: info.Size()}
	if c.Version, err = versionOf(ctx, conn); err != nil {
		return Copy{}, fmt.Errorf("store: %s is not a database of smsbridge: %w", path, err)
	}
	if c.Rows, err = countRows(ctx, conn); err != nil {
		return Copy{}, err
	}
	given, err := o.sealer()
	if err != nil {
		return Copy{}, err
	}
	if c.Keys, err = keyUse(ctx, conn, sqliteColumns, given); err != nil {
		return Copy{}, err
	}
	for _, use := range c.Keys {
		if !use.Given && use.Values > 0 {
			return Copy{}, &KeyError{Missing: use.ID, Given: given.ids(), Values: use.Values}
		}
	}
	return c, nil
}

// versionOf is the version of the tables, or a SchemaError when they are too new.
func versionOf(ctx context.Context, conn *sql.DB) (int64, error) {
	alone := goose.WithDisableGlobalRegistry(true)
	provider, err := goose.NewProvider(goose.DialectSQLite3, conn, migration.Files, alone)
	if err != nil {
		return 0, err
	}
	version, err := tableVersion(ctx, conn)
	if err != nil {
		return 0, err
	}
	return version, tooNew(version, provider)
}

func countRows(ctx context.Context, conn *sql.DB) (counts []TableRows, err error) {
	tables, err := tablesOf(ctx, conn)
	if err != nil {
		return nil, err
	}
	for _, table := range tables {
		t := TableRows{Table: table}
		query := `SELECT COUNT(*) FROM "` + t.Table + `"`
		if err := conn.QueryRowContext(ctx, query).Scan(&t.Rows); err != nil {
			return nil, fmt.Errorf("store: counting rows: %w", err)
		}
		if t.Rows > 0 {
			counts = append(counts, t)
		}
	}
	return counts, nil
}

// tablesOf are the bridge's own tables in a SQLite database, by name.
func tablesOf(ctx context.Context, conn *sql.DB) ([]string, error) {
	tables, err := column(ctx, conn, "SELECT name FROM sqlite_schema WHERE type = 'table'"+
		" AND name NOT LIKE 'sqlite%' AND name NOT LIKE 'river%' AND name NOT LIKE 'goose%' ORDER BY 1")
	if err != nil {
		return nil, fmt.Errorf("store: listing tables: %w", err)
	}
	return tables, nil
}

// column reads a column of strings.
func column(
	ctx context.Context, conn *sql.DB, query string, args ...any,
) (values []string, err error) {
	rows, err := conn.QueryContext(ctx, query, args...)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	for rows.Next() {
		var value string
		if err := rows.Scan(&value); err != nil {
			return nil, err
		}
		values = append(values, value)
	}
	return values, rows.Err()
}

// same reports whether two names are those of one file.
func same(one, other string) bool {
	a, err := os.Stat(one)
	b, missing := os.Stat(other)
	return err == nil && missing == nil && os.SameFile(a, b)
}

// absent returns an error that is fs.ErrExist when there is something at a path.
func absent(path string) error {
	_, err := os.Lstat(path)
	switch {
	case err == nil:
		return fmt.Errorf("store: %s: %w", path, fs.ErrExist)
	case errors.Is(err, fs.ErrNotExist):
		return nil
	}
	return fmt.Errorf("store: %w", err)
}

// makePrivate makes an empty file that only its owner may read. What an earlier run left there
// goes.
func makePrivate(path string) error {
	if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("store: %w", err)
	}
	file, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return fmt.Errorf("store: %w", err)
	}
	return file.Close()
}

// copyWithWAL makes a compact copy of a SQLite file that may have a WAL beside it: what a bridge
// committed before it was killed is there.
func copyWithWAL(ctx context.Context, from, to string, tell func(bytes int64)) (err error) {
	conn, err := openReading(from)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, conn.Close()) }()
	return copyOf(ctx, conn, from, to, tell)
}

// copyOf makes a compact copy of the open database of that name. Only its owner may read it.
func copyOf(
	ctx context.Context, from *sql.DB, name, to string, tell func(bytes int64),
) error {
	if err := makePrivate(to); err != nil {
		return err
	}
	stop := watch(to, tell)
	defer stop()
	if err := vacuumInto(ctx, from, to); err != nil {
		return fmt.Errorf("store: copying %s: %w", name, err)
	}
	return nil
}

// settle gives a complete file its name. Both are on disk when it returns.
func settle(part, name string) error {
	for _, step := range []func() error{
		func() error { return syncFile(part) },
		func() error { return os.Rename(part, name) },
		func() error { return syncFile(filepath.Dir(name)) },
	} {
		if err := step(); err != nil {
			return fmt.Errorf("store: %w", err)
		}
	}
	return nil
}

func syncFile(name string) error {
	file, err := os.Open(name)
	if err != nil {
		return err
	}
	return errors.Join(file.Sync(), file.Close())
}

// moveAside renames a database and its WAL, which SQLite would read into another one. It returns
// the new name, "" when there was no database. The database goes first: without its WAL it lacks
// what was committed last. A kill after it leaves none, and a part, on which no bridge starts. The
// WAL follows when the restore is repeated.
func moveAside(path string, rename func(from, to string) error) (moved string, err error) {
	aside, before := path+".replaced", ""
	for n := 2; absent(aside) != nil; n++ {
		before, aside = aside, fmt.Sprintf("%s.replaced%d", path, n)
	}
	err = rename(path, aside)
	switch {
	case err == nil:
		moved = aside
	case !errors.Is(err, fs.ErrNotExist):
		return "", fmt.Errorf("store: %w", err)
	case before != "" && absent(before+"-wal") == nil:
		aside = before
	}
	err = rename(path+"-wal", aside+"-wal")
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		if moved != "" {
			err = errors.Join(err, rename(aside, path))
		}
		return "", fmt.Errorf("store: %w", err)
	}
	err = os.Remove(path + "-shm") // SQLite makes it anew from the WAL
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return "", fmt.Errorf("store: %w", err)
	}
	return moved, nil
}

// watch tells each second how big a file is, until stop is called.
func watch(path string, tell func(bytes int64)) (stop func()) {
	done, ended := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(ended)
		tick := time.NewTicker(time.Second)
		defer tick.Stop()
		for {
			select {
			case <-done:
				return
			case <-tick.C:
				if info, err := os.Stat(path); err == nil {
					tell(info.Size())
				}
			}
		}
	}()
	return func() { close(done); <-ended }
}

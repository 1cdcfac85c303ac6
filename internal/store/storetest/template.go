package storetest

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"

	"smsbridge/internal/store"
	"smsbridge/internal/store/migration"

	"github.com/riverqueue/river/riverdriver/riverpgxv5"
	"github.com/riverqueue/river/rivermigrate"
)

// Migrating a new database takes longer than most tests, so it is done once and then copied. The
// store migrates again whatever it opens, so a template that is too old costs time and nothing
// else.

// migratedSQLite is the content of a migrated SQLite file. It is kept for other test programs and
// for the next run, in the caches of the user who runs the tests. Without such a place each program
// makes its own.
var migratedSQLite = sync.OnceValues(func() ([]byte, error) {
	name, err := templateName()
	if err != nil {
		return nil, err
	}
	kept := ""
	if caches, err := os.UserCacheDir(); err == nil {
		kept = filepath.Join(caches, "smsbridge-test", name+".db")
		if content, err := os.ReadFile(kept); err == nil {
			return content, nil
		}
	}
	folder, err := os.MkdirTemp(Memory(), "smsbridge-template-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(folder)
	path := filepath.Join(folder, "smsbridge.db")
	if err := migrate("sqlite:" + path); err != nil {
		return nil, err
	}
	content, err := os.ReadFile(path)
	if err == nil && kept != "" {
		keep(kept, content)
	}
	return content, err
})

// keep writes the file whole or not at all, in the place of those of other migrations. A test does
// without it.
func keep(path string, content []byte) {
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return
	}
	file, err := os.CreateTemp(filepath.Dir(path), "fresh-")
	if err != nil {
		return
	}
	_, err = file.Write(content)
	old, _ := filepath.Glob(filepath.Join(filepath.Dir(path), "smsbridge_template_*.db"))
	for _, other := range old {
		_ = os.Remove(other)
	}
	if err = errors.Join(err, file.Close()); err == nil {
		err = os.Rename(file.Name(), path)
	}
	if err != nil {
		_ = os.Remove(file.Name())
	}
}

// migrate opens a store, which migrates its database, and closes it. What it sealed for itself
// goes: a test may open the copy with any key.
func migrate(url string) error {
	s, err := store.Open(context.Background(), store.Options{URL: url, Key: Key})
	if err != nil {
		return err
	}
	if err := s.Close(); err != nil {
		return err
	}
	driver, source := "pgx", url
	if path, isSQLite := strings.CutPrefix(url, "sqlite:"); isSQLite {
		driver, source = "sqlite", path
	}
	conn, err := sql.Open(driver, source)
	if err != nil {
		return err
	}
	_, err = conn.Exec("DELETE FROM secret")
	return errors.Join(err, conn.Close())
}

// templateLock is the advisory lock under which one process makes the template on a PostgreSQL
// server while the others wait. The number only has to be ours.
const templateLock = 7_726_274_344

// migratedPostgreSQL is the name of the migrated database on the test server.
var migratedPostgreSQL = sync.OnceValues(func() (string, error) {
	return templatePostgreSQL(context.Background(), os.Getenv(Postgres))
})

// templatePostgreSQL makes a migrated database on the server at url, unless it is there, and
// returns its name. It stays there for the next run. Its name changes with the migrations.
func templatePostgreSQL(ctx context.Context, url string) (name string, err error) {
	if name, err = templateName(); err != nil {
		return "", err
	}
	admin, err := sql.Open("pgx", url)
	if err != nil {
		return "", err
	}
	defer admin.Close()
	conn, err := admin.Conn(ctx) // the lock belongs to the connection, and goes when it is closed
	if err != nil {
		return "", err
	}
	defer conn.Close()
	if _, err := conn.ExecContext(ctx, "SELECT pg_advisory_lock($1)", templateLock); err != nil {
		return "", err
	}
	var ready bool
	// A template that takes connections was not finished: the process that made it died.
	const finished = `SELECT EXISTS (
		SELECT 1 FROM pg_database WHERE datname = $1 AND NOT datallowconn)`
	if err := conn.QueryRowContext(ctx, finished, name).Scan(&ready); err != nil || ready {
		return name, err
	}
	for _, statement := range []string{"DROP DATABASE IF EXISTS " + name, "CREATE DATABASE " + name} {
		if _, err := conn.ExecContext(ctx, statement); err != nil {
			return "", err
		}
	}
	made, err := databaseURL(url, name)
	if err != nil {
		return "", err
	}
	if err := migrate(made); err != nil {
		return "", err
	}
	_, err = conn.ExecContext(ctx, "ALTER DATABASE "+name+" ALLOW_CONNECTIONS false")
	return name, err
}

// templateName is the template's name: another one for each state of the migrations, River's too.
func templateName() (string, error) {
	sum := sha256.New()
	queue, err := rivermigrate.New(riverpgxv5.New(nil), nil)
	if err != nil {
		return "", err
	}
	fmt.Fprintln(sum, len(queue.AllVersions()))
	err = fs.WalkDir(migration.Files, ".", func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		content, err := migration.Files.ReadFile(path)
		fmt.Fprintf(sum, "%s %d\n%s", path, len(content), content)
		return err
	})
	return fmt.Sprintf("smsbridge_template_%x", sum.Sum(nil)[:8]), err
}

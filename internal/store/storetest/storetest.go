// Package storetest opens throw-away stores for tests, so that every rule is shown on SQLite and
// on PostgreSQL by the same test. Nothing but tests may import it.
package storetest

import (
	"context"
	"database/sql"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	_ "github.com/jackc/pgx/v5/stdlib" // the driver that makes and drops test databases
	"github.com/stretchr/testify/require"

	"smsbridge/internal/store"
)

// Postgres is the variable with the URL of a server on which tests may create databases.
const Postgres = "SMSBRIDGE_TEST_POSTGRES"

// Key is the sealing key of every test store.
var Key = []byte("0123456789abcdef0123456789abcdef")

// Each runs test on a new, empty store of each database. Without a PostgreSQL server that half
// is skipped, or fails when SMSBRIDGE_TEST_STRICT=1 says that nothing may be skipped.
func Each(t *testing.T, test func(t *testing.T, s *store.Store)) {
	t.Run("sqlite", func(t *testing.T) { test(t, Open(t, SQLite(t), nil)) })
	t.Run("postgres", func(t *testing.T) { test(t, Open(t, PostgreSQL(t), nil)) })
}

// Open opens a store that is closed when the test ends. A nil now leaves it the clock that it
// has in production.
func Open(t *testing.T, url string, now func() time.Time) *store.Store {
	t.Helper()
	s, err := store.Open(t.Context(), store.Options{URL: url, Key: Key, Now: now})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, s.Close()) })
	return s
}

// SQLite is the URL of a new SQLite file, already migrated.
func SQLite(t *testing.T) string {
	t.Helper()
	content, err := migratedSQLite()
	require.NoError(t, err)
	url := EmptySQLite(t)
	require.NoError(t, os.WriteFile(strings.TrimPrefix(url, "sqlite:"), content, 0o600))
	return url
}

// EmptySQLite is the URL of a SQLite file that does not exist yet.
func EmptySQLite(t *testing.T) string {
	t.Helper()
	return "sqlite:" + filepath.Join(Folder(t), "smsbridge.db")
}

// PostgreSQL is the URL of a new database on the test server, already migrated. It is dropped
// when the test ends.
func PostgreSQL(t *testing.T) string {
	t.Helper()
	server := serverURL(t)
	template, err := migratedPostgreSQL()
	require.NoError(t, err)
	return createDatabase(t, server, " TEMPLATE "+template)
}

// EmptyPostgreSQL is PostgreSQL without any table.
func EmptyPostgreSQL(t *testing.T) string {
	t.Helper()
	return createDatabase(t, serverURL(t), "")
}

// serverURL is the server that the environment names. Without one the test is skipped, or fails.
func serverURL(t *testing.T) string {
	t.Helper()
	server := os.Getenv(Postgres)
	if server == "" {
		if os.Getenv("SMSBRIDGE_TEST_STRICT") == "1" {
			t.Fatalf("%s is not set and nothing may be skipped", Postgres)
		}
		t.Skipf("%s is not set: no PostgreSQL to test on", Postgres)
	}
	return server
}

// createDatabase makes a database on the server, which is dropped when the test ends.
func createDatabase(t *testing.T, server, like string) string {
	t.Helper()
	admin, err := administered()
	require.NoError(t, err)
	name := "smsbridge_" + strings.ReplaceAll(store.NewID(), "-", "")
	_, err = admin.ExecContext(t.Context(), "CREATE DATABASE "+name+like+admin.quickly)
	require.NoError(t, err)
	t.Cleanup(func() {
		drop := fmt.Sprintf("DROP DATABASE IF EXISTS %s WITH (FORCE)", name)
		_, err := admin.ExecContext(context.Background(), drop)
		require.NoError(t, err)
	})
	made, err := databaseURL(server, name)
	require.NoError(t, err)
	return made
}

// server is the test server, for making and dropping databases.
type server struct {
	*sql.DB
	// quickly makes the copy of a template cheap. Versions before 15 know no other way.
	quickly string
}

// administered opens the test server once for a process.
var administered = sync.OnceValues(func() (*server, error) {
	conn, err := sql.Open("pgx", os.Getenv(Postgres))
	if err != nil {
		return nil, err
	}
	var version int
	const asked = "SELECT current_setting('server_version_num')::int"
	if err := conn.QueryRow(asked).Scan(&version); err != nil {
		return nil, err
	}
	s := &server{DB: conn}
	if version >= 150_000 {
		s.quickly = " STRATEGY FILE_COPY"
	}
	return s, nil
})

// databaseURL is the URL of one database of a server.
func databaseURL(server, name string) (string, error) {
	u, err := url.Parse(server)
	if err != nil {
		return "", err
	}
	u.Path = "/" + name
	return u.String(), nil
}

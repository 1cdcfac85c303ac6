// Package storetest opens stores for tests, so that the same test shows a rule on SQLite and on
// PostgreSQL. Only tests may import it.
package storetest

import (
	"context"
	"database/sql"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strings"
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

// Each runs test on a new, empty store of each database. Without a PostgreSQL server that half is
// skipped, or fails when SMSBRIDGE_TEST_STRICT=1 says that nothing may be skipped.
func Each(t *testing.T, test func(t *testing.T, s *store.Store)) {
	t.Run("sqlite", func(t *testing.T) { test(t, Open(t, SQLite(t), nil)) })
	t.Run("postgres", func(t *testing.T) { test(t, Open(t, PostgreSQL(t), nil)) })
}

// Open opens a store that is closed when the test ends. With a nil now it has the clock that it
// has in production.
func Open(t *testing.T, url string, now func() time.Time) *store.Store {
	t.Helper()
	s, err := store.Open(t.Context(), store.Options{URL: url, Key: Key, Now: now})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, s.Close()) })
	return s
}

// SQLite is the URL of a new SQLite file.
func SQLite(t *testing.T) string { return "sqlite:" + filepath.Join(t.TempDir(), "smsbridge.db") }

// PostgreSQL is the URL of a new database on the test server, dropped when the test ends.
func PostgreSQL(t *testing.T) string {
	t.Helper()
	server := os.Getenv(Postgres)
	if server == "" {
		if os.Getenv("SMSBRIDGE_TEST_STRICT") == "1" {
			t.Fatalf("%s is not set and nothing may be skipped", Postgres)
		}
		t.Skipf("%s is not set: no PostgreSQL to test on", Postgres)
	}
	u, err := url.Parse(server)
	require.NoError(t, err)
	admin, err := sql.Open("pgx", server)
	require.NoError(t, err)
	name := "smsbridge_" + strings.ReplaceAll(store.NewID(), "-", "")
	_, err = admin.ExecContext(t.Context(), fmt.Sprintf("CREATE DATABASE %s", name))
	require.NoError(t, err)
	t.Cleanup(func() {
		_, err := admin.ExecContext(context.Background(),
			fmt.Sprintf("DROP DATABASE IF EXISTS %s WITH (FORCE)", name))
		require.NoError(t, err)
		require.NoError(t, admin.Close())
	})
	u.Path = "/" + name
	return u.String()
}

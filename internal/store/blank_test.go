package store_test

import (
	"context"
	"database/sql"
	"fmt"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"smsbridge/internal/store"
	"smsbridge/internal/store/storetest"
)

// left counts the pages of a database that have something in their unallocated space.
func left(t *testing.T, conn *sql.DB) (pages, dirty int) {
	t.Helper()
	rows, err := conn.QueryContext(t.Context(), "SELECT pgno, data FROM sqlite_dbpage")
	require.NoError(t, err)
	defer rows.Close()
	for rows.Next() {
		var (
			number  int64
			content []byte
		)
		require.NoError(t, rows.Scan(&number, &content))
		pages++
		if strings.Trim(string(store.Unallocated(number, content)), "\x00") != "" {
			dirty++
		}
	}
	require.NoError(t, rows.Err())
	return pages, dirty
}

// churn makes rows that grow, move between pages and go, as a bridge's do. Their ids and lengths
// have no order, and are the same each time.
func churn(t *testing.T, conn *sql.DB, rows int) {
	t.Helper()
	for _, statement := range []string{
		"CREATE TABLE churned (id TEXT PRIMARY KEY, at INTEGER, body BLOB) STRICT",
		"CREATE INDEX churned_body ON churned (body)",
		fmt.Sprintf(`WITH RECURSIVE row(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM row WHERE i < %d)
			INSERT INTO churned SELECT printf('%%08x', i * 2654435761 %% 4294967296), i,
				CAST(replace(printf('%%.*c', 1 + i * i %% 61, 'x'), 'x', printf('row %%06d ', i)) AS BLOB)
			FROM row`, rows),
		"UPDATE churned SET body = CAST(body || body AS BLOB) WHERE at % 3 = 0",
		"DELETE FROM churned WHERE at % 5 = 0",
	} {
		_, err := conn.ExecContext(t.Context(), statement)
		require.NoError(t, err)
	}
}

// Ensure that every copy which SQLite left in a page is overwritten, and that no row and no index
// changes. Other transactions wait for no more than some pages at a time. A file that has been
// blanked is not written to again.
func TestBlank(t *testing.T) {
	url := storetest.SQLite(t)
	path := strings.TrimPrefix(url, "sqlite:")
	s := storetest.Open(t, url, nil)
	conn, _ := beside(t, url)
	churn(t, conn, 3_000)
	pages, dirty := left(t, conn)
	require.Greater(t, pages, 2*store.BlankedAtOnce)
	require.Greater(t, dirty, pages/10)
	rows := func() []string {
		return storetest.Strings(t, conn, "SELECT id || at || body FROM churned ORDER BY id")
	}
	before := rows()

	require.NoError(t, s.EmptyLog(t.Context()))
	reader, err := sql.Open("sqlite", path) // so that the WAL is not begun anew
	require.NoError(t, err)
	defer reader.Close()
	reading, err := reader.BeginTx(t.Context(), nil)
	require.NoError(t, err)
	var n int
	require.NoError(t, reading.QueryRowContext(t.Context(), "SELECT COUNT(*) FROM seen").Scan(&n))
	blank(t, s)
	wrote := storetest.ReadWAL(t, path)
	require.LessOrEqual(t, wrote.Largest, store.BlankedAtOnce)
	require.Greater(t, wrote.Commits, pages/store.BlankedAtOnce/2)
	require.NoError(t, reading.Rollback())

	_, dirty = left(t, conn)
	require.Zero(t, dirty)
	require.Equal(t, before, rows())
	require.Equal(t, []string{"ok"}, storetest.Strings(t, conn, "PRAGMA integrity_check"))
	require.NoError(t, s.EmptyLog(t.Context()))
	blank(t, s)
	require.NoError(t, s.Do(t.Context(), func(ctx context.Context, tx *store.Tx) error {
		return addEvent(ctx, tx, "after")
	}))
	require.Equal(t, 1, storetest.ReadWAL(t, path).Commits, "nothing was left to overwrite")
}

// Ensure that commits do not wait while the WAL is in use and cannot be emptied.
func TestCommitsBesideAWALInUse(t *testing.T) {
	url := storetest.SQLite(t)
	s := storetest.Open(t, url, nil)
	conn, _ := beside(t, url)
	reading, err := conn.BeginTx(t.Context(), nil)
	require.NoError(t, err)
	var n int
	require.NoError(t, reading.QueryRowContext(t.Context(), "SELECT COUNT(*) FROM seen").Scan(&n))
	emptied := make(chan error, 1)
	go func() { emptied <- s.EmptyLog(t.Context()) }()
	var longest time.Duration
	for began, n := time.Now(), 0; n < 3 || time.Since(began) < 300*time.Millisecond; n++ {
		commit := time.Now()
		require.NoError(t, s.Do(t.Context(), func(ctx context.Context, tx *store.Tx) error {
			return addEvent(ctx, tx, strconv.Itoa(n))
		}))
		longest = max(longest, time.Since(commit))
	}
	require.Less(t, longest, 4*time.Second, "SQLite waits for five")
	require.NoError(t, reading.Rollback())
	require.NoError(t, <-emptied)
}

func blank(t *testing.T, s *store.Store) {
	t.Helper()
	for next := int64(1); next != 0; {
		var err error
		next, err = s.Blank(t.Context(), next)
		require.NoError(t, err)
	}
}

// Whatever a page holds, what is overwritten lies between its pointers and its end.
func FuzzUnallocated(f *testing.F) {
	f.Add(int64(2), "\x0d\x00\x00\x00\x01\x00\x20\x00\x00\x30"+strings.Repeat("x", 54))
	f.Add(int64(1), strings.Repeat("\x00", 100)+"\x05\x00\x00\x00\x00\x00\x00\x00")
	f.Add(int64(3), "\x0a\x00\x00\xff\xff\x00\x00\x00\x00\x00\x00\x00")
	f.Fuzz(func(t *testing.T, number int64, content string) {
		page := []byte(content)
		part := store.Unallocated(number, page)
		if len(part) == 0 {
			return
		}
		clear(part)
		header := 8
		if number == 1 {
			header += 100
		}
		require.Equal(t, content[:header], string(page[:header]))
		require.Len(t, page, len(content))
		require.Contains(t, []byte{2, 5, 10, 13}, page[header-8])
	})
}

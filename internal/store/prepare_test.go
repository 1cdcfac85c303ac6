package store

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"modernc.org/sqlite"
)

// counting counts what its connections compile: each statement that is prepared or handed over as
// text.
type counting struct {
	driver.Connector
	compiled *int
}

func (c counting) Connect(ctx context.Context) (driver.Conn, error) {
	conn, err := c.Connector.Connect(ctx)
	if err != nil {
		return nil, err
	}
	return &countingConn{conn.(sqliteConn), c.compiled}, nil
}

type countingConn struct {
	sqliteConn
	compiled *int
}

func (c *countingConn) PrepareContext(ctx context.Context, text string) (driver.Stmt, error) {
	*c.compiled++
	return c.sqliteConn.PrepareContext(ctx, text)
}

func (c *countingConn) ExecContext(
	ctx context.Context, text string, args []driver.NamedValue,
) (driver.Result, error) {
	*c.compiled++
	return c.sqliteConn.ExecContext(ctx, text, args)
}

func (c *countingConn) QueryContext(
	ctx context.Context, text string, args []driver.NamedValue,
) (driver.Rows, error) {
	*c.compiled++
	return c.sqliteConn.QueryContext(ctx, text, args)
}

// opened is a SQLite file with one connection, and the number of statements that it has compiled.
func opened(t *testing.T) (*sql.DB, *int) {
	t.Helper()
	base, err := sqlite.NewConnector("file:" + filepath.Join(t.TempDir(), "a.db") +
		"?_pragma=synchronous(OFF)")
	require.NoError(t, err)
	compiled := new(int)
	db := sql.OpenDB(preparing{counting{base, compiled}})
	t.Cleanup(func() { require.NoError(t, db.Close()) })
	db.SetMaxOpenConns(1)
	_, err = db.ExecContext(t.Context(), "CREATE TABLE n (v INTEGER PRIMARY KEY)")
	require.NoError(t, err)
	*compiled = 0
	return db, compiled
}

const (
	addNumber  = "-- name: AddNumber :exec\nINSERT INTO n (v) VALUES ($1)"
	allNumbers = "-- name: AllNumbers :many\nSELECT v FROM n WHERE v >= $1 ORDER BY v"
)

// numbers are the first column of a query.
func numbers(t *testing.T, rows *sql.Rows, err error) (all []int) {
	t.Helper()
	require.NoError(t, err)
	defer rows.Close()
	for rows.Next() {
		var v int
		require.NoError(t, rows.Scan(&v))
		all = append(all, v)
	}
	require.NoError(t, rows.Err())
	return all
}

// Ensure that a generated statement is compiled once for each connection, in transactions and
// outside. Every use of it gets its own parameters and rows.
func TestStatementsArePreparedOnce(t *testing.T) {
	db, compiled := opened(t)
	for v := range 20 {
		_, err := db.ExecContext(t.Context(), addNumber, v)
		require.NoError(t, err)
		rows, err := db.QueryContext(t.Context(), allNumbers, v)
		require.Equal(t, []int{v}, numbers(t, rows, err))
	}
	require.Equal(t, 2, *compiled)
	tx, err := db.BeginTx(t.Context(), nil)
	require.NoError(t, err)
	rows, err := tx.QueryContext(t.Context(), allNumbers, 18)
	require.Equal(t, []int{18, 19}, numbers(t, rows, err))
	require.NoError(t, tx.Rollback())
	require.Equal(t, 2, *compiled)
	for range 3 {
		_, err := db.ExecContext(t.Context(), "DELETE FROM n WHERE v = 0")
		require.NoError(t, err)
	}
	require.Equal(t, 5, *compiled, "a statement that is not generated is not kept")
}

// Ensure that a statement whose rows are still being read can be asked again meanwhile.
func TestStatementInsideItself(t *testing.T) {
	db, _ := opened(t)
	for v := range 3 {
		_, err := db.ExecContext(t.Context(), addNumber, v)
		require.NoError(t, err)
	}
	tx, err := db.BeginTx(t.Context(), nil)
	require.NoError(t, err)
	defer func() { require.NoError(t, tx.Rollback()) }()
	outer, err := tx.QueryContext(t.Context(), allNumbers, 0)
	require.NoError(t, err)
	defer outer.Close()
	var seen []int
	for outer.Next() {
		var v int
		require.NoError(t, outer.Scan(&v))
		seen = append(seen, v)
		inner, err := tx.QueryContext(t.Context(), allNumbers, 1)
		require.Equal(t, []int{1, 2}, numbers(t, inner, err))
	}
	require.NoError(t, outer.Err())
	require.Equal(t, []int{0, 1, 2}, seen)
}

// Ensure that a kept statement is right after it failed, after its caller gave up, and after the
// tables changed.
func TestStatementsAfterTrouble(t *testing.T) {
	db, _ := opened(t)
	add := func(ctx context.Context, v int) error {
		_, err := db.ExecContext(ctx, addNumber, v)
		return err
	}
	require.NoError(t, add(t.Context(), 1))
	require.ErrorContains(t, add(t.Context(), 1), "UNIQUE")
	require.NoError(t, add(t.Context(), 2))
	gone, leave := context.WithCancel(t.Context())
	rows, err := db.QueryContext(gone, allNumbers, 0)
	require.NoError(t, err)
	require.True(t, rows.Next())
	leave()
	require.NoError(t, rows.Close())
	rows, err = db.QueryContext(t.Context(), allNumbers, 0)
	require.Equal(t, []int{1, 2}, numbers(t, rows, err))

	for _, statement := range []string{
		"ALTER TABLE n RENAME TO old", "CREATE TABLE n (w TEXT, v INTEGER UNIQUE)",
		"INSERT INTO n (v) SELECT v + 10 FROM old", "DROP TABLE old",
	} {
		_, err := db.ExecContext(t.Context(), statement)
		require.NoError(t, err)
	}
	require.NoError(t, add(t.Context(), 1))
	rows, err = db.QueryContext(t.Context(), allNumbers, 0)
	require.Equal(t, []int{1, 11, 12}, numbers(t, rows, err))
}

// Ensure that texts that vary do not fill the memory.
func TestStatementsAreBounded(t *testing.T) {
	db, _ := opened(t)
	for i := range mostPrepared + 10 {
		rows, err := db.QueryContext(t.Context(), allNumbers+strings.Repeat(" ", i), 0)
		require.Empty(t, numbers(t, rows, err))
	}
	conn, err := db.Conn(t.Context())
	require.NoError(t, err)
	defer conn.Close()
	require.NoError(t, conn.Raw(func(driver any) error {
		require.Len(t, driver.(*preparingConn).statements, mostPrepared)
		return nil
	}))
}

// Ensure that parameters lose their numbers only where these say no more than their places do.
func TestUnnumbered(t *testing.T) {
	for text, want := range map[string]string{
		"SELECT 1":                                "SELECT 1",
		"UPDATE t SET a = ?1 WHERE b = ?2":        "UPDATE t SET a = ? WHERE b = ?",
		"SELECT ?1, ?2, ?1":                       "SELECT ?1, ?2, ?1",
		"SELECT ?2, ?1":                           "SELECT ?2, ?1",
		"SELECT ?1, ?12":                          "SELECT ?1, ?12",
		"SELECT ?, ?2":                            "SELECT ?, ?2",
		"SELECT a FROM t WHERE b = '?'":           "SELECT a FROM t WHERE b = '?'",
		"SELECT ?1,?2,?3,?4,?5,?6,?7,?8,?9":       "SELECT ?,?,?,?,?,?,?,?,?",
		"VALUES (?1,?2,?3,?4,?5,?6,?7,?8,?9,?10)": "VALUES (?,?,?,?,?,?,?,?,?,?)",
	} {
		require.Equal(t, want, unnumbered(text))
	}
}

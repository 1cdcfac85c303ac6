package store_test

import (
	"context"
	"database/sql"
	"fmt"
	"io/fs"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"smsbridge/internal/store"
	"smsbridge/internal/store/storetest"
)

// Ensure that every row of every table arrives as it was, and that what was sealed opens there.
// Jobs that are not done are due there. Nothing is moved into a database that has rows.
func TestMove(t *testing.T) {
	file, to := storetest.SQLite(t), storetest.PostgreSQL(t)
	path := strings.TrimPrefix(file, "sqlite:")
	s, err := store.Open(t.Context(), options(path))
	require.NoError(t, err)
	conn, _ := beside(t, file)
	for _, id := range []string{"one", "two"} {
		keep(t, s, conn, id)
	}
	later := time.Now().Add(time.Hour).UTC().Truncate(time.Millisecond)
	require.NoError(t, s.Do(t.Context(), func(ctx context.Context, tx *store.Tx) error {
		tx.EnqueueAt(probe{ID: "done"}, later)
		tx.EnqueueAt(probe{ID: "later"}, later)
		return nil
	}))
	_, err = conn.ExecContext(t.Context(), "DELETE FROM river_job WHERE args->>'ID' = 'done'")
	require.NoError(t, err)
	require.NoError(t, s.Do(t.Context(), func(ctx context.Context, tx *store.Tx) error {
		return addEvent(ctx, tx, "it's <\\> 日本")
	}))
	require.ErrorContains(t, store.Move(t.Context(), options(path), to, func(string, int64) {}),
		"another smsbridge", "a bridge is running on it")
	require.NoError(t, s.Close())

	moved := map[string]int64{}
	require.NoError(t, store.Move(t.Context(), options(path), to, func(table string, rows int64) {
		moved[table] = rows
	}))
	require.EqualValues(t, 1, moved["jobs"])
	require.EqualValues(t, 1, moved["event"])
	require.EqualValues(t, 2, moved["mail"])
	target, err := store.Open(t.Context(), store.Options{URL: to, Key: storetest.Key})
	require.NoError(t, err)
	there, _ := beside(t, to)
	for table := range moved {
		if table == "jobs" {
			continue
		}
		require.ElementsMatch(t, cells(t, conn, table), cells(t, there, table), table)
	}
	for _, id := range []string{"one", "two"} {
		good, _ := opened(t, target, there, id)
		require.Equal(t, len(sealedPlaces(t)), good)
	}
	var (
		kind     string
		at       time.Time
		was, now int64
	)
	require.NoError(t, conn.QueryRowContext(t.Context(), "SELECT id FROM river_job").Scan(&was))
	require.NoError(t, there.QueryRowContext(t.Context(),
		"SELECT id, kind || (args->>'ID'), scheduled_at FROM river_job").Scan(&now, &kind, &at))
	require.Equal(t, "probelater", kind)
	require.WithinDuration(t, later, at, time.Millisecond)
	require.Equal(t, was, now, "which a job that drops it names")
	queue, err := target.Queue(t.Context())
	require.NoError(t, err)
	require.Zero(t, queue.Due, "it waits for its time")
	require.NoError(t, target.Do(t.Context(), func(_ context.Context, tx *store.Tx) error {
		tx.EnqueueAt(probe{ID: "new"}, later)
		return nil
	}))
	require.NoError(t, there.QueryRowContext(t.Context(),
		"SELECT id FROM river_job WHERE args->>'ID' = 'new'").Scan(&now))
	require.Greater(t, now, was)
	require.NoError(t, target.Close())

	tell := func(string, int64) {}
	require.ErrorIs(t, store.Move(t.Context(), options(path), to, tell), store.ErrNotEmpty)
	require.ErrorIs(t, store.Move(t.Context(), options(path), file, tell), store.ErrNotPostgres)
	require.ErrorIs(t, store.Move(t.Context(), store.Options{URL: to, Key: storetest.Key}, to, tell),
		store.ErrNotSQLite)
	require.ErrorIs(t, store.Move(t.Context(), options(path+".none"), to, tell), fs.ErrNotExist)
	err = store.Move(t.Context(), options(path+"/below"), to, tell)
	require.Error(t, err)
	require.NotErrorIs(t, err, fs.ErrNotExist, "it may exist")
}

// Ensure that a database which has rows stays as it is, also one of an older version: its bridge is
// running on it.
func TestMoveLeavesTheOtherDatabaseAlone(t *testing.T) {
	file, to := storetest.SQLite(t), storetest.PostgreSQL(t)
	path := strings.TrimPrefix(file, "sqlite:")
	s, err := store.Open(t.Context(), options(path))
	require.NoError(t, err)
	require.NoError(t, s.Close())
	target, err := store.Open(t.Context(), store.Options{URL: to, Key: storetest.Key})
	require.NoError(t, err)
	require.NoError(t, target.Do(t.Context(), func(ctx context.Context, tx *store.Tx) error {
		return addEvent(ctx, tx, "kept")
	}))
	require.NoError(t, target.Close())
	_, older := beside(t, to)
	_, err = older.Down(t.Context())
	require.NoError(t, err)
	version, err := older.GetDBVersion(t.Context())
	require.NoError(t, err)

	err = store.Move(t.Context(), options(path), to, func(string, int64) {})
	require.ErrorIs(t, err, store.ErrNotEmpty)
	now, err := older.GetDBVersion(t.Context())
	require.NoError(t, err)
	require.Equal(t, version, now)
}

// cells are the rows of a table, as text.
func cells(t *testing.T, conn *sql.DB, table string) (all []string) {
	t.Helper()
	rows, err := conn.QueryContext(t.Context(), "SELECT * FROM "+table)
	require.NoError(t, err, table)
	defer rows.Close()
	columns, err := rows.Columns()
	require.NoError(t, err)
	for rows.Next() {
		values, places := make([]any, len(columns)), make([]any, len(columns))
		for i := range values {
			places[i] = &values[i]
		}
		require.NoError(t, rows.Scan(places...))
		row := map[string]string{}
		for i, v := range values {
			row[columns[i]] = fmt.Sprintf("%v", v)
		}
		all = append(all, fmt.Sprint(row))
	}
	require.NoError(t, rows.Err())
	return all
}

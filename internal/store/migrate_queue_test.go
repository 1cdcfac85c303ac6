package store_test

import (
	"context"
	"database/sql"
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"github.com/riverqueue/river/riverdriver/riversqlite"
	"github.com/riverqueue/river/rivermigrate"
	"github.com/stretchr/testify/require"

	"smsbridge/internal/store"
	"smsbridge/internal/store/storetest"
)

// queueTables takes a SQLite database's queue tables back to an older version of River's.
func queueTables(t *testing.T, db *sql.DB, version int) {
	t.Helper()
	migrator, err := rivermigrate.New(riversqlite.New(db),
		&rivermigrate.Config{Logger: slog.New(slog.DiscardHandler)})
	require.NoError(t, err)
	opts := &rivermigrate.MigrateOpts{TargetVersion: version}
	_, err = migrator.Migrate(t.Context(), rivermigrate.DirectionDown, opts)
	require.NoError(t, err)
}

// Ensure that jobs of every state come forward with all they have when River builds their table
// anew, in its version 8. The number of a job that was dropped is never given again.
func TestJobsComeForward(t *testing.T) {
	url := storetest.SQLite(t)
	db, err := sql.Open("sqlite", strings.TrimPrefix(url, "sqlite:"))
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, db.Close()) })
	db.SetMaxOpenConns(1)
	queueTables(t, db, 7)
	states := []string{
		"available", "cancelled", "completed", "discarded", "pending", "retryable", "running",
		"scheduled",
	}
	for i, state := range states {
		ended := sql.NullString{String: "2026-01-02 03:04:05.678", Valid: i >= 1 && i <= 3}
		_, err := db.ExecContext(t.Context(), `INSERT INTO river_job (id, args, attempt, attempted_at,
			attempted_by, created_at, errors, finalized_at, kind, max_attempts, metadata, priority, queue,
			state, scheduled_at, tags) VALUES ($1, jsonb($2), $1, '2026-01-02 03:04:00.000',
			jsonb('["a replica"]'), '2026-01-02 03:03:00.000', jsonb('[{"attempt":1,"error":"busy"}]'),
			$3, 'send_text', 30, jsonb('{"snoozes":2}'), 2, 'default', $4, '2026-01-02 03:03:30.000',
			jsonb('["a"]'))`, 10+i, fmt.Sprintf(`{"id":"row-%d"}`, i), ended, state)
		require.NoError(t, err, state)
	}
	const all = `SELECT id || '|' || json(args) || attempt || attempted_at || json(attempted_by) ||
		created_at || json(errors) || coalesce(finalized_at, '-') || kind || max_attempts ||
		json(metadata) || priority || queue || state || scheduled_at || json(tags)
		FROM river_job ORDER BY id`
	read := func(query string) []string { return storetest.Strings(t, db, query) }
	before := read(all)
	require.Len(t, before, len(states))

	s := storetest.Open(t, url, nil)
	require.Equal(t, before, read(all))
	require.Equal(t, []string{"8"}, read("SELECT MAX(version) || '' FROM river_migration"))
	_, err = db.ExecContext(t.Context(), "DELETE FROM river_job WHERE id = 17")
	require.NoError(t, err)
	enqueue(t, s, "a")
	require.Equal(t, []string{"18"}, read("SELECT MAX(id) || '' FROM river_job"))
}

// enqueue makes a job due for each id.
func enqueue(t *testing.T, s *store.Store, ids ...string) {
	t.Helper()
	require.NoError(t, s.Do(t.Context(), func(_ context.Context, tx *store.Tx) error {
		for _, id := range ids {
			tx.Enqueue(failing{id, 25})
		}
		return nil
	}))
}

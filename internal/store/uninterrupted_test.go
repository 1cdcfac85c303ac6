package store

import (
	"context"
	"database/sql"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

// Ensure that the end of a context lets no more statements of a transaction run, and that nothing
// of it stays. The connection is free for the next one.
func TestTransactionOfAnEndedContext(t *testing.T) {
	s, err := Open(t.Context(), Options{URL: "sqlite:" + filepath.Join(t.TempDir(), "bridge.db")})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, s.Close()) })
	const add = "INSERT INTO seen (source, tenant, id, digest, at) VALUES ('', '', $1, '', 1)"
	ctx, cancel := context.WithCancel(t.Context())
	begun, err := s.engine.begin(ctx)
	require.NoError(t, err)
	u := uninterrupted{begun.(*sqliteSession).conn}
	_, err = u.ExecContext(ctx, add, "a")
	require.NoError(t, err)
	cancel()
	_, err = u.ExecContext(ctx, add, "b")
	require.ErrorIs(t, err, context.Canceled)
	_, err = u.QueryContext(ctx, "SELECT 1")
	require.ErrorIs(t, err, context.Canceled)
	require.ErrorIs(t, u.QueryRowContext(ctx, "SELECT 1").Scan(new(int)), context.Canceled)
	require.NoError(t, begun.rollback(ctx))

	next, err := s.engine.begin(t.Context())
	require.NoError(t, err)
	defer func() { require.NoError(t, next.rollback(t.Context())) }()
	row := next.(*sqliteSession).tx.QueryRowContext(t.Context(), "SELECT id FROM seen")
	require.ErrorIs(t, row.Scan(new(string)), sql.ErrNoRows)
}

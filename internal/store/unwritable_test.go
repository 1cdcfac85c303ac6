package store_test

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"smsbridge/internal/store"
	"smsbridge/internal/store/storetest"
)

// Ensure that the database does not count as ready while its disk is full, although it can be read.
func TestFullDiskIsNotReady(t *testing.T) {
	s := storetest.Open(t, storetest.SQLite(t), time.Now)
	run := func(statement string) error {
		return s.Do(t.Context(), func(ctx context.Context, tx *store.Tx) error {
			return storetest.Exec(ctx, tx, statement)
		})
	}
	const grow = "INSERT INTO filler VALUES (zeroblob(1000000))"
	require.NoError(t, run("CREATE TABLE filler (x BLOB)"))
	require.NoError(t, run("PRAGMA max_page_count = 1")) // none more than it has
	require.NoError(t, s.Ping(t.Context()))
	require.ErrorContains(t, run(grow), "full")
	require.ErrorContains(t, s.Ping(t.Context()), "full")
	require.Error(t, run("INSERT INTO none VALUES (1)"), "a mistake is no sign of room")
	require.ErrorContains(t, s.Ping(t.Context()), "full")
	require.NoError(t, run("PRAGMA max_page_count = 100000"))
	require.NoError(t, run(grow))
	require.NoError(t, s.Ping(t.Context()))
}

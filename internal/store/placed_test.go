package store_test

import (
	"context"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"smsbridge/internal/store"
	"smsbridge/internal/store/storetest"
)

// Ensure that nothing counts as recorded in a SQLite file that is not at its path any more. When
// the file is back, the bridge goes on.
func TestFileMovedAway(t *testing.T) {
	url := storetest.SQLite(t)
	s := storetest.Open(t, url, time.Now)
	path := strings.TrimPrefix(url, "sqlite:")
	aside := path + ".aside"
	record := func() error {
		return s.Do(t.Context(), func(context.Context, *store.Tx) error { return nil })
	}
	works := func() {
		t.Helper()
		require.NoError(t, record())
		require.NoError(t, s.Ping(t.Context()))
	}
	refuses := func() {
		t.Helper()
		require.ErrorContains(t, record(), "moved, removed or replaced")
		require.ErrorContains(t, s.Ping(t.Context()), "moved, removed or replaced")
	}
	works()
	require.NoError(t, os.Rename(path, aside))
	refuses()
	copied, err := os.ReadFile(aside)
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(path, copied, 0o600))
	refuses()
	require.NoError(t, os.Rename(aside, path))
	works()
	require.NoError(t, os.Remove(path))
	refuses()
}

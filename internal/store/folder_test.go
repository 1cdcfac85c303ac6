package store_test

import (
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"smsbridge/internal/store/storetest"
)

// Ensure that test databases are in memory where the machine lends some, that TMPDIR moves them,
// and that a run leaves none behind.
func TestDatabasesOfTestsAreInMemory(t *testing.T) {
	t.Setenv("TMPDIR", "")
	memory := storetest.Memory()
	if memory == "" {
		memory = os.TempDir() // no /dev/shm, or a small one
	}
	var folder, path string
	t.Run("a test", func(t *testing.T) {
		folder = storetest.Folder(t)
		path = strings.TrimPrefix(storetest.SQLite(t), "sqlite:")
		require.FileExists(t, path)
	})
	for _, gone := range []string{folder, path} {
		require.True(t, strings.HasPrefix(gone, memory+"/"), gone)
		require.NoFileExists(t, gone)
		require.NoDirExists(t, gone)
	}
	chosen := t.TempDir()
	t.Setenv("TMPDIR", chosen)
	t.Run("a place that was chosen", func(t *testing.T) {
		require.Empty(t, storetest.Memory())
		require.True(t, strings.HasPrefix(storetest.Folder(t), chosen+"/"))
	})
}

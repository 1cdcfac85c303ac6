package storetest

import (
	"os"
	"testing"

	"github.com/stretchr/testify/require"
)

// Folder is a new folder for a database, which goes when the test ends. It is in memory where the
// machine has room there and TMPDIR names no other place. A commit waits for its disk, and tests
// commit thousands of times. They kill bridges and never the machine, so memory loses nothing.
func Folder(t testing.TB) string {
	t.Helper()
	// Not t.TempDir, which GOTMPDIR puts elsewhere than TMPDIR.
	folder, err := os.MkdirTemp(Memory(), "smsbridge-test-")
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, os.RemoveAll(folder)) })
	return folder
}

// Memory is a folder in memory with room for the databases of a run, or "" where there is none.
func Memory() string {
	const folder, room = "/dev/shm", 512 << 20
	if os.Getenv("TMPDIR") != "" || available(folder) < room {
		return ""
	}
	return folder
}

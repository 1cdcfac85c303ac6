//go:build unix

package store

import (
	"path/filepath"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"
)

// A child has a copy of every open file between its fork and its exec.
func TestLockIsNotLeftToAChild(t *testing.T) {
	path := filepath.Join(t.TempDir(), "smsbridge.db.lock")
	lock, err := lockFile(path)
	require.NoError(t, err)
	inherited, err := syscall.Dup(int(lock.file.Fd()))
	require.NoError(t, err)
	defer syscall.Close(inherited)
	_, err = lockFile(path)
	require.ErrorContains(t, err, "another smsbridge uses this database file")
	require.NoError(t, lock.Close())

	again, err := lockFile(path)
	require.NoError(t, err)
	require.NoError(t, again.Close())
}

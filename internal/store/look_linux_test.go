package store_test

import (
	"os"
	"path/filepath"
	"runtime"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"

	"smsbridge/internal/store"
	"smsbridge/internal/store/storetest"
)

// Ensure that a file or folder which this user may not write is found before anything is made.
func TestLookAsAUserWhoMayNotWrite(t *testing.T) {
	folder := storetest.Folder(t)
	path := filepath.Join(folder, "smsbridge.db")
	require.NoError(t, os.Chmod(folder, 0o555))
	t.Cleanup(func() { require.NoError(t, os.Chmod(folder, 0o700)) })
	asNobody(t, func() {
		require.ErrorIs(t, store.Look(options(path)), syscall.EACCES)
	})
	require.NoError(t, os.Chmod(folder, 0o777))
	require.NoError(t, store.Look(options(path)))
	require.NoError(t, os.WriteFile(path, nil, 0o444))
	asNobody(t, func() {
		require.ErrorIs(t, store.Look(options(path)), syscall.EACCES)
	})
	left, err := os.ReadDir(folder)
	require.NoError(t, err)
	require.Len(t, left, 1, "Look makes nothing")
}

// asNobody runs f as a user without rights, when the tests run as root. The user of one thread
// changes (setresuid(2)), and comes back.
func asNobody(t *testing.T, f func()) {
	if os.Geteuid() != 0 {
		f()
		return
	}
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	become := func(id uintptr) {
		_, _, errno := syscall.RawSyscall(syscall.SYS_SETRESUID, id, id, 0)
		require.Zero(t, errno)
	}
	const nobody = 65534
	become(nobody)
	defer become(0)
	f()
}

package socket_test

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/user"
	"path/filepath"
	"runtime"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"

	"smsbridge/cmd/smsbridge/socket"
)

// Ensure that another user of the system cannot ask.
func TestStranger(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("only root can be another user")
	}
	path := bridge(t, always(func(context.Context, socket.Call) int { return 0 }))
	const nobody = 65534
	connect := func() error {
		fd, err := syscall.Socket(syscall.AF_UNIX, syscall.SOCK_STREAM, 0)
		require.NoError(t, err)
		defer syscall.Close(fd)
		// A short name: the folders above are not the other user's to pass.
		folder, err := os.Open(filepath.Dir(path))
		require.NoError(t, err)
		defer folder.Close()
		require.NoError(t, os.Chmod(filepath.Dir(path), 0o711))
		at := fmt.Sprintf("/proc/self/fd/%d/%s", folder.Fd(), filepath.Base(path))
		runtime.LockOSThread() // the user of a thread changes, see setfsuid(2)
		defer runtime.UnlockOSThread()
		require.NoError(t, syscall.Setfsuid(nobody))
		err = syscall.Connect(fd, &syscall.SockaddrUnix{Name: at})
		require.NoError(t, syscall.Setfsuid(0))
		return err
	}
	err := connect()
	require.ErrorIs(t, err, syscall.EACCES)
	require.ErrorIs(t, socket.Explain(err), socket.ErrForbidden)
	require.NoError(t, os.Chmod(path, 0o666))
	require.NoError(t, connect(), "the mode alone keeps strangers out")
}

// Ensure that the bridge knows who asks.
func TestUser(t *testing.T) {
	path := bridge(t, always(func(_ context.Context, c socket.Call) int {
		fmt.Fprint(c.Stdout, c.User)
		return 0
	}))
	own, err := user.Current()
	require.NoError(t, err)
	read, write := io.Pipe()
	go func() {
		_, err := socket.Ask(t.Context(), path, socket.Call{Stdout: write})
		_ = write.CloseWithError(err)
	}()
	said, err := io.ReadAll(read)
	require.NoError(t, err)
	require.Equal(t, own.Username, string(said))
}

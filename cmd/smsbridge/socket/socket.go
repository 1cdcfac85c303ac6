// Package socket lets a command of smsbridge be run by the bridge that runs already, over a unix
// socket.
//
// It is for cmd/smsbridge, which says what a command is. This package knows how a command gets
// there and what comes back:
//
//   - [Listen] makes the socket, which only the bridge's user may use. It takes the place of one
//     that a killed bridge left behind, and of no other file.
//   - [Handler] takes one request for each command. The body is a line of JSON, a [Request], and
//     then what the command reads as standard input. The response has a line of JSON for each
//     piece that the command writes, and at last its exit status.
//   - [Ask] makes such a request. A bridge that does not answer is [ErrNoBridge]: then the caller
//     does the work itself.
//
// A file that an argument names is never opened here: its content comes and goes through standard
// input and output. A command ends when the one who asked goes away.
package socket

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"syscall"
	"time"
)

// mode lets the bridge's own user in, and root.
const mode = 0o600

// longestPath is how long the path of a socket may be on every system, in bytes: sun_path has 104
// of them on macOS and BSD, and 108 on Linux (unix(7)). The last one is a zero.
const longestPath = 103

// dialTime is how long a bridge may take to accept a connection.
const dialTime = 5 * time.Second

// ErrInUse: another process listens at the socket.
var ErrInUse = errors.New("another bridge listens there")

// ErrNoSocket: the path is that of another file.
var ErrNoSocket = errors.New("there is a file of that name, and it is no socket")

// Look returns the error with which Listen would end for the path itself, without a change. It is
// ErrInUse while a bridge runs. Whether this process may write into the folder is not looked at.
func Look(ctx context.Context, path string) error {
	if _, err := inTheWay(ctx, path); err != nil {
		return err
	}
	_, done, err := within(path)
	if err == nil {
		done()
	}
	return err
}

// Listen makes the socket at a path, and listens. Closing the listener removes it.
func Listen(ctx context.Context, path string) (net.Listener, error) {
	left, err := inTheWay(ctx, path)
	if err == nil && left {
		err = os.Remove(path)
	}
	if err != nil {
		return nil, err
	}
	at, done, err := within(path)
	if err != nil {
		return nil, err
	}
	defer done()
	// On Linux the file gets the mode of the socket (unix(7)): so it never has another one.
	config := net.ListenConfig{Control: func(_, _ string, raw syscall.RawConn) (err error) {
		wrong := raw.Control(func(fd uintptr) { err = private(fd) })
		return errors.Join(err, wrong)
	}}
	l, err := config.Listen(ctx, "unix", at)
	if err != nil {
		return nil, err
	}
	unix := l.(*net.UnixListener)
	unix.SetUnlinkOnClose(false) // it knows the path by another name, perhaps
	if err := os.Chmod(path, mode); err != nil {
		return nil, errors.Join(err, unix.Close(), os.Remove(path))
	}
	return &listener{UnixListener: unix, path: path}, nil
}

// listener removes its socket when it is closed.
type listener struct {
	*net.UnixListener
	path string
}

// Close stops to listen.
func (l *listener) Close() error {
	removed := os.Remove(l.path)
	if errors.Is(removed, fs.ErrNotExist) {
		removed = nil // closed before
	}
	return errors.Join(removed, l.UnixListener.Close())
}

// inTheWay returns an error when another bridge or another file has the path of a socket. Left
// means that it is a socket at which no process listens.
func inTheWay(ctx context.Context, path string) (left bool, err error) {
	found, err := os.Lstat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return false, nil
	case err != nil:
		return false, err
	case found.Mode().Type() != fs.ModeSocket:
		return false, ErrNoSocket
	}
	conn, err := dial(ctx, path)
	switch {
	case err == nil:
		return false, errors.Join(ErrInUse, conn.Close())
	case errors.Is(err, syscall.ECONNREFUSED):
		return true, nil
	}
	return false, err
}

// within is a name of the path that is short enough for a socket. Call done when it is used.
func within(path string) (at string, done func(), err error) {
	if len(path) <= longestPath {
		return path, func() {}, nil
	}
	folder, err := os.Open(filepath.Dir(path))
	if err != nil {
		return "", nil, err
	}
	// Linux has a name for each open descriptor (proc(5)).
	at = fmt.Sprintf("/proc/self/fd/%d/%s", folder.Fd(), filepath.Base(path))
	_, err = os.Stat(filepath.Dir(at))
	if err != nil || len(at) > longestPath {
		return "", nil, errors.Join(syscall.ENAMETOOLONG, folder.Close())
	}
	return at, func() { _ = folder.Close() }, nil
}

// dial connects to the socket at a path.
func dial(ctx context.Context, path string) (net.Conn, error) {
	at, done, err := within(path)
	if err != nil {
		return nil, err
	}
	defer done()
	dialer := net.Dialer{Timeout: dialTime}
	return dialer.DialContext(ctx, "unix", at)
}

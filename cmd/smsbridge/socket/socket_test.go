package socket_test

import (
	"bytes"
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"smsbridge/cmd/smsbridge/socket"
)

// patience is how long a test waits for what must come.
const patience = time.Minute

// bridge serves commands at a socket until the test ends.
func bridge(t *testing.T, find func(args []string) socket.Command) (path string) {
	path, stop := stoppable(t, find)
	t.Cleanup(func() { require.NoError(t, stop(t.Context())) })
	return path
}

// stoppable serves commands at a socket until stop is called.
func stoppable(
	t *testing.T, find func(args []string) socket.Command,
) (path string, stop func(context.Context) error) {
	path = filepath.Join(t.TempDir(), "b.sock")
	listener, err := socket.Listen(t.Context(), path)
	require.NoError(t, err)
	handler := &socket.Handler{Version: "smsbridge v9", Find: find}
	server := socket.Server(handler, slog.New(slog.DiscardHandler), 0)
	served := make(chan error, 1)
	go func() { served <- server.Serve(listener) }()
	return path, func(ctx context.Context) error {
		err := server.Shutdown(context.WithoutCancel(ctx))
		require.ErrorIs(t, <-served, http.ErrServerClosed)
		require.NoFileExists(t, path)
		return err
	}
}

// always finds the same command.
func always(c socket.Command) func([]string) socket.Command {
	return func([]string) socket.Command { return c }
}

// Ensure that the socket is for its own user. A long path does not matter where the system has a
// way around it.
func TestListen(t *testing.T) {
	deep := filepath.Join(t.TempDir(), strings.Repeat("d", 200))
	require.NoError(t, os.Mkdir(deep, 0o700))
	for _, path := range []string{
		filepath.Join(t.TempDir(), "b.sock"), filepath.Join(deep, "b.sock"),
	} {
		listener, err := socket.Listen(t.Context(), path)
		if len(path) > 103 && err != nil {
			require.NoDirExists(t, "/proc/self/fd", err)
			continue
		}
		require.NoError(t, err)
		found, err := os.Stat(path)
		require.NoError(t, err)
		require.Equal(t, fs.ModeSocket|0o600, found.Mode())
		_, err = socket.Listen(t.Context(), path)
		require.ErrorIs(t, err, socket.ErrInUse)
		require.NoError(t, listener.Close())
		require.NoFileExists(t, path)
	}
	_, err := socket.Listen(t.Context(), filepath.Join(deep, strings.Repeat("b", 110)))
	require.Error(t, err)
	_, err = socket.Listen(t.Context(), filepath.Join(t.TempDir(), "none", "b.sock"))
	require.ErrorIs(t, err, fs.ErrNotExist)
}

// Ensure that what a killed bridge left behind is replaced, and no other file.
func TestListenReplacesADeadSocket(t *testing.T) {
	path := filepath.Join(t.TempDir(), "b.sock")
	dead, err := net.ListenUnix("unix", &net.UnixAddr{Name: path, Net: "unix"})
	require.NoError(t, err)
	dead.SetUnlinkOnClose(false)
	require.NoError(t, dead.Close())
	_, err = socket.Ask(t.Context(), path, socket.Call{})
	require.ErrorIs(t, err, socket.ErrNoBridge)
	listener, err := socket.Listen(t.Context(), path)
	require.NoError(t, err)
	require.NoError(t, listener.Close())

	require.NoError(t, os.WriteFile(path, []byte("precious"), 0o600))
	_, err = socket.Listen(t.Context(), path)
	require.ErrorIs(t, err, socket.ErrNoSocket)
	kept, err := os.ReadFile(path)
	require.NoError(t, err)
	require.Equal(t, "precious", string(kept))
	_, err = socket.Ask(t.Context(), filepath.Join(path, "below"), socket.Call{})
	require.ErrorIs(t, err, socket.ErrNoBridge)
}

// Ensure that a command gets its arguments and its standard input, and that what it writes comes in
// order, with its status.
func TestAsk(t *testing.T) {
	path := bridge(t, func(args []string) socket.Command {
		if args[0] != "echo" {
			return nil
		}
		return func(_ context.Context, c socket.Call) int {
			fmt.Fprintln(c.Stderr, "begins", strings.Join(c.Args, "|"), c.Version)
			n, err := io.Copy(c.Stdout, c.Stdin)
			fmt.Fprintln(c.Stderr, "ends", n, err)
			return 7
		}
	})
	long := strings.Repeat("x", 10_000) // longer than what is read at once
	input := strings.Repeat("æ\x00\n", 100_000)
	var out, both bytes.Buffer
	status, err := socket.Ask(t.Context(), path, socket.Call{
		Request: socket.Request{Version: "smsbridge v1", Args: []string{"echo", "a b", long}},
		Stdin:   strings.NewReader(input), Stdout: io.MultiWriter(&out, &both), Stderr: &both,
	})
	require.NoError(t, err)
	require.Equal(t, 7, status)
	require.Equal(t, input, out.String())
	require.Equal(t, "begins echo|a b|"+long+" smsbridge v1\n"+input+
		fmt.Sprintf("ends %d <nil>\n", len(input)), both.String())

	var unknown socket.UnknownError
	_, err = socket.Ask(t.Context(), path, socket.Call{
		Request: socket.Request{Args: []string{"dance"}},
	})
	require.ErrorAs(t, err, &unknown)
	require.Equal(t, "smsbridge v9", unknown.Version)
	_, err = socket.Ask(t.Context(), path, socket.Call{
		Request: socket.Request{Args: []string{strings.Repeat("x", 2<<20)}},
	})
	require.ErrorContains(t, err, "400")
}

// Ensure that a command need not read what it is sent, however much that is.
func TestAskUnread(t *testing.T) {
	path := bridge(t, always(func(_ context.Context, c socket.Call) int {
		fmt.Fprintln(c.Stdout, "no")
		return 2
	}))
	var out bytes.Buffer
	status, err := socket.Ask(t.Context(), path, socket.Call{
		Stdin: strings.NewReader(strings.Repeat("x", 8<<20)), Stdout: &out,
	})
	require.NoError(t, err)
	require.Equal(t, []any{2, "no\n"}, []any{status, out.String()})
}

// Ensure that a command ends when the one who asked goes away, whether it is fed or not.
func TestCancel(t *testing.T) {
	ended := make(chan error, 2)
	path := bridge(t, always(func(ctx context.Context, c socket.Call) int {
		fmt.Fprintln(c.Stdout, "begun")
		<-ctx.Done()
		ended <- ctx.Err()
		return 0
	}))
	for range 2 {
		ctx, cancel := context.WithCancel(t.Context())
		_, err := socket.Ask(ctx, path, socket.Call{Stdout: writes(func([]byte) error {
			cancel()
			return nil
		})})
		require.ErrorIs(t, err, context.Canceled)
		select {
		case err := <-ended:
			require.ErrorIs(t, err, context.Canceled)
		case <-time.After(patience):
			t.Fatal("the command goes on")
		}
	}
}

// Ensure that an output that fails ends the command, too.
func TestOutputFails(t *testing.T) {
	full := errors.New("the disk is full")
	ended := make(chan struct{})
	path := bridge(t, always(func(ctx context.Context, c socket.Call) int {
		fmt.Fprintln(c.Stdout, "begun")
		<-ctx.Done()
		close(ended)
		return 0
	}))
	_, err := socket.Ask(t.Context(), path, socket.Call{
		Stdout: writes(func([]byte) error { return full }),
	})
	require.ErrorIs(t, err, full)
	select {
	case <-ended:
	case <-time.After(patience):
		t.Fatal("the command goes on")
	}
}

// Ensure that a bridge which ends before its command is no success, and that one which is busy says
// so.
func TestCutAndTooMany(t *testing.T) {
	release := make(chan struct{})
	path := bridge(t, func(args []string) socket.Command {
		return func(_ context.Context, c socket.Call) int {
			fmt.Fprintln(c.Stdout, "begun")
			if args[0] == "crash" {
				panic(http.ErrAbortHandler)
			}
			<-release
			return 0
		}
	})
	call := func(name string, out io.Writer) socket.Call {
		return socket.Call{Request: socket.Request{Args: []string{name}}, Stdout: out}
	}
	_, err := socket.Ask(t.Context(), path, call("crash", io.Discard))
	require.ErrorIs(t, err, socket.ErrCut)
	const most = 32
	begun, done := make(chan struct{}, most), make(chan error, most)
	for range most {
		go func() {
			_, err := socket.Ask(t.Context(), path, call("wait", writes(func([]byte) error {
				begun <- struct{}{}
				return nil
			})))
			done <- err
		}()
	}
	for range most {
		<-begun
	}
	_, err = socket.Ask(t.Context(), path, call("wait", io.Discard))
	require.ErrorIs(t, err, socket.ErrTooMany)
	close(release)
	for range most {
		require.NoError(t, <-done)
	}
	_, err = socket.Ask(t.Context(), path, call("wait", io.Discard))
	require.NoError(t, err)
}

// Ensure that another program's socket is not taken for a bridge.
func TestNoBridge(t *testing.T) {
	path := filepath.Join(t.TempDir(), "b.sock")
	listener, err := socket.Listen(t.Context(), path)
	require.NoError(t, err)
	server := &http.Server{Handler: http.NotFoundHandler()}
	go func() { _ = server.Serve(listener) }()
	t.Cleanup(func() { _ = server.Close() })
	_, err = socket.Ask(t.Context(), path, socket.Call{})
	require.ErrorContains(t, err, "is no bridge: it responds with 404")
}

// writes makes an io.Writer of a function.
type writes func(p []byte) error

func (w writes) Write(p []byte) (int, error) { return len(p), w(p) }

// Ensure that a command which waits for what a person types does not keep the bridge from stopping.
func TestStop(t *testing.T) {
	path, stop := stoppable(t, always(func(_ context.Context, c socket.Call) int {
		fmt.Fprintln(c.Stdout, "reading")
		_, err := io.Copy(io.Discard, c.Stdin)
		if err == nil {
			return 0
		}
		return 1
	}))
	typed, typing := io.Pipe()
	defer typing.Close()
	reading, asked := make(chan struct{}), make(chan error, 1)
	go func() {
		_, err := socket.Ask(t.Context(), path, socket.Call{
			Stdin: typed, Stdout: writes(func([]byte) error {
				close(reading)
				return nil
			}),
		})
		asked <- err
	}()
	<-reading
	require.NoError(t, stop(t.Context()))
	require.ErrorIs(t, <-asked, socket.ErrCut)
}

// dialer is a client of a socket that knows HTTP alone.
func dialer(path string) *http.Client {
	return &http.Client{Timeout: patience, Transport: &http.Transport{
		DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			var d net.Dialer
			return d.DialContext(ctx, "unix", path)
		},
	}}
}

// Ensure that the bridge says at once that a command begins, however late that writes.
func TestBegins(t *testing.T) {
	release := make(chan struct{})
	path := bridge(t, always(func(context.Context, socket.Call) int {
		<-release
		return 0
	}))
	client := dialer(path)
	res, err := client.Post("http://bridge/command", "", strings.NewReader("{}\n"))
	close(release)
	require.NoError(t, err)
	body, err := io.ReadAll(res.Body)
	require.NoError(t, errors.Join(err, res.Body.Close()))
	require.Equal(t, "{\"status\":0}\n", string(body))
	client.CloseIdleConnections()
}

// Ensure that a command reads on after it has written, also for a client that keeps its connection.
func TestReadsAfterItWrote(t *testing.T) {
	path := bridge(t, always(func(_ context.Context, c socket.Call) int {
		n, err := io.Copy(io.Discard, c.Stdin)
		fmt.Fprint(c.Stdout, n, err)
		return 0
	}))
	client := dialer(path)
	long := strings.Repeat("x", 100_000) // as much as a server discards
	res, err := client.Post("http://bridge/command", "", strings.NewReader("{}\n"+long))
	require.NoError(t, err)
	body, err := io.ReadAll(res.Body)
	require.NoError(t, errors.Join(err, res.Body.Close()))
	want := base64.StdEncoding.EncodeToString([]byte("100000 <nil>"))
	require.Equal(t, "{\"out\":\""+want+"\"}\n{\"status\":0}\n", string(body))
	client.CloseIdleConnections()
}

package web_test

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/labstack/echo/v4"
	"github.com/stretchr/testify/require"

	"smsbridge/inbound/web"
)

// pipes is a listener of connections in memory, whose time a synctest moves.
type pipes chan net.Conn

func (p pipes) Accept() (net.Conn, error) {
	if conn, open := <-p; open {
		return conn, nil
	}
	return nil, net.ErrClosed
}

func (p pipes) Close() error { close(p); return nil }

func (p pipes) Addr() net.Addr { return &net.UnixAddr{} }

// upload posts a body of size bytes over such a connection. It sends came(n) bytes in the n-th
// second. It returns after what time the handler stopped reading, and its error.
func upload(t *testing.T, size int, came func(second int) int) (took time.Duration, err error) {
	t.Helper()
	start, ended := time.Now(), make(chan error, 1)
	e := echo.New()
	e.POST("/", func(c echo.Context) error {
		upload := web.OpenUpload(c)
		_, err := io.Copy(io.Discard, upload)
		upload.End()
		took = time.Since(start)
		ended <- err
		return c.NoContent(http.StatusNoContent)
	})
	listener := make(pipes)
	server := &http.Server{Handler: e, ReadTimeout: 15 * time.Second}
	go func() { _ = server.Serve(listener) }()
	ours, theirs := net.Pipe()
	listener <- theirs
	go func() { _, _ = io.Copy(io.Discard, ours) }()
	go func() {
		_, err := fmt.Fprintf(ours, "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n", size)
		for second := 0; err == nil && size > 0 && second < 100; second++ {
			if n := min(came(second), size); n > 0 {
				_, err = io.WriteString(ours, strings.Repeat("x", n))
				size -= n
			}
			time.Sleep(time.Second)
		}
	}()
	err = <-ended
	require.NoError(t, ours.Close())
	require.NoError(t, server.Close())
	time.Sleep(2 * time.Minute) // so that all goroutines have ended
	return took, err
}

// Ensure that an upload may take longer than other requests as long as it comes at a pace. One that
// stalls or dribbles is cut off after ten seconds, and none takes more than a minute.
func TestUploadPace(t *testing.T) {
	const kib = 1 << 10
	steady := func(n int) func(int) int { return func(int) int { return n } }
	for name, c := range map[string]struct {
		size int
		came func(second int) int
		cut  time.Duration // when, 0 for an upload that is read to its end
	}{
		"at once":                {1000 * kib, steady(1000 * kib), 0},
		"30 MB in half a minute": {30_000 * kib, steady(1000 * kib), 0},
		"just fast enough":       {900 * kib, steady(18 * kib), 0},
		"small and slow":         {9, steady(1), 0},
		"a pause of nine seconds": {640 * kib, func(second int) int {
			return 160 * kib * max(0, 1-second%9)
		}, 0},
		"nothing at all":    {10, steady(0), 10 * time.Second},
		"one byte a second": {1000, steady(1), 10 * time.Second},
		"8 KiB a second":    {1000 * kib, steady(8 * kib), 10 * time.Second},
		"fast, and then nothing": {801 * kib, func(s int) int { return 800 * kib * max(0, 1-s) },
			10 * time.Second},
		"fast for 20 s, and then slowly": {10_000 * kib, func(second int) int {
			if second < 20 {
				return 200 * kib
			}
			return 1
		}, 29 * time.Second},
		"at a pace, for a minute": {6000 * kib, steady(20 * kib), time.Minute},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				took, err := upload(t, c.size, c.came)
				if c.cut == 0 {
					require.NoError(t, err)
					return
				}
				require.ErrorIs(t, err, os.ErrDeadlineExceeded)
				require.InDelta(t, c.cut.Seconds(), took.Seconds(), 1)
			})
		})
	}
}

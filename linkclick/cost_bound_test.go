package linkclick

import (
	"bufio"
	"net"
	"net/http"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// allocated returns how many bytes do allocates.
func allocated(do func()) uint64 {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	do()
	runtime.ReadMemStats(&after)
	return after.TotalAlloc - before.TotalAlloc
}

// costsLittle asserts that looking at something takes no longer than a quadratic loop takes for the
// seeds of the fuzz targets. It is generous, since a fuzz target counts each line that it runs.
func costsLittle(t *testing.T, look func()) {
	start := processorTime(t)
	look()
	require.Less(t, processorTime(t)-start, 3*time.Second)
}

// attacks are texts with which one mail of 500 kB once took up to 36 s.
func attacks(size int) map[string]string {
	return map[string]string{
		"lines":    strings.Repeat("1\n", size/2),
		"numbers":  strings.Repeat("583920 ", size/7),
		"brackets": "https://login.acme.example/" + strings.Repeat(")", size),
	}
}

// A server that sends without end costs a click no more than it reads.
func TestClickMemoryIsBounded(t *testing.T) {
	filler := []byte(strings.Repeat("<p>words ", 1000))
	for _, head := range []string{
		"Content-Type: text/html\r\n\r\n", "Content-Type: application/json\r\n\r\n{\"a\":\"",
		"Content-Type: text/html\r\nContent-Encoding: gzip\r\n\r\n",
		"Content-Type: text/html; charset=utf-16\r\n\r\n", "X: ",
	} {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		require.NoError(t, err)
		go func() {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			defer conn.Close()
			_, _ = http.ReadRequest(bufio.NewReader(conn))
			_, _ = conn.Write([]byte("HTTP/1.1 200 OK\r\n" + head))
			for err == nil {
				_, err = conn.Write(filler)
			}
		}()
		c := &Clicker{Rule: Rule{Hosts: []string{l.Addr().String()}, UnsafeAllow: loopback},
			Timeout: time.Minute}
		var r Result
		bytes := allocated(func() {
			r = open(t, c,
				"http://"+l.Addr().String()+"/auth/verify-email?token=t1&callbackURL=%2F")
		})
		l.Close()
		require.Equal(t, OutcomeUnknown, r.Outcome, head)
		require.Less(t, bytes, uint64(24<<20), head)
		require.Len(t, r.Steps, 1)
		require.Equal(t, http.MethodGet, r.Steps[0].Method)
	}
}

package linkclick

import (
	"bufio"
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
)

// pipes is a network of memory for the tests that wait: on the clock of synctest a limit of
// seconds costs no time, and load does not reach it.
type pipes struct {
	conns chan net.Conn
	done  context.Context
	close context.CancelFunc
}

// newPipes returns a network without connections. When it is closed, so are its connections, at
// both ends: a TLS connection says goodbye, and would wait for an end that does not listen.

func newPipes(t *testing.T) *pipes {
	t.Helper()
	p := &pipes{conns: make(chan net.Conn)}
	p.done, p.close = context.WithCancel(t.Context())
	t.Cleanup(p.close)
	return p
}

func (p *pipes) Accept() (net.Conn, error) {
	select {
	case conn := <-p.conns:
		return conn, nil
	case <-p.done.Done():
		return nil, net.ErrClosed
	}
}

func (p *pipes) Close() error {
	p.close()
	return nil
}

func (p *pipes) Addr() net.Addr { return &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: 443} }

func (p *pipes) dial(ctx context.Context, _, _ string) (net.Conn, error) {
	ours, theirs := net.Pipe()
	context.AfterFunc(p.done, func() { ours.Close() })
	context.AfterFunc(p.done, func() { theirs.Close() })
	select {
	case p.conns <- theirs:
		return ours, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// clicker returns a clicker that may reach what listens at p.
func (p *pipes) clicker(t *testing.T) *Clicker {
	t.Helper()
	own, err := certificate()
	require.NoError(t, err)
	leaf, err := x509.ParseCertificate(own.Certificate[0])
	require.NoError(t, err)
	roots := x509.NewCertPool()
	roots.AddCert(leaf)
	return &Clicker{
		Rule:    Rule{Hosts: []string{"127.0.0.1"}, UnsafeAllow: loopback},
		Timeout: 3 * time.Second, HeaderTimeout: time.Second,
		testOnly: testOnly{roots: roots, dial: p.dial},
	}
}

// hostileServer does not want to end; took is how long the click then takes.
type hostileServer struct {
	h      http.HandlerFunc
	reason string
	took   time.Duration
}

// Servers that do not want to end do not hold a click beyond its limits.
func TestHostileServers(t *testing.T) {
	endless := func(prefix string) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Type", "text/html")
			fmt.Fprint(w, prefix)
			for r.Context().Err() == nil {
				if _, err := fmt.Fprint(w, strings.Repeat("<p>x ", 1000)); err != nil {
					return
				}
			}
		}
	}
	form := `<form method="post"><input type="hidden" name="a" value="b"></form>`
	for name, tt := range map[string]hostileServer{
		"no header": {func(w http.ResponseWriter, r *http.Request) {
			<-r.Context().Done()
		}, ReasonTimeout, time.Second},
		"endless body":     {endless(form), ReasonUnreadable, 0},
		"endless sentence": {endless("Your email has been verified."), ReasonPage, 0},
		"slow body": {func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Type", "text/html")
			fmt.Fprint(w, "Your email has been verified.")
			_ = http.NewResponseController(w).Flush()
			<-r.Context().Done()
			panic(http.ErrAbortHandler) // or the server would end the body well
		}, ReasonTimeout, 3 * time.Second},
		"compressed": {func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Encoding", "gzip")
			html200(w, "Your email has been verified.")
		}, ReasonUnreadable, 0},
		"not text": {func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Type", "application/octet-stream")
			fmt.Fprint(w, "Your email has been verified.")
		}, ReasonUnreadable, 0},
		"header flood": {func(w http.ResponseWriter, r *http.Request) {
			for i := range 3000 {
				w.Header().Set(fmt.Sprint("X-", i), strings.Repeat("x", 40))
			}
		}, ReasonNoAnswer, 0},
		"nested markup": {says(strings.Repeat("<div>", 20_000) + form), ReasonNothingClear, 0},
	} {
		t.Run(name, func(t *testing.T) { synctest.Test(t, tt.run) })
	}
}

func (tt hostileServer) run(t *testing.T) {
	p := newPipes(t)
	c := p.clicker(t)
	own, err := certificate()
	require.NoError(t, err)
	s := &http.Server{
		Handler: tt.h, ErrorLog: log.New(io.Discard, "", 0),
		TLSConfig: &tls.Config{Certificates: []tls.Certificate{own}},
	}
	go func() { _ = s.ServeTLS(p, "", "") }()
	defer s.Close()
	start := time.Now()
	r := open(t, c, "https://127.0.0.1/x")
	require.Equal(t, tt.reason, r.Reason)
	require.True(t, r.Sent)
	require.Equal(t, tt.took, time.Since(start))
	require.Len(t, r.Steps, 1)
}

// A server that starts an answer and breaks off, or stalls in the handshake.
func TestBrokenConnections(t *testing.T) {
	click := func(t *testing.T, scheme, answer string) Result {
		p := newPipes(t)
		go func() {
			for {
				conn, err := p.Accept()
				if err != nil {
					return
				}
				_, _ = http.ReadRequest(bufio.NewReader(conn))
				fmt.Fprint(conn, answer)
				conn.Close()
			}
		}()
		start := time.Now()
		r := open(t, p.clicker(t), scheme+"://127.0.0.1/x")
		require.LessOrEqual(t, time.Since(start), time.Second)
		return r
	}
	for _, answer := range []string{
		"",
		"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 100\r\n\r\n" +
			"Your email has been verified.",
		"SSH-2.0-x\r\n",
	} {
		synctest.Test(t, func(t *testing.T) {
			r := click(t, "http", answer)
			require.Equal(t, OutcomeUnknown, r.Outcome, answer)
			require.Equal(t, ReasonNoAnswer, r.Reason, answer)
			require.True(t, r.Sent)
		})
	}
	synctest.Test(t, func(t *testing.T) {
		r := click(t, "https", "not TLS")
		require.Equal(t, OutcomeUnreachable, r.Outcome)
		require.False(t, r.Sent)
	})
}

package outbound

import (
	"context"
	"crypto/tls"
	"net"
	"net/http"
	"net/http/httptest"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// vanishing makes connections that may die without a word, as behind a firewall that forgot them:
// what is sent on one that is gone never arrives, and no error says so.
type vanishing struct {
	net.Listener
	lost  chan struct{}
	mu    sync.Mutex
	conns []*vanishingConn
}

// Accept implements net.Listener.
func (v *vanishing) Accept() (net.Conn, error) {
	conn, err := v.Listener.Accept()
	if err != nil {
		return nil, err
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	c := &vanishingConn{Conn: conn, lost: v.lost}
	v.conns = append(v.conns, c)
	return c, nil
}

// vanish has the connections go that there are.
func (v *vanishing) vanish() {
	v.mu.Lock()
	defer v.mu.Unlock()
	for _, c := range v.conns {
		c.gone.Store(true)
	}
}

type vanishingConn struct {
	net.Conn
	gone atomic.Bool
	lost chan struct{} // has a value when something was lost
}

// Read implements net.Conn.
func (c *vanishingConn) Read(p []byte) (int, error) {
	n, err := c.Conn.Read(p)
	for c.gone.Load() && err == nil {
		select {
		case c.lost <- struct{}{}:
		default:
		}
		_, err = c.Conn.Read(p)
		n = 0
	}
	return n, err
}

// Ensure that a connection which died without a word costs one request: those that follow take
// another one. With HTTP/2 they would all wait on the dead one, for as long as TCP has hope.
func TestDeadConnectionCostsOneRequest(t *testing.T) {
	t.Parallel()
	respond := func(http.ResponseWriter, *http.Request) {}
	server := httptest.NewUnstartedServer(http.HandlerFunc(respond))
	v := &vanishing{Listener: server.Listener, lost: make(chan struct{}, 1)}
	server.Listener, server.EnableHTTP2 = v, true
	server.StartTLS()
	defer server.Close()
	transport := toProviders()
	defer transport.CloseIdleConnections()
	transport.TLSClientConfig = &tls.Config{
		RootCAs: server.Client().Transport.(*http.Transport).TLSClientConfig.RootCAs,
	}
	post := func(ctx context.Context) error {
		r, err := http.NewRequestWithContext(ctx, http.MethodPost, server.URL, nil)
		require.NoError(t, err)
		res, err := transport.RoundTrip(r)
		if err == nil {
			err = res.Body.Close()
		}
		return err
	}
	require.NoError(t, post(t.Context()))
	v.vanish()
	ctx, giveUp := context.WithCancel(t.Context())
	go func() {
		<-v.lost
		giveUp()
	}()
	require.ErrorIs(t, post(ctx), context.Canceled)
	ctx, giveUp = context.WithTimeout(t.Context(), time.Minute)
	defer giveUp()
	require.NoError(t, post(ctx))
}

package gauge_test

import (
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"smsbridge/internal/longtest"
	"smsbridge/internal/store/storetest"
)

// muted is the URL of the same database behind a relay. When it is armed, it swallows what
// PostgreSQL says, and keeps the connections.
func muted(t *testing.T, address string) (behind string, armed *atomic.Bool) {
	t.Helper()
	armed = new(atomic.Bool)
	u, err := url.Parse(address)
	require.NoError(t, err)
	server := u.Host
	relay, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	t.Cleanup(func() { _ = relay.Close() })
	u.Host = relay.Addr().String()
	pass := func(to, from net.Conn, swallows bool) {
		buffer := make([]byte, 64<<10)
		for {
			n, err := from.Read(buffer)
			if err == nil && !(swallows && armed.Load()) {
				_, err = to.Write(buffer[:n])
			}
			if err != nil {
				_, _ = to.Close(), from.Close()
				return
			}
		}
	}
	go func() {
		for {
			client, err := relay.Accept()
			if err != nil {
				return
			}
			backend, err := net.Dial("tcp", server)
			if err != nil {
				_ = client.Close()
				return
			}
			go pass(backend, client, false)
			go pass(client, backend, true)
		}
	}()
	return u.String(), armed
}

// Ensure that a scrape responds while PostgreSQL does not and the bridge itself asks. Prometheus
// gives it up after 10 seconds, and would say that the bridge is down.
func TestScrapeOfASilentServer(t *testing.T) {
	t.Parallel()
	longtest.Skip(t)
	address, armed := muted(t, storetest.PostgreSQL(t))
	d := open(storetest.OpenBench(t, address))
	require.Contains(t, d.scrape(), "smsbridge_database_up 1")
	armed.Store(true)
	defer armed.Store(false)
	handler := d.meter.Handler()
	for range 2 {
		d.Pass(time.Minute)
		looks := make(chan error, 1)
		go func() { // as the bridge does every five seconds
			_, err := d.reader.Read(t.Context())
			looks <- err
		}()
		began := time.Now()
		w := httptest.NewRecorder()
		handler.ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/", nil))
		require.Less(t, time.Since(began), 8*time.Second)
		require.Equal(t, http.StatusOK, w.Code)
		require.Contains(t, w.Body.String(), "smsbridge_database_up 0")
		require.Error(t, <-looks)
	}
}

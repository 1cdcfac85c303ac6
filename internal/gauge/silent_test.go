package gauge_test

import (
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"smsbridge/internal/longtest"
	"smsbridge/internal/store/storetest"
)

// Ensure that a scrape responds while PostgreSQL does not and the bridge itself asks. Prometheus
// gives it up after 10 seconds, and would say that the bridge is down.
func TestScrapeOfASilentServer(t *testing.T) {
	t.Parallel()
	longtest.Skip(t)
	address, armed := storetest.Mute(t, storetest.PostgreSQL(t))
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

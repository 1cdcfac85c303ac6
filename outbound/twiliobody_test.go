package outbound

import (
	"bytes"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"
)

// Ensure that no more than a bounded part of a response is read, whatever its status.
func TestTwilioResponseIsBounded(t *testing.T) {
	t.Parallel()
	const endless = 64 << 20
	for _, status := range []int{http.StatusCreated, http.StatusBadRequest, http.StatusOK} {
		var wrote atomic.Int64
		ended := make(chan struct{})
		server := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, _ *http.Request) {
			defer close(ended)
			rw.WriteHeader(status)
			_, _ = rw.Write([]byte(`{"sid":"SM`))
			for part := bytes.Repeat([]byte("0"), 1<<20); wrote.Load() < endless; {
				n, err := rw.Write(part)
				if wrote.Add(int64(n)); err != nil {
					return
				}
			}
		}))
		w := quick(t, "TWILIO_API_BASE="+server.URL)
		id := w.make(phone, "Hello")
		require.NoError(t, w.sendText(t.Context(), id))
		<-ended
		server.Close()
		require.Less(t, wrote.Load(), int64(endless), status)
		if status == http.StatusBadRequest {
			w.is(id, "failed", "400")
		} else {
			w.is(id, "unclear", "")
		}
	}
}

package inbound_test

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"smsbridge/inbound/inboundtest"
	"strings"
	"sync/atomic"
	"testing"
)

// BenchmarkMailDoor posts mails of 10 kB from many senders at once, each with a token and a
// Message-Id of its own. It reports how many are on disk per second.
func BenchmarkMailDoor(b *testing.B) {
	bridge := openBridge(b, "sqlite:"+b.TempDir()+"/bridge.db")
	handler := bridge.Inbound.Handler()
	rest := url.Values{
		"message-headers": {strings.Repeat(`["Received","by x"],`, 200)},
		"stripped-html":   {strings.Repeat("<p>Welcome</p>", 250)},
	}.Encode()
	var n atomic.Int64
	b.SetParallelism(64)
	b.ReportAllocs()
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			r := httptest.NewRequest(
				http.MethodPost,
				"/mailgun/acme",
				strings.NewReader(inboundtest.MailForm(int(n.Add(1))).Encode()+"&"+rest),
			)
			r.Header.Set("Content-Type", contentForm)
			w := httptest.NewRecorder()
			handler.ServeHTTP(w, r)
			if w.Code != http.StatusOK || w.Body.String() != "recorded\n" {
				b.Errorf("answered %d: %s", w.Code, w.Body)
				return
			}
		}
	})
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "accepts/s")
}

package outbound

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"smsbridge/internal/tenant"
)

// Ensure that a text waits as long as a provider that is busy asks for, within the patience of the
// bridge. A header that says nothing changes nothing.
//
//test:unwatched
func TestRetryAfter(t *testing.T) {
	t.Parallel()
	date := time.Date(2026, 11, 27, 23, 59, 50, 0, time.UTC)
	for after, want := range map[string]time.Duration{
		"": shortestWait, "0": shortestWait, "-30": shortestWait, "soon": shortestWait,
		"30": 30 * time.Second, "3600": slowly, "99999999999999999999": shortestWait,
		date.Add(20 * time.Second).Format(http.TimeFormat):  20 * time.Second,
		date.Add(-20 * time.Second).Format(http.TimeFormat): shortestWait,
	} {
		for _, provider := range []string{"twilio", "verify,twilio", "flowroute", "webhook"} {
			w := quick(t)
			o := w.openOthers("twilio,flowroute")
			s := w.openSender()
			busy := func(target string) string {
				base, _ := w.front(target, func(r *http.Response) {
					r.StatusCode = http.StatusTooManyRequests
					r.Header = http.Header{"Retry-After": {after}, "Date": {date.Format(http.TimeFormat)}}
				})
				return base
			}
			sending := &w.tenant().Sending
			sending.Providers = nil
			for name := range strings.SplitSeq(provider, ",") {
				sending.Providers = append(sending.Providers, tenant.Provider(name))
			}
			sending.Twilio.APIBase = busy(w.twilio.URL())
			sending.VerifyService.APIBase = busy(o.verify.URL())
			sending.Flowroute.APIBase = busy(o.flowroute.URL())
			sending.Webhook.URL = busy(s.URL)
			_, id := w.verify(phone)
			w.later(id, w.sendText(t.Context(), id))
			require.Equal(t, want, w.waits(id), "%s: %q", provider, after)
		}
	}
}

// waits is how long a text waits until it is tried again.
func (w *world) waits(textID string) time.Duration {
	w.t.Helper()
	at, err := time.Parse(time.RFC3339Nano, w.one("SELECT scheduled_at FROM river_job"+
		" WHERE kind = 'send_text' AND state = 'scheduled' AND args->>'id' = '"+textID+"'"))
	require.NoError(w.t, err)
	return at.Sub(w.clock()).Round(time.Second)
}

// Ensure that of several providers which are busy the one that asks for the shortest wait counts.
func TestShortestRetryAfter(t *testing.T) {
	t.Parallel()
	w := quick(t)
	o := w.openOthers("twilio,flowroute")
	busy := func(target, after string) string {
		base, _ := w.front(target, func(r *http.Response) {
			r.StatusCode = http.StatusTooManyRequests
			r.Header = http.Header{"Retry-After": {after}}
		})
		return base
	}
	w.tenant().Sending.Twilio.APIBase = busy(w.twilio.URL(), "50")
	w.tenant().Sending.Flowroute.APIBase = busy(o.flowroute.URL(), "20")
	id := w.make(phone, "Hello")
	w.later(id, w.sendText(t.Context(), id))
	w.carriedBy(id, "twilio", "due", "")
	require.Equal(t, 20*time.Second, w.waits(id))
}

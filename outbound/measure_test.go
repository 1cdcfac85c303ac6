package outbound

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"smsbridge/internal/challenge"
	"smsbridge/internal/health"
	"smsbridge/internal/mail"
	"smsbridge/internal/meter"
	"smsbridge/internal/simulator/dns"
	"smsbridge/internal/simulator/mailgun"
)

// measure gives the worker a meter, and returns the codes of what is wrong.
func (w *world) measure(now func() time.Time) (codes func() []string) {
	monitor := health.NewMonitor(w.Log)
	w.Meter = meter.New(now, monitor)
	return func() (codes []string) {
		for _, f := range monitor.Findings(now()) {
			codes = append(codes, string(f.Code)+" "+f.Of)
		}
		return codes
	}
}

// metrics are what the worker counted.
func (w *world) metrics() string {
	r := httptest.NewRecorder()
	w.Meter.Handler().ServeHTTP(r, httptest.NewRequest(http.MethodGet, "/", nil))
	return r.Body.String()
}

// Ensure that a provider that is slow, or says nothing, is found after three texts in a row.
func TestSlowProviderIsFound(t *testing.T) {
	t.Parallel()
	w := quick(t)
	took, now := slow, w.clock()
	codes := w.measure(func() time.Time {
		now = now.Add(took)
		return now
	})
	send := func(n int) {
		_, id := w.verify(fmt.Sprintf("+452000000%d", n))
		require.NoError(t, w.sendText(t.Context(), id))
	}
	for n := range 3 {
		require.Empty(t, codes())
		send(n)
	}
	require.Equal(t, []string{"SB-PROVIDER-SLOW twilio"}, codes())
	require.Contains(t, w.metrics(),
		`smsbridge_provider_request_seconds_bucket{result="ok",to="twilio",le="2.5"} 0`)
	took = time.Millisecond
	now = now.Add(2 * time.Minute)
	send(4)
	require.Empty(t, codes())
}

// Ensure that a refused key of Mailgun's and an API that is down are told apart.
func TestMailgunIsJudged(t *testing.T) {
	t.Parallel()
	w := quick(t)
	codes := w.measure(w.clock)
	stored := w.signUp(address)
	id := w.take(stored, stored.URL)
	fail := func(n, status int) {
		w.gun.Set(func(m *mailgun.Manners) { m.FailNext, m.FailStatus = n, status })
		_ = w.deleteMail(t.Context(), id)
	}
	fail(1, 503)
	fail(1, 503)
	require.Empty(t, codes())
	fail(1, 503)
	require.Equal(t, []string{"SB-MAILGUN-DOWN acme"}, codes())
	w.wait(2 * time.Minute)
	fail(1, 401)
	require.Equal(t, []string{"SB-MAILGUN-KEY acme"}, codes())
	w.wait(2 * time.Minute)
	fail(0, 0)
	require.Empty(t, codes())
	require.Contains(t, w.metrics(),
		`smsbridge_provider_request_seconds_count{result="503",to="mailgun"} 3`)
}

// Ensure that an app that does not take what it is told is found.
func TestRefusingAppIsFound(t *testing.T) {
	t.Parallel()
	w := quick(t)
	codes := w.measure(w.clock)
	app := listen(t, w)
	v := w.verified()
	app.answer(500)
	for range 3 {
		require.Empty(t, codes())
		w.snoozed(w.notify(t.Context(), v.ID))
		w.wait(time.Minute)
	}
	require.Equal(t, []string{"SB-CALLBACK acme"}, codes())
	app.answer(200)
	require.NoError(t, w.notify(t.Context(), v.ID))
	w.wait(time.Minute)
	require.Empty(t, codes())
	require.Contains(t, w.metrics(),
		`smsbridge_provider_request_seconds_count{result="refused",to="callback"} 3`)
}

// Ensure that an address of an app that takes no event is found. An app that wants no more of them
// is not.
func TestRefusingEndpointIsFound(t *testing.T) {
	w := quick(t)
	codes := w.measure(w.clock)
	app := subscribe(w, "verification.approved")
	app.answer(http.StatusGone)
	for range restAfter {
		w.verified()
		w.tellApp()
	}
	require.Empty(t, codes())
	app.answer(http.StatusInternalServerError)
	for range restAfter {
		require.Empty(t, codes())
		w.verified()
		w.tellApp()
	}
	require.Equal(t, []string{"SB-CALLBACK acme/app"}, codes())
	app.answer(http.StatusOK)
	w.wait(10 * time.Minute)
	w.tellApp()
	require.Empty(t, codes())
	require.Contains(t, w.metrics(),
		`smsbridge_provider_request_seconds_count{result="refused",to="callback"} 6`)
}

// Ensure that a DNS that does not say which keys sign mails is found. A mail whose key does not
// exist is no such thing.
func TestDNSIsFound(t *testing.T) {
	t.Parallel()
	w := quick(t)
	codes := w.measure(w.clock)
	examine := func() {
		id := w.arrive("a", mail.Body{MIME: w.signed(w.plain(address, "a"))}, "")
		_ = w.examineMail(t.Context(), id) // snoozed, or judged
	}
	w.dns.Set(func(m *dns.Manners) { m.Fail = true })
	for range 3 {
		require.Empty(t, codes())
		examine()
	}
	require.Equal(t, []string{"SB-DNS acme"}, codes())
	require.NoError(t, w.dns.SetTXT(w.idp.KeyName()))
	w.dns.Set(func(m *dns.Manners) { m.Fail = false })
	w.wait(time.Minute)
	examine()
	require.Empty(t, codes())
}

// Ensure that an identity provider that is down is found, and that a link which it refuses is no
// such thing. The stages of a question are measured once it has ended, without the text about that:
// each text of this test takes a second, and a click takes none.
func TestIdPDownIsFound(t *testing.T) {
	t.Parallel()
	w := quick(t)
	codes := w.measure(func() time.Time {
		return w.clock().Add(time.Duration(len(w.twilio.Texts())) * time.Second)
	})
	click := func(link string) {
		id := w.accepted(link, challenge.Registration)
		w.wait(7 * time.Second)
		require.NoError(t, w.clickLink(t.Context(), id))
	}
	refusing, _ := w.provider(page(http.StatusNotFound, "<p>There is nothing here.</p>"))
	for range 5 {
		click(refusing)
	}
	require.Empty(t, codes())
	var hangsUp atomic.Bool
	failing, _ := w.provider(func(rw http.ResponseWriter, r *http.Request) {
		if hangsUp.Load() {
			panic(http.ErrAbortHandler)
		}
		page(http.StatusBadGateway, "<p>Bad gateway</p>")(rw, r)
	})
	for range 3 {
		require.Empty(t, codes())
		click(failing)
		hangsUp.Store(true)
	}
	require.Equal(t, []string{"SB-IDP-DOWN acme"}, codes())
	require.Contains(t, w.metrics(), `smsbridge_stage_seconds_count{stage="clicked"} 8`)
	const clicked = 8*7 + (0 + 1 + 2 + 3 + 4 + 5 + 6 + 7) // seconds of the texts before each
	require.Contains(t, w.metrics(),
		fmt.Sprintf("smsbridge_stage_seconds_sum{stage=\"clicked\"} %d\n", clicked))
}

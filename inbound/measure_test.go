package inbound_test

import (
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"smsbridge/inbound"
	"smsbridge/inbound/inboundtest"
	"smsbridge/inbound/watchdoor"
	"smsbridge/internal/health"
	"smsbridge/internal/meter"
	"smsbridge/internal/store/storetest"
	"smsbridge/phonemail"
)

// measured is a bridge that counts, and what it tells operators.
type measured struct {
	*bridge
	t      *testing.T
	health *health.Monitor
	watch  http.Handler
}

func openMeasured(t *testing.T) *measured {
	m := &measured{bridge: openBridge(t, storetest.SQLite(t)), t: t}
	m.health = health.NewMonitor(slog.New(slog.DiscardHandler))
	m.Change(func(s *inbound.Server) {
		s.Meter = meter.New(func() time.Time { return m.Now }, m.health)
	})
	m.watch = m.Inbound.WatchHandler(watchdoor.About{Version: "v1"})
	return m
}

// told is what the listener for operators says at a path.
func (m *measured) told(path, accept string) (int, string) {
	m.t.Helper()
	return m.asked(http.MethodGet, path, accept)
}

func (m *measured) asked(method, path, accept string) (int, string) {
	m.t.Helper()
	r := httptest.NewRequest(method, path, nil)
	r.Header.Set("Accept", accept)
	w := httptest.NewRecorder()
	m.watch.ServeHTTP(w, r)
	return w.Code, w.Body.String()
}

func (m *measured) codes() (codes []string) {
	for _, f := range m.health.Findings(m.Now) {
		codes = append(codes, string(f.Code)+" "+f.Of)
	}
	return codes
}

// Ensure that requests are counted by door, status and reason, and by nothing that a caller chose.
func TestRequestsAreCounted(t *testing.T) {
	m := openMeasured(t)
	mail := inboundtest.Sign(inboundtest.MailForm(1), signingKey, m.Now, inboundtest.Token(1))
	m.PostForm(t, "/mailgun/acme", mail)
	mail.Set("signature", "wrong")
	m.PostForm(t, "/mailgun/acme", mail)
	m.PostForm(t, "/mailgun/4512345678", mail)
	m.Hook(t, "/twilio/acme/reply", inboundtest.ReplyForm(1, "YES").Encode(), "wrong")
	m.Reply(t, inboundtest.ReplyForm(2, "YES"))
	for _, path := range []string{"/l/secret-token", "/nowhere/secret", "/v1/verifications/secret"} {
		m.get(t, path)
	}
	m.get(t, "/auth0/secret/verify")
	m.Hook(t, "/auth0/secret/phone", "{}", "")
	_, text := m.told("/metrics", "")
	for _, line := range []string{
		`smsbridge_requests_total{door="mailgun",reason="",status="200",tenant="acme"} 1`,
		`smsbridge_requests_total{door="mailgun",reason="the signature is missing or wrong: compare ` +
			`the tenant's HTTP webhook signing key",status="401",tenant="acme"} 1`,
		`smsbridge_requests_total{door="mailgun",reason="no such tenant",status="406",` +
			`tenant="unknown"} 1`,
		`door="twilio/reply",reason="the signature is missing or wrong: compare the account's`,
		`smsbridge_requests_total{door="twilio/reply",reason="",status="200",tenant="acme"} 1`,
		`smsbridge_requests_total{door="l",reason="",status="410",tenant="unknown"} 1`,
		`smsbridge_requests_total{door="none",reason="",status="404",tenant="unknown"} 1`,
		`smsbridge_requests_total{door="v1/verifications",reason="unauthorized",status="401",` +
			`tenant="unknown"} 1`,
		`smsbridge_requests_total{door="auth0/verify",reason="invalid",status="404",` +
			`tenant="unknown"} 1`,
		`smsbridge_requests_total{door="auth0/phone",reason="not-found",status="404",` +
			`tenant="unknown"} 1`,
	} {
		require.Contains(t, text, line)
	}
	require.NotContains(t, text, "secret")
	require.NotContains(t, text, "4512345678")
}

// Ensure that a signing key that is wrong is found, and that a stranger is not who comes once, or
// beside webhooks that are right.
func TestWrongSignaturesAreFound(t *testing.T) {
	m := openMeasured(t)
	wrong := inboundtest.Sign(inboundtest.MailForm(1), "another", m.Now, inboundtest.Token(1))
	right := func(n int) {
		form := inboundtest.Sign(inboundtest.MailForm(n), signingKey, m.Now, inboundtest.Token(n))
		require.Equal(t, 200, m.PostForm(t, "/mailgun/acme", form).StatusCode)
	}
	for n := range 8 {
		m.PostForm(t, "/mailgun/acme", wrong)
		if n%4 == 3 {
			right(n)
		}
	}
	require.Empty(t, m.codes())
	try := func() {
		m.PostForm(t, "/mailgun/acme", wrong)
		m.Hook(t, "/twilio/acme/reply", inboundtest.ReplyForm(1, "YES").Encode(), "wrong")
		m.Hook(t, "/flowroute/acme/reply", "{}", "")
	}
	for range 9 {
		try()
	}
	require.Empty(t, m.codes(), "a scan is none")
	m.Now = m.Now.Add(10 * time.Minute)
	try()
	require.Subset(t, m.codes(), []string{"SB-MAILGUN-SIGNING acme", "SB-TWILIO-SIGNING acme"})
	m.Now = m.Now.Add(time.Second)
	right(20)
	m.Reply(t, inboundtest.ReplyForm(3, "YES"))
	require.NotContains(t, strings.Join(m.codes(), "\n"), "SIGNING", "a stranger is no wrong key")
	for range 5 {
		try()
		m.Now = m.Now.Add(5 * time.Minute)
	}
	require.Contains(t, m.codes(), "SB-MAILGUN-SIGNING acme")
	m.Now = m.Now.Add(3 * time.Hour)
	require.Empty(t, m.codes(), "it ends by itself")
}

// Ensure that an account is found which Twilio suspended while it had a text of ours. It took that
// text, so that only a receipt says so. What else keeps a text from its phone is no such thing.
func TestSuspendedAccountIsFound(t *testing.T) {
	found := []string{"SB-TWILIO-AUTH acme"}
	for _, test := range []struct {
		status, code string
		want         []string
	}{
		{"failed", "30002", found}, {"undelivered", "30002", found}, {"failed", "30003", nil},
		{"undelivered", "30003", nil}, {"sent", "30002", nil},
	} {
		m := openMeasured(t)
		_, id := m.Ask(t, phonemail.Line{Account: accountSID, Sender: "+15005550006"})
		m.report(t, id, test.status, test.code)
		require.Equal(t, test.status, m.State(t, "text", id))
		require.Equal(t, test.want, m.codes(), test)
	}
}

// Ensure that a route that leads elsewhere is found: to no tenant, or with addresses of none. The
// first is no error: nothing proves that Mailgun asks, and strangers shall wake up no one.
func TestWrongRouteIsFound(t *testing.T) {
	m := openMeasured(t)
	for n := range 3 {
		require.Empty(t, m.codes())
		m.Now = m.Now.Add(5 * time.Minute)
		form := inboundtest.MailForm(n)
		form.Set("recipient", "acme@other.example")
		form = inboundtest.Sign(form, signingKey, m.Now, inboundtest.Token(n))
		require.Equal(t, 406, m.PostForm(t, "/mailgun/acme", form).StatusCode)
		require.Equal(t, 406, m.PostForm(t, "/mailgun/akme", form).StatusCode)
	}
	require.Equal(t, []string{"SB-ROUTE acme", "SB-NO-TENANT "}, m.codes())
	require.Equal(t, health.Warning, m.health.Findings(m.Now)[1].Severity)
	m.Now = m.Now.Add(2 * time.Minute)
	form := inboundtest.Sign(inboundtest.MailForm(9), signingKey, m.Now, inboundtest.Token(9))
	require.Equal(t, 200, m.PostForm(t, "/mailgun/acme", form).StatusCode)
	require.Empty(t, m.codes())
}

// Ensure that operators are told what runs and what is wrong, as text and as JSON. The public
// listener tells nothing of it.
func TestWatchDoor(t *testing.T) {
	m := openMeasured(t)
	status, text := m.told("/readyz?verbose", "")
	require.Equal(t, 200, status)
	require.Equal(t, "ready\nnothing is wrong\n", text)
	m.health.Wrong(health.TwilioAuth, "acme", m.Now)
	status, text = m.told("/readyz?verbose", "")
	require.Equal(t, 200, status, "a finding takes no replica away")
	require.Contains(t, text, "error: SB-TWILIO-AUTH (acme) since ")
	require.Contains(t, text, "TWILIO_AUTH_TOKEN")
	_, text = m.told("/readyz", "")
	require.Equal(t, "ready\n", text)
	_, text = m.told("/readyz", "application/json")
	require.Contains(t, text, `{"ready":true,"findings":[{"code":"SB-TWILIO-AUTH"`)
	_, text = m.told("/version", "")
	require.Contains(t, text, `"version":"v1"`)
	for _, path := range []string{"/metrics", "/version", "/readyz"} {
		status, _ = m.asked(http.MethodHead, path, "")
		require.Equal(t, 200, status, path)
	}
	for _, path := range []string{"/metrics", "/version"} {
		require.Equal(t, 404, m.get(t, path).StatusCode)
	}
	require.Equal(t, "ready\n", m.get(t, "/readyz?verbose").Body)

	m.Inbound.Draining.Store(true)
	status, text = m.told("/readyz", "")
	require.Equal(t, 503, status)
	require.Equal(t, "shutting down\n", text)
	require.NoError(t, m.Store.Close())
	status, _ = m.told("/readyz", "")
	require.Equal(t, 503, status)
}

// get gets a path of the public listener.
func (b *bridge) get(t *testing.T, path string) inboundtest.Response {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, b.URL+path, nil)
	require.NoError(t, err)
	return b.Send(t, r)
}

package meter_test

import (
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"smsbridge/internal/health"
	"smsbridge/internal/meter"
	"smsbridge/internal/store/fact"
)

func open() (*meter.Meter, *health.Monitor) {
	h := health.NewMonitor(slog.New(slog.DiscardHandler))
	return meter.New(func() time.Time { return time.Unix(1_800_000_000, 0) }, h), h
}

func read(m *meter.Meter) string {
	w := httptest.NewRecorder()
	m.Handler().ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/", nil))
	return w.Body.String()
}

// Ensure that committed facts are counted once each, and that what is no state of a case is not.
func TestHear(t *testing.T) {
	m, h := open()
	about := fact.About{Provider: "twilio", Purpose: "code", Country: "DK"}
	facts := []fact.Fact{
		{Tenant: "acme", Name: "text.undelivered", About: about},
		{Tenant: "acme", Name: "text.refused"},
		{Tenant: "acme", Name: "challenge.denied", About: fact.About{
			Purpose: "registration", Country: "DK",
		}},
		{Tenant: "acme", Name: "challenge.clicking"},
		{Tenant: "acme", Name: "verification.approved", About: fact.About{Country: "SE"}},
		{Tenant: "acme", Name: "verification.wrong"},
		{Tenant: "acme", Name: "mail.refused"},
	}
	m.Hear(facts)
	text := read(m)
	for _, line := range []string{
		`smsbridge_texts_total{country="DK",provider="twilio",purpose="code",state="undelivered",` +
			`tenant="acme"} 1`,
		`smsbridge_questions_total{country="DK",purpose="registration",state="denied",tenant="acme"} 1`,
		`smsbridge_verifications_total{country="SE",state="approved",tenant="acme"} 1`,
		`smsbridge_mails_total{state="refused",tenant="acme"} 1`,
	} {
		require.Contains(t, text, line)
	}
	require.Contains(t, text, `smsbridge_questions_total{country="DK",purpose="registration",`+
		`state="confirmed",tenant="acme"} 0`, "where no phone confirms, an alert needs a 0")
	require.NotContains(t, text, "clicking")
	require.NotContains(t, text, "wrong")
	require.Empty(t, h.Findings(m.Now()))
}

// Ensure that a country is found to which no text arrives: the carrier does not deliver them, or
// the provider takes none. One that arrives is enough. Verify does not report any.
func TestNoTextArrives(t *testing.T) {
	for _, state := range []string{"undelivered", "failed"} {
		m, h := open()
		hear := func(provider, state string) {
			m.Hear([]fact.Fact{{Tenant: "acme", Name: "text." + state, About: fact.About{
				Provider: provider, Purpose: "code", Country: "DK",
			}}})
		}
		for range 4 {
			hear("twilio", state)
		}
		hear("twilio", "delivered")
		for range 5 {
			require.Empty(t, h.Findings(m.Now()))
			hear("verify", "failed")
			hear("twilio", state)
		}
		found := h.Findings(m.Now())
		require.Len(t, found, 1, state)
		require.Equal(t, health.Undelivered, found[0].Code)
		require.Equal(t, "DK", found[0].Of)
	}
}

// Ensure that a label has few values, whatever a caller does.
func TestLabelsAreBounded(t *testing.T) {
	m, _ := open()
	for i := range 500 {
		m.Request("mailgun", "acme", 406, fmt.Sprint("reason ", i))
		m.Hear([]fact.Fact{{Tenant: "acme", Name: "text.sent", About: fact.About{
			Purpose: "code", Country: fmt.Sprint("C", i),
		}}})
	}
	text := read(m)
	require.Equal(t, 101, strings.Count(text, "smsbridge_requests_total{"))
	require.Equal(t, 41, strings.Count(text, "smsbridge_texts_total{"))
	require.Contains(t, text, `reason="other"`)
	require.Contains(t, text, `country="other"`)
}

// Ensure that a meter that does not exist counts nothing.
func TestNoMeter(t *testing.T) {
	var m *meter.Meter
	m.Request("", "", 200, "")
	m.Took("", "", 0)
	m.Stage(meter.Whole, 0)
	m.Kind("")
	m.Dead("")
	m.Used(meter.Key{})
	require.Empty(t, m.KeysUsed())
	m.Wrong(health.Database, "")
	m.Well(health.Database, "")
	require.Zero(t, m.Now())
}

// Ensure that Prometheus hears when each key was used last, and of no key that was not.
func TestKeysUsed(t *testing.T) {
	now := time.Unix(1_800_000_000, 0)
	m := meter.New(func() time.Time { return now }, health.NewMonitor(slog.New(slog.DiscardHandler)))
	older := meter.Key{Tenant: "acme", Setting: "mailgun.signing_key", Which: "2"}
	web := meter.Key{Tenant: "acme", Setting: "api_keys", Which: "web"}
	m.Used(older)
	m.Used(web)
	now = now.Add(time.Hour)
	m.Used(web)
	require.Equal(t, []meter.KeyUse{{web, now}, {older, now.Add(-time.Hour)}}, m.KeysUsed())
	require.Contains(t, read(m), `smsbridge_key_used_timestamp_seconds{setting="mailgun.signing_key",`+
		`tenant="acme",which="2"} 1.8e+09`)
	require.Equal(t, 2, strings.Count(read(m), "smsbridge_key_used_timestamp_seconds{"))
}

package main

import (
	"log/slog"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"smsbridge/internal/gauge"
	"smsbridge/internal/health"
	"smsbridge/internal/meter"
	"smsbridge/internal/tenant"
)

// watchSettings are settings of one tenant; changes are environment variables.
func watchSettings(t *testing.T, changes ...string) tenant.Settings {
	s, err := tenant.FromEnv(append([]string{
		"SMSBRIDGE_PUBLIC_URL=https://bridge.acme.com", "SMSBRIDGE_TENANT=acme",
		"SMSBRIDGE_NAME=ACME", "SMSBRIDGE_COUNTRIES=SE", "SMSBRIDGE_MAIL_DOMAIN=sms.acme.com",
		"SMSBRIDGE_IDP_HOSTS=login.acme.com", "SMSBRIDGE_SENDER_DOMAINS=acme.com",
		"MAILGUN_API_KEY=key-7d2f61c09be84a53f1e6c8b20d94a7e3",
		"MAILGUN_WEBHOOK_SIGNING_KEY=9c4be1f072a8d6350e7b1fc2a95d8e46",
		"TWILIO_ACCOUNT_SID=AC00000000000000000000000000000001",
		"TWILIO_AUTH_TOKEN=fedcba9876543210fedcba9876543210", "TWILIO_FROM=+15005550006",
	}, changes...))
	require.NoError(t, err)
	return s
}

func newWatcher() *watcher {
	now := func() time.Time { return time.Unix(1_800_000_000, 0) }
	return &watcher{now: now, reader: &gauge.Reader{},
		meter: meter.New(now, health.NewMonitor(slog.New(slog.DiscardHandler)))}
}

// codes are those of the findings.
func (w *watcher) codes() (codes []health.Code) {
	for _, f := range w.meter.Health.Findings(w.now()) {
		codes = append(codes, f.Code)
	}
	return codes
}

// Ensure that nothing is said any more about a tenant that changed settings do not have.
func TestFindingsOfAGoneTenant(t *testing.T) {
	w := newWatcher()
	w.use(watchSettings(t))
	w.meter.Wrong(health.TwilioAuth, "acme")
	w.use(watchSettings(t))
	require.Len(t, w.codes(), 1)
	w.use(watchSettings(t, "SMSBRIDGE_TENANT=other"))
	require.Empty(t, w.codes())
}

// Ensure that nothing is said any more about credentials in whose place changed settings have
// others. The next text or mail shows whether these are right.
func TestFindingsOfCorrectedCredentials(t *testing.T) {
	w := newWatcher()
	w.use(watchSettings(t))
	wrong := []health.Code{health.MailgunKey, health.TwilioAuth}
	for _, code := range wrong {
		w.meter.Wrong(code, "acme")
	}
	w.use(watchSettings(t, "SMSBRIDGE_NAME=Acme"))
	require.Equal(t, wrong, w.codes())
	w.use(watchSettings(t, "TWILIO_AUTH_TOKEN=0123456789abcdef0123456789abcdee"))
	require.Equal(t, wrong[:1], w.codes())
	w.use(watchSettings(t, "MAILGUN_API_KEY=key-8d2f61c09be84a53f1e6c8b20d94a7e4",
		"TWILIO_AUTH_TOKEN=0123456789abcdef0123456789abcdee"))
	require.Empty(t, w.codes())
}

// Ensure that Twilio's signatures count as right again with another public URL: Twilio signs that.
func TestFindingsOfACorrectedURL(t *testing.T) {
	w := newWatcher()
	w.use(watchSettings(t))
	for i := range 5 {
		ago := time.Duration(4-i) * 30 * time.Minute
		w.meter.Health.Wrong(health.TwilioSigning, "acme", w.now().Add(-ago))
	}
	require.Equal(t, []health.Code{health.TwilioSigning}, w.codes())
	w.use(watchSettings(t, "SMSBRIDGE_PUBLIC_URL=https://sms.acme.com"))
	require.Empty(t, w.codes())
}

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

// Ensure that nothing is said any more about a tenant that changed settings do not have.
func TestFindingsOfAGoneTenant(t *testing.T) {
	settings := func(slug string) tenant.Settings {
		s, err := tenant.FromEnv([]string{
			"SMSBRIDGE_PUBLIC_URL=https://bridge.acme.com", "SMSBRIDGE_TENANT=" + slug,
			"SMSBRIDGE_NAME=ACME", "SMSBRIDGE_COUNTRIES=SE", "SMSBRIDGE_MAIL_DOMAIN=sms.acme.com",
			"SMSBRIDGE_IDP_HOSTS=login.acme.com", "SMSBRIDGE_SENDER_DOMAINS=acme.com",
			"MAILGUN_API_KEY=key-7d2f61c09be84a53f1e6c8b20d94a7e3",
			"MAILGUN_WEBHOOK_SIGNING_KEY=9c4be1f072a8d6350e7b1fc2a95d8e46",
			"TWILIO_ACCOUNT_SID=AC00000000000000000000000000000001",
			"TWILIO_AUTH_TOKEN=fedcba9876543210fedcba9876543210", "TWILIO_FROM=+15005550006",
		})
		require.NoError(t, err)
		return s
	}
	now := func() time.Time { return time.Unix(1_800_000_000, 0) }
	w := &watcher{now: now, reader: &gauge.Reader{},
		meter: meter.New(now, health.NewMonitor(slog.New(slog.DiscardHandler)))}
	w.use(settings("acme"))
	w.meter.Wrong(health.TwilioAuth, "acme")
	w.use(settings("acme"))
	require.Len(t, w.meter.Health.Findings(now()), 1)
	w.use(settings("other"))
	require.Empty(t, w.meter.Health.Findings(now()))
}

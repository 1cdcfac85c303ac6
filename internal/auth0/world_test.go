package auth0_test

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"smsbridge/internal/auth0"
	"smsbridge/internal/store"
	"smsbridge/internal/store/storetest"
	"smsbridge/internal/tenant"
	"smsbridge/internal/verification"
	"smsbridge/phonemail"
)

// world is a storetest.Bench with a tenant whose codes Twilio Verify sends.
type world struct {
	storetest.Bench
	tenant *tenant.Tenant
}

func open(b storetest.Bench) world {
	b.Helper()
	settings, err := tenant.FromEnv([]string{
		"SMSBRIDGE_PUBLIC_URL=https://bridge.example.com", "SMSBRIDGE_TENANT=acme",
		"SMSBRIDGE_LANGUAGE_PINNED=true",
		"SMSBRIDGE_NAME=ACME", "SMSBRIDGE_COUNTRIES=DK", "SMSBRIDGE_LINKS_WORK=DK",
		"SMSBRIDGE_MAIL_DOMAIN=sms.acme.example",
		"SMSBRIDGE_SENDER_DOMAINS=acme.example",
		"SMSBRIDGE_LIMIT_WAIT=0s", "SMSBRIDGE_LIMIT_PHONE_HOUR=0", "SMSBRIDGE_LIMIT_PHONE_DAY=0",
		"SMSBRIDGE_LIMIT_PREFIX_HOUR=0", "SMSBRIDGE_LIMIT_COUNTRY_HOUR=0",
		"SMSBRIDGE_LIMIT_ASKER_HOUR=0", "SMSBRIDGE_LIMIT_BREAKER=0", "SMSBRIDGE_DAILY_SEGMENTS=0",
		"SMSBRIDGE_IDP_HOSTS=login.acme.example", "MAILGUN_API_KEY=key-7d2f61c09be84a53f1e6c8b20d94a7e3",
		"MAILGUN_WEBHOOK_SIGNING_KEY=9c4be1f072a8d6350e7b1fc2a95d8e46",
		"TWILIO_ACCOUNT_SID=AC00000000000000000000000000000001",
		"TWILIO_AUTH_TOKEN=fedcba9876543210fedcba9876543210",
		"TWILIO_FROM=+15005550006",
		"TWILIO_VERIFY_SERVICE_SID=VA00000000000000000000000000000001",
	})
	require.NoError(b, err)
	return world{b, settings.Tenants.All()[0]}
}

// each runs test on each database.
func each(t *testing.T, test func(t *testing.T, w world)) {
	t.Helper()
	storetest.EachBench(t, func(b storetest.Bench) { test(b.T, open(b)) })
}

func quick(t *testing.T) world { return open(storetest.OpenBench(t, storetest.SQLite(t))) }

// code is a notification with a code for a phone.
func code(phone phonemail.Number, code string) auth0.Notification {
	return auth0.Notification{
		Phone: phone, Code: code, Text: code + " is your code", Type: "otp_verify",
		UserID: "auth0|" + phone.E164(),
	}
}

// notify has a notification texted and returns the text's id.
func (w world) notify(n auth0.Notification) (textID string) {
	w.Helper()
	w.Do(func(ctx context.Context, tx *store.Tx) (err error) {
		textID, err = auth0.Notify(ctx, tx, w.tenant, n, "key")
		return err
	})
	return textID
}

// text is a text's deadline, and what it says.
func (w world) text(id string) (deadline time.Time, body string) {
	w.Helper()
	w.Do(func(ctx context.Context, tx *store.Tx) error {
		row, err := tx.GetText(ctx, id)
		if err != nil {
			return err
		}
		plain, err := tx.Open(store.Place{
			Table: "text", ID: row.ID, Column: "body", Tenant: row.Tenant,
		}, row.Body)
		deadline, body = row.Deadline.Time, string(plain)
		return err
	})
	return deadline, body
}

// feed takes feedback.
func (w world) feed(f auth0.Feedback) (result auth0.Result) {
	w.Helper()
	w.Do(func(ctx context.Context, tx *store.Tx) (err error) {
		result, err = auth0.TakeFeedback(ctx, tx, w.tenant, f)
		return err
	})
	return result
}

// list is what the API lists.
func (w world) list() (all []verification.Shown) {
	w.Helper()
	w.Do(func(ctx context.Context, tx *store.Tx) (err error) {
		all, err = verification.List(ctx, tx, "acme", "", 100)
		return err
	})
	return all
}

// states are the states of a phone's verifications, oldest first.
func (w world) states(phone phonemail.Number) []string {
	w.Helper()
	const query = "SELECT state FROM verification WHERE phone = $1 ORDER BY opened_at, id"
	return w.Strings(query, phone.E164())
}

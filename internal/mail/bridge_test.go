package mail_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"smsbridge/internal/mail"
	"smsbridge/internal/store"
	"smsbridge/internal/store/db"
	"smsbridge/internal/store/storetest"
	"smsbridge/internal/tenant"
	"smsbridge/phonemail"
)

// acme is a tenant, with further or other variables.
func acme(t *testing.T, more ...string) *tenant.Tenant {
	t.Helper()
	settings, err := tenant.FromEnv(append([]string{
		"SMSBRIDGE_PUBLIC_URL=https://bridge.acme.example", "SMSBRIDGE_TENANT=acme",
		"SMSBRIDGE_LANGUAGE_PINNED=true", "SMSBRIDGE_NAME=ACME",
		"SMSBRIDGE_COUNTRIES=DK", "SMSBRIDGE_LINKS_WORK=DK",
		"SMSBRIDGE_SENDER_DOMAINS=acme.example",
		"SMSBRIDGE_LIMIT_WAIT=0s", "SMSBRIDGE_LIMIT_PHONE_HOUR=0", "SMSBRIDGE_LIMIT_PHONE_DAY=0",
		"SMSBRIDGE_LIMIT_PREFIX_HOUR=0", "SMSBRIDGE_LIMIT_COUNTRY_HOUR=0",
		"SMSBRIDGE_LIMIT_ASKER_HOUR=0", "SMSBRIDGE_LIMIT_BREAKER=0", "SMSBRIDGE_DAILY_SEGMENTS=0",
		"SMSBRIDGE_MAIL_DOMAIN=sms.acme.example", "SMSBRIDGE_IDP_HOSTS=login.acme.example",
		"MAILGUN_API_KEY=key-7d2f61c09be84a53f1e6c8b20d94a7e3",
		"MAILGUN_WEBHOOK_SIGNING_KEY=9c4be1f072a8d6350e7b1fc2a95d8e46",
		"TWILIO_ACCOUNT_SID=AC00000000000000000000000000000001",
		"TWILIO_AUTH_TOKEN=fedcba9876543210fedcba9876543210", "TWILIO_FROM=+15005550006",
	}, more...))
	require.NoError(t, err)
	one, ok := settings.Tenants.Tenant("acme")
	require.True(t, ok)
	return one
}

// bridge is a storetest.Bench with what is done to mails.
type bridge struct{ storetest.Bench }

// each runs test on a new store of each database.
func each(t *testing.T, test func(b bridge)) {
	t.Helper()
	storetest.EachBench(t, func(b storetest.Bench) { test(bridge{b}) })
}

func (b bridge) run(name string, f func(b bridge)) {
	b.Run(name, func(t *testing.T) { b.T = t; f(b) })
}

// delivery is a new mail for phones to which no mail has come before.
func (b bridge) delivery(phones int) mail.Delivery {
	b.Helper()
	n := b.Serial()
	d := mail.Delivery{
		Tenant: "acme", Token: fmt.Sprintf("token-%d",
			n), PostedAt: b.Now().Add(-time.Second), MessageID: fmt.Sprintf("%d@idp.example", n),
		MessageURL: "https://storage.api.mailgun.net/v3/domains/d/messages/k", KeepBody: true,
		Body: mail.Body{Subject: "Welcome", From: "idp@acme.example",
			Text: "Open https://login.acme.example/verify?ticket=very-secret", HTML: "<p>Welcome</p>"},
	}
	for range phones {
		phone := b.Phone()
		d.Recipients = append(d.Recipients,
			mail.To(phone, "acme"+phone.E164()+"@sms.acme.example"))
	}
	return d
}

func (b bridge) take(d mail.Delivery) (taken mail.Taken) {
	b.Helper()
	b.Do(func(ctx context.Context, tx *store.Tx) (err error) {
		taken, err = mail.Take(ctx, tx, mail.Pack(b.Store, d))
		return err
	})
	return taken
}

// ids are the mails to a phone, oldest first.
func (b bridge) ids(phone phonemail.Number) []string {
	b.Helper()
	return b.Strings("SELECT id FROM mail WHERE phone = $1 ORDER BY id", phone.E164())
}

func (b bridge) row(id string) (row db.Mail) {
	b.Helper()
	b.Do(func(ctx context.Context, tx *store.Tx) (err error) {
		row, err = tx.GetMail(ctx, id)
		return err
	})
	return row
}

func (b bridge) pending(id string) (m mail.Mail, waits bool) {
	b.Helper()
	b.Do(func(ctx context.Context, tx *store.Tx) (err error) {
		m, waits, err = mail.Pending(ctx, tx, id)
		return err
	})
	return m, waits
}

// received is a mail that waits for its examination.
func (b bridge) received() mail.Mail {
	b.Helper()
	d := b.delivery(1)
	require.Equal(b, mail.New, b.take(d))
	m, waits := b.pending(b.ids(d.Recipients[0].Phone)[0])
	require.True(b, waits)
	return m
}

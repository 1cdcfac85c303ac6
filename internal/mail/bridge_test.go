package mail_test

import (
	"context"
	"database/sql"
	"fmt"
	"strings"
	"sync/atomic"
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
		"SMSBRIDGE_PUBLIC_URL=https://bridge.acme.example", "SMSBRIDGE_TENANT=acme", "SMSBRIDGE_NAME=ACME", "SMSBRIDGE_COUNTRIES=DK",
		"SMSBRIDGE_MAIL_DOMAIN=sms.acme.example", "SMSBRIDGE_IDP_HOSTS=login.acme.example", "MAILGUN_API_KEY=key", "MAILGUN_WEBHOOK_SIGNING_KEY=key",
		"TWILIO_ACCOUNT_SID=AC00000000000000000000000000000001", "TWILIO_AUTH_TOKEN=fedcba9876543210fedcba9876543210", "TWILIO_FROM=+15005550006",
	}, more...))
	require.NoError(t, err)
	one, ok := settings.Tenants.Tenant("acme")
	require.True(t, ok)
	return one
}

// bridge is a store on one of the databases, with a clock that the test moves and a look at the queue.
type bridge struct {
	*testing.T
	store  *store.Store
	raw    *sql.DB
	clock  *atomic.Int64 // milliseconds since 1970
	serial *atomic.Int64 // makes phones, tokens and Message-Ids
}

// each runs test on a new store of each database.
func each(t *testing.T, test func(b bridge)) {
	t.Helper()
	t.Run("sqlite", func(t *testing.T) { test(open(t, "sqlite", storetest.SQLite(t))) })
	t.Run("postgres", func(t *testing.T) { test(open(t, "pgx", storetest.PostgreSQL(t))) })
}

func open(t *testing.T, driver, url string) bridge {
	t.Helper()
	clock := new(atomic.Int64)
	clock.Store(time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC).UnixMilli())
	s := storetest.Open(t, url, func() time.Time { return time.UnixMilli(clock.Load()) })
	raw, err := sql.Open(driver, strings.TrimPrefix(url, "sqlite:"))
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, raw.Close()) })
	return bridge{t, s, raw, clock, new(atomic.Int64)}
}

func (b bridge) now() time.Time { return time.UnixMilli(b.clock.Load()).UTC() }
func (b bridge) run(name string, f func(b bridge)) {
	b.Run(name, func(t *testing.T) { b.T = t; f(b) })
}

// do runs f in a transaction that must succeed.
func (b bridge) do(f func(ctx context.Context, tx *store.Tx) error) {
	b.Helper()
	require.NoError(b, b.store.Do(b.Context(), f))
}

// count counts what a query finds.
func (b bridge) count(query string, args ...any) (n int) {
	b.Helper()
	require.NoError(b, b.raw.QueryRowContext(b.Context(), "SELECT count(*) FROM "+query, args...).Scan(&n))
	return n
}

// jobs counts the queued jobs of a kind for the row id.
func (b bridge) jobs(kind, id string) int {
	b.Helper()
	return b.count("river_job WHERE kind = $1 AND args->>'id' = $2", kind, id)
}

// delivery is a new mail for phones that nobody has written to.
func (b bridge) delivery(phones int) mail.Delivery {
	b.Helper()
	n := b.serial.Add(1)
	d := mail.Delivery{
		Tenant: "acme", Token: fmt.Sprintf("token-%d", n), PostedAt: b.now().Add(-time.Second), MessageID: fmt.Sprintf("%d@idp.example", n),
		MessageURL: "https://storage.api.mailgun.net/v3/domains/d/messages/k", KeepBody: true,
		Body: mail.Body{Subject: "Welcome", From: "idp@acme.example", Text: "Open https://login.acme.example/verify?ticket=very-secret", HTML: "<p>Welcome</p>"},
	}
	for range phones {
		phone, err := phonemail.ParseNumber(fmt.Sprintf("+45%d", 20_000_000+b.serial.Add(1)))
		require.NoError(b, err)
		d.Phones = append(d.Phones, phone)
	}
	return d
}

func (b bridge) take(d mail.Delivery) (taken mail.Taken) {
	b.Helper()
	b.do(func(ctx context.Context, tx *store.Tx) (err error) {
		taken, err = mail.Take(ctx, tx, d)
		return err
	})
	return taken
}

// ids are the mails to a phone, oldest first.
func (b bridge) ids(phone phonemail.Number) (ids []string) {
	b.Helper()
	rows, err := b.raw.QueryContext(b.Context(), "SELECT id FROM mail WHERE phone = $1 ORDER BY id", phone.E164())
	require.NoError(b, err)
	defer rows.Close()
	for rows.Next() {
		var id string
		require.NoError(b, rows.Scan(&id))
		ids = append(ids, id)
	}
	require.NoError(b, rows.Err())
	return ids
}

func (b bridge) row(id string) (row db.Mail) {
	b.Helper()
	b.do(func(ctx context.Context, tx *store.Tx) (err error) {
		row, err = tx.GetMail(ctx, id)
		return err
	})
	return row
}

func (b bridge) pending(id string) (m mail.Mail, waits bool) {
	b.Helper()
	b.do(func(ctx context.Context, tx *store.Tx) (err error) {
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
	m, waits := b.pending(b.ids(d.Phones[0])[0])
	require.True(b, waits)
	return m
}

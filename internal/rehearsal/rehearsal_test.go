package rehearsal_test

import (
	"context"
	"net/url"
	"os"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"smsbridge/internal/mail"
	"smsbridge/internal/rehearsal"
	"smsbridge/internal/sender"
	"smsbridge/internal/store"
	"smsbridge/internal/store/storetest"
	"smsbridge/internal/tenant"
	"smsbridge/phonemail"
)

const public = "https://sms.acme.example"

// configured is the tenant acme; more are environment variables.
func configured(t testing.TB, more ...string) *tenant.Tenant {
	t.Helper()
	settings, err := tenant.FromEnv(append([]string{
		"SMSBRIDGE_PUBLIC_URL=" + public, "SMSBRIDGE_TENANT=acme", "SMSBRIDGE_NAME=ACME",
		"SMSBRIDGE_COUNTRIES=DK", "SMSBRIDGE_LINKS_WORK=DK", "SMSBRIDGE_MAIL_DOMAIN=sms.acme.example",
		"SMSBRIDGE_SENDER_DOMAINS=acme.example", "SMSBRIDGE_IDP_HOSTS=login.acme.example",
		"MAILGUN_API_KEY=key-7d2f61c09be84a53f1e6c8b20d94a7e3",
		"MAILGUN_WEBHOOK_SIGNING_KEY=9c4be1f072a8d6350e7b1fc2a95d8e46",
		"TWILIO_ACCOUNT_SID=AC00000000000000000000000000000001",
		"TWILIO_AUTH_TOKEN=fedcba9876543210fedcba9876543210", "TWILIO_FROM=+15005550006",
	}, more...))
	require.NoError(t, err)
	return settings.Tenants.All()[0]
}

func number(t testing.TB) phonemail.Number {
	t.Helper()
	n, err := phonemail.ParseNumber("+4520123456")
	require.NoError(t, err)
	return n
}

// written is the mail of a rehearsal on this database, and the ticket of its link.
func written(b storetest.Bench) (l rehearsal.Letter, ticket string, records []string) {
	t := configured(b)
	require.NoError(b, b.Store.Read(b.Context(), func(_ context.Context, v store.View) (err error) {
		records = rehearsal.Records(v)
		l, err = rehearsal.Write(v, t, number(b), public, time.Now())
		return err
	}))
	link := regexp.MustCompile(`https://\S+`).FindString(l.MIME)
	u, err := url.Parse(link)
	require.NoError(b, err)
	require.Equal(b, public+rehearsal.Path, u.Scheme+"://"+u.Host+u.Path)
	return l, u.Query().Get("ticket"), records
}

// Ensure that the mail of a rehearsal passes the proof that any mail passes, with the key of its
// database and no other. It goes to another spelling of the phone's address.
func TestMailIsProved(t *testing.T) {
	storetest.EachBench(t, func(b storetest.Bench) {
		l, _, records := written(b)
		require.True(b, rehearsal.Is(l.MIME))
		require.Equal(b, "ACME+4520123456@sms.acme.example", l.To)
		prove := func(mime string, records []string) (string, error) {
			return sender.DKIM(sender.Mail{
				MIME: mime, MessageID: l.MessageID, PostedAt: time.Now(),
				DeliveredTo: func(a string) bool { return a == l.To },
			}, []string{"rehearsal.invalid"}, func(name string) ([]string, error) {
				require.Equal(b, rehearsal.KeyName, name)
				return records, nil
			})
		}
		from, err := prove(l.MIME, records)
		require.NoError(b, err)
		require.Equal(b, rehearsal.From, from)
		_, err = prove(strings.Replace(l.MIME, public, "https://x.example", 1), records)
		require.Error(b, err, "another link")
		_, err = prove(l.MIME, []string{"v=DKIM1; k=ed25519; p=" +
			"11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo="})
		require.Error(b, err, "another key")
	})
}

// Ensure that the proxy which is shipped lets the click of a rehearsal through.
func TestProxyLetsItThrough(t *testing.T) {
	proxy, err := os.ReadFile("../../deploy/Caddyfile")
	require.NoError(t, err)
	require.Regexp(t, `(?m)^\s*@public path .* `+rehearsal.Path+`$`, string(proxy))
}

// Ensure that a rehearsal has the bridge alone as its identity provider, and the tenant's settings
// beside. The tenant stays as it is.
func TestTenantOfRehearsal(t *testing.T) {
	acme := configured(t, "SMSBRIDGE_LINK_PATHS=verify:/a?t",
		"SMSBRIDGE_UNSAFE_ALLOW=10.0.0.0/8",
		"SMSBRIDGE_PROOF=auth0", "SMSBRIDGE_PROOF_URL=https://acme.eu.auth0.com",
		"SMSBRIDGE_PROOF_CLIENT_ID=a",
		"SMSBRIDGE_PROOF_SECRET=0123456789abcdef0123456789")
	before := *acme
	played := rehearsal.Of(acme, public)
	require.Equal(t, tenant.Links{
		IdPHosts: []string{"sms.acme.example"}, Paths: []string{"verify:/rehearsal?ticket"},
		UnsafeAllow: acme.Links.UnsafeAllow,
	}, played.Links)
	require.Equal(t, tenant.Sender{
		Verify: tenant.VerifyDKIM, Domains: []string{"rehearsal.invalid"},
	}, played.Mails.Sender)
	require.Zero(t, played.Proof)
	require.Equal(t, before, *acme)
	require.Equal(t, acme.Limits, played.Limits)
	require.Equal(t, acme.Policy, played.Policy)
}

// Ensure that only a mail that says so in its one From is a rehearsal's.
func TestOtherMailsAreNone(t *testing.T) {
	for mime, is := range map[string]bool{
		"From: <rehearsal@rehearsal.invalid>\r\n\r\nx":                             true,
		"From: a <REHEARSAL@rehearsal.invalid>\r\n\r\nrehearsal@rehearsal.invalid": true,
		"From: a@acme.example\r\n\r\nrehearsal@rehearsal.invalid":                  false,
		"From: a@acme.example, rehearsal@rehearsal.invalid\r\n\r\nx":               false,
		"From: rehearsal@rehearsal.invalid, a@acme.example\r\n\r\nx":               false,
		"From: a@acme.example\r\nTo: rehearsal@rehearsal.invalid\r\n\r\nx":         false,
		"From: rehearsal@rehearsal.invalid.example\r\n\r\nx":                       false,
		"rehearsal@rehearsal.invalid":                                              false,
		"":                                                                         false,
	} {
		require.Equal(t, is, rehearsal.Is(mime), mime)
	}
}

// Ensure that a link is recorded as opened once, when its mail came, and by its own ticket alone.
func TestOpen(t *testing.T) {
	storetest.EachBench(t, func(b storetest.Bench) {
		l, ticket, _ := written(b)
		open := func(ticket string) int {
			b.Do(func(ctx context.Context, tx *store.Tx) error { return rehearsal.Open(ctx, tx, ticket) })
			return b.Count("event WHERE name = 'rehearsal.opened'")
		}
		knows := func(ticket string) (known bool) {
			require.NoError(b, b.Store.Read(b.Context(), func(_ context.Context, v store.View) error {
				known = rehearsal.Knows(v, ticket)
				return nil
			}))
			return known
		}
		require.True(b, knows(ticket))
		require.Zero(b, open(ticket), "its mail has not come")
		phone := number(b)
		b.Do(func(ctx context.Context, tx *store.Tx) error {
			_, err := mail.Take(ctx, tx, mail.Pack(b.Store, mail.Delivery{
				Tenant: "acme", Recipients: []mail.Recipient{mail.To(phone, l.To)}, Token: "a",
				PostedAt: b.Now(), MessageID: l.MessageID, Body: mail.Body{MIME: l.MIME}, KeepBody: true,
			}))
			return err
		})
		for _, forged := range []string{"", "~", "~~", ticket + "x", ticket[1:],
			"beta" + strings.TrimPrefix(ticket, "acme")} {
			require.False(b, knows(forged), forged)
			require.Zero(b, open(forged), forged)
		}
		require.Equal(b, 1, open(ticket))
		require.Equal(b, 1, open(ticket), "once")
	})
}

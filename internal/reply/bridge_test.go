package reply_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"smsbridge/inbound/inboundtest"
	"smsbridge/internal/challenge"
	"smsbridge/internal/reply"
	"smsbridge/internal/store"
	"smsbridge/internal/store/storetest"
	"smsbridge/internal/tenant"
	"smsbridge/internal/text"
	"smsbridge/phonemail"
)

const account = "AC00000000000000000000000000000001"

// shared is the line from which ACME and Beta text, alone the one from which Gamma does.
func shared() phonemail.Line { return phonemail.Line{Account: account, Sender: "+15005550006"} }
func alone() phonemail.Line  { return phonemail.Line{Account: account, Sender: "+15005550007"} }

// configured are the settings with ACME and Beta, who share a line. Gamma keeps its mails at
// Mailgun. All three have one account at Mailgun, and so one signing key. Those that are gone are
// left out.
func configured(t *testing.T, gone ...string) tenant.Settings {
	t.Helper()
	file := "public_url: https://bridge.example.com\ndaily_segments: 0\ntenants:\n"
	for _, s := range []struct{ slug, name, more, from string }{
		{"acme", "ACME", "accept: [YES, Y, JA, SURE]", shared().Sender},
		{"beta", "Beta", "keep: bridge", shared().Sender},
		{"gamma", "Gamma", "keep: mailgun", alone().Sender},
	} {
		if slices.Contains(gone, s.slug) {
			continue
		}
		file += fmt.Sprintf(`  - slug: %[1]s
    name: %[2]s
    countries: [DK]
    mail_domain: sms.%[1]s.example
    idp_hosts: [login.%[1]s.example]
    sender: {domains: [%[1]s.example]}
    limits: {wait: 0s, phone_hour: 0, phone_day: 0, prefix_hour: 0, country_hour: 0, breaker: 0}
    %[3]s
    mailgun: {api_key: "env:API", signing_key: "env:SIGNING"}
    twilio: {account_sid: %[4]s, auth_token: "env:SECRET", from: "%[5]s"}
`, s.slug, s.name, s.more, account, s.from)
	}
	path := filepath.Join(t.TempDir(), "smsbridge.yaml")
	require.NoError(t, os.WriteFile(path, []byte(file), 0o600))
	settings, err := tenant.FromFile(path, []string{
		"SECRET=" + inboundtest.AuthToken, "API=" + inboundtest.APISecret,
		"SIGNING=" + inboundtest.SigningKey,
	})
	require.NoError(t, err)
	return settings
}

// bridge is a storetest.Bench with tenants and what is done to replies.
type bridge struct {
	storetest.Bench
	tenants tenant.Set
	group   *group // nil: each step has a transaction of its own
}

// each runs test on a new store of each database.
func each(t *testing.T, test func(b bridge)) {
	t.Helper()
	storetest.EachBench(t, func(b storetest.Bench) { test(open(b)) })
}

// open is the bridge on a bench.
func open(b storetest.Bench) bridge {
	b.Helper()
	return bridge{Bench: b, tenants: configured(b.T).Tenants}
}

func (b bridge) run(name string, f func(b bridge)) {
	b.Run(name, func(t *testing.T) { b.T = t; f(b) })
}

func (b bridge) challenge(id string) (c challenge.Challenge) {
	b.Helper()
	b.Do(func(ctx context.Context, tx *store.Tx) (err error) {
		c, err = challenge.Get(ctx, tx, id)
		return err
	})
	return c
}

// state is a challenge's state as its row has it.
func (b bridge) state(id string) string {
	b.Helper()
	return b.Strings("SELECT state FROM challenge WHERE id = $1", id)[0]
}

// ask puts a tenant's question to a phone. Its prompt is due.
func (b bridge) ask(slug string, phone phonemail.Number, purpose challenge.Purpose) (id string) {
	b.Helper()
	return b.askAbout(slug, challenge.Question{
		MailID: store.NewID(), Phone: phone, Purpose: purpose, Recipient: to(slug, phone),
		Link: "https://login.acme.example/verify",
	})
}

// to is a phone's address at a tenant.
func to(slug string, phone phonemail.Number) string {
	return slug + phone.E164() + "@sms." + slug + ".example"
}

// askAbout has a tenant that takes a bare yes about passwords, too, put a question.
func (b bridge) askAbout(slug string, q challenge.Question) (id string) {
	b.Helper()
	asker := b.lenient(slug)
	b.Do(func(ctx context.Context, tx *store.Tx) (err error) {
		a, err := challenge.Consider(ctx, tx, asker, q)
		if err != nil {
			return err
		}
		id, err = a.Ask(ctx, tx)
		return err
	})
	return id
}

// lenient is a tenant that asks about passwords, and takes a bare yes about them.
func (b bridge) lenient(slug string) *tenant.Tenant {
	b.Helper()
	asker, ok := b.tenants.Tenant(slug)
	require.True(b, ok)
	lenient := *asker
	lenient.Question.ValidFor, lenient.Question.UnsafeBareYes = 10*time.Minute, true
	lenient.Mails.Reset = tenant.Ask
	return &lenient
}

// deliver begins to send the prompt of a question, and reports whether it was still due.
func (b bridge) deliver(id string) (due bool) {
	b.Helper()
	prompts := b.Strings("SELECT id FROM text WHERE challenge_id = $1 AND challenge_id <> ''"+
		" AND purpose = 'prompt'", id)
	require.Len(b, prompts, 1)
	b.Do(func(ctx context.Context, tx *store.Tx) (err error) {
		_, due, err = text.Begin(ctx, tx, prompts[0])
		return err
	})
	return due
}

// asked is a question of which the phone has the prompt.
func (b bridge) asked(slug string, phone phonemail.Number) challenge.Challenge {
	b.Helper()
	id := b.ask(slug, phone, challenge.Registration)
	require.True(b, b.deliver(id))
	return b.challenge(id)
}

// from is a reply with the tenants that text from its line, as a door finds them.
func (b bridge) from(r reply.Received) reply.Received {
	r.Sharing = b.tenants.ByLine(r.Line)
	return r
}

// text has a phone text us, on the line that ACME and Beta share.
func (b bridge) text(phone phonemail.Number, body string) reply.Taken {
	b.Helper()
	return b.take(reply.Received{ProviderID: fmt.Sprintf("SM%d", b.Serial()), Line: shared(),
		Phone: phone, Body: body})
}

func (b bridge) take(r reply.Received) (taken reply.Taken) {
	b.Helper()
	b.Do(func(ctx context.Context, tx *store.Tx) (err error) {
		taken, err = reply.Take(ctx, tx, b.tenants, b.from(r))
		return err
	})
	return taken
}

// told are the texts to a phone but for prompts, oldest first.
func (b bridge) told(phone phonemail.Number) (bodies []string) {
	b.Helper()
	for _, id := range b.Strings("SELECT id FROM text WHERE phone = $1"+
		" AND purpose <> 'prompt' AND state = 'due' ORDER BY id", phone.E164()) {
		var body []byte
		b.Do(func(ctx context.Context, tx *store.Tx) error {
			row, err := tx.GetText(ctx, id)
			if err != nil {
				return err
			}
			body, err = tx.Open(store.Place{Table: "text", ID: id, Column: "body", Tenant: row.Tenant},
				row.Body)
			return err
		})
		bodies = append(bodies, string(body))
	}
	return bodies
}

func (b bridge) optedOut(phone phonemail.Number) (out bool) {
	b.Helper()
	return b.optedOutOf("acme", shared(), phone)
}

func (b bridge) optedOutOf(
	slug string, l phonemail.Line, phone phonemail.Number,
) (out bool) {
	b.Helper()
	b.Do(func(ctx context.Context, tx *store.Tx) (err error) {
		out, err = text.OptedOut(ctx, tx, slug, l, phone)
		return err
	})
	return out
}

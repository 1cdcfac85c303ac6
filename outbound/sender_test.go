package outbound

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"smsbridge/internal/longtest"
	"smsbridge/internal/mail"
	"smsbridge/internal/simulator/dns"
	"smsbridge/internal/simulator/mailgun"
	"smsbridge/internal/store"
	"smsbridge/internal/tenant"
)

// plain is a mail without a signature, as any stranger may send it.
func (w *world) plain(to, id string) string {
	return fmt.Sprintf("From: ACME <no-reply@acme.example>\r\nTo: <%s>\r\n"+
		"Subject: Verify your email\r\nMessage-ID: <%s@acme.example>\r\nDate: %s\r\n"+
		"Content-Type: text/plain\r\n\r\n"+
		"Confirm your account: %s/lo/verify_email?ticket=%s0123456789abcdef\r\n", to, id,
		w.clock().Format(time.RFC1123Z), w.idp.URL(), id)
}

func (w *world) signed(mime string) string {
	w.t.Helper()
	signed, err := w.idp.Sign([]byte(mime))
	require.NoError(w.t, err)
	return string(signed)
}

// arrive records a mail to the phone as the mail door does.
func (w *world) arrive(id string, body mail.Body, messageURL string) (mailID string) {
	w.t.Helper()
	d := mail.Delivery{
		Tenant: "acme", Recipients: []mail.Recipient{mail.To(w.phone(phone), address)}, Token: id,
		PostedAt: w.clock(), MessageID: id + "@acme.example", MessageURL: messageURL, Body: body,
		KeepBody: w.tenant().Mails.Keep == tenant.KeepBridge,
	}
	w.do(func(ctx context.Context, tx *store.Tx) error {
		_, err := mail.Take(ctx, tx, mail.Pack(w.Store, d))
		return err
	})
	return w.one("SELECT id FROM mail WHERE message_id = '" + d.MessageID + "'")
}

// keep has Mailgun keep a mail, and returns its address there.
func (w *world) keep(mime string) (messageURL string) {
	w.t.Helper()
	require.NoError(w.t, w.gun.Deliver(w.t.Context(), "b@acme.example", []string{address},
		[]byte(mime)))
	stored := w.gun.Stored()
	return stored[len(stored)-1].URL
}

// judged examines a mail, and returns its state and the reason for a refusal.
func (w *world) judged(mailID string) (state, reason string) {
	w.t.Helper()
	require.NoError(w.t, w.examineMail(w.t.Context(), mailID))
	state, reason, _ = strings.Cut(
		w.one("SELECT state || '/' || reason FROM mail WHERE id = '"+mailID+"'"), "/")
	return state, reason
}

func (w *world) costsNothing() {
	w.t.Helper()
	require.Equal(w.t, "0", w.one("SELECT COUNT(*) FROM challenge"))
	require.Equal(w.t, "0", w.one("SELECT COUNT(*) FROM text"))
	require.Empty(w.t, w.idp.Requests())
}

// Ensure that a mail that the identity provider did not sign costs no text, however it arrives. One
// that it signed is asked about.
func TestSenderOfMail(t *testing.T) {
	t.Parallel()
	longtest.Skip(t)
	forged := "the mail has no DKIM signature"
	for _, keep := range []string{"SMSBRIDGE_KEEP=bridge", keepMailgun} {
		tests := map[string]struct {
			arrive func(w *world) (mailID string)
			reason string // "" for a question
		}{
			"raw, signed": {func(w *world) string {
				return w.arrive("a", mail.Body{MIME: w.signed(w.plain(address, "a"))},
					w.keep(w.signed(w.plain(address, "a"))))
			}, ""},
			"raw, forged": {func(w *world) string {
				forged := w.plain(address, "a")
				return w.arrive("a", mail.Body{MIME: forged}, w.keep(forged))
			}, forged},
			"parsed, and signed at Mailgun": {func(w *world) string {
				return w.arrive("a", mail.Body{Text: "Hello"}, w.keep(w.signed(w.plain(address, "a"))))
			}, ""},
			"parsed, and forged at Mailgun": {func(w *world) string {
				return w.arrive("a", mail.Body{Text: "Hello"}, w.keep(w.plain(address, "a")))
			}, forged},
			"a webhook about another mail than Mailgun has": {func(w *world) string {
				id := w.arrive("b", mail.Body{Text: "Hello"}, w.keep(w.signed(w.plain(address, "a"))))
				w.snoozed(w.examineMail(w.t.Context(), id)) // its own may be visible late
				w.wait(w.tenant().Question.ValidFor + time.Second)
				return id
			}, "the mail is not at Mailgun"},
			"a genuine mail to another phone": {func(w *world) string {
				raw := w.signed(w.plain("acme+4571234567@sms.acme.example", "a"))
				return w.arrive("a", mail.Body{MIME: raw}, w.keep(raw))
			}, "To is not the address that the mail was delivered to"},
			"a genuine mail of this morning": {func(w *world) string {
				raw := w.signed(w.plain(address, "a"))
				w.wait(3 * time.Hour)
				return w.arrive("a", mail.Body{MIME: raw}, w.keep(raw))
			}, "Date is more than an hour before Mailgun received the mail"},
		}
		for name, test := range tests {
			t.Run(keep+" "+name, func(t *testing.T) {
				w := quick(t, keep)
				state, reason := w.judged(test.arrive(w))
				require.Equal(t, test.reason, reason)
				if test.reason == "" {
					require.Equal(t, "examined", state)
					require.Equal(t, "1", w.one("SELECT COUNT(*) FROM challenge"))
					return
				}
				require.Equal(t, "refused", state)
				w.costsNothing()
			})
		}
	}
}

// Ensure that a sender is named only when a signature proved it.
func TestProvedSender(t *testing.T) {
	t.Parallel()
	const results = "X-Mailgun-Dkim-Check-Result: Pass\r\nX-Mailgun-Spf: Pass\r\n"
	for verify, want := range map[string]string{
		"dkim": "no-reply@acme.example", "mailgun": "", "off": "",
	} {
		w := quick(t, "SMSBRIDGE_SENDER_VERIFY="+verify)
		m := mail.Mail{
			Tenant: "acme", Phone: w.phone(phone), MessageID: "a@acme.example", PostedAt: w.clock(),
			HasBody: true, Body: mail.Body{
				MIME: results + w.signed(w.plain(address, "a")), Envelope: "b@acme.example",
			},
		}
		body, from, err := w.genuine(t.Context(), w.tenant(), m, w.clock())
		require.NoError(t, err)
		require.Equal(t, want, from, verify)
		require.Equal(t, m.Body, body)
	}
}

// Ensure that what is read is the mail that was proved, and not the fields that came beside it.
func TestProvedTextIsRead(t *testing.T) {
	t.Parallel()
	w := quick(t)
	body := mail.Body{Subject: "Your code", Text: "123456 is your verification code"}
	id := w.arrive("a", body, w.keep(w.signed(w.plain(address, "a"))))
	state, _ := w.judged(id)
	require.Equal(t, "examined", state)
	require.Equal(t, "verify", w.one("SELECT kind FROM mail"))
}

// Ensure that a parsed mail that Mailgun does not keep is refused with what to change.
func TestParsedRoute(t *testing.T) {
	t.Parallel()
	for _, verify := range []string{"dkim", "mailgun"} {
		w := quick(t, "SMSBRIDGE_SENDER_VERIFY="+verify)
		body := mail.Body{Text: "Confirm: " + w.idp.URL() + "/lo/verify_email?ticket=0123456789abcdef"}
		state, reason := w.judged(w.arrive("a", body, ""))
		require.Equal(t, "refused", state)
		require.Contains(t, reason, "store(notify=…)")
		w.costsNothing()
	}
	w := quick(t, "SMSBRIDGE_SENDER_VERIFY=off", "SMSBRIDGE_SENDER_DOMAINS=")
	body := mail.Body{Subject: "Verify your email",
		Text: "Confirm your account: " + w.idp.URL() + "/lo/verify_email?ticket=0123456789abcdef"}
	state, _ := w.judged(w.arrive("a", body, ""))
	require.Equal(t, "examined", state, "off takes it, as its name says")
}

// Ensure that Mailgun's own results decide when the tenant says so, and that a forger's copy of
// them spoils them.
func TestMailgunDecides(t *testing.T) {
	t.Parallel()
	const results = "X-Mailgun-Dkim-Check-Result: Pass\r\nX-Mailgun-Spf: Pass\r\n"
	for name, test := range map[string]struct {
		mime     func(w *world) string
		envelope string
		state    string
	}{
		"pass": {func(w *world) string { return results + w.plain(address, "a") },
			"b@acme.example", "examined"},
		"none": {func(w *world) string { return w.plain(address, "a") }, "b@acme.example",
			"refused"},
		"twice": {func(w *world) string { return results + results + w.plain(address, "a") },
			"b@acme.example", "refused"},
		"another host": {func(w *world) string { return results + w.plain(address, "a") },
			"b@evil.example", "refused"},
	} {
		t.Run(name, func(t *testing.T) {
			w := quick(t, "SMSBRIDGE_SENDER_VERIFY=mailgun")
			state, _ := w.judged(w.arrive("a",
				mail.Body{MIME: test.mime(w), Envelope: test.envelope}, ""))
			require.Equal(t, test.state, state)
			if state == "refused" {
				w.costsNothing()
			}
		})
	}
}

// Ensure that trouble of the DNS has the mail examined again, as long as it is worth a question. A
// key that does not exist refuses it at once.
func TestDNSTrouble(t *testing.T) {
	t.Parallel()
	for name, trouble := range map[string]dns.Manners{
		"SERVFAIL": {Fail: true}, "REFUSED": {Refuse: true},
	} {
		t.Run(name, func(t *testing.T) {
			w := quick(t)
			w.dns.Set(func(m *dns.Manners) { *m = trouble })
			id := w.arrive("a", mail.Body{MIME: w.signed(w.plain(address, "a"))}, "")
			w.snoozed(w.examineMail(t.Context(), id))
			require.Equal(t, "received", w.one("SELECT state FROM mail"))
			w.costsNothing()
			w.wait(4 * time.Minute)
			w.snoozed(w.examineMail(t.Context(), id))
			w.dns.Set(func(m *dns.Manners) { *m = dns.Manners{} })
			state, _ := w.judged(id)
			require.Equal(t, "examined", state)

			late := w.arrive("b", mail.Body{MIME: w.signed(w.plain(address, "b"))}, "")
			w.keys = newKeys(w.Settings) // forget the key
			w.dns.Set(func(m *dns.Manners) { *m = trouble })
			w.wait(w.tenant().Question.ValidFor)
			state, reason := w.judged(late)
			require.Equal(t, "refused", state)
			require.Contains(t, reason, "the DNS did not say")
		})
	}
	w := quick(t)
	require.NoError(t, w.dns.SetTXT(w.idp.KeyName()))
	state, reason := w.judged(w.arrive("a", mail.Body{MIME: w.signed(w.plain(address, "a"))}, ""))
	require.Equal(t, "refused", state)
	require.Contains(t, reason, "its key is not in the DNS")
	w.costsNothing()
}

// Ensure that keys are looked up under their absolute names, once in five minutes. Neither silence
// nor a server that is gone counts as a key that does not exist.
func TestKeys(t *testing.T) {
	t.Parallel()
	w := quick(t)
	name, now := w.idp.KeyName(), w.clock()
	for _, age := range []time.Duration{0, keyLife - 1, keyLife} {
		records, err := w.keys.look(t.Context(), name, now.Add(age))
		require.NoError(t, err)
		require.Equal(t, []string{w.idp.PublicKey()}, records)
	}
	records, err := w.keys.look(t.Context(), "none."+name, now)
	require.NoError(t, err)
	require.Empty(t, records)
	require.Equal(t, []string{name, name, "none." + name}, w.dns.Asked())

	for i := range maxKeys + 1 {
		w.keys.known[fmt.Sprint(i)] = key{}
	}
	_, err = w.keys.look(t.Context(), name, now.Add(time.Hour))
	require.NoError(t, err)
	require.Len(t, w.keys.known, 1, "bounded")

	w.dns.Set(func(m *dns.Manners) { m.Silent = true })
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	_, err = w.keys.look(ctx, "silent."+name, now)
	require.Error(t, err)
	gone, err := dns.Open()
	require.NoError(t, err)
	require.NoError(t, gone.Close())
	settings := w.Settings
	settings.DNS = gone.Addr()
	_, err = newKeys(settings).look(ctx, name, now)
	require.Error(t, err)
}

// Ensure that a yes opens no mail that a stranger left at Mailgun.
func TestYesFindsNoForgedMail(t *testing.T) {
	t.Parallel()
	w := quick(t, keepMailgun)
	w.keep(w.plain(address, "forged"))
	require.NoError(t, w.lookUpMail(t.Context(), w.yes()))
	state, reason := w.judged(w.one("SELECT id FROM mail"))
	require.Equal(t, []string{"refused", "the mail has no DKIM signature"}, []string{state, reason})
	w.costsNothing()

	w.wait(time.Second)
	w.keep(w.signed(w.plain(address, "signed")))
	w.dns.Set(func(m *dns.Manners) { m.Fail = true })
	w.wait(time.Second)
	require.NoError(t, w.lookUpMail(t.Context(), w.yes()))
	w.snoozed(w.examineMail(t.Context(), w.one("SELECT id FROM mail WHERE state = 'received'")))
	w.costsNothing()
}

// Ensure that the raw mail and its SMTP sender are read from Mailgun by their exact names: the
// mail's writer chose its headers.
func TestFetchRaw(t *testing.T) {
	t.Parallel()
	w := quick(t, keepMailgun)
	w.gun.Set(func(m *mailgun.Manners) { m.HeaderCollisions = true })
	raw := "Sender: evil@evil.example\r\nBody-Mime: evil\r\n" + w.signed(w.plain(address, "a"))
	kept := mail.Mail{Phone: w.phone(phone), MessageID: "a@acme.example"}
	body, err := w.fetchStored(t.Context(), w.tenant(), kept, w.keep(raw))
	require.NoError(t, err)
	require.Equal(t, "b@acme.example", body.Envelope)
	require.True(t, strings.HasSuffix(body.MIME, raw))
	require.Empty(t, body.Subject+body.From+body.Text+body.HTML)
}

package outbound

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"smsbridge/internal/limit"
	"smsbridge/internal/mail"
	"smsbridge/internal/simulator/dns"
	"smsbridge/internal/store"
	"smsbridge/internal/text"
)

// kept is all that the database has: how many rows each table has, and the events.
func (w *world) kept() string {
	w.t.Helper()
	var counts []string
	for _, table := range []string{"mail", "challenge", "text", "reply", "opt_out", "seen", "event",
		"short_link", "tally", "callback", "river_job"} {
		counts = append(counts, table+" "+w.one("SELECT COUNT(*) FROM "+table))
	}
	return strings.Join(counts, ", ")
}

// Ensure that a mail which is tried gets the very verdict that it gets when it really comes, and
// the same text. The try itself keeps nothing, texts nothing and opens nothing.
func TestTriedMail(t *testing.T) {
	code := func(w *world) string {
		return strings.Replace(strings.Replace(w.plain(address, "a"), "Verify your email",
			"Your code", 1), "Confirm your account: "+w.idp.URL(), "Your code is 482913. ", 1)
	}
	fine := func(w *world) string { return w.signed(w.plain(address, "a")) }
	tests := map[string]struct {
		mime    func(w *world) string
		before  func(w *world)
		did     mail.Did
		reason  string
		text    string // what it says
		changes []string
	}{
		"a question": {mime: fine, did: mail.Asking, text: "did you just set up an account?"},
		"a forged sender": {
			mime: func(w *world) string { return w.plain(address, "a") }, did: mail.Asking,
			reason: "the mail has no DKIM signature", text: "did you just set up an account?",
		},
		"a code": {mime: func(w *world) string { return w.signed(code(w)) }, did: mail.Relaying,
			text: "482913 is your ACME code"},
		"a link of another host": {mime: func(w *world) string {
			return w.signed(strings.Replace(w.plain(address, "a"), w.idp.URL(), "https://x.example", 1))
		}, did: mail.Refusing, reason: "not a mail to act on"},
		"of that kind none": {mime: fine, did: mail.Refusing, changes: []string{"SMSBRIDGE_VERIFY=off"},
			reason: "mails of this kind are off"},
		"another country": {mime: fine, did: mail.Refusing, changes: []string{"SMSBRIDGE_COUNTRIES=SE"},
			reason: "country not allowed"},
		"held": {mime: fine, did: mail.Refusing, before: func(w *world) {
			w.do(func(ctx context.Context, tx *store.Tx) error {
				return limit.Hold(ctx, tx, limit.Scope{Tenant: "acme"})
			})
		}, reason: "an operator holds these texts", text: "did you just set up an account?"},
		"opted out": {mime: fine, did: mail.Asking, before: func(w *world) {
			w.do(func(ctx context.Context, tx *store.Tx) error {
				return text.OptOut(ctx, tx, w.line(), w.phone(phone))
			})
		}, text: "did you just set up an account?"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			w := quick(t, test.changes...)
			if test.before != nil {
				test.before(w)
			}
			before := w.kept()
			tried, err := w.TryMail(t.Context(), mail.File{MIME: test.mime(w)})
			require.NoError(t, err)
			require.Equal(t, before, w.kept(), "a try keeps nothing")
			require.Empty(t, w.idp.Requests(), "nothing is opened")
			require.Empty(t, w.twilio.Texts())
			require.Equal(t, test.did, tried.Verdict.Did)
			require.Equal(t, name == "opted out", tried.OptedOut)
			require.Contains(t, tried.Unproved+tried.Verdict.Reason, test.reason)

			state, reason := w.judged(w.arrive("a", mail.Body{MIME: test.mime(w)}, ""))
			if tried.Unproved != "" {
				require.Equal(t, "refused "+tried.Unproved, state+" "+reason)
				return
			}
			require.Equal(t, tried.Verdict.Reason, reason)
			require.Equal(t, tried.Verdict.Did == mail.Refusing, state == "refused")
			w.sameText(tried, test.text)
		})
	}
}

// sameText shows that the one text on disk, and at the provider, is the one that was tried.
func (w *world) sameText(tried mail.Trial, begins string) {
	w.t.Helper()
	rows := w.all("SELECT purpose || ' ' || wording || ' ' || language || ' ' || segments || ' ' || " +
		"error FROM text")
	require.Len(w.t, tried.Texts, len(rows))
	for i, row := range rows {
		made := tried.Texts[i]
		require.Equal(w.t, row, fmt.Sprintf("%s %s %s %d %s", made.Purpose, made.Wording,
			made.Language, made.Size().Segments, made.Reason))
		require.Contains(w.t, made.Body, begins)
		require.Equal(w.t, w.tenant().Price("DK", 1, false), made.Price())
		sent := w.twilio.Texts()
		require.Equal(w.t, made.State == text.Due, len(sent) == 1)
		if len(sent) == 1 {
			require.Equal(w.t, sent[0].Body, made.Body)
		}
	}
}

// Ensure that the trial says which link was chosen and what proved the sender, and that the same
// mail came before. An old mail is judged at the time of its own Date.
func TestTriedMailTellsWhy(t *testing.T) {
	each(t, func(w *world) {
		mime := w.signed(w.plain(address, "a"))
		w.wait(72 * time.Hour)
		tried, err := w.TryMail(w.t.Context(), mail.File{MIME: strings.ReplaceAll(mime, "\r\n", "\n")})
		require.NoError(w.t, err)
		require.Empty(w.t, tried.Unproved)
		require.Equal(w.t, "no-reply@acme.example", tried.Finding.Sender)
		require.Equal(w.t, []string{"acme.example"}, tried.Signers)
		require.Equal(w.t, address, tried.To.Address)
		require.Equal(w.t, "en", tried.Language)
		require.Contains(w.t, tried.Because, "language_pinned")
		require.Len(w.t, tried.Finding.Links, 1)
		require.True(w.t, tried.Finding.Links[0].Chosen)
		require.NotContains(w.t, tried.Finding.Links[0].Place, "0123456789abcdef")

		id := w.arrive("a", mail.Body{MIME: mime}, "")
		before := w.kept()
		tried, err = w.TryMail(w.t.Context(), mail.File{MIME: mime, Address: address})
		require.NoError(w.t, err)
		require.Equal(w.t, id, tried.Known)
		require.Equal(w.t, mail.Asking, tried.Verdict.Did, "as a new one would be")
		require.Equal(w.t, before, w.kept())

		w.dns.Set(func(m *dns.Manners) { m.Fail = true })
		w.wait(time.Hour)
		tried, err = w.TryMail(w.t.Context(), mail.File{MIME: mime})
		require.NoError(w.t, err)
		require.Contains(w.t, tried.Unproved, "DNS")
	})
}

// Ensure that what is no mail of a phone of the tenant is told from one. The door of mails does not
// take every Message-Id, either.
func TestFileThatCannotBeTried(t *testing.T) {
	w := quick(t)
	withID := func(id string) string {
		return "To: <" + address + ">\r\nMessage-Id: <" + id + ">\r\n\r\na"
	}
	for _, test := range []struct {
		file mail.File
		err  error
	}{
		{mail.File{MIME: "hello"}, mail.ErrNoMail},
		{mail.File{MIME: withID("J\xf8rgen@acme.example")}, mail.ErrBadID},
		{mail.File{MIME: withID(strings.Repeat("a", 2000) + "@acme.example")}, mail.ErrBadID},
		{mail.File{MIME: w.plain("kim@acme.example", "a")}, mail.ErrNoAddress},
		{mail.File{MIME: w.plain(address, "a"), Address: "acme+4520123456@other.example"},
			mail.ErrNoAddress},
		{mail.File{MIME: w.plain(address, "a"), Tenant: "other"}, mail.ErrNoAddress},
	} {
		_, err := w.TryMail(t.Context(), test.file)
		require.ErrorIs(t, err, test.err)
	}
}

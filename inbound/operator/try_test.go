//go:build !race

package operator_test

import (
	"bytes"
	"context"
	"fmt"
	"mime/multipart"
	"net/http"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"smsbridge/inbound/inboundtest"
	"smsbridge/internal/limit"
	"smsbridge/internal/longtest"
	"smsbridge/internal/store"
	"smsbridge/internal/store/storetest"
	"smsbridge/outbound"
)

// trying opens the pages with a worker that says what would come of mails.
func trying(t *testing.T, changes ...string) pages {
	t.Helper()
	b := inboundtest.Open(t, storetest.SQLite(t), operators(changes...)...)
	worker := &outbound.Worker{Store: b.Store, Settings: b.Inbound.Settings, Log: b.Inbound.Log}
	worker.Register()
	b.Inbound.TryMail = worker.TryMail
	return open(t, b)
}

// upload sends the form of a mail, with the token of the page that is shown.
func (b *browser) upload(fields ...string) inboundtest.Response {
	b.t.Helper()
	var body bytes.Buffer
	form := multipart.NewWriter(&body)
	fields = append([]string{"token", token(b.page.Body)}, fields...)
	for i := 0; i < len(fields); i += 2 {
		if fields[i] == "file" {
			part, err := form.CreateFormFile("file", "mail.eml")
			require.NoError(b.t, err)
			_, err = part.Write([]byte(fields[i+1]))
			require.NoError(b.t, err)
			continue
		}
		require.NoError(b.t, form.WriteField(fields[i], fields[i+1]))
	}
	require.NoError(b.t, form.Close())
	r, err := http.NewRequest("POST", b.p.url+"/operator/try/mail", &body)
	require.NoError(b.t, err)
	r.Header.Set("Content-Type", form.FormDataContentType())
	r.Header.Set("Cookie", b.cookie)
	b.page = b.p.Send(b.t, r)
	return b.page
}

const toPhone = "acme+4520123456@sms.acme.example"

func rawMail(to string) string {
	return "From: ACME <no-reply@acme.example>\r\nTo: <" + to + ">\r\nSubject: Verify your email\r\n" +
		"Message-Id: <a@acme.example>\r\nDate: " + inboundtest.Start.Format(time.RFC1123Z) +
		"\r\nContent-Type: text/plain\r\n\r\nVerify your email: " +
		"https://login.acme.example/lo/verify_email?ticket=SECRET0123456789abcdef\r\n" +
		"Or read https://other.example/help/page\r\n"
}

// Ensure that the role see may try a mail, pasted or as a file: the page has every rule's verdict,
// the exact text with its price and sender, and what is known of the country. It has no secret of
// the link and no whole number, and nothing is kept.
func TestTryMailPage(t *testing.T) {
	p := trying(t, "SMSBRIDGE_SENDER_VERIFY=off", "SMSBRIDGE_SENDER_DOMAINS=")
	b := p.login(t, "help")
	before, acts := p.Rows(t), p.Count(t, "operator_act", "1=1")
	for _, fields := range [][]string{
		{"mail", "\r\n" + rawMail(toPhone), "address", "", "tenant", ""},
		{"file", rawMail("kim@acme.example"), "mail", "", "address", toPhone, "tenant", "acme"},
	} {
		b.get("/operator/try/mail")
		body := b.upload(fields...).Body
		for _, said := range []string{
			"not asked for: sender.verify is off", "one link", "allowed: DK", "none holds for this sender",
			"let it pass", "the phone is asked", "login.acme.example/lo/verify_email",
			"other.example", "<code>ask_registration</code>", "har du lige oprettet en konto?",
			"1 segment of GSM-7", "$0.0592", "&#43;15005550006", "What DK makes of texts", "<dt>links</dt>",
			"this mail is new", "&#43;45******56"} {
			require.Contains(t, body, said)
		}
		require.NotContains(t, body, "SECRET")
		typed := strings.ReplaceAll(toPhone, "+", "&#43;")
		require.NotContains(t, strings.ReplaceAll(body, typed, ""), "20123456")
	}
	require.Equal(t, before, p.Rows(t))
	require.Equal(t, acts, p.Count(t, "operator_act", "1=1"))

	id := p.mail(t) // of the same phone; its Message-Id is another one
	b.get("/operator/try/mail")
	b.upload("mail", strings.Replace(rawMail(toPhone), "a@acme.example",
		p.One(t, "SELECT message_id FROM mail"), 1))
	require.Contains(t, b.page.Body, `<a href="/operator/cases/`+id+`">its case</a>`)
	p.Lines(t) // fails on a number, a ticket or a host
}

// Ensure that the page says which rule keeps a mail from being acted on. The text that it would
// have caused is shown all the same.
func TestTryMailPageSaysNo(t *testing.T) {
	t.Parallel()
	longtest.Skip(t)
	p := trying(t)
	p.optOut(t, "ann")
	b := p.login(t, "help")
	b.get("/operator/try/mail")
	require.Contains(t, b.upload("mail", rawMail(toPhone)).Body, "its text is not sent: opted out")
	p.Do(t, func(ctx context.Context, tx *store.Tx) error {
		return limit.Hold(ctx, tx, limit.Scope{})
	})
	b.get("/operator/try/mail")
	body := b.upload("mail", rawMail(toPhone)).Body
	for _, said := range []string{"not proved: the mail has no DKIM signature",
		"this phone wants no texts from this sender", "an operator holds these texts",
		"nothing is done: the sender is not proved. Else: nothing is done",
		"har du lige oprettet en konto?"} {
		require.Contains(t, body, said)
	}
	for _, bad := range [][2]string{{"hello", "That is no raw mail."},
		{rawMail("kim@acme.example"), "No address of that mail"}} {
		b.get("/operator/try/mail")
		res := b.upload("mail", bad[0])
		require.Equal(t, http.StatusUnprocessableEntity, res.StatusCode)
		require.Contains(t, res.Body, bad[1])
	}
	b.get("/operator/try/mail")
	require.Equal(t, http.StatusBadRequest, b.press("/operator/try/mail", "mail", "x").StatusCode,
		"another form")
	b.get("/operator/try/mail")
	require.Equal(t, http.StatusBadRequest,
		b.upload("mail", strings.Repeat("x", 3<<20)).StatusCode, "too big")
	b.get("/operator/try/mail")
	require.Equal(t, http.StatusBadRequest, b.upload("mail", "x", "mail", "y").StatusCode, "twice")
	b.page.Body = ""
	require.Equal(t, http.StatusForbidden, b.upload("mail", rawMail(toPhone)).StatusCode, "no token")
}

// Ensure that the role see is shown a text with all that it costs, and what is known of the
// country. It is in the language that the rules choose, or the operator. None is made.
func TestTryTextPage(t *testing.T) {
	p := only(t, "SMSBRIDGE_COUNTRIES=DK,JP")
	b := p.login(t, "help")
	before := p.Rows(t)
	show := func(phone, says, language string) string {
		b.get("/operator/try/text")
		return b.press("/operator/try/text", "tenant", "acme", "phone", phone, "wording", says,
			"language", language).Body
	}
	body := show(inboundtest.Phone, "ask_registration", "")
	for _, said := range []string{"To &#43;45******56",
		"most people in the number&#39;s country read it",
		`lang="da"`, "1 segment of GSM-7", "$0.0592", "What DK makes of texts",
		"Only the role act may send it."} {
		require.Contains(t, body, said)
	}
	require.Contains(t, show(inboundtest.Phone, "code", "ja"), "UCS-2")
	require.Contains(t, b.page.Body, "it was chosen")
	require.Contains(t, b.page.Body, "482148")
	require.Contains(t, show("+46701740605", "code", ""), "country not allowed")
	p.optOut(t, "ann")
	require.Contains(t, show(inboundtest.Phone, "code", ""), "<strong>opted out</strong>")
	before["opt_out"], before["event"] = 1, 1
	require.Equal(t, before, p.Rows(t))
	for _, bad := range [][3]string{{"45", "code", ""}, {inboundtest.Phone, "<b>", ""},
		{inboundtest.Phone, "code", "xx"}} {
		show(bad[0], bad[1], bad[2])
		require.Equal(t, http.StatusUnprocessableEntity, b.page.StatusCode, bad)
	}
	p.Lines(t)
}

// Ensure that the role act has a text really made due, once, which passes what any text passes: it
// is a case, recorded with its operator. What the rules refuse is not sent.
func TestSendTriedText(t *testing.T) {
	p := only(t)
	b := p.login(t, "anna")
	send := func(phone string) inboundtest.Response {
		b.get("/operator/try/text")
		return b.press("/operator/try/text/send", "tenant", "acme", "phone", phone,
			"wording", "ask_registration", "language", "en")
	}
	b.get("/operator/try/text")
	b.press("/operator/try/text", "tenant", "acme", "phone", inboundtest.Phone,
		"wording", "ask_registration", "language", "en")
	require.Contains(t, b.page.Body, "<button>Send it</button>")
	shown := regexp.MustCompile(`<blockquote[^>]*>(.*)</blockquote>`).FindStringSubmatch(b.page.Body)
	require.NotNil(t, shown)

	res := send(inboundtest.Phone)
	require.Equal(t, http.StatusSeeOther, res.StatusCode, res.Body)
	id := p.One(t, "SELECT id FROM text")
	require.Equal(t, "/operator/cases/"+id+"?done=text.try", res.Header.Get("Location"))
	require.Equal(t, "try ask_registration en due",
		p.One(t, "SELECT purpose || ' ' || wording || ' ' || language || ' ' || state FROM text"))
	require.Contains(t, b.get("/operator/cases/"+id+"?done=text.try").Body, "a text (try, 1 segment")
	require.Contains(t, b.page.Body, "The text is made.")
	require.Equal(t, "anna "+id+" ask_registration to +45******56",
		p.One(t, "SELECT operator || ' ' || subject || ' ' || detail FROM operator_act "+
			"WHERE act = 'text.try'"))
	_, body := p.Texted(t)
	require.Equal(t, shown[1], body, "the very text that was shown")

	require.Equal(t, http.StatusUnprocessableEntity, send("+46701740605").StatusCode)
	require.Contains(t, b.page.Body, "country not allowed")
	require.Equal(t, 1, p.Count(t, "text", "1=1"))
	b.get("/operator/limits")
	b.press("/operator/limits/hold", "country", "DK")
	send(inboundtest.Phone)
	p.optOut(t, "ann")
	send(inboundtest.Phone)
	for _, why := range []string{"limit: an operator holds these texts", "opted out"} {
		require.Equal(t, 1, p.Count(t, "text", fmt.Sprintf("state = 'suppressed' AND error = '%s'", why)))
	}
	require.Equal(t, 1, p.Count(t, "text", "state = 'sending'"))
	p.Lines(t)
}

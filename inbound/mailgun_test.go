package inbound

import (
	"bytes"
	"context"
	"fmt"
	"mime/multipart"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"smsbridge/internal/mail"
	"smsbridge/internal/store"
)

// recorded is a mail's row as an examination would see it.
func (b *bridge) recorded(t testing.TB, where string) mail.Mail {
	t.Helper()
	id := b.one(t, "SELECT id FROM mail WHERE "+where)
	var m mail.Mail
	require.NoError(t, b.store.Read(context.Background(), func(ctx context.Context, tx store.View) (err error) {
		m, _, err = mail.Get(ctx, tx, id)
		return err
	}))
	return m
}

// writeMultipart renders a form as Mailgun posts it when the mail has attachments, those included.
func writeMultipart(t testing.TB, form url.Values, attachments ...string) (contentType string, body *bytes.Buffer) {
	t.Helper()
	body = &bytes.Buffer{}
	w := multipart.NewWriter(body)
	for i, content := range attachments {
		part, err := w.CreateFormFile(fmt.Sprintf("attachment-%d", i+1), "logo.png")
		require.NoError(t, err)
		_, err = part.Write([]byte(content))
		require.NoError(t, err)
	}
	for name, values := range form {
		for _, value := range values {
			require.NoError(t, w.WriteField(name, value))
		}
	}
	require.NoError(t, w.Close())
	return w.FormDataContentType(), body
}

func TestMailIsRecordedInEveryForm(t *testing.T) {
	each(t, func(t *testing.T, b *bridge) {
		before := b.rows(t)
		require.Empty(t, before)
		for n, post := range map[int]func(t *testing.T) response{
			1: func(t *testing.T) response { return b.postForm(t, "/mailgun/acme", mailForm(1)) },
			2: func(t *testing.T) response {
				kind, body := writeMultipart(t, mailForm(2), strings.Repeat("\x00\xff", 100_000), "another")
				return b.post(t, "/mailgun/acme", kind, body)
			},
			3: func(t *testing.T) response { // Mailgun says which charset it used
				return b.post(t, "/mailgun/acme", contentForm+"; charset=utf-8", strings.NewReader(mailForm(3).Encode()))
			},
			4: func(t *testing.T) response { // a body-html for each part, which newer pages describe
				form := mailForm(4)
				form["body-html"] = []string{`<a href="` + secretLink + `">`, "Confirm</a>"}
				return b.postForm(t, "/mailgun/acme", form)
			},
		} {
			answer := post(t)
			require.Equal(t, http.StatusOK, answer.status, answer.body)
			m := b.recorded(t, fmt.Sprintf("message_id = 'mail-%d@acme.example'", n))
			require.Equal(t, "acme", m.Tenant)
			require.Equal(t, phone, m.Phone.E164())
			require.Equal(t, start.UTC(), m.PostedAt)
			require.Equal(t, storedURL, m.MessageURL)
			require.True(t, m.HasBody)
			require.Equal(t, "Verify your email", m.Body.Subject)
			require.Equal(t, "ACME <no-reply@acme.example>", m.Body.From)
			require.Equal(t, "Open "+secretLink, m.Body.Text)
			require.Equal(t, `<a href="`+secretLink+`">Confirm</a>`, strings.ReplaceAll(m.Body.HTML, "\n", ""))
			require.Empty(t, m.Body.MIME)
			lines := b.lines(t)
			require.Len(t, lines, 1)
			require.Equal(t, []any{"INFO", "mail", "acme", 200.0, "recorded"},
				[]any{lines[0]["level"], lines[0]["msg"], lines[0]["tenant"], lines[0]["status"], lines[0]["reason"]})
		}
		require.Equal(t, map[string]int{"mail": 4, "seen": 4, "event": 4, "river_job": 4}, b.rows(t))
		require.Equal(t, "4", b.one(t, "SELECT COUNT(*) FROM river_job WHERE kind = 'examine_mail'"))
		require.NotContains(t, b.one(t, "SELECT body FROM mail LIMIT 1"), "SECRET")
	})
}

// A raw mail has no Message-Id field, so that of the mail itself must make a repetition under a new token known.
func TestRawMail(t *testing.T) {
	each(t, func(t *testing.T, b *bridge) {
		raw := "Message-ID:\r\n <raw-1@acme.example>\r\nSubject: Verify\r\n\r\nOpen " + secretLink + "\r\n"
		form := func(n int, mime string) url.Values {
			return sign(url.Values{"recipient": {address}, "sender": {"bounce@acme.example"}, "from": {"ACME <no-reply@acme.example>"},
				"subject": {"Verify"}, "body-mime": {mime}, "body-plain": {"not read here"}}, signingKey, start, token(n))
		}
		require.Equal(t, 200, b.postForm(t, "/mailgun/acme/mime", form(1, raw)).status)
		require.Equal(t, mail.Body{Subject: "Verify", From: "ACME <no-reply@acme.example>", MIME: raw}, b.recorded(t, "message_id = 'raw-1@acme.example'").Body)
		require.Equal(t, 200, b.postForm(t, "/mailgun/acme/mime", form(2, raw)).status)
		require.Equal(t, "1", b.one(t, "SELECT COUNT(*) FROM mail"))
		for n, mime := range []string{"no header at all", "Subject: no id\r\n\r\n", "\x00\xff"} {
			require.Equal(t, 200, b.postForm(t, "/mailgun/acme/mime", form(10+n, mime)).status)
		}
		require.Equal(t, "4", b.one(t, "SELECT COUNT(*) FROM mail"))
	})
}

func TestMailForSeveralRecipients(t *testing.T) {
	b := openBridge(t, "sqlite:"+t.TempDir()+"/bridge.db")
	form := mailForm(1)
	form.Set("recipient", strings.Join([]string{
		" ACME+4520123456@SMS.acme.example ", address, "acme+4520123457@sms.acme.example", "beta+4520123458@sms.acme.example", "acme+1@sms.acme.example", "",
	}, ","))
	require.Equal(t, 200, b.postForm(t, "/mailgun/acme", form).status)
	require.Equal(t, map[string]int{"mail": 2, "seen": 1, "event": 2, "river_job": 2}, b.rows(t))
	b.recorded(t, "phone = '+4520123456'")
	b.recorded(t, "phone = '+4520123457'")

	many := mailForm(2)
	var list []string
	for i := range 3 * maxRecipients {
		list = append(list, fmt.Sprintf("acme+4520%06d@sms.acme.example", i))
	}
	many.Set("recipient", strings.Join(list, ","))
	require.Equal(t, 200, b.postForm(t, "/mailgun/acme", many).status)
	require.Equal(t, 2+maxRecipients, b.rows(t)["mail"])
}

// Whoever keeps the mail at Mailgun has nothing of it here but the envelope.
func TestMailKeptAtMailgun(t *testing.T) {
	b := openBridge(t, "sqlite:"+t.TempDir()+"/bridge.db", "SMSBRIDGE_KEEP=mailgun")
	require.Equal(t, 200, b.postForm(t, "/mailgun/acme", mailForm(1)).status)
	require.Empty(t, b.one(t, "SELECT body FROM mail"))
	require.Equal(t, storedURL, b.recorded(t, "1 = 1").MessageURL)
}

// A mail counts once: under the same token, under a new one, and to whom it was not for before.
func TestRepeatedMail(t *testing.T) {
	each(t, func(t *testing.T, b *bridge) {
		form := mailForm(1)
		require.Equal(t, "recorded\n", b.postForm(t, "/mailgun/acme", form).body)
		first := b.rows(t)
		for range 3 {
			require.Equal(t, response{200, nil, "known already\n"}, bare(b.postForm(t, "/mailgun/acme", form)))
		}
		require.Equal(t, first, b.rows(t))

		b.now = start.Add(8*time.Hour + 30*time.Minute) // the last repetition, signed anew or not
		require.Equal(t, "known already\n", b.postForm(t, "/mailgun/acme", form).body)
		require.Equal(t, "known already\n", b.postForm(t, "/mailgun/acme", sign(mailForm(1), signingKey, b.now, token(77))).body)
		require.Equal(t, 1, b.rows(t)["mail"])
		require.Equal(t, 1, b.rows(t)["river_job"])

		other := sign(mailForm(1), signingKey, b.now, token(78))
		other.Set("recipient", "acme+4520123457@sms.acme.example")
		require.Equal(t, "recorded\n", b.postForm(t, "/mailgun/acme", other).body)
		require.Equal(t, 2, b.rows(t)["mail"])
		b.lines(t)
	})
}

func bare(r response) response { return response{status: r.status, body: r.body} }

func TestGenuineTimeStampsAndKeys(t *testing.T) {
	b := openBridge(t, "sqlite:"+t.TempDir()+"/bridge.db")
	for n, at := range []time.Time{
		start.Add(-oldestPost + time.Minute), start.Add(-oldestPost), start.Add(newestPost), start.Add(newestPost - time.Second), start,
	} {
		require.Equal(t, "recorded\n", b.postForm(t, "/mailgun/acme", sign(mailForm(n), signingKey, at, token(n))).body, at)
	}
	require.Equal(t, "recorded\n", b.postForm(t, "/mailgun/acme", sign(mailForm(20), retiredKey, start, token(20))).body)
	upper := mailForm(21)
	upper.Set("signature", strings.ToUpper(upper.Get("signature")))
	require.Equal(t, "recorded\n", b.postForm(t, "/mailgun/acme", upper).body)

	// The vector of Mailgun's scheme: HMAC-SHA256 under "key-test-signing" over 1700000000 and fifty zeros.
	vector := openBridge(t, "sqlite:"+t.TempDir()+"/vector.db", "MAILGUN_WEBHOOK_SIGNING_KEY=key-test-signing")
	form := mailForm(0)
	form.Set("signature", "dbadc48822d5dfebf350319cf3db910af3aa99eda5fbf1f54ddae2a3fd3d7fca")
	require.Equal(t, "recorded\n", vector.postForm(t, "/mailgun/acme", form).body)
}

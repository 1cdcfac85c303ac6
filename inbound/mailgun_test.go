package inbound_test

import (
	"bytes"
	"context"
	"fmt"
	"mime/multipart"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"smsbridge/inbound"
	"smsbridge/inbound/inboundtest"
	"smsbridge/internal/mail"
	"smsbridge/internal/store"
	"smsbridge/internal/store/storetest"
)

// recorded is a mail's row as an examination would see it.
func (b *bridge) recorded(t testing.TB, where string) mail.Mail {
	t.Helper()
	id := b.One(t, "SELECT id FROM mail WHERE "+where)
	var m mail.Mail
	require.NoError(
		t,
		b.Store.Read(context.Background(), func(ctx context.Context, tx store.View) (err error) {
			m, _, err = mail.Get(ctx, tx, id)
			return err
		}),
	)
	return m
}

// writeMultipart renders a form as Mailgun posts it when the mail has attachments, those included.
func writeMultipart(
	t testing.TB,
	form url.Values,
	attachments ...string,
) (contentType string, body *bytes.Buffer) {
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
		before := b.Rows(t)
		require.Empty(t, before)
		for n, post := range map[int]func(t *testing.T) inboundtest.Response{
			1: func(t *testing.T) inboundtest.Response {
				return b.PostForm(t, "/mailgun/acme", inboundtest.MailForm(1))
			},
			2: func(t *testing.T) inboundtest.Response {
				kind, body := writeMultipart(
					t, inboundtest.MailForm(2), strings.Repeat("\x00\xff", 100_000), "another",
				)
				return b.Post(t, "/mailgun/acme", kind, body)
			},
			3: func(t *testing.T) inboundtest.Response { // Mailgun says which charset it used
				return b.Post(
					t, "/mailgun/acme", contentForm+"; charset=utf-8",
					strings.NewReader(inboundtest.MailForm(3).Encode()),
				)
			},
			// a body-html for each part, which newer pages describe
			4: func(t *testing.T) inboundtest.Response {
				form := inboundtest.MailForm(4)
				form["body-html"] = []string{`<a href="` + secretLink + `">`, "Confirm</a>"}
				return b.PostForm(t, "/mailgun/acme", form)
			},
		} {
			answer := post(t)
			require.Equal(t, http.StatusOK, answer.StatusCode, answer.Body)
			m := b.recorded(t, fmt.Sprintf("message_id = 'mail-%d@acme.example'", n))
			require.Equal(t, "acme", m.Tenant)
			require.Equal(t, phone, m.Phone.E164())
			require.Equal(t, inboundtest.Start.UTC(), m.PostedAt)
			require.Equal(t, storedURL, m.MessageURL)
			require.True(t, m.HasBody)
			require.Equal(t, "Verify your email", m.Body.Subject)
			require.Equal(t, "ACME <no-reply@acme.example>", m.Body.From)
			require.Equal(t, "Open "+secretLink, m.Body.Text)
			require.Equal(
				t,
				`<a href="`+secretLink+`">Confirm</a>`,
				strings.ReplaceAll(m.Body.HTML, "\n", ""),
			)
			require.Empty(t, m.Body.MIME)
			lines := b.Lines(t)
			require.Len(t, lines, 1)
			require.Equal(
				t,
				[]any{"INFO", "mail", "acme", 200.0, "waits for its examination", m.ID, "+45******56"},
				[]any{
					lines[0]["level"],
					lines[0]["msg"],
					lines[0]["tenant"],
					lines[0]["status"],
					lines[0]["reason"],
					lines[0]["case"],
					lines[0]["phone"],
				},
			)
		}
		require.Equal(t, map[string]int{"mail": 4, "seen": 4, "event": 4, "river_job": 4}, b.Rows(t))
		require.Equal(t, "4", b.One(t, "SELECT COUNT(*) FROM river_job WHERE kind = 'examine_mail'"))
		require.NotContains(t, b.One(t, "SELECT body FROM mail LIMIT 1"), "SECRET")
	})
}

// A raw mail has no Message-Id field, so that of the mail itself must make a repetition under a
// new token known.
func TestRawMail(t *testing.T) {
	each(t, func(t *testing.T, b *bridge) {
		raw := "Message-ID:\r\n <raw-1@acme.example>\r\nSubject: " +
			"Verify\r\n\r\nOpen " + secretLink + "\r\n"
		form := func(n int, mime string) url.Values {
			return inboundtest.Sign(
				url.Values{
					"recipient": {address},
					"sender":    {"bounce@acme.example"},
					"from":      {"ACME <no-reply@acme.example>"},
					"subject": {
						"Verify",
					},
					"body-mime":  {mime},
					"body-plain": {"not read here"},
				},
				signingKey,
				inboundtest.Start,
				inboundtest.Token(n),
			)
		}
		require.Equal(t, 200, b.PostForm(t, "/mailgun/acme/mime", form(1, raw)).StatusCode)
		require.Equal(
			t,
			mail.Body{
				Subject: "Verify", From: "ACME <no-reply@acme.example>", MIME: raw,
				Envelope: "bounce@acme.example",
			},
			b.recorded(t, "message_id = 'raw-1@acme.example'").Body,
		)
		require.Equal(t, 200, b.PostForm(t, "/mailgun/acme/mime", form(2, raw)).StatusCode)
		require.Equal(t, "1", b.One(t, "SELECT COUNT(*) FROM mail"))
		for n, mime := range []string{"no header at all", "Subject: no id\r\n\r\n", "\x00\xff"} {
			require.Equal(t, 200, b.PostForm(t, "/mailgun/acme/mime", form(10+n, mime)).StatusCode)
		}
		require.Equal(t, "4", b.One(t, "SELECT COUNT(*) FROM mail"))
	})
}

// Ensure that two mails without a Message-Id are two, though Mailgun keeps both in one place. Each
// counts once under its token.
func TestMailWithoutMessageID(t *testing.T) {
	each(t, func(t *testing.T, b *bridge) {
		for _, n := range []int{1, 2, 1, 2} {
			form := inboundtest.MailForm(n)
			form.Del("Message-Id")
			require.Equal(t, 200, b.PostForm(t, "/mailgun/acme", form).StatusCode)
		}
		require.Equal(t, map[string]int{"mail": 2, "seen": 2, "event": 2, "river_job": 2}, b.Rows(t))
		for n := range 2 {
			m := b.recorded(t, "message_id = 'token:"+inboundtest.Token(n+1)+"'")
			require.True(t, m.HasBody)
			require.True(t, m.Is("", []mail.Recipient{mail.To(m.Phone, address)}))
		}
	})
}

func TestMailForSeveralRecipients(t *testing.T) {
	b := openBridge(t, storetest.SQLite(t))
	form := inboundtest.MailForm(1)
	form.Set("recipient", strings.Join([]string{
		" ACME+4520123456@SMS.acme.example ", address, "acme+4520123457@sms.acme.example",
		"beta+4520123458@sms.acme.example", "acme+1@sms.acme.example", "",
	}, ","))
	require.Equal(t, inboundtest.Response{
		StatusCode: 200, Body: "recorded for the recipients that are this tenant's\n",
	}, bare(b.PostForm(t, "/mailgun/acme", form)))
	require.Equal(t, map[string]int{"mail": 2, "seen": 1, "event": 2, "river_job": 1}, b.Rows(t))
	b.recorded(t, "phone = '+4520123456'")
	b.recorded(t, "phone = '+4520123457'")

	// As many as one mail may be for, and one of them twice; then one more, which is refused whole.
	var list []string
	for i := range inbound.MaxRecipients {
		list = append(list, fmt.Sprintf("acme+4520%06d@sms.acme.example", i))
	}
	for n, more := range []string{list[0], "acme+4520999999@sms.acme.example"} {
		many := inboundtest.MailForm(2 + n)
		many.Set("recipient", strings.Join(append(list, more), ","))
		require.Equal(t, []int{200, 406}[n], b.PostForm(t, "/mailgun/acme", many).StatusCode)
		require.Equal(t, 2+inbound.MaxRecipients, b.Rows(t)["mail"])
	}
	lines := b.Lines(t)
	require.Equal(t, "the mail is for more phones than one mail may be for",
		lines[len(lines)-1]["reason"])
	require.Equal(t, 2, b.Rows(t)["seen"], "a token that was refused is not used up")
}

// A tenant that keeps its mail at Mailgun has nothing of it here but the envelope.
func TestMailKeptAtMailgun(t *testing.T) {
	b := openBridge(t, storetest.SQLite(t), "SMSBRIDGE_KEEP=mailgun")
	require.Equal(t, 200, b.PostForm(t, "/mailgun/acme", inboundtest.MailForm(1)).StatusCode)
	require.Empty(t, b.One(t, "SELECT body FROM mail"))
	require.Equal(t, storedURL, b.recorded(t, "1 = 1").MessageURL)
}

// A mail counts once: under the same token, under a new one, and to whom it was not for before.
func TestRepeatedMail(t *testing.T) {
	each(t, func(t *testing.T, b *bridge) {
		form := inboundtest.MailForm(1)
		require.Equal(t, "recorded\n", b.PostForm(t, "/mailgun/acme", form).Body)
		first := b.Rows(t)
		for range 3 {
			require.Equal(
				t,
				inboundtest.Response{StatusCode: 200, Body: "known already\n"},
				bare(b.PostForm(t, "/mailgun/acme", form)),
			)
		}
		require.Equal(t, first, b.Rows(t))

		// the last repetition, signed anew or not
		b.Now = inboundtest.Start.Add(8*time.Hour + 30*time.Minute)
		require.Equal(t, "known already\n", b.PostForm(t, "/mailgun/acme", form).Body)
		require.Equal(
			t,
			"known already\n",
			b.PostForm(
				t,
				"/mailgun/acme",
				inboundtest.Sign(inboundtest.MailForm(1), signingKey, b.Now, inboundtest.Token(77)),
			).Body,
		)
		require.Equal(t, 1, b.Rows(t)["mail"])
		require.Equal(t, 1, b.Rows(t)["river_job"])

		other := inboundtest.Sign(inboundtest.MailForm(1), signingKey, b.Now, inboundtest.Token(78))
		other.Set("recipient", "acme+4520123457@sms.acme.example")
		require.Equal(t, "recorded\n", b.PostForm(t, "/mailgun/acme", other).Body)
		require.Equal(t, 2, b.Rows(t)["mail"])
		b.Lines(t)
	})
}

func bare(r inboundtest.Response) inboundtest.Response {
	return inboundtest.Response{StatusCode: r.StatusCode, Body: r.Body}
}

func TestGenuineTimeStampsAndKeys(t *testing.T) {
	b := openBridge(t, storetest.SQLite(t))
	for n, at := range []time.Time{
		inboundtest.Start.Add(-inbound.OldestPost + time.Minute),
		inboundtest.Start.Add(-inbound.OldestPost), inboundtest.Start.Add(inbound.NewestPost),
		inboundtest.Start.Add(inbound.NewestPost - time.Second), inboundtest.Start,
	} {
		require.Equal(
			t,
			"recorded\n",
			b.PostForm(
				t,
				"/mailgun/acme",
				inboundtest.Sign(inboundtest.MailForm(n), signingKey, at, inboundtest.Token(n)),
			).Body,
			at,
		)
	}
	require.Equal(
		t,
		"recorded\n",
		b.PostForm(
			t,
			"/mailgun/acme",
			inboundtest.Sign(inboundtest.MailForm(20), retiredKey, inboundtest.Start, inboundtest.Token(20)),
		).Body,
	)
	upper := inboundtest.MailForm(21)
	upper.Set("signature", strings.ToUpper(upper.Get("signature")))
	require.Equal(t, "recorded\n", b.PostForm(t, "/mailgun/acme", upper).Body)

	const vectorKey = "5f2d9b0c7a418e63d1c0b7f8a9e24d65"
	// The vector of Mailgun's scheme: HMAC-SHA256 under vectorKey over 1700000000 and
	// fifty zeros.
	vector := openBridge(t, storetest.SQLite(t), "MAILGUN_WEBHOOK_SIGNING_KEY="+vectorKey)
	form := inboundtest.MailForm(0)
	form.Set("signature", "c1259273069b2176c9d5c89fa180401851b47f544df36b8de2d30966d4a50d43")
	require.Equal(t, "recorded\n", vector.PostForm(t, "/mailgun/acme", form).Body)
}

// FuzzMailDoor posts anything, and signs what it can. Whatever comes, the door answers with a
// status of Mailgun's protocol.
func FuzzMailDoor(f *testing.F) {
	b := openBridge(f, "sqlite:"+storetest.Folder(f)+"/bridge.db")
	handler := b.Inbound.Handler()
	f.Add(contentForm, []byte(inboundtest.MailForm(1).Encode()), false)
	f.Add(contentForm, []byte("recipient="+url.QueryEscape(address)+"&Message-Id=x"), true)
	f.Add(
		"multipart/form-data; boundary=x",
		[]byte("--x\r\nContent-Disposition: form-data; name=token\r\n\r\n1\r\n--x--\r\n"),
		false,
	)
	f.Fuzz(func(t *testing.T, kind string, body []byte, signed bool) {
		if signed {
			kind = contentForm
			body = append(
				[]byte(
					inboundtest.Sign(url.Values{}, signingKey, inboundtest.Start, inboundtest.Token(len(body))).
						Encode()+
						"&",
				),
				body...)
		}
		r := httptest.NewRequest(http.MethodPost, "/mailgun/acme", bytes.NewReader(body))
		r.Header.Set("Content-Type", kind)
		w := httptest.NewRecorder()
		handler.ServeHTTP(w, r)
		require.Contains(t, []int{200, 401, 406}, w.Code)
		b.Log.Take()
	})
}

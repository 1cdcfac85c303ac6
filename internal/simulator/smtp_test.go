package simulator

import (
	"bytes"
	"net/smtp"
	"net/textproto"
	"testing"

	"github.com/stretchr/testify/require"
)

// smtpStatus returns the code of an SMTP refusal.
func smtpStatus(t *testing.T, err error) int {
	t.Helper()
	var refusal *textproto.Error
	require.ErrorAs(t, err, &refusal)
	return refusal.Code
}

// An identity provider logs in and mails two phones at once; each gets its post, and dots and bytes survive.
func TestSMTPDelivers(t *testing.T) {
	m, receiver := mailgunOpen(t, MailgunConfig{SMTPAddr: "127.0.0.1:0"}), mailgunReceive(t, 200)
	require.NoError(t, m.AddRoute(Route{Expression: `match_recipient("acme\+")`, Actions: []string{`forward("` + receiver.URL + `/mime")`}}))
	mime := []byte("Subject: x\r\n\r\n.dot\r\n..dots\r\nb\xe6r\r\n")
	to := []string{mailgunTestPhone, "acme+4520123457@SMS.acme.example"}
	auth := smtp.PlainAuth("", "anyone", "anything", "127.0.0.1")
	require.NoError(t, smtp.SendMail(m.SMTPAddr(), auth, mailgunTestFrom, to, mime))
	require.NoError(t, m.WaitIdle(mailgunContext(t)))
	posts := receiver.all()
	require.Len(t, posts, 2)
	require.ElementsMatch(t, to, []string{posts[0].form.Get("recipient"), posts[1].form.Get("recipient")})
	require.Equal(t, mailgunTestFrom, posts[0].form.Get("sender"))
	require.True(t, bytes.HasSuffix([]byte(posts[0].form.Get("body-mime")), mime))
}

func TestSMTPRefuses(t *testing.T) {
	m := mailgunOpen(t, MailgunConfig{SMTPAddr: "127.0.0.1:0"})
	send := func(to string, mime []byte) error {
		return smtp.SendMail(m.SMTPAddr(), nil, mailgunTestFrom, []string{to}, mime)
	}
	require.Equal(t, 550, smtpStatus(t, send("a@other.example", mailgunTestMail())))
	require.Equal(t, 554, smtpStatus(t, send(mailgunTestPhone, []byte("no header\r\n\r\n"))))
	require.Equal(t, 552, smtpStatus(t, send(mailgunTestPhone, append([]byte("Subject: x\r\n\r\n"), bytes.Repeat([]byte("0123456789abcde\r\n"), 25<<20/17+1)...))))
	require.NoError(t, send(mailgunTestPhone, mailgunTestMail()))
}

// With any domain, and from a bounce's empty sender.
func TestSMTPAnyDomain(t *testing.T) {
	m := mailgunOpen(t, MailgunConfig{SMTPAddr: "127.0.0.1:0", AnyDomain: true})
	require.NoError(t, m.AddRoute(Route{Expression: "catch_all()", Actions: []string{"store()"}}))
	require.NoError(t, smtp.SendMail(m.SMTPAddr(), nil, "", []string{"someone@anywhere.example"}, mailgunTestMail()))
	stored := m.Stored()
	require.Len(t, stored, 1)
	require.Equal(t, "anywhere.example", stored[0].Domain)
	require.Empty(t, stored[0].Sender)
	status, _ := mailgunCall(t, m, "GET", stored[0].URL)
	require.Equal(t, 200, status)
	status, body := mailgunCall(t, m, "GET", m.URL()+"/v3/anywhere.example/events?event=stored")
	require.Equal(t, 200, status)
	require.Contains(t, body, stored[0].URL)
}

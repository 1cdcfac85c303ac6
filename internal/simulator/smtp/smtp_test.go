package smtp

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/smtp"
	"net/textproto"
	"net/url"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"smsbridge/internal/simulator/loopback"
	"smsbridge/internal/simulator/mailgun"
)

const (
	testFrom  = "no-reply@acme.example"
	testPhone = "acme+4512345678@sms.acme.example"
	testMail  = "From: no-reply@acme.example\r\nSubject: x\r\n\r\nbody\r\n"
)

// serve opens a mail server in front of a pretend Mailgun and returns where it listens.
func serve(t *testing.T, m *mailgun.Account, login bool) string {
	t.Helper()
	listener, err := loopback.Listen("")
	require.NoError(t, err)
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() {
		ended <- Serve(ctx, listener, Config{Login: login, Accepts: m.Accepts, Refusal: "Relaying denied",
			Deliver: m.Deliver})
	}()
	t.Cleanup(func() {
		cancel()
		require.NoError(t, <-ended)
	})
	return listener.Addr().String()
}

func openMailgun(t *testing.T, config mailgun.Config) *mailgun.Account {
	t.Helper()
	m, err := mailgun.Open(config)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, m.Close()) })
	return m
}

// status returns the code of an SMTP refusal.
func status(t *testing.T, err error) int {
	t.Helper()
	var refusal *textproto.Error
	require.ErrorAs(t, err, &refusal)
	return refusal.Code
}

// An identity provider logs in and mails two phones at once; each gets its post, and dots and
// bytes survive.
func TestDelivers(t *testing.T) {
	var mu sync.Mutex
	var posts []url.Values
	webhook := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		r.ParseForm()
		mu.Lock()
		defer mu.Unlock()
		posts = append(posts, r.PostForm)
	}))
	t.Cleanup(webhook.Close)
	m := openMailgun(t, mailgun.Config{})
	forward := fmt.Sprintf(`forward("%s/mime")`, webhook.URL)
	require.NoError(t, m.AddRoute(mailgun.Route{Expression: `match_recipient("acme\+")`,
		Actions: []string{forward}}))
	mime := []byte("Subject: x\r\n\r\n.dot\r\n..dots\r\nb\xe6r\r\n")
	to := []string{testPhone, "acme+4520123457@SMS.acme.example"}
	auth := smtp.PlainAuth("", "anyone", "anything", "127.0.0.1")
	require.NoError(t, smtp.SendMail(serve(t, m, true), auth, testFrom, to, mime))
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	require.NoError(t, m.WaitIdle(ctx))
	mu.Lock()
	defer mu.Unlock()
	require.Len(t, posts, 2)
	require.ElementsMatch(t, to, []string{posts[0].Get("recipient"), posts[1].Get("recipient")})
	require.Equal(t, testFrom, posts[0].Get("sender"))
	require.True(t, bytes.HasSuffix([]byte(posts[0].Get("body-mime")), mime))
}

func TestRefuses(t *testing.T) {
	addr := serve(t, openMailgun(t, mailgun.Config{}), false)
	send := func(to, mime string) error {
		return smtp.SendMail(addr, nil, testFrom, []string{to}, []byte(mime))
	}
	require.Equal(t, 550, status(t, send("a@other.example", testMail)))
	require.ErrorContains(t, send("a@other.example", testMail), "Relaying denied")
	require.Equal(t, 554, status(t, send(testPhone, "no header\r\n\r\n")))
	require.NoError(t, send(testPhone, testMail))
	auth := smtp.PlainAuth("", "anyone", "anything", "127.0.0.1")
	err := smtp.SendMail(addr, auth, testFrom, []string{testPhone}, []byte(testMail))
	require.ErrorContains(t, err, "AUTH", "a server without login offers none")
}

// With any domain, and from a bounce's empty sender.
func TestAnyDomain(t *testing.T) {
	m := openMailgun(t, mailgun.Config{AnyDomain: true})
	require.NoError(t, m.AddRoute(mailgun.Route{Expression: "catch_all()",
		Actions: []string{"store()"}}))
	to := []string{"someone@anywhere.example"}
	require.NoError(t, smtp.SendMail(serve(t, m, false), nil, "", to, []byte(testMail)))
	stored := m.Stored()
	require.Len(t, stored, 1)
	require.Equal(t, "anywhere.example", stored[0].Domain)
	require.Empty(t, stored[0].Sender)
	get := func(at string) string {
		request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, at, nil)
		require.NoError(t, err)
		request.SetBasicAuth("api", m.APIKey())
		response, err := http.DefaultClient.Do(request)
		require.NoError(t, err)
		defer response.Body.Close()
		require.Equal(t, 200, response.StatusCode)
		body, err := io.ReadAll(response.Body)
		require.NoError(t, err)
		return string(body)
	}
	get(stored[0].URL)
	require.Contains(t, get(m.URL()+"/v3/anywhere.example/events?event=stored"), stored[0].URL)
}

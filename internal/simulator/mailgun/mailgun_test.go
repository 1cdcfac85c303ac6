package mailgun

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

const (
	testFrom  = "bounce@acme.example"
	testPhone = "acme+4520123456@sms.acme.example"
)

// testMail is a verification mail with a plain and an HTML part.
func testMail() []byte {
	return []byte(strings.Join([]string{
		`From: Acme <no-reply@acme.example>`,
		`To: <` + testPhone + `>`,
		`Subject: =?utf-8?q?Bekr=C3=A6ft_din_konto?=`,
		`Message-ID: <20231114.1@acme.example>`,
		`MIME-Version: 1.0`,
		`Content-Type: multipart/alternative; boundary=b1`,
		``,
		`--b1`,
		`Content-Type: text/plain; charset=iso-8859-1`,
		`Content-Transfer-Encoding: quoted-printable`,
		``,
		`Bekr=E6ft: https://login.acme.example/verify?ticket=3Dabc`,
		`--=20`,
		`Acme`,
		`--b1`,
		`Content-Type: text/html; charset=utf-8`,
		``,
		`<p>Bekræft: <a href="https://login.acme.example/verify?ticket=abc">her</a></p>`,
		`--b1--`,
		``,
	}, "\n"))
}

// testAttached is a mail with HTML only, in two parts, an inline picture and a file.
func testAttached() []byte {
	return []byte(strings.Join([]string{
		`From: no-reply@acme.example`,
		`Subject: Welcome`,
		`Content-Type: multipart/mixed; boundary=b2`,
		``,
		`--b2`,
		`Content-Type: text/html`,
		``,
		`<style>p{}</style><p>Hello &amp; <a href="https://acme.example/x">welcome</a></p>`,
		`--b2`,
		`Content-Type: text/html`,
		``,
		`<p>Second</p>`,
		`--b2`,
		`Content-Type: image/png`,
		`Content-ID: <logo@acme>`,
		`Content-Transfer-Encoding: base64`,
		``,
		`aWNvbg==`,
		`--b2`,
		`Content-Type: application/pdf`,
		`Content-Disposition: attachment; filename=terms.pdf`,
		``,
		`pdf`,
		`--b2--`,
		``,
	}, "\n"))
}

// openTest opens a simulator whose retries take no time, and closes it at the end of the test.
func openTest(t testing.TB, config Config) *Account {
	t.Helper()
	if config.RetryAfter == nil {
		config.RetryAfter = []time.Duration{time.Millisecond, time.Millisecond, time.Millisecond}
	}
	m, err := Open(config)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, m.Close()) })
	return m
}

// testContext ends a wait that would otherwise hang.
func testContext(t testing.TB) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	t.Cleanup(cancel)
	return ctx
}

// receiver is a webhook that keeps what it got and responds with the given statuses in turn,
// the last one for ever.
type receiver struct {
	URL      string
	mu       sync.Mutex
	statuses []int
	posts    []webhook
	onPost   func() // called before it responds
}

// webhook is one request to the receiver.
type webhook struct {
	contentType, path string
	form              url.Values
	files             map[string]string // field name: file name, content type and content
	order             []string          // field names of a urlencoded body as they came
}

func newReceiver(t testing.TB, statuses ...int) *receiver {
	t.Helper()
	receiver := &receiver{statuses: statuses}
	server := httptest.NewServer(http.HandlerFunc(receiver.serve))
	t.Cleanup(server.Close)
	receiver.URL = server.URL
	return receiver
}

func (c *receiver) serve(w http.ResponseWriter, r *http.Request) {
	got := webhook{contentType: r.Header.Get("Content-Type"), path: r.URL.Path,
		files: map[string]string{}}
	if strings.HasPrefix(got.contentType, "multipart/") {
		_ = r.ParseMultipartForm(1 << 20)
		got.form = url.Values(r.MultipartForm.Value)
		for name, files := range r.MultipartForm.File {
			f, _ := files[0].Open()
			data, _ := io.ReadAll(f)
			got.files[name] = files[0].Filename + " " + files[0].Header.Get("Content-Type") + " " +
				string(data)
		}
	} else {
		body, _ := io.ReadAll(r.Body)
		got.form, _ = url.ParseQuery(string(body))
		for pair := range strings.SplitSeq(string(body), "&") {
			name, _, _ := strings.Cut(pair, "=")
			got.order = append(got.order, name)
		}
	}
	c.mu.Lock()
	c.posts = append(c.posts, got)
	status := c.statuses[0]
	if len(c.statuses) > 1 {
		c.statuses = c.statuses[1:]
	}
	c.mu.Unlock()
	if c.onPost != nil {
		c.onPost()
	}
	w.WriteHeader(status)
}

// all returns what was received.
func (c *receiver) all() []webhook {
	c.mu.Lock()
	defer c.mu.Unlock()
	return append([]webhook(nil), c.posts...)
}

// deliverTo delivers the mail and returns what the receiver got once nothing more can come.
func deliverTo(t testing.TB, m *Account, c *receiver, mime []byte, to ...string) []webhook {
	t.Helper()
	if len(to) == 0 {
		to = []string{testPhone}
	}
	require.NoError(t, m.Deliver(testContext(t), testFrom, to, mime))
	require.NoError(t, m.WaitIdle(testContext(t)))
	return c.all()
}

// It cannot be reached from, or reach, another machine.
func TestLoopbackOnly(t *testing.T) {
	for _, config := range []Config{{Addr: "0.0.0.0:0"}, {Addr: ":0"}, {Addr: "192.0.2.1:0"}} {
		_, err := Open(config)
		require.Error(t, err)
	}
	m := openTest(t, Config{RetryAfter: []time.Duration{}})
	require.NoError(t, m.AddRoute(Route{Expression: "catch_all()",
		Actions: []string{`forward("http://192.0.2.1:9/")`}}))
	require.NoError(t, m.Deliver(testContext(t), "", []string{testPhone}, testMail()))
	posts, err := m.WaitPosts(testContext(t), 1)
	require.NoError(t, err)
	require.Contains(t, posts[0].Error, "loopback only")
}

func TestOpen(t *testing.T) {
	_, err := Open(Config{Domain: "routes"})
	require.Error(t, err, "a domain without a dot would hide the routes API")

	one, other := openTest(t, Config{}), openTest(t, Config{})
	require.NotEqual(t, one.SigningKey(), other.SigningKey())
	require.NotEqual(t, one.APIKey(), other.APIKey())
	require.Equal(t, "sms.acme.example", one.Domain())
	require.NotEqual(t, one.URL(), one.StorageURL())

	_, err = Open(Config{Addr: strings.TrimPrefix(one.URL(), "http://")})
	require.Error(t, err, "the address is taken")
}

// Close does not wait for retries that are due in hours, and nothing works after it.
func TestClose(t *testing.T) {
	receiver := newReceiver(t, 503)
	m, err := Open(Config{})
	require.NoError(t, err)
	require.NoError(t, m.AddRoute(Route{Expression: "catch_all()", Actions: []string{`forward("` +
		receiver.URL + `")`}}))
	require.NoError(t, m.Deliver(testContext(t), "", []string{testPhone}, testMail()))
	_, err = m.WaitPosts(testContext(t), 1)
	require.NoError(t, err)
	short, cancel := context.WithCancel(context.Background())
	cancel()
	require.ErrorIs(t, m.WaitIdle(short), context.Canceled, "a retry is due")

	require.NoError(t, m.Close())
	require.NoError(t, m.Close())
	require.Len(t, receiver.all(), 1)
	require.ErrorIs(t, m.Deliver(testContext(t), "", []string{testPhone}, testMail()), ErrClosed)
	_, err = m.WaitPosts(testContext(t), 2)
	require.ErrorIs(t, err, ErrClosed)
}

func TestDeliverRefuses(t *testing.T) {
	m := openTest(t, Config{})
	ctx, mail := testContext(t), testMail()
	for name, try := range map[string]func() error{
		"no recipient": func() error { return m.Deliver(ctx, "a@b.example", nil, mail) },
		"no address": func() error {
			return m.Deliver(ctx, "a@b.example", []string{"acme"},
				mail)
		},
		"no local part": func() error {
			return m.Deliver(ctx, "a@b.example",
				[]string{"@sms.acme.example"}, mail)
		},
		"foreign domain": func() error {
			return m.Deliver(ctx, "a@b.example",
				[]string{"a@other.example"}, mail)
		},
		"recipient injected": func() error {
			return m.Deliver(ctx, "a@b.example",
				[]string{"a\r\nb@sms.acme.example"}, mail)
		},
		"sender injected": func() error {
			return m.Deliver(ctx, "a@b.example>\r\nX: <",
				[]string{testPhone}, mail)
		},
		"too large": func() error {
			return m.Deliver(ctx, "", []string{testPhone},
				make([]byte, 25<<20+1))
		},
		"empty": func() error { return m.Deliver(ctx, "", []string{testPhone}, nil) },
		"folded onto ours": func() error {
			return m.Deliver(ctx, "", []string{testPhone},
				[]byte(" x: y\n\n"))
		},
		"no header": func() error {
			return m.Deliver(ctx, "", []string{testPhone},
				[]byte("secret-link\n\nx"))
		},
	} {
		err := try()
		require.Error(t, err, name)
		require.NotContains(t, err.Error(), "secret-link", "the mail is not for logs")
	}
	require.NoError(t, m.Deliver(ctx, "", []string{testPhone}, mail), "no route is no error")
	require.Empty(t, m.Posts())
}

// Only the newest part of the history is kept.
func TestNewest(t *testing.T) {
	kept := newest(make([]int, keptHistory+3))
	require.Len(t, kept, keptHistory)
	require.Equal(t, []int{2, 3}, newest([]int{2, 3}))
}

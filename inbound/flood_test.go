package inbound_test

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"smsbridge/inbound"
	"smsbridge/inbound/inboundtest"
	"smsbridge/internal/longtest"
	"smsbridge/internal/store/storetest"
)

const mebi = 1 << 20

// half posts the beginning of a body to a door, and keeps the connection open.
func (b *bridge) half(t testing.TB, path, kind string, length int, parts ...string) net.Conn {
	t.Helper()
	conn, err := net.Dial("tcp", b.Listener.Addr().String())
	require.NoError(t, err)
	t.Cleanup(func() { _ = conn.Close() })
	_, err = fmt.Fprintf(conn, "POST %s HTTP/1.1\r\nHost: x\r\nContent-Type: %s\r\n"+
		"Content-Length: %d\r\n\r\n", path, kind, length)
	require.NoError(t, err)
	for _, part := range parts {
		if _, err := io.WriteString(conn, part); err != nil {
			break // it was refused before it had sent all
		}
	}
	return conn
}

// settled waits until the bodies in flight hold what a condition says.
func (b *bridge) settled(t testing.TB, held func(n int64) bool) {
	t.Helper()
	require.Eventually(t, func() bool { return held(b.Inbound.Held()) },
		time.Minute, 2*time.Millisecond)
}

// Ensure that half-sent bodies which come and break off at once give back all that they held.
// TestHalfSentBodiesCostLittle has more and larger ones.
func TestHalfSentBodiesAtOnce(t *testing.T) {
	b := openBridge(t, storetest.SQLite(t))
	var sending sync.WaitGroup
	for range 8 {
		sending.Go(func() {
			conn := b.half(t, "/mailgun/acme", contentForm, mebi, "body-html="+strings.Repeat("a", mebi/16))
			b.settled(t, func(n int64) bool { return n > 0 })
			_ = conn.Close()
		})
	}
	sending.Wait()
	b.settled(t, func(n int64) bool { return n == 0 })
	require.Equal(t, "recorded\n", b.PostForm(t, "/mailgun/acme", inboundtest.MailForm(1)).Body)
}

// Ensure that a body which does not fit into the memory for all has its sender come back, at once.
// It is taken when there is room again.
func TestBodiesBeyondTheBudget(t *testing.T) {
	longtest.Skip(t)
	b := openBridge(t, storetest.SQLite(t))
	const kept = 8 * mebi // from mails, for small bodies
	others := b.Inbound.Fill(t, kept+mebi/2)
	full := inboundtest.MailForm(1)
	full.Set("body-plain", strings.Repeat("c", mebi/2))
	answer := b.PostForm(t, "/mailgun/acme", full)
	require.Equal(t, 503, answer.StatusCode)
	require.NotEmpty(t, answer.Header.Get("Retry-After"))

	conn := b.half(t, "/mailgun/acme", contentForm, mebi, "body-html="+strings.Repeat("a", mebi/2))
	require.NoError(t, conn.SetReadDeadline(time.Now().Add(20*time.Second)))
	res, err := http.ReadResponse(bufio.NewReader(conn), nil)
	require.NoError(t, err)
	require.Equal(t, 503, res.StatusCode)
	require.NotEmpty(t, res.Header.Get("Retry-After"))
	require.True(t, res.Close, "what is left of the body is not waited for")
	reply := inboundtest.ReplyForm(1, strings.Repeat("x", 60<<10))
	crowd := b.Inbound.Fill(t, kept-mebi) // mails hold all that they may
	require.Equal(t, 503, b.PostForm(t, "/mailgun/acme", inboundtest.MailForm(2)).StatusCode)
	inboundtest.Silent(t, b.Reply(t, inboundtest.ReplyForm(2, "YES")))
	crowd()
	small := b.Inbound.Fill(t, 1000)
	answer = b.Reply(t, reply)
	require.Equal(t, 503, answer.StatusCode)
	require.NotEmpty(t, answer.Header.Get("Retry-After"))
	require.Zero(t, b.Rows(t)["mail"])
	require.Equal(t, 1, b.Rows(t)["reply"], "the one that came while mails were refused")
	small()

	require.Equal(t, "recorded\n", b.PostForm(t, "/mailgun/acme", inboundtest.MailForm(2)).Body)
	others()
	require.Equal(t, "recorded\n", b.PostForm(t, "/mailgun/acme", full).Body,
		"a mail that was told to come back is taken then")
	b.settled(t, func(n int64) bool { return n == 0 })
}

// Ensure that what is certain without the body is said without it.
func TestRefusedBeforeTheBody(t *testing.T) {
	longtest.Skip(t)
	b := openBridge(t, storetest.SQLite(t))
	for _, c := range []struct {
		path   string
		length int
		status int
	}{
		{"/mailgun/nobody", 20 * mebi, 406}, {"/mailgun/acme", inbound.MaxRead + 1, 406},
		{"/mailgun/acme/mime", 1 << 40, 406}, {"/twilio/nobody/reply", mebi, 404},
		{"/flowroute/acme/reply", mebi, 404}, {"/v1/verifications", mebi, 401},
	} {
		conn := b.half(t, c.path, contentForm, c.length)
		require.NoError(t, conn.SetReadDeadline(time.Now().Add(20*time.Second)))
		res, err := http.ReadResponse(bufio.NewReader(conn), nil)
		require.NoError(t, err, c.path)
		require.Equal(t, c.status, res.StatusCode, c.path)
	}
	require.Empty(t, b.Rows(t))
	b.Lines(t)
}

// lookout is the end of what a body has so far. It is called when all before it has been read.
type lookout func()

func (l lookout) Read([]byte) (int, error) { l(); return 0, io.EOF }

// Ensure that nothing more is kept of a form once its signature has come and refuses it. Where the
// signature comes last, the form is kept until then.
func TestNothingIsKeptOfWhatTheSignatureRefuses(t *testing.T) {
	const most = 32 << 10 // the buffers of a request, and its first fields
	form := inboundtest.MailForm(1)
	proof := url.Values{}
	for _, name := range []string{"timestamp", "token", "signature"} {
		proof.Set(name, form.Get(name))
	}
	forged := url.Values{"timestamp": proof["timestamp"], "token": proof["token"],
		"signature": {strings.Repeat("0", 64)}}
	old := inboundtest.Sign(url.Values{}, inboundtest.SigningKey,
		inboundtest.Start.Add(-inbound.OldestPost-time.Second), inboundtest.Token(1))
	text := "body-html=" + strings.Repeat("a", mebi/2)
	for name, c := range map[string]struct {
		parts []string
		kept  bool
		rest  string
		said  int
	}{
		"forged":         {[]string{forged.Encode(), "&", text}, false, "", 401},
		"too old":        {[]string{old.Encode(), "&", text}, false, "", 406},
		"repeated":       {[]string{proof.Encode(), "&token=1&", text}, false, "", 401},
		"repeated first": {[]string{"token=1&", proof.Encode(), "&", text}, false, "", 401},
		"genuine":        {[]string{proof.Encode(), "&", text}, true, "", 406}, // for no recipient
		"not yet":        {[]string{text}, true, "&" + forged.Encode(), 401},
		"never":          {[]string{text}, true, "", 401},
		"repeated last":  {[]string{proof.Encode(), "&", text}, true, "&signature=1", 401},
	} {
		t.Run(name, func(t *testing.T) {
			b := openBridge(t, storetest.SQLite(t))
			var held int64
			look := lookout(func() { held = b.Inbound.Held() })
			body := io.MultiReader(strings.NewReader(strings.Join(c.parts, "")+"&x="), look,
				strings.NewReader(c.rest))
			r := httptest.NewRequest(http.MethodPost, "/mailgun/acme", body)
			r.Header.Set("Content-Type", contentForm)
			w := httptest.NewRecorder()
			b.Inbound.Handler().ServeHTTP(w, r)
			require.Equal(t, c.said, w.Code)
			require.Equal(t, c.kept, held > mebi/2, "%d bytes are held", held)
			require.True(t, c.kept || held > 0 && held < most, "%d bytes are held", held)
			require.Empty(t, b.Rows(t))
			b.Lines(t)
		})
	}
}

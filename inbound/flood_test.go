package inbound_test

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"smsbridge/inbound"
	"smsbridge/inbound/inboundtest"
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

// Ensure that a body that breaks off is called for again.
func TestBrokenOffMail(t *testing.T) {
	b := openBridge(t, storetest.SQLite(t))
	multi, parts := writeMultipart(t, inboundtest.MailForm(2), "attachment")
	sent := 0
	for kind, body := range map[string]string{
		contentForm: inboundtest.MailForm(1).Encode(), multi: parts.String(),
	} {
		for end := 0; end < len(body); end += len(body)/20 + 1 { // in values, names, and headers of parts
			sent++
			conn, err := net.Dial("tcp", b.Listener.Addr().String())
			require.NoError(t, err)
			_, err = fmt.Fprintf(
				conn,
				"POST /mailgun/acme HTTP/1.1\r\nHost: x\r\nContent-Type: %s\r\nContent-Length: %d\r\n\r\n%s",
				kind,
				len(body),
				body[:end],
			)
			require.NoError(t, err)
			require.NoError(t, conn.(*net.TCPConn).CloseWrite())
			answer, err := http.ReadResponse(bufio.NewReader(conn), nil)
			require.NoError(t, err)
			require.Equal(t, 503, answer.StatusCode, "%s at %d", kind, end)
			require.NoError(t, answer.Body.Close())
			require.NoError(t, conn.Close())
		}
	}
	require.Empty(t, b.Rows(t))
	require.Len(t, b.Lines(t), sent)
}

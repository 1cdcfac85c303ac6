package main

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"smsbridge/internal/store/storetest"
)

// chatty is a proxy that sends more than it was asked for: words of its own after each response,
// on the connection that is kept for the next request. It tells when the connection is closed.
type chatty struct {
	words  string
	next   *httputil.ReverseProxy
	closed chan struct{}
}

func (c chatty) ServeHTTP(rw http.ResponseWriter, r *http.Request) {
	recorded := httptest.NewRecorder()
	c.next.ServeHTTP(recorded, r)
	var all bytes.Buffer
	res := recorded.Result()
	res.ContentLength = int64(recorded.Body.Len())
	_ = res.Write(&all) // to memory
	conn, _, err := http.NewResponseController(rw).Hijack()
	if err != nil {
		return
	}
	defer conn.Close()
	if _, err := io.WriteString(conn, all.String()+c.words); err != nil {
		return
	}
	_, _ = io.Copy(io.Discard, conn) // until the bridge closes it, because of the words
	select {
	case c.closed <- struct{}{}:
	default:
	}
}

// Ensure that nothing of what a host sends unasked reaches standard error, where net/http would
// print it: it may hold a token.
func TestUnsolicitedResponsesAreNotPrinted(t *testing.T) {
	t.Parallel()
	const words = "HTTP/1.1 200 OK\r\nX-Token: very-secret\r\n\r\n"
	th, err := openTheater(storetest.SQLite(t))
	require.NoError(t, err)
	t.Cleanup(th.close)
	to, err := url.Parse(th.twilio.URL())
	require.NoError(t, err)
	closed := make(chan struct{}, 1)
	proxy := httptest.NewServer(chatty{words, httputil.NewSingleHostReverseProxy(to), closed})
	t.Cleanup(proxy.Close)
	th.env["TWILIO_API_BASE"] = proxy.URL
	bridge := start(t, th)
	ctx, cancel := context.WithTimeout(t.Context(), storyPatience)
	defer cancel()
	require.NoError(t, th.idp.SignUp(ctx, address("+4512345678")))
	_, err = th.twilio.Phone("+4512345678").Wait(ctx, 1)
	require.NoError(t, err)
	select {
	case <-closed:
	case <-time.After(storyPatience):
		t.Fatal("the bridge did not notice the words")
	}
	require.NoError(t, bridge.Process.Signal(syscall.SIGTERM))
	require.NoError(t, bridge.Wait())
	said, err := os.ReadFile(bridge.Stderr.(*os.File).Name())
	require.NoError(t, err)
	log := string(said)
	require.Contains(t, log, `"msg":"serving"`)
	require.NotContains(t, log, "very-secret")
	require.NotContains(t, log, "Unsolicited")
}

//go:build unix

package main

import (
	"bufio"
	"fmt"
	"net"
	"net/http"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"smsbridge/internal/store/storetest"
)

// Ensure that callers leave the bridge the descriptors that it needs, however few it may have.
func TestMaxConnections(t *testing.T) {
	for limit, want := range map[int]int{
		1 << 30: 2048, 65_536: 2048, 2160: 2048, 1024: 912, 200: 88, 128: 16, 0: 16,
	} {
		require.Equal(t, want, maxConnections(limit), limit)
	}
	require.Positive(t, descriptorLimit())
}

// Ensure that half-sent bodies shut out neither health checks nor mails, even where the process may
// have few descriptors.
func TestHalfSentBodiesShutNobodyOut(t *testing.T) {
	th, err := openTheater(storetest.SQLite(t))
	require.NoError(t, err)
	t.Cleanup(th.close)
	th.unlimited()
	program, err := exec.LookPath("smsbridge")
	require.NoError(t, err)
	startWith(t, th, exec.Command("sh", "-c", `ulimit -n 160 && exec "$0" serve`, program))
	for range 200 {
		conn, err := net.Dial("tcp", strings.TrimPrefix(th.public, "http://"))
		require.NoError(t, err)
		t.Cleanup(func() { _ = conn.Close() })
		_, err = fmt.Fprint(conn, "POST /mailgun/acme HTTP/1.1\r\nHost: x\r\n"+
			"Content-Type: application/x-www-form-urlencoded\r\nContent-Length: 100000\r\n\r\nbody-html=a")
		require.NoError(t, err)
	}
	for range 10 {
		conn, err := net.Dial("tcp", strings.TrimPrefix(th.public, "http://"))
		require.NoError(t, err)
		require.NoError(t, conn.SetDeadline(time.Now().Add(storyPatience)))
		_, err = fmt.Fprint(conn, "GET /readyz HTTP/1.1\r\nHost: x\r\n\r\n")
		require.NoError(t, err)
		res, err := http.ReadResponse(bufio.NewReader(conn), nil)
		require.NoError(t, err)
		require.Equal(t, http.StatusOK, res.StatusCode)
		require.NoError(t, conn.Close())
	}
	require.NoError(t, th.idp.SignUp(t.Context(), address("+4520123456")))
	require.NoError(t, th.mailgun.WaitIdle(t.Context()))
	_, err = th.twilio.Phone("+4520123456").Wait(t.Context(), 1)
	require.NoError(t, err, "a mail is taken and its question is sent")
}

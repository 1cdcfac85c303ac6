package web_test

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/labstack/echo/v4"
	"github.com/stretchr/testify/require"

	"smsbridge/inbound/web"
)

// crowded is a server whose listener admits a crowd. A GET of /work waits until the test lets it
// end; every POST reads its body.
type crowded struct {
	t       *testing.T
	at      string
	crowd   *web.Crowd
	server  *http.Server
	working chan struct{} // gets one value for each request at work
	finish  chan struct{} // closed to end them
}

func openCrowded(t *testing.T, max int) *crowded {
	c := &crowded{t: t, working: make(chan struct{}, 100), finish: make(chan struct{})}
	var b web.Budget
	e := echo.New()
	e.Use(b.Bound)
	e.GET("/", func(c echo.Context) error { return c.NoContent(http.StatusOK) })
	e.GET("/work", func(echo.Context) error {
		c.working <- struct{}{}
		<-c.finish
		return nil
	})
	e.POST("/work", func(r echo.Context) error {
		if _, err := io.ReadAll(r.Request().Body); err != nil {
			return err
		}
		c.working <- struct{}{}
		<-c.finish
		return r.NoContent(http.StatusNoContent)
	})
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	c.at = listener.Addr().String()
	c.server, c.crowd = &http.Server{Handler: e}, web.NewCrowd(max)
	entrance := c.crowd.Admit(listener, c.server)
	served := make(chan error, 1)
	go func() { served <- c.server.Serve(entrance) }()
	t.Cleanup(func() {
		require.NoError(t, c.server.Close())
		require.ErrorIs(t, <-served, http.ErrServerClosed)
	})
	return c
}

// send opens a connection and sends what of a request there is.
func (c *crowded) send(request string) net.Conn {
	c.t.Helper()
	conn, err := net.Dial("tcp", c.at)
	require.NoError(c.t, err)
	c.t.Cleanup(func() { _ = conn.Close() })
	_, err = io.WriteString(conn, request)
	require.NoError(c.t, err)
	return conn
}

// get asks anew, and must be served.
func (c *crowded) get() {
	c.t.Helper()
	conn := c.send("GET / HTTP/1.1\r\nHost: x\r\n\r\n")
	require.Equal(c.t, 200, c.status(conn))
	require.NoError(c.t, conn.Close())
}

func (c *crowded) status(conn net.Conn) int {
	c.t.Helper()
	require.NoError(c.t, conn.SetReadDeadline(time.Now().Add(20*time.Second)))
	res, err := http.ReadResponse(bufio.NewReader(conn), nil)
	require.NoError(c.t, err)
	require.NoError(c.t, res.Body.Close())
	return res.StatusCode
}

// Ensure that connections that keep the bridge waiting shut no caller out: the one that has waited
// longest makes room, whatever it waits for.
func TestCrowdMakesRoom(t *testing.T) {
	for name, request := range map[string]string{
		"nothing":         "",
		"half a header":   "POST /work HTTP/1.1\r\nHost: x\r\nContent-Le",
		"half a body":     "POST /work HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\nhalf",
		"half a chunk":    "POST /work HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n9\r\nx",
		"an idle one":     "GET / HTTP/1.1\r\nHost: x\r\n\r\n",
		"one and a half":  "GET / HTTP/1.1\r\nHost: x\r\n\r\nGET / HTTP/1.1\r\n",
		"not even a line": strings.Repeat("x", 100),
	} {
		t.Run(name, func(t *testing.T) {
			c := openCrowded(t, 8)
			var conns []net.Conn
			for range 40 {
				conn := c.send(request)
				if strings.HasPrefix(request, "GET") {
					require.Equal(t, 200, c.status(conn))
				}
				conns = append(conns, conn)
			}
			c.get()
			closed := make(chan bool, len(conns))
			for _, conn := range conns {
				go func() {
					_, err := io.Copy(io.Discard, conn)
					closed <- err == nil || !errors.Is(err, net.ErrClosed)
				}()
			}
			for range len(conns) - 7 { // the last one was that of get
				require.True(t, <-closed)
			}
			c.get()
		})
	}
}

// Ensure that a server that shuts down need not wait for a connection on which nothing came. A
// request whose first bytes came before is served, and one at work ends.
func TestCloseSilent(t *testing.T) {
	c := openCrowded(t, 8)
	silent := c.send("")
	half := c.send("POST /work HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\n" +
		"Expect: 100-continue\r\n\r\n")
	require.Equal(t, http.StatusContinue, c.status(half), "the server has its header")
	working := c.send("GET /work HTTP/1.1\r\nHost: x\r\n\r\n")
	<-c.working
	idle := c.send("GET / HTTP/1.1\r\nHost: x\r\n\r\n")
	require.Equal(t, 200, c.status(idle))
	closed := make(chan error, 1)
	go func() {
		_, err := silent.Read(make([]byte, 1))
		closed <- err
	}()
	c.crowd.CloseSilent()
	require.ErrorIs(t, <-closed, io.EOF)
	down := make(chan error, 1)
	go func() { down <- c.server.Shutdown(t.Context()) }()
	close(c.finish)
	require.Equal(t, 200, c.status(working))
	_, err := io.WriteString(half, "body")
	require.NoError(t, err)
	require.Equal(t, http.StatusNoContent, c.status(half))
	require.NoError(t, <-down)
}

// Ensure that a request that has come whole is not cut off, and that callers wait for room while
// all connections have such a request.
func TestCrowdLetsRequestsEnd(t *testing.T) {
	c := openCrowded(t, 8)
	var conns []net.Conn
	for i := range 8 {
		request := "GET /work HTTP/1.1\r\nHost: x\r\n\r\n"
		if i%2 == 1 {
			request = "POST /work HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\n\r\nbody"
		}
		conns = append(conns, c.send(request))
		<-c.working
	}
	late := c.send("GET / HTTP/1.1\r\nHost: x\r\n\r\n")
	close(c.finish)
	for i, conn := range conns {
		require.Equal(t, []int{200, 204}[i%2], c.status(conn), fmt.Sprint(i))
	}
	require.Equal(t, 200, c.status(late))
	c.get()
}

package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strconv"
	"time"
)

// callTimeout is how long a caller waits for a response. It is beyond every wait of the server's.
const callTimeout = 90 * time.Second

// caller is one client with one connection, which it keeps. It does less for a request than
// net/http's client does, since it shares the processors with the server. Not for several
// goroutines.
type caller struct {
	addr   string
	conn   net.Conn
	reader *bufio.Reader
	buffer []byte
}

func newCaller(addr string) *caller { return &caller{addr: addr} }

func (c *caller) close() {
	if c.conn != nil {
		_ = c.conn.Close() // nothing is under way
		c.conn = nil
	}
}

// request is one request; header is whole lines.
type request struct {
	method, path string
	header       string
	body         []byte
}

// formHeader and jsonHeader say what a body is.
const (
	formHeader = "Content-Type: application/x-www-form-urlencoded\r\n"
	jsonHeader = "Content-Type: application/json\r\n"
)

// get, postForm and postJSON are the requests that the works make.
func get(path string) request { return request{method: "GET", path: path} }

func postForm(path string, body []byte) request { return request{"POST", path, formHeader, body} }

func postJSON(path, key, body string) request {
	header := jsonHeader
	if key != "" {
		header += "Authorization: Bearer " + key + "\r\n"
	}
	return request{"POST", path, header, []byte(body)}
}

// do sends a request and returns the response's status and body.
func (c *caller) do(ctx context.Context, r request) (status int, body []byte, err error) {
	if err := ctx.Err(); err != nil {
		return 0, nil, err
	}
	if c.conn == nil {
		dialer := net.Dialer{Timeout: callTimeout}
		if c.conn, err = dialer.DialContext(ctx, "tcp", c.addr); err != nil {
			return 0, nil, err
		}
		c.reader = bufio.NewReader(c.conn)
	}
	defer func() {
		if err != nil {
			c.close()
		}
	}()
	if err := c.conn.SetDeadline(time.Now().Add(callTimeout)); err != nil {
		return 0, nil, err
	}
	b := append(c.buffer[:0], r.method...)
	b = append(append(append(b, ' '), r.path...), " HTTP/1.1\r\nHost: "...)
	b = append(append(append(b, c.addr...), "\r\n"...), r.header...)
	if r.method == "POST" {
		b = append(strconv.AppendInt(append(b, "Content-Length: "...), int64(len(r.body)), 10), "\r\n"...)
	}
	b = append(append(b, "\r\n"...), r.body...)
	c.buffer = b
	if _, err := c.conn.Write(b); err != nil {
		return 0, nil, err
	}
	response, err := http.ReadResponse(c.reader, nil)
	if err != nil {
		return 0, nil, err
	}
	body, err = io.ReadAll(response.Body)
	if response.Close {
		c.close()
	}
	return response.StatusCode, body, errors.Join(err, response.Body.Close())
}

// must is do for a request that has to get one status.
func (c *caller) must(ctx context.Context, r request, want int) ([]byte, error) {
	status, body, err := c.do(ctx, r)
	if err == nil && status != want {
		err = fmt.Errorf("%s %s was answered with %d: %.200s", r.method, r.path, status, body)
	}
	return body, err
}

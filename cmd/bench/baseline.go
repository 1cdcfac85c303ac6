package main

import (
	"context"
	"crypto/hmac"
	"encoding/hex"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"strings"

	"github.com/labstack/echo/v4"

	"smsbridge/phonemail"
)

// baselineArgument has the bench be the baseline. The next argument is Mailgun's signing key.
const baselineArgument = "baseline"

// baseline serves what the bridge is compared with: a bare response, and a handler that does what a
// mail's door must do and forgets the mail.
type baseline struct{ key string }

// serve prints its address, and serves until ctx or standard input ends, which is when the bench
// has gone.
func (b baseline) serve(ctx context.Context, stdin io.Reader, stdout io.Writer) error {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(ctx)
	go func() {
		defer cancel()
		_, _ = io.Copy(io.Discard, stdin)
	}()
	server := &http.Server{Handler: b.handler()}
	context.AfterFunc(ctx, func() { _ = server.Close() })
	fmt.Fprintln(stdout, listener.Addr())
	if err := server.Serve(listener); ctx.Err() == nil {
		return err
	}
	return nil
}

func (b baseline) handler() http.Handler {
	e := echo.New()
	e.GET("/echo", func(c echo.Context) error { return c.String(http.StatusOK, "alive\n") })
	e.POST("/forget", b.forget)
	return e
}

// forget checks a mail as a handler without a database would, and keeps nothing.
func (b baseline) forget(c echo.Context) error {
	claimed, err := hex.DecodeString(c.FormValue("signature"))
	proof := macOf(b.key, c.FormValue("timestamp")+c.FormValue("token"))
	if err != nil || !hmac.Equal(claimed, proof) {
		return c.String(http.StatusUnauthorized, "forged\n")
	}
	if _, _, err := phonemail.ParseAddress(c.FormValue("recipient")); err != nil {
		return c.String(http.StatusNotAcceptable, "no phone\n")
	}
	return c.String(http.StatusOK, "recorded\n")
}

// startBaseline starts this very program again as the baseline, and returns its address.
func startBaseline(ctx context.Context, key string) (*child, string, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, "", err
	}
	command := exec.Command(self, baselineArgument, key)
	command.Env = append(os.Environ(), beBench+"=1")
	if _, err := command.StdinPipe(); err != nil { // it closes when this process ends
		return nil, "", err
	}
	out, in, err := os.Pipe()
	if err != nil {
		return nil, "", err
	}
	defer out.Close()
	command.Stdout = in
	c, err := startChild(ctx, command)
	in.Close()
	if err != nil {
		return nil, "", err
	}
	var addr [64]byte
	n, err := out.Read(addr[:])
	if err != nil {
		c.kill()
		return nil, "", fmt.Errorf("the baseline did not start: %s", c.said)
	}
	return c, strings.TrimSpace(string(addr[:n])), nil
}

// beBench has a test's program be the bench. No other program looks at it.
const beBench = "SMSBRIDGE_BE_BENCH"

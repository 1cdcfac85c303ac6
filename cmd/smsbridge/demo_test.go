package main

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"net/smtp"
	"net/url"
	"os"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/net/html"

	"smsbridge/cmd/smsbridge/demo"
	"smsbridge/internal/longtest"
	"smsbridge/internal/simulator/idp"
	"smsbridge/internal/tenant"
	"smsbridge/internal/wording"
)

// demoPatience is how long anything in the demo may take. It takes a small part of it, also on a
// machine with several browsers at work.
const demoPatience = time.Minute

// A runningDemo is a demo that was started as from the command line.
type runningDemo struct{ page, smtp, stdout string }

func startDemo(t *testing.T, args ...string) runningDemo {
	t.Helper()
	ctx, stop := context.WithCancel(context.Background())
	out, in := io.Pipe()
	var stderr bytes.Buffer
	exited := make(chan int, 1)
	go func() {
		status := run(ctx, append([]string{"demo"}, args...), world{stdout: in, stderr: &stderr})
		in.Close()
		exited <- status
	}()
	t.Cleanup(func() {
		stop()
		require.Zero(t, <-exited, stderr.String())
		require.Empty(t, stderr.String())
	})
	var d runningDemo
	for lines := bufio.NewScanner(out); lines.Scan(); {
		d.stdout += lines.Text() + "\n"
		if strings.HasPrefix(lines.Text(), "Ctrl-C") {
			break
		}
	}
	go io.Copy(io.Discard, out)
	d.page = regexp.MustCompile(`http://127\.0\.0\.1:\d+`).FindString(d.stdout)
	if taken := regexp.MustCompile(`taken at (\S+),`).FindStringSubmatch(d.stdout); taken != nil {
		d.smtp = taken[1]
	}
	require.NotEmpty(t, d.page, d.stdout)
	return d
}

// submit posts a form as a browser without JavaScript does, and returns the page that it then
// shows.
func (d runningDemo) submit(t *testing.T, path string, fields url.Values) (int, string) {
	t.Helper()
	req, err := http.NewRequest(http.MethodPost, d.page+path, strings.NewReader(fields.Encode()))
	require.NoError(t, err)
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	req.Header.Set("Origin", d.page)
	req.Header.Set("Sec-Fetch-Site", "same-origin")
	req.Header.Set("Sec-Fetch-Mode", "navigate")
	return answerOf(t, req)
}

func answerOf(t *testing.T, req *http.Request) (int, string) {
	t.Helper()
	res, err := http.DefaultClient.Do(req)
	require.NoError(t, err)
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	require.NoError(t, err)
	return res.StatusCode, html.UnescapeString(string(body))
}

// requireOn wants a page to have all the words.
func requireOn(t *testing.T, page string, words ...string) {
	t.Helper()
	for _, word := range words {
		require.True(t, strings.Contains(page, word), "the page does not have %q:\n%s", word, page)
	}
}

// say is a text as the demo's tenant words it.
func say(s wording.Saying) string {
	return (&tenant.Tenant{Name: "ACME",
		Question: tenant.Question{Accept: []string{"YES"}, Deny: []string{"NO"}}}).Say("", s,
		wording.Fill{Life: 10 * time.Minute, About: wording.About(wording.English, false)})
}

// await reads the page as it is streamed to a browser until it has all the words.
func (d runningDemo) await(t *testing.T, phone string, words ...string) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), demoPatience)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet,
		d.page+"/live?phone="+url.QueryEscape(phone), nil)
	require.NoError(t, err)
	res, err := http.DefaultClient.Do(req)
	require.NoError(t, err)
	defer res.Body.Close()
	require.Equal(t, "text/event-stream", res.Header.Get("Content-Type"))
	var page strings.Builder
	lines := bufio.NewScanner(res.Body)
	for lines.Scan() {
		require.NotContains(t, lines.Text(), "\r", "it ends a line for a browser")
		line, ok := strings.CutPrefix(lines.Text(), "data: ")
		page.WriteString(line + "\n")
		if ok {
			continue
		}
		if seen := html.UnescapeString(page.String()); hasAll(seen, words) {
			return seen
		}
		page.Reset()
	}
	require.FailNow(t, "the page never had it", "%q: %v", words, lines.Err())
	return ""
}

func hasAll(page string, words []string) bool {
	for _, word := range words {
		if !strings.Contains(page, word) {
			return false
		}
	}
	return true
}

//test:unwatched
func TestDemoOnce(t *testing.T) {
	temporary := t.TempDir()
	t.Setenv("TMPDIR", temporary)
	var stdout, stderr bytes.Buffer
	require.Zero(t, run(t.Context(), []string{"demo", "--once"}, world{stdout: &stdout,
		stderr: &stderr}), stderr.String())
	require.Empty(t, stderr.String())
	steps := regexp.MustCompile(`(?m)^ *\d+\.\d\d s  (\S+)`).FindAllStringSubmatch(stdout.String(), -1)
	var names []string
	for _, step := range steps {
		names = append(names, step[1])
	}
	require.Equal(t, []string{"sign-up", "mail", "text", "reply", "link", "text", "verified"},
		names, stdout.String())
	require.Contains(t, stdout.String(), "+4512345678 signs up")
	require.Contains(t, stdout.String(), "email_verified=true")

	left, err := os.ReadDir(temporary)
	require.NoError(t, err)
	require.Empty(t, left, "the demo leaves nothing behind")
}

func onStage(t *testing.T) *demo.Stage {
	t.Helper()
	s, err := openStage(t.Context(), nil, slog.New(slog.DiscardHandler))
	require.NoError(t, err)
	ctx, stop := context.WithCancel(context.Background())
	served := make(chan error, 1)
	go func() { served <- s.Serve(ctx) }()
	t.Cleanup(func() {
		stop()
		require.NoError(t, <-served)
		require.NoError(t, s.Close())
	})
	return s
}

// The exit status is the identity provider's word, not the bridge's.
func TestDemoOnceFailsWhenTheAddressIsNotVerified(t *testing.T) {
	s := onStage(t)
	s.IdP().Set(func(m *idp.Manners) { m.DeadLink = true })
	var stdout bytes.Buffer
	err := s.PlayOnce(t.Context(), &stdout, idp.Auth0Classic)
	require.ErrorContains(t, err, "not verified")
	require.Contains(t, stdout.String(), "email_verified=false")
}

func TestDemoOnceEndsWithItsContext(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	require.ErrorIs(t, onStage(t).PlayOnce(ctx, io.Discard, idp.Auth0Classic), context.Canceled)
}

// hasMetrics ensures that the demo says where its metrics are, and that they are there.
func (d runningDemo) hasMetrics(t *testing.T) {
	said := regexp.MustCompile(`(http://\S+) has /metrics`).FindStringSubmatch(d.stdout)
	require.NotNil(t, said, d.stdout)
	for path, want := range map[string]string{
		"/metrics": "smsbridge_database_up 1", "/readyz?verbose": "ready",
	} {
		res, err := http.Get(said[1] + path)
		require.NoError(t, err)
		body, err := io.ReadAll(res.Body)
		require.NoError(t, err)
		require.NoError(t, res.Body.Close())
		require.Contains(t, string(body), want)
	}
}

func TestDemoMistakes(t *testing.T) {
	busy, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer busy.Close()
	addr := busy.Addr().String()

	tests := map[string]struct {
		args  []string
		error string
		hint  string
	}{
		"a busy port": {[]string{"--addr", addr}, "cannot listen on " + addr +
			": address already in use", "choose another port, or let"},
		"a busy port for mails": {[]string{"--addr", "127.0.0.1:0", "--smtp", addr, "--idp-host",
			"127.0.0.1:4433"}, "cannot listen on " + addr + ": address already in use",
			"one: --smtp 127.0.0.1:0"},
		"no port": {[]string{"--addr", "127.0.0.1"},
			"cannot listen on 127.0.0.1: missing port in address", "--addr 127.0.0.1:0"},
		"mails without a host": {[]string{"--smtp", "127.0.0.1:0"}, "--smtp without --idp-host",
			"--idp-host 127.0.0.1:4433"},
		"a host without mails": {[]string{"--idp-host", "127.0.0.1:4433"},
			"--idp-host without --smtp", "--smtp 127.0.0.1:2525"},
		"a URL in place of a host": {[]string{"--addr", "127.0.0.1:0", "--smtp", "127.0.0.1:0",
			"--idp-host", "http://127.0.0.1:4433"}, "--idp-host has something that is not a host",
			"without https://"},
		"once with another's mails": {[]string{"--once", "--smtp", "127.0.0.1:0"},
			"--once and --smtp exclude each other", "leave it out"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			ctx, cancel := context.WithTimeout(t.Context(), demoPatience)
			defer cancel()
			var stdout, stderr bytes.Buffer
			status := run(ctx, append([]string{"demo"}, test.args...), world{stdout: &stdout,
				stderr: &stderr})
			require.Equal(t, exitMistake, status, stderr.String())
			lines := strings.Split(strings.TrimSpace(stderr.String()), "\n")
			require.Len(t, lines, 2)
			require.Equal(t, "smsbridge: error: "+test.error, lines[0])
			require.Contains(t, lines[1], "smsbridge: hint: ")
			require.Contains(t, lines[1], test.hint)
			require.Empty(t, stdout.String())
		})
	}
}

// pretendIdP is the identity provider of a person who tries the bridge: it mails by SMTP and
// has one link.
func pretendIdP(t *testing.T) (idp *httptest.Server, opened chan string) {
	opened = make(chan string, 10)
	idp = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		opened <- r.Method + " " + r.URL.String()
		fmt.Fprint(w, "<!doctype html><title>Done</title><h1>Your email address has been verified.</h1>")
	}))
	t.Cleanup(idp.Close)
	return idp, opened
}

func TestDemoTakesMailsOfAnotherIdentityProvider(t *testing.T) {
	longtest.Skip(t)
	idp, opened := pretendIdP(t)
	d := startDemo(t, "--addr", "127.0.0.1:0", "--smtp", "127.0.0.1:0", "--idp-host",
		strings.TrimPrefix(idp.URL, "http://"))
	requireOn(t, d.await(t, ""), d.smtp)

	mail := "From: Shop <no-reply@shop.example>\r\nTo: " +
		"shop+4587654321@phones.shop.example\r\nSubject: =?utf-8?q?Verify=0Dyour_email?=\r\n" +
		"Message-ID: <1@shop.example>\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n" +
		"Welcome! To verify your email address, open\r\n\r\n" + idp.URL +
		"/lo/verify_email?ticket=abc\r\n"
	send := func(to string) error {
		return smtp.SendMail(d.smtp, nil, "no-reply@shop.example", []string{to}, []byte(mail))
	}
	require.ErrorContains(t, send("ann@shop.example"), "550")
	require.NoError(t, send("shop+4587654321@phones.shop.example"))

	// The page turns to the phone by itself.
	page := d.await(t, "", say(wording.AskRegistration))
	requireOn(t, page, "shop+4587654321@phones.shop.example", idp.URL+"/lo/verify_email?ticket=abc",
		"account: ask your identity provider")
	require.Empty(t, opened, "nothing is opened before the YES")

	d.submit(t, "/reply", url.Values{"phone": {"+4587654321"}, "text": {"YES"}})
	d.await(t, "+4587654321", say(wording.ConfirmedRegistration))
	require.Equal(t, "GET /lo/verify_email?ticket=abc", <-opened)
	require.Empty(t, opened, "it is opened once")
}

package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"maps"
	"net"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/net/html"

	"smsbridge/cmd/smsbridge/demo"
	"smsbridge/internal/longtest"
	"smsbridge/internal/wording"
)

func TestDemoWithoutJavaScript(t *testing.T) {
	d := startDemo(t, "--addr", "127.0.0.1:0")
	signUp := url.Values{"phone": {"+45 12 34 56 78"}, "provider": {"auth0-universal"},
		"do": {"sign-up"}}

	// The text is there without a reload.
	status, page := d.submit(t, "/sign-up", signUp)
	require.Equal(t, http.StatusOK, status)
	requireOn(t, page, say(wording.AskRegistration), "account: waiting",
		"demo+4512345678@sms.demo.example", "the link that a YES opens (verify)")

	status, page = d.submit(t, "/sign-up", signUp)
	require.Equal(t, http.StatusUnprocessableEntity, status)
	requireOn(t, page, "ACME has an account for +4512345678 already")

	status, page = d.submit(t, "/reply", url.Values{"phone": {"+4512345678"}, "text": {"yes"}})
	require.Equal(t, http.StatusOK, status)
	requireOn(t, page, say(wording.ConfirmedRegistration), "account: verified", "challenge.confirmed")

	// Without a phone in the URL the page is about the phone that was used last.
	d.submit(t, "/sign-up", url.Values{"phone": {"+4512345679"}})
	requireOn(t, d.await(t, "", "account: waiting"),
		`<a href="/?phone=%2b4512345679" aria-current="page">`)
}

// Ensure that the page shows of each identity provider's mail the link that the bridge asks about.
//
//test:unwatched
func TestDemoShowsTheLinkOfEveryProvider(t *testing.T) {
	longtest.Skip(t)
	d := startDemo(t, "--addr", "127.0.0.1:0")
	for i, provider := range demo.Providers() {
		status, page := d.submit(t, "/sign-up", url.Values{
			"phone": {fmt.Sprint("+4512345", 100+i)}, "provider": {string(provider.Value)},
		})
		require.Equal(t, http.StatusOK, status)
		requireOn(t, page, say(wording.AskRegistration))
		require.Contains(t, page, "the link that a YES opens (verify)", provider.Words)
	}
}

// Every kind of mail can be played: a new password and a sign-in by the link in a text, and a
// sign-in by the code in one.
//
//test:unwatched
func TestDemoPlaysEveryKind(t *testing.T) {
	longtest.Skip(t)
	d := startDemo(t, "--addr", "127.0.0.1:0")
	phone := url.Values{"phone": {demo.Phone}}
	do := func(path, name, value string, words ...string) (page string) {
		fields := maps.Clone(phone)
		fields.Set(name, value)
		status, page := d.submit(t, path, fields)
		require.Equal(t, http.StatusOK, status)
		requireOn(t, page, words...)
		return page
	}
	do("/sign-up", "do", "sign-up", say(wording.AskRegistration))
	do("/reply", "quick", "YES", "account: verified")

	page := do("/sign-up", "do", "password", "choose a new password here", "the person opens (reset)")
	require.NotContains(t, page, "new password active")
	browser, end := d.follow(t, page, `choose a new password here within 10 min: <a href="([^"]+)"`)
	require.Contains(t, end.body, `type="password"`)
	state := regexp.MustCompile(`name="state" value="([^"]+)"`).FindStringSubmatch(end.body)
	require.NotNil(t, state)
	res, err := browser.PostForm(end.url, url.Values{"state": {state[1]}, "password": {"x"}})
	require.NoError(t, err)
	res.Body.Close()
	d.await(t, demo.Phone, "new password active")

	page = do("/sign-up", "do", "link", "sign in here", "the person opens (login)")
	require.NotContains(t, page, "signed in</strong>")
	_, end = d.follow(t, page, `sign in here within 10 min: <a href="([^"]+)"`)
	require.Contains(t, end.body, "Welcome to ACME")
	d.await(t, demo.Phone, "signed in</strong>")

	const other = "+4512345679"
	phone.Set("phone", other)
	do("/sign-up", "do", "sign-up", say(wording.AskRegistration))
	page = do("/sign-up", "do", "code", "is your ACME code", "a code that the person types")
	code := regexp.MustCompile(`(\d+) is your ACME code`).FindStringSubmatch(page)
	require.NotNil(t, code)
	wrong := url.Values{"phone": {other}, "code": {code[1] + "1"}}
	status, page := d.submit(t, "/code", wrong)
	require.Equal(t, http.StatusUnprocessableEntity, status)
	requireOn(t, page, "ACME does not accept this code")
	do("/code", "code", code[1], "signed in</strong>")
	require.NotContains(t, d.await(t, other, "account: waiting"), "password is confirmed")
}

// landing is where a short link led to.
type landing struct{ url, body string }

// follow opens the short link that a page shows, as a person does: it reads the page behind the
// link and presses its button.
func (d runningDemo) follow(t *testing.T, page, link string) (*http.Client, landing) {
	t.Helper()
	found := regexp.MustCompile(link).FindStringSubmatch(page)
	require.NotNil(t, found, "the page shows no link to tap")
	jar, err := cookiejar.New(nil)
	require.NoError(t, err)
	browser := &http.Client{Jar: jar}
	req, err := http.NewRequest(http.MethodPost, found[1], nil)
	require.NoError(t, err)
	req.Header.Set("Origin", found[1][:strings.Index(found[1], "/l/")])
	req.Header.Set("Sec-Fetch-Site", "same-origin")
	res, err := browser.Do(req)
	require.NoError(t, err)
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	require.NoError(t, err)
	return browser, landing{res.Request.URL.String(), string(body)}
}

// Ensure that a stranger's mail in the name of the identity provider is shown and refused.
func TestDemoRefusesAForgedMail(t *testing.T) {
	longtest.Skip(t)
	d := startDemo(t, "--addr", "127.0.0.1:0")
	status, _ := d.submit(t, "/sign-up", url.Values{"phone": {"+4512345670"}, "do": {"forge"}})
	require.Equal(t, http.StatusOK, status)
	page := d.await(t, "+4512345670", "the mail has no DKIM signature")
	require.NotContains(t, page, "Reply YES")
	require.NotContains(t, page, "account: waiting")
}

// Ensure what a page promises that no person has used yet.
func TestDemoPage(t *testing.T) {
	d := startDemo(t, "--addr", "127.0.0.1:0")
	t.Run("is labeled", d.isLabeled)
	t.Run("is for this machine only", d.isForThisMachineOnly)
	t.Run("says what is wrong with a form", d.saysWhatIsWrongWithAForm)
	t.Run("has metrics", d.hasMetrics)
}

func (d runningDemo) saysWhatIsWrongWithAForm(t *testing.T) {
	tests := map[string]struct {
		path   string
		fields url.Values
		notice string
	}{
		"no number": {"/sign-up", url.Values{"phone": {"mom"}}, "This is no phone number"},
		"password of none": {"/sign-up", url.Values{"phone": {demo.Phone}, "do": {"password"}},
			"Sign up first"},
		"sign-in of none": {"/sign-up", url.Values{"phone": {demo.Phone}, "do": {"link"}},
			"Sign up first"},
		"code of none": {"/code", url.Values{"phone": {demo.Phone}, "code": {"123456"}},
			"does not accept this code"},
		"no text": {"/reply", url.Values{"phone": {demo.Phone}, "text": {"  "}},
			"Write a text first"},
		"a long text": {"/reply", url.Values{"phone": {demo.Phone}, "text": {strings.Repeat("x",
			1601)}}, "1 to 1600 characters"},
		"no phone": {"/reply", url.Values{"text": {"YES"}}, "No phone sent this text"},
		"a long form": {"/reply", url.Values{"phone": {demo.Phone}, "text": {strings.Repeat("x",
			16<<10)}}, "No phone sent this text"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			status, page := d.submit(t, test.path, test.fields)
			require.Equal(t, http.StatusUnprocessableEntity, status)
			require.Regexp(t, `role="alert">[^<]*`+test.notice, page)
		})
	}
}

func (d runningDemo) isForThisMachineOnly(t *testing.T) {
	port := d.page[strings.LastIndex(d.page, ":"):]
	tests := map[string]struct {
		method string
		host   string
		header map[string]string
		status int
	}{
		"its own address":         {"GET", "127.0.0.1" + port, nil, http.StatusOK},
		"localhost":               {"GET", "LOCALHOST" + port, nil, http.StatusOK},
		"IPv6 loopback":           {"GET", "[::1]" + port, nil, http.StatusOK},
		"a name that points here": {"GET", "evil.example" + port, nil, http.StatusMisdirectedRequest},
		"a name that looks like it": {"GET", "localhost.evil.example" + port, nil,
			http.StatusMisdirectedRequest},
		"another address": {"GET", "192.0.2.1" + port, nil, http.StatusMisdirectedRequest},
		"another site's form": {"POST", "127.0.0.1" + port,
			map[string]string{"Sec-Fetch-Site": "cross-site"}, http.StatusForbidden},
		"another port's form": {"POST", "127.0.0.1" + port,
			map[string]string{"Sec-Fetch-Site": "same-site"}, http.StatusForbidden},
		"an old browser's form": {"POST", "127.0.0.1" + port,
			map[string]string{"Origin": "http://evil.example"}, http.StatusForbidden},
		"a form's name that points": {"POST", "evil.example" + port,
			map[string]string{"Origin": "http://evil.example" + port}, http.StatusMisdirectedRequest},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			path := map[string]string{"GET": "/", "POST": "/sign-up"}[test.method]
			req, err := http.NewRequest(test.method, d.page+path, nil)
			require.NoError(t, err)
			req.Host = test.host
			for name, value := range test.header {
				req.Header.Set(name, value)
			}
			res, err := http.DefaultClient.Do(req)
			require.NoError(t, err)
			res.Body.Close()
			require.Equal(t, test.status, res.StatusCode)
			require.Equal(t,
				"default-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'",
				res.Header.Get("Content-Security-Policy"))
			require.Equal(t, "nosniff", res.Header.Get("X-Content-Type-Options"))
			require.Equal(t, "no-store", res.Header.Get("Cache-Control"))
		})
	}
}

// Ensure that the page is shown under a name that no other site can give this machine. It is also
// shown under the one that the person asked for.
func TestPageHasTheNamesOfItsAddress(t *testing.T) {
	loopback := &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: 8080}
	everywhere := &net.TCPAddr{IP: net.IPv6unspecified, Port: 8080}
	const refused = "This page is at http://127.0.0.1:8080\n"
	tests := map[string]struct {
		addr net.Addr
		name string // of --addr
		host string
		want bool
	}{
		"loopback by address":             {loopback, "127.0.0.1", "127.0.0.9:8080", true},
		"loopback by name":                {loopback, "localhost", "localhost:8080", true},
		"loopback without a port":         {loopback, "localhost", "localhost", true},
		"loopback by another name":        {loopback, "bridge.example", "bridge.example:8080", false},
		"loopback without a name":         {loopback, "127.0.0.1", "", false},
		"the network by address":          {everywhere, "", "192.0.2.1:8080", true},
		"the network by its name":         {everywhere, "bridge.example", "Bridge.example:8080", true},
		"the network by another name":     {everywhere, "bridge.example", "evil.example:8080", false},
		"the network without a name":      {everywhere, "", "", false},
		"the network by a strange number": {everywhere, "", "2130706433:8080", false},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			p := &demo.Page{Addr: test.addr, Asked: test.name + ":8080"}
			r := httptest.NewRequest(http.MethodGet, "/style.css", nil)
			r.Host = test.host
			w := httptest.NewRecorder()
			p.Handler().ServeHTTP(w, r)
			if test.want {
				require.Equal(t, http.StatusOK, w.Code)
				return
			}
			require.Equal(t, http.StatusMisdirectedRequest, w.Code)
			require.Equal(t, refused, w.Body.String())
		})
	}
}

func TestDemoWarnsBeforeItOpensToTheNetwork(t *testing.T) {
	var stderr bytes.Buffer
	for addr, warns := range map[string]bool{"127.0.0.1:0": false, "[::1]:0": false,
		"localhost:0": false, ":0": true, "0.0.0.0:0": true} {
		stderr.Reset()
		listener, err := listenForDemo(world{stderr: &stderr}, addr, "--addr")
		if strings.HasPrefix(addr, "[") && err != nil {
			continue // a machine without IPv6
		}
		require.NoError(t, err)
		listener.Close()
		require.Equal(t, warns, strings.Contains(stderr.String(), "there is no login"), addr)
	}
}

// A person who cannot see the page hears what each control is for, and what is new.
func (d runningDemo) isLabeled(t *testing.T) {
	document, err := html.Parse(strings.NewReader(d.await(t, "")))
	require.NoError(t, err)
	ids, labeled, elements := map[string]bool{}, map[string]bool{}, map[string]int{}
	var controls, refers []string
	for node := range document.Descendants() {
		attr := map[string]string{}
		for _, a := range node.Attr {
			attr[a.Key] = a.Val
		}
		if id := attr["id"]; id != "" {
			require.False(t, ids[id], "two elements have the id %s", id)
			ids[id] = true
		}
		elements[node.Data]++
		if attr["role"] == "log" {
			elements["log"]++
			require.NotEmpty(t, attr["aria-label"])
		}
		switch {
		case node.Data == "label":
			labeled[attr["for"]] = true
		case (node.Data == "input" || node.Data == "select") && attr["type"] != "hidden":
			controls = append(controls, attr["id"])
		case node.Data == "section":
			refers = append(refers, attr["aria-labelledby"])
		}
	}
	require.Len(t, controls, 4)
	for _, id := range controls {
		require.True(t, labeled[id], "the control %q has no label", id)
	}
	require.Len(t, refers, 4)
	for _, id := range refers {
		require.True(t, ids[id], "a section is labeled by %q, which does not exist", id)
	}
	for _, landmark := range []string{"header", "main", "nav", "h1"} {
		require.Equal(t, 1, elements[landmark], landmark)
	}
	require.Equal(t, 2, elements["log"], "the phone and the timeline speak up")
}

func TestDemoStreamsUntilTheBrowserLeaves(t *testing.T) {
	p := &demo.Page{Stage: onStage(t), Addr: &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1)}}
	ended := make(chan struct{})
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		p.Handler().ServeHTTP(w, r)
		close(ended)
	}))
	defer server.Close()
	ctx, leave := context.WithCancel(t.Context())
	defer leave()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, server.URL+"/live", nil)
	require.NoError(t, err)
	res, err := http.DefaultClient.Do(req)
	require.NoError(t, err)
	defer res.Body.Close()
	leave()
	select {
	case <-ended:
	case <-time.After(demoPatience):
		require.FailNow(t, "the stream goes on for nobody")
	}
}

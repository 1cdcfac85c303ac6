//go:build !race

package operator_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/crypto/bcrypt"

	"smsbridge/inbound"
	"smsbridge/inbound/inboundtest"
	"smsbridge/internal/longtest"
	"smsbridge/internal/store/storetest"
)

const password = "correct horse battery"

// entry is that of an operator, with a hash that is quick to compare.
func entry(name, role string) string { return name + ":" + role + ":" + hash() }

var hash = sync.OnceValue(func() string {
	h, err := bcrypt.GenerateFromPassword([]byte(password), bcrypt.DefaultCost)
	if err != nil {
		panic(err)
	}
	return string(h)
})

// pages are the pages of a bridge on a listener of their own.
type pages struct {
	*inboundtest.Bridge
	url string
}

// open opens the pages, with operators of both roles; changes are environment variables.
func open(t *testing.T, b *inboundtest.Bridge) pages {
	t.Helper()
	handler, err := b.Inbound.OperatorHandler()
	require.NoError(t, err)
	server := httptest.NewServer(handler)
	t.Cleanup(server.Close)
	return pages{b, server.URL}
}

func operators(changes ...string) []string {
	return append([]string{"SMSBRIDGE_OPERATOR_ADDR=127.0.0.1:8090",
		"SMSBRIDGE_OPERATORS=" + entry("anna", "act") + "," + entry("help", "see")}, changes...)
}

// only opens the pages on SQLite.
func only(t *testing.T, changes ...string) pages {
	t.Helper()
	return open(t, inboundtest.Open(t, storetest.SQLite(t), operators(changes...)...))
}

// each opens them on each database.
func each(t *testing.T, test func(t *testing.T, p pages)) {
	inboundtest.Each(t, func(t *testing.T, b *inboundtest.Bridge) { test(t, open(t, b)) },
		operators()...)
}

// browser is one that an operator uses.
type browser struct {
	t       *testing.T
	p       pages
	cookie  string
	headers map[string]string
	page    inboundtest.Response // that is shown
}

func (p pages) browser(t *testing.T) *browser {
	return &browser{t: t, p: p, headers: map[string]string{}}
}

// ask makes a request, and keeps the cookie of the response.
func (b *browser) ask(method, path string, form url.Values) inboundtest.Response {
	b.t.Helper()
	var body io.Reader
	if form != nil {
		body = strings.NewReader(form.Encode())
	}
	r, err := http.NewRequest(method, b.p.url+path, body)
	require.NoError(b.t, err)
	if form != nil {
		r.Header.Set("Content-Type", inboundtest.ContentForm)
	}
	for name, value := range b.headers {
		if r.Header.Set(name, value); name == "Host" {
			r.Host = value
		}
	}
	if b.cookie != "" {
		r.Header.Set("Cookie", b.cookie)
	}
	b.page = b.p.Send(b.t, r)
	if set := b.page.Header.Get("Set-Cookie"); set != "" {
		b.cookie, _, _ = strings.Cut(set, ";")
	}
	return b.page
}

func (b *browser) get(path string) inboundtest.Response { return b.ask("GET", path, nil) }

// press sends a form with the token of the page that is shown.
func (b *browser) press(path string, fields ...string) inboundtest.Response {
	b.t.Helper()
	form := url.Values{"token": {token(b.page.Body)}}
	for i := 0; i < len(fields); i += 2 {
		form.Set(fields[i], fields[i+1])
	}
	return b.ask("POST", path, form)
}

func token(page string) string {
	found := regexp.MustCompile(`name="token" value="([^"]*)"`).FindStringSubmatch(page)
	if found == nil {
		return ""
	}
	return found[1]
}

// login logs an operator in, and shows the cases.
func (p pages) login(t *testing.T, name string) *browser {
	t.Helper()
	b := p.browser(t)
	b.get("/operator/login")
	res := b.press("/operator/login", "name", name, "password", password)
	require.Equal(t, http.StatusSeeOther, res.StatusCode, res.Body)
	require.Equal(t, http.StatusOK, b.get("/operator/cases").StatusCode)
	return b
}

// paths are all that the door has but the login, each with its method.
func paths() [][2]string {
	return [][2]string{
		{"GET", "/operator/cases"}, {"GET", "/operator/cases/x"}, {"POST", "/operator/cases/x/phone"},
		{"POST", "/operator/search"}, {"GET", "/operator/audit"},
		{"GET", "/operator/texts"}, {"GET", "/operator/about"}, {"POST", "/operator/logout"},
		{"GET", "/operator/limits"}, {"POST", "/operator/limits/hold"},
		{"POST", "/operator/limits/release"}, {"GET", "/operator/jobs"},
		{"POST", "/operator/jobs/1/retry"}, {"POST", "/operator/jobs/1/drop"},
		{"GET", "/operator/optouts"}, {"POST", "/operator/optouts/add"},
		{"POST", "/operator/optouts/x/remove"}, {"POST", "/operator/optouts/import"},
		{"POST", "/operator/optouts/export"},
		{"GET", "/operator/try/mail"}, {"POST", "/operator/try/mail"},
		{"GET", "/operator/try/rehearse"}, {"POST", "/operator/try/rehearse"},
		{"GET", "/operator/try/text"}, {"POST", "/operator/try/text"},
		{"POST", "/operator/try/text/send"},
		{"GET", "/operator/river"}, {"GET", "/operator/river/"}, {"GET", "/operator/river/api/jobs"},
		{"GET", "/operator/river/icon.svg"}, {"POST", "/operator/river/api/jobs/retry"},
		{"PUT", "/operator/river/api/queues/default/pause"},
		{"GET", "/operator/funnel"}, {"GET", "/operator/nodes"}, {"GET", "/operator/callbacks"},
		{"GET", "/operator/callbacks/x"}, {"POST", "/operator/callbacks/x/replay"},
	}
}

// Ensure that a stranger gets the login and the look of the pages, and nothing else, whatever the
// path. The public listener has none of it.
func TestStrangersGetOnlyTheLogin(t *testing.T) {
	p := only(t)
	for _, path := range paths() {
		b := p.browser(t)
		res := b.ask(path[0], path[1], nil)
		if path[0] == "GET" {
			require.Equal(t, http.StatusSeeOther, res.StatusCode, path)
			require.Equal(t, "/operator/login", res.Header.Get("Location"), path)
		} else {
			require.Equal(t, http.StatusUnauthorized, res.StatusCode, path)
		}
		require.NotContains(t, res.Body, "<nav", path)
	}
	b := p.browser(t)
	require.Equal(t, http.StatusNoContent, b.get("/operator/cases/live").StatusCode)
	require.Equal(t, http.StatusNoContent, b.get("/operator/cases/x/live").StatusCode)
	for _, path := range []string{"//operator/cases", "/operator/../operator/cases",
		"/operator//cases",
		"/operator/./cases", "/OPERATOR/cases", "/operator/%63ases/", "/v1/verifications",
		"/mailgun/acme",
		"/readyz", "/operator/page/layout.html"} {
		res := b.get(path)
		require.Contains(t, []int{http.StatusNotFound, http.StatusSeeOther}, res.StatusCode, path)
		require.NotContains(t, res.Body, "<nav", path)
	}
	for _, path := range []string{"/operator", "/operator/login", "/operator/style.css"} {
		r, err := http.NewRequest("GET", p.URL+path, nil)
		require.NoError(t, err)
		require.Equal(t, http.StatusNotFound, p.Send(t, r).StatusCode, path)
	}
	for _, path := range []string{"/operator/style.css", "/operator/script.js"} {
		require.Equal(t, http.StatusOK, b.get(path).StatusCode)
	}
}

// Ensure that the right password opens a session, under a new token: neither a cookie of before nor
// one that is made up opens anything. A wrong name reads as a wrong password does.
func TestLogin(t *testing.T) {
	longtest.Skip(t)
	each(t, func(t *testing.T, p pages) {
		b := p.browser(t)
		b.get("/operator/login")
		planted := b.cookie
		for _, wrong := range [][2]string{{"anna", "wrong"}, {"otto", password}, {"", ""},
			{"anna", strings.Repeat("x", 100)}} {
			res := b.press("/operator/login", "name", wrong[0], "password", wrong[1])
			require.Equal(t, http.StatusUnauthorized, res.StatusCode)
			require.Contains(t, res.Body, "The name or the password is wrong.")
		}
		b.cookie = planted
		b.get("/operator/login")
		planted = b.cookie
		res := b.press("/operator/login", "name", "anna", "password", password)
		require.Equal(t, http.StatusSeeOther, res.StatusCode, res.Body)
		set := res.Header.Get("Set-Cookie")
		require.Contains(t, set, "; HttpOnly")
		require.Contains(t, set, "; SameSite=Strict")
		require.NotContains(t, set, "; Secure", "without TLS a browser would drop it")
		require.NotEqual(t, planted, b.cookie)
		require.Equal(t, http.StatusOK, b.get("/operator/cases").StatusCode)
		require.Contains(t, b.page.Body, "anna")

		thief := p.browser(t)
		for _, cookie := range []string{planted, "smsbridge-operator=x", "smsbridge-operator="} {
			thief.cookie = cookie
			require.Equal(t, http.StatusSeeOther, thief.get("/operator/cases").StatusCode)
		}
		require.NotContains(t, p.One(t, "SELECT id FROM operator_session"),
			strings.TrimPrefix(b.cookie, "smsbridge-operator="), "the database has a digest")

		b.get("/operator/audit")
		require.Contains(t, b.page.Body, ">login<")
		stolen := b.cookie
		require.Equal(t, http.StatusSeeOther, b.press("/operator/logout").StatusCode)
		thief.cookie = stolen
		require.Equal(t, http.StatusSeeOther, thief.get("/operator/cases").StatusCode,
			"the session has ended, and not only the cookie")
		require.Equal(t, 1, p.Count(t, "operator_act", "act = 'logout' AND operator = 'anna'"))
		for _, line := range p.Lines(t) {
			require.NotContains(t, line, "password")
		}
	})
}

// Ensure that a session ends when it is not used, when it is old, and when the password or the role
// changes. Following the list is no use.
func TestSessionsEnd(t *testing.T) {
	longtest.Skip(t)
	p := only(t)
	b := p.login(t, "anna")
	for range 3 { // used again and again
		p.Bridge.Now = p.Bridge.Now.Add(29 * time.Minute)
		require.Equal(t, http.StatusOK, b.get("/operator/cases").StatusCode)
	}
	p.Bridge.Now = p.Bridge.Now.Add(30 * time.Minute)
	require.Equal(t, http.StatusSeeOther, b.get("/operator/cases").StatusCode)

	b = p.login(t, "anna")
	for range 35 {
		p.Bridge.Now = p.Bridge.Now.Add(20 * time.Minute)
		require.Equal(t, http.StatusOK, b.get("/operator/cases").StatusCode)
	}
	p.Bridge.Now = p.Bridge.Now.Add(20 * time.Minute)
	require.Equal(t, http.StatusSeeOther, b.get("/operator/cases").StatusCode, "after twelve hours")

	b = p.login(t, "help")
	p.Change(func(s *inbound.Server) {
		s.Settings = inboundtest.Settings(t, operators("SMSBRIDGE_OPERATORS="+entry("help", "act"))...)
	})
	changed := open(t, p.Bridge)
	b.p = changed
	require.Equal(t, http.StatusSeeOther, b.get("/operator/cases").StatusCode, "another role")
}

// Ensure that wrong passwords are limited, for a name that there is and for another one alike. The
// right one does not help then, and after a while it does.
func TestGuessesAreLimited(t *testing.T) {
	longtest.Skip(t)
	each(t, func(t *testing.T, p pages) {
		b := p.browser(t)
		for _, name := range []string{"anna", "otto"} {
			b.get("/operator/login")
			for range 10 {
				res := b.press("/operator/login", "name", name, "password", "wrong")
				require.Equal(t, http.StatusUnauthorized, res.StatusCode)
			}
			res := b.press("/operator/login", "name", name, "password", password)
			require.Equal(t, http.StatusTooManyRequests, res.StatusCode)
			require.Equal(t, "900", res.Header.Get("Retry-After"))
		}
		require.Equal(t, http.StatusOK, p.login(t, "help").page.StatusCode, "another operator")
		p.Bridge.Now = p.Bridge.Now.Add(15 * time.Minute)
		for range 12 { // right ones do not count
			p.login(t, "anna")
		}
	})
}

// Ensure that guesses from one network are limited, whatever the names.
func TestGuessesOfOneSource(t *testing.T) {
	longtest.Skip(t)
	p := only(t)
	b := p.browser(t)
	b.headers["X-Forwarded-For"] = "203.0.113.9"
	b.get("/operator/login")
	for i := range 30 {
		res := b.press("/operator/login", "name", "n"+string(rune('a'+i%26)), "password", "wrong")
		require.Equal(t, http.StatusUnauthorized, res.StatusCode, i)
	}
	res := b.press("/operator/login", "name", "anna", "password", password)
	require.Equal(t, http.StatusTooManyRequests, res.StatusCode)
	b.headers["X-Forwarded-For"] = "203.0.113.10"
	b.get("/operator/login")
	res = b.press("/operator/login", "name", "anna", "password", password)
	require.Equal(t, http.StatusSeeOther, res.StatusCode)
}

// Ensure that a form counts only with its session's token, and from a page of our own. A login is
// such a form, too.
func TestForgedForms(t *testing.T) {
	p := only(t)
	b := p.login(t, "anna")
	good := token(b.page.Body)
	other := p.login(t, "help")
	for name, forge := range map[string]func(f url.Values){
		"no token":      func(f url.Values) { f.Del("token") },
		"another's":     func(f url.Values) { f.Set("token", token(other.page.Body)) },
		"an empty one":  func(f url.Values) { f.Set("token", "") },
		"two of them":   func(f url.Values) { f.Add("token", good) },
		"another value": func(f url.Values) { f.Set("token", good+"x") },
	} {
		form := url.Values{"token": {good}}
		forge(form)
		res := b.ask("POST", "/operator/logout", form)
		require.Contains(t, []int{http.StatusForbidden, http.StatusBadRequest}, res.StatusCode, name)
	}
	for header, value := range map[string]string{
		"Sec-Fetch-Site": "cross-site", "Origin": "https://evil.example",
	} {
		b.headers[header] = value
		res := b.ask("POST", "/operator/logout", url.Values{"token": {good}})
		require.Equal(t, http.StatusForbidden, res.StatusCode, header)
		require.Contains(t, res.Body, "not of these pages")
		delete(b.headers, header)
	}
	require.Equal(t, http.StatusOK, b.get("/operator/cases").StatusCode, "still logged in")

	stranger := p.browser(t)
	stranger.get("/operator/login")
	stranger.cookie = "smsbridge-operator=planted"
	res := stranger.press("/operator/login", "name", "anna", "password", password)
	require.Equal(t, http.StatusForbidden, res.StatusCode, "the token is of another cookie")
}

// Ensure that the pages are served under their own host alone, and are kept out of frames and
// caches. Behind TLS the cookie is for this very host.
func TestHostAndHeaders(t *testing.T) {
	p := only(t)
	b := p.browser(t)
	for host, status := range map[string]int{
		"evil.example": http.StatusMisdirectedRequest, "10.0.0.9:8090": http.StatusMisdirectedRequest,
		"localhost.evil.example": http.StatusMisdirectedRequest,
		"localhost:8090":         http.StatusOK, "[::1]:8090": http.StatusOK, "127.0.0.1": http.StatusOK,
	} {
		b.headers["Host"] = host
		require.Equal(t, status, b.get("/operator/login").StatusCode, host)
	}
	h := b.page.Header
	require.Equal(t, "no-store", h.Get("Cache-Control"))
	require.Equal(t, "DENY", h.Get("X-Frame-Options"))
	require.Equal(t, "nosniff", h.Get("X-Content-Type-Options"))
	require.Contains(t, h.Get("Content-Security-Policy"), "frame-ancestors 'none'")
	require.NotContains(t, h.Get("Content-Security-Policy"), "unsafe")

	p = only(t, "SMSBRIDGE_OPERATOR_URL=https://ops.acme.example")
	b = p.browser(t)
	require.Equal(t, http.StatusMisdirectedRequest, b.get("/operator/login").StatusCode)
	b.headers["Host"] = "OPS.acme.example"
	b.get("/operator/login")
	b.headers["Origin"] = "https://ops.acme.example"
	res := b.press("/operator/login", "name", "anna", "password", password)
	require.Equal(t, http.StatusSeeOther, res.StatusCode)
	require.Contains(t, res.Header.Get("Set-Cookie"), "__Host-smsbridge-operator=")
	require.Contains(t, res.Header.Get("Set-Cookie"), "; Secure")
}

// Ensure that the header of a proxy counts from the proxy's addresses alone, once, and for people
// who have a role. What it says is shown as text.
func TestProxy(t *testing.T) {
	const header, people = "SMSBRIDGE_OPERATOR_HEADER=X-User",
		"SMSBRIDGE_OPERATOR_PEOPLE=anna:act,*:see"
	trusted := only(t, header, people, "SMSBRIDGE_OPERATOR_PROXIES=127.0.0.0/8")
	b := trusted.browser(t)
	b.headers["X-User"] = "anna"
	require.Equal(t, http.StatusOK, b.get("/operator/cases").StatusCode)
	require.Contains(t, b.page.Body, "(act)")
	require.NotContains(t, b.page.Body, "Log out")
	res := b.ask("POST", "/operator/search", url.Values{"for": {"x"}})
	require.Equal(t, http.StatusForbidden, res.StatusCode, "a form needs its token here, too")
	b.get("/operator/cases")
	require.Equal(t, http.StatusNotFound, b.press("/operator/search", "for", "x").StatusCode)
	b.headers["X-User"] = `<b onclick="x">'otto`
	require.Equal(t, http.StatusOK, b.get("/operator/cases").StatusCode)
	require.Contains(t, b.page.Body, "(see)")
	require.Contains(t, b.page.Body, "&lt;b onclick=")
	require.NotContains(t, b.page.Body, "<b onclick")
	delete(b.headers, "X-User")
	require.Equal(t, http.StatusSeeOther, b.get("/operator/cases").StatusCode)

	listed := only(t, header, "SMSBRIDGE_OPERATOR_PEOPLE=anna:act",
		"SMSBRIDGE_OPERATOR_PROXIES=127.0.0.0/8")
	b = listed.browser(t)
	b.headers["X-User"] = "otto"
	require.Equal(t, http.StatusForbidden, b.get("/operator/cases").StatusCode)
	require.Contains(t, b.page.Body, "operator_people")

	elsewhere := only(t, header, people, "SMSBRIDGE_OPERATOR_PROXIES=10.0.0.0/8")
	b = elsewhere.browser(t)
	b.headers["X-User"], b.headers["X-Forwarded-For"] = "anna", "10.0.0.1"
	require.Equal(t, http.StatusSeeOther, b.get("/operator/cases").StatusCode)
}

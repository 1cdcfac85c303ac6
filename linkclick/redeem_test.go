package linkclick

import (
	"cmp"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"log"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

var loopback = []netip.Prefix{netip.MustParsePrefix("127.0.0.1/32")}

// idp is a little identity provider and what was asked of it.
type idp struct {
	*httptest.Server
	mu   sync.Mutex
	seen []string // method and path of each request
}

// certificate is for 127.0.0.1, where all tests run their servers. Its key is an elliptic one,
// which signs much faster than the one of httptest.
var certificate = sync.OnceValues(func() (tls.Certificate, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return tls.Certificate{}, err
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
		NotBefore: time.Unix(0, 0), NotAfter: time.Unix(1<<32, 0), // also on the clock of synctest
		IsCA: true, BasicConstraintsValid: true,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}, err
})

// serve starts an identity provider over TLS on 127.0.0.1 and a clicker that may reach it. The
// limits of time are so long that a busy machine does not reach them.
func serve(t *testing.T, h http.HandlerFunc) (*idp, *Clicker) {
	t.Helper()
	p := &idp{}
	p.Server = httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter,
		r *http.Request) {
		p.mu.Lock()
		p.seen = append(p.seen, r.Method+" "+r.URL.Path)
		p.mu.Unlock()
		h(w, r)
	}))
	p.Config.ErrorLog = log.New(io.Discard, "", 0)
	own, err := certificate()
	require.NoError(t, err)
	p.TLS = &tls.Config{Certificates: []tls.Certificate{own}}
	p.StartTLS()
	t.Cleanup(p.Close)
	roots := x509.NewCertPool()
	roots.AddCert(p.Certificate())
	return p, &Clicker{
		Rule:    Rule{Hosts: []string{p.Listener.Addr().String()}, UnsafeAllow: loopback},
		Timeout: time.Minute, HeaderTimeout: time.Minute,
		testOnly: testOnly{roots: roots},
	}
}

func (p *idp) requests() []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return append([]string(nil), p.seen...)
}

func html200(w http.ResponseWriter, body string) {
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	fmt.Fprint(w, "<!doctype html><html><head><title>ACME</title></head><body>", body,
		"</body></html>")
}

// leadTo redirects every request to a page of the site, which has the body.
func leadTo(page, body string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == page {
			html200(w, body)
			return
		}
		redirectTo(page)(w, r)
	}
}

func redirectTo(to string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Location", to)
		w.WriteHeader(http.StatusFound)
	}
}

func says(body string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) { html200(w, body) }
}

func open(t *testing.T, c *Clicker, link string) Result {
	t.Helper()
	return c.Click(t.Context(), link, nil)
}

func universalForm(w http.ResponseWriter, r *http.Request) {
	html200(w, `<form method="post"><input type="hidden" name="state" value="2"><button>Continue</`+
		`button></form>`)
}

// After the form the page may lead back to its own address.
func TestRedirectBackAfterForm(t *testing.T) {
	done := false
	p, c := serve(t, func(w http.ResponseWriter, r *http.Request) {
		switch {
		case r.Method == http.MethodPost:
			done = true
			redirectTo(r.URL.String())(w, r)
		case done:
			html200(w, "Your e-mail has been verified.")
		default:
			universalForm(w, r)
		}
	})
	link := p.URL + "/accounts/confirm-email/MTI:1rAbCd:k123456789abcdefghijklmnopqrstuvwxyzABCDEFG/"
	require.Equal(t, OutcomeConfirmed, open(t, c, link).Outcome)
	require.Len(t, p.requests(), 3)
}

func TestSubmitHookStopsTheForm(t *testing.T) {
	p, c := serve(t, universalForm)
	r := c.Click(t.Context(), p.URL+"/u/email-verification?ticket=t",
		func() error { return errors.New("already tried") })
	require.Equal(t, Result{OutcomeUnknown, ReasonSubmitRefused, true,
		[]Step{{"GET", p.Listener.Addr().String(), 200}}, r.GoOn}, r)
	require.Equal(t, []string{"GET /u/email-verification"}, p.requests())
}

// A second POST is never sent, whatever a recipe may want.
func TestOnePostAClick(t *testing.T) {
	p, c := serve(t, says("x"))
	to, err := url.Parse(p.URL + "/x")
	require.NoError(t, err)
	k := &click{Clicker: c, link: to, jars: jars{}}
	form := request{to: to, form: url.Values{"a": {"b"}}}
	_, err = k.send(t.Context(), form)
	require.NoError(t, err)
	for _, again := range []request{form, {to: to, json: []byte("{}")}} {
		_, err = k.send(t.Context(), again)
		require.ErrorIs(t, err, errNotPermitted)
	}
	require.Equal(t, []string{"POST /x"}, p.requests())
}

// Pages on which only a person may go on, and pages that say nothing.
func TestPagesThatAreNotSubmitted(t *testing.T) {
	hidden := `<input type="hidden" name="a" value="b">`
	for want, bodies := range map[Outcome][]string{
		OutcomeNeedsUser: {
			`<form method="post">` + hidden + `<input name="email"><button>Go</button></form>`,
			`<form method="post">` + hidden + `<select name="x"></select></form>`,
			`<form method="post">` + hidden + `<textarea name="x"></textarea></form>`,
			`<form method="post">` + hidden + `<button>Yes</button><button>No</button></form>`,
			`<form method="post">` + hidden + `<button>Resend e-mail</button></form>`,
			`<form method="post">` + hidden + `<button>Delete account</button></form>`,
			`<form method="post">` + hidden + `<button>Sign in</button></form>`,
			`<form method="post">` + hidden + `<button>Reset password</button></form>`,
			`<form method="post">` + hidden + `<button formmethod="get">Continue</button></form>`,
			`<form method="post">` + hidden + `<button formaction="/x">Continue</button></form>`,
			`<form method="post" action="https://evil.example/">` + hidden + `</form>`,
			`<form method="post" action="http://127.0.0.1/">` + hidden + `</form>`,
			`<form method="post" enctype="multipart/form-data">` + hidden + `</form>`,
			`<form method="post">` + hidden + `</form><form method="post">` + hidden + `</form>`,
		},
		OutcomeUnknown: {
			`<form method="get">` + hidden + `</form>`,
			`<div>Your email</div><div>has been verified</div>`, // two blocks are two sentences
			`<table><tr><td>Email verified</td><td>No</td></tr></table>`,
			`<p>Once your email has been verified, you can sign in.</p>`,
			`<p>If the link has expired, ask for a new one.</p>`,
			`<p hidden>Your email has been verified.</p><p style="display: none">Link expired</p>`,
			`<script>const ok = "Your email has been verified."</script><template>Your email has been ` +
				`verified.</template>`,
			`<a href="?ticket=2">Proceed</a>`,
			`<meta http-equiv="refresh" content="0;url=/x">`,
		},
		OutcomeExpired: {
			`<p>This link has expired.</p><form method="post">` + hidden +
				`<button>Get another</button></form>`,
		},
		OutcomeConfirmed: {
			`<p>Your email has been verified. Sign in:</p><form method="post"><input type="password" ` +
				`name="p"></form>`,
		},
	} {
		for _, body := range bodies {
			p, c := serve(t, says(body))
			r := open(t, c, p.URL+"/u/email-verification?ticket=t")
			require.Equal(t, want, r.Outcome, body)
			require.Len(t, p.requests(), 1, body)
		}
	}
}

func TestRedirects(t *testing.T) {
	other, _ := serve(t, says("Your email has been verified."))
	p, c := serve(t, func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/hop":
			redirectTo("/end?error=login_required")(w, r) // inside the rule this means nothing yet
		case "/end":
			html200(w, "Your email address has been verified.")
		case "/circle":
			redirectTo("/circle")(w, r)
		case "/long":
			redirectTo("/long?"+r.URL.RawQuery+"x")(w, r)
		case "/cookie":
			if _, err := r.Cookie("seen"); err == nil {
				html200(w, "Your email address has been verified.")
				return
			}
			http.SetCookie(w, &http.Cookie{Name: "seen", Value: "1"})
			redirectTo("/cookie")(w, r)
		default:
			to, err := base64.RawURLEncoding.DecodeString(r.URL.Query().Get("token"))
			require.NoError(t, err)
			redirectTo(cmp.Or(string(to), r.URL.Query().Get("to")))(w, r)
		}
	})
	via := func(path, to string) string { return path + "to=" + url.QueryEscape(to) }
	// behind is a link whose token alone knows where it leads.
	behind := func(path, to string) string {
		return path + "token=" + base64.RawURLEncoding.EncodeToString([]byte(to))
	}
	is := func(o Outcome, reason string) Result { return Result{Outcome: o, Reason: reason} }
	const (
		site   = "https://app.example/"
		gotrue = "/verify?type=signup&redirect_to=https%3A%2F%2Fapp.example%2F&"
		clerk  = "/v1/verify?_clerk_js_version=5&"
	)
	for link, want := range map[string]Result{
		"/hop":    is(OutcomeConfirmed, ReasonPage),
		"/circle": is(OutcomeUnknown, ReasonLoop),
		"/long":   is(OutcomeUnknown, ReasonTooManySteps),
		"/cookie": is(OutcomeConfirmed, ReasonPage),

		via("/x?", other.URL+"/secret"):         is(OutcomeUnknown, ReasonLeft),
		via("/x?", site+"?error=access_denied"): is(OutcomeRefused, ReasonRedirect),
		via("/x?", site+"?code=abc"):            is(OutcomeUnknown, ReasonLeft),
		via("/x?", "http://[bad"):               is(OutcomeUnknown, ReasonBadRedirect),
		via("/x?", `/\evil.example/`):           is(OutcomeUnknown, ReasonLeft),

		behind(gotrue, site+"#access_token=s3cret&refresh_token=x"): is(OutcomeConfirmed, ReasonRedirect),
		behind(gotrue, site+"#error=access_denied&error_code=otp_expired"): is(OutcomeExpired,
			ReasonRedirect),
		behind(clerk, site+"?__clerk_status=verified&__clerk_created_session=s"): is(OutcomeConfirmed,
			ReasonRedirect),
	} {
		r := open(t, c, p.URL+link)
		require.Equal(t, want, Result{Outcome: r.Outcome, Reason: r.Reason}, link)
		require.NotContains(t, fmt.Sprint(r), "s3cret")
	}
	require.Empty(t, other.requests())
	require.LessOrEqual(t, len(p.requests()), 30)
	require.Len(t, open(t, c, p.URL+"/long").Steps, 6)
	for _, r := range p.requests() {
		require.True(t, strings.HasPrefix(r, "GET "), r)
	}
}

// A cookie and the address of a page stay with the origin they belong to.
func TestNothingFollowsToAnotherHost(t *testing.T) {
	var got http.Header
	var closes bool
	second, _ := serve(t, func(w http.ResponseWriter, r *http.Request) {
		got, closes = r.Header.Clone(), r.Close
		html200(w, "Your email has been verified.")
	})
	first, c := serve(t, func(w http.ResponseWriter, r *http.Request) {
		http.SetCookie(w, &http.Cookie{Name: "sid", Value: "1", Path: "/"})
		redirectTo(second.URL+"/next")(w, r)
	})
	c.Rule.Hosts = append(c.Rule.Hosts, second.Listener.Addr().String())
	require.Equal(t, OutcomeUnknown, open(t, c, first.URL+"/secret").Outcome,
		"what another host shows proves nothing")
	require.Len(t, second.requests(), 1)
	require.True(t, closes, "connections are not kept")
	require.Equal(t, defaultUserAgent, got.Get("User-Agent"))
	require.Equal(t, "en", got.Get("Accept-Language"))
	require.Contains(t, got.Get("Accept"), "text/html")
	require.Empty(t, got.Get("Cookie"))
	require.Empty(t, got.Get("Referer"))
}

func TestStatus(t *testing.T) {
	for status, want := range map[int]Outcome{
		200: OutcomeUnknown, 204: OutcomeUnknown, 302: OutcomeUnknown, 400: OutcomeRefused,
		401: OutcomeUnknown, 403: OutcomeUnknown, 404: OutcomeRefused,
		410: OutcomeRefused, 429: OutcomeUnknown, 500: OutcomeUnknown, 503: OutcomeUnknown,
		304: OutcomeUnknown,
	} {
		p, c := serve(t, func(w http.ResponseWriter, r *http.Request) { w.WriteHeader(status) })
		r := open(t, c, p.URL+"/x")
		require.Equal(t, want, r.Outcome, status)
		require.True(t, r.Sent)
		require.Equal(t, status, r.Steps[0].Status)
	}
	p, c := serve(t, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/html")
		w.WriteHeader(http.StatusInternalServerError)
		fmt.Fprint(w, "Your email has been verified.")
	})
	require.Equal(t, OutcomeUnknown, open(t, c, p.URL+"/x").Outcome,
		"an error page cannot tell of a success")
	for status, reason := range map[int]string{
		500: ReasonServerError, 503: ReasonServerError, 302: ReasonNothingClear, // it has no Location
	} {
		p, c := serve(t, func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(status) })
		require.Equal(t, reason, open(t, c, p.URL+"/x").Reason, status)
	}
}

// A page of plain text is judged by its words.
func TestPlainText(t *testing.T) {
	for words, want := range map[string]Outcome{
		"Your email has been verified.\n": OutcomeConfirmed, "This link has expired.": OutcomeExpired,
		"<p>Hello</p>": OutcomeUnknown,
	} {
		p, c := serve(t, func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "text/plain; charset=utf-8")
			fmt.Fprint(w, words)
		})
		require.Equal(t, want, open(t, c, p.URL+"/x?t=1").Outcome, words)
	}
}

// A response that does not say that it is text says nothing.
func TestResponseWithoutAType(t *testing.T) {
	for _, kind := range [][]string{nil, {""}, {"text"}, {"text/html; charset"}, {"image/png"}} {
		p, c := serve(t, func(w http.ResponseWriter, _ *http.Request) {
			w.Header()["Content-Type"] = kind
			fmt.Fprint(w, "Your email has been verified.")
		})
		require.Equal(t, OutcomeUnknown, open(t, c, p.URL+"/x?t=1").Outcome, kind)
	}
}

// An address in a response is followed only if its status says so, and the status alone leads
// nowhere.
func TestLocationWithoutRedirect(t *testing.T) {
	for status, requests := range map[int]int{
		200: 1, 201: 1, 400: 1, 404: 1, 300: 2, 302: 2, 307: 2, 308: 2,
	} {
		p, c := serve(t, func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Path == "/x" {
				w.Header().Set("Location", "/y")
				w.WriteHeader(status)
			}
		})
		open(t, c, p.URL+"/x")
		require.Len(t, p.requests(), requests, status)
	}
}

func TestUnreachable(t *testing.T) {
	p, c := serve(t, says("x"))
	strange := &Clicker{Rule: c.Rule} // does not know the certificate
	r := open(t, strange, p.URL+"/x")
	require.Equal(t, OutcomeUnreachable, r.Outcome)
	require.Equal(t, ReasonConnect, r.Reason)
	require.False(t, r.Sent)

	p.Close()
	r = open(t, c, p.URL+"/x")
	require.Equal(t, Result{OutcomeUnreachable, ReasonConnect, false,
		[]Step{{"GET", p.Listener.Addr().String(), 0}}, r.GoOn}, r)
	require.Empty(t, p.requests())

	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	require.Equal(t, ReasonTimeout, c.Click(ctx, p.URL+"/x", nil).Reason)
}

// A few clicks at once share nothing.
func TestClicksAtOnce(t *testing.T) {
	p, c := serve(t, universalLogin(t, says("Your email address was successfully verified.")))
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			r := c.Click(t.Context(), p.URL+"/u/email-verification?ticket=t", nil)
			if r.Outcome != OutcomeConfirmed {
				t.Error(r)
			}
		})
	}
	wg.Wait()
	require.Len(t, p.requests(), 16)
}

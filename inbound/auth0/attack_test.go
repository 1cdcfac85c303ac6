package auth0_test

import (
	"encoding/base64"
	"math/rand/v2"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"
	"github.com/stretchr/testify/require"

	"smsbridge/inbound/auth0"
	"smsbridge/inbound/inboundtest"
	"smsbridge/internal/longtest"
	"smsbridge/internal/store/storetest"
	"smsbridge/internal/tenant"
)

// Ensure that no token but one of the tenant's own Auth0 opens the form, and that none that is
// refused leaves anything behind. The tokens themselves are attacked in package auth0.
func TestAuth0FormRefusesTokens(t *testing.T) {
	b := openBridge(t, storetest.SQLite(t), auth0Settings...)
	good := b.visitor(t, withPhone).token
	parts := strings.Split(good, ".")
	admin := base64.RawURLEncoding.EncodeToString(
		[]byte(`{"sub":"auth0|admin","iss":"acme.eu.auth0.com","iat":1700000000,"exp":1700000900}`),
	)
	unsigned := base64.RawURLEncoding.EncodeToString([]byte(`{"alg":"none"}`))
	old := b.visitor(
		t,
		jwt.MapClaims{
			"phone_number": phone,
			"iat":          b.Now.Add(-time.Hour).Unix(),
			"exp":          b.Now.Add(-time.Hour + time.Minute).Unix(),
		},
	).token
	for name, tt := range map[string]struct {
		path   string
		status int
	}{
		"no token":       {"/auth0/acme/verify?state=x", 400},
		"no state":       {"/auth0/acme/verify?session_token=" + good, 400},
		"an empty state": {"/auth0/acme/verify?state=&session_token=" + good, 400},
		"a long state": {
			"/auth0/acme/verify?state=" + strings.Repeat("x", auth0.MaxState+1) + "&session_token=" + good,
			400,
		},
		"a line in a state": {"/auth0/acme/verify?state=a%0d%0ab&session_token=" + good, 400},
		"two states":        {"/auth0/acme/verify?state=x&state=y&session_token=" + good, 400},
		"two tokens": {
			"/auth0/acme/verify?state=x&session_token=" + good + "&session_token=" + good, 400,
		},
		"tampered": {
			"/auth0/acme/verify?state=x&session_token=" + parts[0] + "." + admin + "." + parts[2], 400,
		},
		"unsigned": {
			"/auth0/acme/verify?state=x&session_token=" + unsigned + "." + parts[1] + ".", 400,
		},
		"expired": {"/auth0/acme/verify?state=x&session_token=" + old, 410},
		"another's issuer": {
			"/auth0/acme/verify?state=x&session_token=" + b.visitor(t, jwt.MapClaims{
				"iss": "beta.eu.auth0.com",
			}).token,
			400,
		},
		"an unknown tenant":  {"/auth0/beta/verify?state=x&session_token=" + good, 404},
		"a tenant not there": {"/auth0/%2e%2e/verify?state=x&session_token=" + good, 404},
	} {
		v := b.visitor(t, nil)
		r := v.do(http.MethodGet, tt.path, nil)
		require.Equal(t, tt.status, r.StatusCode, name)
		require.NotContains(t, r.Body, "<form", name)
		require.Empty(t, v.cookies, name)
		v.guarded(r)
	}
	require.Zero(t, b.Count(t, "verification", "1=1"))
	require.Equal(
		t,
		http.StatusMethodNotAllowed,
		b.visitor(t, nil).do(http.MethodPut, "/auth0/acme/verify", url.Values{}).StatusCode,
	)

	require.NoError(t, b.Store.Close())
	v := b.visitor(t, withPhone)
	r := v.do(http.MethodGet, v.query(), nil)
	require.Equal(t, http.StatusServiceUnavailable, r.StatusCode)
	require.Contains(t, r.Body, "This does not work just now.")
	v.guarded(r)

	// Without its secret there is no form.
	closed := openBridge(t, storetest.SQLite(t), "AUTH0_DOMAIN=acme.eu.auth0.com")
	for _, path := range []string{closed.visitor(t, withPhone).query(), "/auth0/acme/theme.css"} {
		r := closed.visitor(t, withPhone).do(http.MethodGet, path, nil)
		require.Equal(t, http.StatusNotFound, r.StatusCode, path)
	}
}

// Ensure that only the browser that loaded the page can press its buttons, only from that page, and
// only for that log-in.
func TestAuth0FormIsNotForgedAcrossSites(t *testing.T) {
	b := openBridge(t, storetest.SQLite(t), auth0Settings...)
	v := b.visitor(t, withPhone)
	form := inboundtest.HiddenFields(v.load().Body)
	form.Set("do", "leave")
	other := b.visitor(t, jwt.MapClaims{"sub": "auth0|other", "phone_number": "+4520123457"})
	foreign := inboundtest.HiddenFields(other.load().Body)
	changed := func(name, value string) url.Values {
		all := url.Values{}
		for key, values := range form {
			all[key] = values
		}
		all.Set(name, value)
		return all
	}
	jar := v.cookies
	for name, tt := range map[string]struct {
		form    url.Values
		cookies map[string]string
		header  string
		status  int
	}{
		"no cookie":               {form, map[string]string{}, "X: y", 403},
		"another log-in's cookie": {form, other.cookies, "X: y", 403},
		"that cookie by this name": {
			form, map[string]string{v.cookieName(): other.cookies[other.cookieName()]}, "X: y", 403,
		},
		"no proof":                 {changed("form", ""), jar, "X: y", 403},
		"another log-in's proof":   {changed("form", foreign.Get("form")), jar, "X: y", 403},
		"another state":            {changed("state", "evil"), jar, "X: y", 403},
		"another log-in's token":   {changed("session_token", other.token), jar, "X: y", 403},
		"another site":             {form, jar, "Sec-Fetch-Site: cross-site", 403},
		"another host of the site": {form, jar, "Sec-Fetch-Site: same-site", 403},
		"not a form":               {nil, jar, "Content-Type: application/json", 400},
		"a field twice":            {url.Values{"do": {"leave", "check"}}, jar, "X: y", 400},
	} {
		r := (&visitor{b, t, v.token, v.state, tt.cookies}).do(
			http.MethodPost,
			"/auth0/acme/verify",
			tt.form,
			tt.header,
		)
		require.Equal(t, tt.status, r.StatusCode, name)
		require.NotContains(t, r.Body, "<form", name)
		v.guarded(r)
	}
	require.Equal(
		t,
		http.StatusBadRequest,
		v.do(http.MethodPost, v.query(), form).StatusCode,
		"the fields of the body cannot come in the query",
	)
	require.Equal(t, 2, b.Count(t, "verification", "state = 'pending'"), "nothing was done")

	r := v.do(http.MethodPost, "/auth0/acme/verify", form, "Sec-Fetch-Site: same-origin")
	require.Equal(t, http.StatusOK, r.StatusCode, "the same, as it should be")
}

// Ensure that a browser that loaded the page with one state brings the verified phone into no
// log-in of another state. The state is not part of the signed token.
func TestAuth0FormKeepsTheStateOfItsFirstLoad(t *testing.T) {
	for _, passCode := range []bool{false, true} {
		b := openBridge(t, storetest.SQLite(t), auth0Settings...)
		b.set(t, func(a *tenant.Auth0) { a.PassCode = passCode })
		v := b.visitor(t, withPhone)
		form := inboundtest.HiddenFields(v.load().Body)
		evil := &visitor{b, t, v.token, "attackers-own-log-in", v.cookies}
		refused := func(r inboundtest.Response, why string) {
			t.Helper()
			require.Equal(t, http.StatusForbidden, r.StatusCode, why)
			require.NotContains(t, r.Body, "<form", why)
			require.NotContains(t, r.Body, "continue?", why)
			v.guarded(r)
		}
		refused(evil.do(http.MethodGet, evil.query(), nil), "loading it again")
		form.Set("state", evil.state)
		form.Set("do", "leave")
		form.Set("code", "123456")
		refused(evil.do(http.MethodPost, "/auth0/acme/verify", form), "posting its form")
		code := "123456"
		if !passCode {
			code = v.codes()[0]
		}
		v.returned(v.press("check", "code", code))
		refused(evil.do(http.MethodGet, evil.query(), nil), "once the phone is verified")
		if !passCode { // in that mode each load asks for the code
			v.returned(v.load())
		}
	}
}

// Ensure that the binding to one state takes nothing from a person with two tabs or two log-ins.
// Nor from one who reloads, goes back, or blocks cookies.
func TestAuth0FormOfManyTabs(t *testing.T) {
	b := openBridge(t, storetest.SQLite(t), auth0Settings...)
	v := b.visitor(t, withPhone)
	first := inboundtest.HiddenFields(v.load().Body)
	second := inboundtest.HiddenFields(v.load().Body)
	post := func(form url.Values, do, code string) inboundtest.Response {
		t.Helper()
		form.Set("do", do)
		form.Set("code", code)
		r := v.do(http.MethodPost, "/auth0/acme/verify", form, "Sec-Fetch-Site: same-origin")
		require.Equal(t, http.StatusSeeOther, r.StatusCode, r.Body)
		return v.do(http.MethodGet, "/auth0/acme/"+r.Header.Get("Location"), nil)
	}
	code := v.codes()[0]
	// Another log-in of the same browser, with a token and a state of its own.
	other := b.visitor(t, jwt.MapClaims{"sub": "auth0|other", "phone_number": "+4520123457"})
	other.state, other.cookies = "another-log-in", v.cookies
	other.load()
	otherCode := other.codes()[0]

	require.Contains(t, post(first, "check", wrongCode6(code)).Body, "Attempts left: 4")
	require.Contains(t, post(second, "check", wrongCode6(code)).Body, "Attempts left: 3")
	to, _ := v.returned(post(first, "check", code))
	for range 2 { // back to the old page and its button again, and a reload
		again, _ := v.returned(post(second, "check", code))
		require.Equal(t, to, again)
		again, _ = v.returned(v.load())
		require.Equal(t, to, again)
	}
	_, claims := other.returned(other.press("check", "code", otherCode))
	require.Equal(t, "auth0|other", claims["sub"])

	blocked := b.visitor(t, jwt.MapClaims{"sub": "auth0|blocked", "phone_number": "+4520123458"})
	for _, state := range []string{"a", "a", "b"} {
		blocked.state, blocked.cookies = state, map[string]string{}
		form := inboundtest.HiddenFields(blocked.load().Body)
		blocked.cookies = map[string]string{}
		form.Set("do", "leave")
		r := blocked.do(http.MethodPost, "/auth0/acme/verify", form)
		require.Equal(t, http.StatusForbidden, r.StatusCode)
		require.Contains(t, r.Body, "your browser blocks cookies", "it hears why")
	}
}

// Ensure that whatever is written into the address of the form, it leads to the configured
// /continue and nowhere else: 500 addresses.
func TestAuth0FormIsNoOpenRedirect(t *testing.T) {
	longtest.Skip(t)
	b := openBridge(t, storetest.SQLite(t), auth0Settings...)
	random := rand.New(rand.NewPCG(7, 11))
	evil := []string{
		"https://evil.example/continue", "//evil.example", `\\evil.example`, "javascript:alert(1)",
		"data:text/html,x", "https://login.acme.example@evil.example/",
		"https://login.acme.example.evil.example/continue", "/\\evil.example",
		"http://login.acme.example/continue", "https:evil.example", "\"><script>alert(1)</script>",
		"' onfocus='alert(1)", "&redirect_uri=https://evil.example", "#@evil.example",
		"?x=https://evil.example", "../../evil", "%2f%2fevil.example",
		"%0d%0aLocation:%20https://evil.example",
		"login.acme.example:8443", "[::1]", "{{.Token}}", "\u202ehttps://evil.example",
		"https://evil\u3002example", ".evil.example", "continue?state=x",
	}
	names := []string{
		"redirect_uri", "return_to", "returnTo", "next", "url", "continue", "domain", "iss", "target",
		"said", "do", "form", "callback", "action", "host", "Location", "phone", "code",
	}
	piece := func() string {
		one := evil[random.IntN(len(evil))]
		if random.IntN(3) == 0 {
			one += evil[random.IntN(len(evil))]
		}
		return one
	}
	for n := range 500 {
		v := b.visitor(t, jwt.MapClaims{"sub": "auth0|" + piece(), "locale": piece()})
		v.state = strings.Map(func(r rune) rune {
			if r < ' ' {
				return -1
			}
			return r
		}, piece())
		var more []string
		for range random.IntN(4) {
			more = append(more, names[random.IntN(len(names))], piece())
		}
		r := v.do(
			http.MethodGet,
			v.query(more...),
			nil,
			"X-Forwarded-Host: evil.example",
			"Referer: https://evil.example/",
		)
		require.Equal(t, http.StatusOK, r.StatusCode, "%d: %v", n, more)
		v.guarded(r)
		form := inboundtest.HiddenFields(r.Body)
		require.Equal(t, v.state, form.Get("state"), "nothing gets out of its quotes")
		form.Set("do", "leave")
		r = v.do(http.MethodPost, "/auth0/acme/verify", form, "X-Forwarded-Host: evil.example")
		require.Empty(t, r.Header.Get("Location"))
		to, claims := v.returned(r)
		require.Equal(t, continueURL, "https://"+to.Host+to.Path, "%d", n)
		require.Equal(t, "https", to.Scheme)
		require.Nil(t, to.User)
		require.Equal(t, url.Values{"state": {v.state}}, to.Query())
		require.Equal(t, "login.acme.example", claims["aud"])
		require.NotContains(t, r.Body, "<script>alert")
	}
}

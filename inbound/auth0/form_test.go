package auth0_test

import (
	"context"
	"html"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"
	"github.com/stretchr/testify/require"

	"smsbridge/inbound/inboundtest"
	"smsbridge/internal/store"
	"smsbridge/internal/store/storetest"
	"smsbridge/internal/tenant"
	"smsbridge/internal/verification"
)

const (
	phone       = inboundtest.Phone
	address     = inboundtest.Address
	secretLink  = inboundtest.SecretLink
	contentForm = inboundtest.ContentForm
	apiKey      = "provider-" + inboundtest.APIKey
	retiring    = "stream-" + inboundtest.Retiring
	publicURL   = inboundtest.PublicURL
)

// bridge is a bridge with what the tests of these doors need besides.
type bridge struct{ *inboundtest.Bridge }

// each opens a bridge on each database; changes are environment variables.
func each(t *testing.T, test func(t *testing.T, b *bridge), changes ...string) {
	inboundtest.Each(t, func(t *testing.T, b *inboundtest.Bridge) { test(t, &bridge{b}) }, changes...)
}

func openBridge(t testing.TB, databaseURL string, changes ...string) *bridge {
	t.Helper()
	return &bridge{inboundtest.Open(t, databaseURL, changes...)}
}

const (
	sessionSecret = "5d1b6e0c9a7f4e3d8c2b1a09f8e7d6c5"
	loginState    = "hKFo2SBhUnlXZ0Z-x"
	continueURL   = "https://login.acme.example/continue"
	formPolicy    = "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'none'; " +
		"base-uri 'none'; frame-ancestors 'none'"
)

var auth0Settings = []string{
	"AUTH0_DOMAIN=login.acme.example,acme.eu.auth0.com", "AUTH0_SESSION_TOKEN_SECRET=" + sessionSecret,
	"AUTH0_PROVIDER_KEY=" + apiKey, "AUTH0_LOG_STREAM_TOKEN=" + retiring,
}

// visitor is a browser that Auth0 sent to the form.
type visitor struct {
	*bridge
	t       *testing.T
	token   string
	state   string
	cookies map[string]string
}

func eachVisitor(
	t *testing.T,
	claims jwt.MapClaims,
	test func(t *testing.T, v *visitor),
	changes ...string,
) {
	each(
		t,
		func(t *testing.T, b *bridge) { test(t, b.visitor(t, claims)) },
		slices.Concat(auth0Settings, changes)...)
}

// visitor comes with a session token as Auth0 makes it, with other claims of the Action's.
func (b *bridge) visitor(t *testing.T, claims jwt.MapClaims) *visitor {
	t.Helper()
	all := jwt.MapClaims{
		"iat": b.Now.Unix(),
		"exp": b.Now.Add(15 * time.Minute).Unix(),
		"sub": "auth0|5f7c",
		"iss": "acme.eu.auth0.com",
		"ip":  "192.0.2.1",
	}
	for name, value := range claims {
		all[name] = value
	}
	token, err := jwt.NewWithClaims(jwt.SigningMethodHS256, all).SignedString([]byte(sessionSecret))
	require.NoError(t, err)
	return &visitor{b, t, token, loginState, map[string]string{}}
}

func (v *visitor) do(method, path string, form url.Values, headers ...string) inboundtest.Response {
	v.t.Helper()
	request, err := http.NewRequest(method, v.URL+path, strings.NewReader(form.Encode()))
	require.NoError(v.t, err)
	if form != nil {
		request.Header.Set("Content-Type", contentForm)
	}
	for name, value := range v.cookies {
		request.AddCookie(&http.Cookie{Name: name, Value: value})
	}
	for _, header := range headers {
		name, value, _ := strings.Cut(header, ": ")
		request.Header.Set(name, value)
	}
	r := v.Send(v.t, request)
	for _, cookie := range (&http.Response{Header: r.Header}).Cookies() {
		require.True(v.t, strings.HasPrefix(cookie.Name, "__Host-auth0-"), cookie.Name)
		require.True(
			v.t,
			cookie.Secure && cookie.HttpOnly && cookie.Path == "/" && cookie.Domain == "" &&
				cookie.SameSite == http.SameSiteLaxMode,
		)
		v.cookies[cookie.Name] = cookie.Value
	}
	return r
}

func (v *visitor) query(more ...string) string {
	query := url.Values{"session_token": {v.token}, "state": {v.state}}
	for i := 0; i < len(more); i += 2 {
		query.Add(more[i], more[i+1])
	}
	return "/auth0/acme/verify?" + query.Encode()
}

// load shows the page as it stands.
func (v *visitor) load(more ...string) inboundtest.Response {
	v.t.Helper()
	r := v.do(http.MethodGet, v.query(more...), nil)
	require.Equal(v.t, http.StatusOK, r.StatusCode, r.Body)
	v.guarded(r)
	return r
}

// guarded holds every page of the form to its headers.
func (v *visitor) guarded(r inboundtest.Response) {
	v.t.Helper()
	policy := formPolicy + "; form-action 'self'"
	if strings.Contains(r.Body, `id="return"`) {
		policy = formPolicy
	}
	if strings.Contains(r.Body, `http-equiv="refresh"`) {
		policy = formPolicy + "; form-action 'none'"
	}
	require.Equal(v.t, policy, r.Header.Get("Content-Security-Policy"))
	for name, want := range map[string]string{
		"Cache-Control": "no-store", "Referrer-Policy": "no-referrer",
		"X-Content-Type-Options": "nosniff", "X-Frame-Options": "DENY", "X-Robots-Tag": "noindex",
	} {
		require.Equal(v.t, want, r.Header.Get(name), name)
	}
}

// press presses a button of the page, follows the redirect, and returns the page after.
func (v *visitor) press(do string, fields ...string) inboundtest.Response {
	v.t.Helper()
	form := inboundtest.HiddenFields(v.load().Body)
	form.Set("do", do)
	for i := 0; i < len(fields); i += 2 {
		form.Set(fields[i], fields[i+1])
	}
	r := v.do(
		http.MethodPost,
		"/auth0/acme/verify",
		form,
		"Sec-Fetch-Site: same-origin",
		"Origin: null",
	)
	v.guarded(r)
	if r.StatusCode != http.StatusSeeOther {
		return r
	}
	require.True(v.t, strings.HasPrefix(r.Header.Get("Location"), "verify?"), "it leads nowhere else")
	return v.do(http.MethodGet, "/auth0/acme/"+r.Header.Get("Location"), nil)
}

// returned reads the way back to Auth0: where to, and the token's claims as Auth0 would.
func (v *visitor) returned(r inboundtest.Response) (*url.URL, jwt.MapClaims) {
	v.t.Helper()
	require.Equal(v.t, http.StatusOK, r.StatusCode, r.Body)
	v.guarded(r)
	back := regexp.MustCompile(`<form method="post" action="([^"]+)" id="return">`)
	match := back.FindStringSubmatch(r.Body)
	token := inboundtest.HiddenFields(r.Body).Get("session_token")
	if match == nil {
		match = regexp.MustCompile(`content="0;url=([^"]+)"`).FindStringSubmatch(r.Body)
	}
	require.NotNil(v.t, match, r.Body)
	to, err := url.Parse(html.UnescapeString(match[1]))
	require.NoError(v.t, err)
	if token == "" {
		token = to.Query().Get("session_token")
	}
	claims := jwt.MapClaims{}
	_, err = jwt.ParseWithClaims(
		token,
		claims,
		func(*jwt.Token) (any, error) { return []byte(sessionSecret), nil },
		jwt.WithValidMethods([]string{"HS256"}),
		jwt.WithTimeFunc(func() time.Time { return v.Now }),
	)
	require.NoError(v.t, err)
	require.Equal(v.t, v.state, claims["state"], "validateToken compares it")
	return to, claims
}

var sixDigits = regexp.MustCompile(`\b[0-9]{6}\b`)

// codes are the codes that would be texted now.
func (v *visitor) codes() (codes []string) {
	v.t.Helper()
	for _, body := range v.Bodies(v.t) {
		codes = append(codes, sixDigits.FindString(body))
	}
	return codes
}

func wrongCode6(code string) string {
	if code == "000000" {
		return "111111"
	}
	return "000000"
}

var withPhone = jwt.MapClaims{"phone_number": phone}

// Ensure that a log-in with a phone gets one text, takes a wrong code, and goes back to Auth0 with
// the right one. It goes back only to the domain that it came from.
func TestAuth0Form(t *testing.T) {
	eachVisitor(t, withPhone, func(t *testing.T, v *visitor) {
		for range 3 {
			require.Empty(t, v.do(http.MethodHead, v.query(), nil).Body)
		}
		require.Zero(t, v.Count(t, "text", "1=1"), "looking ahead does nothing")
		page := v.load()
		require.Contains(t, page.Body, "We have texted a code to "+
			`<bdi dir="ltr">&#43;45******56</bdi>.`)
		require.Contains(t, page.Body, `autocomplete="one-time-code"`)
		require.Contains(t, page.Body, `<p class="name">ACME</p>`)
		require.NotContains(t, page.Body, "20123456")
		v.load()
		other := &visitor{v.bridge, t, v.token, v.state, map[string]string{}}
		other.load()
		texts := v.Bodies(t)
		require.Len(t, texts, 1, "a token is worth one text")
		require.Regexp(
			t,
			`^[0-9]{6} is your ACME code\. Do not share it\.\n\n@bridge\.example\.com #[0-9]{6}$`,
			texts[0],
		)
		code := sixDigits.FindString(texts[0])

		page = v.press("check", "code", wrongCode6(code))
		require.Contains(t, page.Body, "That is not the code.")
		require.Contains(t, page.Body, "Attempts left: 4")
		require.Contains(t, page.Body, `aria-invalid="true"`)
		require.Contains(t, v.press("check", "code", "abc").Body, "A code has digits only.")
		require.Contains(t, v.load().Body, "Attempts left: 4", "which was no code")

		page = v.press("check", "code", code[:3]+" "+code[3:])
		to, claims := v.returned(page)
		require.Equal(t, continueURL+"?state="+loginState, to.String())
		id := claims["jti"]
		require.NotEmpty(t, id)
		require.Equal(t, jwt.MapClaims{
			"iss": publicURL, "sub": "auth0|5f7c", "aud": "login.acme.example", "state": loginState,
			"jti": id, "iat": float64(v.Now.Unix()),
			"exp": float64(v.Now.Add(5 * time.Minute).Unix()), "phone_verified": true, "phone_number": phone,
		}, claims)
		require.NotContains(t, page.Body, code)

		v.Now = v.Now.Add(time.Minute)
		require.Equal(t, page.Body, v.load().Body, "a reload gets the very same way back")
		for _, stranger := range []struct {
			cookies map[string]string
			status  int
			says    string
		}{
			{map[string]string{}, http.StatusGone, "This was finished before."},
			{map[string]string{v.cookieName(): "x." + strings.Repeat("0", 64)},
				http.StatusForbidden, "belongs to another browser window"},
		} {
			other := &visitor{v.bridge, t, v.token, v.state, stranger.cookies}
			used := other.do(http.MethodGet, v.query(), nil)
			require.Equal(t, stranger.status, used.StatusCode)
			require.Contains(t, used.Body, stranger.says)
			require.NotContains(t, used.Body, "continue?")
			v.guarded(used)
		}
		v.Now = v.Now.Add(4 * time.Minute)
		require.Equal(t, http.StatusGone, v.do(http.MethodGet, v.query(), nil).StatusCode)
		log := v.Log.Take()
		require.Contains(t, log, `"msg":"auth0 form","tenant":"acme","case":"`+
			v.One(t, "SELECT MAX(id) FROM verification")+`","phone":"+45******56"`)
		for _, secret := range []string{
			v.token[:30], strings.Split(v.token, ".")[1], loginState, code, "20123456", "auth0|",
		} {
			require.NotContains(t, log, secret)
		}
	})
}

func (v *visitor) cookieName() string {
	for name := range v.cookies {
		return name
	}
	return ""
}

// Ensure that a social log-in without a phone is asked for one, can correct it, and cannot have any
// number of texts.
func TestAuth0FormAsksForPhone(t *testing.T) {
	eachVisitor(
		t,
		jwt.MapClaims{"sub": "google-oauth2|1", "locale": "da-DK"},
		func(t *testing.T, v *visitor) {
			page := v.load()
			require.Contains(t, page.Body, `<html lang="da" dir="ltr">`)
			require.Contains(t, page.Body, `autocomplete="tel"`)
			require.Zero(t, v.Count(t, "text", "1=1"))
			require.Contains(
				t,
				v.press("phone", "phone", "20 12 34 56").Body,
				"Det er ikke et telefonnummer.",
			)
			require.Contains(
				t,
				v.press("phone", "phone", "+46 70 123 45 67").Body,
				"Vi kan ikke sende sms til det nummer.",
				"Sweden is not allowed",
			)
			require.Contains(
				t,
				v.press("check", "code", "123456").Body,
				`id="phone"`,
				"there is no code to check",
			)
			require.Contains(t, v.press("phone", "phone", "0045 (20) 12-34-57").Body, "&#43;45******57")
			first := v.codes()
			require.Contains(t, v.press("phone", "phone", "+4520123456").Body, "&#43;45******56")
			second := v.codes()
			require.Len(t, slices.Concat(first, second), 2)
			require.NotContains(
				t,
				v.press("check", "code", first[0]).Body,
				`id="return"`,
				"the code of the other number",
			)

			v.press("phone", "phone", "+4520123458")
			page = v.press("phone", "phone", "+4520123459")
			require.Contains(t, page.Body, "Der kan ikke sendes flere koder")
			require.Len(t, v.codes(), 1)
			require.NotContains(t, v.load().Body, `id="phone"`, "no more numbers")
			require.Contains(t, v.load().Body, "&#43;45******58")
		},
	)
}

// Ensure that a phone that came with the token cannot be replaced by one that is typed.
func TestAuth0FormKeepsTheTokensPhone(t *testing.T) {
	v := openBridge(t, storetest.SQLite(t), auth0Settings...).visitor(t, withPhone)
	require.NotContains(t, v.load().Body, `id="phone"`)
	v.press("phone", "phone", "+4520123457")
	require.Equal(t, 1, v.Count(t, "verification", "1=1"))
	require.Contains(t, v.load().Body, "&#43;45******56")
}

// Ensure that the form reads a phone that an Action passes on as the profile spells it. What is no
// number is asked for, and the one that is typed counts as a typed one.
func TestAuth0FormReadsTheTokensPhoneAsPeopleSpellIt(t *testing.T) {
	b := openBridge(t, storetest.SQLite(t), auth0Settings...)
	v := b.visitor(t, jwt.MapClaims{"sub": "auth0|1", "phone_number": "0045 20 12 34-56"})
	require.Contains(t, v.load().Body, "&#43;45******56")
	require.NotContains(t, v.load().Body, `id="phone"`, "it cannot be replaced")
	v.press("phone", "phone", "+4520123457")
	require.Equal(t, 1, v.Count(t, "verification", "1=1"))

	v = b.visitor(t, jwt.MapClaims{"sub": "auth0|2", "phone_number": "20 12 34 58"})
	page := v.load()
	require.Contains(t, page.Body, "That is not a phone number.")
	require.Contains(t, page.Body, `<label for="phone">`)
	require.Contains(t, v.press("phone", "phone", "+46 70 123 45 67").Body,
		"We cannot text that number.")
	page = v.press("phone", "phone", "+45 20 12 34 59")
	require.Contains(t, page.Body, "<details>", "a typed number can be changed")
	require.Equal(t, 1, v.Count(t, "verification", "asker = 'typed'"))
	codes := v.codes()
	_, claims := v.returned(v.press("check", "code", codes[len(codes)-1]))
	require.Equal(t, "+4520123459", claims["phone_number"])
}

// Ensure that what ends a verification is said, that a new code can be had, and that the way back
// without one is open.
func TestAuth0FormEnds(t *testing.T) {
	eachVisitor(t, withPhone, func(t *testing.T, v *visitor) {
		page := v.load()
		require.Contains(t, page.Body, "Text the code again in 60 s")
		require.Contains(t, v.press("resend").Body, "Please wait a moment")
		v.Now = v.Now.Add(time.Minute)
		require.Contains(t, v.press("resend").Body, "The code has been texted again.")
		codes := v.codes()
		require.Len(t, codes, 1, "the earlier one had not left")
		for range 5 {
			page = v.press("check", "code", wrongCode6(codes[0]))
		}
		require.Contains(t, page.Body, "There were too many wrong codes.")
		require.NotContains(t, page.Body, `id="code"`)
		require.NotContains(
			t,
			v.press("check", "code", codes[0]).Body,
			`id="return"`,
			"not even the right one",
		)
		require.Contains(t, v.press("again").Body, `id="code"`)
		v.Now = v.Now.Add(10 * time.Minute)
		require.Contains(t, v.load().Body, "The code has run out.")

		_, claims := v.returned(v.press("leave"))
		require.Equal(t, false, claims["phone_verified"])
		require.Equal(t, "expired", claims["reason"])
		require.NotContains(t, claims, "phone_number")
		v.Now = v.Now.Add(5 * time.Minute)
		require.Contains(
			t,
			v.do(http.MethodGet, v.query(), nil).Body,
			"This took too long.",
			"the token ran out",
		)
	})
	v := openBridge(t, storetest.SQLite(t), auth0Settings...).visitor(t, withPhone)
	v.load()
	_, claims := v.returned(v.press("leave"))
	require.Equal(t, "canceled", claims["reason"])
	require.Equal(t, "canceled", v.One(t, "SELECT state FROM verification"))
	require.Empty(t, v.codes(), "what had not left does not leave any more")

	asked := v.bridge.visitor(t, nil)
	_, claims = asked.returned(asked.press("leave"))
	require.Equal(t, "canceled", claims["reason"])
}

// Ensure that a token's phone that cannot be texted is said, without a text, and leads back.
func TestAuth0FormPhoneThatCannotBeTexted(t *testing.T) {
	b := openBridge(t, storetest.SQLite(t), auth0Settings...)
	for number, words := range map[string]string{
		"12345": "That is not a phone number.", "+46701234567": "We cannot text that number.",
	} {
		v := b.visitor(t, jwt.MapClaims{"phone_number": number})
		page := v.load()
		require.Contains(t, page.Body, words)
		require.NotContains(t, page.Body, `value="again"`)
		_, claims := v.returned(v.press("leave"))
		require.Equal(t, false, claims["phone_verified"])
	}
	require.Zero(t, b.Count(t, "text", "1=1"))
}

// Ensure that a code that is texted back counts for the log-in as well.
func TestAuth0FormAnsweredByText(t *testing.T) {
	v := openBridge(t, storetest.SQLite(t), auth0Settings...).visitor(t, withPhone)
	v.load()
	code := v.codes()[0]
	require.NoError(t, v.Store.Do(t.Context(), func(ctx context.Context, tx *store.Tx) error {
		id := v.One(t, "SELECT id FROM verification")
		_, err := verification.Check(ctx, tx, "acme", id, verification.Presented{
			Door: verification.ByText, Code: code,
		})
		return err
	}))
	_, claims := v.returned(v.load())
	require.Equal(t, phone, claims["phone_number"])
}

// Ensure that the settings for the way back hold: to the domain where the log-in is, by GET where
// that is asked for.
func TestAuth0FormReturns(t *testing.T) {
	b := openBridge(t, storetest.SQLite(t), auth0Settings...)
	v := b.visitor(t, jwt.MapClaims{"phone_number": phone, "domain": "acme.eu.auth0.com"})
	v.load()
	to, claims := v.returned(v.press("check", "code", v.codes()[0]))
	require.Equal(t, "https://acme.eu.auth0.com/continue?state="+loginState, to.String())
	require.Equal(t, "acme.eu.auth0.com", claims["aud"])

	b.set(
		t,
		func(a *tenant.Auth0) { a.Redirect, a.Logo = true, "https://cdn.acme.example/logo.svg?v=1" },
	)
	v = b.visitor(t, jwt.MapClaims{"phone_number": "+4520123457"})
	r := v.do(http.MethodGet, v.query(), nil)
	require.Contains(t, r.Header.Get("Content-Security-Policy"), "img-src https://cdn.acme.example; ")
	b.set(t, func(a *tenant.Auth0) { a.Logo = "" })
	page := v.press("check", "code", v.codes()[0])
	to, claims = v.returned(page)
	require.Equal(t, continueURL, "https://"+to.Host+to.Path)
	require.Equal(t, true, claims["phone_verified"])
	require.NotContains(t, page.Body, "<form")
}

// set changes the settings of the tenant's Auth0.
func (b *bridge) set(t *testing.T, change func(a *tenant.Auth0)) {
	t.Helper()
	acme, ok := b.Inbound.Settings.Tenants.Tenant("acme")
	require.True(t, ok)
	change(&acme.Auth0)
}

// Ensure that the mode of the original sample hands over the code as its Action expects it, and
// only to a configured domain.
func TestAuth0FormPassesCode(t *testing.T) {
	b := openBridge(t, storetest.SQLite(t), auth0Settings...)
	b.set(t, func(a *tenant.Auth0) { a.PassCode = true })
	v := b.visitor(
		t,
		jwt.MapClaims{
			"iss":          "https://acme.eu.auth0.com/",
			"phone_number": phone,
			"other":        map[string]any{"x": 1},
		},
	)
	for uri, status := range map[string]int{
		"https://acme.eu.auth0.com/continue": 200, continueURL: 200, "https://evil.example/continue": 400,
		continueURL + "/": 400, continueURL + "?x=1": 400,
		"http://login.acme.example/continue":               400,
		"https://login.acme.example.evil.example/continue": 400, "": 400, "//evil.example/continue": 400,
		"https://login.acme.example@evil.example/continue": 400, "javascript:alert(1)": 400,
	} {
		require.Equal(t, status, v.do(http.MethodGet, v.query("redirect_uri", uri), nil).StatusCode, uri)
	}
	require.Equal(
		t,
		400,
		v.do(
			http.MethodGet,
			v.query("redirect_uri", continueURL, "redirect_uri", continueURL),
			nil,
		).StatusCode,
	)
	require.Contains(t, v.press("check", "code", "12").Body, "A code has digits only.")
	to, claims := v.returned(v.press("check", "code", "482 913"))
	require.Equal(t, continueURL+"?state="+loginState, to.String())
	require.Equal(t, map[string]any{"verification_code": "482913"}, claims["other"])
	require.Equal(t, "auth0|5f7c", claims["sub"])
	require.Zero(t, v.Count(t, "verification", "1=1"), "the Action texts and compares")

	// Where the sample asked to return to is still known when the code is posted.
	form := inboundtest.HiddenFields(
		v.do(http.MethodGet, v.query("redirect_uri", "https://acme.eu.auth0.com/continue"), nil).Body,
	)
	form.Set("code", "482913")
	to, _ = v.returned(v.do(http.MethodPost, "/auth0/acme/verify", form))
	require.Equal(t, "acme.eu.auth0.com", to.Host)
	form.Set("redirect_uri", "https://evil.example/continue")
	require.Equal(
		t,
		http.StatusBadRequest,
		v.do(http.MethodPost, "/auth0/acme/verify", form).StatusCode,
	)
}

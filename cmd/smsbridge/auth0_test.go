//go:build !race

package main

import (
	"encoding/json"
	"fmt"
	"html"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"
	"github.com/stretchr/testify/require"

	"smsbridge/inbound/inboundtest"
	"smsbridge/internal/nodetest"
	"smsbridge/internal/simulator/twilioverify"
	"smsbridge/internal/store/storetest"
)

// The Actions of deploy/auth0 run under Node here, in a harness that imitates Auth0, against the
// real binary with a pretend Twilio and Verify.

const (
	auth0Secret = "5d1b6e0c9a7f4e3d8c2b1a09f8e7d6c5"
	auth0Key    = "provider-key-0123456789abcdef"
	auth0Token  = "stream-token-0123456789abcdef"
	auth0Phone  = "+4520123456"
)

// auth0Stage is a bridge between Auth0 and a phone.
type auth0Stage struct {
	*theater
	t      *testing.T
	verify *twilioverify.Service
	host   string // of the tenant at Auth0
	node   string // where Node finds what it needs
	// actions starts Node with the first Action.
	actions func() *harness
	seen    chan url.Values
}

// openAuth0 starts it. Way is how log-ins return: post or redirect.
func openAuth0(t *testing.T, way string) *auth0Stage {
	t.Helper()
	node := nodetest.Folder(t, "testdata/auth0")
	th, err := openTheater(storetest.SQLite(t))
	require.NoError(t, err)
	t.Cleanup(th.close)
	const account, service = "AC00000000000000000000000000000001", "VA00000000000000000000000000000001"
	verify, err := twilioverify.Open(twilioverify.Config{AccountSID: account,
		AuthToken: th.env["TWILIO_AUTH_TOKEN"], ServiceSID: service,
		FriendlyName: "ACME", Phones: th.twilio})
	require.NoError(t, err)
	t.Cleanup(verify.Close)
	s := &auth0Stage{theater: th, t: t, verify: verify, node: node, seen: make(chan url.Values, 10)}
	s.host = s.openTenant()
	s.actions = sync.OnceValue(func() *harness { return openHarness(t, node) })

	template, err := os.ReadFile("testdata/auth0/bridge.yaml")
	require.NoError(t, err)
	config := filepath.Join(t.TempDir(), "bridge.yaml")
	values := map[string]string{
		"AUTH0_HOST": s.host, "MAILGUN_URL": th.mailgun.URL(), "ACCOUNT": account,
		"TWILIO_URL": th.twilio.URL(), "SERVICE": service, "VERIFY_URL": verify.URL(), "RETURN": way,
	}
	require.NoError(t, os.WriteFile(config,
		[]byte(os.Expand(string(template), func(name string) string { return values[name] })), 0o600))
	env := map[string]string{
		"SMSBRIDGE_CONFIG": config, "TOKEN": th.env["TWILIO_AUTH_TOKEN"],
		"MAILGUN_KEY": th.env["MAILGUN_API_KEY"],
		"SIGNING_KEY": th.env["MAILGUN_WEBHOOK_SIGNING_KEY"],
		"ACME_SECRET": auth0Secret, "ACME_KEY": auth0Key, "ACME_TOKEN": auth0Token,
		"BETA_SECRET": "beta-" + auth0Secret,
	}
	for _, name := range []string{"SMSBRIDGE_ADDR", "SMSBRIDGE_DRAIN", "SMSBRIDGE_PUBLIC_URL",
		"SMSBRIDGE_DATABASE", "SMSBRIDGE_KEY"} {
		env[name] = th.env[name]
	}
	th.env = env
	start(t, th)
	return s
}

// openTenant plays the part of Auth0 to which a log-in returns, and the app to which it goes on,
// on another origin.
func (s *auth0Stage) openTenant() (host string) {
	app := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		io.WriteString(w, "<!doctype html><title>app</title><h1>signed in</h1>")
	}))
	s.t.Cleanup(app.Close)
	tenant := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.ParseForm() != nil || r.URL.Path != "/continue" {
			http.NotFound(w, r)
			return
		}
		s.seen <- r.Form
		http.Redirect(w, r, strings.Replace(app.URL, "127.0.0.1", "localhost", 1)+"/callback?code=x",
			http.StatusFound)
	}))
	s.t.Cleanup(tenant.Close)
	return strings.TrimPrefix(tenant.URL, "http://")
}

// actionCall is something that an Action asked of Auth0's api.
type actionCall struct {
	Name string
	Args []any
}

func (c actionCall) String() string {
	return strings.TrimSpace(c.Name + " " + fmt.Sprintln(c.Args...))
}

// redirecting is what the harness knows of a redirect.
type redirecting struct {
	State  string `json:"state"`
	Issuer string `json:"issuer"`
	Can    bool   `json:"can"`
	Age    int    `json:"age"` // seconds by which tokens are older
}

// run runs one handler of an Action, and returns what it asked for and what it logged.
func (s *auth0Stage) run(
	action, handler string, event map[string]any, r redirecting,
) ([]actionCall, []string) {
	s.t.Helper()
	path, err := filepath.Abs("../../deploy/auth0/" + action + ".js")
	require.NoError(s.t, err)
	r.Issuer = s.host
	did := s.actions().run(s.t, map[string]any{"action": path, "handler": handler, "event": event,
		"redirect": r})
	return did.Calls, did.Logs
}

// event is what an Action is told of a user's log-in.
func (s *auth0Stage) event(user map[string]any, changes map[string]any) map[string]any {
	event := map[string]any{
		"user": user, "connection": map[string]any{"strategy": "auth0"}, "transaction": map[string]any{},
		"request": map[string]any{"hostname": s.host, "ip": "192.0.2.1", "query": map[string]any{},
			"body": map[string]any{}},
		"secrets": map[string]any{
			"FORM_URL": s.public + "/auth0/acme/verify", "SESSION_TOKEN_SECRET": auth0Secret,
			"FEEDBACK_URL": s.public + "/auth0/acme/feedback", "PROVIDER_KEY": auth0Key,
		},
	}
	for name, value := range changes {
		event[name] = value
	}
	return event
}

// signIn runs the Action at the log-in of a user, and returns where the browser is sent.
func (s *auth0Stage) signIn(user map[string]any, r redirecting) string {
	s.t.Helper()
	r.Can = true
	calls, _ := s.run("verify-phone", "onExecutePostLogin", s.event(user, nil), r)
	require.Len(s.t, calls, 1)
	require.Equal(s.t, "sendUserTo", calls[0].Name)
	return calls[0].Args[0].(string)
}

// resume runs the Action when the browser is back with a token.
func (s *auth0Stage) resume(user map[string]any, state, token string) []string {
	s.t.Helper()
	event := s.event(user, nil)
	event["request"].(map[string]any)["body"] = map[string]any{"session_token": token}
	calls, _ := s.run("verify-phone", "onContinuePostLogin", event, redirecting{State: state})
	var said []string
	for _, call := range calls {
		said = append(said, call.String())
	}
	return said
}

func profile(id string, more ...any) map[string]any {
	user := map[string]any{"user_id": id, "app_metadata": map[string]any{},
		"user_metadata": map[string]any{}}
	for i := 0; i < len(more); i += 2 {
		user[more[i].(string)] = more[i+1]
	}
	return user
}

// reader is a browser without JavaScript.
type reader struct {
	t      *testing.T
	client *http.Client
	page   string
	status int
	at     *url.URL
}

func newReader(t *testing.T) *reader {
	jar, err := cookiejar.New(nil)
	require.NoError(t, err)
	return &reader{t: t, client: &http.Client{Jar: jar, Timeout: storyPatience}}
}

func (r *reader) read(res *http.Response, err error) *reader {
	r.t.Helper()
	require.NoError(r.t, err)
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	require.NoError(r.t, err)
	r.page, r.status, r.at = string(body), res.StatusCode, res.Request.URL
	return r
}

func (r *reader) open(address string) *reader { r.t.Helper(); return r.read(r.client.Get(address)) }

var leadsTo = regexp.MustCompile(`<form method="post" action="([^"]+)" id="return">`)

// press presses a button of the form.
func (r *reader) press(do string, more ...string) *reader {
	r.t.Helper()
	fields := inboundtest.HiddenFields(r.page)
	fields.Set("do", do)
	for i := 0; i < len(more); i += 2 {
		fields.Set(more[i], more[i+1])
	}
	return r.read(r.client.PostForm(r.at.ResolveReference(&url.URL{Path: "verify"}).String(), fields))
}

// way reads the way back to Auth0.
func (r *reader) way() (to, token string) {
	r.t.Helper()
	match := leadsTo.FindStringSubmatch(r.page)
	require.NotNil(r.t, match, r.page)
	return html.UnescapeString(match[1]), inboundtest.HiddenFields(r.page).Get("session_token")
}

// code is the code in the phone's nth text.
func (s *auth0Stage) code(phone string, n int) string {
	s.t.Helper()
	ctx, cancel := patience()
	defer cancel()
	texts, err := s.twilio.Phone(phone).Wait(ctx, n)
	require.NoError(s.t, err)
	code := regexp.MustCompile(`\b[0-9]{6}\b`).FindString(texts[n-1].Body)
	require.NotEmpty(s.t, code, texts[n-1].Body)
	return code
}

// hears waits until Verify has been told the status of a verification.
func (s *auth0Stage) hears(id, status string) {
	s.t.Helper()
	require.Eventually(s.t, func() bool {
		for _, f := range s.verify.Feedback() {
			if f.ID == id && f.Status == status {
				return true
			}
		}
		return false
	}, storyPatience, 20*time.Millisecond, "Verify never heard %s: %v", status, s.verify.Feedback())
}

func not(code string) string {
	if code == "000000" {
		return "111111"
	}
	return "000000"
}

func TestAuth0Actions(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]func(t *testing.T, s *auth0Stage){
		"sign-up": auth0SignUp, "social": auth0Social, "resend": auth0Resend, "attacks": auth0Attacks,
		"leave": auth0Leave, "needless": auth0Needless, "corrected": auth0Corrected,
		"phone provider": auth0Provider, "phone provider refuses": auth0ProviderRefuses, "mfa": auth0MFA,
		"streams": auth0Streams, "address": auth0Address, "extension": auth0Extension,
		"issuer": auth0Issuer, "unset": auth0Unset,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test(t, openAuth0(t, "post"))
		})
	}
}

func auth0SignUp(t *testing.T, s *auth0Stage) {
	user := profile("auth0|1", "user_metadata", map[string]any{"phone_number": auth0Phone})
	r := newReader(t).open(s.signIn(user, redirecting{State: "st&te=1"}))
	require.Equal(t, 200, r.status, r.page)
	code := s.code(auth0Phone, 1)
	require.Contains(t, r.press("check", "code", not(code)).page, "That is not the code.")
	to, token := r.press("check", "code", code).way()
	require.Equal(t, "http://"+s.host+"/continue?state="+url.QueryEscape("st&te=1"), to)
	require.Equal(t, []string{"setAppMetadata phone_number " + auth0Phone,
		"setAppMetadata phone_number_verified true", "setAppMetadata phone_number_given " + auth0Phone},
		s.resume(user, "st&te=1", token))
	texts := s.verify.Texts()
	require.True(t, texts[len(texts)-1].Custom)
	s.hears(texts[len(texts)-1].VerificationSID, "approved")

	user["app_metadata"] = map[string]any{"phone_number": auth0Phone, "phone_number_verified": true}
	calls, _ := s.run("verify-phone", "onExecutePostLogin", s.event(user, nil),
		redirecting{Can: true})
	require.Empty(t, calls, "once is enough")
	for _, spelled := range []string{auth0Phone[:3] + " " + auth0Phone[3:], "00" + auth0Phone[1:]} {
		user["user_metadata"] = map[string]any{"phone_number": spelled}
		calls, _ = s.run("verify-phone", "onExecutePostLogin", s.event(user, nil),
			redirecting{Can: true})
		require.Empty(t, calls, "another spelling is no other number")
	}
	user["user_metadata"] = map[string]any{"phone_number": "+4520123400"}
	require.NotEmpty(t, s.signIn(user, redirecting{State: "2"}), "another number is another matter")
}

func auth0Social(t *testing.T, s *auth0Stage) {
	user := profile("google-oauth2|1")
	event := s.event(user, map[string]any{"transaction": map[string]any{
		"ui_locales": []string{"tlh", "da"},
	}})
	calls, _ := s.run("verify-phone", "onExecutePostLogin", event, redirecting{State: "s", Can: true})
	r := newReader(t).open(calls[0].Args[0].(string))
	require.Contains(t, r.page, `<html lang="da" dir="ltr">`)
	require.Contains(t, r.press("phone", "phone", "20 12 34 61").page,
		"Det er ikke et telefonnummer.")
	r.press("phone", "phone", "0045 20 12 34 61")
	_, token := r.press("check", "code", s.code("+4520123461", 1)).way()
	require.Contains(t, s.resume(user, "s", token), "setAppMetadata phone_number +4520123461")
}

// Ensure that a profile whose number has no country is asked for one, and that its spelling does
// not interrupt each log-in afterwards.
func auth0Corrected(t *testing.T, s *auth0Stage) {
	user := profile("auth0|9", "user_metadata", map[string]any{"phone_number": "20 12 34 69"})
	r := newReader(t).open(s.signIn(user, redirecting{State: "c"}))
	require.Contains(t, r.press("phone", "phone", "0045 20 12 34 69").page, `name="code"`)
	_, token := r.press("check", "code", s.code("+4520123469", 1)).way()
	known := map[string]any{}
	for _, call := range s.resume(user, "c", token) {
		name, value, _ := strings.Cut(strings.TrimPrefix(call, "setAppMetadata "), " ")
		known[name] = value
	}
	user["app_metadata"] = known
	calls, _ := s.run("verify-phone", "onExecutePostLogin", s.event(user, nil),
		redirecting{Can: true})
	require.Empty(t, calls, "once is enough")
	user["user_metadata"] = map[string]any{"phone_number": "20 12 34 70"}
	require.NotEmpty(t, s.signIn(user, redirecting{State: "d"}), "another number is another matter")
}

// Ensure that the Action passes on no number that has an extension behind it, as OpenID Connect
// writes one: with its digits, it would be a stranger's. The form asks instead.
func auth0Extension(t *testing.T, s *auth0Stage) {
	for _, spelled := range []string{
		"+45 2012 34 ext. 71", "+45 2012 3471;ext=12", "+45 20 12 34 71 x12",
	} {
		user := profile("oidc|1", "phone_number", spelled)
		r := newReader(t).open(s.signIn(user, redirecting{State: "e"}))
		require.Contains(t, r.page, `id="phone"`, spelled)
		require.NotContains(t, r.page, `role="alert"`, "nobody has typed anything yet")
	}
	require.Empty(t, s.twilio.Phone("+4520123471").Inbox())
	for _, spelled := range []string{
		"+45\u00a0(20) 12.34\u201371\u202c", "+45 (0)20 12 34 71", "0045 20123471",
	} {
		user := profile("oidc|2", "phone_number", spelled)
		r := newReader(t).open(s.signIn(user, redirecting{State: "e"}))
		require.Contains(t, r.page, `id="code"`, spelled)
	}
}

// Ensure that a public URL in capitals, or with the port of https, is that of the form: the Action
// reads one of the two as URLs are compared.
func auth0Issuer(t *testing.T, s *auth0Stage) {
	user := profile("auth0|10")
	for issuer, denied := range map[string]bool{
		"HTTPS://Bridge.Example": false, "https://bridge.example:443": false,
		"https://bridge.example": false, "https://bridge.example:8443": true,
		"https://other.example": true, "bridge.example": true,
	} {
		token, err := jwt.NewWithClaims(jwt.SigningMethodHS256, jwt.MapClaims{
			"iss": issuer, "sub": "auth0|10", "aud": s.host, "state": "i", "phone_verified": true,
			"phone_number": auth0Phone, "exp": time.Now().Add(time.Minute).Unix(),
		}).SignedString([]byte(auth0Secret))
		require.NoError(t, err)
		event := s.event(user, nil)
		event["request"].(map[string]any)["body"] = map[string]any{"session_token": token}
		event["secrets"].(map[string]any)["FORM_URL"] = "https://bridge.example/auth0/acme/verify"
		calls, _ := s.run("verify-phone", "onContinuePostLogin", event, redirecting{State: "i"})
		require.Equal(t, denied, calls[0].Name == "access.deny", "%s %v", issuer, calls)
	}
}

func auth0Resend(t *testing.T, s *auth0Stage) {
	user := profile("auth0|3", "phone_number", "+4520123462")
	r := newReader(t).open(s.signIn(user, redirecting{State: "s"}))
	first := s.code("+4520123462", 1)
	require.Contains(t, r.press("resend").page, "The code has been texted again.")
	require.Equal(t, first, s.code("+4520123462", 2))
	r.press("check", "code", first).way()
}

// auth0Attacks: what is expired, tampered with, replayed or another's leads nowhere.
func auth0Attacks(t *testing.T, s *auth0Stage) {
	user := profile("auth0|4", "phone_number", "+4520123463")
	expired := newReader(t).open(s.signIn(user, redirecting{State: "s", Age: 1000}))
	require.Equal(t, http.StatusGone, expired.status)
	require.Contains(t, expired.page, "This took too long.")

	sent := s.signIn(user, redirecting{State: "s"})
	other := newReader(t).open(strings.Replace(sent, "/auth0/acme/", "/auth0/beta/", 1))
	require.Equal(t, http.StatusBadRequest, other.status)
	u, err := url.Parse(sent)
	require.NoError(t, err)
	parts := strings.Split(u.Query().Get("session_token"), ".")
	u.RawQuery = url.Values{"state": {"s"},
		"session_token": {parts[0] + "." + parts[1][:len(parts[1])-4] + "AAAA." + parts[2]}}.Encode()
	require.Equal(t, http.StatusBadRequest, newReader(t).open(u.String()).status)
	require.Empty(t, s.twilio.Phone("+4520123463").Inbox())

	r := newReader(t).open(sent)
	_, token := r.press("check", "code", s.code("+4520123463", 1)).way()
	again := newReader(t).open(sent)
	require.Equal(t, http.StatusGone, again.status, "a session token is used up")
	denied := "access.deny The confirmation of the phone number belongs to another log-in."
	require.Equal(t, []string{denied}, s.resume(profile("auth0|5"), "s", token), "another user's")
	unread := "access.deny The confirmation of the phone number could not be read."
	require.Equal(t, []string{unread}, s.resume(user, "another redirect", token))
	require.Equal(t, []string{unread}, s.resume(user, "s", u.Query().Get("session_token")),
		"the bridge's part cannot be skipped")
	require.Equal(t, []string{unread}, s.resume(user, "s", strings.Join(parts, ".")),
		"not even with Auth0's own token")
	require.Equal(t, []string{unread}, s.resume(user, "s", ""))
}

func auth0Leave(t *testing.T, s *auth0Stage) {
	user := profile("auth0|6", "phone_number", "+4520123464")
	r := newReader(t).open(s.signIn(user, redirecting{State: "s"}))
	_, token := r.press("leave").way()
	require.Equal(t, []string{"access.deny The phone number was not confirmed."},
		s.resume(user, "s", token))
}

// auth0Needless: the Action redirects no user who need not go, or cannot.
func auth0Needless(t *testing.T, s *auth0Stage) {
	passwordless := profile("sms|1", "phone_number", auth0Phone, "phone_verified", true)
	calls, _ := s.run("verify-phone", "onExecutePostLogin", s.event(passwordless, nil),
		redirecting{Can: true})
	require.Empty(t, calls)
	refresh := map[string]any{"transaction": map[string]any{"protocol": "oauth2-refresh-token"}}
	calls, _ = s.run("verify-phone", "onExecutePostLogin", s.event(profile("auth0|7"), refresh),
		redirecting{})
	require.Empty(t, calls)
	calls, _ = s.run("verify-phone", "onExecutePostLogin", s.event(profile("auth0|7"), nil),
		redirecting{})
	require.Equal(t, "access.deny", calls[0].Name)
}

// auth0Unset: an Action that lacks a secret holds the log-in, and says which one.
func auth0Unset(t *testing.T, s *auth0Stage) {
	for secret, values := range map[string][]any{
		"FORM_URL": {nil, "", "bridge.example"}, "SESSION_TOKEN_SECRET": {nil, "", " "},
	} {
		for _, value := range values {
			event := s.event(profile("auth0|11"), nil)
			event["secrets"].(map[string]any)[secret] = value
			calls, _ := s.run("verify-phone", "onExecutePostLogin", event, redirecting{Can: true})
			require.Len(t, calls, 1, "%s %v", secret, value)
			require.Equal(t, "access.deny Phones cannot be confirmed: the Action's secret "+secret+
				" is not set.", calls[0].String())
		}
	}
}

// notify runs the phone provider's Action.
func (s *auth0Stage) notify(recipient, code, userID string, secrets map[string]any) []actionCall {
	s.t.Helper()
	event := map[string]any{
		"notification": map[string]any{
			"recipient": recipient, "as_text": "Your ACME code is " + code, "as_voice": "x", "code": code,
			"delivery_method": "text", "locale": "en", "message_type": "otp_verify",
		},
		"user":    map[string]any{"user_id": userID},
		"secrets": map[string]any{"PHONE_URL": s.public + "/auth0/acme/phone", "PROVIDER_KEY": auth0Key},
	}
	for name, value := range secrets {
		event["secrets"].(map[string]any)[name] = value
	}
	calls, _ := s.run("phone-provider", "onExecuteCustomPhoneProvider", event, redirecting{})
	return calls
}

// auth0Provider: a passwordless code goes out through Verify, and Verify hears that it was
// right.
func auth0Provider(t *testing.T, s *auth0Stage) {
	const phone = "+4520123465"
	require.Empty(t, s.notify(phone, "482913", "", nil), "neither retry nor drop")
	require.Equal(t, "482913", s.code(phone, 1))
	texts := s.verify.Texts()
	user := profile("sms|8", "name", phone)
	changes := map[string]any{"connection": map[string]any{"strategy": "sms"}}
	_, logs := s.run("feedback-passwordless", "onExecutePostLogin", s.event(user, changes),
		redirecting{})
	require.Equal(t, []string{"feedback: 200"}, logs)
	s.hears(texts[len(texts)-1].VerificationSID, "approved")

	changes["authentication"] = map[string]any{"methods": []any{map[string]any{"name": "sms",
		"timestamp": "2020-01-01T00:00:00Z"}}}
	_, logs = s.run("feedback-passwordless", "onExecutePostLogin", s.event(user, changes),
		redirecting{})
	require.Empty(t, logs, "a log-in that needed no code")
	changes["authentication"] = map[string]any{"methods": []any{
		map[string]any{"name": "sms", "timestamp": "2020-01-01T00:00:00Z"},
		map[string]any{"name": "mfa", "type": "otp", "timestamp": time.Now()},
	}}
	_, logs = s.run("feedback-passwordless", "onExecutePostLogin", s.event(user, changes),
		redirecting{})
	require.Empty(t, logs, "another factor is not the code")
	_, logs = s.run("feedback-passwordless", "onExecutePostLogin", s.event(user, nil), redirecting{})
	require.Empty(t, logs, "another connection")
}

func auth0ProviderRefuses(t *testing.T, s *auth0Stage) {
	calls := s.notify("+46701234567", "482913", "", nil)
	require.Len(t, calls, 1)
	require.Regexp(t, `^drop 422 The phone number may not be texted`, calls[0].String())
	calls = s.notify(auth0Phone, "482913", "", map[string]any{"PROVIDER_KEY": "another"})
	require.Regexp(t, `^drop 401 `, calls[0].String())
	for _, secret := range []any{"bridge.example/phone", "", nil} {
		calls = s.notify(auth0Phone, "482913", "", map[string]any{"PHONE_URL": secret})
		require.Equal(t, "drop The secret PHONE_URL is missing, or no URL.", calls[0].String())
	}
	nobody, err := freeAddr()
	require.NoError(t, err)
	calls = s.notify(auth0Phone, "482913", "",
		map[string]any{"PHONE_URL": "http://" + nobody + "/auth0/acme/phone"})
	require.Equal(t, "retry The bridge does not answer.", calls[0].String())
}

// auth0MFA: the factor is triggered, its code goes out for a user without a phone in the
// profile, and Verify hears that it was right.
func auth0MFA(t *testing.T, s *auth0Stage) {
	user := profile("auth0|9", "enrolledFactors", []any{map[string]any{"type": "otp"}})
	calls, _ := s.run("trigger-mfa", "onExecutePostLogin", s.event(user, nil), redirecting{})
	require.Equal(t, "enrollWith map[type:phone]", calls[0].String())
	user["enrolledFactors"] = []any{map[string]any{"type": "phone"}}
	calls, _ = s.run("trigger-mfa", "onExecutePostLogin", s.event(user, nil), redirecting{})
	require.Equal(t, "challengeWith map[type:phone]", calls[0].String())
	refresh := map[string]any{"transaction": map[string]any{"protocol": "oauth2-refresh-token"}}
	calls, _ = s.run("trigger-mfa", "onExecutePostLogin", s.event(user, refresh), redirecting{})
	require.Empty(t, calls, "no person is there to give a code")

	require.Empty(t, s.notify("+4520123466", "739201", "auth0|9", nil))
	require.Equal(t, "739201", s.code("+4520123466", 1))
	texts := s.verify.Texts()
	done := func(factor string, at time.Time) []string {
		_, logs := s.run("feedback-mfa", "onExecutePostLogin",
			s.event(user, map[string]any{"authentication": map[string]any{"methods": []any{
				map[string]any{"name": "pwd", "timestamp": at},
				map[string]any{"name": "mfa", "type": "email", "timestamp": at},
				map[string]any{"name": "mfa", "type": factor, "timestamp": at},
			}}}), redirecting{})
		return logs
	}
	require.Empty(t, done("otp", time.Now()))
	require.Empty(t, done("phone", time.Now().Add(-time.Hour)))
	require.Equal(t, []string{"feedback: 200"}, done("phone", time.Now()))
	s.hears(texts[len(texts)-1].VerificationSID, "approved")
}

// auth0Streams: a code that the tenant's own Action had texted by Verify is reported by its
// phone.
func auth0Streams(t *testing.T, s *auth0Stage) {
	const phone = "+4520123467"
	own, err := http.NewRequest(http.MethodPost,
		s.verify.URL()+"/v2/Services/VA00000000000000000000000000000001/Verifications",
		strings.NewReader(url.Values{"To": {phone}, "Channel": {"sms"},
			"CustomCode": {"551122"}}.Encode()))
	require.NoError(t, err)
	own.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	own.SetBasicAuth("AC00000000000000000000000000000001", s.env["TOKEN"])
	res, err := http.DefaultClient.Do(own)
	require.NoError(t, err)
	res.Body.Close()
	require.Equal(t, http.StatusCreated, res.StatusCode)

	lines := `{"log_id":"a1","data":{"type":"fp"}}` + "\n" +
		`{"log_id":"a2","data":{"type":"s","strategy":"sms","user_id":"sms|10","user_name":"` +
		phone + `"}}` + "\n"
	post := func() string {
		req, err := http.NewRequest(http.MethodPost, s.public+"/auth0/acme/stream",
			strings.NewReader(lines))
		require.NoError(t, err)
		req.Header.Set("Authorization", auth0Token)
		r := newReader(t)
		return r.read(r.client.Do(req)).page
	}
	require.JSONEq(t, `{"forwarded":1,"other":1}`, post())
	s.hears(phone, "approved")
	require.JSONEq(t, `{"known":1,"other":1}`, post())
}

// auth0Address: the application's side makes the address that the bridge reads.
func auth0Address(t *testing.T, s *auth0Stage) {
	path, err := filepath.Abs("../../deploy/auth0/signup.mjs")
	require.NoError(t, err)
	out, err := exec.CommandContext(t.Context(), "node", "--input-type=module", "-e",
		`import { phoneAddress } from "`+path+`";`+
			` console.log(phoneAddress("+4512345678", "acme", "sms.acme.example"));`+
			` try { phoneAddress("12345678", "a", "b") } catch (e) { console.log(e.name) }`).CombinedOutput()
	require.NoError(t, err, string(out))
	require.Equal(t, address("+4512345678")+"\nTypeError\n", string(out))

	var body map[string]any
	tenant := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/dbconnections/signup" || json.NewDecoder(r.Body).Decode(&body) != nil {
			http.Error(w, "not a sign-up", http.StatusBadRequest)
		}
	}))
	t.Cleanup(tenant.Close)
	out, err = exec.CommandContext(t.Context(), "node", "--input-type=module", "-e",
		`import { signUp } from "`+path+`"; console.log(await signUp({ url: "`+tenant.URL+`",`+
			` clientID: "c", connection: "db" }, `+
			`"+4512345678", "pw", "acme", "sms.acme.example"))`).CombinedOutput()
	require.NoError(t, err, string(out))
	require.Equal(t, address("+4512345678")+"\n", string(out))
	require.Equal(t, map[string]any{
		"client_id": "c", "connection": "db", "email": address("+4512345678"), "password": "pw",
		"user_metadata": map[string]any{"phone_number": "+4512345678"},
	}, body)

	theirs, err := exec.CommandContext(t.Context(), "smsbridge", "address", "+4512345678", "--prefix",
		"acme", "--domain", "sms.acme.example").Output()
	require.NoError(t, err)
	require.Equal(t, "acme+4512345678@sms.acme.example\n", string(theirs))
}

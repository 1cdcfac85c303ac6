package inbound

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"html/template"
	"math"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/labstack/echo/v4"

	"smsbridge/internal/session"
	"smsbridge/internal/tenant"
	"smsbridge/internal/verification"
	"smsbridge/internal/wording"
)

// auth0View is what the form shows. Its words are those of page/auth0_words.json.
type auth0View struct {
	State string // ask for the phone; code for the code; over when there is none to type; return; refused
	Plain bool   // the code alone, without anything that the bridge knows about it

	Lang, Name, Logo           string
	Words                      map[string]string
	Token, LoginState, Proof   string // what the form posts back
	RedirectURI                string // and this, in the original sample's mode
	Phone                      string // masked
	Left                       int    // codes that may still be presented
	Wait                       int    // seconds until the code may be texted again
	CanResend, CanAgain, Asked bool   // Asked: the phone was typed here, and can be changed
	Alert, Notice              string

	Verified    bool
	ReturnURL   string
	ReturnToken string
	ByRedirect  bool
}

var auth0Page = template.Must(template.New("auth0.html").Option("missingkey=error").Funcs(template.FuncMap{
	"fill": func(words, name string, value any) string {
		return strings.ReplaceAll(words, "{"+name+"}", fmt.Sprint(value))
	},
}).ParseFS(pageFiles, "page/auth0.html"))

// auth0Words are the words of the form by language, in all languages in which codes are texted.
var auth0Words = func() map[string]map[string]string {
	raw, err := pageFiles.ReadFile("page/auth0_words.json")
	words := map[string]map[string]string{}
	if err = errors.Join(err, json.Unmarshal(raw, &words)); err != nil {
		panic(err) // a file of the program itself
	}
	return words
}()

// pickLocale is the first language in which codes can be texted of those that are asked for: BCP 47 tags, in the order of preference, separated by
// blanks as OpenID Connect's ui_locales are or by commas as those of Accept-Language. Without any it is the tenant's.
func pickLocale(t *tenant.Tenant, asked ...string) string {
	separator := func(r rune) bool { return r == ' ' || r == ',' }
	for _, list := range asked {
		for tag := range strings.FieldsFuncSeq(list, separator) {
			tag, _, _ = strings.Cut(tag, ";")
			if locale, ok := wording.CodeLocale(tag); ok {
				return locale
			}
		}
	}
	if t != nil {
		return t.Codes.Locale
	}
	return "en"
}

// viewOf shows a verification that is not approved.
func viewOf(l login, v verification.Verification, starts int, now time.Time) auth0View {
	view := auth0View{State: "over", Phone: v.Phone.String(), CanAgain: starts < maxStarts, Asked: l.session.Phone == "" && starts < maxStarts}
	switch v.State {
	case verification.Pending:
		view.State, view.Left, view.CanResend = "code", v.MaxAttempts-v.Attempts, v.Sends < v.MaxSends
		view.Wait = max(0, int(math.Ceil(v.NextSend.Sub(now).Seconds())))
	case verification.Expired:
		view.Alert = "expired"
	case verification.MaxAttemptsReached:
		view.Alert = "too_many"
	default:
		view.Alert = "canceled"
	}
	return view
}

// saying adds what is to be said about the last step: a key of the words, of which the query may choose a few.
func (v auth0View) saying(l login, said string) auth0View {
	words := auth0Words[l.locale]
	switch said {
	case "blocked", "opted_out", "no_starts", "number", "not_allowed":
		v.Alert = said
	case "wrong", "asked", "malformed", "too_soon", "no_sends":
		if v.State == "code" { // elsewhere the state says more
			v.Alert = said
		}
	case "sent":
		v.Notice = words[said]
	}
	v.Alert = words[v.Alert]
	return v
}

// renderAuth0 writes the form for the browser that asks.
func (s *Server) renderAuth0(c echo.Context, l login, view auth0View) error {
	known := s.meetBrowser(c, l)
	view.RedirectURI = l.redirectURI
	view.Token, view.LoginState, view.Proof = l.token, l.state, l.session.MAC(auth0FormField, known, l.state)
	return writeAuth0(c, http.StatusOK, l.tenant, l.locale, view, formAction)
}

// renderReturn writes the page that leads back to Auth0: by a form that its script submits, or by a refresh, which needs none. Neither is an answer to
// the code's own form, because browsers hold the redirects after a form to its page's form-action
// (https://www.w3.org/TR/CSP3/#directive-form-action), and Auth0 redirects on to the app, wherever that is. For the same reason this page, on which
// nobody types anything, says nothing about form-action when it has a form.
func (s *Server) renderReturn(c echo.Context, l login, token string, verified bool) error {
	a := l.tenant.Auth0
	query := url.Values{"state": {l.state}}
	directive := ""
	if a.Redirect {
		query.Set("session_token", token)
		directive = "; form-action 'none'"
	}
	view := auth0View{
		State: "return", Verified: verified, ReturnURL: a.ContinueURL(l.returnTo) + "?" + query.Encode(), ReturnToken: token, ByRedirect: a.Redirect,
	}
	return writeAuth0(c, http.StatusOK, l.tenant, l.locale, view, directive)
}

// refuseLogin says that there is no form. Only what is no refusal is logged as an error.
func (s *Server) refuseLogin(c echo.Context, err error) error {
	why := loginNotNow
	if known := new(refusal); errors.As(err, &known) {
		why = known
		err = nil
	}
	slug := knownSlug(s.Settings, c.Param("tenant"))
	if err != nil {
		s.Log.Error("auth0 form", "tenant", slug, "status", why.status, "error", err)
	} else {
		s.Log.Warn("auth0 form", "tenant", slug, "status", why.status, "reason", why.key)
	}
	t, ok := s.Settings.Tenants.Tenant(c.Param("tenant"))
	if !ok || !t.Auth0.HasForm() {
		t = nil
	}
	locale := pickLocale(t, c.Request().Header.Get("Accept-Language"))
	return writeAuth0(c, why.status, t, locale, auth0View{State: "refused", Alert: auth0Words[locale][why.key]}, formAction)
}

// formAction keeps what is typed into the form here.
const formAction = "; form-action 'self'"

// writeAuth0 writes the page of a tenant, nil for none.
func writeAuth0(c echo.Context, status int, t *tenant.Tenant, locale string, view auth0View, directive string) error {
	view.Lang, view.Words = locale, auth0Words[locale]
	if t != nil {
		view.Name, view.Logo = t.Name, t.Auth0.Logo
	}
	var page bytes.Buffer
	if err := auth0Page.Execute(&page, view); err != nil {
		return err
	}
	protectPage(c, t, directive)
	return c.HTMLBlob(status, page.Bytes())
}

// protectPage keeps the form out of caches, frames and referrers, and everything out of it that is not its own. There is no
// Cross-Origin-Opener-Policy: it would cut a log-in that runs in a popup off from the page that waits for it.
func protectPage(c echo.Context, t *tenant.Tenant, formAction string) {
	images := "'none'"
	if t != nil && t.Auth0.Logo != "" {
		images = origin(t.Auth0.Logo)
	}
	h := c.Response().Header()
	h.Set("Content-Security-Policy", "default-src 'none'; style-src 'self'; script-src 'self'; img-src "+images+"; base-uri 'none'; frame-ancestors 'none'"+formAction)
	h.Set("Cache-Control", "no-store")
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("X-Frame-Options", "DENY")
	h.Set("X-Robots-Tag", "noindex")
}

// showAuth0Theme serves the tenant's colors.
func (s *Server) showAuth0Theme(c echo.Context) error {
	t, ok := s.Settings.Tenants.Tenant(c.Param("tenant"))
	if !ok || !t.Auth0.HasForm() {
		return c.NoContent(http.StatusNotFound)
	}
	rule := func(color string) string {
		return ":root { --accent: " + color + "; --on-accent: " + tenant.OnColor(color) + "; }\n"
	}
	theme := ""
	if t.Auth0.Color != "" {
		theme += rule(t.Auth0.Color)
	}
	if dark := t.Auth0.ColorDark; dark != "" {
		theme += "@media (prefers-color-scheme: dark) { " + strings.TrimSpace(rule(dark)) + " }\n"
	}
	c.Response().Header().Set("Cache-Control", "public, max-age="+strconv.Itoa(int(session.MaxLife.Seconds())))
	c.Response().Header().Set("X-Content-Type-Options", "nosniff")
	return c.Blob(http.StatusOK, "text/css; charset=utf-8", []byte(theme))
}

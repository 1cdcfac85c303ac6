package auth0

import (
	"bytes"
	"errors"
	"fmt"
	"html/template"
	"math"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/labstack/echo/v4"

	"smsbridge/inbound/web"
	"smsbridge/internal/auth0"
	"smsbridge/internal/tenant"
	"smsbridge/internal/verification"
	"smsbridge/internal/wording"
)

// formView is what the form shows. Its words are those of the catalogue.
type formView struct {
	// State is ask (for the phone), code (for the code), over (there is no code to type), return or
	// refused.
	State string
	Plain bool // the code alone, without anything that the bridge knows about it

	Lang, Dir, Name, Logo      string
	Words                      map[string]string
	Token, LoginState, Proof   string // what the form posts back
	RedirectURI                string // and this, in the original sample's mode
	Phone                      string // masked
	Left                       int    // attempts that remain
	Wait                       int    // seconds until the code may be texted again
	CanResend, CanAgain, Asked bool   // Asked: the phone was typed here, and can be changed
	Alert, Notice              string

	Verified    bool
	ReturnURL   string
	ReturnToken string
	ByRedirect  bool
}

// formPage is read with the first form: most bridges show none.
var formPage = sync.OnceValue(func() *template.Template {
	return template.Must(template.New("form.html").
		Option("missingkey=error").
		Funcs(template.FuncMap{"fill": fill, "around": around}).
		ParseFS(pageFiles, "page/form.html"))
})

func fill(words, name string, value any) string {
	return strings.ReplaceAll(words, "{"+name+"}", fmt.Sprint(value))
}

// around returns the words before and after a value. The page marks a phone number as written from
// left to right: among Arabic words its plus sign would stand at its end.
func around(words, name string) [2]string {
	before, after, _ := strings.Cut(words, "{"+name+"}")
	return [2]string{before, after}
}

// pickLocale is the language of the form: the first of those asked for that the catalogue serves,
// each a list as wording.Match takes it. The tenant may insist on its own, which is also that of
// those whom the catalogue does not serve.
func pickLocale(t *tenant.Tenant, asked ...string) string {
	if t != nil {
		return t.FormLanguage(asked...)
	}
	for _, list := range asked {
		if language, ok := wording.Match(list); ok {
			return language
		}
	}
	return wording.English
}

// viewOf shows a log-in whose verification is not approved.
func viewOf(l login, s auth0.Standing, now time.Time) formView {
	v := s.Verification
	view := formView{
		State: "over", Phone: v.Phone.String(), CanAgain: s.More,
		Asked: l.AsksPhone() && s.More,
	}
	switch v.State {
	case verification.Pending:
		view.State, view.Left = "code", v.MaxAttempts-v.Attempts
		view.CanResend = v.Sends < v.MaxSends
		view.Wait = max(0, int(math.Ceil(v.NextSend.Sub(now).Seconds())))
	case verification.Expired:
		view.Alert = "expired"
	case verification.MaxAttemptsReached:
		view.Alert = "too_many"
	case verification.Failed:
		view.Alert = "not_sent"
		if view.Asked { // it was typed, so another one can be
			view.State = "ask"
		}
	default:
		view.Alert = "canceled"
	}
	return view
}

// saying adds the words about the last step. Said is their key; a query may choose a few.
func (v formView) saying(l login, said string) formView {
	words := wording.Form(l.Locale)
	switch said {
	case "blocked", "paused", "opted_out", "no_starts", "number", "not_allowed":
		v.Alert = said
	case "wrong", "asked", "malformed", "no_sends":
		if v.State == "code" { // elsewhere the state says more
			v.Alert = said
		}
	case "too_soon":
		if v.State == "code" || v.Alert == "" { // a limit may refuse the first text
			v.Alert = said
		}
	case "sent":
		v.Notice = words[said]
	}
	v.Alert = words[v.Alert]
	return v
}

// renderForm writes the form for the browser that asks.
func (d *Door) renderForm(c echo.Context, l login, view formView) error {
	known := d.meetBrowser(c, l)
	view.RedirectURI = l.redirectURI
	view.Token, view.LoginState = l.token, l.state
	view.Proof = l.Session.MAC(proofField, known, l.state)
	return writePage(c, http.StatusOK, l.Tenant, l.Locale, view, formAction)
}

// renderReturn writes the page that leads back to Auth0: by a form that its script submits, or by a
// refresh, which needs no script. The response to the code's form cannot be that form or a
// redirect: browsers check redirects after a form against the form-action of its page
// (https://www.w3.org/TR/CSP3/#directive-form-action), and Auth0 redirects on to the app, wherever
// that is. For the same reason this page sets no form-action when it has a form. No person types
// into it.
func (d *Door) renderReturn(c echo.Context, l login, token string, verified bool) error {
	a := l.Tenant.Auth0
	query := url.Values{"state": {l.state}}
	directive := ""
	if a.Redirect {
		query.Set("session_token", token)
		directive = "; form-action 'none'"
	}
	view := formView{
		State: "return", Verified: verified, ReturnToken: token, ByRedirect: a.Redirect,
		ReturnURL: a.ContinueURL(l.returnTo) + "?" + query.Encode(),
	}
	return writePage(c, http.StatusOK, l.Tenant, l.Locale, view, directive)
}

// refuseLogin writes the page that says why there is no form. An error that is not a refusal is
// logged as an error.
func (d *Door) refuseLogin(c echo.Context, err error) error {
	why := loginNotNow
	if known := new(refusal); errors.As(err, &known) {
		why = known
		err = nil
	}
	d.Reason(c, why.key)
	slug := web.KnownSlug(d.Settings, c.Param("tenant"))
	if err != nil {
		d.log(c, slug).Error("auth0 form", "status", why.status, "error", err)
	} else {
		d.log(c, slug).Warn("auth0 form", "status", why.status, "reason", why.key)
	}
	t, ok := d.Settings.Tenants.Tenant(c.Param("tenant"))
	if !ok || !t.Auth0.HasForm() {
		t = nil
	}
	locale := pickLocale(t, c.Request().Header.Get("Accept-Language"))
	view := formView{State: "refused", Alert: wording.Form(locale)[why.key]}
	return writePage(c, why.status, t, locale, view, formAction)
}

// formAction lets a browser post what is typed into the form to the bridge only.
const formAction = "; form-action 'self'"

// writePage writes the page of a tenant, nil for none.
func writePage(
	c echo.Context, status int, t *tenant.Tenant, locale string, view formView, directive string,
) error {
	view.Lang, view.Dir, view.Words = locale, wording.Direction(locale), wording.Form(locale)
	if t != nil {
		view.Name, view.Logo = t.Name, t.Auth0.Logo
	}
	var page bytes.Buffer
	if err := formPage().Execute(&page, view); err != nil {
		return err
	}
	protectPage(c, t, directive)
	return c.HTMLBlob(status, page.Bytes())
}

// protectPage keeps the form out of caches, frames and referrers, and lets the page load its own
// files only. There is no Cross-Origin-Opener-Policy: it would cut a log-in in a popup off from the
// page that waits for it.
func protectPage(c echo.Context, t *tenant.Tenant, formAction string) {
	images := "'none'"
	if t != nil && t.Auth0.Logo != "" {
		images = web.Origin(t.Auth0.Logo)
	}
	h := c.Response().Header()
	h.Set("Content-Security-Policy", "default-src 'none'; style-src 'self'; script-src 'self'; "+
		"img-src "+images+"; base-uri 'none'; frame-ancestors 'none'"+formAction)
	h.Set("Cache-Control", "no-store")
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("X-Frame-Options", "DENY")
	h.Set("X-Robots-Tag", "noindex")
}

// showTheme serves the tenant's colors.
func (d *Door) showTheme(c echo.Context) error {
	t, ok := d.Settings.Tenants.Tenant(c.Param("tenant"))
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
	life := strconv.Itoa(int(auth0.SessionLife.Seconds()))
	c.Response().Header().Set("Cache-Control", "public, max-age="+life)
	c.Response().Header().Set("X-Content-Type-Options", "nosniff")
	return c.Blob(http.StatusOK, "text/css; charset=utf-8", []byte(theme))
}

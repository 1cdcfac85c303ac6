package auth0

import (
	"crypto/hmac"
	"crypto/rand"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/labstack/echo/v4"

	"smsbridge/inbound/web"
	"smsbridge/internal/auth0"
	"smsbridge/internal/verification"
	"smsbridge/phonemail"
)

// This file reads a log-in at the form: which Auth0 tenant sent it, and which browser it is in.

const (
	maxState   = 2 << 10 // bytes of Auth0's state, which is opaque
	proofField = "form"
)

// login is a log-in that is at the form.
type login struct {
	auth0.Login
	token, state string // as they came
	returnTo     string // one of the tenant's domains
	redirectURI  string // as the original sample asked for it, "" otherwise
	known        string // the cookie of a browser that loaded the page before, "" for any other
	request      echo.Context
}

// about notes for the log which verification the request is about, if it has one.
func (l login) about(v verification.Verification) {
	if v.ID != "" {
		web.About(l.request, v.ID, v.Phone)
	}
}

// refusal is why a request gets no form: a key of the words, and a status.
type refusal struct {
	status int
	key    string
}

func (r *refusal) Error() string { return r.key }

// Refusals of the form.
var (
	loginClosed  = &refusal{http.StatusNotFound, "invalid"}
	loginInvalid = &refusal{http.StatusBadRequest, "invalid"}
	loginForeign = &refusal{http.StatusForbidden, "foreign"}
	loginExpired = &refusal{http.StatusGone, "login_expired"}
	loginUsed    = &refusal{http.StatusGone, "used"}
	loginNotNow  = &refusal{http.StatusServiceUnavailable, "unavailable"}
)

// readLogin proves that Auth0 sent a log-in here. The fields are of the query or of the posted
// form.
//
// No signature of Auth0's covers the state, and the return token carries it. So a browser's first
// load binds the token to its state: with another state, that browser is refused. Else a link could
// make it bring a verified phone into a log-in that an attacker began.
func (d *Door) readLogin(c echo.Context, fields url.Values) (login, error) {
	t, ok := d.Settings.Tenants.Tenant(c.Param("tenant"))
	if !ok || !t.Auth0.HasForm() {
		return login{}, loginClosed
	}
	token, one := web.Only(fields, "session_token")
	state, other := web.Only(fields, "state")
	if !one || !other || !plainState(state) {
		return login{}, loginInvalid
	}
	rules := auth0.TokenRules{Domains: t.Auth0.Domains}
	for _, secret := range t.Auth0.Secrets {
		rules.Secrets = append(rules.Secrets, secret.Reveal())
	}
	session, err := auth0.ParseSession(token, rules, d.Now())
	switch {
	case errors.Is(err, auth0.ErrExpired):
		return login{}, loginExpired
	case err != nil:
		return login{}, loginInvalid
	}
	languages := c.Request().Header.Get("Accept-Language")
	l := login{
		Login: auth0.Login{
			Tenant: t, Session: session, Locale: pickLocale(t, session.Locale, languages),
			Source: web.Source(c),
		},
		token: token, state: state, returnTo: session.Domain, request: c,
	}
	// The original sample names where it returns to. That must be one of the configured places.
	if t.Auth0.PassCode && fields.Has("redirect_uri") {
		l.redirectURI, _ = web.Only(fields, "redirect_uri")
		i := slices.IndexFunc(t.Auth0.Domains, func(domain string) bool {
			return l.redirectURI == t.Auth0.ContinueURL(domain)
		})
		if i < 0 {
			return login{}, loginInvalid
		}
		l.returnTo = t.Auth0.Domains[i]
	}
	if cookie, err := c.Cookie(d.cookie(l)); err == nil {
		if l.known = cookie.Value; !l.knows(l.known) {
			return login{}, loginForeign
		}
	}
	return l, nil
}

// plainState reports whether a text can be Auth0's state.
func plainState(state string) bool {
	control := func(r rune) bool { return r < ' ' || r == 0x7f }
	return state != "" && len(state) <= maxState && !strings.ContainsFunc(state, control)
}

// cookie is the name of the cookie of a log-in. Each log-in has its own, so that two tabs do not
// disturb each other. A plain name is for http, which only this very machine uses.
func (d *Door) cookie(l login) string {
	name := "auth0-" + l.Session.Digest[:16]
	if strings.HasPrefix(d.Settings.PublicURL, "https:") {
		name = "__Host-" + name
	}
	return name
}

// knows reports whether a cookie is of this log-in and its state.
func (l login) knows(cookie string) bool {
	seed, mac, _ := strings.Cut(cookie, ".")
	return hmac.Equal([]byte(mac), []byte(l.cookieMAC(seed)))
}

func (l login) cookieMAC(seed string) string { return l.Session.MAC("cookie", seed, l.state) }

// meetBrowser returns the cookie of a browser, and sets one if it has none.
func (d *Door) meetBrowser(c echo.Context, l login) string {
	if l.known != "" {
		return l.known
	}
	seed := rand.Text()
	value := seed + "." + l.cookieMAC(seed)
	c.SetCookie(&http.Cookie{
		Name: d.cookie(l), Value: value, Path: "/",
		MaxAge:   int((auth0.SessionLife + auth0.ReturnLife).Seconds()),
		HttpOnly: true, Secure: strings.HasPrefix(d.Settings.PublicURL, "https:"),
		SameSite: http.SameSiteLaxMode,
	})
	return value
}

// saidOf is the key of the words about an error that the person can do something about, "" for any
// other.
func saidOf(err error) string {
	switch {
	case errors.Is(err, verification.ErrCode):
		return "malformed"
	case errors.Is(err, verification.ErrTooSoon), errors.Is(err, verification.ErrLimited):
		return "too_soon"
	case errors.Is(err, verification.ErrBlocked):
		return "blocked"
	case errors.Is(err, verification.ErrPaused):
		return "paused"
	case errors.Is(err, verification.ErrSends):
		return "no_sends"
	case errors.Is(err, verification.ErrGone):
		return "gone"
	case errors.Is(err, verification.ErrOptedOut):
		return "opted_out"
	case errors.Is(err, auth0.ErrStarts):
		return "no_starts"
	case errors.Is(err, phonemail.ErrNumber):
		return "number"
	case errors.Is(err, phonemail.ErrCountry), errors.Is(err, phonemail.ErrType),
		errors.Is(err, phonemail.ErrInvalid):
		return "not_allowed"
	}
	return ""
}

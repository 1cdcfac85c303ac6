package inbound

import (
	"context"
	"crypto/hmac"
	"crypto/rand"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/labstack/echo/v4"

	"smsbridge/internal/session"
	"smsbridge/internal/store"
	"smsbridge/internal/store/db"
	"smsbridge/internal/tenant"
	"smsbridge/internal/verification"
	"smsbridge/phonemail"
)

// This file is a log-in at the form: who sent it there, which browser it is in, and the verifications it may have.

const (
	maxState       = 2 << 10 // bytes of Auth0's state, which is opaque
	maxStarts      = 3       // verifications of one log-in: mistyped numbers, and codes that ran out
	auth0FormField = "form"
)

// login is a log-in that is at the form.
type login struct {
	tenant       *tenant.Tenant
	session      session.Session
	token, state string // as they came
	returnTo     string // one of the tenant's domains
	redirectURI  string // as the original sample asked for it, "" otherwise
	locale       string
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

// errStarts says that a log-in has had all its verifications.
var errStarts = errors.New("no more codes for this log-in")

// readLogin proves that Auth0 sent a log-in here. The fields are of the query or of the posted form.
func (s *Server) readLogin(c echo.Context, fields url.Values) (login, error) {
	t, ok := s.Settings.Tenants.Tenant(c.Param("tenant"))
	if !ok || !t.Auth0.HasForm() {
		return login{}, loginClosed
	}
	token, one := only(fields, "session_token")
	state, other := only(fields, "state")
	if !one || !other || state == "" || len(state) > maxState || strings.ContainsFunc(state, func(r rune) bool { return r < ' ' || r == 0x7f }) {
		return login{}, loginInvalid
	}
	rules := session.Rules{Domains: t.Auth0.Domains}
	for _, secret := range t.Auth0.Secrets {
		rules.Secrets = append(rules.Secrets, secret.Reveal())
	}
	read, err := session.Parse(token, rules, s.Now())
	switch {
	case errors.Is(err, session.ErrExpired):
		return login{}, loginExpired
	case err != nil:
		return login{}, loginInvalid
	}
	l := login{
		tenant: t, session: read, token: token, state: state, returnTo: read.Domain,
		locale: pickLocale(t, read.Locale, c.Request().Header.Get("Accept-Language")),
	}
	if t.Auth0.PassCode && fields.Has("redirect_uri") { // of the original sample, which may only ask for what is configured
		l.redirectURI, _ = only(fields, "redirect_uri")
		i := slices.IndexFunc(t.Auth0.Domains, func(d string) bool { return l.redirectURI == t.Auth0.ContinueURL(d) })
		if i < 0 {
			return login{}, loginInvalid
		}
		l.returnTo = t.Auth0.Domains[i]
	}
	return l, nil
}

// cookie is the name of the cookie of a log-in. Each has its own, so that two tabs do not disturb each other. A plain name is for http, which is for
// this very machine only.
func (s *Server) cookie(l login) string {
	name := "auth0-" + l.session.Digest[:16]
	if strings.HasPrefix(s.Settings.PublicURL, "https:") {
		name = "__Host-" + name
	}
	return name
}

// knownBrowser returns the cookie of a browser that loaded the page before, "" for any other.
func (s *Server) knownBrowser(c echo.Context, l login) string {
	cookie, err := c.Cookie(s.cookie(l))
	if err != nil {
		return ""
	}
	seed, mac, _ := strings.Cut(cookie.Value, ".")
	if !hmac.Equal([]byte(mac), []byte(l.session.MAC("cookie", seed))) {
		return ""
	}
	return cookie.Value
}

// meetBrowser sets the cookie of a browser that has none.
func (s *Server) meetBrowser(c echo.Context, l login) string {
	if known := s.knownBrowser(c, l); known != "" {
		return known
	}
	seed := rand.Text()
	value := seed + "." + l.session.MAC("cookie", seed)
	c.SetCookie(&http.Cookie{
		Name: s.cookie(l), Value: value, Path: "/", MaxAge: int((session.MaxLife + session.ReturnLife).Seconds()),
		HttpOnly: true, Secure: strings.HasPrefix(s.Settings.PublicURL, "https:"), SameSite: http.SameSiteLaxMode,
	})
	return value
}

// openLogin returns the log-in's verification, started now if the token brought a phone, and how many there have been. It returns
// verification.ErrUnknown when the phone must be asked for.
func (s *Server) openLogin(ctx context.Context, l login) (v verification.Verification, starts int, err error) {
	find := func(ctx context.Context, tx store.View) (err error) {
		if v, err = verification.ByExternalID(ctx, tx, l.tenant.Slug, doorAuth0, l.session.Digest); err == nil {
			starts, err = l.starts(ctx, tx)
		}
		return err
	}
	err = s.Store.Read(ctx, find)
	if !errors.Is(err, verification.ErrUnknown) || l.session.Phone == "" {
		return v, starts, err
	}
	err = s.Store.Do(ctx, func(ctx context.Context, tx *store.Tx) error {
		if err := find(ctx, tx); !errors.Is(err, verification.ErrUnknown) {
			return err
		}
		phone, err := phonemail.ParseNumber(l.session.Phone)
		if err == nil {
			v, err = l.start(ctx, tx, phone, false)
			starts = 1
		}
		return err
	})
	return v, starts, err
}

func (l login) starts(ctx context.Context, tx store.View) (int, error) {
	n, err := tx.CountExternalVerifications(ctx, db.CountExternalVerificationsParams{Tenant: l.tenant.Slug, Door: doorAuth0, ExternalID: l.session.Digest})
	return int(n), err
}

// start texts a code to a phone. With replace it takes the place of the one before.
func (l login) start(ctx context.Context, tx *store.Tx, phone phonemail.Number, replace bool) (verification.Verification, error) {
	if err := l.tenant.Policy.Check(phone); err != nil {
		return verification.Verification{}, err
	}
	if n, err := l.starts(ctx, tx); err != nil || n >= maxStarts {
		return verification.Verification{}, errors.Join(err, errStarts)
	}
	request := verification.For(l.tenant, doorAuth0, phone)
	request.ExternalID, request.Replace, request.Locale, request.Wording = l.session.Digest, replace, l.locale, l.tenant.FormCodeText
	v, _, err := verification.Start(ctx, tx, request)
	return v, err
}

// readPhone reads a number as people type it: + or 00, the country code, and separators between the digits.
func readPhone(typed string) (phonemail.Number, error) {
	plain := strings.NewReplacer(" ", "", "\u00a0", "", "-", "", "(", "", ")", "", ".", "", "/", "").Replace(typed)
	if rest, ok := strings.CutPrefix(plain, "00"); ok {
		plain = "+" + rest
	}
	return phonemail.ParseNumber(plain)
}

// saidOf is the key of the words about an error that the person can do something about, "" for any other.
func saidOf(err error) string {
	switch {
	case errors.Is(err, verification.ErrCode):
		return "malformed"
	case errors.Is(err, verification.ErrTooSoon):
		return "too_soon"
	case errors.Is(err, verification.ErrBlocked):
		return "blocked"
	case errors.Is(err, verification.ErrSends):
		return "no_sends"
	case errors.Is(err, verification.ErrGone):
		return "gone"
	case errors.Is(err, verification.ErrOptedOut):
		return "opted_out"
	case errors.Is(err, errStarts):
		return "no_starts"
	case errors.Is(err, phonemail.ErrNumber):
		return "number"
	case errors.Is(err, phonemail.ErrCountry), errors.Is(err, phonemail.ErrType), errors.Is(err, phonemail.ErrInvalid):
		return "not_allowed"
	}
	return ""
}

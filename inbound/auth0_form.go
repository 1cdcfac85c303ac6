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
	"time"

	"github.com/labstack/echo/v4"

	"smsbridge/internal/session"
	"smsbridge/internal/store"
	"smsbridge/internal/store/db"
	"smsbridge/internal/tenant"
	"smsbridge/internal/verification"
	"smsbridge/phonemail"
)

// This file is the form to which an Auth0 Action sends a log-in, so that its phone is verified before it goes on.
//
// A session token is worth one text, however often its page is loaded: that a GET texts is Auth0's protocol, whose redirect is one, and the token is
// the authority for it. Everything else is posted, by the browser that loaded the page: its cookie and the form's own field belong together and to
// the token. The page always shows how the verification stands, so a reload, a second tab or a reply by text loses nothing; once it is approved, only
// a browser that loaded the page before gets the way back, and always the same one.

// doorAuth0 names the form in what it starts. A verification of the form is called by the digest of its session token.
const doorAuth0 = "auth0"

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
	l := login{t, read, token, state, read.Domain, pickLocale(t, read.Locale, c.Request().Header.Get("Accept-Language"))}
	if t.Auth0.PassCode && fields.Has("redirect_uri") { // of the original sample, which may only ask for what is configured
		uri, _ := only(fields, "redirect_uri")
		i := slices.IndexFunc(t.Auth0.Domains, func(d string) bool { return uri == t.Auth0.ContinueURL(d) })
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

// headAuth0Form does nothing for programs that only look ahead.
func (s *Server) headAuth0Form(c echo.Context) error {
	protectPage(c, nil, formAction)
	return c.NoContent(http.StatusOK)
}

// showAuth0Form shows how the verification of a log-in stands, and starts it when this is the first time.
func (s *Server) showAuth0Form(c echo.Context) error {
	l, err := s.readLogin(c, c.QueryParams())
	if err != nil {
		return s.refuseLogin(c, err)
	}
	if l.tenant.Auth0.PassCode {
		return s.renderAuth0(c, l, auth0View{State: "code", Plain: true}.saying(l, c.QueryParam("said")))
	}
	ctx, cancel := context.WithTimeout(c.Request().Context(), commitWait)
	defer cancel()
	v, starts, err := s.openLogin(ctx, l)
	switch {
	case errors.Is(err, verification.ErrUnknown):
		return s.renderAuth0(c, l, auth0View{State: "ask"}.saying(l, c.QueryParam("said")))
	case err != nil && saidOf(err) == "":
		return s.refuseLogin(c, err)
	case err != nil:
		return s.renderAuth0(c, l, auth0View{State: "over"}.saying(l, saidOf(err)))
	case v.State == verification.Approved:
		return s.returnVerified(c, l, v)
	}
	return s.renderAuth0(c, l, viewOf(l, v, starts, s.Now()).saying(l, c.QueryParam("said")))
}

// openLogin returns the log-in's verification, started now if the token brought a phone, and how many there have been. It returns
// verification.ErrUnknown when the phone must be asked for.
func (s *Server) openLogin(ctx context.Context, l login) (v verification.Verification, starts int, err error) {
	find := func(ctx context.Context, tx *store.Tx) (err error) {
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

func (l login) starts(ctx context.Context, tx *store.Tx) (int, error) {
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

// returnVerified leads a browser that loaded the page before back to Auth0.
func (s *Server) returnVerified(c echo.Context, l login, v verification.Verification) error {
	if s.knownBrowser(c, l) == "" || s.Now().Sub(v.Ended) >= session.ReturnLife {
		return s.refuseLogin(c, loginUsed)
	}
	return s.sendBack(c, l, session.Return{ID: v.ID, At: v.Ended, Phone: v.Phone.E164()})
}

func (s *Server) sendBack(c echo.Context, l login, r session.Return) error {
	r.Issuer, r.State = s.Settings.PublicURL, l.state
	token, err := l.session.Sign(r)
	if err != nil {
		return s.refuseLogin(c, err)
	}
	s.Log.Info("auth0 form", "tenant", l.tenant.Slug, "status", http.StatusOK, "returns", true, "verified", r.Phone != "")
	return s.renderReturn(c, l, token, r.Phone != "")
}

// useAuth0Form does what a button of the form says, and shows the page again.
func (s *Server) useAuth0Form(c echo.Context) error {
	fields, err := readOnce(c.Request())
	if err != nil {
		return s.refuseLogin(c, loginInvalid)
	}
	l, err := s.readLogin(c, fields)
	if err != nil {
		return s.refuseLogin(c, err)
	}
	known := s.knownBrowser(c, l)
	site := c.Request().Header.Get("Sec-Fetch-Site") // https://www.w3.org/TR/fetch-metadata/
	if known == "" || site != "" && site != "same-origin" || !hmac.Equal([]byte(fields.Get(auth0FormField)), []byte(l.session.MAC(auth0FormField, known, l.state))) {
		return s.refuseLogin(c, loginForeign)
	}
	ctx, cancel := context.WithTimeout(c.Request().Context(), commitWait)
	defer cancel()
	if l.tenant.Auth0.PassCode {
		return s.passCode(c, l, fields.Get("code"))
	}
	do := fields.Get("do")
	if do == "leave" {
		return s.leave(ctx, c, l)
	}
	said, err := s.act(ctx, l, do, fields)
	if err != nil {
		if said = saidOf(err); said == "" {
			return s.refuseLogin(c, err)
		}
	}
	s.Log.Info("auth0 form", "tenant", l.tenant.Slug, "status", http.StatusSeeOther, "said", said)
	query := url.Values{"session_token": {l.token}, "state": {l.state}}
	if said != "" {
		query.Set("said", said)
	}
	protectPage(c, l.tenant, formAction)
	return c.Redirect(http.StatusSeeOther, "verify?"+query.Encode())
}

// act does one step of a log-in, and returns what the page is to say about it.
func (s *Server) act(ctx context.Context, l login, do string, fields url.Values) (said string, err error) {
	var v verification.Verification
	var checked verification.Checked
	err = s.Store.Do(ctx, func(ctx context.Context, tx *store.Tx) (err error) {
		said, checked = "", verification.Checked{}
		v, err = verification.ByExternalID(ctx, tx, l.tenant.Slug, doorAuth0, l.session.Digest)
		if unknown := errors.Is(err, verification.ErrUnknown); unknown && do != "phone" {
			return nil // nothing was ever started, and the page says why
		} else if err != nil && !unknown {
			return err
		}
		switch {
		case v.State == verification.Approved: // the page leads back
		case do == "check":
			checked, err = verification.Check(ctx, tx, l.tenant.Slug, v.ID, fields.Get("code"))
		case do == "resend":
			said = "sent"
			_, err = verification.Resend(ctx, tx, l.tenant.Slug, v.ID, l.tenant.FormCodeText)
		case do == "again" && v.State != verification.Pending:
			_, err = l.start(ctx, tx, v.Phone, true)
		case do == "phone" && l.session.Phone == "":
			var phone phonemail.Number
			if phone, err = readPhone(fields.Get("phone")); err == nil {
				_, err = l.start(ctx, tx, phone, true)
			}
		}
		return err
	})
	if err != nil {
		return "", err
	}
	if checked, err = verification.Await(ctx, s.Store, checked); err != nil {
		return "", err
	}
	switch checked.Verdict {
	case verification.Wrong, verification.Blocked, verification.Asked:
		said = string(checked.Verdict)
	}
	return said, nil
}

// leave gives a log-in back to Auth0 without a verified phone; the Action decides what that means.
func (s *Server) leave(ctx context.Context, c echo.Context, l login) error {
	var v verification.Verification
	now := time.Time{}
	err := s.Store.Do(ctx, func(ctx context.Context, tx *store.Tx) (err error) {
		now = tx.Now()
		v, err = verification.ByExternalID(ctx, tx, l.tenant.Slug, doorAuth0, l.session.Digest)
		if err == nil && v.State == verification.Pending {
			v, err = verification.Cancel(ctx, tx, l.tenant.Slug, v.ID, "left")
		}
		if errors.Is(err, verification.ErrUnknown) {
			return nil
		}
		return err
	})
	switch {
	case err != nil:
		return s.refuseLogin(c, err)
	case v.State == verification.Approved:
		return s.returnVerified(c, l, v)
	case v.ID == "":
		v.ID, v.State = store.NewID(), verification.Canceled
	}
	return s.sendBack(c, l, session.Return{ID: v.ID, At: now, Reason: string(v.State)})
}

// passCode hands a code to the Action, which compares it.
func (s *Server) passCode(c echo.Context, l login, typed string) error {
	code, err := verification.ParseCode(typed)
	if err != nil {
		return s.renderAuth0(c, l, auth0View{State: "code", Plain: true}.saying(l, saidOf(err)))
	}
	token, err := l.session.SignCode(l.state, code, s.Now())
	if err != nil {
		return s.refuseLogin(c, err)
	}
	s.Log.Info("auth0 form", "tenant", l.tenant.Slug, "status", http.StatusOK, "returns", true)
	return s.renderReturn(c, l, token, true)
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

package operator

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"errors"
	"net/http"
	"net/netip"
	"net/url"
	"slices"

	"github.com/labstack/echo/v4"

	"smsbridge/inbound/web"
	"smsbridge/internal/operator"
	"smsbridge/internal/store"
	"smsbridge/internal/tenant"
)

// visitor is an operator who is known.
type visitor struct {
	Name    string
	Role    tenant.Role
	Token   string // of each form
	Proxied bool   // a proxy has logged the operator in, and no session is ours to end
	cookie  string
	stale   bool // the session's use is to be recorded
}

// MayAct reports whether the operator may do more than look.
func (v visitor) MayAct() bool { return v.Role == tenant.Act }

// errStranger: the request is of no operator who is known.
var errStranger = errors.New("operator: a stranger")

// errUnlisted: the proxy names an operator who is not in the settings.
var errUnlisted = errors.New("operator: not in operator_people")

// isUnknown reports whether who has found that a request is of no operator. Other errors say that
// it could not tell.
func isUnknown(err error) bool {
	return errors.Is(err, errStranger) || errors.Is(err, errUnlisted)
}

// who says whose request it is. It changes nothing.
func (d *Door) who(c echo.Context) (v visitor, err error) {
	if name, ok := d.proxied(c.Request()); ok {
		role, known := d.Settings.Operator.RoleOf(name)
		if !known {
			return visitor{}, errUnlisted
		}
		token, err := web.Read(c.Request().Context(), d.Store,
			func(_ context.Context, view store.View) (string, error) {
				return view.Fingerprint("operator form\x00" + name), nil
			})
		return visitor{Name: name, Role: role, Token: token, Proxied: true}, err
	}
	cookie, err := c.Cookie(d.cookieName())
	if err != nil || cookie.Value == "" {
		return visitor{}, errStranger
	}
	return web.Read(c.Request().Context(), d.Store,
		func(ctx context.Context, view store.View) (visitor, error) {
			s, err := operator.Find(ctx, view, cookie.Value)
			switch {
			case errors.Is(err, operator.ErrNoSession):
				return visitor{}, errStranger
			case err != nil: // whose it is cannot be said now
				return visitor{}, err
			}
			login, known := d.Settings.Operator.Login(s.Name)
			if !known || !s.Fits(view, login.Proof()) {
				return visitor{}, errStranger
			}
			return visitor{Name: login.Name, Role: login.Role, Token: formToken(cookie.Value),
				cookie: cookie.Value, stale: s.Stale}, nil
		})
}

// proxied is the name that a trusted proxy tells. The address is that of the connection, whatever
// headers say. A header that comes twice tells nothing.
func (d *Door) proxied(r *http.Request) (name string, ok bool) {
	o := d.Settings.Operator
	if o.Header == "" {
		return "", false
	}
	peer, err := netip.ParseAddrPort(r.RemoteAddr)
	if err != nil {
		return "", false
	}
	names := r.Header.Values(o.Header)
	for _, network := range o.Proxies {
		if network.Contains(peer.Addr().Unmap()) {
			return first(names), len(names) == 1 && names[0] != ""
		}
	}
	return "", false
}

func first(names []string) string {
	if len(names) == 0 {
		return ""
	}
	return names[0]
}

// formToken is what forms carry that go with a cookie.
func formToken(cookie string) string {
	mac := hmac.New(sha256.New, []byte(cookie))
	mac.Write([]byte("form"))
	return base64.RawURLEncoding.EncodeToString(mac.Sum(nil))
}

// holds reports whether a form has the token.
func holds(form url.Values, token string) bool {
	given, _ := web.Only(form, "token")
	return token != "" && subtle.ConstantTimeCompare([]byte(given), []byte(token)) == 1
}

// cookieName is the name of the session's cookie. One that begins with __Host- is taken by browsers
// from this very host alone, and over TLS.
//
// Source: RFC 6265bis section 4.1.3.2
func (d *Door) cookieName() string {
	if d.secure() {
		return "__Host-smsbridge-operator"
	}
	return "smsbridge-operator"
}

// setCookie gives the browser the token of a session, or takes it away.
func (d *Door) setCookie(c echo.Context, token string) {
	age := int(operator.Life.Seconds())
	if token == "" {
		age = -1
	}
	c.SetCookie(&http.Cookie{
		Name: d.cookieName(), Value: token, Path: "/", MaxAge: age, HttpOnly: true,
		Secure: d.secure(), SameSite: http.SameSiteStrictMode,
	})
}

// pageOf is a page for operators. It sends strangers to the login.
func (d *Door) pageOf(show func(c echo.Context, v visitor) error) echo.HandlerFunc {
	return func(c echo.Context) error {
		v, err := d.who(c)
		if err != nil {
			return d.turnAway(c, err)
		}
		if v.stale {
			_, err := web.Commit(c.Request().Context(), d.Store,
				func(ctx context.Context, tx *store.Tx) (struct{}, error) {
					return struct{}{}, operator.Touch(ctx, tx, v.cookie)
				})
			if err != nil {
				return d.fail(c, err)
			}
		}
		return show(c, v)
	}
}

// turnAway responds to whom the door does not know.
func (d *Door) turnAway(c echo.Context, err error) error {
	switch {
	case errors.Is(err, errUnlisted):
		return d.refuse(c, http.StatusForbidden, "You have no role here.",
			"Ask the person who runs the bridge to add your name to operator_people.", nil)
	case errors.Is(err, errStranger) && c.Request().Method == http.MethodGet:
		return c.Redirect(http.StatusSeeOther, "/operator/login")
	case errors.Is(err, errStranger):
		return d.refuse(c, http.StatusUnauthorized, "You are not logged in any more.",
			"Nothing was done. Log in and try again.", nil)
	}
	return d.fail(c, err)
}

// form is what an operator sends with a button.
type form struct {
	url.Values
	id string // of the path
	by visitor
}

// formOf reads the form of an operator who may act, or of any operator if see is true. Done says
// that the response is written.
func (d *Door) formOf(c echo.Context, v visitor, see bool) (f form, done bool, err error) {
	values, err := web.ReadOnce(c.Request())
	switch {
	case err != nil:
		return f, true, d.refuse(c, http.StatusBadRequest, "The form cannot be read.",
			"Nothing was done. What is longer goes by the command line.", &v)
	case !isTextOnly(values):
		return f, true, d.refuse(c, http.StatusBadRequest, "The form has bytes that are no text.",
			"Nothing was done. Write it in UTF-8.", &v)
	case !holds(values, v.Token):
		return f, true, d.refuse(c, http.StatusForbidden, "This form is too old, or not yours.",
			"Nothing was done. Open the page again, and press the button there.", &v)
	case !see && !v.MayAct():
		return f, true, d.refuse(c, http.StatusForbidden, "You may look, and not act.",
			"Nothing was done. Ask an operator whose role is act.", &v)
	}
	return form{values, c.Param("id"), v}, false, nil
}

// isTextOnly reports whether every database takes what a form says.
func isTextOnly(values url.Values) bool {
	for _, of := range values {
		if slices.ContainsFunc(of, func(said string) bool { return !store.IsText(said) }) {
			return false
		}
	}
	return true
}

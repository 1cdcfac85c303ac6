package operator

import (
	"context"
	"net/http"

	"github.com/labstack/echo/v4"

	"smsbridge/inbound/web"
	"smsbridge/internal/operator"
	"smsbridge/internal/store"
	"smsbridge/internal/tenant"
)

// loginData is what the page of the login shows.
type loginData struct {
	Passwords bool
	Wrong     string
}

// showLogin shows the login. The browser gets a cookie that proves nothing but that the form comes
// back from it.
func (d *Door) showLogin(c echo.Context) error {
	switch _, err := d.who(c); {
	case err == nil:
		return c.Redirect(http.StatusSeeOther, "/operator/cases")
	case !isUnknown(err): // a new cookie would end the session that the browser has
		return d.fail(c, err)
	}
	return d.renderLogin(c, http.StatusOK, "")
}

func (d *Door) renderLogin(c echo.Context, status int, wrong string) error {
	fresh := operator.NewToken()
	d.setCookie(c, fresh)
	return d.render(c, status, "login", page{
		Title: "Log in", Token: formToken(fresh),
		Data: loginData{len(d.Settings.Operator.Logins) > 0, wrong},
	})
}

// login opens a session for the right name and password. The session gets a token of its own: one
// that the browser had before, from whatever source, opens nothing.
func (d *Door) login(c echo.Context) error {
	values, err := web.ReadOnce(c.Request())
	cookie, missing := c.Cookie(d.cookieName())
	if err != nil || missing != nil || !holds(values, formToken(cookie.Value)) {
		return d.renderLogin(c, http.StatusForbidden, "The form was too old. Please try again.")
	}
	name, password, source := values.Get("name"), values.Get("password"), web.Source(c)
	ctx, cancel := web.Bound(c.Request().Context())
	defer cancel()
	slow, err := web.Commit(ctx, d.Store, func(ctx context.Context, tx *store.Tx) (bool, error) {
		return operator.Guess(ctx, tx, name, source)
	})
	if err != nil {
		return d.fail(c, err)
	}
	if slow {
		d.Log.Warn("operator login refused", "reason", "too many wrong passwords", "source", source)
		c.Response().Header().Set("Retry-After", "900")
		return d.renderLogin(c, http.StatusTooManyRequests,
			"There were too many wrong passwords. Wait for a quarter of an hour.")
	}
	l, fits, err := d.compare(ctx, name, password)
	if err != nil {
		return d.fail(c, err)
	}
	if !fits {
		d.Log.Warn("operator login refused", "reason", "wrong name or password", "source", source)
		return d.renderLogin(c, http.StatusUnauthorized, "The name or the password is wrong.")
	}
	return d.open(c, l, source)
}

// compare compares a password, one at a time: each costs a quarter of a second of a processor.
func (d *Door) compare(ctx context.Context, name, password string) (l tenant.Login, fits bool,
	err error,
) {
	select {
	case d.comparing <- struct{}{}:
		defer func() { <-d.comparing }()
	case <-ctx.Done():
		return l, false, ctx.Err()
	}
	l, fits = d.Settings.Operator.Fits(name, password)
	return l, fits, nil
}

func (d *Door) open(c echo.Context, l tenant.Login, source string) error {
	token := operator.NewToken()
	err := d.perform(c, visitor{Name: l.Name, Role: l.Role},
		func(ctx context.Context, tx *store.Tx) (operator.Act, error) {
			if err := operator.Right(ctx, tx, l.Name, source); err != nil {
				return operator.Act{}, err
			}
			return operator.Act{Act: "login", Detail: string(l.Role)},
				operator.Open(ctx, tx, token, l.Name, l.Proof())
		})
	if err != nil {
		return d.fail(c, err)
	}
	d.setCookie(c, token)
	return c.Redirect(http.StatusSeeOther, "/operator/cases")
}

// logout ends the session, so that a copy of its cookie opens nothing either.
func (d *Door) logout(c echo.Context) error {
	v, err := d.who(c)
	if err != nil {
		return d.turnAway(c, err)
	}
	if _, done, err := d.formOf(c, v, true); done {
		return err
	}
	err = d.perform(c, v, func(ctx context.Context, tx *store.Tx) (operator.Act, error) {
		return operator.Act{Act: "logout"}, operator.Close(ctx, tx, v.cookie)
	})
	if err != nil {
		return d.fail(c, err)
	}
	d.setCookie(c, "")
	return c.Redirect(http.StatusSeeOther, "/operator/login")
}

package auth0

import (
	"context"
	"crypto/hmac"
	"errors"
	"net/http"
	"net/url"

	"github.com/labstack/echo/v4"

	"smsbridge/inbound/web"
	"smsbridge/internal/auth0"
	"smsbridge/internal/store"
	"smsbridge/internal/verification"
)

// This file is the form to which an Auth0 Action sends a log-in, so that its phone is verified
// before the log-in goes on.
//
// A session token is worth one text, however often its page is loaded. That a GET causes a text is
// Auth0's protocol: its redirect is a GET, and the token permits the text. Everything else is
// posted, by the browser that loaded the page: its cookie and the form's proof field belong
// together, to the token and to the state. The page always shows how the verification stands, so a
// reload, a second tab or a reply by text loses nothing. Once the verification is approved, only a
// browser that loaded the page before gets the way back, and always the same one.

// headForm responds to programs that only look ahead, and does nothing.
func (d *Door) headForm(c echo.Context) error {
	protectPage(c, nil, formAction)
	return c.NoContent(http.StatusOK)
}

// showForm shows how the verification of a log-in stands. The first time, it starts the
// verification if the session token has a number.
func (d *Door) showForm(c echo.Context) error {
	l, err := d.readLogin(c, c.QueryParams())
	if err != nil {
		return d.refuseLogin(c, err)
	}
	said := c.QueryParam("said")
	if l.Tenant.Auth0.PassCode {
		return d.renderForm(c, l, formView{State: "code", Plain: true}.saying(l, said))
	}
	s, err := d.openLogin(c.Request().Context(), l)
	switch {
	case errors.Is(err, verification.ErrUnknown):
		if said == "" && l.Session.Phone != "" {
			said = "number" // Auth0 gave one that is none
		}
		return d.renderForm(c, l, formView{State: "ask"}.saying(l, said))
	case err != nil && saidOf(err) == "":
		return d.refuseLogin(c, err)
	case err != nil:
		return d.renderForm(c, l, formView{State: "over"}.saying(l, saidOf(err)))
	case s.Verification.State == verification.Approved:
		return d.returnVerified(c, l, s.Verification)
	}
	return d.renderForm(c, l, viewOf(l, s, d.Now()).saying(l, said))
}

// openLogin returns how a log-in stands, after it texted the first code if the session token has a
// number. It returns verification.ErrUnknown when the person must type the phone.
func (d *Door) openLogin(ctx context.Context, l login) (auth0.Standing, error) {
	ctx, cancel := web.Bound(ctx)
	defer cancel()
	s, err := web.Read(ctx, d.Store, l.Find)
	if errors.Is(err, verification.ErrUnknown) && !l.AsksPhone() {
		if s, err = web.Commit(ctx, d.Store, l.Open); err == nil {
			s.Verification, err = d.awaitSent(ctx, s.Verification)
		}
	}
	l.about(s.Verification)
	return s, err
}

// awaitSent waits a moment to hear whether a provider took a code, so that the page can say if none
// did.
func (d *Door) awaitSent(
	ctx context.Context, v verification.Verification,
) (verification.Verification, error) {
	ctx, cancel := d.AwaitSend(ctx)
	defer cancel()
	return verification.AwaitSent(ctx, d.Store, v)
}

// texting runs a step that may text a code, and waits a moment to hear what became of that. The
// step returns an id of "" when it texted none.
func (d *Door) texting(
	ctx context.Context, l login,
	step func(context.Context, *store.Tx) (verification.Verification, error),
) (texted bool, err error) {
	v, err := web.Commit(ctx, d.Store, step)
	l.about(v)
	if err != nil || v.ID == "" {
		return false, err
	}
	_, err = d.awaitSent(ctx, v)
	return true, err
}

// returnVerified leads a browser that loaded the page before back to Auth0.
func (d *Door) returnVerified(c echo.Context, l login, v verification.Verification) error {
	if l.known == "" || d.Now().Sub(v.Ended) >= auth0.ReturnLife {
		return d.refuseLogin(c, loginUsed)
	}
	return d.sendBack(c, l, auth0.Return{ID: v.ID, At: v.Ended, Phone: v.Phone.E164()})
}

// sendBack writes the page that leads back to Auth0 with a return token.
func (d *Door) sendBack(c echo.Context, l login, r auth0.Return) error {
	r.Issuer, r.State = d.Settings.PublicURL, l.state
	token, err := l.Session.Sign(r)
	if err != nil {
		return d.refuseLogin(c, err)
	}
	d.log(c, l.Tenant.Slug).Info("auth0 form", "status", http.StatusOK, "returns", true,
		"verified", r.Phone != "")
	return d.renderReturn(c, l, token, r.Phone != "")
}

// useForm does what a button of the form says, and shows the page again.
func (d *Door) useForm(c echo.Context) error {
	fields, err := web.ReadOnce(c.Request())
	if err != nil {
		return d.refuseLogin(c, loginInvalid)
	}
	l, err := d.readLogin(c, fields)
	if err != nil {
		return d.refuseLogin(c, err)
	}
	if !d.ownForm(c, l, fields.Get(proofField)) {
		return d.refuseLogin(c, loginForeign)
	}
	if l.Tenant.Auth0.PassCode {
		return d.passCode(c, l, fields.Get("code"))
	}
	ctx, cancel := web.Bound(c.Request().Context())
	defer cancel()
	if fields.Get("do") == "leave" {
		return d.leave(ctx, c, l)
	}
	said, err := d.act(ctx, l, fields)
	if err != nil {
		if said = saidOf(err); said == "" {
			return d.refuseLogin(c, err)
		}
	}
	d.log(c, l.Tenant.Slug).Info("auth0 form", "status", http.StatusSeeOther, "said", said)
	query := url.Values{"session_token": {l.token}, "state": {l.state}}
	if said != "" {
		query.Set("said", said)
	}
	protectPage(c, l.Tenant, formAction)
	return c.Redirect(http.StatusSeeOther, "verify?"+query.Encode())
}

// ownForm reports whether a form was posted by the browser that loaded it, from our page.
func (d *Door) ownForm(c echo.Context, l login, proof string) bool {
	site := c.Request().Header.Get("Sec-Fetch-Site") // https://www.w3.org/TR/fetch-metadata/
	if l.known == "" || site != "" && site != "same-origin" {
		return false
	}
	return hmac.Equal([]byte(proof), []byte(l.Session.MAC(proofField, l.known, l.state)))
}

// act does one step of a log-in, and returns the key of the words that the page says about it.
func (d *Door) act(ctx context.Context, l login, fields url.Values) (said string, err error) {
	switch fields.Get("do") {
	case "check":
		return d.check(ctx, l, fields.Get("code"))
	case "resend":
		resent, err := d.texting(ctx, l, l.Resend)
		if err != nil || !resent {
			return "", err
		}
		return "sent", nil
	case "again":
		_, err = d.texting(ctx, l, l.Again)
	case "phone":
		_, err = d.texting(ctx, l,
			func(ctx context.Context, tx *store.Tx) (verification.Verification, error) {
				return l.SetPhone(ctx, tx, fields.Get("phone"))
			})
	}
	return "", err
}

// check presents a code, and waits for Twilio Verify if the code is Verify's.
func (d *Door) check(ctx context.Context, l login, code string) (said string, err error) {
	checked, err := web.Commit(ctx, d.Store,
		func(ctx context.Context, tx *store.Tx) (verification.Checked, error) {
			return l.Check(ctx, tx, code)
		})
	l.about(checked.Verification)
	if err == nil {
		checked, err = verification.Await(ctx, d.Store, checked)
	}
	if err != nil {
		return "", err
	}
	switch checked.Verdict {
	case verification.Wrong, verification.Blocked, verification.Paused, verification.Asked:
		return string(checked.Verdict), nil
	}
	return "", nil
}

// leave gives a log-in back to Auth0 without a verified phone. The Action decides what that means.
func (d *Door) leave(ctx context.Context, c echo.Context, l login) error {
	left, err := web.Commit(ctx, d.Store, l.Leave)
	v := left.Verification
	l.about(v)
	switch {
	case err != nil:
		return d.refuseLogin(c, err)
	case v.State == verification.Approved:
		return d.returnVerified(c, l, v)
	}
	return d.sendBack(c, l, auth0.Return{ID: v.ID, At: left.At, Reason: string(v.State)})
}

// passCode hands a code to the Action, which compares it.
func (d *Door) passCode(c echo.Context, l login, typed string) error {
	code, err := verification.ParseCode(typed)
	if err != nil {
		return d.renderForm(c, l, formView{State: "code", Plain: true}.saying(l, saidOf(err)))
	}
	token, err := l.Session.SignCode(l.state, code, d.Now())
	if err != nil {
		return d.refuseLogin(c, err)
	}
	d.Log.Info("auth0 form", "tenant", l.Tenant.Slug, "status", http.StatusOK, "returns", true)
	return d.renderReturn(c, l, token, true)
}

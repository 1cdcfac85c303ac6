package inbound

import (
	"context"
	"crypto/hmac"
	"errors"
	"net/http"
	"net/url"
	"time"

	"github.com/labstack/echo/v4"

	"smsbridge/internal/auth0"
	"smsbridge/internal/store"
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

// returnVerified leads a browser that loaded the page before back to Auth0.
func (s *Server) returnVerified(c echo.Context, l login, v verification.Verification) error {
	if s.knownBrowser(c, l) == "" || s.Now().Sub(v.Ended) >= auth0.ReturnLife {
		return s.refuseLogin(c, loginUsed)
	}
	return s.sendBack(c, l, auth0.Return{ID: v.ID, At: v.Ended, Phone: v.Phone.E164()})
}

func (s *Server) sendBack(c echo.Context, l login, r auth0.Return) error {
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
	return s.sendBack(c, l, auth0.Return{ID: v.ID, At: now, Reason: string(v.State)})
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

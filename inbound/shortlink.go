package inbound

import (
	"bytes"
	"context"
	"embed"
	"errors"
	"html/template"
	"net/http"
	"strings"

	"github.com/labstack/echo/v4"

	"smsbridge/inbound/web"
	"smsbridge/internal/challenge"
	"smsbridge/internal/reply"
	"smsbridge/internal/shortlink"
	"smsbridge/internal/store"
	"smsbridge/internal/wording"
)

//go:embed page
var pageFiles embed.FS

var shortLinkPage = template.Must(template.ParseFS(pageFiles, "page/short_link.html"))

// shortLinkView is what the page of a short link shows.
type shortLinkView struct {
	Title, Name, Text string
	Button            string // "" for none
	Waiting           bool   // the page asks again by itself
	leadsTo           string // origin that the button may lead to
}

// showShortLink shows the page of a short link. It changes nothing: previews and scanners open
// links too.
func (s *Server) showShortLink(c echo.Context) error {
	view, err := web.Read(c.Request().Context(), s.Store,
		func(ctx context.Context, tx store.View) (shortLinkView, error) {
			return s.viewShortLink(ctx, tx, c.Param("token"))
		})
	if err != nil {
		return s.refuseShortLink(c, err)
	}
	return s.renderShortLink(c, http.StatusOK, view)
}

// useShortLink does what the button says: it accepts the question, or leads on.
func (s *Server) useShortLink(c echo.Context) error {
	if !s.ownButton(c.Request()) {
		return s.renderShortLink(c, http.StatusForbidden, shortLinkView{
			Title: "Not from here", Name: "Not from here",
			Text: "Another page tried to press this button. Please open the link in the text again.",
		})
	}
	l, err := web.Commit(c.Request().Context(), s.Store,
		func(ctx context.Context, tx *store.Tx) (shortlink.Link, error) {
			return reply.Tap(ctx, tx, c.Param("token"))
		})
	if err != nil {
		return s.refuseShortLink(c, err)
	}
	s.Log.Info(
		"short link",
		"tenant",
		l.Tenant,
		"status",
		http.StatusSeeOther,
		"leads_on",
		l.URL != "",
	)
	c.Response().Header().Set("Cache-Control", "no-store")
	c.Response().Header().Set("Referrer-Policy", "no-referrer")
	if l.URL != "" {
		return c.Redirect(http.StatusSeeOther, l.URL)
	}
	// back to the page, which says how it goes
	return c.Redirect(http.StatusSeeOther, c.Param("token"))
}

// ownButton reports whether a request may be the button of our own page, and not another page's.
// The token alone is the authority; this keeps a page that learned one from having it pressed.
// Browsers say where a request comes from (https://www.w3.org/TR/fetch-metadata/), older ones by
// the Origin alone. Programs say neither.
func (s *Server) ownButton(r *http.Request) bool {
	if site := r.Header.Get("Sec-Fetch-Site"); site != "" {
		return site == "same-origin" || site == "none"
	}
	origin := r.Header.Get("Origin")
	own := web.Origin(s.Settings.PublicURL)
	return origin == "" || strings.EqualFold(origin, own)
}

func (s *Server) viewShortLink(
	ctx context.Context,
	tx store.View,
	token string,
) (shortLinkView, error) {
	l, err := shortlink.Get(ctx, tx, token)
	if err != nil {
		return shortLinkView{}, err
	}
	t, ok := s.Settings.Tenants.Tenant(l.Tenant)
	if !ok {
		return shortLinkView{}, shortlink.ErrGone
	}
	view := shortLinkView{Title: t.Name, Name: t.Name}
	if l.ChallengeID == "" {
		view.Text, view.Button = "You asked "+t.Name+" for this.", "Continue to "+t.Name
		view.leadsTo = web.Origin(l.URL)
		return view, nil
	}
	c, err := challenge.Get(ctx, tx, l.ChallengeID)
	if err != nil {
		return shortLinkView{}, err
	}
	switch c.State {
	case challenge.Open:
		view.Text, view.Button = "Have you just set up an account?", "Yes, confirm my account"
		if c.Purpose == challenge.Password {
			view.Text, view.Button = "Have you just asked for a new "+
				"password?", "Yes, confirm my new password"
		}
	case challenge.Accepted, challenge.Clicking:
		view.Text, view.Waiting = "One moment, please …", true
	case challenge.Confirmed, challenge.Failed:
		view.Text = t.Say(challenge.Saying(c.Purpose, c.Outcome), wording.Fill{})
	default:
		view.Text = t.Say(wording.Late, wording.Fill{})
	}
	return view, nil
}

func (s *Server) refuseShortLink(c echo.Context, err error) error {
	if errors.Is(err, shortlink.ErrGone) {
		return s.renderShortLink(c, http.StatusGone, shortLinkView{
			Title: "Too late", Name: "Too late",
			Text: "This link leads nowhere any more. Please start again where you came from.",
		})
	}
	s.Log.Error("short link", "error", err)
	return s.renderShortLink(c, http.StatusServiceUnavailable, shortLinkView{
		Title: "Try again", Name: "Try again",
		Text: "This does not work just now. Please try again in a minute.",
	})
}

// renderShortLink writes the page with headers that keep it out of caches, frames and the referrers
// of other sites. It may be told as the origin of its own button: under "no-referrer" browsers send
// "null" (https://fetch.spec.whatwg.org/#append-a-request-origin-header).
//
// Browsers apply form-action to the redirect after the form as well
// (https://www.w3.org/TR/CSP3/#directive-form-action), so it names where the button leads.
func (s *Server) renderShortLink(c echo.Context, status int, view shortLinkView) error {
	var page bytes.Buffer
	if err := shortLinkPage.Execute(&page, view); err != nil {
		return err
	}
	h := c.Response().Header()
	h.Set("Content-Security-Policy", "default-src 'none'; style-src 'self'; base-uri 'none'; "+
		"frame-ancestors 'none'; form-action 'self' "+view.leadsTo)
	h.Set("Cache-Control", "no-store")
	h.Set("Referrer-Policy", "same-origin")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("X-Robots-Tag", "noindex")
	return c.HTMLBlob(status, page.Bytes())
}

func (s *Server) showPageStyle(c echo.Context) error {
	style, err := pageFiles.ReadFile("page/page.css")
	if err != nil {
		return err
	}
	c.Response().Header().Set("Cache-Control", "public, max-age=3600")
	return c.Blob(http.StatusOK, "text/css; charset=utf-8", style)
}

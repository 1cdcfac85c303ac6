package inbound

import (
	"bytes"
	"context"
	"embed"
	"errors"
	"html/template"
	"net/http"
	"net/url"

	"github.com/labstack/echo/v4"

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

// showShortLink shows the page of a short link. It changes nothing: previews and scanners open links too.
func (s *Server) showShortLink(c echo.Context) error {
	var view shortLinkView
	err := s.Store.Read(c.Request().Context(), func(ctx context.Context, tx *store.Tx) (err error) {
		view, err = s.viewShortLink(ctx, tx, c.Param("token"))
		return err
	})
	if err != nil {
		return s.refuseShortLink(c, err)
	}
	return s.renderShortLink(c, http.StatusOK, view)
}

// useShortLink does what the button says: it accepts the question, or leads on.
func (s *Server) useShortLink(c echo.Context) error {
	ctx, cancel := context.WithTimeout(c.Request().Context(), commitWait)
	defer cancel()
	var l shortlink.Link
	err := s.Store.Do(ctx, func(ctx context.Context, tx *store.Tx) (err error) {
		l, err = reply.Tap(ctx, tx, c.Param("token"))
		return err
	})
	if err != nil {
		return s.refuseShortLink(c, err)
	}
	s.Log.Info("short link", "tenant", l.Tenant, "status", http.StatusSeeOther, "leads_on", l.URL != "")
	c.Response().Header().Set("Cache-Control", "no-store")
	c.Response().Header().Set("Referrer-Policy", "no-referrer")
	if l.URL != "" {
		return c.Redirect(http.StatusSeeOther, l.URL)
	}
	return c.Redirect(http.StatusSeeOther, c.Param("token")) // back to the page, which says how it goes
}

func (s *Server) viewShortLink(ctx context.Context, tx *store.Tx, token string) (shortLinkView, error) {
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
		view.Text, view.Button, view.leadsTo = "You asked "+t.Name+" for this.", "Continue to "+t.Name, origin(l.URL)
		return view, nil
	}
	c, err := tx.GetChallenge(ctx, l.ChallengeID)
	if err != nil {
		return shortLinkView{}, err
	}
	switch state := challenge.State(c.State); state {
	case challenge.Open:
		view.Text, view.Button = "Have you just set up an account?", "Yes, confirm my account"
		if challenge.Purpose(c.Purpose) == challenge.Password {
			view.Text, view.Button = "Have you just asked for a new password?", "Yes, confirm my new password"
		}
	case challenge.Accepted, challenge.Clicking:
		view.Text, view.Waiting = "One moment, please …", true
	case challenge.Confirmed, challenge.Failed:
		view.Text = t.Say(challenge.Saying(challenge.Purpose(c.Purpose), c.Outcome), wording.Fill{})
	default:
		view.Text = t.Say(wording.Late, wording.Fill{})
	}
	return view, nil
}

// origin is the scheme and host of a URL, for the page's content security policy.
func origin(link string) string {
	u, err := url.Parse(link)
	if err != nil {
		return ""
	}
	return u.Scheme + "://" + u.Host
}

func (s *Server) refuseShortLink(c echo.Context, err error) error {
	if errors.Is(err, shortlink.ErrGone) {
		return s.renderShortLink(c, http.StatusGone, shortLinkView{Title: "Too late", Name: "Too late", Text: "This link leads nowhere any more. Please start again where you came from."})
	}
	s.Log.Error("short link", "error", err)
	return s.renderShortLink(c, http.StatusServiceUnavailable, shortLinkView{Title: "Try again", Name: "Try again", Text: "This does not work just now. Please try again in a minute."})
}

// renderShortLink writes the page with headers that keep it out of caches, frames and referrers. Browsers apply form-action to the redirect after
// the form as well (https://www.w3.org/TR/CSP3/#directive-form-action), so that it names where the button leads.
func (s *Server) renderShortLink(c echo.Context, status int, view shortLinkView) error {
	var page bytes.Buffer
	if err := shortLinkPage.Execute(&page, view); err != nil {
		return err
	}
	h := c.Response().Header()
	h.Set("Content-Security-Policy", "default-src 'none'; style-src 'self'; base-uri 'none'; frame-ancestors 'none'; form-action 'self' "+view.leadsTo)
	h.Set("Cache-Control", "no-store")
	h.Set("Referrer-Policy", "no-referrer")
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

package inbound

import (
	"bytes"
	"context"
	"embed"
	"errors"
	"html/template"
	"net/http"
	"strings"
	"sync"

	"github.com/labstack/echo/v4"

	"smsbridge/inbound/web"
	"smsbridge/internal/challenge"
	"smsbridge/internal/reply"
	"smsbridge/internal/shortlink"
	"smsbridge/internal/store"
	"smsbridge/internal/tenant"
	"smsbridge/internal/wording"
)

//go:embed page
var pageFiles embed.FS

// shortLinkPage is read with the first page.
var shortLinkPage = sync.OnceValue(func() *template.Template {
	return template.Must(template.ParseFS(pageFiles, "page/short_link.html"))
})

// shortLinkView is what the page of a short link shows.
type shortLinkView struct {
	Title, Name, Text string
	Button            string // "" for none
	NotYou            string // what to do when it was not the person who asked, below the button
	Lang, Dir         string // of the page
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
		return s.renderShortLink(c, http.StatusForbidden, notice(c, "foreign"))
	}
	l, err := web.Commit(c.Request().Context(), s.Store,
		func(ctx context.Context, tx *store.Tx) (reply.Tapped, error) {
			l, err := reply.Tap(ctx, tx, c.Param("token"))
			if _, known := s.Settings.Tenants.Tenant(l.Tenant); err == nil && !known {
				err = shortlink.ErrGone // there are no words in which to say how it went
			}
			return l, err
		})
	if err != nil {
		return s.refuseShortLink(c, err)
	}
	attrs := []any{"tenant", l.Tenant}
	if l.ChallengeID != "" {
		attrs = append(attrs, "case", l.ChallengeID, "phone", l.Phone)
	}
	s.isAbout(c, attrs)
	s.Log.Info("short link",
		append(attrs, "status", http.StatusSeeOther, "leads_on", l.URL != "")...)
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
	if l.ChallengeID == "" {
		view := pageOf(t, l.Language)
		view.Text = wording.Page(view.Lang, "relay", "name", t.Name)
		view.Button = wording.Page(view.Lang, "relay_button", "name", t.Name)
		view.leadsTo = web.Origin(l.URL)
		return view, nil
	}
	c, err := challenge.Get(ctx, tx, l.ChallengeID)
	if err != nil {
		return shortLinkView{}, err
	}
	view := pageOf(t, c.Language)
	switch c.State {
	case challenge.Open:
		about := "registration"
		if c.Purpose == challenge.Password {
			about = "password"
		}
		view.Text = wording.Page(view.Lang, about)
		view.Button = wording.Page(view.Lang, about+"_button")
	case challenge.Accepted, challenge.Clicking:
		view.Text, view.Waiting = wording.Page(view.Lang, "wait"), true
	case challenge.Confirmed, challenge.Failed:
		view.Text = t.Say(view.Lang, challenge.Saying(c.Purpose, c.Outcome), wording.Fill{})
	default:
		view.Text = t.Say(view.Lang, challenge.OverSaying(c), wording.Fill{})
	}
	return view, nil
}

// pageOf is a page of a tenant in the language that its row has kept.
func pageOf(t *tenant.Tenant, kept string) shortLinkView {
	language := t.LanguageOf(kept)
	return shortLinkView{
		Title: t.Name, Name: t.Name, Lang: language, Dir: wording.Direction(language),
		NotYou: wording.Page(language, "not_you"),
	}
}

func (s *Server) refuseShortLink(c echo.Context, err error) error {
	if errors.Is(err, shortlink.ErrGone) {
		return s.renderShortLink(c, http.StatusGone, notice(c, "gone"))
	}
	s.Log.Error("short link", "error", err)
	view := notice(c, "again")
	view.Text = wording.Form(view.Lang)["unavailable"]
	return s.renderShortLink(c, http.StatusServiceUnavailable, view)
}

// notice is a page about no short link, in the browser's language: nothing else is known.
func notice(c echo.Context, key string) shortLinkView {
	language, ok := wording.Match(c.Request().Header.Get("Accept-Language"))
	if !ok {
		language = wording.English
	}
	title := wording.Page(language, key+"_title")
	return shortLinkView{
		Title: title, Name: title, Text: wording.Page(language, key),
		Lang: language, Dir: wording.Direction(language),
	}
}

// renderShortLink writes the page with headers that keep it out of caches, frames and the referrers
// of other sites. It may be told as the origin of its own button: under "no-referrer" browsers send
// "null" (https://fetch.spec.whatwg.org/#append-a-request-origin-header).
//
// Browsers apply form-action to the redirect after the form as well
// (https://www.w3.org/TR/CSP3/#directive-form-action), so it names where the button leads.
func (s *Server) renderShortLink(c echo.Context, status int, view shortLinkView) error {
	var page bytes.Buffer
	if err := shortLinkPage().Execute(&page, view); err != nil {
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

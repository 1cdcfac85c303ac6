// Package operator is the door of the people who look after the bridge: its pages at /operator.
//
// It has a listener of its own, since the public one is for the world. An operator logs in with a
// password, or through a proxy that has done so and names the operator in a header. The role see
// looks, and reads masked numbers. The role act does all that the pages offer.
//
// The pages show the cases, how far mails came, limits and holds, and what failed: jobs and
// callbacks. They show opt-outs, texts, the replicas, the settings, and what operators did, too.
//
// It promises:
//
//   - Strangers get the login and the look of the pages, and nothing else.
//   - A page of another site makes no operator act: the origin of each form is compared, and each
//     form has a token of the session. Nothing that a GET asks for changes anything.
//   - No number is in an address or in the log. A whole one is shown to the role act, on demand.
//   - Each act is recorded with its operator, in the transaction that does it.
//   - Whatever rows hold is shown as text. No page has a script or style of its own.
package operator

import (
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"sync/atomic"

	"github.com/labstack/echo/v4"

	"smsbridge/inbound/web"
	"smsbridge/internal/store"
)

// Door is the pages for operators.
type Door struct {
	web.Edge
	// Version is which smsbridge this is.
	Version string
	// Over reports whether no page should be followed any more: the bridge is about to stop, or has
	// other settings than these.
	Over func() bool
	// TryMail is what a worker says of a mail.
	TryMail TryMail
	// Hall is where mails come, for a rehearsal.
	Hall func() http.Handler

	comparing chan struct{} // of the one password that is compared at a time
	streams   atomic.Int32
}

// Route adds the pages. All others find nothing.
func (d *Door) Route(e *echo.Echo) error {
	origins := http.NewCrossOriginProtection()
	if own := d.Settings.Operator.URL; own != "" {
		if err := origins.AddTrustedOrigin(own); err != nil {
			return fmt.Errorf("operator: the address of the pages: %w", err)
		}
	}
	d.comparing = make(chan struct{}, 1)
	e.Use(d.protect(origins))
	e.GET("/operator/style.css", web.ShowFile(pageFiles, "page/style.css", "text/css; charset=utf-8"))
	e.GET("/operator/script.js",
		web.ShowFile(pageFiles, "page/script.js", "text/javascript; charset=utf-8"))
	home := func(c echo.Context) error { return c.Redirect(http.StatusSeeOther, "/operator/cases") }
	e.GET("/", home)
	e.GET("/operator", home)
	e.GET("/operator/login", d.showLogin)
	e.POST("/operator/login", d.login)
	e.POST("/operator/logout", d.logout)
	d.routePages(e)
	return nil
}

// protect refuses requests to hosts that are not the pages', and forms of other sites. It keeps the
// pages out of caches, frames and the referrers of other sites.
func (d *Door) protect(origins *http.CrossOriginProtection) echo.MiddlewareFunc {
	return func(next echo.HandlerFunc) echo.HandlerFunc {
		return func(c echo.Context) error {
			h := c.Response().Header()
			h.Set("Content-Security-Policy", "default-src 'none'; style-src 'self'; script-src 'self'; "+
				"connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'")
			h.Set("Cache-Control", "no-store")
			h.Set("Referrer-Policy", "same-origin")
			h.Set("X-Content-Type-Options", "nosniff")
			h.Set("X-Frame-Options", "DENY")
			h.Set("X-Robots-Tag", "noindex")
			if !d.ownHost(c.Request().Host) {
				return d.refuse(c, http.StatusMisdirectedRequest, "This is not the address of these pages.",
					"The setting operator_url says which one is.", nil)
			}
			if err := origins.Check(c.Request()); err != nil {
				return d.refuse(c, http.StatusForbidden, "This form is not of these pages.",
					"Nothing was done. Open the page here and try again.", nil)
			}
			var err error = echo.ErrNotFound
			if isText(c.Request().URL) {
				err = next(c)
			}
			var status *echo.HTTPError
			if errors.As(err, &status) {
				return d.refuse(c, status.Code, "There is no such page.", "", nil)
			}
			return err
		}
	}
}

// isText reports whether an address has nothing that a database cannot look for. No page has
// an address or an id like that.
func isText(u *url.URL) bool {
	query, err := url.QueryUnescape(u.RawQuery)
	return err == nil && store.IsText(u.Path) && store.IsText(query)
}

// ownHost reports whether a request is to the pages' own host: the one that is set, or else this
// machine. A name that another site has pointed here is neither.
func (d *Door) ownHost(host string) bool {
	if own := d.Settings.Operator.URL; own != "" {
		u, err := url.Parse(own)
		return err == nil && strings.EqualFold(host, u.Host)
	}
	name, _, err := net.SplitHostPort(host)
	if err != nil {
		name = host
	}
	ip, err := netip.ParseAddr(strings.Trim(name, "[]"))
	return strings.EqualFold(name, "localhost") || err == nil && ip.IsLoopback()
}

// secure reports whether browsers reach the pages over TLS.
func (d *Door) secure() bool { return strings.HasPrefix(d.Settings.Operator.URL, "https:") }

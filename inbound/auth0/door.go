// Package auth0 is four doors of a tenant, for Auth0:
//
//	/auth0/{tenant}/verify    the form for a log-in that an Action sends, proved by a session token
//	/auth0/{tenant}/phone     the phone provider: Auth0's own codes and texts, proved by a key
//	/auth0/{tenant}/feedback  an Action tells that a code was right, proved by the same key
//	/auth0/{tenant}/stream    log and event streams tell the same, proved by a token
//
// A door whose proof is not configured responds as if there were no such tenant. The Actions are in
// deploy/auth0, and the rules in internal/auth0.
package auth0

import (
	"embed"
	"errors"
	"log/slog"

	"github.com/labstack/echo/v4"

	"smsbridge/inbound/web"
	"smsbridge/internal/tenant"
)

//go:embed page
var pageFiles embed.FS

// Door is the four doors, for all tenants.
type Door struct {
	web.Edge
}

// Route adds the paths of the doors.
func (d *Door) Route(e *echo.Echo) {
	e.GET("/auth0/:tenant/verify", d.showForm)
	e.HEAD("/auth0/:tenant/verify", d.headForm)
	e.POST("/auth0/:tenant/verify", d.useForm)
	e.POST("/auth0/:tenant/phone", d.receiveNotification)
	e.POST("/auth0/:tenant/feedback", d.receiveFeedback)
	e.POST("/auth0/:tenant/stream", d.receiveStream)
	e.GET("/auth0/:tenant/theme.css", d.showTheme)
	e.GET("/auth0/form.css", web.ShowFile(pageFiles, "page/form.css", "text/css; charset=utf-8"))
	e.GET("/auth0/form.js", web.ShowFile(pageFiles, "page/form.js", "text/javascript; charset=utf-8"))
}

// proveAction returns the tenant whose Action makes the request, and the key that proves it.
func (d *Door) proveAction(c echo.Context) (*tenant.Tenant, string, *web.Problem) {
	t, ok := d.Settings.Tenants.Tenant(c.Param("tenant"))
	if !ok || len(t.Auth0.ProviderKeys) == 0 {
		return nil, "", web.NotFound.Of("There is no such tenant, or it has no key for this door.")
	}
	key := web.Bearer(c.Request())
	if !t.Auth0.AllowsProvider(key) {
		return nil, "", web.Unauthorized.Of("Send it as Authorization: Bearer KEY.")
	}
	d.Used(t.Slug, "auth0.provider_key", tenant.Place(t.Auth0.ProviderKeys, key))
	return t, key, nil
}

// log is the log of a request, with the tenant and what the request is about.
func (d *Door) log(c echo.Context, slug string) *slog.Logger {
	return d.Log.With("tenant", slug).With(web.Abouts(c)...)
}

// refuse logs and writes a problem. A problem of the bridge's own is logged as an error.
func (d *Door) refuse(c echo.Context, p *web.Problem, cause ...error) error {
	d.Reason(c, p.Name)
	attrs := append([]any{"tenant", web.KnownSlug(d.Settings, c.Param("tenant"))}, web.Abouts(c)...)
	attrs = append(attrs, "path", c.Path(), "status", p.Status, "reason", p.Name)
	if p.Status >= 500 {
		d.Log.Error("auth0", append(attrs, "error", errors.Join(cause...))...)
	} else {
		d.Log.Warn("auth0", attrs...)
	}
	return web.WriteProblem(c, p, d.Now())
}

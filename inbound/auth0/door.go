// Package auth0 is four doors of a tenant at which Auth0 knocks:
//
//	/auth0/{tenant}/verify    the form to which an Action sends a log-in, proved by a session token
//	/auth0/{tenant}/phone     the phone provider: Auth0's own codes and texts, proved by a key
//	/auth0/{tenant}/feedback  an Action tells that a code was right, proved by the same key
//	/auth0/{tenant}/stream    log and event streams tell the same, proved by a token
//
// A door whose proof is not configured answers as if there were no such tenant. deploy/auth0 has the
// Actions.
package auth0

import (
	"embed"

	"github.com/labstack/echo/v4"

	"smsbridge/inbound/web"
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

package inbound

import (
	"net/http"

	"github.com/labstack/echo/v4"
)

// Auth0 knocks at four doors of a tenant:
//
//	/auth0/{tenant}/verify    the form to which an Action sends a log-in, proved by a session token
//	/auth0/{tenant}/phone     the phone provider: Auth0's own codes and texts, proved by a key
//	/auth0/{tenant}/feedback  an Action tells that a code was right, proved by the same key
//	/auth0/{tenant}/stream    log and event streams tell the same, proved by a token
//
// A door whose proof is not configured answers as if there were no such tenant. deploy/auth0 has the Actions.
func (s *Server) routeAuth0(e *echo.Echo) {
	e.GET("/auth0/:tenant/verify", s.showAuth0Form)
	e.HEAD("/auth0/:tenant/verify", s.headAuth0Form)
	e.POST("/auth0/:tenant/verify", s.useAuth0Form)
	e.POST("/auth0/:tenant/phone", s.receiveAuth0Phone)
	e.POST("/auth0/:tenant/feedback", s.receiveAuth0Feedback)
	e.POST("/auth0/:tenant/stream", s.receiveAuth0Stream)
	e.GET("/auth0/:tenant/theme.css", s.showAuth0Theme)
	e.GET("/auth0/form.css", showFile("page/auth0.css", "text/css; charset=utf-8"))
	e.GET("/auth0/form.js", showFile("page/auth0.js", "text/javascript; charset=utf-8"))
}

// showFile serves a file that is part of the program.
func showFile(name, contentType string) echo.HandlerFunc {
	return func(c echo.Context) error {
		content, err := pageFiles.ReadFile(name)
		if err != nil {
			return err
		}
		c.Response().Header().Set("Cache-Control", "public, max-age=3600")
		c.Response().Header().Set("X-Content-Type-Options", "nosniff")
		return c.Blob(http.StatusOK, contentType, content)
	}
}

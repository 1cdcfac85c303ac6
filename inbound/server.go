// Package inbound is everything that arrives over HTTP: the providers' mails, replies and receipts, what apps and Auth0 ask for, the pages that
// people open, and the questions of load balancers. One file, or a few with its name, is one sender or door.
//
// A handler proves who sent a request, reads it, calls one rule and answers. It causes nothing outside of the database: what becomes due is done by
// the workers of package outbound after the answer. It promises that a 200 is written only when what it stands for is on disk, and that a request
// that is refused leaves nothing behind.
package inbound

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"runtime"
	"runtime/debug"
	"sync/atomic"
	"time"

	"github.com/labstack/echo/v4"

	"smsbridge/internal/store"
	"smsbridge/internal/tenant"
)

// commitWait is how long a sender is kept waiting for the database before it hears that it should come back.
const commitWait = 8 * time.Second

// Server answers the bridge's HTTP requests. Set all fields before Handler is called.
type Server struct {
	Store    *store.Store
	Settings tenant.Settings
	Log      *slog.Logger
	Now      func() time.Time // judges how fresh a signature is

	draining atomic.Bool
	quota    quota
}

// Handler routes the requests:
//
//	POST /mailgun/{tenant}             a mail, parsed by Mailgun
//	POST /mailgun/{tenant}/mime        a mail, raw
//	POST /twilio/{tenant}/reply        a text from a phone
//	POST /twilio/{tenant}/receipt      a report on a text of ours
//	POST /flowroute/{tenant}/reply     the same two by Flowroute
//	POST /flowroute/{tenant}/receipt
//	GET  /l/{token}                    the page of a short link, which changes nothing
//	POST /l/{token}                    its button
//	/v1/verifications…                 one-time codes for apps: see openapi.yaml
//	GET  /v1/openapi.yaml              its description
//	/orchestrators/…                   the same for clients of Azure Durable Functions
//	/runtime/webhooks/durabletask/…    where these watch and steer what they started
//	/auth0/{tenant}/…                  Auth0's Actions and streams: see routeAuth0
//	GET  /healthz                      the process lives
//	GET  /readyz                       it can record what it is sent
func (s *Server) Handler() http.Handler {
	e := echo.New()
	e.HideBanner = true
	e.IPExtractor = echo.ExtractIPDirect() // nothing here trusts X-Forwarded-For
	e.Use(s.survivePanics)
	e.POST("/mailgun/:tenant", s.receiveParsedMail)
	e.POST("/mailgun/:tenant/mime", s.receiveRawMail)
	e.POST("/twilio/:tenant/reply", s.receiveReply)
	e.POST("/twilio/:tenant/receipt", s.receiveReceipt)
	s.routeFlowroute(e)
	e.GET("/l/page.css", s.showPageStyle)
	e.GET("/l/:token", s.showShortLink)
	e.HEAD("/l/:token", s.showShortLink)
	e.POST("/l/:token", s.useShortLink)
	s.routeAPI(e)
	s.routeDurable(e)
	s.routeAuth0(e)
	e.GET("/healthz", func(c echo.Context) error { return c.String(http.StatusOK, "alive\n") })
	e.GET("/readyz", s.showReady)
	return e
}

// Drain makes /readyz say no, so that a load balancer sends no more requests. Those that still come
// are served.
func (s *Server) Drain() { s.draining.Store(true) }

func (s *Server) showReady(c echo.Context) error {
	if s.draining.Load() {
		return c.String(http.StatusServiceUnavailable, "shutting down\n")
	}
	ctx, cancel := context.WithTimeout(c.Request().Context(), 2*time.Second)
	defer cancel()
	if err := s.Store.Ping(ctx); err != nil {
		s.Log.Error("database does not answer", "error", err)
		return c.String(http.StatusServiceUnavailable, "database does not answer\n")
	}
	return c.String(http.StatusOK, "ready\n")
}

// answer is what a webhook is told: a status that is part of the provider's protocol, and a reason for the person who reads the provider's log.
type answer struct {
	status int
	reason string
}

// reply logs and writes an answer. The log line names the tenant and the reason, and nothing that came with the request.
func (s *Server) reply(c echo.Context, what string, a answer, err error) error {
	level := slog.LevelInfo
	switch {
	case a.status >= 500:
		level = slog.LevelError
		c.Response().Header().Set("Retry-After", "600")
	case a.status >= 400:
		level = slog.LevelWarn
	}
	attrs := []any{"tenant", knownSlug(s.Settings, c.Param("tenant")), "status", a.status, "reason", a.reason}
	if err != nil {
		attrs = append(attrs, "error", err)
	}
	s.Log.Log(c.Request().Context(), level, what, attrs...)
	return c.String(a.status, a.reason+"\n")
}

// knownSlug keeps text that anybody can put into a URL out of the log.
func knownSlug(settings tenant.Settings, slug string) string {
	if _, ok := settings.Tenants.Tenant(slug); ok {
		return slug
	}
	return "unknown"
}

// survivePanics turns a panic into a 503, on which every provider comes back. What was said in panic may quote the request, so only an error of Go's
// own is logged as it is.
func (s *Server) survivePanics(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) (err error) {
		defer func() {
			if p := recover(); p != nil {
				what := fmt.Sprintf("%T", p)
				if own, ok := p.(runtime.Error); ok {
					what = own.Error()
				}
				s.Log.Error("panic in a handler", "path", c.Path(), "panic", what, "stack", string(debug.Stack()))
				c.Response().Header().Set("Retry-After", "600")
				err = c.String(http.StatusServiceUnavailable, "please try again\n")
			}
		}()
		return next(c)
	}
}

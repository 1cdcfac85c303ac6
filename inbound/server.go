// Package inbound is everything that arrives over HTTP. The package itself is the hall: the
// webhooks of Mailgun, Twilio and Flowroute, the page of a short link, and the checks of load
// balancers. Each other way in is a door with a package of its own, one folder below, and one
// line in Server.Handler.
//
// A handler proves who sent a request, reads it, calls one rule and responds. It has no effect
// outside the database: the workers of package outbound do later what a rule made due. It promises
// that a 200 is written only when what it stands for is on disk, and that a refused request leaves
// nothing behind.
package inbound

import (
	"context"
	"log/slog"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"github.com/labstack/echo/v4"

	"smsbridge/inbound/api"
	"smsbridge/inbound/auth0"
	"smsbridge/inbound/azuredurable"
	"smsbridge/inbound/flowroutedoor"
	"smsbridge/inbound/operator"
	"smsbridge/inbound/watchdoor"
	"smsbridge/inbound/web"
	"smsbridge/internal/meter"
	"smsbridge/internal/rehearsal"
	"smsbridge/internal/store"
	"smsbridge/internal/tenant"
	"smsbridge/internal/trace"
)

// Server serves the bridge's HTTP requests. Set all fields before Handler is called.
type Server struct {
	Store    *store.Store
	Settings tenant.Settings
	Log      *slog.Logger
	Now      func() time.Time // judges how fresh a signature is
	Patience time.Duration    // as in web.Edge, and so are SendWait and Meter
	SendWait time.Duration
	Meter    *meter.Meter
	Traces   *trace.Tracer // nil traces nothing; it needs a Meter
	Version  string        // for operators, as TryMail is
	TryMail  operator.TryMail

	// Draining makes /readyz say no, so that a load balancer sends no more requests. The server still
	// serves those that come. Servers that take over from each other share it; nil is never.
	Draining *atomic.Bool
	// Replaced says that another server with other settings has taken over. What operators follow
	// ends then, since they may have lost their roles; nil is never.
	Replaced *atomic.Bool
	bodies   web.Budget // of all requests, at every door
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
//	GET  /rehearsal                    what the link of an operator's rehearsal opens
//	/v1/…                              package api: one-time codes for apps
//	/orchestrators/…                   package azuredurable: the same for clients of Azure Durable
//	/runtime/webhooks/durabletask/…    Functions, and how these watch and steer what they started
//	/auth0/{tenant}/…                  package auth0: Auth0's Actions and streams
//	GET  /                             what this is, for people
//	GET  /healthz                      the process lives
//	GET  /readyz                       it can record what it is sent
func (s *Server) Handler() http.Handler {
	e := s.newEcho()
	mails := s.openMailDoor()
	e.POST("/mailgun/:tenant", mails.receiveMail(parsedMail()))
	e.POST("/mailgun/:tenant/mime", mails.receiveMail(rawMail()))
	e.POST("/twilio/:tenant/reply", s.receiveReply(s.readTwilioReply, writeTwiML))
	e.POST("/twilio/:tenant/receipt", s.receiveReceipt(s.readTwilioReceipt))
	e.POST("/flowroute/:tenant/reply", s.receiveReply(s.readFlowrouteReply, writeReason))
	e.POST("/flowroute/:tenant/receipt", s.receiveReceipt(s.readFlowrouteReceipt))
	e.GET("/l/page.css", web.ShowFile(pageFiles, "page/page.css", "text/css; charset=utf-8"))
	e.Match(web.Looks(), "/l/:token", s.showShortLink)
	e.POST("/l/:token", s.useShortLink)
	e.GET(rehearsal.Path, s.showRehearsal)
	(&api.Door{Edge: s.edge()}).Route(e)
	(&azuredurable.Door{Edge: s.edge(), Draining: s.drains}).Route(e)
	(&auth0.Door{Edge: s.edge()}).Route(e)
	e.RouteNotFound("/", showWelcome)
	e.Match(web.Looks(), "/healthz", func(c echo.Context) error {
		return c.String(http.StatusOK, "alive\n")
	})
	e.Match(web.Looks(), "/readyz", s.showReady)
	return e
}

// FlowrouteHandler serves the Flowroute door of one tenant, which has a listener of its own.
func (s *Server) FlowrouteHandler(t *tenant.Tenant) http.Handler {
	e := s.newEcho()
	(&flowroutedoor.Door{Edge: s.edge(), Tenant: t}).Route(e)
	return e
}

// OperatorHandler serves the pages for operators, which have a listener of their own.
func (s *Server) OperatorHandler() (http.Handler, error) {
	e := s.newEcho()
	err := (&operator.Door{
		Edge: s.edge(), Version: s.Version, TryMail: s.TryMail,
		Over: func() bool { return s.drains() || s.Replaced != nil && s.Replaced.Load() },
		Hall: sync.OnceValue(s.Handler),
	}).Route(e)
	return e, err
}

// WatchHandler tells operators how the bridge is. It has a listener of its own.
func (s *Server) WatchHandler(about watchdoor.About) http.Handler {
	e := s.newEcho()
	(&watchdoor.Door{Edge: s.edge(), About: about, Draining: s.drains}).Route(e)
	return e
}

func (s *Server) newEcho() *echo.Echo {
	e := echo.New()
	e.HideBanner = true
	e.IPExtractor = echo.ExtractIPDirect() // only web.Source reads X-Forwarded-For
	if s.Meter != nil {
		e.Use(s.measure)
	}
	e.Use(s.edge().SurvivePanics, s.bodies.Bound)
	return e
}

// edge is what every door is given.
func (s *Server) edge() web.Edge {
	return web.Edge{
		Store: s.Store, Settings: s.Settings, Log: s.Log, Now: s.Now, Patience: s.Patience,
		SendWait: s.SendWait, Meter: s.Meter,
	}
}

// showWelcome says to a person what program this is. Other methods find nothing, as on any other
// path.
func showWelcome(c echo.Context) error {
	if m := c.Request().Method; m != http.MethodGet && m != http.MethodHead {
		return echo.ErrNotFound
	}
	return c.String(
		http.StatusOK,
		"This is smsbridge. It puts the questions of mails to phones, by text.\n"+
			"Apps: /v1/openapi.yaml describes the API. Operators: /healthz and /readyz say how it is.\n",
	)
}

func (s *Server) drains() bool { return s.Draining != nil && s.Draining.Load() }

func (s *Server) showReady(c echo.Context) error {
	if s.drains() {
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

// response is what a provider's webhook gets: a status that is part of the provider's protocol, and
// a reason for the person who reads the provider's log.
type response struct {
	status int
	reason string
}

// respond notes and writes a response.
func (s *Server) respond(c echo.Context, what string, r response, err error) error {
	s.note(c, what, r, err)
	return writeReason(c, r)
}

// writeReason writes a response with its reason as plain text.
func writeReason(c echo.Context, r response) error { return c.String(r.status, r.reason+"\n") }

// note logs a response that is about to be written, and has the provider wait before it retries.
// The log line names the tenant and the reason, and of the request only what more has: of a proved
// one the case and the masked phone.
func (s *Server) note(c echo.Context, what string, r response, err error, more ...any) {
	level := slog.LevelInfo
	switch {
	case r.status >= 500:
		level = slog.LevelError
		c.Response().Header().Set("Retry-After", "600")
	case r.status >= 400:
		level = slog.LevelWarn
	}
	s.edge().Reason(c, r.reason)
	slug := web.KnownSlug(s.Settings, c.Param("tenant"))
	s.isAbout(c, more)
	attrs := append([]any{"tenant", slug}, more...)
	attrs = append(attrs, "status", r.status, "reason", r.reason)
	if err != nil {
		attrs = append(attrs, "error", err)
	}
	s.Log.Log(c.Request().Context(), level, what, attrs...)
}

package inbound

import (
	"context"
	_ "embed"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/labstack/echo/v4"

	"smsbridge/internal/tenant"
)

// This file is what all requests of our own API go through: who asks, how often, by which method, with what.

// openAPI describes the API (https://spec.openapis.org/oas/v3.1.0); a test holds it to what the API does.
//
//go:embed openapi.yaml
var openAPI []byte

// maxAPIBody is far beyond any request.
const maxAPIBody = 8 << 10

// operation answers one request of our own API. It returns a *problem, or an error that asProblem understands.
type operation func(s *Server, r apiRequest) (apiAnswer, error)

// apiRequest is a request whose key is known and whose body has been read.
type apiRequest struct {
	echo.Context
	ctx    context.Context // ends when the app has waited long enough
	tenant *tenant.Tenant
	fields map[string]string // of the body
}

// apiAnswer is an answer that is no problem.
type apiAnswer struct {
	status   int
	body     any
	location string
}

// methods are the operations of one path, and the fields that the body of each may have.
type methods map[string]struct {
	do     operation
	fields []string
}

// apiPaths are the paths of the API. Nothing but showing is done by GET, because links are fetched by programs that only look ahead.
func apiPaths() map[string]methods {
	return map[string]methods{
		"/v1/verifications": {
			http.MethodGet:  {do: (*Server).listVerifications},
			http.MethodPost: {do: (*Server).createVerification, fields: []string{"phone", "code", "locale"}},
		},
		"/v1/verifications/:id":        {http.MethodGet: {do: (*Server).showVerification}},
		"/v1/verifications/:id/check":  {http.MethodPost: {do: (*Server).checkVerification, fields: []string{"code"}}},
		"/v1/verifications/:id/resend": {http.MethodPost: {do: (*Server).resendVerification}},
		"/v1/verifications/:id/cancel": {http.MethodPost: {do: (*Server).cancelVerification}},
	}
}

// routeAPI adds the paths of our own API.
func (s *Server) routeAPI(e *echo.Echo) {
	for path, m := range apiPaths() {
		e.Any(path, func(c echo.Context) error { return s.serveAPI(c, m) })
	}
	e.GET("/v1/openapi.yaml", func(c echo.Context) error { return c.Blob(http.StatusOK, "application/yaml", openAPI) })
	e.Any("/v1/*", func(c echo.Context) error { return writeProblem(c, notFound.of("There is no such path."), s.Now()) })
}

// serveAPI does what every operation needs, and logs one line: which key asked for what, and how that ended.
func (s *Server) serveAPI(c echo.Context, m methods) error {
	c.Response().Header().Set("Cache-Control", "no-store")
	t, key, ok := s.Settings.Tenants.ByAPIKey(bearer(c.Request()))
	if !ok {
		s.Log.Warn("api", "tenant", "unknown", "path", c.Path(), "status", http.StatusUnauthorized, "reason", unauthorized.name)
		return writeProblem(c, unauthorized.of("Send it as Authorization: Bearer KEY."), s.Now())
	}
	ctx, cancel := context.WithTimeout(c.Request().Context(), commitWait)
	defer cancel()
	answer, err := s.operate(apiRequest{Context: c, ctx: ctx, tenant: t}, m, key)
	attrs := []any{"tenant", t.Slug, "key", key, "method", c.Request().Method, "path", c.Path(), "status", answer.status}
	if err == nil {
		s.Log.Info("api", attrs...)
		if answer.location != "" {
			c.Response().Header().Set(echo.HeaderLocation, answer.location)
		}
		return c.JSON(answer.status, answer.body)
	}
	p := asProblem(err)
	attrs[len(attrs)-1] = p.Status
	attrs = append(attrs, "reason", p.name)
	if p.name == unavailable.name {
		s.Log.Error("api", append(attrs, "error", err)...)
	} else {
		s.Log.Warn("api", attrs...)
	}
	return writeProblem(c, p, s.Now())
}

// operate finds the operation, reads the body and runs it.
func (s *Server) operate(r apiRequest, m methods, key string) (apiAnswer, error) {
	header := r.Response().Header()
	if p := s.quota.take(r.tenant.Slug+"/"+key, r.tenant.API.Rate, s.Now(), header); p != nil {
		return apiAnswer{}, p
	}
	operation, ok := m[r.Request().Method]
	if !ok {
		var allowed []string
		for method := range m {
			allowed = append(allowed, method)
		}
		slices.Sort(allowed)
		header.Set(echo.HeaderAllow, strings.Join(allowed, ", "))
		return apiAnswer{}, badMethod.of("Allow says which methods do.")
	}
	if r.Request().Method == http.MethodPost {
		var p *problem
		if r.fields, p = readFields(r.Request(), operation.fields); p != nil {
			return apiAnswer{}, p
		}
	}
	return operation.do(s, r)
}

// bearer is the key of a request, "" for none or for several (RFC 6750 section 2.1).
func bearer(r *http.Request) string {
	values := r.Header.Values(echo.HeaderAuthorization)
	if len(values) != 1 {
		return ""
	}
	scheme, key, _ := strings.Cut(values[0], " ")
	if !strings.EqualFold(scheme, "Bearer") {
		return ""
	}
	return strings.TrimSpace(key)
}

// dateTime is a time as the API writes it: RFC 3339, UTC, milliseconds; "" for none.
func dateTime(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format("2006-01-02T15:04:05.000Z")
}

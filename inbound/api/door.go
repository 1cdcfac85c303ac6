// Package api is the bridge's own API for apps, under /v1: one-time codes, questions, and who wants
// no texts.
// openapi.yaml describes it.
//
// It promises that every response is as openapi.yaml says. Each request makes one log line. A
// refusal is a problem of RFC 9457 and leaves nothing behind.
package api

import (
	"context"
	_ "embed"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/labstack/echo/v4"

	"smsbridge/inbound/web"
	"smsbridge/internal/meter"
	"smsbridge/internal/tenant"
)

// openAPI describes the API (https://spec.openapis.org/oas/v3.1.0). A test compares it with
// what the API does.
//
//go:embed openapi.yaml
var openAPI []byte

// maxBody is the size of a request's body, in bytes: far beyond any real one.
const maxBody = 8 << 10

// Door is the API.
type Door struct {
	web.Edge

	quota quota
}

// operation serves one request. It returns a *web.Problem, or an error that asProblem understands.
type operation func(d *Door, r request) (response, error)

// request is a request whose key is known and whose body has been read.
type request struct {
	echo.Context
	ctx    context.Context // ends when the app has waited long enough
	tenant *tenant.Tenant
	key    string            // the name of the API key
	fields map[string]string // of the body
}

// id is the id in the request's path, in the one spelling that ids have in the database: apps keep
// UUIDs in types that write capitals. It is "", which nothing has, where no id can be.
func (r request) id() string {
	id, err := uuid.Parse(r.Param("id"))
	if err != nil {
		return ""
	}
	return id.String()
}

// response is a response that is no problem.
type response struct {
	status   int
	body     any
	location string
}

// methods are the operations of one path, and the members that the body of each may have.
type methods map[string]struct {
	do     operation
	fields []string
}

// paths are the paths of the API. A GET only shows: some programs fetch links merely to look ahead.
func paths() map[string]methods {
	const all, one = "/v1/verifications", "/v1/verifications/:id"
	const optOuts, questions = "/v1/opt-outs", "/v1/questions"
	return map[string]methods{
		all: {
			http.MethodGet: {do: (*Door).listVerifications},
			http.MethodPost: {
				do: (*Door).createVerification, fields: []string{"phone", "code", "locale", "subject"},
			},
		},
		one:             {http.MethodGet: {do: (*Door).showVerification}},
		one + "/check":  {http.MethodPost: {do: (*Door).checkVerification, fields: []string{"code"}}},
		one + "/resend": {http.MethodPost: {do: (*Door).resendVerification}},
		one + "/cancel": {http.MethodPost: {do: (*Door).cancelVerification}},
		questions: {
			http.MethodPost: {do: (*Door).createQuestion, fields: questionFields()},
		},
		questions + "/:id":        {http.MethodGet: {do: (*Door).showOneQuestion}},
		questions + "/:id/cancel": {http.MethodPost: {do: (*Door).cancelQuestion}},
		optOuts: {
			http.MethodPost: {do: (*Door).addOptOut, fields: []string{"phone", "via", "since"}},
		},
		optOuts + "/find":   {http.MethodPost: {do: (*Door).findOptOut, fields: []string{"phone"}}},
		optOuts + "/remove": {http.MethodPost: {do: (*Door).removeOptOut, fields: []string{"phone"}}},
	}
}

// Route adds the paths of the API.
func (d *Door) Route(e *echo.Echo) {
	for path, m := range paths() {
		e.Any(path, func(c echo.Context) error { return d.serve(c, m) })
	}
	e.Match(web.Looks(), "/v1/openapi.yaml", func(c echo.Context) error {
		return c.Blob(http.StatusOK, "application/yaml", openAPI)
	})
	e.Any("/v1/*", func(c echo.Context) error {
		return web.WriteProblem(c, web.NotFound.Of("There is no such path."), d.Now())
	})
}

// serve does what every operation needs, and logs one line: which key asked for what, and the
// status.
func (d *Door) serve(c echo.Context, m methods) error {
	c.Response().Header().Set("Cache-Control", "no-store")
	t, key, ok := d.Settings.Tenants.ByAPIKey(web.Bearer(c.Request()))
	if !ok {
		p := web.Unauthorized.Of("Send it as Authorization: Bearer KEY.")
		d.Reason(c, p.Name)
		d.Log.Warn("api", "tenant", "unknown", "path", c.Path(), "status", p.Status, "reason", p.Name)
		return web.WriteProblem(c, p, d.Now())
	}
	d.Meter.Used(meter.Key{Tenant: t.Slug, Setting: "api_keys", Which: key})
	ctx, cancel := web.Bound(c.Request().Context())
	defer cancel()
	r, err := d.operate(request{Context: c, ctx: ctx, tenant: t, key: key}, m)
	attrs := append([]any{"tenant", t.Slug}, web.Abouts(c)...)
	attrs = append(attrs,
		"key", key, "method", c.Request().Method, "path", c.Path(), "status", r.status)
	if err == nil {
		d.Log.Info("api", attrs...)
		if r.location != "" {
			c.Response().Header().Set(echo.HeaderLocation, r.location)
		}
		return c.JSON(r.status, r.body)
	}
	p := asProblem(err)
	d.Reason(c, p.Name)
	attrs[len(attrs)-1] = p.Status
	attrs = append(attrs, "reason", p.Name)
	if p.Name == web.Unavailable.Name {
		d.Log.Error("api", append(attrs, "error", err)...)
	} else {
		d.Log.Warn("api", attrs...)
	}
	return web.WriteProblem(c, p, d.Now())
}

// operate finds the operation, reads the body and runs it.
func (d *Door) operate(r request, m methods) (response, error) {
	header := r.Response().Header()
	p := d.quota.take(r.tenant.Slug+"/"+r.key, r.tenant.API.Rate, d.Now(), header)
	if p != nil {
		return response{}, p
	}
	operation, ok := m[r.Request().Method]
	if !ok {
		var allowed []string
		for method := range m {
			allowed = append(allowed, method)
		}
		slices.Sort(allowed)
		header.Set(echo.HeaderAllow, strings.Join(allowed, ", "))
		return response{}, badMethod.Of("Allow says which methods do.")
	}
	if r.Request().Method == http.MethodPost {
		if r.fields, p = readFields(r.Request(), operation.fields); p != nil {
			return response{}, p
		}
	}
	return operation.do(d, r)
}

// dateTime is a time as the API writes it: RFC 3339, UTC, milliseconds; "" for none.
func dateTime(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format("2006-01-02T15:04:05.000Z")
}

package inbound

import (
	"strconv"
	"time"

	"github.com/labstack/echo/v4"

	"smsbridge/inbound/web"
	"smsbridge/internal/trace"
	"smsbridge/phonemail"
)

// This file says of each request that is about a case what came of it, as a span.

// tracedKey is where a request keeps which cases it is about.
const tracedKey = "smsbridge.traced"

// isAbout notes a case that a proved request is about, by the values of its line in the log.
func (s *Server) isAbout(c echo.Context, attrs []any) {
	if s.Traces != nil {
		before, _ := c.Get(tracedKey).([][]any)
		c.Set(tracedKey, append(before, attrs))
	}
}

// trace ends the spans of a request that began at a time: one for each case.
func (s *Server) trace(c echo.Context, status int, reason string, began time.Time) {
	if s.Traces == nil {
		return
	}
	all, _ := c.Get(tracedKey).([][]any)
	if len(all) == 0 {
		all = [][]any{web.Abouts(c)}
	}
	slug := web.KnownSlug(s.Settings, c.Param("tenant"))
	if slug == web.UnknownSlug {
		slug = ""
	}
	for _, attrs := range all {
		method := c.Request().Method
		span := s.Traces.Begin(caseIn(slug, attrs), method+" "+c.Path(), trace.Request, began)
		span.Set("http.request.method", method)
		span.Set("http.route", c.Path())
		span.SetInt("http.response.status_code", status)
		span.Set("smsbridge.reason", reason)
		if status >= 500 {
			span.Fail(strconv.Itoa(status), "")
		}
		span.End()
	}
}

// caseIn is the case in the values of a line of the log.
func caseIn(slug string, attrs []any) trace.Case {
	of := trace.Case{Tenant: slug}
	for i := 0; i+1 < len(attrs); i += 2 {
		switch attrs[i] {
		case "tenant":
			of.Tenant, _ = attrs[i+1].(string)
		case "case":
			of.ID, _ = attrs[i+1].(string)
		case "phone":
			of.Phone, _ = attrs[i+1].(phonemail.Number)
		}
	}
	return of
}

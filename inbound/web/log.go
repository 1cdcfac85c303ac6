package web

import (
	"net/http"
	"runtime/debug"

	"github.com/labstack/echo/v4"

	"smsbridge/internal/store"
	"smsbridge/internal/tenant"
	"smsbridge/phonemail"
)

// LogDoor logs one line about a request at a door, without anything that came with the request.
func (e Edge) LogDoor(c echo.Context, door, slug string, status int, reason string, err error) {
	e.Reason(c, reason)
	log := e.Log.Info
	attrs := append([]any{"tenant", slug}, Abouts(c)...)
	attrs = append(attrs, "method", c.Request().Method, "status", status, "reason", reason)
	switch {
	case err != nil:
		log, attrs = e.Log.Error, append(attrs, "error", err)
	case status >= 400:
		log = e.Log.Warn
	}
	log(door, attrs...)
}

// aboutKey is where a request keeps what it is about.
const aboutKey = "smsbridge.about"

// About notes which case and which phone a request is about, for its line of the log. A door calls
// it as soon as a rule has said so: never with what only the caller says. The id is "" when there
// is no case yet.
func About(c echo.Context, caseID string, phone phonemail.Number) {
	var attrs []any
	if caseID != "" {
		attrs = append(attrs, "case", caseID)
	}
	if phone != (phonemail.Number{}) {
		attrs = append(attrs, "phone", phone)
	}
	c.Set(aboutKey, attrs)
}

// Abouts are the values of the log line that About has noted.
func Abouts(c echo.Context) []any {
	attrs, _ := c.Get(aboutKey).([]any)
	return attrs
}

// UnknownSlug stands for every slug that names no tenant.
const UnknownSlug = "unknown"

// KnownSlug is slug if it names a tenant, else "unknown": anyone can put a text into a URL, and it
// stays out of the log.
func KnownSlug(settings tenant.Settings, slug string) string {
	if _, ok := settings.Tenants.Tenant(slug); ok {
		return slug
	}
	return UnknownSlug
}

// SurvivePanics turns a panic into a 503, so that every provider retries.
func (e Edge) SurvivePanics(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) (err error) {
		defer func() {
			if p := recover(); p != nil {
				e.Log.Error("panic in a handler", "path", c.Path(),
					"panic", store.PanicWords(p), "stack", string(debug.Stack()))
				c.Response().Header().Set("Retry-After", "600")
				err = c.String(http.StatusServiceUnavailable, "please try again\n")
			}
		}()
		return next(c)
	}
}

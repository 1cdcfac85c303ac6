package web

import (
	"net/http"
	"strings"

	"github.com/labstack/echo/v4"
)

// Bearer is the bearer token of a request (RFC 6750 section 2.1). It is "" when the request has no
// token or several.
func Bearer(r *http.Request) string {
	values := r.Header.Values(echo.HeaderAuthorization)
	if len(values) != 1 {
		return ""
	}
	return bearer(values[0])
}

// PresentedKey is the key of a request: a bearer token, or the password of Basic authentication
// (RFC 7617). Clients send the latter when their URL has a password before the host.
func PresentedKey(r *http.Request) string {
	if _, password, ok := r.BasicAuth(); ok {
		return password
	}
	return bearer(r.Header.Get(echo.HeaderAuthorization))
}

func bearer(authorization string) string {
	scheme, token, _ := strings.Cut(authorization, " ")
	if !strings.EqualFold(scheme, "Bearer") {
		return ""
	}
	return strings.TrimSpace(token)
}

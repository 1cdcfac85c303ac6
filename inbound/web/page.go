package web

import (
	"io/fs"
	"net/http"
	"net/url"

	"github.com/labstack/echo/v4"
)

// Origin is the scheme and host of a URL, as a content security policy names them. It is "" when
// link is no URL.
func Origin(link string) string {
	u, err := url.Parse(link)
	if err != nil {
		return ""
	}
	return u.Scheme + "://" + u.Host
}

// ShowFile serves a file that is part of the program.
func ShowFile(files fs.FS, name, contentType string) echo.HandlerFunc {
	return func(c echo.Context) error {
		content, err := fs.ReadFile(files, name)
		if err != nil {
			return err
		}
		c.Response().Header().Set("Cache-Control", "public, max-age=3600")
		c.Response().Header().Set("X-Content-Type-Options", "nosniff")
		return c.Blob(http.StatusOK, contentType, content)
	}
}

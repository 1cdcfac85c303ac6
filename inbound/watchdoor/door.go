// Package watchdoor tells operators and Prometheus how the bridge is. It has a listener of its own,
// which is not for strangers: it asks for no key. It shows no phone, no id and no secret, and
// changes nothing.
package watchdoor

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/labstack/echo/v4"

	"smsbridge/inbound/web"
	"smsbridge/internal/health"
)

// About says what runs here.
type About struct {
	Version  string    `json:"version"`
	Commit   string    `json:"commit,omitempty"`
	Go       string    `json:"go"`
	Since    time.Time `json:"since"`
	Settings string    `json:"settings"` // their fingerprint
	Key      string    `json:"key"`      // names the key that seals
	Node     string    `json:"node"`     // of this start of this process
	Host     string    `json:"host"`
}

// Door serves them.
type Door struct {
	web.Edge
	About    About
	Draining func() bool
}

// Ready is what /readyz?verbose says as JSON.
type Ready struct {
	Ready    bool             `json:"ready"`
	Why      string           `json:"why,omitempty"` // it is not ready
	Findings []health.Finding `json:"findings"`
}

// Route adds the paths.
func (d *Door) Route(e *echo.Echo) {
	e.Match(web.Looks(), "/metrics", echo.WrapHandler(d.Meter.Handler()))
	e.Match(web.Looks(), "/version", func(c echo.Context) error {
		return c.JSON(http.StatusOK, d.About)
	})
	e.Match(web.Looks(), "/readyz", d.showReady)
}

// showReady says whether the bridge can record what it is sent. Findings do not make it unready: a
// load balancer that took all replicas away would make them worse.
func (d *Door) showReady(c echo.Context) error {
	r := Ready{Ready: true, Findings: d.Meter.Health.Findings(d.Now())}
	ctx, cancel := context.WithTimeout(c.Request().Context(), 2*time.Second)
	defer cancel()
	switch {
	case d.Draining():
		r.Ready, r.Why = false, "shutting down"
	case d.Store.Ping(ctx) != nil:
		r.Ready, r.Why = false, "database does not answer"
	}
	status := http.StatusOK
	if !r.Ready {
		status = http.StatusServiceUnavailable
	}
	if strings.Contains(c.Request().Header.Get(echo.HeaderAccept), "json") {
		return c.JSON(status, r)
	}
	text := "ready\n"
	if !r.Ready {
		text = r.Why + "\n"
	}
	if c.QueryParams().Has("verbose") {
		text += describe(r.Findings)
	}
	return c.String(status, text)
}

// describe writes findings for people.
func describe(findings []health.Finding) string {
	if len(findings) == 0 {
		return "nothing is wrong\n"
	}
	var text strings.Builder
	for _, f := range findings {
		of := ""
		if f.Of != "" {
			of = " (" + f.Of + ")"
		}
		fmt.Fprintf(&text, "%s: %s%s since %s: %s\n  %s\n", f.Severity, f.Code, of,
			f.Since.UTC().Format(time.RFC3339), f.What, f.Remedy)
	}
	return text.String()
}

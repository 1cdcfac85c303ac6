package operator

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync"

	"github.com/labstack/echo/v4"

	"smsbridge/inbound/web"
	"smsbridge/internal/operator"
	"smsbridge/internal/store"
	"smsbridge/internal/store/queuepages"
)

// riverPath is where River's own pages are, which show the rows of the queue.
const riverPath = "/operator/river"

// mostNamed is how many jobs of one request are recorded by their ids.
const mostNamed = 20

// routeRiver adds River's own pages. They are made when an operator asks for them first.
func (d *Door) routeRiver(e *echo.Echo) {
	pages := sync.OnceValues(func() (http.Handler, error) {
		return queuepages.New(d.Store.QueueClients(), riverPath, d.Log)
	})
	serve := func(c echo.Context, v visitor) error { return d.serveRiver(c, v, pages) }
	shown := d.pageOf(serve)
	all := func(c echo.Context) error {
		if !strings.HasPrefix(c.Request().URL.Path, riverPath+"/api/") {
			return shown(c)
		}
		v, err := d.who(c) // the pages ask by themselves, which is no use of the session
		if err != nil {
			return d.turnAway(c, err)
		}
		return serve(c, v)
	}
	for _, path := range []string{riverPath, riverPath + "/*"} {
		e.Match([]string{"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"}, path, all)
	}
}

// riverAct is what one of River's buttons does, "" for what it may not do here. To cancel or delete
// a job there would leave the row that the job is about without its end.
func riverAct(r *http.Request) (act, subject string) {
	path := strings.TrimPrefix(r.URL.Path, riverPath+"/api/")
	queue, does, _ := strings.Cut(strings.TrimPrefix(path, "queues/"), "/")
	switch {
	case r.Method == http.MethodPost && path == "jobs/retry":
		return "river.retry", ""
	case r.Method == http.MethodPut && slices.Contains([]string{"pause", "resume"}, does):
		return "river." + does, queue
	}
	return "", ""
}

// serveRiver serves River's own pages to an operator. The role see gets what changes nothing. What
// the role act does is recorded before it is done.
func (d *Door) serveRiver(
	c echo.Context, v visitor, pages func() (http.Handler, error),
) error {
	handler, err := pages()
	if err != nil {
		return d.fail(c, err)
	}
	r := c.Request()
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		if refusal := d.recordRiver(c, v); refusal != "" {
			d.Log.Warn("operator", "method", r.Method, "path", c.Path(), "status", http.StatusForbidden,
				"operator", v.Name, "reason", refusal)
			return c.JSON(http.StatusForbidden, map[string]string{"message": refusal})
		}
	}
	// Its styles stand in its elements, and its pictures in its styles.
	c.Response().Header().Set("Content-Security-Policy", "default-src 'none'; script-src 'self'; "+
		"style-src 'self' 'unsafe-inline'; img-src 'self' data:; font-src 'self'; connect-src 'self'; "+
		"form-action 'none'; base-uri 'none'; frame-ancestors 'none'")
	handler.ServeHTTP(c.Response(), r)
	return nil
}

// recordRiver records what a button of River's pages does, or says why it must not.
func (d *Door) recordRiver(c echo.Context, v visitor) (refusal string) {
	r := c.Request()
	act, subject := riverAct(r)
	switch {
	case !v.MayAct():
		return "You may look, and not act. Ask an operator whose role is act."
	case !ownScript(r):
		return "This request is not of these pages. Nothing was done."
	case act == "":
		return "That is not done here. The page Jobs drops a job, so that what it is about gets an end."
	}
	body, err := io.ReadAll(http.MaxBytesReader(nil, r.Body, web.MaxHook))
	if err != nil {
		return "The request is too big. Nothing was done."
	}
	r.Body = io.NopCloser(bytes.NewReader(body))
	var about struct {
		IDs []json.Number `json:"ids"`
	}
	if json.Unmarshal(body, &about) == nil {
		for _, id := range about.IDs[:min(len(about.IDs), mostNamed)] {
			subject += " " + id.String()
		}
	}
	err = d.perform(c, v, func(context.Context, *store.Tx) (operator.Act, error) {
		return operator.Act{
			Act: act, Subject: strings.TrimSpace(subject), Detail: fmt.Sprintf("%d jobs", len(about.IDs)),
		}, nil
	})
	if err != nil {
		d.Log.Error("operator", "method", r.Method, "path", c.Path(), "error", err)
		return "It could not be recorded, so it was not done. Try again."
	}
	return ""
}

// ownScript reports whether a page of ours makes a request. Browsers say so, and protect has judged
// what they say. A request that has no page is of no operator's browser.
func ownScript(r *http.Request) bool {
	site, origin := r.Header.Get("Sec-Fetch-Site"), r.Header.Get("Origin")
	return site == "same-origin" || site == "" && origin != ""
}

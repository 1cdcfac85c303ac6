package mailgun

import (
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"time"
)

// Route is a Mailgun route: mail that the expression matches meets the actions. Routes are
// asked in ascending Priority, older ones first among equals; all that match run, unless one
// has stop().
type Route struct {
	ID          string // default random
	Priority    int
	Description string
	// match_recipient("…"), match_header("name", "…"), catch_all(), and, or; at most 4 kB
	Expression string
	// forward("https://…"), store(), store(notify="https://…"), stop(); at most 4 kB each
	Actions   []string
	CreatedAt time.Time // default now
}

// compiledRoute is a route that can be run.
type compiledRoute struct {
	Route
	condition condition
	actions   []routeAction
}

// compileRoute reads a route's expression and actions.
func compileRoute(r Route) (compiledRoute, error) {
	condition, err := parseExpression(r.Expression)
	if err != nil {
		return compiledRoute{}, fmt.Errorf("simulator: route expression: %w", err)
	}
	if len(r.Actions) == 0 {
		return compiledRoute{}, fmt.Errorf("simulator: route without an action")
	}
	compiled := compiledRoute{Route: r, condition: condition}
	for _, s := range r.Actions {
		action, err := parseAction(s)
		if err != nil {
			return compiledRoute{}, fmt.Errorf("simulator: route action: %w", err)
		}
		compiled.actions = append(compiled.actions, action)
	}
	return compiled, nil
}

// AddRoute adds a route, in place of one with the same ID. It fails on an expression or action
// that Mailgun would not understand.
func (m *Account) AddRoute(r Route) error {
	if r.ID == "" {
		r.ID = randomHex(24)
	}
	if r.CreatedAt.IsZero() {
		r.CreatedAt = m.config.Now()
	}
	compiled, err := compileRoute(r)
	if err != nil {
		return err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.routes = slices.DeleteFunc(m.routes, func(old compiledRoute) bool { return old.ID == r.ID })
	m.routes = append(m.routes, compiled)
	slices.SortStableFunc(m.routes, func(a, b compiledRoute) int {
		if a.Priority != b.Priority {
			return a.Priority - b.Priority
		}
		return a.CreatedAt.Compare(b.CreatedAt)
	})
	return nil
}

// document is the route as the API shows it.
func (r Route) document() object {
	return object{
		{"id", r.ID},
		{"priority", r.Priority},
		{"description", r.Description},
		{"expression", r.Expression},
		{"actions", r.Actions},
		{"created_at", r.CreatedAt.UTC().Format(http.TimeFormat)},
	}
}

// route returns the route that the request's path names.
func (m *Account) route(r *http.Request) (Route, bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	i := slices.IndexFunc(m.routes, func(route compiledRoute) bool {
		return route.ID == r.PathValue("id")
	})
	if i < 0 {
		return Route{}, false
	}
	return m.routes[i].Route, true
}

// listRoutes serves a part of the routes; limit is at most 1000 and 100 by default.
func (m *Account) listRoutes(w http.ResponseWriter, r *http.Request) {
	skip, err1 := strconv.Atoi(firstOf(r.FormValue("skip"), "0"))
	limit, err2 := strconv.Atoi(firstOf(r.FormValue("limit"), "100"))
	switch {
	case err1 != nil || err2 != nil || skip < 0 || limit < 1:
		respond(w, http.StatusBadRequest, "The 'skip' or 'limit' parameter is not a number")
		return
	case limit > 1000:
		respond(w, http.StatusBadRequest, "The 'limit' parameter can't be larger than 1000")
		return
	}
	m.mu.Lock()
	items := []object{}
	for _, route := range m.routes[min(skip, len(m.routes)):min(skip+limit, len(m.routes))] {
		items = append(items, route.document())
	}
	total := len(m.routes)
	m.mu.Unlock()
	respondJSON(w, object{{"total_count", total}, {"items", items}})
}

// createRoute adds a route from a form: priority, description, expression, action (repeated).
func (m *Account) createRoute(w http.ResponseWriter, r *http.Request) {
	m.saveRoute(w, r, Route{ID: randomHex(24), CreatedAt: m.config.Now()}, "Route has been created")
}

// updateRoute changes the fields that the form has.
func (m *Account) updateRoute(w http.ResponseWriter, r *http.Request) {
	route, ok := m.route(r)
	if !ok {
		respond(w, http.StatusNotFound, "Route not found")
		return
	}
	m.saveRoute(w, r, route, "Route has been updated")
}

// saveRoute applies the request's form to the route and keeps it. The response has the route
// twice: under "route", as documented, and, for an update, at the top, where mailgun-go v4
// looks.
func (m *Account) saveRoute(w http.ResponseWriter, r *http.Request, route Route, message string) {
	r.Body = http.MaxBytesReader(w, r.Body, 256<<10)
	if err := r.ParseMultipartForm(256 << 10); err != nil && err != http.ErrNotMultipart {
		respond(w, http.StatusBadRequest, "The form cannot be read")
		return
	}
	if r.Form.Has("priority") {
		priority, err := strconv.Atoi(r.Form.Get("priority"))
		if err != nil {
			respond(w, http.StatusBadRequest, "The 'priority' parameter is not a number")
			return
		}
		route.Priority = priority
	}
	if r.Form.Has("description") {
		route.Description = r.Form.Get("description")
	}
	if r.Form.Has("expression") {
		route.Expression = r.Form.Get("expression")
	}
	if r.Form.Has("action") {
		route.Actions = r.Form["action"]
	}
	if err := m.AddRoute(route); err != nil {
		respond(w, http.StatusBadRequest, err.Error())
		return
	}
	document := object{{"message", message}, {"route", route.document()}}
	if r.Method == http.MethodPut {
		document = append(document, route.document()...)
	}
	respondJSON(w, document)
}

func (m *Account) showRoute(w http.ResponseWriter, r *http.Request) {
	route, ok := m.route(r)
	if !ok {
		respond(w, http.StatusNotFound, "Route not found")
		return
	}
	respondJSON(w, object{{"route", route.document()}})
}

func (m *Account) deleteRoute(w http.ResponseWriter, r *http.Request) {
	route, ok := m.route(r)
	if !ok {
		respond(w, http.StatusNotFound, "Route not found")
		return
	}
	m.mu.Lock()
	m.routes = slices.DeleteFunc(m.routes, func(old compiledRoute) bool { return old.ID == route.ID })
	m.mu.Unlock()
	respondJSON(w, object{{"message", "Route has been deleted"}, {"id", route.ID}})
}

// matchRoute serves the first route that a mail without header fields to ?address= would meet.
func (m *Account) matchRoute(w http.ResponseWriter, r *http.Request) {
	m.mu.Lock()
	i := slices.IndexFunc(m.routes, func(route compiledRoute) bool {
		ok, _ := route.condition.match(r.FormValue("address"), &parsedMail{}, false)
		return ok
	})
	var found Route
	if i >= 0 {
		found = m.routes[i].Route
	}
	m.mu.Unlock()
	if i < 0 {
		respond(w, http.StatusNotFound, "Route not found")
		return
	}
	respondJSON(w, object{{"route", found.document()}})
}

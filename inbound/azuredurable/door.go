// Package azuredurable is the door for clients of Azure Durable Functions.
//
// The requests are those of the HTTP API of the Durable Task extension
// (https://learn.microsoft.com/azure/azure-functions/durable/durable-functions-http-api), and the
// responses those of its HttpApiHandler. One difference is on purpose: a malformed filter is
// refused instead of ignored, because a purge could otherwise delete more than was meant.
package azuredurable

import (
	"bytes"
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"strings"

	"github.com/labstack/echo/v4"

	"smsbridge/inbound/web"
	"smsbridge/internal/azuredurable"
	"smsbridge/internal/store"
	"smsbridge/internal/tenant"
)

// base is the path of the extension.
const base = "/runtime/webhooks/durabletask"

// maxBody is far beyond a phone number or a code.
const maxBody = 8 << 10

// request is a request of a tenant's app.
type request struct {
	echo.Context
	ctx    context.Context // bounds the work on the database
	tenant *tenant.Tenant
	code   string // the key that was presented
	query  params
	id     string // instance, or "" for none
	name   string // of the function or event
}

// response is what the door writes.
type response struct {
	status int
	body   any // nil for an empty one
	header map[string]string
}

// errorBody is the body of a refusal, as ASP.NET writes it, but never with a stack trace.
type errorBody struct {
	Message          string
	ExceptionMessage string `json:",omitempty"`
	ExceptionType    string `json:",omitempty"`
}

// refuse is a 400. Detail quotes nothing of the request.
func refuse(message, detail, kind string) response {
	return response{status: http.StatusBadRequest, body: errorBody{message, detail, kind}}
}

// badArgument is the response to a wrong argument.
func badArgument(detail string) response {
	return refuse("One or more of the arguments submitted is incorrect", detail,
		"System.ArgumentException")
}

// badRule is badArgument for an error of the rule.
func badRule(err error) response {
	return badArgument(strings.TrimPrefix(err.Error(), "azuredurable: ") + ".")
}

func badJSON() response {
	return refuse("Invalid JSON content", "The body is not JSON, or larger than is read.",
		"Newtonsoft.Json.JsonReaderException")
}

// unavailable is the response when the database fails.
func unavailable() response {
	return response{
		status: http.StatusInternalServerError, header: map[string]string{"Retry-After": "5"},
		body: errorBody{
			"Something went wrong while processing your request",
			"It cannot be recorded now, please try again.", "System.Exception",
		},
	}
}

// operation is what one kind of request asks for.
type operation func(d *Door, r request) (response, error)

// Door is the door. Set all fields before Route is called.
type Door struct {
	web.Edge
	Draining func() bool // the server shuts down, and keeps no caller waiting
}

// Route adds the door's paths: those of the extension, of its first version, and of the sample's
// function HttpStart in a host with and without a route prefix.
func (d *Door) Route(e *echo.Echo) {
	for _, prefix := range []string{base, "/admin/extensions/DurableTaskExtension"} {
		e.Any(prefix, d.serve)
		e.Any(prefix+"/*", d.serve)
	}
	for _, start := range []string{"/orchestrators/*", "/api/orchestrators/*"} {
		e.Any(start, d.serve)
	}
}

// prove finds the tenant by the key of a request. The key stands where Azure Functions takes it
// (https://learn.microsoft.com/azure/azure-functions/function-keys-how-to), or before the host of a
// client's rpcBaseUrl, which has room for nothing else.
func (d *Door) prove(r *request) {
	for _, code := range []string{
		r.query.text("code"), r.Request().Header.Get("x-functions-key"),
		web.PresentedKey(r.Request()),
	} {
		if t, ok := d.Settings.Tenants.ByDurableCode(code); ok {
			r.tenant, r.code = t, code
			d.Used(t.Slug, "durable_door.code", tenant.Place(t.Doors.Durable.Codes, code))
		}
	}
}

// serve proves whose app sends a request, has it done, and writes and logs the response.
func (d *Door) serve(c echo.Context) error {
	r := request{Context: c, query: readParams(c.Request().URL.Query())}
	if d.prove(&r); r.tenant == nil {
		d.LogDoor(c, "durable", "unknown", http.StatusUnauthorized, "code", nil)
		return c.NoContent(http.StatusUnauthorized)
	}
	operation, known := r.find()
	if !known { // a wrong method is a wrong path here
		d.LogDoor(c, "durable", r.tenant.Slug, http.StatusNotFound, "path", nil)
		return c.NoContent(http.StatusNotFound)
	}
	ctx, cancel := web.Bound(c.Request().Context())
	defer cancel()
	r.ctx = ctx
	a, err := operation(d, r)
	if err != nil {
		a = unavailable()
	}
	d.about(r)
	d.LogDoor(c, "durable", r.tenant.Slug, a.status, "", err)
	return write(c, a)
}

// about notes for the log which verification a request has steered.
func (d *Door) about(r request) {
	if r.id == "" || len(web.Abouts(r)) > 0 {
		return
	}
	i, err := web.Read(r.ctx, d.Store,
		func(ctx context.Context, view store.View) (azuredurable.Instance, error) {
			return azuredurable.Get(ctx, view, r.tenant.Slug, r.id)
		})
	if err == nil {
		web.About(r, i.Case(), i.Phone())
	}
}

// write writes a response.
func write(c echo.Context, a response) error {
	c.Response().Header().Set("Cache-Control", "no-store")
	for name, value := range a.header {
		c.Response().Header().Set(name, value)
	}
	if a.body == nil {
		return c.NoContent(a.status)
	}
	var body bytes.Buffer
	encoder := json.NewEncoder(&body)
	encoder.SetEscapeHTML(false) // so that an ampersand in a URL stays one
	if err := encoder.Encode(a.body); err != nil {
		return err
	}
	return c.Blob(a.status, "application/json; charset=utf-8", bytes.TrimSpace(body.Bytes()))
}

// find finds the operation that the method and path mean, and sets what the path names. Words of
// the API are known in any capitals.
func (r *request) find() (operation, bool) {
	parts, ok := r.parts()
	if !ok {
		return nil, false
	}
	method := r.Request().Method
	word := func(i int, want string) bool {
		return len(parts) > i && strings.EqualFold(parts[i], want)
	}
	instances, post := word(0, "instances"), method == http.MethodPost
	switch {
	case word(0, "orchestrators") && post && (len(parts) == 2 || len(parts) == 3):
		if r.name = parts[1]; len(parts) == 3 {
			r.id = parts[2]
		}
		return (*Door).start, true
	case instances && len(parts) == 1:
		found, ok := map[string]operation{
			http.MethodGet: (*Door).list, http.MethodDelete: (*Door).purgeAll,
		}[method]
		return found, ok
	case instances && len(parts) == 2:
		r.id = parts[1]
		found, ok := map[string]operation{
			http.MethodGet: (*Door).show, http.MethodDelete: (*Door).purge,
		}[method]
		return found, ok
	case instances && len(parts) == 3 && post:
		r.id = parts[1]
		found, ok := map[string]operation{
			"terminate": (*Door).terminate, "suspend": (*Door).suspend, "resume": (*Door).resume,
			"rewind": (*Door).rewind, "restart": (*Door).restart,
		}[strings.ToLower(parts[2])]
		return found, ok
	case instances && len(parts) == 4 && word(2, "raiseEvent") && post:
		r.id, r.name = parts[1], parts[3]
		return (*Door).raise, true
	}
	return nil, false
}

// parts are the unescaped parts of the path below the prefix. The second result is false when one
// is empty or badly escaped.
func (r *request) parts() ([]string, bool) {
	path := strings.TrimPrefix(r.Request().URL.EscapedPath(), strings.TrimSuffix(r.Path(), "*"))
	if strings.HasSuffix(r.Path(), "/orchestrators/*") {
		path = "orchestrators/" + path
	}
	parts := strings.Split(strings.Trim(path, "/"), "/")
	for i, part := range parts {
		plain, err := url.PathUnescape(part)
		if err != nil || part == "" {
			return nil, false
		}
		parts[i] = plain
	}
	return parts, true
}

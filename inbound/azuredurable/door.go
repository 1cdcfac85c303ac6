// Package azuredurable is the door for clients of Azure Durable Functions.
//
// The requests are those of the HTTP API of the Durable Task extension
// (https://learn.microsoft.com/azure/azure-functions/durable/durable-functions-http-api), and the
// responses those of its HttpApiHandler. One difference is on purpose: a malformed filter is refused
// instead of ignored, because a purge could otherwise delete more than was meant.
package azuredurable

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"mime"
	"net/http"
	"net/url"
	"strings"

	"github.com/labstack/echo/v4"

	"smsbridge/inbound/web"
	durable "smsbridge/internal/azuredurable"
	"smsbridge/internal/store"
	"smsbridge/internal/tenant"
)

// base is where the extension answers.
const base = "/runtime/webhooks/durabletask"

// maxBody is far beyond a phone number or a code.
const maxBody = 8 << 10

// request is a request whose key is known.
type request struct {
	echo.Context
	ctx    context.Context // ends when the app has waited long enough
	tenant *tenant.Tenant
	code   string // the key that was presented
	query  params
	id     string // instance, or "" for none
	name   string // of the function or event
}

// response is an answer at this door.
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

// badArgument is what a wrong argument gets.
func badArgument(detail string) response {
	return refuse("One or more of the arguments submitted is incorrect", detail, "System.ArgumentException")
}

func badJSON() response {
	return refuse("Invalid JSON content", "The body is not JSON, or larger than is read.", "Newtonsoft.Json.JsonReaderException")
}

// operation answers one request.
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
		e.Any(base, d.serve)
		e.Any(prefix+"/*", d.serve)
	}
	for _, start := range []string{"/orchestrators/*", "/api/orchestrators/*"} {
		e.Any(start, d.serve)
	}
}

// serveDurable proves who asks, and writes and logs what is answered.
func (d *Door) serve(c echo.Context) error {
	r := request{Context: c, query: readParams(c.Request().URL.Query())}
	// The key stands where Azure Functions takes it, or before the host of a client's rpcBaseUrl, where nothing else can stand:
	// https://learn.microsoft.com/azure/azure-functions/function-keys-how-to
	for _, code := range []string{r.query.text("code"), c.Request().Header.Get("x-functions-key"), web.PresentedKey(c.Request())} {
		if t, ok := d.Settings.Tenants.ByDurableCode(code); ok {
			r.tenant, r.code = t, code
		}
	}
	if r.tenant == nil {
		d.LogDoor(c, "durable", "unknown", http.StatusUnauthorized, "code", nil)
		return c.NoContent(http.StatusUnauthorized)
	}
	operation, known := r.find()
	if !known { // a wrong method is a wrong path here
		d.LogDoor(c, "durable", r.tenant.Slug, http.StatusNotFound, "path", nil)
		return c.NoContent(http.StatusNotFound)
	}
	ctx, cancel := context.WithTimeout(c.Request().Context(), web.CommitWait)
	defer cancel()
	r.ctx = ctx
	a, err := operation(d, r)
	if err != nil {
		a = response{status: http.StatusInternalServerError, header: map[string]string{"Retry-After": "5"},
			body: errorBody{"Something went wrong while processing your request", "It cannot be recorded now, please try again.", "System.Exception"}}
	}
	d.LogDoor(c, "durable", r.tenant.Slug, a.status, "", err)
	c.Response().Header().Set("Cache-Control", "no-store")
	for name, value := range a.header {
		c.Response().Header().Set(name, value)
	}
	if a.body == nil {
		return c.NoContent(a.status)
	}
	var body bytes.Buffer
	encoder := json.NewEncoder(&body)
	encoder.SetEscapeHTML(false) // an ampersand in a URL stays one, for those who search the answer
	if err := encoder.Encode(a.body); err != nil {
		return err
	}
	return c.Blob(a.status, "application/json; charset=utf-8", bytes.TrimSpace(body.Bytes()))
}

// find finds the operation that the method and path mean, and sets what the path names. Words of the API are known in any capitals.
func (r *request) find() (operation, bool) {
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
	method, word := r.Request().Method, func(i int, want string) bool { return len(parts) > i && strings.EqualFold(parts[i], want) }
	switch {
	case word(0, "orchestrators") && method == http.MethodPost && (len(parts) == 2 || len(parts) == 3):
		if r.name = parts[1]; len(parts) == 3 {
			r.id = parts[2]
		}
		return (*Door).start, true
	case word(0, "instances") && len(parts) == 1:
		operation, ok := map[string]operation{http.MethodGet: (*Door).list, http.MethodDelete: (*Door).purgeAll}[method]
		return operation, ok
	case word(0, "instances") && len(parts) == 2:
		r.id = parts[1]
		operation, ok := map[string]operation{http.MethodGet: (*Door).show, http.MethodDelete: (*Door).purge}[method]
		return operation, ok
	case word(0, "instances") && len(parts) == 3 && method == http.MethodPost:
		r.id = parts[1]
		operation, ok := map[string]operation{
			"terminate": steer(durable.Terminate), "suspend": steer(ignoreReason(durable.Suspend)), "resume": steer(ignoreReason(durable.Resume)),
			"rewind": (*Door).rewind, "restart": (*Door).restart,
		}[strings.ToLower(parts[2])]
		return operation, ok
	case word(0, "instances") && len(parts) == 4 && word(2, "raiseEvent") && method == http.MethodPost:
		r.id, r.name = parts[1], parts[3]
		return (*Door).raise, true
	}
	return nil, false
}

// startDurable starts an instance, and waits for its end if it is asked to.
func (d *Door) start(r request) (response, error) {
	if !strings.EqualFold(r.name, durable.Function) {
		return badArgument("There is one orchestrator function here: " + durable.Function + "."), nil
	}
	wait, refused := r.query.wait()
	if refused != "" {
		return badArgument(refused), nil
	}
	body, err := io.ReadAll(http.MaxBytesReader(nil, r.Request().Body, maxBody))
	if len(body) == 0 && err == nil {
		body = []byte("null")
	}
	if err != nil || !json.Valid(body) {
		return badJSON(), nil
	}
	var i durable.Instance
	err = d.Store.Do(r.ctx, func(ctx context.Context, tx *store.Tx) (err error) {
		i, err = durable.Start(ctx, tx, r.tenant, r.id, body)
		return err
	})
	return d.respondStart(r, i, wait, err)
}

func (d *Door) restart(r request) (response, error) {
	wait, refused := r.query.wait()
	if refused != "" {
		return badArgument(refused), nil
	}
	var i durable.Instance
	err := d.Store.Do(r.ctx, func(ctx context.Context, tx *store.Tx) (err error) {
		i, err = durable.Restart(ctx, tx, r.tenant, r.id, r.query.flag("restartWithNewInstanceId", true))
		return err
	})
	if errors.Is(err, durable.ErrUnknown) {
		return refuse("InstanceId does not match a valid orchestration instance.", "There is no instance with this id.", "System.ArgumentException"), nil
	}
	return d.respondStart(r, i, wait, err)
}

// answerStart answers a start: with the URLs to go on with, or with how it ended.
func (d *Door) respondStart(r request, i durable.Instance, wait waiting, err error) (response, error) {
	switch {
	case errors.Is(err, durable.ErrRunning):
		return response{status: http.StatusConflict, body: errorBody{Message: "An instance with this id is not finished."}}, nil
	case errors.Is(err, durable.ErrInput), errors.Is(err, durable.ErrID):
		return badArgument(strings.TrimPrefix(err.Error(), "durable: ") + "."), nil
	case err != nil:
		return response{}, err
	}
	if wait.timeout > 0 {
		if i, err = d.await(r, i, wait); err != nil {
			return response{}, err
		}
		if i.Status == durable.Completed {
			return response{status: http.StatusOK, body: i.Output}, nil
		}
		if i.Status.Finished() {
			return d.showInstance(r, i, nil, i.Status == durable.Failed), nil
		}
	}
	links := d.linksTo(r, i.ID)
	return response{status: http.StatusAccepted, body: links, header: map[string]string{"Location": links.StatusQueryGetURI, "Retry-After": "10"}}, nil
}

// raiseDurable presents a code. An event of another name waits for nobody, as it would at an orchestrator that does not know it.
func (d *Door) raise(r request) (response, error) {
	kind, _, _ := mime.ParseMediaType(r.Request().Header.Get(echo.HeaderContentType))
	body, err := io.ReadAll(http.MaxBytesReader(nil, r.Request().Body, maxBody))
	payload, known := unpack(body), strings.EqualFold(r.name, durable.Event)
	refused := response{}
	switch {
	case !strings.EqualFold(kind, echo.MIMEApplicationJSON):
		refused = response{status: http.StatusBadRequest, body: errorBody{Message: "Only application/json request content is supported"}}
	case err != nil || payload == "" && !json.Valid(body):
		refused = badJSON()
	case known && !wholeNumber.MatchString(payload):
		refused = badArgument("A code is an integer of at most 10 digits.")
	}
	err = d.Store.Do(r.ctx, func(ctx context.Context, tx *store.Tx) error {
		i, err := durable.Get(ctx, tx, r.tenant.Slug, r.id)
		switch {
		case err != nil:
			return err
		case i.Status.Finished():
			return durable.ErrFinished // before what is wrong with the body
		case refused.status != 0 || !known:
			return nil
		}
		return durable.Raise(ctx, tx, r.tenant.Slug, r.id, web.FillUp(payload, i.Digits))
	})
	if err != nil || refused.status == 0 {
		return steered(err)
	}
	return refused, nil
}

// steer answers what moves an instance.
func steer(move func(ctx context.Context, tx *store.Tx, tenant, id, reason string) error) operation {
	return func(d *Door, r request) (response, error) {
		return steered(d.Store.Do(r.ctx, func(ctx context.Context, tx *store.Tx) error {
			return move(ctx, tx, r.tenant.Slug, r.id, r.query.text("reason"))
		}))
	}
}

func ignoreReason(move func(context.Context, *store.Tx, string, string) error) func(context.Context, *store.Tx, string, string, string) error {
	return func(ctx context.Context, tx *store.Tx, tenant, id, _ string) error { return move(ctx, tx, tenant, id) }
}

func steered(err error) (response, error) {
	switch {
	case errors.Is(err, durable.ErrUnknown):
		return response{status: http.StatusNotFound}, nil
	case errors.Is(err, durable.ErrFinished):
		return response{status: http.StatusGone}, nil
	case err != nil:
		return response{}, err
	}
	return response{status: http.StatusAccepted}, nil
}

func (d *Door) rewind(r request) (response, error) {
	err := d.Store.Do(r.ctx, func(ctx context.Context, tx *store.Tx) error { return durable.Rewind(ctx, tx, r.tenant, r.id) })
	switch {
	case errors.Is(err, durable.ErrRunning):
		return response{status: http.StatusPreconditionFailed, body: "Only orchestrations in the \"Failed\" state can be rewound."}, nil
	case errors.Is(err, durable.ErrInput):
		return badArgument(strings.TrimPrefix(err.Error(), "durable: ") + "."), nil
	}
	return steered(err)
}

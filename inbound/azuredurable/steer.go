package azuredurable

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"mime"
	"net/http"
	"strings"

	"github.com/labstack/echo/v4"

	"smsbridge/inbound/web"
	"smsbridge/internal/azuredurable"
	"smsbridge/internal/store"
)

// This file starts and steers instances.

// start starts an instance, and waits for its end if the client asks for that.
func (d *Door) start(r request) (response, error) {
	if !strings.EqualFold(r.name, azuredurable.Function) {
		return badArgument("There is one orchestrator function here: " + azuredurable.Function + "."),
			nil
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
	i, err := web.Commit(r.ctx, d.Store,
		func(ctx context.Context, tx *store.Tx) (azuredurable.Instance, error) {
			return azuredurable.Start(ctx, tx, r.tenant, r.id, body)
		})
	return d.respondStart(r, i, wait, err)
}

// restart starts an instance with the input of another: under a new id unless the client asks for
// the same one.
func (d *Door) restart(r request) (response, error) {
	wait, refused := r.query.wait()
	if refused != "" {
		return badArgument(refused), nil
	}
	restart := azuredurable.Repeat
	if !r.query.flag("restartWithNewInstanceId", true) {
		restart = azuredurable.Restart
	}
	i, err := web.Commit(r.ctx, d.Store,
		func(ctx context.Context, tx *store.Tx) (azuredurable.Instance, error) {
			return restart(ctx, tx, r.tenant, r.id)
		})
	if errors.Is(err, azuredurable.ErrUnknown) {
		return refuse("InstanceId does not match a valid orchestration instance.",
			"There is no instance with this id.", "System.ArgumentException"), nil
	}
	return d.respondStart(r, i, wait, err)
}

// respondStart responds to a start: with the URLs to go on with, or with how the instance ended.
func (d *Door) respondStart(
	r request, i azuredurable.Instance, wait waiting, err error,
) (response, error) {
	switch {
	case errors.Is(err, azuredurable.ErrRunning):
		return response{
			status: http.StatusConflict,
			body:   errorBody{Message: "An instance with this id is not finished."},
		}, nil
	case errors.Is(err, azuredurable.ErrInput), errors.Is(err, azuredurable.ErrID):
		return badRule(err), nil
	case err != nil:
		return response{}, err
	}
	web.About(r, i.Case(), i.Phone())
	if wait.timeout > 0 {
		if i, err = d.await(r, i, wait); err != nil {
			return response{}, err
		}
	}
	switch {
	case wait.timeout == 0 || !i.Status.Finished():
		links := d.linksTo(r, i.ID)
		return response{
			status: http.StatusAccepted, body: links,
			header: map[string]string{"Location": links.StatusQueryGetURI, "Retry-After": "10"},
		}, nil
	case i.Status == azuredurable.Completed:
		return response{status: http.StatusOK, body: i.Output}, nil
	}
	return failureAsError(i, d.shown(r, i, nil)), nil
}

// raise presents a code. An event of another name changes nothing, as at an orchestrator that does
// not wait for it.
func (d *Door) raise(r request) (response, error) {
	kind, _, _ := mime.ParseMediaType(r.Request().Header.Get(echo.HeaderContentType))
	body, err := io.ReadAll(http.MaxBytesReader(nil, r.Request().Body, maxBody))
	number, known := unpack(body), strings.EqualFold(r.name, azuredurable.Event)
	accepted := response{status: http.StatusAccepted}
	switch {
	case !strings.EqualFold(kind, echo.MIMEApplicationJSON):
		return d.unless(r, response{
			status: http.StatusBadRequest,
			body:   errorBody{Message: "Only application/json request content is supported"},
		})
	case err != nil || number == "" && !json.Valid(body):
		return d.unless(r, badJSON())
	case !known:
		return d.unless(r, accepted)
	case !wholeNumber.MatchString(number):
		return d.unless(r, badArgument("A code is an integer of at most 10 digits."))
	}
	return steered(d.Store.Do(r.ctx, func(ctx context.Context, tx *store.Tx) error {
		return azuredurable.Raise(ctx, tx, r.tenant.Slug, r.id, number)
	}))
}

// unless responds with a, unless the instance is unknown or has finished: a client hears that
// first.
func (d *Door) unless(r request, a response) (response, error) {
	_, err := web.Read(r.ctx, d.Store,
		func(ctx context.Context, tx store.View) (azuredurable.Instance, error) {
			return azuredurable.Unfinished(ctx, tx, r.tenant.Slug, r.id)
		})
	if err != nil {
		return steered(err)
	}
	return a, nil
}

func (d *Door) terminate(r request) (response, error) {
	return steered(d.Store.Do(r.ctx, func(ctx context.Context, tx *store.Tx) error {
		return azuredurable.Terminate(ctx, tx, r.tenant.Slug, r.id, r.query.text("reason"))
	}))
}

func (d *Door) suspend(r request) (response, error) {
	return steered(d.Store.Do(r.ctx, func(ctx context.Context, tx *store.Tx) error {
		return azuredurable.Suspend(ctx, tx, r.tenant.Slug, r.id)
	}))
}

func (d *Door) resume(r request) (response, error) {
	return steered(d.Store.Do(r.ctx, func(ctx context.Context, tx *store.Tx) error {
		return azuredurable.Resume(ctx, tx, r.tenant.Slug, r.id)
	}))
}

func (d *Door) rewind(r request) (response, error) {
	err := d.Store.Do(r.ctx, func(ctx context.Context, tx *store.Tx) error {
		return azuredurable.Rewind(ctx, tx, r.tenant, r.id)
	})
	switch {
	case errors.Is(err, azuredurable.ErrRunning):
		return response{
			status: http.StatusPreconditionFailed,
			body:   "Only orchestrations in the \"Failed\" state can be rewound.",
		}, nil
	case errors.Is(err, azuredurable.ErrInput):
		return badRule(err), nil
	}
	return steered(err)
}

// steered is the response to a request that moves an instance.
func steered(err error) (response, error) {
	switch {
	case errors.Is(err, azuredurable.ErrUnknown):
		return response{status: http.StatusNotFound}, nil
	case errors.Is(err, azuredurable.ErrFinished):
		return response{status: http.StatusGone}, nil
	case err != nil:
		return response{}, err
	}
	return response{status: http.StatusAccepted}, nil
}

package azuredurable

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"github.com/google/uuid"

	durable "smsbridge/internal/azuredurable"
	"smsbridge/internal/store"
)

// This file is what the Durable door shows and forgets.

// links are the URLs with which a client goes on. The words in braces are for the client to replace.
type links struct {
	ID                    string `json:"id"`
	StatusQueryGetURI     string `json:"statusQueryGetUri"`
	SendEventPostURI      string `json:"sendEventPostUri"`
	TerminatePostURI      string `json:"terminatePostUri"`
	PurgeHistoryDeleteURI string `json:"purgeHistoryDeleteUri"`
	RestartPostURI        string `json:"restartPostUri"`
	SuspendPostURI        string `json:"suspendPostUri"`
	ResumePostURI         string `json:"resumePostUri"`
	RewindPostURI         string `json:"rewindPostUri"`
}

func (d *Door) linksTo(r request, id string) links {
	hub, connection := r.query.text("taskHub"), r.query.text("connection")
	if hub == "" {
		hub = "DurableFunctionsHub"
	}
	if connection == "" {
		connection = "Storage"
	}
	query := "taskHub=" + url.QueryEscape(hub) + "&connection=" + url.QueryEscape(connection) + "&code=" + url.QueryEscape(r.code)
	one := d.Settings.PublicURL + base + "/instances/" + url.PathEscape(id)
	reason := "?reason={text}&" + query
	return links{
		ID: id, StatusQueryGetURI: one + "?" + query, SendEventPostURI: one + "/raiseEvent/{eventName}?" + query, TerminatePostURI: one + "/terminate" + reason,
		PurgeHistoryDeleteURI: one + "?" + query, RestartPostURI: one + "/restart?" + query, SuspendPostURI: one + "/suspend" + reason,
		ResumePostURI: one + "/resume" + reason, RewindPostURI: one + "/rewind" + reason,
	}
}

// shownInstance is how an instance is shown.
type shownInstance struct {
	Name            string          `json:"name"`
	InstanceID      string          `json:"instanceId"`
	RuntimeStatus   durable.Status  `json:"runtimeStatus"`
	Input           json.RawMessage `json:"input"`
	CustomStatus    any             `json:"customStatus"`
	Output          json.RawMessage `json:"output"`
	CreatedTime     string          `json:"createdTime"`
	LastUpdatedTime string          `json:"lastUpdatedTime"`
	HistoryEvents   []durable.Step  `json:"historyEvents,omitempty"` // there is always one when they are wanted
}

func (r request) status(i durable.Instance, history []durable.Step) shownInstance {
	const seconds = "2006-01-02T15:04:05Z"
	shown := shownInstance{
		Name: durable.Function, InstanceID: i.ID, RuntimeStatus: i.Status, Input: i.Input, Output: i.Output,
		CreatedTime: i.Created.UTC().Format(seconds), LastUpdatedTime: i.Updated.UTC().Format(seconds), HistoryEvents: history,
	}
	if !r.query.flag("showInput", true) {
		shown.Input = json.RawMessage("null")
		for n := range history {
			history[n].Input = nil
		}
	}
	return shown
}

func (d *Door) show(r request) (response, error) {
	var i durable.Instance
	var history []durable.Step
	err := d.Store.Read(r.ctx, func(ctx context.Context, tx store.View) (err error) {
		if i, err = durable.Get(ctx, tx, r.tenant.Slug, r.id); err != nil || !r.query.flag("showHistory", false) {
			return err
		}
		history, err = durable.History(ctx, tx, i)
		return err
	})
	if errors.Is(err, durable.ErrUnknown) {
		return response{status: http.StatusNotFound}, nil
	}
	return d.showInstance(r, i, history, r.query.flag("returnInternalServerErrorOnFailure", false)), err
}

// showInstance shows how an instance stands; failure as a 500 if that is wanted.
func (d *Door) showInstance(r request, i durable.Instance, history []durable.Step, failureIsError bool) response {
	a := response{status: http.StatusOK, body: r.status(i, history)}
	switch {
	case !i.Status.Finished():
		a.status = http.StatusAccepted
		a.header = map[string]string{"Location": d.Settings.PublicURL + r.Request().URL.RequestURI(), "Retry-After": "5"}
	case i.Status == durable.Failed && failureIsError:
		a.status = http.StatusInternalServerError
	}
	return a
}

// Pages of lists. The extension's have a hundred too.
const (
	pageSize    = 100
	maxPageSize = 1000
)

func (d *Door) list(r request) (response, error) {
	filter, refused := r.query.filter()
	most, token := pageSize, r.Request().Header.Get("x-ms-continuation-token")
	if top := r.query.text("top"); top != "" {
		n, err := strconv.Atoi(top)
		if err != nil || n < 1 {
			refused = "top is a number from 1."
		}
		most = min(n, maxPageSize)
	}
	if !isToken(token) {
		refused = "The continuation token is none that was given."
	}
	if refused != "" {
		return badArgument(refused), nil
	}
	found, next := []durable.Instance(nil), ""
	err := d.Store.Read(r.ctx, func(ctx context.Context, tx store.View) (err error) {
		found, next, err = durable.List(ctx, tx, r.tenant.Slug, filter, token, most)
		return err
	})
	all := make([]shownInstance, 0, len(found))
	for _, i := range found {
		all = append(all, r.status(i, nil))
	}
	a := response{status: http.StatusOK, body: all}
	if next != "" {
		a.header = map[string]string{"x-ms-continuation-token": next}
	}
	return a, err
}

// isToken reports whether a text can be a continuation token of List, or is "" for none.
func isToken(text string) bool {
	id, err := uuid.Parse(text)
	return text == "" || err == nil && id.String() == text
}

// purgedBody says how many instances were forgotten.
type purgedBody struct {
	InstancesDeleted int `json:"instancesDeleted"`
}

func (d *Door) purge(r request) (response, error) {
	err := d.Store.Do(r.ctx, func(ctx context.Context, tx *store.Tx) error { return durable.Purge(ctx, tx, r.tenant.Slug, r.id) })
	switch {
	case errors.Is(err, durable.ErrUnknown):
		return response{status: http.StatusNotFound}, nil
	case errors.Is(err, durable.ErrRunning):
		return response{status: http.StatusPreconditionFailed, body: "Only orchestrations in a terminal state can be purged."}, nil
	}
	return response{status: http.StatusOK, body: purgedBody{1}}, err
}

func (d *Door) purgeAll(r request) (response, error) {
	filter, refused := r.query.filter()
	if r.query.text("createdTimeFrom") == "" {
		return response{status: http.StatusBadRequest, body: "Please provide value for 'createdTimeFrom' parameter."}, nil
	}
	if refused != "" {
		return badArgument(refused), nil
	}
	purged := 0
	err := d.Store.Do(r.ctx, func(ctx context.Context, tx *store.Tx) (err error) {
		purged, err = durable.PurgeAll(ctx, tx, r.tenant.Slug, filter)
		return err
	})
	if err == nil && purged == 0 {
		return response{status: http.StatusNotFound}, nil
	}
	return response{status: http.StatusOK, body: purgedBody{purged}}, err
}

// awaitDurable returns the instance when it has finished, or as it stands when the time is over or the server shuts down.
func (d *Door) await(r request, i durable.Instance, wait waiting) (durable.Instance, error) {
	ctx, cancel := context.WithTimeout(r.Request().Context(), wait.timeout)
	defer cancel()
	tick := time.NewTicker(wait.interval)
	defer tick.Stop()
	for !i.Status.Finished() && !d.Draining() {
		select {
		case <-ctx.Done():
			return i, nil
		case <-tick.C:
		}
		// Not ctx: looking must not fail because the time is over.
		err := d.Store.Read(r.Request().Context(), func(ctx context.Context, tx store.View) (err error) {
			i, err = durable.Get(ctx, tx, r.tenant.Slug, i.ID)
			return err
		})
		if err != nil {
			return i, err
		}
	}
	return i, nil
}

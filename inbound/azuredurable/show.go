package azuredurable

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"github.com/google/uuid"

	"smsbridge/inbound/web"
	"smsbridge/internal/azuredurable"
	"smsbridge/internal/store"
)

// This file shows and purges instances.

// links are the URLs with which a client goes on. The client replaces the words in braces.
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
	hub := cmp.Or(r.query.text("taskHub"), "DurableFunctionsHub")
	connection := cmp.Or(r.query.text("connection"), "Storage")
	query := "taskHub=" + url.QueryEscape(hub) + "&connection=" + url.QueryEscape(connection) +
		"&code=" + url.QueryEscape(r.code)
	one := d.Settings.PublicURL + base + "/instances/" + url.PathEscape(id)
	reason := "?reason={text}&" + query
	return links{
		ID:                    id,
		StatusQueryGetURI:     one + "?" + query,
		SendEventPostURI:      one + "/raiseEvent/{eventName}?" + query,
		TerminatePostURI:      one + "/terminate" + reason,
		PurgeHistoryDeleteURI: one + "?" + query,
		RestartPostURI:        one + "/restart?" + query,
		SuspendPostURI:        one + "/suspend" + reason,
		ResumePostURI:         one + "/resume" + reason,
		RewindPostURI:         one + "/rewind" + reason,
	}
}

// shownInstance is how an instance is shown.
type shownInstance struct {
	Name            string              `json:"name"`
	InstanceID      string              `json:"instanceId"`
	RuntimeStatus   azuredurable.Status `json:"runtimeStatus"`
	Input           json.RawMessage     `json:"input"`
	CustomStatus    any                 `json:"customStatus"`
	Output          json.RawMessage     `json:"output"`
	CreatedTime     string              `json:"createdTime"`
	LastUpdatedTime string              `json:"lastUpdatedTime"`
	// HistoryEvents has at least one if the client asks for the history.
	HistoryEvents []azuredurable.Step `json:"historyEvents,omitempty"`
}

func (r request) status(i azuredurable.Instance, history []azuredurable.Step) shownInstance {
	const seconds = "2006-01-02T15:04:05Z"
	shown := shownInstance{
		Name: azuredurable.Function, InstanceID: i.ID, RuntimeStatus: i.Status, Input: i.Input,
		Output: i.Output, CreatedTime: i.Created.UTC().Format(seconds),
		LastUpdatedTime: i.Updated.UTC().Format(seconds), HistoryEvents: history,
	}
	if !r.query.flag("showInput", true) {
		shown.Input = json.RawMessage("null")
		for n := range history {
			history[n].Input = nil
		}
	}
	return shown
}

// show shows an instance, and its history if the client asks for it.
func (d *Door) show(r request) (response, error) {
	var i azuredurable.Instance
	history, err := web.Read(r.ctx, d.Store,
		func(ctx context.Context, tx store.View) (steps []azuredurable.Step, err error) {
			i, err = azuredurable.Get(ctx, tx, r.tenant.Slug, r.id)
			if err != nil || !r.query.flag("showHistory", false) {
				return nil, err
			}
			return azuredurable.History(ctx, tx, i)
		})
	if errors.Is(err, azuredurable.ErrUnknown) {
		return response{status: http.StatusNotFound}, nil
	}
	web.About(r, i.Case(), i.Phone())
	a := d.shown(r, i, history)
	if r.query.flag("returnInternalServerErrorOnFailure", false) {
		a = failureAsError(i, a)
	}
	return a, err
}

// shown is the response that shows how an instance stands.
func (d *Door) shown(r request, i azuredurable.Instance, history []azuredurable.Step) response {
	a := response{status: http.StatusOK, body: r.status(i, history)}
	if !i.Status.Finished() {
		a.status = http.StatusAccepted
		a.header = map[string]string{
			"Location": d.Settings.PublicURL + r.Request().URL.RequestURI(), "Retry-After": "5",
		}
	}
	return a
}

// failureAsError returns the response a, with the status 500 if the instance failed.
func failureAsError(i azuredurable.Instance, a response) response {
	if i.Status == azuredurable.Failed {
		a.status = http.StatusInternalServerError
	}
	return a
}

// Pages of lists. The extension's have a hundred too.
const (
	pageSize    = 100
	maxPageSize = 1000
)

// list lists the instances of a filter, a page at a time.
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
	var next string
	found, err := web.Read(r.ctx, d.Store,
		func(ctx context.Context, tx store.View) (found []azuredurable.Instance, err error) {
			found, next, err = azuredurable.List(ctx, tx, r.tenant.Slug, filter, token, most)
			return found, err
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

// purgedBody says how many instances were deleted.
type purgedBody struct {
	InstancesDeleted int `json:"instancesDeleted"`
}

// purge deletes an instance.
func (d *Door) purge(r request) (response, error) {
	err := d.Store.Do(r.ctx, func(ctx context.Context, tx *store.Tx) error {
		return azuredurable.Purge(ctx, tx, r.tenant.Slug, r.id)
	})
	switch {
	case errors.Is(err, azuredurable.ErrUnknown):
		return response{status: http.StatusNotFound}, nil
	case errors.Is(err, azuredurable.ErrRunning):
		return response{
			status: http.StatusPreconditionFailed,
			body:   "Only orchestrations in a terminal state can be purged.",
		}, nil
	}
	return response{status: http.StatusOK, body: purgedBody{1}}, err
}

// purgeWait is how long a client waits until all instances of a filter are deleted. After that it
// hears an error, and a retry goes on.
const purgeWait = 30 * time.Second

// purgeAll deletes the finished instances of a filter.
func (d *Door) purgeAll(r request) (response, error) {
	filter, refused := r.query.filter()
	if r.query.text("createdTimeFrom") == "" {
		return response{
			status: http.StatusBadRequest,
			body:   "Please provide value for 'createdTimeFrom' parameter.",
		}, nil
	}
	if refused != "" {
		return badArgument(refused), nil
	}
	ctx, cancel := context.WithTimeout(r.Request().Context(), purgeWait)
	defer cancel()
	purged, err := azuredurable.PurgeAll(ctx, d.Store, r.tenant.Slug, filter)
	if err == nil && purged == 0 {
		return response{status: http.StatusNotFound}, nil
	}
	return response{status: http.StatusOK, body: purgedBody{purged}}, err
}

// await returns the instance when it has finished, or as it stands when the time is up or the
// server shuts down.
func (d *Door) await(
	r request, i azuredurable.Instance, wait waiting,
) (azuredurable.Instance, error) {
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
		// Not with ctx: a look must not fail because the time is up.
		now, err := web.Read(r.Request().Context(), d.Store,
			func(ctx context.Context, tx store.View) (azuredurable.Instance, error) {
				return azuredurable.Get(ctx, tx, r.tenant.Slug, i.ID)
			})
		if err != nil {
			return i, err
		}
		i = now
	}
	return i, nil
}

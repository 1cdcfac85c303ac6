package inbound

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"smsbridge/internal/durable"
	"smsbridge/internal/store"
)

// This file is what the Durable door shows and forgets.

// durableLinks are the URLs with which a client goes on. The words in braces are for the client to replace.
type durableLinks struct {
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

func (s *Server) durableLinks(r durableRequest, id string) durableLinks {
	hub, connection := r.query.text("taskHub"), r.query.text("connection")
	if hub == "" {
		hub = "DurableFunctionsHub"
	}
	if connection == "" {
		connection = "Storage"
	}
	query := "taskHub=" + url.QueryEscape(hub) + "&connection=" + url.QueryEscape(connection) + "&code=" + url.QueryEscape(r.code)
	one := s.Settings.PublicURL + durableBase + "/instances/" + url.PathEscape(id)
	reason := "?reason={text}&" + query
	return durableLinks{
		ID: id, StatusQueryGetURI: one + "?" + query, SendEventPostURI: one + "/raiseEvent/{eventName}?" + query, TerminatePostURI: one + "/terminate" + reason,
		PurgeHistoryDeleteURI: one + "?" + query, RestartPostURI: one + "/restart?" + query, SuspendPostURI: one + "/suspend" + reason,
		ResumePostURI: one + "/resume" + reason, RewindPostURI: one + "/rewind" + reason,
	}
}

// durableStatus is how an instance is shown.
type durableStatus struct {
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

func (r durableRequest) status(i durable.Instance, history []durable.Step) durableStatus {
	const seconds = "2006-01-02T15:04:05Z"
	shown := durableStatus{
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

func (s *Server) showDurable(r durableRequest) (durableAnswer, error) {
	var i durable.Instance
	var history []durable.Step
	err := s.Store.Read(r.ctx, func(ctx context.Context, tx store.View) (err error) {
		if i, err = durable.Get(ctx, tx, r.tenant.Slug, r.id); err != nil || !r.query.flag("showHistory", false) {
			return err
		}
		history, err = durable.History(ctx, tx, i)
		return err
	})
	if errors.Is(err, durable.ErrUnknown) {
		return durableAnswer{status: http.StatusNotFound}, nil
	}
	return s.showInstance(r, i, history, r.query.flag("returnInternalServerErrorOnFailure", false)), err
}

// showInstance shows how an instance stands; failure as a 500 if that is wanted.
func (s *Server) showInstance(r durableRequest, i durable.Instance, history []durable.Step, failureIsError bool) durableAnswer {
	a := durableAnswer{status: http.StatusOK, body: r.status(i, history)}
	switch {
	case !i.Status.Finished():
		a.status = http.StatusAccepted
		a.header = map[string]string{"Location": s.Settings.PublicURL + r.Request().URL.RequestURI(), "Retry-After": "5"}
	case i.Status == durable.Failed && failureIsError:
		a.status = http.StatusInternalServerError
	}
	return a
}

// Pages of lists. The extension's have a hundred too.
const (
	durablePage    = 100
	maxDurablePage = 1000
)

func (s *Server) listDurable(r durableRequest) (durableAnswer, error) {
	filter, refused := r.query.filter()
	most, token := durablePage, r.Request().Header.Get("x-ms-continuation-token")
	if top := r.query.text("top"); top != "" {
		n, err := strconv.Atoi(top)
		if err != nil || n < 1 {
			refused = "top is a number from 1."
		}
		most = min(n, maxDurablePage)
	}
	if !plainText(token) {
		refused = "The continuation token is none that was given."
	}
	if refused != "" {
		return badArgument(refused), nil
	}
	found, next := []durable.Instance(nil), ""
	err := s.Store.Read(r.ctx, func(ctx context.Context, tx store.View) (err error) {
		found, next, err = durable.List(ctx, tx, r.tenant.Slug, filter, token, most)
		return err
	})
	all := make([]durableStatus, 0, len(found))
	for _, i := range found {
		all = append(all, r.status(i, nil))
	}
	a := durableAnswer{status: http.StatusOK, body: all}
	if next != "" {
		a.header = map[string]string{"x-ms-continuation-token": next}
	}
	return a, err
}

// durablePurged says how many instances were forgotten.
type durablePurged struct {
	InstancesDeleted int `json:"instancesDeleted"`
}

func (s *Server) purgeDurable(r durableRequest) (durableAnswer, error) {
	err := s.Store.Do(r.ctx, func(ctx context.Context, tx *store.Tx) error { return durable.Purge(ctx, tx, r.tenant.Slug, r.id) })
	switch {
	case errors.Is(err, durable.ErrUnknown):
		return durableAnswer{status: http.StatusNotFound}, nil
	case errors.Is(err, durable.ErrRunning):
		return durableAnswer{status: http.StatusPreconditionFailed, body: "Only orchestrations in a terminal state can be purged."}, nil
	}
	return durableAnswer{status: http.StatusOK, body: durablePurged{1}}, err
}

func (s *Server) purgeDurables(r durableRequest) (durableAnswer, error) {
	filter, refused := r.query.filter()
	if r.query.text("createdTimeFrom") == "" {
		return durableAnswer{status: http.StatusBadRequest, body: "Please provide value for 'createdTimeFrom' parameter."}, nil
	}
	if refused != "" {
		return badArgument(refused), nil
	}
	purged := 0
	err := s.Store.Do(r.ctx, func(ctx context.Context, tx *store.Tx) (err error) {
		purged, err = durable.PurgeAll(ctx, tx, r.tenant.Slug, filter)
		return err
	})
	if err == nil && purged == 0 {
		return durableAnswer{status: http.StatusNotFound}, nil
	}
	return durableAnswer{status: http.StatusOK, body: durablePurged{purged}}, err
}

// awaitDurable returns the instance when it has finished, or as it stands when the time is over or the server shuts down.
func (s *Server) awaitDurable(r durableRequest, i durable.Instance, wait durableWait) (durable.Instance, error) {
	ctx, cancel := context.WithTimeout(r.Request().Context(), wait.timeout)
	defer cancel()
	tick := time.NewTicker(wait.interval)
	defer tick.Stop()
	for !i.Status.Finished() && !s.draining.Load() {
		select {
		case <-ctx.Done():
			return i, nil
		case <-tick.C:
		}
		// Not ctx: looking must not fail because the time is over.
		err := s.Store.Read(r.Request().Context(), func(ctx context.Context, tx store.View) (err error) {
			i, err = durable.Get(ctx, tx, r.tenant.Slug, i.ID)
			return err
		})
		if err != nil {
			return i, err
		}
	}
	return i, nil
}

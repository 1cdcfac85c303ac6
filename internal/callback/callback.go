// Package callback is the rule for one event that one address of a tenant's app is told of.
//
// The timeline has an event for everything that happens. Those that a tenant subscribed to are
// events of its app, too: [Record] makes a row for each address, in the transaction that records
// the event. A callback goes
//
//	due ──▶ delivered   the app responded with 2xx
//	 │ ▲
//	 │ └── delivered, gone, dead, withdrawn: an operator replayed it
//	 ├──▶ gone        the app responded with 410
//	 ├──▶ dead        the app took it at no try within a day
//	 └──▶ withdrawn   there is nothing to tell: its person was erased
//
// It promises that an event is told at least once or is dead for all to see, also when the process
// dies at any moment. Every try has the id of the event, so that the app takes it once. A worker
// claims a row before it asks the app, and no other asks meanwhile.
//
// A row says how its last tries went, for the operator: neither the address nor what the app said
// is in it.
//
// A row has no phone. The message is made of the other rows when it is told: so what is erased is
// told no more, and a backup has nothing twice. Of those rows only members that stay the same are
// in a message, so that each try says the same. A text's segments, which its provider may correct,
// are in the row as they were.
package callback

import (
	"context"
	"fmt"
	"time"

	"smsbridge/internal/store"
	"smsbridge/internal/store/db"
	"smsbridge/internal/store/moment"
	"smsbridge/internal/tenant"
)

// State is how far a callback has come.
type State = db.CallbackState

// The states of a callback; see the drawing above.
const (
	Due       State = "due"
	Delivered State = "delivered"
	Gone      State = "gone"
	Dead      State = "dead"
	Withdrawn State = "withdrawn"
)

// States are all states.
func States() []State { return []State{Due, Delivered, Gone, Dead, Withdrawn} }

// lease is how long a worker that claimed a callback has it. It is longer than a request takes. If
// the worker dies, another takes the callback up after that.
const lease = time.Minute

// Patience is how long an app may take to take an event, from when it became due. Its tries end
// before that; only an address that rests, because it takes nothing, comes to this end.
const Patience = 24 * time.Hour

// NoDay is why a callback is dead that was not tried any more.
const NoDay = "the app took nothing for a day"

// waits are the times between the tries: 23 hours and 36 minutes in all.
func waits() []time.Duration {
	return []time.Duration{
		5 * time.Second, time.Minute, 5 * time.Minute, 30 * time.Minute, 2 * time.Hour,
		5 * time.Hour, 8 * time.Hour, 8 * time.Hour,
	}
}

// Callback is an event that an address is told of.
type Callback struct {
	ID, EventID      string // the event's is the webhook-id
	Tenant, Endpoint string
	Type             string // question.confirmed, …
	Subject          string // the row that it is about
	State            State
	Host             string // of the address at the last try, "" before
	Attempts         int    // since it became due
	Status           int    // of the last response, 0 for none
	Reason           string // why the last try failed, "" if it did not
	Tries            []Try  // the last ones, the first of them first
	At               time.Time
	Next             time.Time // when it is tried next, zero if it is not
	Ended            time.Time // zero while due

	detail   string
	segments int64 // of a text, 0 for what is about none
	claimed  moment.Moment
}

func read(row db.Callback) Callback {
	c := Callback{
		ID: row.ID, EventID: row.EventID, Tenant: row.Tenant, Endpoint: row.Endpoint, Type: row.Type,
		Subject: row.Subject, State: row.State, Host: row.Host, Attempts: int(row.Attempts),
		Status: int(row.Status), Reason: row.Reason, Tries: readTries(row.Tries), At: row.At.Time,
		Ended:  row.EndedAt.Time,
		detail: row.Detail, segments: row.Segments,
	}
	if c.State == Due {
		c.Next = row.NextAt.Time
	}
	return c
}

// Record makes an event due for the addresses of its tenant that subscribed to it, and returns
// their names. An event of which no app is told costs nothing.
func Record(
	ctx context.Context, tx *store.Tx, t *tenant.Tenant, e store.Event,
) (endpoints []string, err error) {
	if len(t.Events.To) == 0 {
		return nil, nil
	}
	kind, told := types()[e.Name]
	if !told {
		return nil, nil
	}
	for _, to := range t.Events.To {
		if !to.Wants(kind) {
			continue
		}
		err := tx.AddCallback(ctx, db.AddCallbackParams{
			ID: store.NewID(), EventID: e.ID, Tenant: t.Slug, Endpoint: to.Name, Type: kind,
			Subject: e.Subject, Detail: e.Detail, At: moment.Of(e.At),
		})
		if err != nil {
			return nil, fmt.Errorf("callback: adding: %w", err)
		}
		endpoints = append(endpoints, to.Name)
	}
	return endpoints, nil
}

// Of is what an app would be told of an event of the timeline, and whether there is such an event
// of an app. It stands for no row.
func Of(e store.Event) (Callback, bool) {
	kind, told := types()[e.Name]
	return Callback{
		EventID: e.ID, Tenant: e.Tenant, Type: kind, Subject: e.Subject, At: e.At, detail: e.Detail,
	}, told
}

// Waiting reports whether a callback of an address can be claimed now.
func Waiting(ctx context.Context, view store.View, slug, endpoint string) (bool, error) {
	_, err := view.NextCallback(ctx, db.NextCallbackParams{
		Tenant: slug, Endpoint: endpoint, Now: view.Moment(),
	})
	if store.Missing(err) {
		return false, nil
	}
	return err == nil, err
}

// Claim takes the callback of an address that has waited longest, for one try. It reports false
// when none is to be tried now.
func Claim(
	ctx context.Context, tx *store.Tx, slug, endpoint string,
) (c Callback, found bool, err error) {
	row, err := tx.NextCallback(ctx, db.NextCallbackParams{
		Tenant: slug, Endpoint: endpoint, Now: tx.Moment(),
	})
	if store.Missing(err) {
		return Callback{}, false, nil
	}
	if err != nil {
		return Callback{}, false, err
	}
	c = read(row)
	c.claimed = tx.Moment().Add(lease)
	c.Attempts++
	n, err := tx.ClaimCallback(ctx, db.ClaimCallbackParams{
		ID: c.ID, NextAt: row.NextAt, UntilAt: c.claimed,
	})
	if err == nil && n == 0 {
		err = store.ErrConflict // another worker claimed it at this very moment
	}
	return c, err == nil, err
}

// Response is what came of a try.
type Response struct {
	Host   string
	Status int    // 0 when the app did not respond
	Reason string // why it failed, "" if it did not
}

const statusGone = 410

// Tried records what came of a try of a claimed callback, and returns its state. A try that fails
// is followed by another, until all waits are over. What another worker claimed since stays as it
// is.
func Tried(ctx context.Context, tx *store.Tx, c Callback, r Response) (State, error) {
	waits, tries := waits(), c.tried(r, tx.Now())
	switch {
	case r.Reason == "":
		return Delivered, end(ctx, tx, c, Delivered, r, tries)
	case r.Status == statusGone:
		return Gone, end(ctx, tx, c, Gone, r, tries)
	case c.Attempts > len(waits):
		return Dead, end(ctx, tx, c, Dead, r, tries)
	}
	_, err := tx.DelayCallback(ctx, db.DelayCallbackParams{
		ID: c.ID, NextAt: c.claimed, AgainAt: tx.Moment().Add(waits[c.Attempts-1]),
		Host: r.Host, Status: int64(r.Status), Reason: r.Reason, Tries: tries,
	})
	return Due, err
}

// Withdraw ends a claimed callback of which there is nothing to tell any more.
func Withdraw(ctx context.Context, tx *store.Tx, c Callback, reason string) error {
	return end(ctx, tx, c, Withdrawn,
		Response{Host: c.Host, Status: c.Status, Reason: reason}, keep(c.Tries))
}

func end(
	ctx context.Context, tx *store.Tx, c Callback, s State, r Response, tries string,
) error {
	_, err := tx.EndCallback(ctx, db.EndCallbackParams{
		ID: c.ID, NextAt: c.claimed, State: s, Host: r.Host, Status: int64(r.Status),
		Reason: r.Reason, Tries: tries, EndedAt: tx.Moment(),
	})
	return err
}

// GiveUp ends the callbacks of an address that have been due for longer than the Patience and that
// no worker has: at most a number of them, those first that would be tried first. It returns how
// many.
func GiveUp(
	ctx context.Context, tx *store.Tx, slug, endpoint string, most int,
) (int, error) {
	n, err := tx.EndOverdueCallbacks(ctx, db.EndOverdueCallbacksParams{
		Tenant: slug, Endpoint: endpoint, Now: tx.Moment(), EndedAt: tx.Moment(), Reason: NoDay,
		Since: tx.Moment().Add(-Patience), Most: int32(most),
	})
	return int(n), err
}

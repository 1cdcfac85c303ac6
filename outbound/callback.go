package outbound

import (
	"context"
	"errors"
	"net/url"
	"sync"
	"time"

	"smsbridge/internal/callback"
	"smsbridge/internal/store"
	"smsbridge/internal/tenant"
	"smsbridge/internal/trace"
)

// Events go to the tenants' apps in lanes, one for each address: beside the queue, whose workers
// texts need. An address has at most two requests under way in a process. One that fails again and
// again rests. So an app that is slow or dead delays its own events alone.
//
// The rows are the queue. The commit that makes one due wakes its lane, in the process that did
// it. A sweep wakes the lanes that have to try again, and those whose process died.
const (
	atOnceInLane = 2
	// restAfter is after how many failures in a row an address rests, and so its lane's other events.
	restAfter    = 3
	shortestRest = 10 * time.Second
	longestRest  = 5 * time.Minute
)

// place is an address of a tenant's app, by the names in the settings.
type place struct{ tenant, endpoint string }

// lane is what this process knows of an address.
type lane struct {
	mu     sync.Mutex
	busy   int       // how many work in it
	again  bool      // more became due while all worked
	failed int       // how many tries have failed in a row
	rests  time.Time // until when it rests
}

// enter reports whether one more may work in the lane at a time.
func (l *lane) enter(now time.Time) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if now.Before(l.rests) {
		return false
	}
	if l.busy == atOnceInLane {
		l.again = true
		return false
	}
	l.busy++
	return true
}

// leave ends the work of one that found nothing more. It reports false when more became due since.
func (l *lane) leave() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.again {
		l.again = false
		return false
	}
	l.busy--
	return true
}

// stop ends the work of one that leaves events behind.
func (l *lane) stop() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.busy--
}

// tried counts a try at a time, and reports whether the lane goes on.
func (l *lane) tried(took bool, now time.Time) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if took {
		l.failed, l.rests = 0, time.Time{}
		return true
	}
	l.failed++
	if l.failed < restAfter {
		return true
	}
	rest := longestRest
	if doubled := l.failed - restAfter; doubled < 5 {
		rest = min(shortestRest<<doubled, longestRest)
	}
	l.rests = now.Add(rest)
	return false
}

func (w *Worker) lane(p place) *lane {
	found, _ := w.lanes.LoadOrStore(p, &lane{})
	return found.(*lane)
}

// recorded makes an event due for the apps that subscribed to it, and has it told once it is on
// disk.
func (w *Worker) recorded(ctx context.Context, tx *store.Tx, e store.Event) (func(), error) {
	t, known := w.settings().Tenants.Tenant(e.Tenant)
	if !known {
		return nil, nil
	}
	endpoints, err := callback.Record(ctx, tx, t, e)
	if err != nil || len(endpoints) == 0 {
		return nil, err
	}
	now := tx.Now()
	return func() {
		for _, name := range endpoints {
			w.wake(place{t.Slug, name}, now)
		}
	}, nil
}

// wake has a lane worked beside the queue, unless it is, or rests.
func (w *Worker) wake(p place, now time.Time) {
	l := w.lane(p)
	if !l.enter(now) {
		return
	}
	if !w.Store.Aside(func(ctx context.Context) { w.workLane(ctx, p) }) {
		l.stop()
	}
}

// wakeLanes wakes the lanes of all addresses for which an event is due.
func (w *Worker) wakeLanes(ctx context.Context) error {
	var (
		waiting []place
		now     time.Time
	)
	err := w.Store.Read(ctx, func(ctx context.Context, view store.View) error {
		now = view.Now()
		for _, t := range w.settings().Tenants.All() {
			for _, to := range t.Events.To {
				found, err := callback.Waiting(ctx, view, t.Slug, to.Name)
				if err != nil {
					return err
				}
				if found {
					waiting = append(waiting, place{t.Slug, to.Name})
				}
			}
		}
		return nil
	})
	for _, p := range waiting {
		w.wake(p, now)
	}
	return err
}

// workLane tells an app what is due for one of its addresses, until nothing is, the address rests,
// or the process stops.
func (w *Worker) workLane(ctx context.Context, p place) {
	l := w.lane(p)
	for ctx.Err() == nil {
		var (
			found, goesOn bool
			err           error
		)
		survived := store.Survive("telling an app", func() error {
			found, goesOn, err = w.tellNext(p)
			return err
		})
		switch {
		case survived != nil:
			w.Log.Error("an event could not be told now", "tenant", p.tenant, "endpoint", p.endpoint,
				"error", survived)
			l.stop()
			return
		case !found:
			if l.leave() {
				return
			}
		case !goesOn:
			l.stop()
			return
		}
	}
	l.stop()
}

// tellNext tells the app the next event of an address. It reports whether there was one, and
// whether the lane goes on. A request that is under way ends by itself, also when the process
// stops.
func (w *Worker) tellNext(p place) (found, goesOn bool, err error) {
	ctx, cancel := context.WithTimeout(context.Background(), oneTry)
	defer cancel()
	t, known := w.settings().Tenants.Tenant(p.tenant)
	if !known {
		return false, false, nil
	}
	to, known := t.Events.Endpoint(p.endpoint)
	if !known {
		return false, false, nil
	}
	var (
		c    callback.Callback
		body []byte
		now  time.Time
	)
	err = w.Store.Do(ctx, func(ctx context.Context, tx *store.Tx) (err error) {
		now, body = tx.Now(), nil
		if c, found, err = callback.Claim(ctx, tx, p.tenant, p.endpoint); err != nil || !found {
			return err
		}
		body, err = callback.Message(ctx, tx, c)
		if errors.Is(err, callback.ErrNothing) {
			return callback.Withdraw(ctx, tx, c, "the person was erased")
		}
		return err
	})
	if err != nil || !found || body == nil {
		return found, true, err
	}
	of := toldOf(c, body)
	r := w.post(ctx, t, to, c, of, body, now)
	goesOn = w.lane(p).tried(r.Reason == "" || r.Status == 410, now)
	return true, goesOn, w.tried(ctx, p, c, of, r, goesOn)
}

// post makes one try. What it returns has neither the address nor the response.
func (w *Worker) post(
	ctx context.Context, t *tenant.Tenant, to tenant.Endpoint, c callback.Callback, of trace.Case,
	body []byte, now time.Time,
) callback.Response {
	var r callback.Response
	if u, err := url.Parse(to.URL); err == nil {
		r.Host = u.Host
	}
	began := w.Meter.Now()
	_, span := w.Traces.Start(ctx, of, "callback", trace.Call)
	span.Set("smsbridge.event", c.Type)
	span.Set("smsbridge.endpoint", c.Endpoint)
	status, err := postSigned(ctx, signed{
		url: to.URL, keys: t.Events.Keys(), id: c.EventID, body: body, parent: span.Parent(),
	}, t.Links.UnsafeAllow, now)
	endCallback(span, status, err)
	w.calledBack(t.Slug+"/"+to.Name, status, err, began)
	r.Status = status
	if err != nil {
		r.Reason = err.Error()
	}
	return r
}

// tried records what came of a try, and logs it. When the address rests, what has waited for too
// long is given up.
func (w *Worker) tried(
	ctx context.Context, p place, c callback.Callback, of trace.Case, r callback.Response,
	goesOn bool,
) error {
	var state callback.State
	err := w.record(ctx, func(ctx context.Context, tx *store.Tx) (err error) {
		state, err = callback.Tried(ctx, tx, c, r)
		return err
	})
	if err != nil {
		return err
	}
	log := w.Log.With("tenant", c.Tenant)
	if of.ID != "" { // a limit is about no case
		log = w.about(c.Tenant, of.ID, of.Phone)
	}
	log = log.With("endpoint", c.Endpoint, "callback", c.ID, "type", c.Type,
		"subject", c.Subject, "attempt", c.Attempts)
	switch state {
	case callback.Delivered:
		log.Info("the app was told of an event")
	case callback.Due:
		log.Warn("the app did not take an event", "reason", r.Reason)
	default:
		log.Error("the app is not told of an event any more", "state", string(state),
			"reason", r.Reason, "remedy", "smsbridge callbacks replay "+c.ID)
	}
	if goesOn {
		return nil
	}
	return w.giveUpOverdue(ctx, p)
}

// giveUpOverdue gives up what has waited for too long at an address that rests. What its time does
// not suffice for is left to the next rest.
func (w *Worker) giveUpOverdue(ctx context.Context, p place) error {
	over, err := w.sweepUp(ctx, func(ctx context.Context, tx *store.Tx, most int) (int, error) {
		return callback.GiveUp(ctx, tx, p.tenant, p.endpoint, most)
	})
	if over > 0 {
		w.Log.Error("the app is not told of events any more", "tenant", p.tenant,
			"endpoint", p.endpoint, "events", over, "reason", callback.NoDay,
			"remedy", "smsbridge callbacks replay --since 24h")
	}
	return err
}

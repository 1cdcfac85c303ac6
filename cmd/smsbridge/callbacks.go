package main

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/alecthomas/kong"

	"smsbridge/internal/callback"
	"smsbridge/internal/store"
	"smsbridge/internal/tenant"
)

type callbacksCommand struct {
	List   callbacksList   `cmd:"" default:"withargs" help:"${callbacks_list}"`
	Replay callbacksReplay `cmd:"" help:"${callbacks_replay}"`
}

// The helps are in callbacksHelps, since a tag cannot be broken into lines.
type callbacksList struct {
	bridgeFlag
	Failed bool   `help:"${callbacks_failed}"`
	Tenant string `help:"${callbacks_tenant}" placeholder:"SLUG"`
	Most   int    `help:"${callbacks_most}" default:"50"`
	JSON   bool   `help:"${check_json}" name:"json"`
}

type callbacksReplay struct {
	ID string `arg:"" optional:"" help:"${callbacks_id}"`
	bridgeFlag
	Since  time.Duration `help:"${callbacks_since}" placeholder:"1h"`
	All    bool          `help:"${callbacks_all}"`
	Tenant string        `help:"${callbacks_tenant}" placeholder:"SLUG"`
}

// callbacksHelps returns the helps of the commands, arguments and flags, by the names of their
// tags.
func callbacksHelps() kong.Vars {
	return kong.Vars{
		"callbacks":        "Show what the tenants' apps were told, and tell them once more.",
		"callbacks_list":   "Show what the tenants' apps were told, the newest first.",
		"callbacks_replay": "Tell an app once more what it did not take.",
		"callbacks_failed": "Only what is not told any more: dead or gone.",
		"callbacks_tenant": "Only this tenant.",
		"callbacks_most":   "How many are shown at most.",
		"callbacks_id":     "The id of the callback, as callbacks shows it.",
		"callbacks_since":  "All that failed of what happened since then, such as 1h.",
		"callbacks_all":    "With --since: also what the app took.",
	}
}

// Help is shown by smsbridge callbacks --help.
func (callbacksCommand) Help() string {
	return "The settings events.to say which app is told of which events; docs/EVENTS.md explains " +
		"each. " +
		"One that an app does not take is tried again for a day, and is dead then. " +
		"After 410 it is gone at once.\n\n" +
		"  $ smsbridge callbacks --failed\n" +
		"  $ smsbridge callbacks replay 01a2…\n" +
		"  $ smsbridge callbacks replay --since 1h\n\n" +
		"A replay has the webhook-id of the first try, by which the app knows the event, and a new " +
		"time and signature. The bridge may be running, and takes a replay up within seconds. What is " +
		"told by callback.url, the older setting, is not here: smsbridge show tells it."
}

// shownCallback is a callback as the command shows it.
type shownCallback struct {
	ID       string     `json:"id"`
	EventID  string     `json:"event_id"`
	Tenant   string     `json:"tenant"`
	Endpoint string     `json:"endpoint"`
	Host     string     `json:"host,omitempty"`
	Type     string     `json:"type"`
	Subject  string     `json:"subject"`
	State    string     `json:"state"`
	Attempts int        `json:"attempts"`
	Status   int        `json:"status,omitempty"`
	Reason   string     `json:"reason,omitempty"`
	At       time.Time  `json:"at"`
	Next     *time.Time `json:"next,omitempty"`
	Ended    *time.Time `json:"ended,omitempty"`
	// Tries are the last ones, the oldest first.
	Tries []callback.Try `json:"tries,omitempty"`
}

func shown(c callback.Callback) shownCallback {
	s := shownCallback{
		ID: c.ID, EventID: c.EventID, Tenant: c.Tenant, Endpoint: c.Endpoint, Host: c.Host,
		Type: c.Type, Subject: c.Subject, State: string(c.State), Attempts: c.Attempts,
		Status: c.Status, Reason: c.Reason, At: c.At, Tries: c.Tries,
	}
	if !c.Next.IsZero() {
		s.Next = &c.Next
	}
	if !c.Ended.IsZero() {
		s.Ended = &c.Ended
	}
	return s
}

// callbacksAtOnce is how many callbacks are read, and replayed, in one transaction.
const callbacksAtOnce = 200

// Run lists the callbacks.
func (l callbacksList) Run(ctx context.Context, w world) error {
	if l.Most < 1 {
		return mistake{"--most is not a number from 1", "write how many you want to see"}
	}
	return l.at(ctx, w, l.list)
}

func (l callbacksList) list(ctx context.Context, d database) error {
	if err := knownTenant(d.settings.Tenants, l.Tenant); err != nil {
		return err
	}
	var now time.Time
	all, err := l.read(ctx, d.store, &now)
	if err != nil {
		return err
	}
	if l.JSON {
		return indented(d.world, all)
	}
	if len(all) == 0 {
		_, err := fmt.Fprintln(d.stdout, "no app was told of an event, or failed to take one")
		return err
	}
	table := tabwriter.NewWriter(d.stdout, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "ID\tHAPPENED\tTENANT\tTO\tTYPE\tSTATE\tTRIES\tSTATUS\tNEXT\tREASON")
	for _, c := range all {
		status, next := "", ""
		if c.Status != 0 {
			status = strconv.Itoa(c.Status)
		}
		if c.Next != nil {
			next = fromNow(now, *c.Next)
		}
		fmt.Fprintf(table, "%s\t%s\t%s\t%s\t%s\t%s\t%d\t%s\t%s\t%s\n", c.ID, fromNow(now, c.At),
			c.Tenant, c.Endpoint, c.Type, c.State, c.Attempts, status, next, printable(c.Reason))
	}
	return table.Flush()
}

// read reads page after page until there are enough of the tenant.
func (l callbacksList) read(
	ctx context.Context, st *store.Store, now *time.Time,
) (all []shownCallback, err error) {
	all = []shownCallback{}
	err = st.Read(ctx, func(ctx context.Context, view store.View) error {
		*now = view.Now()
		for before := ""; ; {
			page, err := callback.Newest(ctx, view, l.Failed, before, callbacksAtOnce)
			if err != nil {
				return err
			}
			for _, c := range page {
				before = c.ID
				if l.Tenant != "" && c.Tenant != l.Tenant {
					continue
				}
				if all = append(all, shown(c)); len(all) == l.Most {
					return nil
				}
			}
			if len(page) < callbacksAtOnce {
				return nil
			}
		}
	})
	return all, err
}

// Run makes callbacks due.
func (r callbacksReplay) Run(ctx context.Context, w world) error {
	if (r.ID == "") == (r.Since <= 0) {
		return mistake{"say what is told once more: either an id, or --since",
			"smsbridge callbacks --failed lists the ids; --since 1h means the last hour"}
	}
	if r.Since > mostUsageDays*24*time.Hour {
		return mistake{fmt.Sprintf("--since is %s", r.Since),
			fmt.Sprintf("write at most %d days, %dh: older ones are gone", mostUsageDays,
				mostUsageDays*24)}
	}
	return r.at(ctx, w, r.replay)
}

func (r callbacksReplay) replay(ctx context.Context, d database) error {
	if err := knownTenant(d.settings.Tenants, r.Tenant); err != nil {
		return err
	}
	if r.ID == "" {
		return r.several(ctx, d)
	}
	err := d.store.Do(ctx, func(ctx context.Context, tx *store.Tx) error {
		c, err := callback.Get(ctx, tx, r.ID)
		if err == nil && r.Tenant != "" && c.Tenant != r.Tenant {
			err = callback.ErrUnknown
		}
		if err == nil {
			err = callback.Replay(ctx, tx, r.ID)
		}
		if err != nil {
			return err
		}
		return d.audit(ctx, tx, "callback.replay", r.ID, "")
	})
	switch {
	case errors.Is(err, callback.ErrUnknown):
		of := ""
		if r.Tenant != "" {
			of = " of the tenant " + r.Tenant
		}
		return mistake{"no callback" + of + " has the id " + printable(r.ID),
			"smsbridge callbacks lists the ids; one that is older than a year is gone"}
	case errors.Is(err, callback.ErrDue):
		return mistake{"the callback is due already", "smsbridge callbacks says when it is tried next"}
	case err != nil:
		return err
	}
	_, err = fmt.Fprintln(d.stdout, "it is due now; the bridge takes it up within seconds")
	return err
}

// several replays what happened within a time, a page in each transaction.
func (r callbacksReplay) several(ctx context.Context, d database) error {
	after, all := "", 0
	err := d.store.Read(ctx, func(_ context.Context, view store.View) error {
		after = store.FirstID(view.Now().Add(-r.Since))
		return nil
	})
	for more := true; more && err == nil; {
		replayed, next := 0, after
		err = d.store.Do(ctx, func(ctx context.Context, tx *store.Tx) error {
			page, err := callback.After(ctx, tx, !r.All, after, callbacksAtOnce)
			replayed, more = 0, len(page) == callbacksAtOnce
			for _, c := range page {
				next = c.ID
				if r.Tenant != "" && c.Tenant != r.Tenant || c.State == callback.Due {
					continue
				}
				if err := callback.Replay(ctx, tx, c.ID); err != nil {
					return err
				}
				replayed++
			}
			if replayed == 0 || err != nil {
				return err
			}
			return d.audit(ctx, tx, "callback.replay", r.Tenant, fmt.Sprintf("%d callbacks", replayed))
		})
		after, all = next, all+replayed
	}
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(d.stdout, "due now: %d; the bridge takes them up within seconds\n", all)
	return err
}

// knownTenant refuses a slug that no tenant has; "" is all.
func knownTenant(tenants tenant.Set, slug string) error {
	if _, known := tenants.Tenant(slug); slug == "" || known {
		return nil
	}
	return mistake{"there is no tenant " + printable(slug),
		"write one of: " + strings.Join(slugsOf(tenants), ", ")}
}

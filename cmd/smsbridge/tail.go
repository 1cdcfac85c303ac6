package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/alecthomas/kong"

	"smsbridge/internal/cases"
	"smsbridge/internal/store"
	"smsbridge/phonemail"
)

const (
	// followEvery is how often the timeline is read.
	followEvery = time.Second
	// followBack is how long after its time an event may be seen first: a transaction writes it late,
	// or the clock of another process differs.
	followBack = 30 * time.Second
	// followMost is how many events are read at once.
	followMost = 500
	// clockUTC is the form of a time of day, whose Z says that it is UTC.
	clockUTC = "15:04:05Z"
)

// The helps are in tailHelps, since a tag cannot be broken into lines.
type tailCommand struct {
	bridgeFlag
	Tenant string `help:"${callbacks_tenant}" placeholder:"SLUG"`
	Case   string `help:"${tail_case}" placeholder:"ID"`
}

// tailHelps returns the helps of the command and its flag, by the names that their tags have.
func tailHelps() kong.Vars {
	return kong.Vars{
		"tail":      "Print what the running bridge does, one line a step.",
		"tail_case": "Only what belongs to this case.",
	}
}

// Help is shown by smsbridge tail --help.
func (tailCommand) Help() string {
	return "It shows each step of every mail, question, text and code from now on: time, tenant, " +
		"phone, what happened, and the case, of which smsbridge show tells the rest. It finds the " +
		"bridge by the same settings as serve, sees all replicas, and changes nothing. It ends with " +
		"Ctrl-C, and with the bridge.\n\n" +
		"  $ smsbridge tail\n" +
		"  12:00:01Z acme +45******78 mail.received 01a2…"
}

// Run prints until the context ends.
func (c tailCommand) Run(ctx context.Context, w world) error {
	if err := c.at(ctx, w, c.print); ctx.Err() == nil {
		return err
	}
	return nil // what it did last was cut off
}

func (c tailCommand) print(ctx context.Context, d database) error {
	if err := knownTenant(d.settings.Tenants, c.Tenant); err != nil {
		return err
	}
	return follow(ctx, d, func() error {
		_, err := fmt.Fprintln(d.stderr, "smsbridge: following; end it with Ctrl-C")
		return err
	}, func(ctx context.Context, e store.Event) error {
		if c.Tenant != "" && e.Tenant != c.Tenant {
			return nil
		}
		about := cases.Row{Case: e.Subject}
		err := d.store.Read(ctx, func(ctx context.Context, view store.View) error {
			found, err := cases.About(ctx, view, e.Subject)
			if err == nil {
				about = found
			}
			if errors.Is(err, cases.ErrUnknown) { // a limit, or a row that is gone
				return nil
			}
			return err
		})
		if err != nil || c.Case != "" && about.Case != c.Case {
			return err
		}
		phone := "-"
		if about.Phone != (phonemail.Number{}) {
			phone = about.Phone.String()
		}
		line := fmt.Sprintf("%s %s %s %s %s", e.At.UTC().Format(clockUTC), dash(e.Tenant), phone, e.Name,
			about.Case)
		if e.Detail != "" {
			line += ": " + printable(e.Detail)
		}
		_, err = fmt.Fprintln(d.stdout, line)
		return err
	})
}

// follow calls tell with each event of the timeline that comes from now on, until ctx ends or the
// bridge that runs the command stops. It calls ready once it knows which ones there are.
func follow(
	ctx context.Context, d database, ready func() error,
	tell func(ctx context.Context, e store.Event) error,
) error {
	seen := map[string]time.Time{} // the events that were there or told, by when they happened
	_, err := fresh(ctx, d.store, seen)
	if err == nil {
		err = ready()
	}
	if err != nil {
		return err
	}
	tick := time.NewTicker(followEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-d.stopping:
			return failure{errors.New("the bridge stops"), "run the command again"}
		case <-tick.C:
		}
		events, err := fresh(ctx, d.store, seen)
		for _, e := range events {
			if err == nil {
				err = tell(ctx, e)
			}
		}
		if ctx.Err() != nil {
			return nil // what it did last was cut off
		}
		if err != nil {
			return err
		}
	}
}

// fresh returns the events that were not seen before, oldest first, and notes them.
func fresh(
	ctx context.Context, st *store.Store, seen map[string]time.Time,
) (found []store.Event, err error) {
	err = st.Read(ctx, func(ctx context.Context, view store.View) error {
		since := view.Now().Add(-followBack)
		for after, more := store.FirstID(since), true; more; {
			page, err := store.Timeline(ctx, view, after, followMost)
			if err != nil {
				return err
			}
			more = len(page) == followMost
			for _, e := range page {
				after = e.ID
				if _, again := seen[e.ID]; !again {
					found = append(found, e)
				}
				seen[e.ID] = e.At
			}
		}
		for id, at := range seen {
			if at.Before(since.Add(-followBack)) {
				delete(seen, id)
			}
		}
		return nil
	})
	return found, err
}

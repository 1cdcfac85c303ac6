package main

import (
	"bytes"
	"cmp"
	"context"
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/alecthomas/kong"

	"smsbridge/internal/callback"
	"smsbridge/internal/settings"
	"smsbridge/internal/store"
	"smsbridge/internal/tenant"
	"smsbridge/outbound"
)

// The helps are in listenHelps, since a tag cannot be broken into lines.
type listenCommand struct {
	bridgeFlag
	ForwardTo string   `help:"${listen_to}" placeholder:"URL"`
	Events    []string `help:"${listen_events}" placeholder:"TYPE"`
	Tenant    string   `help:"${callbacks_tenant}" placeholder:"SLUG"`
}

// listenHelps returns the helps of the flags, by the names that their tags have.
func listenHelps() kong.Vars {
	return kong.Vars{
		"listen":        "Print each event of the running bridge, and send it to your own machine.",
		"listen_to":     "Where each event is posted, such as http://localhost:3000/hook.",
		"listen_events": "Only events of these types, such as question.*, with commas between.",
	}
}

// Help is shown by smsbridge listen --help.
func (listenCommand) Help() string {
	return "It sees the events of all tenants that happen from now on, also those that no app is " +
		"told of; docs/EVENTS.md explains each. It finds the bridge by the same settings as serve, and " +
		"changes nothing: what the apps are told stays the same. It posts from here, and not from the " +
		"bridge. It ends with Ctrl-C, and with the bridge.\n\n" +
		"  $ smsbridge listen --forward-to http://localhost:3000/hook\n" +
		"  events are signed with whsec_…\n" +
		"  12:00:01Z acme question.confirmed 01a2… 200\n\n" +
		"The secret is made anew at each start. What is posted has the phone, as an app gets it; what " +
		"is printed has not. Each event is posted once. A receiver on another machine is refused " +
		"unless its address begins with https."
}

// forwardWithin is how long a receiver may take.
const forwardWithin = 10 * time.Second

// heard is an event as listen gets it from the place where the database is open: a line of JSON
// when that is the running bridge. The first one has nothing but Ready.
type heard struct {
	Ready   bool      `json:"ready,omitempty"` // all events from now on are heard
	At      time.Time `json:"at,omitzero"`     // when it happened
	Tenant  string    `json:"tenant,omitempty"`
	Type    string    `json:"type,omitempty"`
	Subject string    `json:"subject,omitempty"`
	EventID string    `json:"event_id,omitempty"`
	// Of an event that is forwarded:
	Now  time.Time `json:"now,omitzero"`
	Body []byte    `json:"body,omitempty"`
	Not  string    `json:"not,omitempty"` // why it cannot be
}

// Run prints and forwards until the context ends. This process posts, also when the bridge hears:
// what a laptop listens to is not within the bridge's reach.
func (c listenCommand) Run(ctx context.Context, w world) error {
	if err := c.check(); err != nil {
		return err
	}
	if w.inside != nil {
		out := json.NewEncoder(w.stdout)
		return c.at(ctx, w, func(ctx context.Context, d database) error {
			return c.hear(ctx, d, func(_ context.Context, h heard) error { return out.Encode(h) })
		})
	}
	f := forwarder{c, w, make([]byte, 32)}
	if _, err := rand.Read(f.key); err != nil {
		return err
	}
	lines, there := io.Pipe()
	asked := w
	asked.stdout = there
	failed := make(chan error, 1)
	go func() {
		err := c.at(ctx, asked, func(ctx context.Context, d database) error {
			return c.hear(ctx, d, f.tell)
		})
		failed <- errors.Join(err, there.Close())
	}()
	told := f.tellAll(ctx, lines)
	err := <-failed
	if ctx.Err() != nil {
		return nil // what it did last was cut off
	}
	return cmp.Or(err, told)
}

// hear calls tell with each event that an app can be told of.
func (c listenCommand) hear(
	ctx context.Context, d database, tell func(ctx context.Context, h heard) error,
) error {
	if err := knownTenant(d.settings.Tenants, c.Tenant); err != nil {
		return err
	}
	ready := func() error { return tell(ctx, heard{Ready: true}) }
	return follow(ctx, d, ready, func(ctx context.Context, e store.Event) error {
		one, known := callback.Of(e)
		if !known || c.Tenant != "" && e.Tenant != c.Tenant ||
			!(tenant.Endpoint{Types: c.Events}).Wants(one.Type) {
			return nil
		}
		h := heard{
			At: e.At, Tenant: e.Tenant, Type: one.Type, Subject: one.Subject, EventID: one.EventID,
		}
		if c.ForwardTo != "" {
			h.read(ctx, d.store, one)
		}
		return tell(ctx, h)
	})
}

// read adds what an app would be told.
func (h *heard) read(ctx context.Context, st *store.Store, c callback.Callback) {
	err := st.Read(ctx, func(ctx context.Context, view store.View) (err error) {
		h.Now = view.Now()
		h.Body, err = callback.Message(ctx, view, c)
		return err
	})
	switch {
	case errors.Is(err, callback.ErrNothing):
		h.Not = "the person was erased"
	case err != nil:
		h.Not = oneLine(err)
	}
}

// check finds flags that cannot work.
func (c listenCommand) check() error {
	for _, pattern := range c.Events {
		one := tenant.Endpoint{Types: []string{pattern}}
		if !slices.ContainsFunc(tenant.EventTypes(), one.Wants) {
			return mistake{printable(pattern) + " is no type of an event",
				"write some of " + strings.Join(tenant.EventTypes(), ", ")}
		}
	}
	if c.ForwardTo == "" {
		return nil
	}
	u, err := url.Parse(c.ForwardTo)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Hostname() == "" {
		return mistake{"--forward-to is not a web address", "write it as http://localhost:3000/hook"}
	}
	if u.Scheme == "http" && !settings.IsLoopbackURL(c.ForwardTo) {
		return mistake{"--forward-to is plain http on another machine",
			"an event has the phone of a person: use https, or a port of this machine"}
	}
	return nil
}

// forwarder prints events, and posts them.
type forwarder struct {
	listenCommand
	world
	key []byte
}

// tellAll tells what the running bridge hears, until that ends.
func (f forwarder) tellAll(ctx context.Context, lines *io.PipeReader) error {
	for in := json.NewDecoder(lines); ; {
		var h heard
		err := in.Decode(&h)
		if err == nil {
			err = f.tell(ctx, h)
		}
		if err != nil {
			if errors.Is(err, io.EOF) {
				err = nil
			}
			return errors.Join(err, lines.CloseWithError(err))
		}
	}
}

// tell prints one event, and what the receiver made of it.
func (f forwarder) tell(ctx context.Context, h heard) error {
	if h.Ready {
		if f.ForwardTo != "" {
			secret := "whsec_" + base64.StdEncoding.EncodeToString(f.key)
			fmt.Fprintln(f.stdout, "events are signed with "+secret)
		}
		_, err := fmt.Fprintln(f.stderr, "smsbridge: listening; end it with Ctrl-C")
		return err
	}
	result := ""
	switch {
	case h.Not != "":
		result = " not posted: " + h.Not
	case f.ForwardTo != "":
		result = " " + f.forward(ctx, h)
	}
	_, err := fmt.Fprintf(f.stdout, "%s %s %s %s%s\n", h.At.UTC().Format(clockUTC), h.Tenant, h.Type,
		h.Subject, result)
	return err
}

// forward posts an event, and says what came of it.
func (f forwarder) forward(ctx context.Context, h heard) string {
	ctx, cancel := context.WithTimeout(ctx, forwardWithin)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, f.ForwardTo,
		bytes.NewReader(h.Body))
	if err != nil {
		return "not posted: " + oneLine(err)
	}
	request.Header.Set("Content-Type", "application/json")
	request.Header.Set("User-Agent", "smsbridge")
	outbound.Sign(request.Header, [][]byte{f.key}, h.EventID, h.Now, h.Body)
	client := &http.Client{
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	response, err := client.Do(request)
	if err != nil {
		return "no response: " + reason(err)
	}
	defer response.Body.Close()
	_, _ = io.CopyN(io.Discard, response.Body, 64<<10)
	return response.Status
}

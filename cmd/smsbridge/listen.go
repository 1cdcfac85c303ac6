package main

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/base64"
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
	Config    string   `help:"${person_config}" env:"SMSBRIDGE_CONFIG" placeholder:"FILE"`
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
		"told of; docs/EVENTS.md explains each. It reads the database of the bridge once a second, " +
		"with the same settings as serve, and changes nothing: what the apps are told stays the same. " +
		"It ends with Ctrl-C.\n\n" +
		"  $ smsbridge listen --forward-to http://localhost:3000/hook\n" +
		"  events are signed with whsec_…\n" +
		"  12:00:01 acme question.confirmed 01a2… 200\n\n" +
		"The secret is made anew at each start. What is posted has the phone, as an app gets it; what " +
		"is printed has not. Each event is posted once. A receiver on another machine is refused " +
		"unless its address begins with https."
}

// forwardWithin is how long a receiver may take.
const forwardWithin = 10 * time.Second

// listener is a listen under way.
type listener struct {
	listenCommand
	world
	store *store.Store
	key   []byte
}

// Run prints and forwards until the context ends.
func (c listenCommand) Run(ctx context.Context, w world) (err error) {
	if err := c.check(); err != nil {
		return err
	}
	st, settings, err := w.beside(ctx, c.Config)
	if err != nil {
		return err
	}
	defer closing(st, &err)
	if err := knownTenant(settings.Tenants, c.Tenant); err != nil {
		return err
	}
	l := listener{c, w, st, make([]byte, 32)}
	if _, err := rand.Read(l.key); err != nil {
		return err
	}
	return follow(ctx, st, func() {
		secret := "whsec_" + base64.StdEncoding.EncodeToString(l.key)
		if c.ForwardTo != "" {
			fmt.Fprintln(w.stdout, "events are signed with "+secret)
		}
		fmt.Fprintln(w.stderr, "smsbridge: listening; end it with Ctrl-C")
	}, l.tell)
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

// tell prints one event, and what the receiver made of it. Events that no app can be told of are
// passed over.
func (l *listener) tell(ctx context.Context, e store.Event) error {
	c, known := callback.Of(e)
	if !known || l.Tenant != "" && e.Tenant != l.Tenant ||
		!(tenant.Endpoint{Types: l.Events}).Wants(c.Type) {
		return nil
	}
	result := ""
	if l.ForwardTo != "" {
		result = " " + l.forward(ctx, c)
	}
	_, err := fmt.Fprintf(l.stdout, "%s %s %s %s%s\n", e.At.Format(time.TimeOnly), e.Tenant, c.Type,
		c.Subject, result)
	return err
}

// forward posts an event, and says what came of it.
func (l *listener) forward(ctx context.Context, c callback.Callback) string {
	var (
		body []byte
		now  time.Time
	)
	err := l.store.Read(ctx, func(ctx context.Context, view store.View) (err error) {
		now = view.Now()
		body, err = callback.Message(ctx, view, c)
		return err
	})
	if errors.Is(err, callback.ErrNothing) {
		return "not posted: the person was erased"
	}
	if err != nil {
		return "not posted: " + oneLine(err)
	}
	ctx, cancel := context.WithTimeout(ctx, forwardWithin)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, l.ForwardTo,
		bytes.NewReader(body))
	if err != nil {
		return "not posted: " + oneLine(err)
	}
	request.Header.Set("Content-Type", "application/json")
	request.Header.Set("User-Agent", "smsbridge")
	outbound.Sign(request.Header, [][]byte{l.key}, c.EventID, now, body)
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

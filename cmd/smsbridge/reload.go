package main

import (
	"context"
	"errors"
	"net/http"
	"os"
	"os/signal"
	"strings"
	"sync/atomic"
	"syscall"

	"smsbridge/inbound"
	"smsbridge/internal/tenant"
)

// reloading is how a running bridge gets other settings. The zero value is a bridge that keeps
// those of its start.
type reloading struct {
	asked <-chan os.Signal                // one for each time that an operator asks
	read  func() (tenant.Settings, error) // judged as at the start
}

// reread are settings that were read, or why they cannot be taken up.
type reread struct {
	settings tenant.Settings
	err      error
}

// begin reads the settings in the background, since the bridge must be able to stop meanwhile. A
// file that they refer to may be a FIFO, or on a disk that does not respond.
func (r reloading) begin() <-chan reread {
	done := make(chan reread, 1)
	go func() {
		settings, err := r.read()
		done <- reread{settings, err}
	}()
	return done
}

// untilReload reads the settings again with each SIGHUP.
func (s serveCommand) untilReload(ctx context.Context, w world) reloading {
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, syscall.SIGHUP)
	return reloading{signals, func() (tenant.Settings, error) {
		loaded, _, err := s.settings(ctx, w)
		if err == nil {
			err = judge(loaded)
		}
		return loaded, err
	}}
}

// front is what the listeners serve. All of it changes at once, when the settings do: a request is
// served with one set of settings from its beginning to its end.
type front struct {
	current  atomic.Pointer[handlers]
	draining atomic.Bool   // says /readyz, whichever settings are in use
	stopping chan struct{} // closed when the bridge stops
}

type handlers struct {
	replaced  atomic.Bool // others are current
	hall      http.Handler
	flowroute map[string]http.Handler // by tenant
	operators http.Handler
	watch     http.Handler
	commands  http.Handler
}

// open makes the handlers for settings, and serves them from now on. What the handlers before them
// have counted in memory, such as requests a minute, begins anew.
func (f *front) open(b *bridge) error {
	h := &handlers{flowroute: map[string]http.Handler{}, commands: b.commands(f.stopping)}
	edge := &inbound.Server{
		Store: b.store, Settings: b.settings, Log: b.log, Now: b.now, Draining: &f.draining,
		Meter: b.watcher.meter, Traces: b.watcher.traces, Version: version(),
		TryMail: b.worker.TryMail, Replaced: &h.replaced,
	}
	operators, err := edge.OperatorHandler()
	if err != nil {
		return err
	}
	about := b.watcher.about
	about.Settings = b.settings.Fingerprint
	h.hall, h.operators, h.watch = edge.Handler(), operators, edge.WatchHandler(about)
	for _, t := range b.settings.Tenants.All() {
		if t.Doors.Flowroute.Addr != "" {
			h.flowroute[t.Slug] = edge.FlowrouteHandler(t)
		}
	}
	if before := f.current.Swap(h); before != nil {
		before.replaced.Store(true)
	}
	return nil
}

// at serves requests with the handler that is chosen when each of them comes.
func (f *front) at(choose func(*handlers) http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		choose(f.current.Load()).ServeHTTP(w, r)
	})
}

// reload takes all settings up that were read again, or, when there is a mistake or a change that
// needs a restart, none.
func (b *bridge) reload(f *front, read reread) {
	next, err := read.settings, read.err
	if err == nil {
		if fixed := b.settings.Fixed(next); len(fixed) > 0 {
			err = errors.New("these need a restart: " + strings.Join(fixed, ", "))
		}
	}
	before := b.settings
	if err == nil {
		// The workers first: they refuse what comes for a tenant that they do not know.
		b.settings = next
		b.worker.Use(next)
		if err = f.open(b); err != nil {
			b.settings = before
			b.worker.Use(before)
		}
	}
	if err != nil {
		b.log.Error("the settings were not taken up: the bridge goes on with those that it has",
			"error", err, "settings", b.settings.Fingerprint, "remedy", "smsbridge check")
		return
	}
	for _, warning := range next.Warnings {
		b.log.Warn(warning)
	}
	b.watcher.use(next)
	b.log.Info("the settings were taken up", "settings", next.Fingerprint)
}

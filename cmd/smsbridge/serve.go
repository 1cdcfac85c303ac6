package main

import (
	"cmp"
	"context"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"runtime/debug"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/alecthomas/kong"

	"smsbridge/inbound/web"
	"smsbridge/internal/store"
	"smsbridge/internal/tenant"
	"smsbridge/outbound"
)

// stopTime is how long requests and jobs under way may take once the bridge has drained. Jobs
// that take longer are done after the next start.
const stopTime = 20 * time.Second

// silenceTime is how long the bridge waits, once it stops, for connections that have sent nothing.
const silenceTime = 500 * time.Millisecond

// The helps are in serveHelps, since a tag cannot be broken into lines.
type serveCommand struct {
	Config   string `help:"${serve_config}" env:"SMSBRIDGE_CONFIG" placeholder:"FILE"`
	LogLevel string `help:"${serve_log_level}" env:"SMSBRIDGE_LOG_LEVEL" default:"info"`
}

// serveHelps returns the helps of the flags, by the names that their tags have.
func serveHelps() kong.Vars {
	return kong.Vars{
		"serve_config": "Settings of several tenants, as in deploy/smsbridge.yaml. " +
			"Without it, one tenant is read from variables.",
		"serve_log_level": "Least level that is logged: debug, info, warn or error.",
	}
}

// Help is shown by smsbridge serve --help.
func (serveCommand) Help() string {
	return "One tenant is set by variables; deploy/env.example has them all with an explanation. " +
		"Needed are SMSBRIDGE_PUBLIC_URL, SMSBRIDGE_TENANT, SMSBRIDGE_NAME, SMSBRIDGE_COUNTRIES, " +
		"SMSBRIDGE_MAIL_DOMAIN, SMSBRIDGE_IDP_HOSTS, SMSBRIDGE_SENDER_DOMAINS, MAILGUN_API_KEY, " +
		"MAILGUN_WEBHOOK_SIGNING_KEY, " +
		"TWILIO_ACCOUNT_SID, TWILIO_AUTH_TOKEN and TWILIO_FROM. SMSBRIDGE_DAILY_SEGMENTS and " +
		"SMSBRIDGE_DAILY_MONEY bound what a day may cost.\n\n" +
		"At the start it logs the URLs to paste at Mailgun and Twilio; deploy/PROVIDERS.md says where. " +
		"SIGTERM and SIGINT stop it without loss; a second one stops it at once. SIGHUP reads the " +
		"settings again: the file, and the files that it or a variable refers to. A mistake, or a " +
		"change that needs a restart, leaves all as it was and is logged. Variables stay as they were " +
		"at the start.\n\n" +
		"Commands such as smsbridge jobs find the running bridge by the same settings: at a unix " +
		"socket, which SMSBRIDGE_SOCKET names. The bridge runs them."
}

// Run serves until the context ends.
func (s serveCommand) Run(ctx context.Context, w world) error {
	// Before all else: a SIGHUP that is not waited for ends the process.
	again := s.untilReload(ctx, w)
	settings, level, err := s.settings(ctx, w)
	if err != nil {
		return err
	}
	log := logger(w.stderr, settings.LogFormat, level)
	for _, warning := range settings.Warnings {
		log.Warn(warning)
	}
	if err := judge(settings); err != nil {
		return err
	}
	hall := hallAddress(settings)
	listener, err := hall.listen()
	if err != nil {
		return hall.explain(err)
	}
	b, err := openBridge(ctx, settings, log, w.now)
	if err != nil {
		return errors.Join(err, listener.Close())
	}
	b.again = again
	return b.serve(ctx, listener)
}

// bridge is a bridge whose database is open and that does nothing yet: serve sets it to work and
// closes it.
type bridge struct {
	store    *store.Store
	worker   *outbound.Worker
	settings tenant.Settings // in use now
	log      *slog.Logger
	now      func() time.Time
	pause    func(time.Duration) // lets the time pass in which the bridge drains
	again    reloading
	pages    net.Listener // for operators; nil: the settings say where it is
	metrics  net.Listener // likewise
	watcher  *watcher
}

// openBridge opens the database. A nil now leaves the bridge the clock that it has in production.
func openBridge(
	ctx context.Context, settings tenant.Settings, log *slog.Logger, now func() time.Time,
) (bridge, error) {
	options, err := storeOptions(settings)
	if err != nil {
		return bridge{}, err
	}
	options.Now, options.Log = now, log
	st, err := store.Open(ctx, options)
	if err != nil {
		return bridge{}, explainDatabase(err)
	}
	if now == nil {
		now = time.Now
	}
	b := bridge{store: st, settings: settings, log: log, now: now, pause: time.Sleep}
	b.watcher = b.watch()
	b.worker = &outbound.Worker{
		Store: st, Settings: settings, Log: log, Meter: b.watcher.meter, Traces: b.watcher.traces,
	}
	b.worker.Register()
	return b, nil
}

// storeOptions says which database the settings name, and with which keys.
func storeOptions(settings tenant.Settings) (store.Options, error) {
	o := store.Options{URL: settings.Database.Reveal()}
	if given := settings.Key.Reveal(); given != "" {
		keys, err := store.ParseKeys(given)
		if err != nil {
			return o, err
		}
		o.Key, o.OldKeys = keys[0], keys[1:]
	}
	return o, nil
}

// serve works the queue and serves requests until ctx ends or the listener fails, and then stops
// without loss.
func (b bridge) serve(ctx context.Context, listener net.Listener) (err error) {
	f := front{stopping: make(chan struct{})}
	if err := f.open(&b); err != nil {
		return errors.Join(err, listener.Close(), b.store.Close())
	}
	crowd := web.NewCrowd(maxConnections(descriptorLimit()))
	hall := f.at(func(h *handlers) http.Handler { return h.hall })
	doors := []door{b.door(crowd, listener, hall)}
	more, err := b.listenDoors(ctx, crowd, &f)
	doors = append(doors, more...)
	if err == nil {
		more, err = b.listenWatch(crowd, &f)
		doors = append(doors, more...)
	}
	if err == nil {
		// Not ctx: jobs under way are stopped by Stop, gently, not by the signal.
		err = b.worker.Start(context.WithoutCancel(ctx))
	}
	if err != nil {
		for _, d := range doors {
			err = errors.Join(err, d.listener.Close())
		}
		return errors.Join(err, b.store.Close())
	}
	watching, stopWatching := context.WithCancel(context.WithoutCancel(ctx))
	var watch sync.WaitGroup
	watch.Go(func() { b.keepWatch(watching) })
	failed := make(chan error, len(doors))
	for _, d := range doors {
		go func() { failed <- d.server.Serve(d.listener) }()
	}
	// Migrations and settings need memory once. An idle bridge gives it back.
	go debug.FreeOSMemory()
	for _, t := range b.settings.Tenants.All() {
		b.log.Info("tenant", "tenant", t.Slug, "mailgun_url", b.settings.MailURL(t.Slug),
			"twilio_url", b.settings.ReplyURL(t.Slug))
	}
	b.log.Info("serving", "addr", listener.Addr().String(), "version", version(),
		"settings", b.settings.Fingerprint)
	asked, read := b.again.asked, (<-chan reread)(nil)
	for serving := true; serving; {
		select {
		case err = <-failed:
			serving = false
		case <-ctx.Done():
			serving = false
		case <-asked:
			asked, read = nil, b.again.begin()
		case got := <-read:
			asked, read = b.again.asked, nil
			b.reload(&f, got)
		}
	}
	b.log.Info("stopping")
	began := time.Now()
	f.draining.Store(true)
	close(f.stopping)
	if err == nil {
		// Load balancers look at /readyz and send no more. Until they have looked, requests are served.
		b.pause(b.settings.Drain)
	}
	stopWatching()
	watch.Wait()
	whole, closed := b.stop(ctx, crowd, doors)
	b.log.Info("stopped", "took", time.Since(began).Round(time.Millisecond).String(), "whole", whole)
	return errors.Join(err, closed)
}

// stop closes the doors, lets requests and jobs under way end, and closes the database. Whole says
// that none of them was cut off.
func (b bridge) stop(
	ctx context.Context, crowd *web.Crowd, doors []door,
) (whole bool, err error) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), stopTime)
	defer cancel()
	silent := time.AfterFunc(silenceTime, crowd.CloseSilent)
	var closing sync.WaitGroup
	var cut atomic.Bool
	for _, d := range doors {
		closing.Go(func() {
			if err := d.server.Shutdown(ctx); err != nil {
				cut.Store(true)
				b.log.Warn("requests were cut off", "error", err)
			}
		})
	}
	closing.Wait()
	silent.Stop()
	if err := b.store.Stop(ctx); err != nil {
		cut.Store(true)
		b.log.Warn("jobs were cut off and will be done after the next start", "error", err)
	}
	b.watcher.closeTraces(ctx)
	return !cut.Load(), b.store.Close()
}

// door is a place where requests arrive.
type door struct {
	listener net.Listener
	server   *http.Server
}

// listenDoors listens at the Flowroute doors of the tenants that have one, for operators and for
// commands, up to the first at which it cannot.
func (b bridge) listenDoors(
	ctx context.Context, crowd *web.Crowd, f *front,
) (doors []door, err error) {
	for _, t := range b.settings.Tenants.All() {
		addr := flowrouteAddress(t)
		if addr.at == "" {
			continue
		}
		listener, err := addr.listen()
		if err != nil {
			return doors, addr.explain(err)
		}
		b.log.Info("flowroute door", "tenant", t.Slug, "addr", listener.Addr().String())
		handler := f.at(func(h *handlers) http.Handler { return h.flowroute[t.Slug] })
		doors = append(doors, b.door(crowd, listener, handler))
	}
	pages, err := b.listenOperators(crowd, f)
	if doors = append(doors, pages...); err != nil {
		return doors, err
	}
	commands, err := b.listenCommands(ctx, f)
	return append(doors, commands...), err
}

// listenOperators listens for the pages of operators, if they have an address.
func (b bridge) listenOperators(crowd *web.Crowd, f *front) (_ []door, err error) {
	addr := operatorAddress(b.settings)
	if addr.at == "" {
		return nil, nil
	}
	listener := b.pages
	if listener == nil {
		if listener, err = addr.listen(); err != nil {
			return nil, addr.explain(err)
		}
	}
	at := cmp.Or(b.settings.Operator.URL, "http://"+listener.Addr().String())
	b.log.Info("pages for operators", "url", at+"/operator")
	handler := f.at(func(h *handlers) http.Handler { return h.operators })
	return []door{b.door(crowd, listener, handler)}, nil
}

// door serves requests that arrive at a listener. What a caller is waited for is bounded, since it
// has proved nothing yet.
func (b bridge) door(crowd *web.Crowd, listener net.Listener, handler http.Handler) door {
	server := &http.Server{
		Handler:           handler,
		ReadHeaderTimeout: 5 * time.Second,
		ReadTimeout:       15 * time.Second, // the door of mails gives each its own time
		WriteTimeout:      75 * time.Second, // reading a mail is in it, and takes up to a minute
		IdleTimeout:       60 * time.Second,
		MaxHeaderBytes:    16 << 10,
		ErrorLog:          slog.NewLogLogger(b.log.Handler(), slog.LevelDebug),
	}
	return door{crowd.Admit(listener, server), server}
}

// maxConnections is how many connections callers may have open while the process may have limit
// descriptors. The rest is for what the bridge itself opens: the database, and for each worker a
// connection or two to a provider. More than 2,048 callers at once are an attack, and each takes
// memory.
func maxConnections(limit int) int {
	const own, least, most = 112, 16, 2048
	return min(max(limit-own, least), most)
}

// reason is what the system said about a failed listen, without Go's repetition of the address.
func reason(err error) string {
	text := err.Error()
	if i := strings.LastIndex(text, ": "); i >= 0 {
		return text[i+2:]
	}
	return text
}

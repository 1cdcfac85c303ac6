package main

import (
	"context"
	"errors"
	"net/http"
	"os"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"smsbridge/inbound/watchdoor"
	"smsbridge/inbound/web"
	"smsbridge/internal/gauge"
	"smsbridge/internal/health"
	"smsbridge/internal/meter"
	"smsbridge/internal/store"
	"smsbridge/internal/store/fact"
	"smsbridge/internal/tenant"
	"smsbridge/internal/trace"
)

const (
	// watchEvery is how often the bridge looks how it is.
	watchEvery = 5 * time.Second
	// beatEvery is how often it tells the other replicas that it lives.
	beatEvery = 15 * time.Second
	// watchWait bounds one look.
	watchWait = 4 * time.Second
)

// watcher looks how the bridge is, and tells operators.
type watcher struct {
	meter  *meter.Meter
	reader *gauge.Reader
	traces *trace.Tracer                   // nil when there is no collector
	about  watchdoor.About                 // but for the settings
	used   atomic.Pointer[tenant.Settings] // now

	now  func() time.Time
	lost error     // why the other replicas could not be told
	beat time.Time // when they were
}

// watch makes the watcher of a bridge, which begins to count.
func (b bridge) watch() *watcher {
	host, _ := os.Hostname()
	now := steady(b.now)
	w := &watcher{
		now:   now,
		meter: meter.New(now, health.NewMonitor(b.log)),
		reader: &gauge.Reader{
			Store: b.store, Settings: b.settings, Now: now, Disk: b.disk,
		},
		about: watchdoor.About{
			Version: version(), Commit: commit(), Go: runtime.Version(), Since: now(),
			Key: b.store.KeyID(), Node: store.NewID(), Host: host,
		},
	}
	w.use(b.settings)
	w.meter.Add(&gauge.Collector{
		Reader: w.reader, Health: w.meter.Health, Version: w.about.Version, Commit: w.about.Commit,
		KeyID: w.about.Key,
	})
	w.openTraces(b.settings.Traces)
	b.store.Hear(func(facts []fact.Fact) {
		w.meter.Hear(facts)
		w.traces.Hear(facts)
	})
	return w
}

// openTraces begins to tell a collector, if there is one.
func (w *watcher) openTraces(to tenant.Traces) {
	if to.URL == "" {
		return
	}
	w.traces = trace.Open(trace.Options{
		URL: to.URL, Header: to.Header(), Share: to.Share,
		Version: w.about.Version, Node: w.about.Node, Host: w.about.Host, Now: w.now,
		Told: func(result string, spans int) {
			w.meter.Traced(result, spans)
			if result == trace.Sent {
				w.meter.Well(health.Collector, "")
			} else if result != trace.Full { // which is said of each span
				w.meter.Wrong(health.Collector, "")
			}
		},
	})
}

// closeTraces sends the spans that wait, as far as the collector takes them soon.
func (w *watcher) closeTraces(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, watchWait)
	defer cancel()
	w.traces.Close(ctx)
}

// use has it judge by other settings, and tell of them. What is about a tenant that they do not
// have is over, and so is what they correct.
func (w *watcher) use(s tenant.Settings) {
	if before := w.used.Swap(&s); before != nil {
		for _, t := range before.Tenants.All() {
			if next, still := s.Tenants.Tenant(t.Slug); still {
				codes := corrected(t, next)
				if before.PublicURL != s.PublicURL { // Twilio signs it
					codes = append(codes, health.TwilioSigning)
				}
				w.meter.Health.Corrected(t.Slug, codes, w.now())
			} else {
				w.meter.Health.Gone(t.Slug, w.now())
			}
		}
	}
	w.reader.Use(s)
}

// corrected are the findings about credentials in whose place a tenant has others now.
func corrected(before, now *tenant.Tenant) (codes []health.Code) {
	gun, next := before.Mails.Mailgun, now.Mails.Mailgun
	if !slices.Equal(gun.SigningKeys, next.SigningKeys) {
		codes = append(codes, health.MailgunSigning)
	}
	if gun.APIKey != next.APIKey || gun.APIBase != next.APIBase {
		codes = append(codes, health.MailgunKey)
	}
	was, is := before.Sending, now.Sending
	if was.Twilio != is.Twilio {
		codes = append(codes, health.TwilioAuth, health.TwilioSigning, health.VerifyAuth)
	}
	if was.VerifyService.SID != is.VerifyService.SID {
		codes = append(codes, health.VerifyAuth)
	}
	if was.Flowroute != is.Flowroute {
		codes = append(codes, health.FlowrouteAuth, health.FlowrouteURL)
	}
	if was.Webhook.URL != is.Webhook.URL || !slices.Equal(was.Webhook.Secrets, is.Webhook.Secrets) {
		codes = append(codes, health.WebhookAuth)
	}
	return codes
}

// steady is a clock for those who count: where a clock panics, it says what it said last. They
// count in goroutines that nothing else guards.
func steady(now func() time.Time) func() time.Time {
	var mu sync.Mutex
	var last time.Time
	return func() time.Time {
		mu.Lock()
		defer mu.Unlock()
		_ = store.Survive("the clock", func() error {
			last = now()
			return nil
		})
		return last
	}
}

// disk is the disk of a SQLite database.
func (b bridge) disk() gauge.Disk {
	path, is := strings.CutPrefix(b.settings.Database.Reveal(), "sqlite:")
	if !is {
		return gauge.Disk{}
	}
	return diskOf(filepath.Dir(path))
}

// keepWatch looks how the bridge is, now and then, until ctx ends. Then the other replicas are told
// that it stops.
func (b bridge) keepWatch(ctx context.Context) {
	tick := time.NewTicker(watchEvery)
	defer tick.Stop()
	for {
		b.look(ctx)
		select {
		case <-ctx.Done():
			b.leave()
			return
		case <-tick.C:
		}
	}
}

// look looks once.
func (b bridge) look(ctx context.Context) {
	w, now := b.watcher, b.watcher.now()
	ctx, cancel := context.WithTimeout(ctx, watchWait)
	defer cancel()
	if now.Sub(w.beat) >= beatEvery || w.lost != nil {
		w.lost = b.store.Do(ctx, func(ctx context.Context, tx *store.Tx) error {
			return store.Beat(ctx, tx, store.Node{
				ID: w.about.Node, Host: w.about.Host, Version: w.about.Version,
				Settings: w.used.Load().Fingerprint, KeyID: w.about.Key, Since: w.about.Since,
			})
		})
		w.beat = now
	}
	reading, err := w.reader.Read(ctx)
	if ctx.Err() == nil || !errors.Is(err, context.Canceled) {
		w.meter.Health.Say(errors.Join(err, w.lost) != nil, health.Database, "", now)
	}
	if err == nil {
		reading.Judge(w.meter.Health, uint64(w.used.Load().DiskLeast)*1e6, now)
	}
	w.meter.Health.Turn(now)
}

// leave tells the other replicas that this one stops.
func (b bridge) leave() {
	ctx, cancel := context.WithTimeout(context.Background(), watchWait)
	defer cancel()
	err := b.store.Do(ctx, func(ctx context.Context, tx *store.Tx) error {
		return store.Leave(ctx, tx, b.watcher.about.Node)
	})
	if err != nil {
		b.log.Warn("the other replicas take this one for alive for a minute", "error", err)
	}
}

// listenWatch listens where operators are told how the bridge is, if they are told anywhere.
func (b bridge) listenWatch(crowd *web.Crowd, f *front) ([]door, error) {
	addr := watchAddress(b.settings)
	if addr.at == "" {
		return nil, nil
	}
	listener := b.metrics
	if listener == nil {
		var err error
		if listener, err = addr.listen(); err != nil {
			return nil, addr.explain(err)
		}
	}
	b.log.Info("metrics", "addr", listener.Addr().String())
	handler := f.at(func(h *handlers) http.Handler { return h.watch })
	return []door{b.door(crowd, listener, handler)}, nil
}

// commit is the commit that the build recorded, or "".
func commit() string {
	info, _ := debug.ReadBuildInfo()
	if info == nil {
		return ""
	}
	for _, s := range info.Settings {
		if s.Key == "vcs.revision" {
			return s.Value
		}
	}
	return ""
}

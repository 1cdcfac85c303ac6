// Package meter counts what only this process knows, and tells Prometheus.
//
// It is for the edges, which are given one, and for cmd, which makes it. It promises that no label
// has a phone, an id, or a word that a caller chose, and that a label has few values. Its methods
// may be called on nil, which does nothing. What all processes know is read from the database, by
// package gauge.
package meter

import (
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"smsbridge/internal/health"
	"smsbridge/internal/store/fact"
)

// Stage is a part of the way from a mail to its outcome.
type Stage string

// The stages.
const (
	Examined Stage = "examined" // from the mail's time stamp at Mailgun to its examination
	Asked    Stage = "asked"    // from when a text was made until a provider has it
	Answered Stage = "answered" // from when a question was opened to its yes
	Clicked  Stage = "clicked"  // from the yes to the end of its click
	Whole    Stage = "whole"    // from when a question was opened to the end of its click
)

// Meter counts.
type Meter struct {
	// Health is told what goes well and what does not.
	Health *health.Monitor

	now      func() time.Time
	registry *prometheus.Registry

	requests, mails, texts, questions, verifications, dead, spans *prometheus.CounterVec
	stages, providers                                             *prometheus.HistogramVec

	reasons, countries bounded
	keys               keys
}

// New returns a meter with a clock that measures how long things take.
func New(now func() time.Time, h *health.Monitor) *Meter {
	m := &Meter{Health: h, now: now, registry: prometheus.NewRegistry()}
	counter := func(name, help string, labels ...string) *prometheus.CounterVec {
		c := prometheus.NewCounterVec(
			prometheus.CounterOpts{Name: "smsbridge_" + name, Help: help}, labels)
		m.registry.MustRegister(c)
		return c
	}
	histogram := func(name, help string, buckets []float64, labels ...string,
	) *prometheus.HistogramVec {
		h := prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "smsbridge_" + name, Help: help, Buckets: buckets,
		}, labels)
		m.registry.MustRegister(h)
		return h
	}
	m.requests = counter("requests_total", "Requests by door, tenant, status and reason.",
		"door", "tenant", "status", "reason")
	m.mails = counter("mails_total", "Mails by what became of them.", "tenant", "state")
	m.texts = counter("texts_total", "Texts by how far they came; due is each once.",
		"tenant", "provider", "purpose", "country", "state")
	m.questions = counter("questions_total", "Questions by how they stand; open is each once.",
		"tenant", "purpose", "country", "state")
	m.verifications = counter("verifications_total",
		"Verifications by how they stand; pending is each once.", "tenant", "country", "state")
	m.dead = counter("jobs_given_up_total", "Jobs that this process gave up.", "kind")
	m.spans = counter("spans_total", "Spans of traces by what became of them.", "result")
	m.stages = histogram("stage_seconds", "How long each stage takes.",
		[]float64{.05, .1, .25, .5, 1, 2.5, 5, 10, 30, 60, 120, 300, 600, 1800}, "stage")
	m.providers = histogram("provider_request_seconds",
		"Requests to providers, identity providers and apps, by result.",
		[]float64{.05, .1, .25, .5, 1, 2.5, 5, 10, 20}, "to", "result")
	m.registry.MustRegister(newKeysCollector(m), collectors.NewGoCollector(),
		collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	return m
}

// Add has a collector asked, too.
func (m *Meter) Add(c prometheus.Collector) { m.registry.MustRegister(c) }

// Handler serves what is counted to Prometheus.
func (m *Meter) Handler() http.Handler {
	return promhttp.HandlerFor(m.registry, promhttp.HandlerOpts{MaxRequestsInFlight: 2})
}

// Now is the time of the meter's clock.
func (m *Meter) Now() time.Time {
	if m == nil {
		return time.Time{}
	}
	return m.now()
}

// Request counts a request. Tenant is known; reason is one of the bridge's own words.
func (m *Meter) Request(door, tenant string, status int, reason string) {
	if m == nil {
		return
	}
	m.requests.WithLabelValues(door, tenant, strconv.Itoa(status),
		m.reasons.keep(reason, mostReasons)).Inc()
}

// Took counts a request to another party, and how long it took.
func (m *Meter) Took(to, result string, took time.Duration) {
	if m != nil {
		m.providers.WithLabelValues(to, result).Observe(took.Seconds())
	}
}

// Stage counts how long a stage took.
func (m *Meter) Stage(s Stage, took time.Duration) {
	if m != nil {
		m.stages.WithLabelValues(string(s)).Observe(max(0, took.Seconds()))
	}
}

// Kind names a kind of jobs. It is counted from 0: of a count that begins with 1, Prometheus sees
// no increase.
func (m *Meter) Kind(kind string) {
	if m != nil {
		m.dead.WithLabelValues(kind)
	}
}

// Dead counts a job that was given up.
func (m *Meter) Dead(kind string) {
	if m != nil {
		m.dead.WithLabelValues(kind).Inc()
	}
}

// Traced counts spans by what became of them.
func (m *Meter) Traced(result string, spans int) {
	if m != nil {
		m.spans.WithLabelValues(result).Add(float64(spans))
	}
}

// Wrong tells the monitor at the meter's time that something went wrong.
func (m *Meter) Wrong(code health.Code, of string) {
	if m != nil {
		m.Health.Wrong(code, of, m.now())
	}
}

// Well tells the monitor at the meter's time that something went well.
func (m *Meter) Well(code health.Code, of string) {
	if m != nil {
		m.Health.Well(code, of, m.now())
	}
}

// Hear counts what transactions recorded.
func (m *Meter) Hear(facts []fact.Fact) {
	for _, f := range facts {
		subject, state, _ := strings.Cut(f.Name, ".")
		country := m.countries.keep(f.Country, mostCountries)
		switch {
		case subject == "mail":
			m.mails.WithLabelValues(f.Tenant, state).Inc()
		case subject == "text" && f.Purpose != "":
			m.texts.WithLabelValues(f.Tenant, f.Provider, f.Purpose, country, state).Inc()
			m.arrived(state, f.About)
		case subject == "challenge" && f.Purpose != "":
			m.questions.WithLabelValues(f.Tenant, f.Purpose, country, state).Inc()
			// Where no phone confirms there would be nothing to compare: an alert needs the 0.
			m.questions.WithLabelValues(f.Tenant, f.Purpose, country, "confirmed")
		case subject == "verification" && f.Country != "":
			m.verifications.WithLabelValues(f.Tenant, country, state).Inc()
		}
	}
}

// arrived tells the monitor whether a text arrived. Only Twilio and Flowroute report it. Of what
// others take it stays unknown, and so what they refuse says nothing of the country.
func (m *Meter) arrived(state string, about fact.About) {
	reported := about.Provider == "twilio" || about.Provider == "flowroute"
	switch {
	case state == "delivered":
		m.Well(health.Undelivered, about.Country)
	case state == "undelivered", state == "failed" && reported:
		m.Wrong(health.Undelivered, about.Country)
	}
}

const (
	// mostReasons are more than the bridge has.
	mostReasons = 100
	// mostCountries is how many countries are told apart in one process.
	mostCountries = 40
)

// bounded keeps the values of a label few.
type bounded struct {
	mu    sync.Mutex
	known map[string]bool
}

// keep returns a value, or "other" when there are too many already.
func (b *bounded) keep(value string, most int) string {
	b.mu.Lock()
	defer b.mu.Unlock()
	switch {
	case b.known[value]:
		return value
	case len(b.known) >= most:
		return "other"
	case b.known == nil:
		b.known = map[string]bool{}
	}
	b.known[value] = true
	return value
}

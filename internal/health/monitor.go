package health

import (
	"cmp"
	"context"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"time"
)

// Finding is something that is wrong now.
type Finding struct {
	Code     Code      `json:"code"`
	Severity Severity  `json:"severity"`
	Of       string    `json:"of,omitempty"` // the tenant, provider, … that it is about
	What     string    `json:"what"`
	Remedy   string    `json:"remedy"`
	Since    time.Time `json:"since"`
}

// mostOf is how many findings of one kind there are at most. What they are about is bounded
// already: tenants, providers and countries.
const mostOf = 256

// Monitor hears what goes well and what does not, and knows what is wrong. Its methods may be
// called on nil, which does nothing, and by several goroutines.
type Monitor struct {
	log   *slog.Logger
	kinds map[Code]Kind

	mu      sync.Mutex
	watched map[watch]*state
}

// watch is a kind of finding about something.
type watch struct {
	code Code
	of   string
}

// state is how it is with one thing that is watched.
type state struct {
	wrong       int // how often it went wrong with nothing well in between
	first, last time.Time
	well        time.Time // when it went well last
	since       time.Time // when it was raised; zero while it is not
	told        bool      // whether the log says that it is there
}

// NewMonitor returns a monitor that has heard nothing yet.
func NewMonitor(log *slog.Logger) *Monitor {
	m := &Monitor{log: log, kinds: map[Code]Kind{}, watched: map[watch]*state{}}
	for _, k := range Kinds() {
		m.kinds[k.Code] = k
	}
	return m
}

// Wrong says that something went wrong at a time.
func (m *Monitor) Wrong(code Code, of string, now time.Time) {
	if m == nil {
		return
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	w := watch{code, of}
	s := m.watched[w]
	if s == nil {
		if len(m.watched) >= mostOf*len(m.kinds) {
			return
		}
		s = &state{}
		m.watched[w] = s
	}
	if s.wrong == 0 || now.Sub(s.last) >= m.kinds[code].Forget {
		s.wrong, s.first = 0, now
	}
	s.wrong++
	s.last = now
	m.settle(now)
}

// Well says that something went well at a time.
func (m *Monitor) Well(code Code, of string, now time.Time) {
	if m == nil {
		return
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	s := m.watched[watch{code, of}]
	if s == nil {
		return // it never went wrong
	}
	s.well = now
	if s.since.IsZero() {
		s.wrong = 0
	}
	m.settle(now)
}

// Say is Wrong or Well.
func (m *Monitor) Say(wrong bool, code Code, of string, now time.Time) {
	if wrong {
		m.Wrong(code, of, now)
	} else {
		m.Well(code, of, now)
	}
}

// Only says that of all that a kind may be about, only some is wrong, and the rest goes well.
func (m *Monitor) Only(code Code, wrong []string, now time.Time) {
	if m == nil {
		return
	}
	m.mu.Lock()
	var others []string
	for w := range m.watched {
		if w.code == code && !slices.Contains(wrong, w.of) {
			others = append(others, w.of)
		}
	}
	m.mu.Unlock()
	for _, of := range others {
		m.Well(code, of, now)
	}
	for _, of := range wrong {
		m.Wrong(code, of, now)
	}
}

// Gone says that a tenant is not in the settings any more. What is about it, or about an endpoint
// of it, is over: nothing will go well there.
func (m *Monitor) Gone(tenant string, now time.Time) {
	if m == nil {
		return
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	for w, s := range m.watched {
		about, _, _ := strings.Cut(w.of, "/")
		if about == tenant && strings.HasPrefix(m.kinds[w.code].Of, "tenant") {
			m.end(w, s)
		}
	}
	m.settle(now)
}

// Corrected says that the settings of a tenant have others in the place of what some kinds are
// about, such as credentials. What was heard of those before is over.
func (m *Monitor) Corrected(tenant string, codes []Code, now time.Time) {
	if m == nil {
		return
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, code := range codes {
		w := watch{code, tenant}
		if s := m.watched[w]; s != nil {
			m.end(w, s)
		}
	}
	m.settle(now)
}

// end forgets what was heard, and logs that a finding is over.
func (m *Monitor) end(w watch, s *state) {
	if s.told {
		m.log.Info("health: over", "code", string(w.code), "of", w.of, "since", s.since)
	}
	delete(m.watched, w)
}

// Turn lets time pass: what was wrong may be over.
func (m *Monitor) Turn(now time.Time) {
	if m == nil {
		return
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.settle(now)
}

// settle raises and ends findings, and logs those that come and go.
func (m *Monitor) settle(now time.Time) {
	for w, s := range m.watched {
		k := m.kinds[w.code]
		over := s.well.After(s.last) && now.Sub(s.last) >= k.Quiet || now.Sub(s.last) >= k.Forget
		switch {
		case over:
			m.end(w, s)
		case s.since.IsZero() && s.wrong >= k.Times && s.last.Sub(s.first) >= k.For:
			s.since = s.first
		}
	}
	for _, f := range m.visible() {
		s := m.watched[watch{f.Code, f.Of}]
		if s.told {
			continue
		}
		s.told = true
		level := slog.LevelWarn
		if f.Severity == Error {
			level = slog.LevelError
		}
		m.log.Log(context.Background(), level, "health: "+f.What, "code", string(f.Code), "of", f.Of,
			"remedy", f.Remedy)
	}
}

// Findings returns what is wrong, errors first. What follows from another finding is left out.
func (m *Monitor) Findings(now time.Time) []Finding {
	if m == nil {
		return nil
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.settle(now)
	return m.visible()
}

func (m *Monitor) visible() []Finding {
	found := []Finding{}
	for w, s := range m.watched {
		if k := m.kinds[w.code]; !s.since.IsZero() && !m.hidden(w) {
			found = append(found, Finding{k.Code, k.Severity, w.of, k.What, k.Remedy, s.since})
		}
	}
	slices.SortFunc(found, func(a, b Finding) int {
		return cmp.Or(cmp.Compare(a.Severity, b.Severity), cmp.Compare(a.Code, b.Code),
			cmp.Compare(a.Of, b.Of))
	})
	return found
}

// hidden reports whether a finding follows from another one that there is. What one tenant has
// wrong explains nothing of another tenant.
func (m *Monitor) hidden(w watch) bool {
	k := m.kinds[w.code]
	for other, s := range m.watched {
		cause := m.kinds[other.code]
		if s.since.IsZero() || cause.Of == k.Of && other.of != w.of {
			continue
		}
		// A full disk does not follow from the database: it may be why that records nothing.
		all := other.code == Database && w.code != Database && w.code != DiskFull
		if all || slices.Contains(k.Behind, other.code) {
			return true
		}
	}
	return false
}

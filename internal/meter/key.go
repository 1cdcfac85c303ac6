package meter

import (
	"cmp"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// Key is one of the keys with which others prove themselves, by its place in a setting.
type Key struct {
	Tenant, Setting string
	// Which is its name, or its place among those of the setting, counted from 1. The first is the
	// newest one, when an operator changes keys as the settings say.
	Which string
}

// KeyUse is when a key was used last, at this process.
type KeyUse struct {
	Key
	Last time.Time
}

// keys knows when keys were used last. An operator who changes a key learns whether the old one is
// still used.
type keys struct {
	mu   sync.Mutex
	last map[Key]time.Time
}

// Used notes that a key proved a request.
func (m *Meter) Used(k Key) {
	if m == nil {
		return
	}
	m.keys.mu.Lock()
	defer m.keys.mu.Unlock()
	if m.keys.last == nil {
		m.keys.last = map[Key]time.Time{}
	}
	m.keys.last[k] = m.now()
}

// KeysUsed are the keys that were used since the process started, those of a setting together.
func (m *Meter) KeysUsed() (all []KeyUse) {
	if m == nil {
		return nil
	}
	m.keys.mu.Lock()
	last := maps.Clone(m.keys.last)
	m.keys.mu.Unlock()
	for k, at := range last {
		all = append(all, KeyUse{k, at})
	}
	slices.SortFunc(all, func(a, b KeyUse) int {
		return cmp.Or(cmp.Compare(a.Tenant, b.Tenant), cmp.Compare(a.Setting, b.Setting),
			cmp.Compare(a.Which, b.Which))
	})
	return all
}

// keysCollector tells Prometheus of the keys.
type keysCollector struct {
	m    *Meter
	desc *prometheus.Desc
}

func newKeysCollector(m *Meter) keysCollector {
	return keysCollector{m, prometheus.NewDesc("smsbridge_key_used_timestamp_seconds",
		"When a key that others prove themselves with was used last.",
		[]string{"tenant", "setting", "which"}, nil)}
}

// Describe implements prometheus.Collector.
func (c keysCollector) Describe(to chan<- *prometheus.Desc) { to <- c.desc }

// Collect implements prometheus.Collector.
func (c keysCollector) Collect(to chan<- prometheus.Metric) {
	for _, k := range c.m.KeysUsed() {
		to <- prometheus.MustNewConstMetric(c.desc, prometheus.GaugeValue, float64(k.Last.Unix()),
			k.Tenant, k.Setting, k.Which)
	}
}

package gauge

import (
	"context"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"smsbridge/internal/health"
	"smsbridge/internal/price"
	"smsbridge/internal/store"
)

// Collector tells Prometheus what a Reader reads, and what the monitor of health finds.
type Collector struct {
	Reader  *Reader
	Health  *health.Monitor
	Version string
	Commit  string
	KeyID   string
}

// described are the metrics of a collector.
type described struct {
	up, info, segments, money, mostSegments, mostMoney, due, oldest, failing, dead, begun, breakers,
	held, size, free, ahead, nodes, groups, health *prometheus.Desc
}

func describe() described {
	d := func(name, help string, labels ...string) *prometheus.Desc {
		return prometheus.NewDesc("smsbridge_"+name, help, labels, nil)
	}
	return described{
		up: d("database_up", "1 while the database responds."),
		info: d("build_info", "What runs here; always 1.", "version", "commit", "settings",
			"key"),
		segments:     d("segments_today", "Segments texted since midnight in UTC.", "tenant"),
		money:        d("money_today_dollars", "What these are taken to cost.", "tenant"),
		mostSegments: d("budget_segments", "Segments that a day may have.", "tenant"),
		mostMoney:    d("budget_dollars", "What a day may cost.", "tenant"),
		due:          d("jobs_due", "Jobs that wait for a worker."),
		oldest:       d("oldest_due_job_seconds", "For how long the oldest of them has been due."),
		failing:      d("jobs_failing", "Jobs that failed and are tried again."),
		dead:         d("jobs_dead", "Jobs that died within thirty days."),
		begun:        d("begun_jobs", "Jobs at work here that need no queue."),
		breakers:     d("breakers_open", "Countries of tenants in which few are texted.", "route"),
		held:         d("held", "What an operator holds; always 1.", "what"),
		size:         d("database_bytes", "What the database takes."),
		free:         d("disk_free_bytes", "What is free on the disk of the database."),
		ahead:        d("database_clock_ahead_seconds", "How much later it is there than here."),
		nodes:        d("nodes", "Processes on this database."),
		groups:       d("commit_group_size", "Calls that shared one commit."),
		health:       d("health", "1 while there is such a finding.", "code"),
	}
}

// Describe implements prometheus.Collector. It names none: which there are depends on the reading.
func (c *Collector) Describe(chan<- *prometheus.Desc) {}

// Collect implements prometheus.Collector.
func (c *Collector) Collect(out chan<- prometheus.Metric) {
	d := describe()
	gauge := func(desc *prometheus.Desc, value float64, labels ...string) {
		out <- prometheus.MustNewConstMetric(desc, prometheus.GaugeValue, value, labels...)
	}
	gauge(d.info, 1, c.Version, c.Commit, c.Reader.fingerprint(), c.KeyID)
	gauge(d.begun, float64(c.Reader.Store.Begun()))
	groups := c.Reader.Store.Groups()
	out <- prometheus.MustNewConstHistogram(d.groups, groups.Commits, float64(groups.Calls),
		groups.UpTo)
	c.findings(d, gauge)
	r, err := c.Reader.Read(context.Background())
	if err != nil {
		gauge(d.up, 0)
		return
	}
	gauge(d.up, 1)
	r.spending(d, gauge)
	r.queue(d, gauge)
	gauge(d.size, float64(r.Size))
	gauge(d.ahead, r.ClockAhead.Seconds())
	gauge(d.nodes, float64(len(r.Nodes)))
	if r.Disk.Size > 0 {
		gauge(d.free, float64(r.Disk.Free))
	}
	for _, what := range firstOf(r.Breakers) {
		gauge(d.breakers, 1, what)
	}
	for _, what := range firstOf(r.Held) {
		gauge(d.held, 1, what)
	}
}

// emit sends one gauge.
type emit func(desc *prometheus.Desc, value float64, labels ...string)

// mostNamed is how many breakers and holds are named.
const mostNamed = 100

func firstOf(names []string) []string { return names[:min(len(names), mostNamed)] }

// findings emits each code, so that an alert can rely on it.
func (c *Collector) findings(d described, gauge emit) {
	there := map[health.Code]float64{}
	for _, f := range c.Health.Findings(c.Reader.Now()) {
		there[f.Code] = 1
	}
	for _, k := range health.Kinds() {
		gauge(d.health, there[k.Code], string(k.Code))
	}
}

func (r Reading) spending(d described, gauge emit) {
	for _, day := range r.Days {
		of := whose(day)
		gauge(d.segments, float64(day.Segments), of)
		gauge(d.money, dollars(day.Money), of)
		if day.Most > 0 {
			gauge(d.mostSegments, float64(day.Most), of)
		}
		if day.Budget > 0 {
			gauge(d.mostMoney, dollars(day.Budget), of)
		}
	}
}

func dollars(m price.Micro) float64 { return float64(m) / 1e6 }

func (r Reading) queue(d described, gauge emit) {
	gauge(d.due, float64(r.Queue.Due))
	gauge(d.failing, float64(r.Queue.Failing))
	gauge(d.dead, float64(r.Queue.Dead))
	gauge(d.oldest, age(r.Queue, r.At).Seconds())
}

// age is for how long the oldest due job has been due.
func age(q store.Queue, now time.Time) time.Duration {
	if q.Oldest.IsZero() {
		return 0
	}
	return max(0, now.Sub(q.Oldest))
}

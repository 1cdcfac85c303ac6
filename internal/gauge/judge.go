package gauge

import (
	"slices"
	"time"

	"smsbridge/internal/health"
	"smsbridge/internal/limit"
	"smsbridge/internal/store"
)

const (
	// lateAfter is how long a job may be due before the queue is late.
	lateAfter = time.Minute
	// recently is how long a job that died is worth a finding.
	recently = time.Hour
	// mostApart is how far the clocks of replicas and of the database may be apart. Where NTP sets
	// them, they are apart by milliseconds.
	mostApart = 5 * time.Second
)

// Judge tells the monitor what a reading says, at a time. Least is how many bytes of the disk must
// be free.
func (r Reading) Judge(m *health.Monitor, least uint64, now time.Time) {
	m.Say(r.Disk.Size > 0 && r.Disk.Free < least, health.DiskFull, "", now)
	died := !r.Queue.Died.IsZero() && r.At.Sub(r.Queue.Died) < recently
	m.Say(died, health.JobDead, "", now)
	late := !r.Queue.Oldest.IsZero() && r.At.Sub(r.Queue.Oldest) > lateAfter
	m.Say(late, health.QueueLate, "", now)
	m.Say(r.ClockAhead.Abs() > mostApart, health.Clock, "", now)
	m.Only(health.Breaker, r.Breakers, now)
	m.Only(health.Held, r.Held, now)
	for _, d := range r.Days {
		of := whose(d)
		m.Say(uses(d, 1, 1), health.BudgetUsed, of, now)
		m.Say(uses(d, 4, 5), health.Budget, of, now)
	}
	r.compare(m, now)
}

// compare tells the monitor how the replicas differ.
func (r Reading) compare(m *health.Monitor, now time.Time) {
	differ := Differ(r.Nodes)
	for _, code := range []health.Code{
		health.ConfigDiffers, health.KeyDiffers, health.VersionDiffers,
	} {
		m.Say(slices.Contains(differ, code), code, "", now)
	}
}

// Differ says how replicas differ, by the codes of the findings. Settings are compared among those
// of one version: an older one may not know a setting.
func Differ(nodes []store.Node) (differ []health.Code) {
	settings, keys, versions := map[string]string{}, map[string]bool{}, map[string]bool{}
	odd := false
	for _, n := range nodes {
		keys[n.KeyID], versions[n.Version] = true, true
		if other, known := settings[n.Version]; known && other != n.Settings {
			odd = true
		}
		settings[n.Version] = n.Settings
	}
	if odd {
		differ = append(differ, health.ConfigDiffers)
	}
	if len(keys) > 1 {
		differ = append(differ, health.KeyDiffers)
	}
	if len(versions) > 1 {
		differ = append(differ, health.VersionDiffers)
	}
	return differ
}

// whose says whose day it is, as labels and findings have it.
func whose(d limit.Day) string {
	if d.Tenant == "" {
		return "all"
	}
	return d.Tenant
}

// uses reports whether a fraction of a budget or more is used.
func uses(d limit.Day, part, of int64) bool {
	return d.Most > 0 && d.Segments*of >= d.Most*part ||
		d.Budget > 0 && int64(d.Money)*of >= int64(d.Budget)*part
}

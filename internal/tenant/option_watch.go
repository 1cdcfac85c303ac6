package tenant

import (
	"net"
	"net/netip"

	"smsbridge/internal/settings"
)

// watchOptions are the settings of those who watch the bridge.
func watchOptions() []settings.Option[Settings] {
	return []settings.Option[Settings]{
		{Row: row{
			Key: "metrics_addr", Variable: "SMSBRIDGE_METRICS_ADDR", Restart: true, Local: true,
			Example: "127.0.0.1:9464",
			Doc: "Where operators and Prometheus are told how the bridge is: /metrics, /version and " +
				"/readyz?verbose. Without an address they are told nowhere.",
			Prevents: "It asks for no key: every caller who reaches it reads how many texts you send, " +
				"and to which countries.",
		}, Set: settings.ListenAddr("write host:port, such as 127.0.0.1:9464",
			func(s *Settings) *string { return &s.MetricsAddr })},
		{Row: row{
			Key: "disk_least", Variable: "SMSBRIDGE_DISK_LEAST", Default: "512",
			Doc: "How many MB must be free on the disk of a SQLite database: with less, the finding " +
				"SB-DISK-FULL says so. 0 never says so.",
			Prevents: "On a full disk the bridge takes no mail and no reply any more.",
		}, Set: settings.Count(0, 1_000_000_000, func(s *Settings) *int { return &s.DiskLeast })},
	}
}

// checkWatched finds what is wrong with where the bridge may be watched.
func (l *loader) checkWatched(s *Settings, given settings.Given) {
	if s.MetricsAddr == "" {
		return
	}
	wrong := func(what string) {
		l.Add(given.Place("metrics_addr"), settings.Wrong(what,
			"choose another port: what is told there is not for strangers"))
	}
	if sameListener(s.MetricsAddr, s.Addr) {
		wrong("is where the bridge itself listens")
	}
	if sameListener(s.MetricsAddr, s.Operator.Addr) {
		wrong("is where the pages for operators listen")
	}
	for _, t := range s.Tenants.all {
		if sameListener(s.MetricsAddr, t.Doors.Flowroute.Addr) {
			wrong("is where the Flowroute door of tenant " + t.Slug + " listens")
		}
	}
	if !isAtHome(s.MetricsAddr) {
		l.Warn("%s is neither a loopback nor a private address: every caller who reaches it reads how "+
			"many texts you send, and to which countries", given.Place("metrics_addr"))
	}
}

// isAtHome reports whether an address to listen on is one that the internet does not reach.
func isAtHome(addr string) bool {
	host, _, _ := net.SplitHostPort(addr)
	ip, err := netip.ParseAddr(host)
	return settings.IsLoopbackAddr(addr) || err == nil && ip.IsPrivate()
}

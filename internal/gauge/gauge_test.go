package gauge_test

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"smsbridge/internal/gauge"
	"smsbridge/internal/health"
	"smsbridge/internal/limit"
	"smsbridge/internal/longtest"
	"smsbridge/internal/meter"
	"smsbridge/internal/store"
	"smsbridge/internal/store/storetest"
	"smsbridge/internal/tenant"
)

// desk is a reader of a database, and what it tells Prometheus.
type desk struct {
	storetest.Bench
	reader *gauge.Reader
	meter  *meter.Meter
	disk   gauge.Disk
}

func each(t *testing.T, test func(d *desk)) {
	storetest.EachBench(t, func(b storetest.Bench) { test(open(b)) })
}

func open(b storetest.Bench) *desk {
	d := &desk{Bench: b}
	settings, err := tenant.FromEnv([]string{
		"SMSBRIDGE_PUBLIC_URL=https://bridge.acme.com", "SMSBRIDGE_TENANT=acme",
		"SMSBRIDGE_NAME=ACME", "SMSBRIDGE_COUNTRIES=SE", "SMSBRIDGE_MAIL_DOMAIN=sms.acme.com",
		"SMSBRIDGE_IDP_HOSTS=login.acme.com", "SMSBRIDGE_SENDER_DOMAINS=acme.com",
		"SMSBRIDGE_DAILY_SEGMENTS=10", "SMSBRIDGE_DAILY_MONEY=0",
		"MAILGUN_API_KEY=key-7d2f61c09be84a53f1e6c8b20d94a7e3",
		"MAILGUN_WEBHOOK_SIGNING_KEY=9c4be1f072a8d6350e7b1fc2a95d8e46",
		"TWILIO_ACCOUNT_SID=AC00000000000000000000000000000001",
		"TWILIO_AUTH_TOKEN=fedcba9876543210fedcba9876543210", "TWILIO_FROM=+15005550006",
	})
	require.NoError(b, err)
	d.reader = &gauge.Reader{
		Store: b.Store, Settings: settings, Now: b.Now, Disk: func() gauge.Disk { return d.disk },
	}
	monitor := health.NewMonitor(slog.New(slog.DiscardHandler))
	d.meter = meter.New(b.Now, monitor)
	d.meter.Add(&gauge.Collector{
		Reader: d.reader, Health: monitor, Version: "v1", Commit: "c0ffee", KeyID: b.Store.KeyID(),
	})
	return d
}

func (d *desk) scrape() string {
	w := httptest.NewRecorder()
	d.meter.Handler().ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/", nil))
	require.Equal(d, 200, w.Code, w.Body.String())
	return w.Body.String()
}

// judge reads and judges once, some time after the last time.
func (d *desk) judge() (codes []string) {
	d.Pass(gauge.Fresh + time.Second)
	r, err := d.reader.Read(d.Context())
	require.NoError(d, err)
	r.Judge(d.meter.Health, 1000, d.Now())
	for _, f := range d.meter.Health.Findings(d.Now()) {
		codes = append(codes, string(f.Code)+" "+f.Of)
	}
	return codes
}

// use has a budget row say that segments of the day are used.
func (d *desk) use(segments int) {
	at := d.Now().Truncate(24 * time.Hour).UnixMilli()
	d.Exec(`DELETE FROM tally WHERE key = 'all'`)
	d.Exec(fmt.Sprintf(`INSERT INTO tally (key, window_at, texts, segments, money, recent, yes_at,
		answered, unanswered, probes, alerted, open_at, held_at)
		VALUES ('all', %d, 1, %d, 30000, '', 0, 0, 0, 0, 0, 0, 0)`, at, segments))
}

// Ensure that Prometheus is told what rows know, and that the database does not respond when it
// does not.
func TestScrape(t *testing.T) {
	each(t, func(d *desk) {
		d.use(7)
		d.disk = gauge.Disk{Free: 4711, Size: 10_000}
		d.Do(func(ctx context.Context, tx *store.Tx) error {
			return limit.Hold(ctx, tx, limit.Scope{Country: "SE"})
		})
		text := d.scrape()
		for _, line := range []string{
			"smsbridge_database_up 1", `smsbridge_segments_today{tenant="all"} 7`,
			`smsbridge_segments_today{tenant="acme"} 0`, `smsbridge_money_today_dollars{tenant="all"} 0.03`,
			`smsbridge_budget_segments{tenant="all"} 10`, "smsbridge_disk_free_bytes 4711",
			`smsbridge_held{what="country/SE"} 1`, `smsbridge_build_info{commit="c0ffee",`,
			`smsbridge_health{code="SB-HELD"} 0`, `smsbridge_commit_group_size_bucket{le="256"} `,
			"smsbridge_jobs_due 0", "smsbridge_oldest_due_job_seconds 0",
			"smsbridge_database_clock_ahead_seconds 0",
		} {
			require.Contains(d, text, line)
		}
		require.NotContains(d, text, "budget_dollars")
		require.Equal(d, []string{"SB-HELD country/SE"}, d.judge())
		require.Contains(d, d.scrape(), `smsbridge_health{code="SB-HELD"} 1`)

		d.Exec("DROP TABLE node")
		d.Pass(time.Minute)
		text = d.scrape()
		require.Contains(d, text, "smsbridge_database_up 0")
		require.NotContains(d, text, "smsbridge_segments_today")
	})
}

// Ensure that a scrape of a database with many rows takes a moment, and that scrapes share a
// reading: the second one asks the database nothing.
func TestScrapeIsCheap(t *testing.T) {
	longtest.Skip(t)
	each(t, func(d *desk) {
		const series = `WITH RECURSIVE g(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM g WHERE n < 50000) `
		at := d.Now().Format("2006-01-02 15:04:05")
		d.Exec(`INSERT INTO tally (key, window_at, texts, segments, money, recent, yes_at, answered,
			unanswered, probes, alerted, open_at, held_at) ` + series +
			`SELECT 'phone/DK/' || n, 1, 1, 1, 1, '', 0, 0, 0, 0, 0, 0, 0 FROM g`)
		d.Exec(`INSERT INTO river_job (args, kind, max_attempts, state, scheduled_at) ` + series +
			`SELECT '{}', 'sweep', 6, 'available', '` + at + `' FROM g`)
		require.Contains(d, d.scrape(), "smsbridge_jobs_due 10000", "it counts no further")
		d.use(7)
		d.Pass(gauge.Fresh - time.Millisecond)
		require.Contains(d, d.scrape(), `smsbridge_segments_today{tenant="all"} 0`)
		d.Pass(time.Millisecond)
		require.Contains(d, d.scrape(), `smsbridge_segments_today{tenant="all"} 7`)
	})
}

// Ensure that a reading becomes findings, and that these are over when what they are about is.
func TestJudge(t *testing.T) {
	each(t, func(d *desk) {
		require.Empty(d, d.judge())
		d.use(8)
		require.Equal(d, []string{"SB-BUDGET all"}, d.judge())
		d.use(10)
		require.Equal(d, []string{"SB-BUDGET-USED all"}, d.judge())
		d.use(1)
		require.Empty(d, d.judge())

		d.disk = gauge.Disk{Free: 999, Size: 10_000}
		require.Equal(d, []string{"SB-DISK-FULL "}, d.judge())
		d.disk = gauge.Disk{Free: 1000, Size: 10_000}
		d.Pass(time.Minute)
		require.Empty(d, d.judge())

		job := func(state, at, end string) {
			d.Exec(`INSERT INTO river_job (args, kind, max_attempts, state, scheduled_at, finalized_at)
				VALUES ('{}', 'sweep', 6, '` + state + `', '` + at + `', ` + end + `)`)
		}
		at := d.Now().Format("2006-01-02 15:04:05")
		job("cancelled", at, "'"+at+"'")
		require.Equal(d, []string{"SB-JOB-DEAD "}, d.judge())
		d.Pass(time.Hour)
		require.Empty(d, d.judge())

		job("available", d.Now().Format("2006-01-02 15:04:05"), "NULL")
		for range 10 {
			require.Empty(d, d.judge())
		}
		for range 6 {
			d.judge()
		}
		require.Equal(d, []string{"SB-QUEUE-LATE "}, d.judge())
		require.Contains(d, d.scrape(), "smsbridge_jobs_due 1")
	})
}

// Ensure that replicas which differ are found, and that one that has gone is not held against the
// others.
func TestReplicasDiffer(t *testing.T) {
	each(t, func(d *desk) {
		beat := func(id, version, settings, key string) {
			d.Do(func(ctx context.Context, tx *store.Tx) error {
				return store.Beat(ctx, tx, store.Node{
					ID: id, Version: version, Settings: settings, KeyID: key, Since: d.Now(),
				})
			})
		}
		looks := func(n int) string {
			d.Helper()
			var codes []string
			for range n {
				codes = d.judge()
			}
			return strings.Join(codes, ",")
		}
		beat("a", "v1", "s1", "k1")
		beat("b", "v2", "s2", "k1")
		require.Empty(d, looks(6), "one of another version may have other settings")
		beat("a", "v1", "s1", "k1")
		beat("c", "v1", "s2", "k2")
		require.Empty(d, looks(3))
		require.Equal(d, "SB-CONFIG-DIFFERS ,SB-KEY-DIFFERS ", looks(3))
		d.Pass(time.Minute)
		require.Empty(d, looks(1))
	})
}

// Ensure that a replica whose clock is not PostgreSQL's is found, and one that is a little off is
// not.
func TestClocksDiffer(t *testing.T) {
	t.Parallel()
	for ahead, want := range map[time.Duration][]string{
		time.Minute: {"SB-CLOCK "}, -time.Minute: {"SB-CLOCK "}, 3 * time.Second: nil,
	} {
		url := storetest.PostgreSQL(t)
		storetest.OtherClock(t, url, ahead)
		d := open(storetest.OpenBench(t, url))
		for range 4 {
			require.Empty(t, d.judge(), "one round trip may have been odd")
		}
		d.judge()
		require.Equal(t, want, d.judge(), ahead)
		sign := map[bool]string{true: "", false: "-"}[ahead > 0]
		require.Regexp(t, `smsbridge_database_clock_ahead_seconds `+sign+`\d`, d.scrape())
	}
}

package gauge_test

import (
	"bytes"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.yaml.in/yaml/v3"

	"smsbridge/internal/gauge"
	"smsbridge/internal/health"
	"smsbridge/internal/meter"
	"smsbridge/internal/price"
	"smsbridge/internal/store/fact"
)

// everything is a scrape that has each metric.
func (d *desk) everything() string {
	d.disk = gauge.Disk{Free: 4711, Size: 10_000}
	d.use(7)
	d.reader.Settings.Tenants.All()[0].Limits.ProcessDay.Money = price.Dollar
	d.Exec(`UPDATE tally SET held_at = 1, open_at = 1`)
	d.meter.Request("mailgun", "acme", 401, "unsigned")
	d.meter.Took("twilio", "ok", time.Second)
	d.meter.Stage(meter.Whole, time.Second)
	d.meter.Dead("sweep")
	about := fact.About{Provider: "twilio", Purpose: "prompt", Country: "DK"}
	names := []string{"mail.asked", "text.sent", "challenge.open", "verification.pending"}
	for _, name := range names {
		d.meter.Hear([]fact.Fact{{Tenant: "acme", Name: name, About: about}})
	}
	return d.scrape()
}

type alerts struct {
	Groups []struct {
		Rules []struct {
			Alert, Expr         string
			Labels, Annotations map[string]string
		}
	}
}

type dashboard struct {
	Templating struct {
		List []struct{ Name, Query string }
	}
	Panels []struct {
		ID      int
		Title   string
		Type    string
		Targets []struct{ Expr string }
	}
}

// deployed reads a file of the folder deploy.
func deployed(t *testing.T, name string) []byte {
	t.Helper()
	content, err := os.ReadFile(filepath.Join("..", "..", "deploy", name))
	require.NoError(t, err)
	return content
}

// queries are those of the alerts and of the dashboard, by their names.
func queries(t *testing.T) map[string]string {
	t.Helper()
	found := map[string]string{}
	var a alerts
	require.NoError(t, yaml.Unmarshal(deployed(t, "alerts.yaml"), &a))
	for _, group := range a.Groups {
		for _, r := range group.Rules {
			require.NotContains(t, found, r.Alert)
			found[r.Alert] = r.Expr
			require.Contains(t, []string{"info", "warning", "error"}, r.Labels["severity"], r.Alert)
			require.NotEmpty(t, r.Annotations["summary"], r.Alert)
			require.NotEmpty(t, r.Annotations["remedy"], r.Alert)
		}
	}
	var d dashboard
	require.NoError(t, json.Unmarshal(deployed(t, "grafana.json"), &d))
	ids := map[int]bool{}
	for _, p := range d.Panels {
		require.False(t, ids[p.ID], p.Title)
		ids[p.ID] = true
		require.True(t, p.Type == "row" || len(p.Targets) > 0, p.Title)
		for i, target := range p.Targets {
			found[p.Title+" "+string(rune('A'+i))] = target.Expr
		}
	}
	require.Greater(t, len(found), 40)
	return found
}

// Ensure that the bridge has each metric which an alert or the dashboard names. Each of its
// own metrics is named by one of them.
func TestDashboardNamesMetrics(t *testing.T) {
	each(t, func(d *desk) {
		has, named := map[string]bool{}, map[string]bool{}
		for _, m := range regexp.MustCompile(`(?m)^# TYPE (\w+)`).FindAllStringSubmatch(
			d.everything(), -1) {
			has[m[1]] = true
		}
		suffix := regexp.MustCompile(`_(bucket|sum|count)$`)
		for name, query := range queries(t) {
			for _, metric := range regexp.MustCompile(`\b(smsbridge|go|process)_\w+`).FindAllString(
				query, -1) {
				metric = suffix.ReplaceAllString(metric, "")
				require.True(d, has[metric], "%s: no metric %s", name, metric)
				named[metric] = true
			}
		}
		for metric := range has {
			if strings.HasPrefix(metric, "smsbridge_") {
				require.True(d, named[metric], "nothing shows %s", metric)
			}
		}
	})
}

// Ensure that the dashboard offers each tenant by a metric that the bridge has from its start,
// whether the tenant uses mails or codes.
func TestDashboardOffersTenants(t *testing.T) {
	var d dashboard
	require.NoError(t, json.Unmarshal(deployed(t, "grafana.json"), &d))
	require.Equal(t, "tenant", d.Templating.List[1].Name)
	found := regexp.MustCompile(`^label_values\((\w+)\{tenant!="all"\}, tenant\)$`).FindStringSubmatch(
		d.Templating.List[1].Query)
	require.NotNil(t, found, d.Templating.List[1].Query)
	each(t, func(b *desk) {
		text := b.scrape()
		for _, tenant := range b.reader.Settings.Tenants.All() {
			require.Contains(b, text, found[1]+`{tenant="`+tenant.Slug+`"} `)
		}
	})
}

// Ensure that the alert about errors names each code that is one, and that a code in an alert is
// one that there is.
func TestAlertNamesErrors(t *testing.T) {
	var want []string
	for _, k := range health.Kinds() {
		if k.Severity == health.Error {
			want = append(want, string(k.Code))
		}
	}
	found := regexp.MustCompile(`SB-[A-Z-]+`).FindAllString(queries(t)["SMSBridgeErrors"], -1)
	slices.Sort(want)
	slices.Sort(found)
	require.Equal(t, want, found)
}

// Ensure that the alert about conversion fires where not one person confirms, and not where half
// of them do. Such is a country to which texts are pumped, or where none arrive.
func TestConversionAlertFires(t *testing.T) {
	rules, err := filepath.Abs(filepath.Join("..", "..", "deploy", "alerts.yaml"))
	require.NoError(t, err)
	asked := func(tenant, state, values string) map[string]string {
		return map[string]string{"values": values, "series": `smsbridge_questions_total{` +
			`country="LV",purpose="registration",state="` + state + `",tenant="` + tenant + `"}`}
	}
	text, err := yaml.Marshal(map[string]any{
		"rule_files": []string{rules},
		"tests": []any{map[string]any{
			"interval": "1m",
			"input_series": []any{
				asked("none", "open", "0+1x120"), asked("none", "confirmed", "0+0x120"),
				asked("half", "open", "0+2x120"), asked("half", "confirmed", "0+1x120"),
			},
			"alert_rule_test": []any{map[string]any{
				"eval_time": "2h", "alertname": "SMSBridgeConversion",
				"exp_alerts": []any{map[string]any{
					"exp_labels": map[string]string{
						"severity": "warning", "tenant": "none", "country": "LV",
					},
					"exp_annotations": annotations(t, "SMSBridgeConversion", strings.NewReplacer(
						"{{ $labels.tenant }}", "none", "{{ $labels.country }}", "LV")),
				}},
			}},
		}},
	})
	require.NoError(t, err)
	file := filepath.Join(t.TempDir(), "test.yaml")
	require.NoError(t, os.WriteFile(file, text, 0o600))
	askPromtool(t, "", "test", "rules", file)
}

// annotations are those of an alert, filled.
func annotations(t *testing.T, alert string, filled *strings.Replacer) map[string]string {
	t.Helper()
	var a alerts
	require.NoError(t, yaml.Unmarshal(deployed(t, "alerts.yaml"), &a))
	said := map[string]string{}
	for _, r := range a.Groups[0].Rules {
		if r.Alert == alert {
			for name, text := range r.Annotations {
				said[name] = filled.Replace(text)
			}
		}
	}
	return said
}

// askPromtool has promtool check its input, if there is one on this machine.
func askPromtool(t *testing.T, input string, args ...string) {
	t.Helper()
	promtool := os.Getenv("SMSBRIDGE_TEST_PROMTOOL")
	if promtool == "" {
		var err error
		if promtool, err = exec.LookPath("promtool"); err != nil {
			t.Skip("promtool is not installed: name it in SMSBRIDGE_TEST_PROMTOOL")
		}
	}
	check := exec.CommandContext(t.Context(), promtool, args...)
	check.Stdin = strings.NewReader(input)
	var said bytes.Buffer
	check.Stdout, check.Stderr = &said, &said
	require.NoError(t, check.Run(), &said)
}

// Ensure that Prometheus takes the alerts, the queries of the dashboard, and the metrics.
func TestPromtool(t *testing.T) {
	askPromtool(t, "", "check", "rules", filepath.Join("..", "..", "deploy", "alerts.yaml"))

	type rule struct {
		Record string `yaml:"record"`
		Expr   string `yaml:"expr"`
	}
	var rules []rule
	filled := strings.NewReplacer("$__rate_interval", "5m", "$tenant", ".*")
	for _, query := range queries(t) {
		rules = append(rules, rule{"smsbridge:query", filled.Replace(query)})
	}
	text, err := yaml.Marshal(map[string]any{
		"groups": []any{map[string]any{"name": "dashboard", "rules": rules}},
	})
	require.NoError(t, err)
	file := filepath.Join(t.TempDir(), "rules.yaml")
	require.NoError(t, os.WriteFile(file, text, 0o600))
	askPromtool(t, "", "check", "rules", "--lint=none", file)
	each(t, func(d *desk) {
		var own strings.Builder
		for line := range strings.Lines(d.everything()) {
			if strings.Contains(line, "smsbridge_") {
				own.WriteString(line)
			}
		}
		askPromtool(t, own.String(), "check", "metrics")
	})
}

package health_test

import (
	"bytes"
	"encoding/json"
	"log/slog"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"smsbridge/internal/health"
)

// trial is a monitor whose time a test moves.
type trial struct {
	*testing.T
	*health.Monitor
	now time.Time
	log bytes.Buffer
}

func newTrial(t *testing.T) *trial {
	tr := &trial{T: t, now: time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)}
	tr.Monitor = health.NewMonitor(slog.New(slog.NewJSONHandler(&tr.log, nil)))
	return tr
}

func (t *trial) wrong(code health.Code, of string) { t.Wrong(code, of, t.now) }
func (t *trial) well(code health.Code, of string)  { t.Well(code, of, t.now) }
func (t *trial) pass(d time.Duration)              { t.now = t.now.Add(d); t.Turn(t.now) }

// codes are those of the findings.
func (t *trial) codes() (codes []string) {
	for _, f := range t.Findings(t.now) {
		code := string(f.Code)
		if f.Of != "" {
			code += " " + f.Of
		}
		codes = append(codes, code)
	}
	return codes
}

// lines are those of the log, by level and code.
func (t *trial) lines() (lines []string) {
	t.Helper()
	for line := range strings.Lines(t.log.String()) {
		var l struct{ Level, Msg, Code string }
		require.NoError(t, json.Unmarshal([]byte(line), &l))
		if l.Msg == "health: over" {
			l.Code += " over"
		}
		lines = append(lines, l.Level+" "+l.Code)
	}
	return lines
}

// Ensure that what goes wrong now and then is no finding, and that what goes wrong again and again
// is one.
func TestRaisedAfterSeveralTimes(t *testing.T) {
	tr := newTrial(t)
	for range 20 {
		tr.wrong(health.IdPDown, "acme")
		tr.wrong(health.IdPDown, "acme")
		tr.pass(time.Second)
		tr.well(health.IdPDown, "acme")
	}
	require.Empty(t, tr.codes())
	since := tr.now
	for range 3 {
		require.Empty(t, tr.codes())
		tr.wrong(health.IdPDown, "acme")
		tr.pass(time.Second)
	}
	require.Equal(t, []string{"SB-IDP-DOWN acme"}, tr.codes())
	require.Equal(t, since, tr.Findings(tr.now)[0].Since)
	tr.wrong(health.IdPDown, "other")
	require.Equal(t, []string{"SB-IDP-DOWN acme"}, tr.codes(), "each tenant by itself")
}

// Ensure that a finding does not flap: it is over only after a quiet time, and is logged once.
func TestOverAfterAQuietTime(t *testing.T) {
	tr := newTrial(t)
	for range 3 {
		tr.wrong(health.IdPDown, "acme")
	}
	for range 10 {
		tr.pass(20 * time.Second)
		tr.well(health.IdPDown, "acme")
		require.NotEmpty(t, tr.codes())
		tr.pass(20 * time.Second)
		tr.wrong(health.IdPDown, "acme")
	}
	require.Equal(t, []string{"ERROR SB-IDP-DOWN"}, tr.lines())
	tr.pass(30 * time.Second)
	tr.well(health.IdPDown, "acme")
	require.NotEmpty(t, tr.codes())
	tr.pass(31 * time.Second)
	require.Empty(t, tr.codes())
	require.Equal(t, []string{"ERROR SB-IDP-DOWN", "INFO SB-IDP-DOWN over"}, tr.lines())
	tr.wrong(health.IdPDown, "acme")
	require.Empty(t, tr.codes(), "it begins anew")
}

// Ensure that a finding of which nothing is heard any more is over at last.
func TestForgotten(t *testing.T) {
	tr := newTrial(t)
	tr.wrong(health.TwilioAuth, "acme")
	tr.pass(23 * time.Hour)
	require.Equal(t, []string{"SB-TWILIO-AUTH acme"}, tr.codes())
	tr.pass(2 * time.Hour)
	require.Empty(t, tr.codes())

	tr.wrong(health.Callback, "acme") // three times in three hours are not three in a row
	tr.pass(61 * time.Minute)
	tr.wrong(health.Callback, "acme")
	tr.pass(61 * time.Minute)
	tr.wrong(health.Callback, "acme")
	require.Empty(t, tr.codes())
}

// Ensure that a state must last to be a finding.
func TestRaisedAfterATime(t *testing.T) {
	tr := newTrial(t)
	for range 4 {
		tr.wrong(health.ConfigDiffers, "")
		require.Empty(t, tr.codes())
		tr.pass(5 * time.Second)
	}
	tr.wrong(health.ConfigDiffers, "")
	require.Equal(t, []string{"SB-CONFIG-DIFFERS"}, tr.codes())
	tr.pass(5 * time.Second)
	tr.well(health.ConfigDiffers, "")
	require.Empty(t, tr.codes())
}

// Ensure that what follows from another finding is hidden behind it and not logged, and comes out
// when it outlives its cause.
func TestHiddenBehindItsCause(t *testing.T) {
	tr := newTrial(t)
	tr.wrong(health.Database, "")
	tr.wrong(health.Database, "")
	tr.wrong(health.TwilioAuth, "acme")
	require.Equal(t, []string{"SB-DATABASE"}, tr.codes())
	require.Equal(t, []string{"ERROR SB-DATABASE"}, tr.lines())
	tr.pass(10 * time.Second)
	tr.well(health.Database, "")
	tr.pass(time.Minute)
	require.Equal(t, []string{"SB-TWILIO-AUTH acme"}, tr.codes())
	tr.wrong(health.JobDead, "")
	require.Equal(t, []string{"SB-TWILIO-AUTH acme"}, tr.codes())
	tr.pass(time.Second)
	tr.well(health.TwilioAuth, "acme")
	require.Equal(t, []string{"SB-JOB-DEAD"}, tr.codes())
	require.Equal(t, []string{"ERROR SB-DATABASE", "INFO SB-DATABASE over", "ERROR SB-TWILIO-AUTH",
		"INFO SB-TWILIO-AUTH over", "WARN SB-JOB-DEAD"}, tr.lines())
}

// Ensure that a database that records nothing does not hide that its disk is full.
func TestFullDiskIsToldBesideTheDatabase(t *testing.T) {
	tr := newTrial(t)
	tr.wrong(health.DiskFull, "")
	tr.wrong(health.Database, "")
	tr.wrong(health.Database, "")
	require.Equal(t, []string{"SB-DATABASE", "SB-DISK-FULL"}, tr.codes())
	tr.wrong(health.JobDead, "")
	require.Equal(t, []string{"SB-DATABASE", "SB-DISK-FULL"}, tr.codes())
}

// Ensure that what one tenant has wrong hides nothing of another, and that what is wrong with all
// hides what each tenant has.
func TestHiddenBehindItsOwnCause(t *testing.T) {
	tr := newTrial(t)
	tr.wrong(health.TwilioAuth, "acme")
	for range 5 {
		tr.wrong(health.TwilioSigning, "acme")
		tr.wrong(health.TwilioSigning, "other")
		tr.pass(150 * time.Second)
	}
	require.Equal(t, []string{"SB-TWILIO-AUTH acme", "SB-TWILIO-SIGNING other"}, tr.codes())
	tr.wrong(health.BudgetUsed, "acme")
	tr.wrong(health.Budget, "acme")
	tr.wrong(health.Budget, "all")
	tr.wrong(health.JobDead, "")
	require.Equal(t, []string{"SB-BUDGET-USED acme", "SB-TWILIO-AUTH acme",
		"SB-TWILIO-SIGNING other", "SB-BUDGET all"}, tr.codes())
	tr.wrong(health.Database, "")
	tr.wrong(health.Database, "")
	require.Equal(t, []string{"SB-DATABASE"}, tr.codes())
}

// Ensure that what is about a tenant is over when the tenant is gone, and nothing else.
func TestTenantIsGone(t *testing.T) {
	tr := newTrial(t)
	tr.wrong(health.TwilioAuth, "acme")
	tr.wrong(health.TwilioAuth, "other")
	tr.wrong(health.Held, "acme")
	for range 3 {
		tr.wrong(health.Callback, "acme/app")
		tr.wrong(health.IdPDown, "acme-two")
	}
	tr.Gone("acme", tr.now)
	require.Equal(t, []string{"SB-IDP-DOWN acme-two", "SB-TWILIO-AUTH other", "SB-HELD acme"},
		tr.codes())
	lines := tr.lines()
	slices.Sort(lines)
	require.Equal(t, []string{"ERROR SB-IDP-DOWN", "ERROR SB-TWILIO-AUTH", "ERROR SB-TWILIO-AUTH",
		"INFO SB-CALLBACK over", "INFO SB-TWILIO-AUTH over", "WARN SB-CALLBACK", "WARN SB-HELD"}, lines)
}

// Ensure that what a tenant's settings correct is over, and nothing else.
func TestCorrected(t *testing.T) {
	tr := newTrial(t)
	tr.wrong(health.TwilioAuth, "acme")
	tr.wrong(health.TwilioAuth, "other")
	tr.wrong(health.MailgunKey, "acme")
	tr.Corrected("acme", []health.Code{health.TwilioAuth, health.VerifyAuth}, tr.now)
	require.Equal(t, []string{"SB-MAILGUN-KEY acme", "SB-TWILIO-AUTH other"}, tr.codes())
	require.Contains(t, tr.lines(), "INFO SB-TWILIO-AUTH over")
	tr.wrong(health.TwilioAuth, "acme")
	require.Contains(t, tr.codes(), "SB-TWILIO-AUTH acme", "the others are wrong, too")
}

// Ensure that Only ends what is not named any more.
func TestOnly(t *testing.T) {
	tr := newTrial(t)
	tr.Only(health.Held, []string{"all", "country/DK"}, tr.now)
	require.Equal(t, []string{"SB-HELD all", "SB-HELD country/DK"}, tr.codes())
	tr.pass(time.Second)
	tr.Only(health.Held, []string{"country/DK"}, tr.now)
	require.Equal(t, []string{"SB-HELD country/DK"}, tr.codes())
}

// Ensure that a monitor that does not exist does nothing.
func TestNoMonitor(t *testing.T) {
	var m *health.Monitor
	m.Say(true, health.Database, "", time.Time{})
	m.Only(health.Held, []string{"all"}, time.Time{})
	m.Gone("acme", time.Time{})
	m.Corrected("acme", []health.Code{health.TwilioAuth}, time.Time{})
	m.Turn(time.Time{})
	require.Empty(t, m.Findings(time.Time{}))
}

// Ensure that each kind of finding has a code of its own, sentences, and settings that exist. Only
// what is known may be a cause, and no cause goes in a circle.
func TestKinds(t *testing.T) {
	settings, err := os.ReadFile("../../docs/SETTINGS.md")
	require.NoError(t, err)
	known := map[health.Code]health.Kind{}
	for _, k := range health.Kinds() {
		require.Regexp(t, `^SB-[A-Z]+(-[A-Z]+)*$`, string(k.Code))
		require.NotContains(t, known, k.Code)
		known[k.Code] = k
		require.Regexp(t, `^[A-Z].*\.$`, k.What)
		require.Regexp(t, `^[A-Z].*\.$|^smsbridge .*\.$`, k.Remedy)
		require.Positive(t, k.Times, k.Code)
		require.Positive(t, k.Forget, k.Code)
		for _, name := range regexp.MustCompile(`\b[A-Z]+_[A-Z_]+\b`).FindAllString(k.Remedy, -1) {
			require.Contains(t, string(settings), "`"+name+"`", k.Code)
		}
		for _, key := range regexp.MustCompile(`\(([a-z_.]+)\)`).FindAllStringSubmatch(k.Remedy, -1) {
			require.Contains(t, string(settings), "**`"+key[1]+"`**", k.Code)
		}
		for _, pair := range regexp.MustCompile(`([A-Z_]+) \(([a-z_.]+)\)`).FindAllStringSubmatch(
			k.Remedy, -1) {
			require.Contains(t, string(settings), "**`"+pair[2]+"`** · `"+pair[1]+"`", k.Code)
		}
	}
	for _, k := range known {
		for _, cause := range k.Behind {
			require.Contains(t, known, cause)
			require.NotContains(t, known[cause].Behind, k.Code)
		}
	}
}

// Ensure that docs/HEALTH.md has each code with its remedy, as the bridge says it.
func TestPage(t *testing.T) {
	page, err := os.ReadFile("../../docs/HEALTH.md")
	require.NoError(t, err)
	if !strings.Contains(string(page), table()) {
		t.Errorf("put this into docs/HEALTH.md:\n%s", table())
	}
}

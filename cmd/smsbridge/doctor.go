package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/alecthomas/kong"

	"smsbridge/inbound/watchdoor"
	"smsbridge/internal/health"
	"smsbridge/internal/operator"
	"smsbridge/internal/store"
	"smsbridge/internal/tenant"
	"smsbridge/outbound"
	"smsbridge/outbound/doctor"
)

type doctorCommand struct {
	bridgeFlag
	JSON bool `help:"${check_json}" name:"json"`
}

// doctorHelps returns the help of the command, by the name of its tag.
func doctorHelps() kong.Vars {
	return kong.Vars{"doctor": "Ask the providers whether the settings work, and change nothing."}
}

// Help is shown by smsbridge doctor --help.
func (doctorCommand) Help() string {
	return "It judges the settings as check does. Then it tries the credentials at Twilio and " +
		"Mailgun. It looks at the route, the webhook of replies, the MX records, the public URL, the " +
		"identity provider's hosts, the database and its disk. It asks the running bridge what is " +
		"wrong, at its socket, or at SMSBRIDGE_METRICS_ADDR. The exit code is 0 without errors, 1 " +
		"with, and 2 when serve would not start. docs/HEALTH.md explains the codes.\n\n" +
		"  $ smsbridge doctor\n" +
		"  ok       SB-TWILIO-AUTH  acme  Twilio takes the credentials.\n" +
		"  error    SB-ROUTE        acme  No route at Mailgun takes mails to phone addresses.\n" +
		"           what to do: …"
}

// Run looks at everything once.
func (d doctorCommand) Run(ctx context.Context, w world) error {
	if w.inside != nil {
		return d.at(ctx, w, d.tell)
	}
	loaded, _, err := serveCommand{Config: d.Config}.settings(ctx, w)
	if err == nil {
		err = judge(loaded)
	}
	if err != nil {
		return errors.Join(d.show(w, mistakesAsLines(err)), err)
	}
	var lines []doctor.Line
	for _, warning := range loaded.Warnings {
		lines = append(lines, doctor.Line{Level: doctor.Warning, Code: doctor.Settings, What: warning})
	}
	if len(lines) == 0 {
		lines = append(lines, doctor.Line{
			Level: doctor.OK, Code: doctor.Settings, What: "The settings are right.",
		})
	}
	asked := doctor.Doctor{Settings: loaded}
	for _, t := range loaded.Tenants.All() {
		lines = append(lines, asked.Tenant(ctx, t)...)
	}
	lines = append(lines, d.bridge(ctx, w, loaded)...)
	if err := d.show(w, lines); err != nil {
		return err
	}
	wrong := 0
	for _, l := range lines {
		if l.Level == doctor.Error {
			wrong++
		}
	}
	if wrong > 0 {
		return fmt.Errorf("doctor: errors found: %d", wrong)
	}
	return nil
}

// mistakesAsLines are the mistakes in the settings.
func mistakesAsLines(err error) (lines []doctor.Line) {
	for _, m := range mistakesIn(err) {
		l := doctor.Line{Level: doctor.Error, Code: doctor.Settings, What: m.What, Remedy: m.Hint}
		if m.Where != "" {
			l.What = m.Where + ": " + m.What
		}
		lines = append(lines, l)
	}
	return lines
}

// show prints lines.
func (d doctorCommand) show(w world, lines []doctor.Line) error {
	if d.JSON {
		return indented(w, lines)
	}
	for _, l := range lines {
		_, err := fmt.Fprintf(w.stdout, "%-8s %-18s %-8s %s\n", l.Level, l.Code, l.Of, l.What)
		if err == nil && l.Remedy != "" {
			_, err = fmt.Fprintf(w.stdout, "%-8s what to do: %s\n", "", l.Remedy)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// tell prints what the running bridge knows of itself.
func (d doctorCommand) tell(ctx context.Context, at database) error {
	lines := append(databaseLines(at.settings, at.store.Ping(ctx)), keyLine(at.store))
	lines = append(lines, backupLines(ctx, at.store, at.settings)...)
	lines = append(lines, postedLines(ctx, at.worker, at.settings)...)
	return indented(at.world, append(lines, findingLines(at.findings())...))
}

// bridge says how the database and the bridge are: the running bridge knows, if one answers.
func (d doctorCommand) bridge(
	ctx context.Context, w world, s tenant.Settings,
) (lines []doctor.Line) {
	var said bytes.Buffer
	asked := w
	asked.stdin, asked.stdout, asked.stderr = nil, &said, io.Discard
	answered, err := asked.ask(ctx, s, []string{"doctor", "--json"})
	if answered && err == nil && json.Unmarshal(said.Bytes(), &lines) == nil {
		return lines
	}
	st, err := w.openBeside(ctx, s)
	if err == nil {
		lines = append(backupLines(ctx, st, s), keyLine(st))
		lines = append(lines, postedLines(ctx, workerBeside(st, s), s)...)
		err = st.Close()
	}
	return slices.Concat(databaseLines(s, err), lines, running(ctx, s))
}

// postedLines say whether all mails came that Mailgun stored lately. Nothing is said when there was
// none, or when Mailgun does not tell, which another line says.
func postedLines(ctx context.Context, w *outbound.Worker, s tenant.Settings) (lines []doctor.Line) {
	for _, t := range s.Tenants.All() {
		kept, missing, err := w.Unposted(ctx, t)
		l := doctor.Line{Level: doctor.OK, Code: health.Route, Of: t.Slug,
			What: fmt.Sprintf("Mailgun stored %d mails to phones in the last hour, and all came.", kept)}
		if missing > 0 {
			l.Level, l.Remedy = doctor.Error, remedyOf(health.Route)
			l.What = fmt.Sprintf("Mailgun stored %d mails to phones in the last hour. %d never came.",
				kept, missing)
		}
		if err == nil && kept > 0 {
			lines = append(lines, l)
		}
	}
	return lines
}

// workerBeside asks others with the settings of a bridge. It works no queue.
func workerBeside(st *store.Store, s tenant.Settings) *outbound.Worker {
	w := &outbound.Worker{Store: st, Settings: s, Log: slog.New(slog.DiscardHandler)}
	w.Register()
	return w
}

// keyLine says which key must be kept beside the backups.
func keyLine(st *store.Store) doctor.Line {
	return doctor.Line{Level: doctor.OK, Code: health.Database,
		What: "The key " + st.KeyID() + " seals: keep it, apart from the backups."}
}

// actsLooked is among how many acts the last backup is looked for.
const actsLooked = 1000

// backupLines say when the last backup was made. PostgreSQL has tools of its own for that.
func backupLines(ctx context.Context, st *store.Store, s tenant.Settings) []doctor.Line {
	if !strings.HasPrefix(s.Database.Reveal(), "sqlite:") {
		return nil
	}
	l := doctor.Line{Level: doctor.Warning, Code: health.Database,
		What: "No backup is known.", Remedy: "Make one: smsbridge backup FILE."}
	err := st.Read(ctx, func(ctx context.Context, view store.View) error {
		acts, err := operator.Acts(ctx, view, "", actsLooked)
		for _, a := range acts {
			if a.Act == backupAct {
				l.Level, l.Remedy = doctor.OK, ""
				l.What = fmt.Sprintf("The last backup was made %s, by %s.", fromNow(view.Now(), a.At),
					a.Operator)
				break
			}
		}
		return err
	})
	if err != nil {
		return nil // the database does not respond, which another line says
	}
	return []doctor.Line{l}
}

// databaseLines are about the database and its disk.
func databaseLines(s tenant.Settings, err error) []doctor.Line {
	if err != nil {
		l := doctor.Line{Level: doctor.Error, Code: health.Database, What: oneLine(err)}
		var f failure
		if errors.As(err, &f) {
			l.Remedy = f.hint
		}
		return []doctor.Line{l}
	}
	lines := []doctor.Line{{Level: doctor.OK, Code: health.Database, What: "The database responds."}}
	path, is := strings.CutPrefix(s.Database.Reveal(), "sqlite:")
	if !is {
		return lines
	}
	disk := diskOf(filepath.Dir(path))
	l := doctor.Line{
		Level: doctor.OK, Code: health.DiskFull,
		What: fmt.Sprintf("The disk of the database has %d MB free.", disk.Free/1e6),
	}
	if disk.Size > 0 && disk.Free < uint64(s.DiskLeast)*1e6 {
		l.Level, l.Remedy = doctor.Error, remedyOf(health.DiskFull)
	}
	return append(lines, l)
}

func remedyOf(code health.Code) string {
	for _, k := range health.Kinds() {
		if k.Code == code {
			return k.Remedy
		}
	}
	return ""
}

// running asks the bridge that runs what is wrong.
func running(ctx context.Context, s tenant.Settings) []doctor.Line {
	host, port, _ := net.SplitHostPort(s.MetricsAddr)
	if ip := net.ParseIP(host); host == "" || ip != nil && ip.IsUnspecified() {
		host = "127.0.0.1"
	}
	if port == "" {
		return nil
	}
	said, err := readFindings(ctx, "http://"+net.JoinHostPort(host, port)+"/readyz")
	if err != nil {
		return []doctor.Line{{
			Level: doctor.Warning, Code: doctor.PublicURL,
			What:   "The bridge does not say at SMSBRIDGE_METRICS_ADDR what is wrong.",
			Remedy: "Is it running here, with the same settings?",
		}}
	}
	return findingLines(said.Findings)
}

// findingLines are the findings of the running bridge.
func findingLines(findings []health.Finding) (lines []doctor.Line) {
	for _, f := range findings {
		lines = append(lines, doctor.Line{
			Level: doctor.Level(f.Severity), Code: f.Code, Of: f.Of,
			What:   f.What + " It has been so since " + f.Since.UTC().Format(time.RFC3339) + ".",
			Remedy: f.Remedy,
		})
	}
	return lines
}

// readFindings reads what /readyz says as JSON.
func readFindings(ctx context.Context, address string) (said watchdoor.Ready, err error) {
	ctx, cancel := context.WithTimeout(ctx, watchWait)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return said, err
	}
	req.Header.Set("Accept", "application/json")
	res, err := http.DefaultTransport.RoundTrip(req)
	if err != nil {
		return said, err
	}
	defer res.Body.Close()
	return said, json.NewDecoder(io.LimitReader(res.Body, 1<<20)).Decode(&said)
}

package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"runtime"
	"time"

	"github.com/alecthomas/kong"

	"smsbridge/internal/limit"
	"smsbridge/internal/store"
	"smsbridge/internal/tenant"
	"smsbridge/internal/text"
)

// reportedDays is how many days of usage a report has.
const reportedDays = 7

// The helps are in bugreportHelps, since a tag cannot be broken into lines.
type bugreportCommand struct {
	bridgeFlag
	Out string `help:"${bugreport_out}" placeholder:"FILE"`
}

// bugreportHelps returns the helps of the command and its flag, by the names that their tags have.
func bugreportHelps() kong.Vars {
	return kong.Vars{
		"bugreport":     "Write what helps to find a fault into a file, without secrets and phones.",
		"bugreport_out": "The file; \"-\" is the standard output. Otherwise the report's id is its name.",
	}
}

// Help is shown by smsbridge bugreport --help.
func (bugreportCommand) Help() string {
	return "The file is JSON and meant to be read before it is sent to anyone. It has the version, " +
		"the settings without secrets, the warnings about them, the jobs that fail, the limits, and " +
		"the texts of a week by day and country. It names your tenants and hosts. It has no key, no " +
		"link, no code, no mail, and no phone but those that the bridge texts from.\n\n" +
		"It reads the same settings as serve and changes nothing. The bridge may be running, and a " +
		"database that cannot be opened is part of the report."
}

// bugreport is what the file has.
type bugreport struct {
	ID       string             `json:"id"`
	Made     time.Time          `json:"made"`
	Version  string             `json:"version"`
	Go       string             `json:"go"`
	System   string             `json:"system"`
	Settings []tenant.WrittenBy `json:"settings"`

	Fingerprint string            `json:"fingerprint"`
	Warnings    []string          `json:"warnings"`
	Database    string            `json:"database"` // "ok", or why it cannot be opened
	Jobs        []store.QueuedJob `json:"jobs"`
	Limits      []limit.Use       `json:"limits"`
	Usage       []text.Usage      `json:"usage"`
}

// Run writes the report. This process writes the file, also when the bridge makes the report.
func (b bugreportCommand) Run(ctx context.Context, w world) error {
	if w.inside != nil {
		return b.at(ctx, w, func(ctx context.Context, d database) error {
			r := reportOn(w, d.settings)
			if err := r.look(ctx, d.store, d.settings); err != nil {
				r.Database = err.Error()
			}
			return indented(w, r)
		})
	}
	settings, err := serveCommand{Config: b.Config}.load(ctx, w.environ)
	if err != nil {
		return err
	}
	var made bytes.Buffer
	into := w
	into.stdin, into.stdout = nil, &made
	answered, err := into.ask(ctx, settings, []string{"bugreport", "--out", "-"})
	if err == nil && !answered {
		err = indented(into, reportBeside(ctx, w, settings))
	}
	if err != nil {
		return err
	}
	return b.write(w, made.Bytes())
}

// reportOn begins a report.
func reportOn(w world, settings tenant.Settings) bugreport {
	return bugreport{
		ID: randomToken(6), Made: w.clock().UTC().Truncate(time.Second), Version: version(),
		Go: runtime.Version(), System: runtime.GOOS + "/" + runtime.GOARCH,
		Settings: tenant.WithoutTests(settings.Written), Fingerprint: settings.Fingerprint,
		Warnings: settings.Warnings, Database: "ok",
	}
}

// reportBeside makes a report without a running bridge.
func reportBeside(ctx context.Context, w world, settings tenant.Settings) bugreport {
	r := reportOn(w, settings)
	st, err := w.openBeside(ctx, settings)
	if err == nil {
		err = errors.Join(r.look(ctx, st, settings), st.Close())
	}
	if err != nil {
		r.Database = err.Error()
	}
	return r
}

// write writes a report where the person wants it.
func (b bugreportCommand) write(w world, made []byte) error {
	if b.Out == "-" {
		_, err := w.stdout.Write(made)
		return err
	}
	var r struct{ ID string }
	if err := json.Unmarshal(made, &r); err != nil {
		return fmt.Errorf("reading the report: %w", err)
	}
	name := b.Out
	if name == "" {
		name = "smsbridge-bugreport-" + r.ID + ".json"
	}
	file, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if errors.Is(err, fs.ErrExist) {
		return mistake{name + " exists", "give another name: --out FILE"}
	}
	if err != nil {
		return mistake{reason(err), "give the name of a new file: --out FILE"}
	}
	_, err = file.Write(made)
	if err := errors.Join(err, file.Close()); err != nil {
		return err
	}
	_, err = fmt.Fprintf(w.stdout, "report %s is in %s: read it before you send it\n", r.ID, name)
	return err
}

// look adds what the database tells.
func (r *bugreport) look(ctx context.Context, st *store.Store, s tenant.Settings) (err error) {
	if r.Jobs, err = st.Jobs(ctx); err != nil {
		return err
	}
	return st.Read(ctx, func(ctx context.Context, view store.View) (err error) {
		if r.Limits, err = limit.Uses(ctx, view, s.Tenants.All()); err != nil {
			return err
		}
		r.Usage, err = text.UsedLately(ctx, view, reportedDays)
		return err
	})
}

package main

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"text/tabwriter"

	"github.com/alecthomas/kong"

	"smsbridge/internal/settings"
	"smsbridge/internal/tenant"
)

// The helps are in configHelps, since a tag cannot be broken into lines.
type checkCommand struct {
	Config   string `help:"${check_config}" short:"c" env:"SMSBRIDGE_CONFIG" placeholder:"FILE"`
	LogLevel string `hidden:"" env:"SMSBRIDGE_LOG_LEVEL" default:"info"` // serve judges it, too
	JSON     bool   `help:"${check_json}" name:"json"`
}

type configCommand struct {
	Config    string `help:"${check_config}" short:"c" env:"SMSBRIDGE_CONFIG" placeholder:"FILE"`
	Effective bool   `help:"${config_effective}"`
	JSON      bool   `help:"${check_json}" name:"json"`
}

// configHelps returns the helps of the commands and flags, by the names that their tags have.
func configHelps() kong.Vars {
	return kong.Vars{
		"check":            "Read the settings as serve does, and say what is wrong. Nothing is started.",
		"config":           "Show the settings that differ from the defaults, without secrets.",
		"check_config":     "The file with the settings, as serve has it.",
		"check_json":       "Print one JSON object for programs.",
		"config_effective": "Show the defaults, too: all settings that are in use.",
	}
}

// Help is shown by smsbridge check --help.
func (checkCommand) Help() string {
	return "It opens no database, changes nothing and speaks to no provider. The exit code is 2 " +
		"when serve would not start with these settings, on this machine and as this user. " +
		"Otherwise it is 0, with warnings, too: one of them names what a running bridge uses. " +
		"Whether the database answers, and whether the key is its own, only serve finds. Root may " +
		"use every file, so run it as the user of the bridge.\n\n" +
		"  $ smsbridge check --config smsbridge.yaml && systemctl restart smsbridge"
}

// Help is shown by smsbridge config --help.
func (configCommand) Help() string {
	return "Each line has the setting, its value, and where it was written. Of a secret it says " +
		"that it is set. The fingerprint is the same on every replica that has the same settings, " +
		"secrets included; where each one listens does not count. serve logs it at the start.\n\n" +
		"  $ smsbridge config\n" +
		"  $ smsbridge config --effective --json"
}

// checked is what check --json prints.
type checked struct {
	OK          bool         `json:"ok"`
	Fingerprint string       `json:"fingerprint,omitempty"`
	Tenants     []string     `json:"tenants,omitempty"`
	Mistakes    []wrongThing `json:"mistakes,omitempty"`
	Warnings    []string     `json:"warnings,omitempty"`
}

type wrongThing struct {
	Where string `json:"where,omitempty"` // "" when several settings do not fit together
	What  string `json:"what"`
	Hint  string `json:"hint"`
}

// Run says whether serve would start with the settings.
func (c checkCommand) Run(ctx context.Context, w world) error {
	loaded, _, err := serveCommand{Config: c.Config, LogLevel: c.LogLevel}.settings(ctx, w)
	if err == nil {
		err = judge(loaded)
	}
	var busy []string
	if err == nil {
		busy, err = judgePlace(ctx, loaded)
	}
	switch {
	case c.JSON && err != nil:
		found := checked{}
		for _, m := range mistakesIn(err) {
			found.Mistakes = append(found.Mistakes, wrongThing(m))
		}
		return errors.Join(indented(w, found), err)
	case err != nil:
		return err
	}
	found := checked{OK: true, Fingerprint: loaded.Fingerprint, Warnings: loaded.Warnings,
		Tenants: slugsOf(loaded.Tenants)}
	if len(busy) > 0 {
		found.Warnings = append(found.Warnings, busyWarning(busy))
	}
	if c.JSON {
		return indented(w, found)
	}
	for _, warning := range found.Warnings {
		fmt.Fprintln(w.stdout, "warning: "+warning)
	}
	_, err = fmt.Fprintf(w.stdout, "the settings are right: %s; fingerprint %s\n",
		strings.Join(found.Tenants, ", "), found.Fingerprint)
	return err
}

// mistakesIn are the mistakes that keep serve from starting, each with its place where it has one.
func mistakesIn(err error) settings.Mistakes {
	var several settings.Mistakes
	var one mistake
	if !errors.As(err, &several) && errors.As(err, &one) {
		several = settings.Mistakes{{What: one.what, Hint: one.hint}}
	}
	return several
}

// effective is what config --json prints.
type effective struct {
	Fingerprint string             `json:"fingerprint"`
	Settings    []tenant.WrittenBy `json:"settings"`
}

// Run shows the settings.
func (c configCommand) Run(ctx context.Context, w world) error {
	loaded, err := serveCommand{Config: c.Config}.load(ctx, w.environ)
	if err != nil {
		return err
	}
	shown := effective{Fingerprint: loaded.Fingerprint}
	for _, by := range loaded.Written {
		one := tenant.WrittenBy{Tenant: by.Tenant, Settings: []settings.Written{}}
		for _, s := range by.Settings {
			if c.Effective || !s.Default {
				one.Settings = append(one.Settings, s)
			}
		}
		shown.Settings = append(shown.Settings, one)
	}
	if c.JSON {
		return indented(w, shown)
	}
	table := tabwriter.NewWriter(w.stdout, 0, 0, 2, ' ', 0)
	for _, by := range shown.Settings {
		whose := "process"
		if by.Tenant != "" {
			whose = "tenant " + by.Tenant
		}
		for _, s := range by.Settings {
			where := s.Where
			if where == "" {
				where = "default"
			}
			fmt.Fprintf(table, "%s\t%s\t%s\t%s\n", whose, s.Key, printable(s.Value), where)
		}
	}
	if err := table.Flush(); err != nil {
		return err
	}
	_, err = fmt.Fprintf(w.stdout, "fingerprint %s\n", shown.Fingerprint)
	return err
}

package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"

	"github.com/alecthomas/kong"
	"golang.org/x/sync/errgroup"

	"smsbridge/cmd/smsbridge/demo"
	"smsbridge/internal/settings"
	"smsbridge/internal/simulator/idp"
	"smsbridge/internal/tenant"
)

// The helps are in demoHelps, since a tag cannot be broken into lines.
type demoCommand struct {
	Addr     string   `help:"Where the page is." default:"127.0.0.1:8080"`
	SMTP     string   `name:"smtp" help:"${demo_smtp}" placeholder:"HOST:PORT"`
	IdPHosts []string `name:"idp-host" help:"${demo_idp_host}" placeholder:"HOST:PORT"`
	Once     bool     `help:"${demo_once}"`
	LogLevel string   `help:"${demo_log_level}" default:"warn" enum:"debug,info,warn,error"`
}

// demoHelps returns the helps of the flags, by the names that their tags have.
func demoHelps() kong.Vars {
	return kong.Vars{
		"demo_smtp": "Also take mails of an identity provider on this machine here, " +
			"such as 127.0.0.1:2525.",
		"demo_idp_host": "Where that identity provider's links lead to, such as 127.0.0.1:4433. " +
			"May be repeated.",
		"demo_once": "Play one sign-up without a page, print each step, and exit 0 only if the " +
			"identity provider says that the address is verified.",
		"demo_log_level": "Least level of the bridge's log that is shown: debug, info, warn or error.",
	}
}

// Help is shown by smsbridge demo --help.
func (demoCommand) Help() string {
	return "Mailgun, Twilio, an identity provider and a phone are played in this process, " +
		"around a real bridge; nothing leaves this machine and nothing is kept. " +
		"Variables and configuration files are not read.\n\n" +
		"To see what the bridge makes of the mails of an identity provider that runs here, " +
		"such as Keycloak at http://localhost:8081:\n\n" +
		"  $ smsbridge demo --smtp 127.0.0.1:2525 --idp-host localhost:8081\n\n" +
		"Then let it send its mails to 127.0.0.1, port 2525, without encryption and login, " +
		"and sign up as acme+4512345678@sms.acme.example."
}

// Run plays until the context ends, or one sign-up with --once.
func (d demoCommand) Run(ctx context.Context, w world) error {
	if err := d.check(); err != nil {
		return err
	}
	var level slog.Level
	if err := level.UnmarshalText([]byte(d.LogLevel)); err != nil {
		return err
	}
	log := logger(w.stderr, tenant.LogAuto, level)
	if d.Once {
		return d.runOnce(ctx, w.stdout, log)
	}
	// First of all, because this is what goes wrong.
	page, err := listenForDemo(w, d.Addr, "--addr")
	if err != nil {
		return err
	}
	defer page.Close()
	var mails net.Listener
	if d.SMTP != "" {
		if mails, err = listenForDemo(w, d.SMTP, "--smtp"); err != nil {
			return err
		}
		defer mails.Close()
	}
	s, err := d.openStage(ctx, log)
	if err != nil {
		return err
	}
	shown := &demo.Page{Stage: s, Addr: page.Addr(), Asked: d.Addr, IdPHosts: d.IdPHosts}
	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() error { return s.Serve(ctx) })
	if mails != nil {
		shown.SMTP = mails.Addr()
		group.Go(func() error { return s.ServeMail(ctx, mails) })
	}
	group.Go(func() error { return shown.Serve(ctx, page) })
	shown.Announce(w.stdout)
	return errors.Join(group.Wait(), s.Close())
}

// runOnce opens a stage for one sign-up, and closes it.
func (d demoCommand) runOnce(ctx context.Context, stdout io.Writer, log *slog.Logger) error {
	s, err := openStage(ctx, nil, log)
	if err != nil {
		return err
	}
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() error { return s.Serve(ctx) })
	group.Go(func() error {
		defer stop()
		return s.PlayOnce(ctx, stdout, idp.Auth0Classic)
	})
	return errors.Join(group.Wait(), s.Close())
}

// openStage opens a stage around the bridge that `smsbridge serve` runs.
func openStage(ctx context.Context, idpHosts []string, log *slog.Logger) (*demo.Stage, error) {
	return demo.Open(ctx, demo.Config{IdPHosts: idpHosts, Log: log, OpenBridge: openDemoBridge})
}

// openDemoBridge opens a bridge for a stage.
func openDemoBridge(
	ctx context.Context, settings tenant.Settings, log *slog.Logger,
) (demo.Bridge, error) {
	b, err := openBridge(ctx, settings, log, nil)
	serve := func(ctx context.Context, listener, pages, metrics net.Listener) error {
		b.pages, b.metrics = pages, metrics
		return b.serve(ctx, listener)
	}
	return demo.Bridge{Store: b.store, Serve: serve}, err
}

func (d demoCommand) check() error {
	switch {
	case d.Once && d.SMTP != "":
		return mistake{"--once and --smtp exclude each other",
			"--once plays the identity provider itself; leave it out to use your own"}
	case d.SMTP == "" && len(d.IdPHosts) > 0:
		return mistake{"--idp-host without --smtp",
			"say where your identity provider delivers its mails: --smtp 127.0.0.1:2525"}
	case d.SMTP != "" && len(d.IdPHosts) == 0:
		return mistake{"--smtp without --idp-host",
			"name the host and port that your identity provider's links lead to, " +
				"such as --idp-host 127.0.0.1:4433; no other link is opened"}
	}
	return nil
}

// openStage opens the stage. The demo makes all its settings but one, so that only that one can be
// the person's mistake.
func (d demoCommand) openStage(ctx context.Context, log *slog.Logger) (*demo.Stage, error) {
	s, err := openStage(ctx, d.IdPHosts, log)
	var wrong settings.Mistakes
	if errors.As(err, &wrong) && len(d.IdPHosts) > 0 {
		return nil, mistake{"--idp-host " + wrong[0].What, wrong[0].Hint}
	}
	return s, err
}

// listenForDemo listens, and warns when more than this machine can connect.
func listenForDemo(w world, addr, flag string) (net.Listener, error) {
	listener, err := net.Listen("tcp", addr)
	if err != nil {
		return nil, mistake{"cannot listen on " + addr + ": " + reason(err),
			"choose another port, or let the system choose one: " + flag + " 127.0.0.1:0"}
	}
	if !demo.IsLoopback(listener.Addr()) {
		fmt.Fprintf(w.stderr, "smsbridge: warning: %s %s is open to the network, "+
			"and whoever reaches it can use it: there is no login\n", flag, addr)
	}
	return listener, nil
}

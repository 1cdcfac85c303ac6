package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"strings"

	"golang.org/x/sync/errgroup"

	"smsbridge/internal/settings"
)

type demoCommand struct {
	Addr     string   `help:"Where the page is." default:"127.0.0.1:8080"`
	SMTP     string   `name:"smtp" help:"Also take mails of an identity provider on this machine here, such as 127.0.0.1:2525." placeholder:"HOST:PORT"`
	IdPHosts []string `name:"idp-host" help:"Where that identity provider's links lead to, such as 127.0.0.1:4433. May be repeated." placeholder:"HOST:PORT"`
	Once     bool     `help:"Play one sign-up without a page, print each step, and exit 0 only if the identity provider says that the address is verified."`
	LogLevel string   `help:"Least level of the bridge's log that is shown: debug, info, warn or error." default:"warn" enum:"debug,info,warn,error"`
}

// Help is shown by smsbridge demo --help.
func (demoCommand) Help() string {
	return "Mailgun, Twilio, an identity provider and a phone are played in this process, around a real bridge; nothing leaves this machine " +
		"and nothing is kept. Variables and configuration files are not read.\n\n" +
		"To see what the bridge makes of the mails of an identity provider that runs here, such as Keycloak at http://localhost:8081:\n\n" +
		"  $ smsbridge demo --smtp 127.0.0.1:2525 --idp-host localhost:8081\n\n" +
		"Then let it send its mails to 127.0.0.1, port 2525, without encryption and login, and sign up as acme+4512345678@sms.acme.example."
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
	log := slog.New(slog.NewJSONHandler(w.stderr, &slog.HandlerOptions{Level: level}))
	if d.Once {
		return d.runOnce(ctx, w, log)
	}
	// First of all, because this is what goes wrong.
	page, err := listenForDemo(w, d.Addr, "--addr", "127.0.0.1:8081")
	if err != nil {
		return err
	}
	defer page.Close()
	var mails net.Listener
	if d.SMTP != "" {
		if mails, err = listenForDemo(w, d.SMTP, "--smtp", "127.0.0.1:2526"); err != nil {
			return err
		}
		defer mails.Close()
	}
	s, err := d.openStage(ctx, log)
	if err != nil {
		return err
	}
	shown := &demoPage{stage: s, addr: page.Addr(), name: hostOf(d.Addr), idpHosts: d.IdPHosts}
	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() error { return s.serve(ctx) })
	if mails != nil {
		shown.smtp = mails.Addr()
		group.Go(func() error { return serveDemoMail(ctx, mails, s) })
	}
	group.Go(func() error { return shown.serve(ctx, page) })
	shown.announce(w.stdout)
	return errors.Join(group.Wait(), s.close())
}

func (d demoCommand) check() error {
	switch {
	case d.Once && d.SMTP != "":
		return mistake{"--once and --smtp exclude each other", "--once plays the identity provider itself; leave it out to use your own"}
	case d.SMTP == "" && len(d.IdPHosts) > 0:
		return mistake{"--idp-host without --smtp", "say where your identity provider delivers its mails: --smtp 127.0.0.1:2525"}
	case d.SMTP != "" && len(d.IdPHosts) == 0:
		return mistake{"--smtp without --idp-host", "name the host and port that your identity provider's links lead to, such as --idp-host 127.0.0.1:4433; no other link is opened"}
	}
	return nil
}

// openStage opens the stage. All its settings are made here but one, so that only that one can be the person's mistake.
func (d demoCommand) openStage(ctx context.Context, log *slog.Logger) (*stage, error) {
	s, err := openStage(ctx, d.IdPHosts, log)
	var wrong settings.Mistakes
	if errors.As(err, &wrong) && len(d.IdPHosts) > 0 {
		return nil, mistake{"--idp-host " + wrong[0].What, wrong[0].Hint}
	}
	return s, err
}

// listenForDemo listens, and warns when more than this machine can connect.
func listenForDemo(w world, addr, flag, other string) (net.Listener, error) {
	listener, err := net.Listen("tcp", addr)
	if err != nil {
		return nil, mistake{"cannot listen on " + addr + ": " + reason(err),
			fmt.Sprintf("choose another port, such as %s %s, or let the system choose one: %s 127.0.0.1:0", flag, other, flag)}
	}
	if !isLoopback(listener.Addr()) {
		fmt.Fprintf(w.stderr, "smsbridge: warning: %s %s is open to the network, and whoever reaches it can use it: there is no login\n", flag, addr)
	}
	return listener, nil
}

func isLoopback(addr net.Addr) bool {
	tcp, ok := addr.(*net.TCPAddr)
	return ok && tcp.IP.IsLoopback()
}

// hostOf is the host of host:port, in small letters.
func hostOf(addr string) string {
	host, _, err := net.SplitHostPort(addr)
	if err != nil {
		host = addr
	}
	return strings.ToLower(strings.Trim(host, "[]"))
}

// announce says where the page is and what to try.
func (p *demoPage) announce(w io.Writer) {
	fmt.Fprintf(w, "Open %s and\n\n"+
		"  1. sign up with the phone number in the form,\n"+
		"  2. read the text on the phone, and reply YES,\n"+
		"  3. watch the account become verified.\n\n"+
		"Everything is pretend: Mailgun, Twilio, the identity provider and the phone are played in this process.\n", p.url())
	if p.smtp != nil {
		fmt.Fprintf(w, "Mails of your identity provider are taken at %s, without encryption and login, to addresses such as\n"+
			"%s. Links to %s are opened on YES.\n", p.smtp, demoExample, strings.Join(p.idpHosts, ", "))
	}
	fmt.Fprintln(w, "Ctrl-C ends the demo and forgets everything.")
}

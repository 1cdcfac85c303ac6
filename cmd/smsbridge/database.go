package main

import (
	"context"
	"errors"
	"io"
	"net/http"
	"os/user"
	"strings"
	"time"

	"github.com/alecthomas/kong"

	"smsbridge/cmd/smsbridge/socket"
	"smsbridge/internal/callback"
	"smsbridge/internal/health"
	"smsbridge/internal/operator"
	"smsbridge/internal/store"
	"smsbridge/internal/tenant"
	"smsbridge/outbound"
)

// This file says where a command works that needs the database. The running bridge runs it, with
// its own settings and its own database, when one answers at the socket that the settings name.
// Otherwise the command opens the database itself. It is one piece of code in both places: a
// method that gets a database.
//
// So run optout, show, why, forget, jobs, tail, listen, limits, hold, release, usage, callbacks and
// bugreport. What they read or write as a file, and where listen posts to, is the business of the
// process that the person has started: it sends and gets the content. doctor tries the settings
// from where it is started, and asks the bridge only how that is.
//
// The others never ask the bridge. check, config, texts, try, link, address, compliance and
// operator judge what they are given, which may not be in use yet. trigger and verify speak to the
// bridge as its callers do. backup, restore, move and keys are about files, whose bridge may be
// stopped.

// bridgeFlag is part of each command that the running bridge may run.
type bridgeFlag struct {
	Config string `help:"${bridge_config}" env:"SMSBRIDGE_CONFIG" placeholder:"FILE"`
}

// databaseHelps returns the help of the flag, by the name that its tag has.
func databaseHelps() kong.Vars {
	return kong.Vars{
		"bridge_config": "The file of settings that the bridge is started with, if it has one.",
	}
}

// forBridge marks the commands that have the flag.
func (bridgeFlag) forBridge() {}

// database is an open database, and what a command needs beside it.
type database struct {
	world
	store    *store.Store
	settings tenant.Settings
	by       string // who acts, for the audit
	// Of the bridge that runs the command:
	stopping <-chan struct{} // closed when it stops
	findings func() []health.Finding
	worker   *outbound.Worker
}

// ended is how a command ended in the bridge, which has said why already.
type ended struct{ status int }

func (e ended) Error() string { return "the command failed in the running bridge" }

// at does what a command does, in the running bridge or here.
func (b bridgeFlag) at(
	ctx context.Context, w world, do func(ctx context.Context, d database) error,
) error {
	return b.reading(ctx, w, nil, do)
}

// reading is at for a command that reads something.
func (b bridgeFlag) reading(
	ctx context.Context, w world, from io.Reader, do func(ctx context.Context, d database) error,
) (err error) {
	if w.inside != nil {
		d := *w.inside
		d.world = w
		return do(ctx, d)
	}
	settings, err := serveCommand{Config: b.Config}.load(ctx, w.environ)
	if err != nil {
		return err
	}
	w.stdin = from
	if answered, err := w.ask(ctx, settings, w.args); answered || err != nil {
		return err
	}
	st, err := w.openBeside(ctx, settings)
	if err != nil {
		return err
	}
	defer closing(st, &err)
	return do(ctx, database{world: w, store: st, settings: settings, by: actor(ownName())})
}

// ask has the running bridge run a command. It reports false when none answers.
func (w world) ask(
	ctx context.Context, settings tenant.Settings, args []string,
) (answered bool, err error) {
	path, _ := settings.CommandSocket()
	if path == "" {
		return false, nil
	}
	status, err := socket.Ask(ctx, path, socket.Call{
		Request: socket.Request{Version: version(), Args: args},
		Stdin:   w.stdin, Stdout: w.stdout, Stderr: w.stderr,
	})
	var unknown socket.UnknownError
	switch {
	case errors.Is(err, socket.ErrNoBridge):
		return false, nil
	case errors.Is(err, socket.ErrForbidden):
		return false, failure{err, "run the command as the user that the bridge runs as"}
	case errors.Is(err, socket.ErrTooMany):
		return false, failure{err, "end some of them, such as smsbridge tail, and try again"}
	case errors.Is(err, socket.ErrCut):
		return false, failure{err, "run the command again: what it did before stays done"}
	case errors.As(err, &unknown):
		return false, failure{err, "this is " + version() +
			": use the program that the bridge runs, or restart the bridge with this one"}
	case err == nil && status != 0:
		err = ended{status}
	}
	return err == nil || status != 0, err
}

// beside opens the database that a file of settings or the variables name, for a command that never
// asks the bridge.
func (w world) beside(
	ctx context.Context, config string,
) (*store.Store, tenant.Settings, error) {
	settings, err := serveCommand{Config: config}.load(ctx, w.environ)
	if err != nil {
		return nil, settings, err
	}
	st, err := w.openBeside(ctx, settings)
	return st, settings, err
}

// openBeside opens the database of a bridge that may be running. The apps of the tenants are told
// of what a command does there, by the bridge.
func (w world) openBeside(ctx context.Context, settings tenant.Settings) (*store.Store, error) {
	options, err := storeOptions(settings)
	if err != nil {
		return nil, err
	}
	options.Beside, options.Now = true, w.now
	st, err := store.Open(ctx, options)
	if err != nil {
		return nil, explainMissing(err, options)
	}
	st.RecordWith(func(ctx context.Context, tx *store.Tx, e store.Event) (func(), error) {
		t, known := settings.Tenants.Tenant(e.Tenant)
		if !known {
			return nil, nil
		}
		_, err := callback.Record(ctx, tx, t, e)
		return nil, err
	})
	return st, nil
}

// closing closes a store when its command ends.
func closing(st *store.Store, err *error) {
	if closed := st.Close(); *err == nil {
		*err = closed
	}
}

// actor is how the audit names a person who uses a command.
func actor(name string) string {
	if name == "" {
		return "command"
	}
	return "command (" + name + ")"
}

// ownName is the name of the user that this process runs as, "" if the system has none.
func ownName() string {
	own, err := user.Current()
	if err != nil {
		return ""
	}
	return own.Username
}

// audit records an act of a command in the transaction that does it.
func (d database) audit(ctx context.Context, tx *store.Tx, act, subject, detail string) error {
	return operator.Record(ctx, tx, operator.Act{
		Operator: d.by, Act: act, Subject: subject, Detail: detail,
	})
}

// commands runs commands for other processes, with the settings that are in use.
func (b bridge) commands(stopping <-chan struct{}) http.Handler {
	inside := database{
		store: b.store, settings: b.settings, stopping: stopping, worker: b.worker,
		findings: func() []health.Finding {
			return b.watcher.meter.Health.Findings(b.watcher.now())
		},
	}
	return &socket.Handler{Version: version(), Find: func(args []string) socket.Command {
		quiet := world{stdout: io.Discard, stderr: io.Discard}
		command, answered, err := parse(args, quiet)
		if answered || err != nil || command.Selected() == nil {
			return nil
		}
		if _, ours := command.Selected().Target.Interface().(interface{ forBridge() }); !ours {
			return nil
		}
		return func(ctx context.Context, c socket.Call) int {
			d := inside
			d.by = actor(c.User)
			return b.runInside(ctx, command, c, d)
		}
	}}
}

// runInside runs a command and logs it: by its name alone, as its arguments may have a phone. A
// panic ends the command, and not the bridge.
func (b bridge) runInside(
	ctx context.Context, command *kong.Context, c socket.Call, d database,
) (status int) {
	w := world{
		stdin: c.Stdin, stdout: c.Stdout, stderr: c.Stderr, now: b.now, args: c.Args, inside: &d,
	}
	log := b.log.With("command", nameOf(command), "user", c.User)
	err := store.Survive("a command", func() error {
		status = perform(ctx, command, w)
		return nil
	})
	if err != nil {
		log.Error("a command failed", "error", err)
		return report(w, errors.New("the bridge failed at this command; its log says more"))
	}
	log.Info("a command has run", "status", status)
	return status
}

// nameOf is the name of a command without its arguments.
func nameOf(command *kong.Context) string {
	name, _, _ := strings.Cut(command.Command(), " <")
	return name
}

// commandGrace is how long a command may go on when the bridge stops.
const commandGrace = 5 * time.Second

// listenCommands listens for commands. Where no socket can be made beside the database, the bridge
// goes without: then commands open the database themselves.
func (b bridge) listenCommands(ctx context.Context, f *front) ([]door, error) {
	path, chosen := b.settings.CommandSocket()
	if path == "" {
		return nil, nil
	}
	listener, err := socket.Listen(ctx, path)
	switch {
	case err != nil && chosen:
		return nil, socketMistake(path, err)
	case err != nil:
		b.log.Warn("commands open the database themselves: no socket can be made beside it",
			"socket", path, "reason", reason(err), "remedy", "set SMSBRIDGE_SOCKET")
		return nil, nil
	}
	b.log.Info("commands", "socket", path)
	handler := f.at(func(h *handlers) http.Handler { return h.commands })
	return []door{{listener, socket.Server(handler, b.log, commandGrace)}}, nil
}

// Command smsbridge lets people who have only a phone use software that knows only e-mail.
//
// It wires the parts together and talks to the person at the keyboard. What it does is in the
// rooms it wires: inbound, outbound, linkclick, phonemail and the rules below internal.
//
// Rules of its conversation: results go to standard output, everything else to standard error.
// A mistake of the person who started it is one line "smsbridge: error: …", one line
// "smsbridge: hint: …" that says what to do, and exit status 2. A failure later on is exit
// status 1. What is allowed and yet unsafe is one line "smsbridge: warning: …".
//
// A command that needs the database has the running bridge run it, over a unix socket. The comment
// in database.go says which commands do, and what stays with the process of the person.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"os"
	"os/signal"
	"runtime/debug"
	"strings"
	"syscall"
	"time"

	"github.com/alecthomas/kong"

	// Package store needs it. It is named here, too, because go build begins with what main imports,
	// in the order of the names: SQLite takes longest to compile, and must not come last and alone.
	_ "modernc.org/sqlite"

	"smsbridge/internal/settings"
)

// Exit statuses.
const (
	exitFailure = 1
	exitMistake = 2
)

// world is what a command may use of the process around it.
type world struct {
	stdin          io.Reader
	stdout, stderr io.Writer
	environ        []string
	now            func() time.Time // nil: the process's clock, and the database's where it has one
	args           []string         // what the command was given, see run
	// in the running bridge, which runs the command for another process
	inside *database
}

// clock is the time of the process.
func (w world) clock() time.Time {
	if w.now == nil {
		return time.Now()
	}
	return w.now()
}

// The helps are in cliHelps, since a tag cannot be broken into lines.
type cli struct {
	Serve   serveCommand     `cmd:"" help:"${serve}"`
	Demo    demoCommand      `cmd:"" help:"${demo}"`
	Verify  verifyCommand    `cmd:"" help:"${verify}"`
	Check   checkCommand     `cmd:"" help:"${check}"`
	Config  configCommand    `cmd:"" help:"${config}"`
	Address addressCommand   `cmd:"" help:"${address}"`
	Link    linkCommand      `cmd:"" help:"${link}"`
	Texts   textsCommand     `cmd:"" help:"${texts}"`
	Keys    keysCommand      `cmd:"" help:"${keys}"`
	Optout  optoutCommand    `cmd:"" help:"${optout}"`
	Show    showCommand      `cmd:"" help:"${show}"`
	Why     whyCommand       `cmd:"" help:"${why}"`
	Forget  forgetCommand    `cmd:"" help:"${forget}"`
	Jobs    jobsCommand      `cmd:"" help:"${jobs}"`
	Tail    tailCommand      `cmd:"" help:"${tail}"`
	Listen  listenCommand    `cmd:"" help:"${listen}"`
	Backup  backupCommand    `cmd:"" help:"${backup}"`
	Restore restoreCommand   `cmd:"" help:"${restore}"`
	Move    moveCommand      `cmd:"" help:"${move}"`
	Limits  limitsCommand    `cmd:"" help:"${limits}"`
	Usage   usageCommand     `cmd:"" help:"${usage}"`
	Trigger triggerCommand   `cmd:"" help:"${trigger}"`
	Try     tryCommand       `cmd:"" help:"${try}"`
	Hold    holdCommand      `cmd:"" help:"${hold}"`
	Release releaseCommand   `cmd:"" help:"${release}"`
	Version kong.VersionFlag `help:"Print the version and exit."`

	Bugreport  bugreportCommand  `cmd:"" help:"${bugreport}"`
	Doctor     doctorCommand     `cmd:"" help:"${doctor}"`
	Compliance complianceCommand `cmd:"" help:"${compliance}"`
	Callbacks  callbacksCommand  `cmd:"" help:"${callbacks}"`
	Operator   operatorCommand   `cmd:"" help:"${operator}"`
}

// cliHelps returns the helps of the commands, by the names that their tags have.
func cliHelps() kong.Vars {
	return kong.Vars{
		"serve": "Run the bridge: take mails and replies, send texts, open links.",
		"demo": "Try it without any account: a bridge, an identity provider and a phone " +
			"on one page.",
		"verify":  "Text a code to a phone through the running bridge, and check what you type.",
		"address": "Print the mail address of a phone, or the phone of a mail address.",
		"texts":   "Print every text that a tenant sends, with its segments and encoding.",
		"keys":    "Say which key seals what in the database, and which may be removed.",
		"backup":  "Copy the SQLite database of the running bridge into a file.",
		"restore": "Put a backup in the place of the SQLite database of a stopped bridge.",
		"limits":  "Show which limits of texts and money are nearly used up, and what is held.",
		"hold":    "Text nothing more, at once: all, one tenant's texts, or those to one country.",
		"release": "End what hold began.",
		"link":    "Explain which link or code of a mail would be chosen, and why.",
	}
}

// mistake is an error of the person who started the command, with what to do about it.
type mistake struct{ what, hint string }

func (m mistake) Error() string { return m.what }

// failure is an error that is no mistake of the person who started the command, with what that
// person can do about it.
type failure struct {
	error
	hint string
}

func main() {
	// The standard library writes to this logger what it cannot return. When a host sends a response
	// that no request waits for, net/http writes up to 4 kB of it. These may hold a link, a code or a
	// token. What operators need to know goes to the log of serve.
	log.SetOutput(io.Discard)
	os.Exit(run(untilSignal(), os.Args[1:], world{
		stdin: os.Stdin, stdout: os.Stdout, stderr: os.Stderr, environ: os.Environ(),
	}))
}

// untilSignal returns a context that ends with the first SIGINT or SIGTERM. A second one ends the
// process at once: it does so from before the context ends, so that none gets lost.
func untilSignal() context.Context {
	ctx, cancel := context.WithCancel(context.Background())
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM)
	go func() {
		<-signals
		signal.Stop(signals)
		cancel()
	}()
	return ctx
}

// run parses the arguments, runs one command and returns the exit status.
func run(ctx context.Context, args []string, w world) int {
	w.args = args
	command, answered, err := parse(args, w)
	switch {
	case err != nil:
		return report(w, err)
	case answered:
		return 0
	}
	return perform(ctx, command, w)
}

// parse finds the command that the arguments name. It reports true when they asked for help or the
// version, and have been answered, or could not be.
func parse(args []string, w world) (command *kong.Context, answered bool, err error) {
	var c cli
	out := &output{Writer: w.stdout}
	parser, err := kong.New(&c,
		kong.Name("smsbridge"),
		kong.Description("smsbridge stands between software that sends e-mail and people who have "+
			"only a phone: a mail to acme+4512345678@sms.acme.example becomes a text to "+
			"+4512345678, and the answer YES opens the link that the mail carried.\n\n"+
			"Start with: smsbridge demo"),
		kong.Vars{"version": version()},
		withHelps(cliHelps(), databaseHelps(), serveHelps(), demoHelps(), verifyHelps(),
			addressHelps(), textsHelps(), linkHelps(), keysHelps(), backupHelps(), complianceHelps(),
			optoutHelps(), personHelps(),
			whyHelps(), configHelps(), jobsHelps(), limitHelps(), usageHelps(),
			triggerHelps(), bugreportHelps(), moveHelps(), operatorHelps(),
			callbacksHelps(), listenHelps(), tailHelps(), doctorHelps(), tryHelps()),
		kong.Writers(out, w.stderr),
		kong.Exit(func(int) { answered = true }),
	)
	if err != nil {
		return nil, false, err
	}
	command, err = parser.Parse(asFlags(args))
	if unwritten := out.failed(); answered || unwritten != nil {
		return command, answered, unwritten // kong misses a command beside --help and --version
	}
	if err != nil {
		err = misuse(args, err)
	}
	return command, false, err
}

// perform runs a command and returns the exit status. A command whose output could not be written
// has failed: a script must not take what it got for all there is.
func perform(ctx context.Context, command *kong.Context, w world) int {
	command.BindTo(ctx, (*context.Context)(nil))
	out := &output{Writer: w.stdout}
	w.stdout = out
	err := command.Run(w)
	if err == nil {
		err = out.failed()
	}
	if err != nil {
		return report(w, err)
	}
	return 0
}

// report prints an error as the rules above say and returns the exit status that goes with it.
func report(w world, err error) int {
	var m mistake
	var f failure
	var several settings.Mistakes
	var there ended
	switch {
	case errors.As(err, &there):
		return there.status
	case errors.As(err, &several):
		for _, one := range several {
			fmt.Fprintf(w.stderr, "smsbridge: error: %s: %s\nsmsbridge: hint: %s\n",
				one.Where, one.What, one.Hint)
		}
		return exitMistake
	case errors.As(err, &m):
		fmt.Fprintf(w.stderr, "smsbridge: error: %s\nsmsbridge: hint: %s\n", m.what, m.hint)
		return exitMistake
	}
	fmt.Fprintf(w.stderr, "smsbridge: error: %s\n", oneLine(err))
	if errors.As(err, &f) {
		fmt.Fprintf(w.stderr, "smsbridge: hint: %s\n", f.hint)
	}
	return exitFailure
}

// oneLine is an error's text on one line. Several errors in one have a line each, and so have the
// addresses at which PostgreSQL was tried.
func oneLine(err error) string {
	var lines []string
	for line := range strings.Lines(err.Error()) {
		if line = strings.TrimSpace(line); line != "" {
			lines = append(lines, line)
		}
	}
	return strings.ReplaceAll(strings.Join(lines, "; "), ":; ", ": ")
}

// version is the module's version as the build recorded it.
func version() string {
	info, ok := debug.ReadBuildInfo()
	if !ok || info.Main.Version == "" {
		return "smsbridge (unknown build)"
	}
	return "smsbridge " + info.Main.Version
}

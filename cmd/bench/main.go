// Command bench measures the bridge on the machine that it runs on. It is for developers who change
// how work is recorded and done, and for operators who ask what a machine of theirs can do.
//
//	go run ./cmd/bench
//	go run ./cmd/bench --only accept,flow --postgres postgres://…
//	go run ./cmd/bench --binary old=PATH --binary new=PATH --only accept,flow,latency
//
// It starts the real server as a child, plays Mailgun, Twilio and the identity provider on
// loopback, sends the load, and prints one table. The providers answer at once, or after --latency.
// Twilio posts no receipts. Several binaries take turns in one run, so that a machine that grows
// slower meanwhile harms all of them alike. It promises three things.
//
//   - The database is durable as in production, and each measurement begins with a fresh one.
//   - Everything is bounded in time, and it ends only the children that it started.
//   - The load runs on the same processors as the server. So rates compare only within one run. The
//     table has ratios to a bare Echo server, and to one that forgets what it is sent.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/alecthomas/kong"
)

// Exit statuses.
const (
	exitFailure = 1
	exitMistake = 2
)

// mistake is an error of the person who started the command, with what to do about it.
type mistake struct{ what, hint string }

func (m mistake) Error() string { return m.what }

// options are what a run measures, and how. The helps are in helps, since a tag cannot be broken
// into lines.
type options struct {
	Binary   []string      `help:"${binary}" placeholder:"[NAME=]PATH" sep:"none"`
	Only     []string      `help:"${only}" placeholder:"WORK,…"`
	Seconds  float64       `help:"${seconds}" default:"3"`
	Repeat   int           `help:"${repeat}" default:"5"`
	Callers  []int         `help:"${callers}" default:"1,16,64,256"`
	InFlight []int         `help:"${in_flight}" default:"64,256"`
	Burst    int           `help:"${burst}" default:"4000"`
	Postgres string        `help:"${postgres}" placeholder:"URL"`
	SQLite   bool          `help:"${sqlite}" name:"sqlite" negatable:"" default:"true"`
	Sender   string        `help:"${sender}" enum:"mailgun,dkim,off" default:"mailgun"`
	Latency  time.Duration `help:"${latency}" default:"0s"`
	Rows     []int         `help:"${rows}" default:"0"`
	Drain    bool          `help:"${drain}"`
	Dir      string        `help:"${dir}" placeholder:"DIR"`
	JSON     bool          `help:"${json}" name:"json"`
}

func helps() kong.Vars {
	var works []string
	for _, w := range allWorks() {
		works = append(works, w.name+" ("+w.what+")")
	}
	return kong.Vars{
		"binary": "A server to measure, and its name in the table. Several take turns. Without it, " +
			"./cmd/smsbridge of the current folder is built.",
		"only":    "What is measured: " + strings.Join(works, ", ") + ". Everything by default.",
		"seconds": "How long each measurement lasts, after a warm-up of at most a second.",
		"repeat":  "How often everything is measured. The table has medians.",
		"callers": "How many callers send requests at once, one number for each row of the table.",
		"in_flight": "How many flows are under way at once, from the mail to the text about the " +
			"outcome, one number for each row.",
		"burst": "How many mails the work burst sends.",
		"postgres": "Measure on PostgreSQL too. The role must be allowed to create databases; those " +
			"that are made are dropped.",
		"sqlite": "Measure on SQLite.",
		"sender": "How the server verifies who sent a mail: mailgun and dkim fetch the raw mail from " +
			"Mailgun, dkim verifies its signature, off believes every mail.",
		"latency": "How long each provider takes to respond.",
		"rows": "Fill each database with so many finished flows of the past day first. Several " +
			"numbers take turns.",
		"drain": "After accepts, wait until every mail is texted. Fail if one is not, or twice.",
		"dir":   "Where SQLite's files are made. The disk matters: every accept waits for it.",
		"json":  "Print JSON, with every repetition.",
	}
}

func main() {
	ends := []os.Signal{os.Interrupt, syscall.SIGTERM}
	if !signal.Ignored(syscall.SIGHUP) { // as nohup has it
		ends = append(ends, syscall.SIGHUP)
	}
	ctx, cancel := signal.NotifyContext(context.Background(), ends...)
	defer cancel()
	os.Exit(run(ctx, os.Args[1:], os.Stdin, os.Stdout, os.Stderr))
}

// run parses the arguments, runs the bench and returns the exit status. The bench starts itself
// with a first argument of its own for what the bridge is compared with.
func run(ctx context.Context, args []string, stdin io.Reader, stdout, stderr io.Writer) int {
	if len(args) == 2 && args[0] == baselineArgument {
		if err := (baseline{args[1]}).serve(ctx, stdin, stdout); err != nil {
			fmt.Fprintf(stderr, "bench: error: %v\n", err)
			return exitFailure
		}
		return 0
	}
	exited := -1
	var o options
	parser, err := kong.New(&o, kong.Name("bench"),
		kong.Description("bench measures smsbridge on this machine, beside a bare Echo server, and "+
			"prints one table."),
		helps(), kong.Writers(stdout, stderr), kong.Exit(func(status int) { exited = status }))
	if err != nil {
		panic(err) // the struct above is wrong
	}
	_, err = parser.Parse(args)
	switch {
	case exited >= 0:
		return exited
	case err != nil:
		err = mistake{err.Error(), "bench --help lists the flags"}
	default:
		err = o.run(ctx, stdout, stderr)
	}
	var wrong mistake
	switch {
	case errors.As(err, &wrong):
		fmt.Fprintf(stderr, "bench: error: %s\nbench: hint: %s\n", wrong.what, wrong.hint)
		return exitMistake
	case err != nil:
		fmt.Fprintf(stderr, "bench: error: %v\n", err)
		return exitFailure
	}
	return 0
}

// run measures everything that was asked for, and prints it. When one measurement fails, it prints
// what was measured before.
func (o options) run(ctx context.Context, stdout, stderr io.Writer) error {
	if err := o.check(); err != nil {
		return err
	}
	b, err := openBench(ctx, o, stderr)
	if err != nil {
		return err
	}
	defer b.close()
	samples, failed := b.measureAll(ctx)
	if len(samples) == 0 {
		return failed
	}
	table := tableOf(samples, b.names(), o.Rows)
	if o.JSON {
		encoder := json.NewEncoder(stdout)
		encoder.SetIndent("", "  ")
		return errors.Join(failed, encoder.Encode(table))
	}
	_, err = io.WriteString(stdout, table.markdown(o))
	return errors.Join(failed, err)
}

// check finds the mistakes that would otherwise show after minutes.
func (o options) check() error {
	for _, name := range o.Only {
		switch w, known := workOf(name); {
		case !known:
			return mistake{"there is no work " + name, "bench --help lists them under --only"}
		case w.replicas > 1 && o.Postgres == "":
			return mistake{name + " needs PostgreSQL, which its replicas share", "give --postgres"}
		}
	}
	numbers := slices.Concat(o.Callers, o.InFlight, []int{o.Repeat, o.Burst})
	switch {
	case slices.Min(numbers) < 1 || slices.Max(numbers) > 100_000:
		return mistake{"a number of callers, flows, mails or repetitions is out of range",
			"each is 1 to 100,000"}
	case o.Seconds <= 0 || o.Seconds > 600:
		return mistake{"--seconds is out of range", "it is above 0, and 600 at most"}
	case len(o.Rows) == 0 || slices.Min(o.Rows) < 0 || slices.Max(o.Rows) > maxOldCases:
		return mistake{"--rows is out of range", fmt.Sprintf("each is 0 to %d", maxOldCases)}
	case o.Latency < 0 || o.Latency > 5*time.Second:
		return mistake{"--latency is out of range", "it is 5s at most: the server gives up after ten"}
	case !o.SQLite && o.Postgres == "":
		return mistake{"there is no database to measure on", "give --postgres, or leave out --no-sqlite"}
	}
	for _, given := range o.Binary {
		name, path := splitBinary(given)
		if info, err := os.Stat(path); err != nil || info.IsDir() {
			return mistake{"there is no program " + path + " for " + name,
				"build it: go build -o PATH ./cmd/smsbridge"}
		}
	}
	return nil
}

// splitBinary reads NAME=PATH. A path alone is named by its last part.
func splitBinary(given string) (name, path string) {
	if name, path, ok := strings.Cut(given, "="); ok {
		return name, path
	}
	return given[strings.LastIndexByte(given, '/')+1:], given
}

package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"time"
)

// bench is one run.
type bench struct {
	options
	dir      string // of this run, gone in the end
	keyFile  string
	secrets  secrets
	fakes    *fakes
	baseline *child
	beside   string // address of the baseline
	binaries []candidate
	fresh    map[string]template // by binary, kind and old cases
	stderr   io.Writer
	serial   int // of databases
	used     int // phones, mails and codes so far
}

// template is a database that a binary has made, and what is in it.
type template struct {
	database
	rows map[string]int64
}

// openBench builds or asks the binaries, and starts what they all share.
func openBench(ctx context.Context, o options, stderr io.Writer) (_ *bench, err error) {
	b := &bench{options: o, secrets: newSecrets(), fresh: map[string]template{}, stderr: stderr}
	defer func() {
		if err != nil {
			b.close()
		}
	}()
	if b.dir, err = os.MkdirTemp(o.Dir, "smsbridge-bench-"); err != nil {
		return nil, mistake{"no folder can be made: " + err.Error(), "give another --dir"}
	}
	if b.dir, err = filepath.Abs(b.dir); err != nil {
		return nil, err
	}
	if err := b.writeSecrets(); err != nil {
		return nil, err
	}
	if err := b.findBinaries(ctx); err != nil {
		return nil, err
	}
	if b.fakes, err = openFakes(b.secrets, o); err != nil {
		return nil, err
	}
	b.baseline, b.beside, err = startBaseline(ctx, b.secrets.signing)
	return b, err
}

// writeSecrets writes a file for each secret, to which the settings refer.
func (b *bench) writeSecrets() error {
	b.keyFile = b.secretFile("sealing")
	s := b.secrets
	for name, secret := range map[string]string{
		"sealing": s.sealing, "app": s.app, "mailgun": s.mailgun, "signing": s.signing,
		"token": s.token, "flowroute": s.flowroute, "durable": s.durable,
	} {
		if err := os.WriteFile(b.secretFile(name), []byte(secret), 0o600); err != nil {
			return err
		}
	}
	return nil
}

func (b *bench) secretFile(name string) string { return filepath.Join(b.dir, name+".secret") }

// findBinaries finds the servers that are measured. Without any, it builds the one of this folder.
func (b *bench) findBinaries(ctx context.Context) error {
	given := b.Binary
	if len(given) == 0 {
		path := filepath.Join(b.dir, "smsbridge")
		b.say("building ./cmd/smsbridge")
		build := exec.CommandContext(ctx, "go", "build", "-o", path, "./cmd/smsbridge")
		build.Env = append(os.Environ(), "CGO_ENABLED=0") // as it is shipped
		out, err := build.CombinedOutput()
		if err != nil {
			return mistake{fmt.Sprintf("./cmd/smsbridge was not built: %v: %s", err, out),
				"run this at the top of the repository, or give --binary PATH"}
		}
		given = []string{"smsbridge=" + path}
	}
	for _, each := range given {
		name, path := splitBinary(each)
		program, err := openBinary(ctx, name, path)
		if err != nil {
			return err
		}
		if slices.Contains(b.names(), name) {
			return mistake{"two binaries are called " + name, "write --binary NAME=PATH"}
		}
		b.binaries = append(b.binaries, program)
	}
	return nil
}

func (b *bench) names() (names []string) {
	for _, program := range b.binaries {
		names = append(names, program.name)
	}
	return names
}

// close ends what the run has started, and removes what it has made.
func (b *bench) close() {
	if b.baseline != nil {
		b.baseline.kill()
	}
	if b.fakes != nil {
		b.fakes.close()
	}
	ctx, cancel := context.WithTimeout(context.Background(), stopTime)
	defer cancel()
	for _, t := range b.fresh {
		if err := t.drop(ctx); err != nil {
			b.say("a template was not removed: %v", err)
		}
	}
	if b.dir != "" {
		if err := os.RemoveAll(b.dir); err != nil {
			b.say("a folder was not removed: %v", err)
		}
	}
}

func (b *bench) say(format string, args ...any) {
	fmt.Fprintf(b.stderr, "bench: "+format+"\n", args...)
}

// kinds are the databases that are measured on.
func (b *bench) kinds() (kinds []string) {
	if b.SQLite {
		kinds = append(kinds, kindSQLite)
	}
	if b.Postgres != "" {
		kinds = append(kinds, kindPostgres)
	}
	return kinds
}

// newDatabase is one that there is not yet.
func (b *bench) newDatabase(kind string) database {
	b.serial++
	name := fmt.Sprintf("bench_%d_%d", os.Getpid(), b.serial)
	return database{kind: kind, path: filepath.Join(b.dir, name+".db"), name: name, root: b.Postgres}
}

// templateOf returns a database as the binary makes it, with the old cases in it.
func (b *bench) templateOf(
	ctx context.Context, program candidate, kind string, old int,
) (template, error) {
	key := fmt.Sprint(program.name, kind, old)
	t, ok := b.fresh[key]
	if ok {
		return t, nil
	}
	t.database = b.newDatabase(kind)
	if err := t.create(ctx, nil); err != nil {
		return t, err
	}
	b.fresh[key] = t
	s, err := b.startServer(ctx, program, t.url())
	if err != nil {
		return t, fmt.Errorf("%s: %w", program.name, err)
	}
	defer s.kill()
	var cases []string
	if old > 0 {
		cases, err = b.twoFlows(ctx, s, t.database)
	}
	if err = errors.Join(err, s.stop()); err != nil {
		return t, fmt.Errorf("%s: %w", program.name, err)
	}
	if err := t.fill(ctx, cases, b.used-1, old/2, b.say); err != nil {
		return t, err
	}
	if t.rows, err = t.count(ctx); err != nil {
		return t, err
	}
	b.fresh[key] = t
	return t, nil
}

// twoFlows has a bridge finish two flows, with a code for each phone, and names the tables that
// grew with the second.
func (b *bench) twoFlows(ctx context.Context, s *server, d database) (tables []string, err error) {
	var before, after map[string]int64
	for range 2 {
		before = after
		if err := b.oneFlow(ctx, s); err != nil {
			return nil, err
		}
		if err := b.oneCode(ctx, s, b.used-1); err != nil {
			return nil, err
		}
		settle(ctx, s.pid())
		if after, err = d.count(ctx); err != nil {
			return nil, err
		}
	}
	return growing(before, after), nil
}

// measurement is one cell of the plan.
type measurement struct {
	work    work
	many    int    // callers, or flows in flight
	kind    string // of the database; "" for none
	program int    // index of the binary; -1 for none
	old     int    // cases in the database
}

// plan lists what one repetition measures. The binaries, and the numbers of old cases, take turns
// within each row.
func (b *bench) plan() (plan []measurement) {
	for _, w := range allWorks() {
		if len(b.Only) > 0 && !slices.Contains(b.Only, w.name) &&
			!(w.beside && slices.Contains(b.Only, workAccept)) {
			continue
		}
		for _, many := range w.many(b.options) {
			if w.server == nil {
				plan = append(plan, measurement{w, many, "", -1, 0})
				continue
			}
			for _, kind := range b.kinds() {
				if w.replicas > 1 && kind == kindSQLite {
					continue
				}
				for program := range b.binaries {
					for _, old := range b.Rows {
						plan = append(plan, measurement{w, many, kind, program, old})
					}
				}
			}
		}
	}
	return plan
}

// measureAll measures the plan, again and again. With an error it returns what it has so far.
func (b *bench) measureAll(ctx context.Context) (samples []sample, err error) {
	plan := b.plan()
	for repetition := range b.Repeat {
		if repetition%2 == 1 && len(b.binaries)*len(b.Rows) > 1 { // none is always the first
			slices.Reverse(plan)
		}
		for _, m := range plan {
			if err := ctx.Err(); err != nil {
				return samples, err
			}
			some, err := b.measure(ctx, m)
			if err != nil {
				return samples, fmt.Errorf("%s: %w", b.title(m), err)
			}
			for _, s := range some {
				s.Repetition = repetition
				samples = append(samples, s)
				b.say("%d/%d %s", repetition+1, b.Repeat, s)
			}
		}
	}
	return samples, nil
}

func (b *bench) title(m measurement) string {
	s := b.sampleOf(m)
	return s.key.String()
}

// sampleOf is an empty sample of a measurement.
func (b *bench) sampleOf(m measurement) sample {
	s := sample{key: key{Work: m.work.name, Many: m.many, Database: m.kind, Old: m.old}}
	if m.program >= 0 {
		s.Binary = b.binaries[m.program].name
	}
	return s
}

// measure makes one measurement.
func (b *bench) measure(ctx context.Context, m measurement) (samples []sample, err error) {
	limit := 20*time.Minute + 10*b.span()
	ctx, cancel := context.WithTimeoutCause(ctx, limit, errors.New("the measurement takes too long"))
	defer cancel()
	b.fakes.forget()
	if m.work.server == nil {
		return m.work.alone(ctx, b, m)
	}
	program := b.binaries[m.program]
	t, err := b.templateOf(ctx, program, m.kind, m.old)
	if err != nil {
		return nil, err
	}
	d := b.newDatabase(m.kind)
	if err := d.create(ctx, &t.database); err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, d.drop(context.WithoutCancel(ctx))) }()
	b.fakes.forget()
	replicas, err := b.startReplicas(ctx, program, d.url(), max(1, m.work.replicas))
	defer func() {
		for _, replica := range replicas {
			replica.kill()
		}
	}()
	if err != nil {
		return nil, err
	}
	s := replicas[0]
	meter, err := d.meter()
	if err != nil {
		return nil, err
	}
	defer meter.close()
	stage := &stage{bench: b, measurement: m, server: s, replicas: replicas, meter: meter, template: t}
	if samples, err = m.work.server(stage, ctx); err != nil {
		err = fmt.Errorf("%w; the server said last: %s", err, s.said)
	}
	return samples, err
}

// startReplicas starts bridges that share a database, one after the other. It returns those that
// it started with an error, too.
func (b *bench) startReplicas(
	ctx context.Context, program candidate, url string, many int,
) (replicas []*server, err error) {
	for range many {
		s, err := b.startServer(ctx, program, url)
		if err != nil {
			return replicas, err
		}
		replicas = append(replicas, s)
	}
	return replicas, nil
}

// span is how long a window is, and warm how long the load goes on before it.
func (b *bench) span() time.Duration { return time.Duration(b.Seconds * float64(time.Second)) }
func (b *bench) warm() time.Duration { return min(b.span()/2, time.Second) }

// next is a phone, mail or code that was not used before.
func (b *bench) next(n int) (first int) {
	first = b.used
	b.used += n
	return first
}

package main

import (
	"context"
	"fmt"
	"time"
)

// work is one thing that is measured. It has either alone or server.
type work struct {
	name, what string
	// many says how many callers there are, or how many flows are in flight: one number for each row
	// of the table.
	many   func(o options) []int
	beside bool // it is measured with accept, which is compared with it
	// replicas is how many bridges share the database, if more than one: on PostgreSQL alone.
	replicas int
	// alone measures without a bridge.
	alone func(ctx context.Context, b *bench, m measurement) ([]sample, error)
	// server measures a bridge that is ready.
	server func(s *stage, ctx context.Context) ([]sample, error)
}

// Names of works that other code knows.
const (
	workEcho   = "echo"
	workForget = "forget"
	workAccept = "accept"
)

func allWorks() []work {
	callers := func(o options) []int { return o.Callers }
	flows := func(o options) []int { return o.InFlight }
	once := func(options) []int { return []int{1} }
	return []work{
		{name: workEcho, what: "a bare response of Echo's", many: callers, beside: true,
			alone: besideBridge},
		{name: workForget, what: "a handler that checks a mail and forgets it", many: callers,
			beside: true, alone: besideBridge},
		{name: workAccept, what: "10 kB mails made durable, while their texts are sent",
			many: callers, server: (*stage).accept},
		{name: "accept-held", what: "the same while every worker waits for a provider",
			many: callers, server: (*stage).acceptHeld},
		{name: "flow", what: "mail, text, YES, click, text about the outcome", many: flows,
			server: (*stage).flows},
		{name: "flow-two", what: "the same on two replicas, which share PostgreSQL", many: flows,
			server: (*stage).flows, replicas: 2},
		{name: "burst", what: "many mails at once, until the last one is texted",
			many: func(options) []int { return []int{64} }, server: (*stage).burst},
		{name: "latency", what: "one flow at a time, in steps", many: once, server: (*stage).steps},
		{name: "code", what: "codes created and checked at three doors", many: flows,
			server: (*stage).codes},
		{name: "examine", what: "the link found in mails of 10 and 100 kB, in this process",
			many: func(options) []int { return []int{10, 100} }, alone: examine},
		{name: "start", what: "start until ready, and idle memory", many: once,
			server: (*stage).started},
	}
}

func workOf(name string) (work, bool) {
	for _, w := range allWorks() {
		if w.name == name {
			return w, true
		}
	}
	return work{}, false
}

// stage is where a bridge is measured.
type stage struct {
	*bench
	measurement
	server   *server
	replicas []*server // all bridges, server is the first
	meter    *meter
	template template
}

// load runs a load and measures what it costs. The step gets a connection, and the number of a
// phone that was not used before.
func (s *stage) load(
	ctx context.Context, name string, l load,
	step func(ctx context.Context, c *caller, n int) error,
) (sample, tally, error) {
	result := s.sampleOf(s.measurement)
	result.Work = name
	var before, after moment
	connections := make([]*caller, l.callers)
	for i := range connections {
		connections[i] = newCaller(s.replicas[i%len(s.replicas)].addr)
		defer connections[i].close()
	}
	first := s.used
	l.step = func(ctx context.Context, caller, n int) error {
		return step(ctx, connections[caller], first+n)
	}
	l.begin = func() { before = s.now(ctx) }
	l.end = func() { after = s.now(ctx) }
	t, err := l.run(ctx)
	s.used += t.all
	if err != nil {
		return result, t, err
	}
	commits, backends := after.reading.minus(before.reading)
	used := after.usage.minus(before.usage)
	result.tally(t)
	result.perOp(t.ops, map[value]float64{
		valueCPU: milliseconds(used.cpu), valueCommits: float64(commits),
		valueBackends: milliseconds(backends.cpu),
		valueWritten:  float64(used.written+backends.written) / 1e3,
	})
	result.set(valueDelivered, float64(after.texts-before.texts)/t.window.Seconds())
	result.set(valueMemory, float64(peakMemory(s.server.pid()))/1e6)
	return result, t, nil
}

// moment is what all meters say at one time.
type moment struct {
	usage   usage
	reading reading
	texts   int
}

func (s *stage) now(ctx context.Context) moment {
	texts, _, _ := s.fakes.counted()
	var used usage
	for _, replica := range s.replicas {
		u := usageOf(replica.pid())
		used.cpu += u.cpu
		used.written += u.written
	}
	return moment{used, s.meter.read(ctx), texts}
}

// windowed is a load for as long as was asked for.
func (s *stage) windowed() load {
	return load{callers: s.many, warm: s.warm(), window: s.span()}
}

// leave stops the bridges in order, and counts the rows that so many operations have left.
func (s *stage) leave(ctx context.Context, into *sample, ops int) error {
	for _, replica := range s.replicas {
		settle(ctx, replica.pid())
		if err := replica.stop(); err != nil {
			return err
		}
	}
	rows, err := s.meter.count(ctx)
	if err != nil || ops == 0 {
		return err
	}
	into.Rows = map[string]float64{}
	for table, n := range rows {
		if more := n - s.template.rows[table]; more != 0 {
			into.Rows[table] = float64(more) / float64(ops)
		}
	}
	return nil
}

// besideBridge measures what the bridge is compared with.
func besideBridge(ctx context.Context, b *bench, m measurement) ([]sample, error) {
	result := b.sampleOf(m)
	connections := make([]*caller, m.many)
	for i := range connections {
		connections[i] = newCaller(b.beside)
		defer connections[i].close()
	}
	var before, after usage
	first := b.used
	l := load{callers: m.many, warm: b.warm(), window: b.span(),
		begin: func() { before = usageOf(b.baseline.pid()) },
		end:   func() { after = usageOf(b.baseline.pid()) },
		step: func(ctx context.Context, caller, n int) error {
			r := get("/echo")
			if m.work.name == workForget {
				r = postForm("/forget", b.fakes.mailbox.form(first+n, time.Now()))
			}
			_, err := connections[caller].must(ctx, r, 200)
			return err
		}}
	t, err := l.run(ctx)
	if err != nil {
		return nil, err
	}
	result.tally(t)
	result.perOp(t.ops, map[value]float64{valueCPU: milliseconds(after.minus(before).cpu)})
	return []sample{result}, nil
}

// started measures a start on a database that there is, and the memory of a bridge that has nothing
// to do.
func (s *stage) started(ctx context.Context) ([]sample, error) {
	settle(ctx, s.server.pid())
	pause(ctx, time.Second)
	result := s.sampleOf(s.measurement)
	result.set(valueP50, milliseconds(s.server.took))
	result.set(valueMemory, float64(memory(s.server.pid()))/1e6)
	if err := s.server.stop(); err != nil {
		return nil, err
	}
	return []sample{result}, nil
}

func milliseconds(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }

// lost says that texts are missing, or came twice.
func (s *stage) lost(mails int) error {
	_, phones, _ := s.fakes.counted()
	switch doubled := s.fakes.repeated(); {
	case phones < mails:
		return fmt.Errorf("%d of %d accepted mails were not texted", mails-phones, mails)
	case doubled > 0:
		return fmt.Errorf("%d texts were sent twice", doubled)
	}
	return nil
}

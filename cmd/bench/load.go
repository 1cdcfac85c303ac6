package main

import (
	"context"

	"slices"
	"sync"
	"time"
)

// tally is what one measurement counted.
type tally struct {
	ops       int           // that ended within the window
	all       int           // with those of the warm-up and after the window
	window    time.Duration // how long it was
	durations []time.Duration
}

func (t tally) rate() float64 {
	if t.window <= 0 {
		return 0
	}
	return float64(t.ops) / t.window.Seconds()
}

// percentile is a duration that p of all are not above, 0 without any.
func (t tally) percentile(p float64) time.Duration {
	if len(t.durations) == 0 {
		return 0
	}
	sorted := slices.Sorted(slices.Values(t.durations))
	return sorted[min(len(sorted)-1, int(p*float64(len(sorted))))]
}

// load has callers do one operation after the other: for a warm-up, and then for a window. A window
// is longer than asked for when fewer operations than there are callers have ended in it.
type load struct {
	callers int
	limit   int  // so many operations end the load earlier; 0 means no limit
	whole   bool // the window ends with the last operation: nothing is paid for outside of it
	warm    time.Duration
	window  time.Duration
	// step does the n-th operation of all, as one of the callers.
	step func(ctx context.Context, caller, n int) error
	// begin and end are called at the ends of the window, while the load goes on.
	begin, end func()
}

// loading is a load that goes on.
type loading struct {
	load
	ctx  context.Context
	fail context.CancelCauseFunc

	mu     sync.Mutex
	tally  tally
	counts bool          // the window is open
	over   bool          // no operation is begun any more
	enough chan struct{} // closed when the window has seen enough
}

// run returns when the last operation that was begun has ended, or one has failed.
func (l load) run(ctx context.Context) (tally, error) {
	ctx, fail := context.WithCancelCause(ctx)
	defer fail(nil)
	g := &loading{load: l, ctx: ctx, fail: fail, enough: make(chan struct{})}
	g.set(l.warm == 0, false)
	l.begin()
	began, all := time.Now(), g.start()
	if l.warm > 0 {
		pause(ctx, l.warm)
		l.begin()
		g.set(true, false)
		began = time.Now()
	}
	pauseUntil(ctx, l.window, all)
	select {
	case <-all:
	case <-ctx.Done():
	case <-g.enough:
	}
	g.set(l.whole, true)
	if l.whole {
		<-all
	}
	took := time.Since(began)
	l.end()
	<-all
	g.tally.window = took
	return g.tally, context.Cause(ctx)
}

// start starts the callers. The channel is closed when each has ended.
func (g *loading) start() (all chan struct{}) {
	var callers sync.WaitGroup
	for i := range g.callers {
		callers.Go(func() { g.work(i) })
	}
	all = make(chan struct{})
	go func() {
		callers.Wait()
		close(all)
	}()
	return all
}

func (g *loading) set(counts, over bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.counts, g.over = counts, over
}

// next is the number of the next operation, if there is to be one more.
func (g *loading) next() (n int, more bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	n, more = g.tally.all, !g.over && g.ctx.Err() == nil && (g.limit == 0 || g.tally.all < g.limit)
	if more {
		g.tally.all++
	}
	return n, more
}

// work does operations as one caller. A failed one ends the load.
func (g *loading) work(caller int) {
	for n, more := g.next(); more; n, more = g.next() {
		began := time.Now()
		if err := g.step(g.ctx, caller, n); err != nil {
			g.fail(err)
			return
		}
		took := time.Since(began)
		g.mu.Lock()
		if g.counts {
			g.tally.ops++
			g.tally.durations = append(g.tally.durations, took)
			if g.tally.ops == g.callers {
				close(g.enough)
			}
		}
		g.mu.Unlock()
	}
}

// add counts one more operation. An effect that came before its cause was known took no time.
func (t *tally) add(took time.Duration) {
	t.ops, t.all = t.ops+1, t.all+1
	t.durations = append(t.durations, max(0, took))
}

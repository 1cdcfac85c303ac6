package store

import (
	"context"
	"sync"
)

// aside is what a process does beside the queue, for as long as it works that.
type aside struct {
	mu     sync.Mutex
	ctx    context.Context // nil while the queue is not worked
	cancel context.CancelFunc
	busy   int
	idle   chan struct{} // closed when the last one ends, nil while no caller waits for it
}

// Aside has f done in a goroutine of its own, if the queue is worked, and reports whether it is. It
// is for what is slow and must take no worker from the queue. Nothing on disk says that f is under
// way. Stop ends its context and waits until f returns.
func (s *Store) Aside(f func(ctx context.Context)) bool {
	a := &s.aside
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.ctx == nil {
		return false
	}
	a.busy++
	go func(ctx context.Context) {
		defer a.end()
		f(ctx)
	}(a.ctx)
	return true
}

func (a *aside) end() {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.busy--
	if a.busy == 0 && a.idle != nil {
		close(a.idle)
		a.idle = nil
	}
}

// admit lets work begin.
func (a *aside) admit() {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.ctx, a.cancel = context.WithCancel(context.Background())
}

// close lets none begin any more, and asks what is under way to end.
func (a *aside) close() {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.ctx != nil {
		a.cancel()
		a.ctx = nil
	}
}

// wait waits until nothing is under way, or ctx ends.
func (a *aside) wait(ctx context.Context) error {
	a.mu.Lock()
	if a.busy == 0 {
		a.mu.Unlock()
		return nil
	}
	if a.idle == nil {
		a.idle = make(chan struct{})
	}
	idle := a.idle
	a.mu.Unlock()
	select {
	case <-idle:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

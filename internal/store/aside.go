package store

import (
	"context"
	"sync"
)

// aside is what a process does beside the queue, for as long as it works that.
type aside struct {
	underWay
	ctx    context.Context // nil while the queue is not worked
	cancel context.CancelFunc
}

// underWay counts what is under way. What embeds it has fields under the same mutex.
type underWay struct {
	mu   sync.Mutex
	busy int
	idle chan struct{} // closed when the last one ends, nil while no caller waits for it
}

// end says that so many have ended.
func (u *underWay) end(n int) {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.busy -= n
	if u.busy == 0 && u.idle != nil {
		close(u.idle)
		u.idle = nil
	}
}

// wait waits until nothing is under way, or ctx ends.
func (u *underWay) wait(ctx context.Context) error {
	u.mu.Lock()
	if u.busy == 0 {
		u.mu.Unlock()
		return nil
	}
	if u.idle == nil {
		u.idle = make(chan struct{})
	}
	idle := u.idle
	u.mu.Unlock()
	select {
	case <-idle:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
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
		defer a.end(1)
		f(ctx)
	}(a.ctx)
	return true
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

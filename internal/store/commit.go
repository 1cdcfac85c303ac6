package store

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync/atomic"
	"time"
)

const (
	groupSize   = 256  // calls that may share one transaction
	queuedCalls = 1024 // calls that may wait for one; more block until their context ends
	// how long a transaction may take. A database that hangs takes it from all callers of a lane.
	commitTimeout = 15 * time.Second
	// how often a call that has a transaction of its own is tried, if the database says that a retry
	// helps
	commitTries = 3
)

// ErrClosed says that the store was closed before the call was begun.
var ErrClosed = errors.New("store: closed")

// errUncertain says that the response to a commit got lost. What the transaction did may be on
// disk, so that it must not be done again.
var errUncertain = errors.New("store: it is not known whether the transaction is committed")

// call is one waiting Do. Its state decides a race between the lane that takes it and the caller
// that gives up.
type call struct {
	ctx   context.Context
	f     func(ctx context.Context, tx *Tx) error
	state atomic.Int32 // callWaiting → callTaken or callAbandoned
	done  chan error
	// what is to be done since its error undid it; see Tx.IfUndone
	undone []func(ctx context.Context, tx *Tx) error
}

const (
	callWaiting int32 = iota
	callTaken
	callAbandoned
)

// Do runs f in a transaction and returns nil once its writes and jobs are on disk. The
// transaction is shared with the other callers that wait, so f may be run more than once. It must
// have no effect outside of tx, and must set what it captures, not add to it. A duplicate is a
// value, not a constraint error (ON CONFLICT DO NOTHING). An error from f undoes f alone and is
// returned as it is. If ctx ends before f is begun, or begun again after a transaction that failed,
// nothing is done and ctx's error is returned.
// When the database is lost in the midst of a commit, Do returns an error although f may be done.
func (s *Store) Do(ctx context.Context, f func(ctx context.Context, tx *Tx) error) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	c := &call{ctx: ctx, f: f, done: make(chan error, 1)}
	select {
	case <-s.closing:
		return ErrClosed
	case <-ctx.Done():
		return ctx.Err()
	case s.calls <- c:
	}
	select {
	case err := <-c.done:
		return err
	case <-ctx.Done():
	case <-s.closing:
		if c.state.CompareAndSwap(callWaiting, callAbandoned) {
			return ErrClosed
		}
	}
	if c.state.CompareAndSwap(callWaiting, callAbandoned) {
		return ctx.Err()
	}
	return <-c.done
}

// lane takes waiting calls, as many as there are up to groupSize, and commits them together.
func (s *Store) lane() {
	group := make([]*call, 0, groupSize)
	for {
		group = group[:0]
		select {
		case <-s.closing:
			return
		case c := <-s.calls:
			group = take(group, c)
		}
		for more := true; more && len(group) < groupSize; {
			select {
			case c := <-s.calls:
				group = take(group, c)
			default:
				more = false
			}
		}
		s.commit(group)
	}
}

// take adds a call to the group unless its caller has given up, or will because its context has
// ended.
func take(group []*call, c *call) []*call {
	if c.ctx.Err() == nil && c.state.CompareAndSwap(callWaiting, callTaken) {
		return append(group, c)
	}
	return group
}

// commit commits calls together. A call that fails undoes all that share its transaction. Then
// those before it are committed without it, and those after it go on together. So a refusal costs
// the others one transaction, and not one for each of them.
func (s *Store) commit(group []*call) {
	for len(group) > 1 {
		failed, err := s.transact(group, s.open(), false)
		if failed == nil {
			s.settle(group, err)
			return
		}
		n := slices.Index(group, failed)
		if n == 0 { // so that it failed by itself
			s.refuse(failed, err)
			group = waiting(group[1:])
			continue
		}
		before := waiting(group[:n])
		if len(before) > 1 {
			_, err = s.transact(before, s.open(), false)
		}
		s.settle(before, err)
		group = waiting(group[n:])
	}
	for _, c := range group {
		c.done <- s.alone(c)
	}
}

// waiting tells calls whose context has ended meanwhile, and returns the others.
func waiting(group []*call) (left []*call) {
	for _, c := range group {
		if err := c.ctx.Err(); err != nil {
			c.done <- err
			continue
		}
		left = append(left, c)
	}
	return left
}

// settle tells calls how the transaction that they shared has ended. If it failed, each gets one of
// its own first.
func (s *Store) settle(group []*call, err error) {
	for _, c := range group {
		if err != nil && !errors.Is(err, errUncertain) {
			c.done <- s.alone(c)
			continue
		}
		c.done <- err
	}
}

// refuse tells a call that it failed, unless it may succeed in another transaction.
func (s *Store) refuse(c *call, err error) {
	if s.passes(err) {
		err = s.alone(c)
	} else {
		s.leave(c)
	}
	c.done <- err
}

// passes reports whether an error may be gone in another transaction.
func (s *Store) passes(err error) bool {
	return errors.Is(err, ErrConflict) || errors.Is(err, errBegin) || s.engine.retryable(err)
}

// alone gives one call a transaction of its own, because its shared one failed, possibly through
// another call's fault, or because no other call waited. A call whose job cannot be begun succeeds
// without: the queue gets the job, whose worker finds out why. What failed is not done late: a
// caller that has given up may have tried again.
func (s *Store) alone(c *call) (err error) {
	turns, surely := s.open(), false
	for range commitTries {
		if ended := c.ctx.Err(); ended != nil {
			return ended
		}
		_, err = s.transact([]*call{c}, turns, surely)
		if err == nil || !s.passes(err) {
			s.leave(c)
			return err
		}
		surely = surely || errors.Is(err, ErrConflict)
		if errors.Is(err, errBegin) {
			turns = nil
		}
	}
	return err
}

// IfUndone has f run in a transaction of its own after the call's error has undone what it did. It
// is for what a refusal must leave, such as that a limit was reached. An error of f undoes f, and
// is told to no caller: whatever is refused next leaves the same.
func (tx *Tx) IfUndone(f func(ctx context.Context, tx *Tx) error) {
	tx.undone = append(tx.undone, f)
}

// leave does what an undone call leaves.
func (s *Store) leave(c *call) {
	for _, f := range c.undone {
		_ = s.alone(&call{ctx: c.ctx, f: f})
	}
}

// enqueue gives jobs to the queue.
func (s *Store) enqueue(ctx context.Context, to session, jobs []queued) error {
	rows, err := bundle(jobs)
	if err == nil && len(rows) > 0 {
		err = to.enqueue(ctx, rows)
	}
	if err != nil {
		return fmt.Errorf("store: enqueueing: %w", err)
	}
	return nil
}

// transact makes one transaction of a group. It does not use the callers' contexts: a caller that
// gives up must not undo the others' work. Jobs that become due are begun in it as long as there
// are turns; what is left of them is done once it is committed. If it fails by a call's own error,
// that call is returned.
func (s *Store) transact(group []*call, turns *turns, surely bool) (failed *call, err error) {
	ctx, cancel := context.WithTimeout(context.Background(), commitTimeout)
	defer cancel()
	var session session
	err = Survive("the start of a transaction", func() (err error) {
		session, err = s.engine.begin(ctx)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("store: beginning: %w", err)
	}
	var done outcome
	defer func() {
		s.unable.note(err)
		if err != nil {
			if lost := session.rollback(ctx); lost != nil {
				failed = nil // it is the database that failed
			}
			s.abandon(done)
		}
	}()
	last := &Tx{
		reader: reader{session.queries(), session.now(), s.sealer, s.digests, &s.packer},
		events: &pending{recorder: s.recorder, hearing: s.heard != nil},
		shared: &shared{surely: surely}, begins: s.begins, session: session,
	}
	for _, c := range group {
		tx := &Tx{reader: last.reader, events: last.events, shared: last.shared, turns: turns,
			begins: s.begins, session: session}
		// One caller's mistake does not end the lane that serves them all.
		c.undone = nil
		err := Survive("a transaction", func() error { return c.f(ctx, tx) })
		if err == nil {
			err = s.begin(ctx, tx, &done)
		} else {
			c.undone = tx.undone
		}
		done.add(tx)
		if err != nil {
			return c, err
		}
	}
	if err := s.enqueue(ctx, session, done.jobs); err != nil {
		return nil, err
	}
	err = Survive("the end of a transaction", func() error { return last.shared.end(ctx, last) })
	if err != nil {
		return nil, err
	}
	if err := s.enqueue(ctx, session, last.jobs); err != nil {
		return nil, err
	}
	if err := session.record(ctx, last.events); err != nil {
		return nil, err
	}
	if err := session.commit(ctx); err != nil {
		return nil, fmt.Errorf("store: committing: %w", err)
	}
	for _, w := range done.works {
		go s.run(w)
	}
	s.groups.add(len(group))
	s.tell(last.events.facts)
	s.waiters.tell(last.events.announced)
	for _, after := range last.events.after {
		after()
	}
	return nil, nil
}

package store

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"smsbridge/internal/store/moment"
)

const (
	// begunAtOnce is how many jobs one process has begun at a time in the transactions that made them
	// due. Others that become due meanwhile wait in the queue.
	begunAtOnce = 100
	// begunWithin is how long such a job may take, its transaction included. It is less than
	// RescueAfter, after which a sweep takes the job for lost.
	begunWithin = RescueAfter - 5*time.Second
)

// A Beginner begins a job in the transaction that made the job due. It writes down there that a
// worker has it, and returns what is left to do once that is on disk. It returns nil when nothing
// is. It must have no effect outside of tx.
type Beginner func(ctx context.Context, tx *Tx, job Job) (do func(ctx context.Context), err error)

// BeginWith has jobs of some kinds begun in the transactions that make them due, while the queue is
// worked. Then nothing in the queue speaks of them: it is read, written and waited for only when a
// job must wait. So the rule that makes such a job due records when it was begun (see
// [Tx.Enqueue]). A sweep makes those due again whose worker died. Call it before Start.
func (s *Store) BeginWith(begin Beginner, kinds ...string) {
	s.beginner, s.begins = begin, kinds
}

// open returns the turns of jobs that may be begun, or nil when the queue must have them all.
func (s *Store) open() *turns {
	if s.beginner == nil {
		return nil
	}
	return &s.turns
}

// errBegin says that a transaction failed because a job could not be begun in it.
var errBegin = errors.New("store: beginning a job")

// turns bounds the jobs that are begun in the transactions that make them due, and knows when none
// is at work.
type turns struct {
	underWay      // the turns that are taken
	open     bool // whether more may be begun
}

// take takes a turn. It reports false when there is none.
func (t *turns) take() bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	if !t.open || t.busy == begunAtOnce {
		return false
	}
	t.busy++
	return true
}

// admit lets jobs be begun.
func (t *turns) admit() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.open = true
}

// close lets no more be begun.
func (t *turns) close() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.open = false
}

// Enqueue makes job due now, if and when the transaction commits. It returns since when the job
// is begun, if this very transaction begins it. The queue does not have such a job: the row that
// the job is about must keep that time, so that it is found when the process dies. The time is
// zero when the queue has the job.
func (tx *Tx) Enqueue(job Job) (begun moment.Moment) {
	if tx.turns != nil && slices.Contains(tx.begins, job.Kind()) && tx.turns.take() {
		tx.taken++
		tx.begun = append(tx.begun, job)
		return tx.Moment()
	}
	tx.queue(job)
	return moment.Moment{}
}

// Dequeue takes back a job that this transaction made due now.
func (tx *Tx) Dequeue(job Job) {
	if i := slices.Index(tx.begun, job); i >= 0 {
		tx.begun = slices.Delete(tx.begun, i, i+1)
		tx.release()
		return
	}
	i := slices.IndexFunc(tx.jobs, func(q queued) bool { return q.InsertOpts == nil && q.Args == job })
	if i >= 0 {
		tx.jobs = slices.Delete(tx.jobs, i, i+1)
	}
}

// Withdraw takes back the jobs of one type that this transaction made due now, for a worker that
// does them at once. They are in no row of the queue then.
func Withdraw[J Job](tx *Tx) (jobs []J) {
	tx.begun = slices.DeleteFunc(tx.begun, func(job Job) bool {
		j, ok := job.(J)
		if ok {
			jobs = append(jobs, j)
			tx.release()
		}
		return ok
	})
	tx.jobs = slices.DeleteFunc(tx.jobs, func(q queued) bool {
		job, ok := q.Args.(J)
		if ok = ok && q.InsertOpts == nil; ok {
			jobs = append(jobs, job)
		}
		return ok
	})
	return jobs
}

// release gives one turn back that the transaction took.
func (tx *Tx) release() {
	tx.taken--
	tx.turns.end(1)
}

// work is a job that was begun, and what is left of it to do.
type work struct {
	do     func(ctx context.Context)
	ctx    context.Context // ends when another worker may take the job for lost
	cancel context.CancelFunc
}

// outcome is what the calls of a group made due.
type outcome struct {
	jobs  []queued
	works []work
	taken int // how many turns the transactions have
}

// add adds what a transaction made due.
func (o *outcome) add(tx *Tx) {
	o.jobs = append(o.jobs, tx.jobs...)
	o.taken += tx.taken
}

// begin begins the jobs that a transaction made due.
func (s *Store) begin(ctx context.Context, tx *Tx, done *outcome) error {
	for len(tx.begun) > 0 {
		job := tx.begun[0]
		tx.begun = tx.begun[1:]
		w, err := s.beginOne(ctx, tx, job)
		if err != nil {
			return fmt.Errorf("%w of kind %s: %w", errBegin, job.Kind(), err)
		}
		if w.do == nil {
			w.cancel()
			tx.release()
			continue
		}
		done.works = append(done.works, w)
	}
	return nil
}

// beginOne begins a job. What is left of it may take until another worker may take it for lost: the
// row has the time at which the transaction began, commitTimeout before ctx ends.
func (s *Store) beginOne(ctx context.Context, tx *Tx, job Job) (w work, err error) {
	end, _ := ctx.Deadline()
	w.ctx, w.cancel = context.WithDeadline(context.WithoutCancel(ctx),
		end.Add(begunWithin-commitTimeout))
	err = Survive("beginning a job", func() (err error) {
		w.do, err = s.beginner(ctx, tx, job)
		return err
	})
	if err != nil {
		w.cancel()
	}
	return w, err
}

// abandon gives up what transactions began that were not committed.
func (s *Store) abandon(o outcome) {
	for _, w := range o.works {
		w.cancel()
	}
	s.turns.end(o.taken)
}

// run does what is left of a begun job, and gives its turn back.
func (s *Store) run(w work) {
	defer s.turns.end(1)
	defer w.cancel()
	w.do(w.ctx)
}

package outbound

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/riverqueue/river"
	"github.com/riverqueue/river/rivertype"

	"smsbridge/internal/mail"
	"smsbridge/internal/store"
	"smsbridge/internal/text"
)

const (
	// mostFailures is how often a job may fail. Between its tries the queue waits longer each time:
	// the fourth power of their number, in seconds, so that the last try begins after 16 minutes. A
	// worker that died, or that overran the rescue, counts as a failure. While the database is down
	// no worker takes a job, so an outage costs at most one try.
	mostFailures = 6
	// shortestWait is the least time between two tries of a job that waits for something.
	shortestWait = 2 * time.Second
)

// job is one kind of work, and what became of it in this process.
type job struct {
	kind   string
	limits limits
	work   func(ctx context.Context, id string) error
	join   func(workers *river.Workers) // makes the queue give this kind of work to the runner
	// read reads the arguments of such a job, and the id in them of the row that it is about.
	read func(args []byte) (store.Job, string, error)
	// id is the row that such a job is about.
	id func(job store.Job) string
	// begin begins the job in a transaction. It returns what is left to do afterwards, or nil when
	// nothing is. A job that claims nothing has all of it left.
	begin func(ctx context.Context, tx *store.Tx, id string) (func(ctx context.Context) error, error)
	// queue gives a job to the queue that began in the transaction which made it due. It is nil for
	// the kinds that are always in the queue.
	queue func(ctx context.Context, tx *store.Tx, id string, at time.Time) error
	// lost records, in the row that the job is about, that the job was given up, and why. It is nil
	// when there is nothing to record.
	lost func(ctx context.Context, tx *store.Tx, id, reason string) error

	running      sync.Map // the ids in the queue of the jobs at work
	failed, dead atomic.Int64

	// every is how often jobs of this kind come back by themselves, 0 when they do not.
	every   time.Duration
	trouble trouble // of a kind that comes back
}

// whenLost sets what is recorded when a job is given up.
func (j *job) whenLost(
	record func(ctx context.Context, tx *store.Tx, id, reason string) error,
) *job {
	j.lost = record
	return j
}

// limits say how long a job may take and how patiently it waits.
type limits struct {
	// within is the most that one try takes, provider calls included. It is below store.RescueAfter:
	// no provider is still being asked for a job that another worker has taken up.
	within time.Duration
	// patience is how long the job waits for what it needs, such as a provider that is down. Zero
	// means that the job's row knows the deadline, or that the job waits for nothing.
	patience time.Duration
	// slowest is the longest wait between two tries.
	slowest time.Duration
}

// begun is a job whose row was read, or claimed, in one transaction.
type begun[R any] struct {
	id  string
	row R
	now time.Time // of that transaction
	limits
}

// patient reports whether the job may wait longer for what it has needed since a time.
func (b begun[R]) patient(since time.Time) bool { return b.now.Sub(since) <= b.patience }

// again has the job done once more, after the wait that follows from a time.
func (b begun[R]) again(since time.Time) error { return river.JobSnooze(b.wait(since)) }

// wait is how long a job waits until it is tried again: as long as the time that has passed since a
// time, so that the waits double. It is at least two seconds, and at most the job's slowest.
func (b begun[R]) wait(since time.Time) time.Duration {
	return min(max(b.now.Sub(since), shortestWait), b.slowest)
}

// reference is what the arguments of a job are: the id of the row that it is about.
type reference interface {
	~struct {
		ID string `json:"id"`
	}
	river.JobArgs
}

// on makes a row of the table. Begin claims the job's row; false says that there is nothing to do
// any more. Do does the rest, outside of that transaction. It returns nil when the job is done,
// again to have it tried once more, or the error at which it failed.
func on[A reference, R any](
	w *Worker, l limits,
	begin func(ctx context.Context, tx *store.Tx, id string) (R, bool, error),
	do func(ctx context.Context, b begun[R]) error,
) *job {
	var none A
	start := func(
		ctx context.Context, tx *store.Tx, id string,
	) (func(ctx context.Context) error, error) {
		row, due, err := begin(ctx, tx, id)
		if err != nil || !due {
			return nil, err
		}
		b := begun[R]{id, row, tx.Now(), l}
		return func(ctx context.Context) error { return traced(ctx, w, none.Kind(), b, do) }, nil
	}
	j := queued(w, l, idOf[A], func(ctx context.Context, id string) error {
		var rest func(ctx context.Context) error
		err := w.Store.Do(ctx, func(ctx context.Context, tx *store.Tx) (err error) {
			rest, err = start(ctx, tx, id)
			return err
		})
		if err != nil || rest == nil {
			return err
		}
		return rest(ctx)
	})
	j.begin = start
	return j
}

// looking makes a row of the table as on does, for a job that only reads its row and claims
// nothing.
func looking[A reference, R any](
	w *Worker, l limits,
	find func(ctx context.Context, view store.View, id string) (R, bool, error),
	do func(ctx context.Context, b begun[R]) error,
) *job {
	return queued(w, l, idOf[A], func(ctx context.Context, id string) error {
		var (
			b   = begun[R]{id: id, limits: l}
			due bool
		)
		err := w.Store.Read(ctx, func(ctx context.Context, view store.View) (err error) {
			b.now = view.Now()
			b.row, due, err = find(ctx, view, id)
			return err
		})
		if err != nil || !due {
			return err
		}
		var none A
		return traced(ctx, w, none.Kind(), b, do)
	})
}

func idOf[A reference](args A) string {
	return struct {
		ID string `json:"id"`
	}(args).ID
}

// inside makes a row of the table for a job that is done inside of one transaction.
func inside[A reference](
	w *Worker, l limits, do func(ctx context.Context, tx *store.Tx, id string) error,
) *job {
	begin := func(ctx context.Context, tx *store.Tx, id string) (struct{}, bool, error) {
		return struct{}{}, false, do(ctx, tx, id)
	}
	return on[A](w, l, begin, nil)
}

// queued makes a row of the table out of what a job does with the id in its arguments.
func queued[A river.JobArgs](
	w *Worker, l limits, id func(A) string, work func(ctx context.Context, id string) error,
) *job {
	var none A
	j := &job{kind: none.Kind(), limits: l, work: work}
	j.read = func(raw []byte) (store.Job, string, error) {
		var args A
		err := json.Unmarshal(raw, &args)
		return args, id(args), err
	}
	j.id = func(job store.Job) string { return id(job.(A)) }
	j.begin = func(_ context.Context, _ *store.Tx, id string) (func(ctx context.Context) error,
		error) {
		return func(ctx context.Context) error { return j.work(ctx, id) }, nil
	}
	j.join = func(workers *river.Workers) {
		river.AddWorker(workers, river.WorkFunc(func(ctx context.Context, q *river.Job[A]) error {
			return w.run(ctx, j, q.JobRow, id(q.Args))
		}))
	}
	return j
}

// kind is the row of the table for a kind of job.
func (w *Worker) kind(name string) (*job, bool) {
	i := slices.IndexFunc(w.jobs, func(j *job) bool { return j.kind == name })
	if i < 0 {
		return nil, false
	}
	return w.jobs[i], true
}

// run does one try of a job, counts how it ended, and tells the queue: nil for done, a snooze for
// again, a cancellation for dead. Any other error is a failure, which the queue logs and tries
// again. A job that is still at work here when the queue hands it out again waits.
func (w *Worker) run(ctx context.Context, j *job, row *rivertype.JobRow, id string) error {
	if _, busy := j.running.LoadOrStore(row.ID, struct{}{}); busy {
		return river.JobSnooze(j.limits.within)
	}
	defer j.running.Delete(row.ID)
	if len(row.Errors) >= mostFailures { // the last of them was a panic, or its worker died
		return w.giveUp(ctx, j, row, id, errDied)
	}
	if j.every > 0 {
		return w.comeBack(ctx, j, row, id)
	}
	return w.try(ctx, j, row, id, func(ctx context.Context) error { return j.work(ctx, id) })
}

// tryOnce does one try of a job that has no row of its own in the queue. It returns how long the
// job has to wait until it is tried again from there, and 0 when it is done.
func (w *Worker) tryOnce(
	ctx context.Context, j *job, row *rivertype.JobRow, id string, do func(ctx context.Context) error,
) time.Duration {
	err := store.Survive("a job", func() error { return w.try(ctx, j, row, id, do) })
	var (
		snooze *river.JobSnoozeError
		dead   *river.JobCancelError
	)
	switch {
	case err == nil, errors.As(err, &dead):
		return 0
	case errors.As(err, &snooze):
		return max(snooze.Duration, time.Millisecond)
	}
	w.ofJob(ctx, id).ErrorContext(ctx, "a job failed and is tried again",
		"kind", j.kind, "job", row.ID, "id", id, "attempt", row.Attempt, "error", err)
	return failedWait
}

// try does one try of a job that no other worker does, and counts how it ended.
func (w *Worker) try(
	ctx context.Context, j *job, row *rivertype.JobRow, id string, do func(ctx context.Context) error,
) error {
	ctx, cancel := context.WithTimeout(ctx, j.limits.within)
	defer cancel()
	panics := true
	defer func() {
		if panics {
			j.failed.Add(1)
		}
	}()
	err := do(ctx)
	panics = false
	var snooze *river.JobSnoozeError
	switch {
	case err == nil, errors.As(err, &snooze):
		return err
	case rowGone(err):
		w.Log.InfoContext(ctx, "a job ends: the row that it is about is gone",
			"kind", j.kind, "job", row.ID, "id", id)
		return nil
	case len(row.Errors)+1 < mostFailures:
		j.failed.Add(1)
		return err
	}
	return w.giveUp(ctx, j, row, id, err)
}

// errDied is why a job is given up whose last failure said nothing to this worker.
var errDied = errors.New("its workers panicked or died")

// giveUp ends a job for good. The row that it is about gets an end state with a reason. When that
// cannot be recorded now, the queue tries again.
func (w *Worker) giveUp(
	ctx context.Context, j *job, row *rivertype.JobRow, id string, reason error,
) error {
	if j.lost != nil {
		said := fmt.Sprintf("given up: %s failed %d times", j.kind, mostFailures)
		err := w.record(ctx, func(ctx context.Context, tx *store.Tx) error {
			return j.lost(ctx, tx, id, said)
		})
		if rowGone(err) {
			return nil
		}
		if err != nil {
			j.failed.Add(1)
			return err
		}
	}
	j.dead.Add(1)
	w.Meter.Dead(j.kind)
	w.ofJob(ctx, id).ErrorContext(ctx, "a job is dead",
		"kind", j.kind, "job", row.ID, "id", id, "attempt", row.Attempt, "reason", reason)
	return river.JobCancel(reason)
}

// rowGone reports whether a job failed because the row that it is about does not exist. An operator
// may have had it erased while the job waited: then nothing is left to do, and nothing is wrong.
func rowGone(err error) bool {
	return errors.Is(err, text.ErrUnknown) || errors.Is(err, mail.ErrUnknown)
}

// share bounds one part of a job: it may take the nth part of the time that is left, and never
// more than one provider call may. The part ends when its time is up, and not when the process is
// asked to stop: it would be unknown what a request did that was cut off.
func share(ctx context.Context, n int) (context.Context, context.CancelFunc) {
	most := providerTimeout
	if end, bounded := ctx.Deadline(); bounded {
		most = min(most, time.Until(end)/time.Duration(n))
	}
	return context.WithTimeout(context.WithoutCancel(ctx), most)
}

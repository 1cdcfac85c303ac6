package outbound

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/riverqueue/river"
	"github.com/riverqueue/river/rivertype"

	"smsbridge/internal/store"
)

const (
	// atOnce is how many jobs of bundles one process does side by side.
	atOnce = 100
	// beginWithin is how long a job of a bundle may wait for its turn. The bundle ends before the
	// queue takes its worker for dead: this and oneTry are less than store.RescueAfter.
	beginWithin = store.RescueAfter - oneTry - 5*time.Second
	// failedWait is how long a job waits that failed without a row of its own, before the queue tries
	// it.
	failedWait = time.Second
)

// bundles does the jobs that share a row of the queue.
type bundles struct {
	turns   chan struct{}
	running sync.Map // the ids in the queue of the bundles at work
}

// joinBundles makes the queue give bundles to the runner.
func (w *Worker) joinBundles(workers *river.Workers) {
	w.bundles.turns = make(chan struct{}, atOnce)
	river.AddWorker(workers, river.WorkFunc(
		func(ctx context.Context, q *river.Job[store.Bundle]) error {
			return w.runBundle(ctx, q.JobRow, q.Args)
		}))
}

// runBundle does the jobs of a bundle, all at once. A job that must wait, fails, or has no turn in
// time gets a row of its own. There it goes on as any other job. So does each job of a bundle whose
// worker died: what was done is found done.
func (w *Worker) runBundle(ctx context.Context, row *rivertype.JobRow, b store.Bundle) error {
	if _, busy := w.bundles.running.LoadOrStore(row.ID, struct{}{}); busy {
		return river.JobSnooze(oneTry)
	}
	defer w.bundles.running.Delete(row.ID)
	j, known := w.kind(b.Of)
	if !known {
		return fmt.Errorf("outbound: no worker does jobs of kind %q", b.Of)
	}
	var (
		left  = make([]time.Duration, len(b.Jobs)) // how long each has to wait, 0 when it is done
		tasks sync.WaitGroup
	)
	for i, args := range b.Jobs {
		if row.Attempt > 1 {
			left[i] = time.Millisecond
			continue
		}
		tasks.Go(func() { left[i] = w.runBundled(ctx, j, row, args) })
	}
	tasks.Wait()
	return w.scatter(ctx, j, b, left)
}

// runBundled does one job of a bundle, and returns how long it has to wait when it is not done.
func (w *Worker) runBundled(
	ctx context.Context, j *job, row *rivertype.JobRow, args []byte,
) (wait time.Duration) {
	patience := time.NewTimer(beginWithin)
	defer patience.Stop()
	select {
	case w.bundles.turns <- struct{}{}:
	case <-patience.C:
		return time.Millisecond
	case <-ctx.Done():
		return time.Millisecond
	}
	defer func() { <-w.bundles.turns }()
	_, id, err := j.read(args)
	return w.tryOnce(ctx, j, row, id, func(ctx context.Context) error {
		if err != nil {
			return err
		}
		return j.work(ctx, id)
	})
}

// scatter gives rows of their own to the jobs of a bundle that are not done.
func (w *Worker) scatter(
	ctx context.Context, j *job, b store.Bundle, left []time.Duration,
) error {
	return w.record(ctx, func(_ context.Context, tx *store.Tx) error {
		for i, wait := range left {
			if wait == 0 {
				continue
			}
			args, _, err := j.read(b.Jobs[i])
			if err != nil {
				return err
			}
			tx.EnqueueAt(args, tx.Now().Add(wait))
		}
		return nil
	})
}

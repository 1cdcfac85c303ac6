package outbound

import (
	"context"
	"fmt"
	"time"

	"github.com/riverqueue/river/rivertype"

	"smsbridge/internal/store"
	"smsbridge/internal/text"
)

// begunAtOnce lets a kind of job begin in the transaction that makes it due: a mail is examined,
// a text sent and a link clicked without a row of the queue. Queue gives such a job to the queue
// after all, when it must wait or has failed. The sweep does so for those whose worker died.
func (j *job) begunAtOnce(
	queue func(ctx context.Context, tx *store.Tx, id string, at time.Time) error,
) *job {
	j.queue = queue
	return j
}

// begin is the store's Beginner.
func (w *Worker) begin(
	ctx context.Context, tx *store.Tx, due store.Job,
) (func(ctx context.Context), error) {
	j, known := w.kind(due.Kind())
	if !known {
		return nil, fmt.Errorf("outbound: no worker does jobs of kind %q", due.Kind())
	}
	id := j.id(due)
	do, err := j.begin(ctx, tx, id)
	if err != nil || do == nil {
		return nil, err
	}
	return func(ctx context.Context) { w.finishBegun(ctx, j, id, do) }, nil
}

// finishBegun does what is left of a job that was begun. When it must wait, or fails, the queue
// gets it, and there it goes on as any other job. Should that fail too, the sweep finds it.
func (w *Worker) finishBegun(
	ctx context.Context, j *job, id string, do func(ctx context.Context) error,
) {
	row := &rivertype.JobRow{Attempt: 1}
	wait := w.tryOnce(ctx, j, row, id, do)
	if wait == 0 {
		return
	}
	err := w.record(ctx, func(ctx context.Context, tx *store.Tx) error {
		return j.queue(ctx, tx, id, tx.Now().Add(wait))
	})
	if err != nil {
		w.ofJob(ctx, id).ErrorContext(ctx,
			"a job that must wait is not in the queue; a sweep will find it",
			"kind", j.kind, "id", id, "error", err)
	}
}

func queueText(_ context.Context, tx *store.Tx, id string, at time.Time) error {
	tx.EnqueueAt(text.SendText{ID: id}, at)
	return nil
}

package outbound

import (
	"context"
	"errors"
	"time"

	"smsbridge/internal/challenge"
	"smsbridge/internal/mail"
	"smsbridge/internal/store"
	"smsbridge/internal/text"
	"smsbridge/internal/verification"
)

const (
	// sweepEvery is how late the end of what is overdue may be recorded. Readers know it before.
	sweepEvery = 5 * time.Second
	// sweptAtOnce is how many rows one transaction ends, so that no webhook waits behind it.
	sweptAtOnce = 200
)

// Sweep is the job that ends what is overdue, and takes up what dead workers had begun. It has the
// tenants' apps told once more what they did not take.
type Sweep struct{}

// Kind names the job in the queue.
func (Sweep) Kind() string { return "sweep" }

// sweep does the job sweep. What it looks for has an index of its own. So a sweep that finds
// nothing costs next to nothing, however many rows there are. A row that cannot be ended fails the
// job, and keeps none of what follows from being done.
func (w *Worker) sweep(ctx context.Context, _ string) (failed error) {
	for _, end := range []func(context.Context, *store.Tx, int) (int, error){
		challenge.ExpireOverdue, verification.ExpireOverdue,
		w.ofTheDead(text.LoseSightSince),
		w.ofTheDead(takeUp(mail.BegunBefore, mail.Queue)),
		w.ofTheDead(takeUp(challenge.BegunBefore, challenge.Queue)),
	} {
		_, err := w.sweepUp(ctx, end)
		failed = errors.Join(failed, err)
	}
	return errors.Join(failed, w.wakeLanes(ctx))
}

// sweepUp ends rows until there are no more of them. It returns how many.
func (w *Worker) sweepUp(
	ctx context.Context, end func(ctx context.Context, tx *store.Tx, most int) (int, error),
) (all int, err error) {
	for n := sweptAtOnce; n == sweptAtOnce; all += n {
		err := w.Store.Do(ctx, func(ctx context.Context, tx *store.Tx) (err error) {
			n, err = end(ctx, tx, sweptAtOnce)
			return err
		})
		if err != nil {
			return all, err
		}
	}
	return all, nil
}

// ofTheDead has something done about what dead workers left. Texts that they were sending are
// looked for at their providers. Mails and links that they had begun are examined and clicked
// again.
func (w *Worker) ofTheDead(
	f func(ctx context.Context, tx *store.Tx, before time.Time, most int) (int, error),
) func(ctx context.Context, tx *store.Tx, most int) (int, error) {
	return func(ctx context.Context, tx *store.Tx, most int) (int, error) {
		return f(ctx, tx, w.Store.DeadBefore(tx.Now()), most)
	}
}

// takeUp gives what was begun before a time to the queue. It returns how much it found.
func takeUp(
	begunBefore func(ctx context.Context, view store.View, before time.Time, most int) ([]string,
		error),
	queue func(ctx context.Context, tx *store.Tx, id string, at time.Time) error,
) func(ctx context.Context, tx *store.Tx, before time.Time, most int) (int, error) {
	return func(ctx context.Context, tx *store.Tx, before time.Time, most int) (int, error) {
		ids, err := begunBefore(ctx, tx, before, most)
		if err != nil {
			return 0, err
		}
		for _, id := range ids {
			if err := queue(ctx, tx, id, tx.Now()); err != nil {
				return 0, err
			}
		}
		return len(ids), nil
	}
}

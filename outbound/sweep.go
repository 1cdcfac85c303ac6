package outbound

import (
	"context"
	"time"

	"smsbridge/internal/challenge"
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

// Sweep is the job that ends what is overdue, and takes up the texts of dead workers.
type Sweep struct{}

// Kind names the job in the queue.
func (Sweep) Kind() string { return "sweep" }

// sweep does the job sweep. What it looks for has an index of its own. So a sweep that finds
// nothing costs next to nothing, however many rows there are.
func (w *Worker) sweep(ctx context.Context, _ string) error {
	for _, end := range []func(context.Context, *store.Tx, int) (int, error){
		challenge.ExpireOverdue, verification.ExpireOverdue, w.loseSight,
	} {
		for n := sweptAtOnce; n == sweptAtOnce; {
			err := w.Store.Do(ctx, func(ctx context.Context, tx *store.Tx) (err error) {
				n, err = end(ctx, tx, sweptAtOnce)
				return err
			})
			if err != nil {
				return err
			}
		}
	}
	return nil
}

// loseSight has the texts looked for at their providers that dead workers left in the midst of
// sending.
func (w *Worker) loseSight(ctx context.Context, tx *store.Tx, most int) (int, error) {
	return text.LoseSightSince(ctx, tx, w.Store.DeadBefore(tx.Now()), most)
}

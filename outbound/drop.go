package outbound

import (
	"context"
	"errors"
	"fmt"
	"strconv"

	"github.com/riverqueue/river"

	"smsbridge/internal/store"
)

// dropJob takes a job out of the queue because an operator wants that, and ends the row that the
// job is about. A job that a worker has right now is waited for.
func (w *Worker) dropJob(ctx context.Context, tx *store.Tx, id string) error {
	number, err := strconv.ParseInt(id, 10, 64)
	if err != nil {
		return fmt.Errorf("outbound: the id of a job to drop: %w", err)
	}
	kind, args, err := tx.TakeJob(ctx, number)
	switch {
	case errors.Is(err, store.ErrNoJob):
		return nil // done meanwhile
	case errors.Is(err, store.ErrAtWork):
		return river.JobSnooze(shortestWait)
	case err != nil:
		return err
	}
	j, known := w.kind(kind)
	if !known || j.lost == nil {
		return nil
	}
	for _, one := range args {
		_, about, err := j.read(one)
		if err != nil {
			return err
		}
		err = j.lost(ctx, tx, about, "dropped by an operator")
		if err != nil && !rowGone(err) {
			return err
		}
	}
	return nil
}

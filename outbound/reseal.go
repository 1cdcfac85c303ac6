package outbound

import (
	"context"
	"time"

	"github.com/riverqueue/river"
)

// resealEvery is how often a replica looks for values that an older key has sealed, beside the
// start. Replicas that still seal with the older key may run for a while after it.
const resealEvery = 10 * time.Minute

// Reseal is the job that seals anew, with the first key, what older keys have sealed.
type Reseal struct{}

// Kind names the job in the queue.
func (Reseal) Kind() string { return "reseal" }

// reseal does the job reseal, for as long as a job may take. What is left is done by the next try.
func (w *Worker) reseal(ctx context.Context, _ string) error {
	moved, err := w.Store.Reseal(ctx)
	if moved > 0 {
		w.Log.Info("sealed values have a new key", "values", moved)
	}
	if err != nil && ctx.Err() != nil {
		return river.JobSnooze(shortestWait)
	}
	return err
}

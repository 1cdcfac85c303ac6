package outbound

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/riverqueue/river"
	"github.com/riverqueue/river/rivertype"
)

const (
	// comesSoon is the longest interval at which a job that failed leaves the rest to the next one.
	comesSoon = 2 * time.Minute
	// deadAfter is for how long such jobs must fail until one of them is given up, so that an operator
	// hears of it. The tries of any other job last as long.
	deadAfter = 16 * time.Minute
)

// comeBack does one try of a job that comes back by itself. The queue would try each
// of them again beside the next one. A state that lasts, such as a row that cannot be ended, would
// fill it with such jobs. So one that failed is done by the next one, if that comes soon. One that
// must wait ends when the next one has come meanwhile.
func (w *Worker) comeBack(ctx context.Context, j *job, row *rivertype.JobRow, id string) error {
	if n := len(row.Errors); n > 0 && j.every <= comesSoon {
		if !j.trouble.lasts(row.ScheduledAt) {
			return nil
		}
		return w.giveUp(ctx, j, row, id, errors.New(row.Errors[n-1].Error))
	}
	failed := true
	defer func() { j.trouble.heard(row.ScheduledAt, failed) }()
	err := w.try(ctx, j, row, id, func(ctx context.Context) error { return j.work(ctx, id) })
	waits := errors.As(err, new(*river.JobSnoozeError))
	failed = err != nil && !waits
	if waits && row.ScheduledAt.Sub(row.CreatedAt) >= j.every {
		return nil
	}
	return err
}

// trouble knows since when the jobs of a kind have failed.
type trouble struct {
	mu    sync.Mutex
	since time.Time // zero when the last one did not fail
}

// heard notes how a job ended that was due at a time.
func (t *trouble) heard(due time.Time, failed bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if !failed {
		t.since = time.Time{}
	} else if t.since.IsZero() {
		t.since = due
	}
}

// lasts reports whether the trouble has lasted for deadAfter. It says so once in that time.
func (t *trouble) lasts(now time.Time) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.since.IsZero() || now.Sub(t.since) < deadAfter {
		return false
	}
	t.since = now
	return true
}

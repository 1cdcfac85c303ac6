package outbound

import (
	"context"
	"time"

	"github.com/riverqueue/river"
)

const (
	// blankEvery is how often the unused parts of a SQLite file are overwritten, after numbers in it
	// were replaced. The whole file is read for that.
	blankEvery = 24 * time.Hour
	// blankFor is how long one try reads. Then it rests for shortestWait: no flow shall feel it, and
	// no stop shall wait for it.
	blankFor = 200 * time.Millisecond
)

// Blank is the job that overwrites the unused parts of a SQLite file.
type Blank struct{}

// Kind names the job in the queue.
func (Blank) Kind() string { return "blank" }

// blank does the job blank, and goes on where the last try ended. After a start it looks at the
// whole file: an earlier process may have replaced numbers.
func (w *Worker) blank(ctx context.Context, _ string) error {
	first := w.blankFrom.Load()
	if first == 0 {
		if w.blanked.Swap(true) {
			return w.emptyLog(ctx)
		}
		first = 1
	}
	for begun := time.Now(); time.Since(begun) < blankFor; {
		next, err := w.Store.Blank(ctx, first)
		w.blankFrom.Store(next)
		if err != nil {
			w.blanked.Store(false)
			return err
		}
		if next == 0 {
			w.emptied.Store(false)
			return w.emptyLog(ctx)
		}
		first = next
	}
	return river.JobSnooze(shortestWait)
}

// emptyLog empties the WAL, which has the pages as they were before numbers in them were replaced.
// It is to be tried again while another process reads the WAL.
func (w *Worker) emptyLog(ctx context.Context) error {
	if w.emptied.Load() {
		return nil
	}
	err := w.Store.EmptyLog(ctx)
	w.emptied.Store(err == nil)
	switch {
	case err == nil && w.inUse.Swap(false):
		w.Log.Info("no older rows stay in the files of the database any more")
		return nil
	case err == nil, ctx.Err() != nil:
		return nil
	case !w.inUse.Swap(true): // which may last for as long as a reader forgets to end
		w.Log.Warn("older rows stay in the files of the database for now", "error", err)
	}
	return river.JobSnooze(emptyAgain)
}

package store

import (
	"context"
	"log/slog"
	"sync"
	"time"
)

// foldFor is for how long one line of the queue's stands for those like it.
const foldFor = time.Minute

// foldHandler is the handler of River's own log. At level info River tells of elections, cleaning
// and each snooze, which no operator can act on. So what is below a warning is left out. When the
// database does not answer, each of River's parts says so several times a second. Those lines are
// all one event: the first is logged, and stands for the others of a minute. Any other warning is
// an event by its message.
type foldHandler struct {
	slog.Handler
	folds *folds
}

// folds are the lines that stand for others.
type folds struct {
	mu    sync.Mutex
	since map[string]*fold // by what they say
}

type fold struct {
	at     time.Time // when the line was written that stands for the others
	folded int       // how many were left out since
}

func newFolds() *folds { return &folds{since: map[string]*fold{}} }

func newFoldHandler(to slog.Handler) foldHandler {
	return foldHandler{to, newFolds()}
}

// Enabled implements slog.Handler.
func (h foldHandler) Enabled(ctx context.Context, level slog.Level) bool {
	return level >= slog.LevelWarn && h.Handler.Enabled(ctx, level)
}

// WithAttrs implements slog.Handler.
func (h foldHandler) WithAttrs(attrs []slog.Attr) slog.Handler {
	return foldHandler{h.Handler.WithAttrs(attrs), h.folds}
}

// WithGroup implements slog.Handler.
func (h foldHandler) WithGroup(name string) slog.Handler {
	return foldHandler{h.Handler.WithGroup(name), h.folds}
}

// Handle implements slog.Handler.
func (h foldHandler) Handle(ctx context.Context, r slog.Record) error {
	failed, trouble := troubleOf(r)
	key := r.Message
	if trouble {
		key = ""
	}
	folded, stands := h.folds.take(key, r.Time)
	if !stands {
		return nil
	}
	line := slog.NewRecord(r.Time, r.Level, "the queue warns", r.PC)
	if trouble {
		line.Message = "the queue cannot use the database"
		line.AddAttrs(slog.String("part", r.Message), slog.Any("error", failed))
	} else {
		line.AddAttrs(slog.String("part", r.Message))
		r.Attrs(func(a slog.Attr) bool {
			line.AddAttrs(a)
			return true
		})
	}
	if folded > 0 {
		line.AddAttrs(slog.Int("folded", folded))
	}
	return h.Handler.Handle(ctx, line)
}

// troubleOf is the error that a line of River's tells of, if it tells of one.
func troubleOf(r slog.Record) (failed any, trouble bool) {
	r.Attrs(func(a slog.Attr) bool {
		if a.Key == "err" || a.Key == "error" {
			failed, trouble = a.Value.Any(), true
		}
		return !trouble
	})
	return failed, trouble
}

// take reports whether a line that says something at a time is written, and how many like it were
// left out before.
func (f *folds) take(key string, at time.Time) (folded int, stands bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	last := f.since[key]
	if last != nil && at.Sub(last.at) < foldFor {
		last.folded++
		return 0, false
	}
	if last != nil {
		folded = last.folded
	}
	f.since[key] = &fold{at: at}
	return folded, true
}

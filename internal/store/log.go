package store

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"runtime"
	"runtime/debug"
	"time"

	"github.com/riverqueue/river"
	"github.com/riverqueue/river/rivertype"
)

// levelHandler lets only some of River's lines reach the log: those of the least level or above. At
// level info River tells more than an operator wants, and says less about failing jobs than
// failureLog does.
type levelHandler struct {
	slog.Handler
	least slog.Level
}

func (h levelHandler) Enabled(ctx context.Context, level slog.Level) bool {
	return level >= h.least && h.Handler.Enabled(ctx, level)
}

func (h levelHandler) WithAttrs(attrs []slog.Attr) slog.Handler {
	return levelHandler{h.Handler.WithAttrs(attrs), h.least}
}

func (h levelHandler) WithGroup(name string) slog.Handler {
	return levelHandler{h.Handler.WithGroup(name), h.least}
}

// failureLog is River's ErrorHandler: it logs each job that returned an error or panicked. River
// itself logs both at level info only. A job that snoozes or that is canceled is not such a job.
type failureLog struct{ log *slog.Logger }

// HandleError implements river.ErrorHandler. River tries the job again unless this was its last
// try.
func (f failureLog) HandleError(
	ctx context.Context, job *rivertype.JobRow, err error,
) *river.ErrorHandlerResult {
	f.log.ErrorContext(ctx, saying(job), append(about(job), "error", err)...)
	return nil
}

// HandlePanic implements river.ErrorHandler. Jobs do not panic as River sees it: see quietPanics.
func (f failureLog) HandlePanic(
	ctx context.Context, job *rivertype.JobRow, cause any, trace string,
) *river.ErrorHandlerResult {
	return f.HandleError(ctx, job, panicked("a job", cause, []byte(trace)))
}

// rescueLog is River's own ClientRetryPolicy. It logs the jobs that River gives up without a word.
// A job that does not end is tried again after RescueAfter, and discarded after its last try.
// River tells no error handler and no subscriber of that.
type rescueLog struct {
	river.DefaultClientRetryPolicy
	log *slog.Logger
}

// NextRetry implements river.ClientRetryPolicy. After the last try of a job River asks for it only
// to discard a job that never ended.
func (r *rescueLog) NextRetry(job *rivertype.JobRow) time.Time {
	if job.Attempt >= job.MaxAttempts {
		r.log.Error("a job did not end at its last try and is dead", about(job)...)
	}
	return r.DefaultClientRetryPolicy.NextRetry(job)
}

// quietPanics turns a job's panic into an error. River would log the words of the panic and keep
// them in the job's row, and they may quote a secret.
func quietPanics(
	ctx context.Context, _ *rivertype.JobRow, work func(context.Context) error,
) error {
	return Survive("a job", func() error { return work(ctx) })
}

// Survive runs f, and turns its panic into an error that names the place, without the panic's
// words.
func Survive(place string, f func() error) (err error) {
	defer func() {
		if cause := recover(); cause != nil {
			err = panicked(place, cause, debug.Stack())
		}
	}()
	return f()
}

// panicked is a panic as an error.
func panicked(place string, cause any, stack []byte) error {
	return fmt.Errorf("store: panic in %s: %s\n%s", place, PanicWords(cause), stack)
}

// PanicWords is what an error or a log line may say of the value of a panic. The value may quote a
// phone or a link, so only an error of Go's runtime is said in full. Of any other it is the type.
func PanicWords(cause any) string {
	if own, ok := cause.(runtime.Error); ok {
		return own.Error()
	}
	return fmt.Sprintf("%T", cause)
}

func saying(job *rivertype.JobRow) string {
	if job.Attempt >= job.MaxAttempts {
		return "a job failed for the last time and is dead"
	}
	return "a job failed and is tried again"
}

// about names a job by its kind, its number in the queue, and the row it is about.
func about(job *rivertype.JobRow) []any {
	var args struct {
		ID string `json:"id"`
	}
	_ = json.Unmarshal(job.EncodedArgs, &args) // a job about no row has no id
	return []any{"kind", job.Kind, "job", job.ID, "id", args.ID, "attempt", job.Attempt}
}

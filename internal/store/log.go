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

// failureLog is River's ErrorHandler: it logs each job that returned an error or panicked. River
// itself logs both at level info only. A job that snoozes or that is canceled is not such a job. A
// job that is about no row comes back by itself, some every few seconds. Of those of one kind, a
// line stands for the failures of a minute.
type failureLog struct {
	log      *slog.Logger
	describe *describer
	folds    *folds
}

// describer says what the row is about that a job has the id of. The store knows no rule.
type describer struct {
	of func(ctx context.Context, id string) []any // nil: nothing is added
}

// DescribeWith has f say for the log what the row is about that a failing job has the id of. Call
// it before Start.
func (s *Store) DescribeWith(f func(ctx context.Context, id string) []any) { s.describe.of = f }

// HandleError implements river.ErrorHandler. River tries the job again unless this was its last
// try.
func (f failureLog) HandleError(
	ctx context.Context, job *rivertype.JobRow, err error,
) *river.ErrorHandlerResult {
	attrs := append(f.describe.about(ctx, job), "error", err)
	if string(job.EncodedArgs) == "{}" {
		folded, stands := f.folds.take(job.Kind, time.Now())
		if !stands {
			return nil
		}
		if folded > 0 {
			attrs = append(attrs, "folded", folded)
		}
	}
	f.log.ErrorContext(ctx, saying(job), attrs...)
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
	log      *slog.Logger
	describe *describer
}

// NextRetry implements river.ClientRetryPolicy. After the last try of a job River asks for it only
// to discard a job that never ended.
func (r *rescueLog) NextRetry(job *rivertype.JobRow) time.Time {
	if job.Attempt >= job.MaxAttempts {
		r.log.Error("a job did not end at its last try and is dead",
			r.describe.about(context.Background(), job)...)
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
func (d *describer) about(ctx context.Context, job *rivertype.JobRow) []any {
	var args struct {
		ID string `json:"id"`
	}
	_ = json.Unmarshal(job.EncodedArgs, &args) // a job about no row has no id
	attrs := []any{"kind", job.Kind, "job", job.ID, "id", args.ID, "attempt", job.Attempt}
	if d == nil || d.of == nil {
		return attrs
	}
	return append(attrs, d.of(context.WithoutCancel(ctx), args.ID)...)
}

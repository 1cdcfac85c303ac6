// Package outbound is everything that leaves: texts through Twilio and the other providers, the outcome of codes to Twilio Verify, clicks through
// linkclick, and what is fetched from and deleted at Mailgun.
//
// A worker takes one job that a rule made due, does the one effect it stands for, and tells the rule what came of it. It promises that an effect
// whose outcome is not certain is never simply repeated, that what can be repeated is repeated until its deadline, and that no link, code or mail
// reaches a log. It listens to nobody; it is for cmd, which adds the workers to the store before the store is started.
package outbound

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"time"

	"github.com/riverqueue/river"

	"smsbridge/internal/auth0"
	"smsbridge/internal/challenge"
	"smsbridge/internal/mail"
	"smsbridge/internal/reply"
	"smsbridge/internal/store"
	"smsbridge/internal/tenant"
	"smsbridge/internal/text"
	"smsbridge/internal/verification"
)

const (
	// providerTimeout bounds one request to Twilio or Mailgun; their SDKs know no other brake.
	providerTimeout = 10 * time.Second
	// seenKept is how long Mailgun's tokens are kept: well beyond the nine hours in which their signatures are accepted.
	seenKept   = 48 * time.Hour
	pruneEvery = time.Hour
)

// Worker does the jobs. Set the fields, then Register.
type Worker struct {
	Store    *store.Store
	Settings tenant.Settings
	Log      *slog.Logger

	http http.RoundTripper
}

// Prune is the job that forgets what need not be known any longer.
type Prune struct{}

// Kind names the job in the queue.
func (Prune) Kind() string { return "prune" }

// Register adds the workers to the store, which must not be started yet.
func (w *Worker) Register() {
	transport := http.DefaultTransport.(*http.Transport).Clone()
	transport.MaxIdleConnsPerHost = 16
	w.http = transport

	workers := w.Store.Workers()
	river.AddWorker(workers, river.WorkFunc(func(ctx context.Context, j *river.Job[mail.ExamineMail]) error {
		return w.examineMail(ctx, j.Args.ID)
	}))
	river.AddWorker(workers, river.WorkFunc(func(ctx context.Context, j *river.Job[mail.DeleteMail]) error {
		return w.deleteMail(ctx, j.Args.ID)
	}))
	river.AddWorker(workers, river.WorkFunc(func(ctx context.Context, j *river.Job[text.SendText]) error {
		return w.sendText(ctx, j.Args.ID)
	}))
	river.AddWorker(workers, river.WorkFunc(func(ctx context.Context, j *river.Job[text.FindText]) error {
		return w.findText(ctx, j.Args.ID)
	}))
	river.AddWorker(workers, river.WorkFunc(func(ctx context.Context, j *river.Job[challenge.ClickLink]) error {
		return w.clickLink(ctx, j.Args.ID)
	}))
	river.AddWorker(workers, river.WorkFunc(func(ctx context.Context, j *river.Job[challenge.Expire]) error {
		return w.Store.Do(ctx, func(ctx context.Context, tx *store.Tx) error { return challenge.ExpireDue(ctx, tx, j.Args.ID) })
	}))
	river.AddWorker(workers, river.WorkFunc(func(ctx context.Context, j *river.Job[reply.LookUpMail]) error {
		return w.lookUpMail(ctx, j.Args.ID)
	}))
	river.AddWorker(workers, river.WorkFunc(func(ctx context.Context, j *river.Job[verification.ExpireVerification]) error {
		return w.Store.Do(ctx, func(ctx context.Context, tx *store.Tx) error { return verification.ExpireDue(ctx, tx, j.Args.ID) })
	}))
	river.AddWorker(workers, river.WorkFunc(func(ctx context.Context, j *river.Job[verification.Notify]) error {
		return w.notify(ctx, j.Args.ID)
	}))
	river.AddWorker(workers, river.WorkFunc(func(ctx context.Context, j *river.Job[verification.ReportVerification]) error {
		return w.reportVerification(ctx, j.Args.ID)
	}))
	river.AddWorker(workers, river.WorkFunc(func(ctx context.Context, j *river.Job[verification.CheckCode]) error {
		return w.checkCode(ctx, j.Args.ID)
	}))
	river.AddWorker(workers, river.WorkFunc(func(ctx context.Context, _ *river.Job[Prune]) error {
		return w.Store.Do(ctx, func(ctx context.Context, tx *store.Tx) error {
			if err := errors.Join(verification.Forget(ctx, tx), auth0.Forget(ctx, tx)); err != nil {
				return err
			}
			if _, err := tx.DropSeenBefore(ctx, tx.Moment().Add(-seenKept)); err != nil {
				return err
			}
			_, err := tx.DropShortLinksBefore(ctx, tx.Moment())
			return err
		})
	}))
	w.Store.Every(pruneEvery, Prune{})
}

// again has a job done once more, after as long as it has been tried since began, so that the waits double; between two seconds and a minute.
func again(began, now time.Time) error {
	return river.JobSnooze(min(max(now.Sub(began), 2*time.Second), time.Minute))
}

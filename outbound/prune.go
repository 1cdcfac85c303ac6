package outbound

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/riverqueue/river"

	"smsbridge/internal/challenge"
	"smsbridge/internal/limit"
	"smsbridge/internal/operator"
	"smsbridge/internal/optout"
	"smsbridge/internal/store"
	"smsbridge/internal/store/moment"
	"smsbridge/internal/verification"
)

// pruneEvery is how often rows that are too old are dropped.
const pruneEvery = time.Hour

// emptyAgain is after how long the WAL is emptied again when another transaction reads it: no
// number may stay in a file for long once its retention is over.
const emptyAgain = 10 * time.Second

// Prune is the job that drops the rows that are too old to matter.
type Prune struct{}

// Kind names the job in the queue.
func (Prune) Kind() string { return "prune" }

// retention says how long the rows of a table are kept.
type retention struct {
	table string
	kept  time.Duration
	// drop drops rows that are older than a time: at most 1,000, so that
	// no webhook waits behind them. It returns how many.
	drop func(tx *store.Tx, ctx context.Context, before moment.Moment) (int64, error)
}

// flowMemory is how long what is over can be looked up, from its end on. What a person was asked
// and answered is needed when a customer disputes it, or an auditor asks: both come within a
// year. After that it only costs, and a thief of the database would find it.
const flowMemory = 365 * 24 * time.Hour

// retentions is all that is dropped. What is not here is kept for good: opt-outs, the ids of
// sealing keys, the key of digests, how far prices were looked up, and replies. A provider's
// signature of a reply has no time, so that only its row keeps an old yes from being taken again.
// The queue drops its own rows.
//
// What is open is never dropped. Children go before their parents, so that no row points to one
// that is gone: a text to its question or verification, a question to its mail. An instance goes
// before its verification, which stays as long as an instance points to it.
func retentions() []retention {
	return []retention{
		// What finished flows leave.
		{"event", flowMemory, (*store.Tx).DropEventsBefore},
		{"callback", flowMemory, (*store.Tx).DropCallbacksBefore},
		{"text", flowMemory, (*store.Tx).DropTextsBefore},
		{"challenge", flowMemory, (*store.Tx).DropChallengesBefore},
		{"mail", flowMemory, (*store.Tx).DropMailsBefore},
		{"durable_instance", flowMemory, (*store.Tx).DropDurableInstancesBefore},
		{"verification", flowMemory, (*store.Tx).DropVerificationsBefore},
		// Mailgun's tokens: well beyond the nine hours in which their signatures are accepted.
		{"seen", 48 * time.Hour, (*store.Tx).DropSeenBefore},
		// Short links from their own end on.
		{"short_link", 0, (*store.Tx).DropShortLinksBefore},
		// What was texted, per window: longer than any window is.
		{"tally", limit.Memory, (*store.Tx).DropTalliesBefore},
		// Wrong codes since the last one of their phone and asker.
		{"guess", verification.GuessMemory, (*store.Tx).DropGuessesBefore},
		// The same of a log-in subject or a source.
		{"pause", verification.GuessMemory, (*store.Tx).DropPausesBefore},
		// Wrong reply codes since the last one of their phone.
		{"reply_guess", challenge.GuessMemory, (*store.Tx).DropReplyGuessesBefore},
		// Idempotency keys of the API.
		{"idempotency_key", verification.KeyMemory, (*store.Tx).DropIdempotencyKeysBefore},
		// Codes that Twilio Verify was asked about: longer than any verification lives.
		{"code_check", 24 * time.Hour, (*store.Tx).DropCodeChecksBefore},
		// What Auth0 had texted: longer than any of its codes counts.
		{"auth0_notification", 25 * time.Hour, (*store.Tx).DropAuth0NotificationsBefore},
		// Locks of the phones for which Auth0 had something texted.
		{"auth0_lock", 25 * time.Hour, (*store.Tx).DropAuth0LocksBefore},
		// Processes that died: a day, for those who ask what happened.
		{"node", store.NodeKept, (*store.Tx).DropNodesBefore},
		// Reports to Twilio Verify of others' codes: Verify is told within a day, or never.
		{"verify_report", 48 * time.Hour, (*store.Tx).DropVerifyReportsBefore},
		// What operators did, their sessions, and wrong passwords.
		{"operator_act", flowMemory, (*store.Tx).DropOperatorActsBefore},
		{"operator_session", operator.Life, (*store.Tx).DropOperatorSessionsBefore},
		{"operator_guess", operator.GuessMemory, (*store.Tx).DropOperatorGuessesBefore},
	}
}

// prune does the job prune. When its time is up it goes on with what is left after a moment.
func (w *Worker) prune(ctx context.Context, _ string) error {
	var errs []error
	for _, r := range retentions() {
		dropped, err := w.drop(ctx, r)
		if dropped > 0 {
			w.Log.Info("old rows were dropped", "table", r.table, "rows", dropped)
		}
		if err != nil && ctx.Err() == nil {
			errs = append(errs, fmt.Errorf("dropping from %s: %w", r.table, err))
		}
	}
	if err := w.replaceNumbers(ctx); err != nil && ctx.Err() == nil {
		errs = append(errs, err)
	}
	if err := optout.Adopt(ctx, w.Store); err != nil && ctx.Err() == nil {
		errs = append(errs, err)
	}
	switch {
	case len(errs) > 0:
		return errors.Join(errs...)
	case ctx.Err() != nil:
		return river.JobSnooze(shortestWait)
	}
	return w.emptyLog(ctx)
}

// replaceNumbers puts digests in the place of the numbers that rows have had for the retention. In
// each table it goes on where this process ended the last time; after a start it reads all.
func (w *Worker) replaceNumbers(ctx context.Context) error {
	for _, table := range store.AgingTables() {
		n, err := w.replaceNumbersIn(ctx, table)
		if n > 0 {
			w.Log.Info("numbers were replaced by digests", "table", table, "rows", n)
		}
		if err != nil {
			return fmt.Errorf("replacing numbers: %w", err)
		}
	}
	return nil
}

func (w *Worker) replaceNumbersIn(ctx context.Context, table string) (all int, err error) {
	var before time.Time
	err = w.Store.Read(ctx, func(_ context.Context, view store.View) error {
		before = view.Now().Add(-w.settings().Retention)
		return nil
	})
	for err == nil {
		after, _ := w.aged.LoadOrStore(table, "")
		last, n, failed := w.Store.Pseudonymize(ctx, table, after.(string), before)
		if all += n; n > 0 {
			w.emptied.Store(false)
			w.blanked.Store(false)
		}
		if failed != nil || last == "" {
			return all, failed
		}
		w.aged.Store(table, last)
	}
	return all, err
}

// drop drops all rows of a table that are too old, in one transaction after the other.
func (w *Worker) drop(ctx context.Context, r retention) (all int64, err error) {
	for {
		var some int64
		err := w.Store.Do(ctx, func(ctx context.Context, tx *store.Tx) (err error) {
			some, err = r.drop(tx, ctx, tx.Moment().Add(-r.kept))
			return err
		})
		if err != nil || some == 0 {
			return all, err
		}
		all += some
	}
}

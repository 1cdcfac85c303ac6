package outbound

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/riverqueue/river"

	"smsbridge/internal/challenge"
	"smsbridge/internal/optout"
	"smsbridge/internal/store"
	"smsbridge/internal/tenant"
	"smsbridge/internal/text"
	"smsbridge/internal/trace"
	"smsbridge/internal/verification"
)

// sending is a text that is being sent.
type sending struct {
	text.Attempt
	tenant *tenant.Tenant
	queue  []tenant.Provider // which may be asked, the next one first
}

// beginText begins the job send_text. That the text is sending, and which provider is asked, is on
// disk before that provider is asked.
func (w *Worker) beginText(ctx context.Context, tx *store.Tx, id string) (sending, bool, error) {
	a, due, err := text.Begin(ctx, tx, id)
	if err == nil && !due {
		err = failUnwanted(ctx, tx, id)
	}
	if err != nil || !due {
		return sending{}, false, err
	}
	s := sending{Attempt: a}
	t, known := w.sender(a)
	if known {
		s.tenant, s.queue = t, route(t, a)
		if _, test := t.Test(a.Phone, tx.Now()); test { // it was none when the text was made
			return sending{}, false, refuse(ctx, tx, a, text.TestReason, verification.NotPermitted)
		}
	}
	if len(s.queue) == 0 {
		return sending{}, false, refuse(ctx, tx, a, notConfiguredText, verification.NotConfigured)
	}
	return s, true, text.Route(ctx, tx, a, string(s.queue[0]))
}

// sender is the tenant of a text, if that tenant still texts from the same account.
func (w *Worker) sender(a text.Attempt) (*tenant.Tenant, bool) {
	t, known := w.settings().Tenants.Tenant(a.Tenant)
	if !known {
		return nil, false
	}
	return t, t.Account() == a.Line.Account
}

// sendText does the job send_text. It asks one provider after the other until one has the text, or
// may have it. When all did nothing, those that may send it later are asked again. What a provider
// said is on disk even when the process is asked to stop meanwhile.
func (w *Worker) sendText(ctx context.Context, b begun[sending]) error {
	var (
		s     = b.row
		later []tenant.Provider
		after time.Duration // the shortest wait that one of those asks for
	)
	for {
		by := s.queue[0]
		r := w.ask(ctx, s, b.now)
		if r.verdict() == untried {
			if len(later) == 0 || r.after < after {
				after = r.after
			}
			later = append(later, by)
		}
		if !r.passable() || len(s.queue) == 1 {
			wait := min(max(b.wait(s.Created), after), b.slowest)
			return w.settle(ctx, s, r, later, wait)
		}
		s.queue = s.queue[1:]
		wanted, err := w.pass(ctx, s, by, r)
		if err != nil || !wanted {
			return err
		}
	}
}

// ask asks the first provider of the queue. It leaves as much time to each of the others.
func (w *Worker) ask(ctx context.Context, s sending, now time.Time) sendResult {
	by := s.queue[0]
	part, cancel := share(ctx, len(s.queue))
	defer cancel()
	began := w.Meter.Now()
	span := trace.Child(ctx, string(by), trace.Call)
	r := w.provider(by).send(part, s.tenant, s.Attempt, now)
	endAsked(span, s.Attempt, r)
	w.logAsked(ctx, s.Attempt, by, r)
	w.askedFor(s, by, r, began)
	return r
}

// logAsked says what a provider made of a text.
func (w *Worker) logAsked(
	ctx context.Context, a text.Attempt, by tenant.Provider, r sendResult,
) {
	attrs := []any{"text", a.ID, "purpose", string(a.Purpose), "provider", string(by)}
	if r.result == ok {
		w.ofText(a).InfoContext(ctx, "text handed to the provider", append(attrs, "sid", r.id)...)
		return
	}
	attrs = append(attrs, "result", string(r.result), "code", r.code)
	if meaning := text.Meaning(r.code); meaning != "" {
		attrs = append(attrs, "meaning", meaning)
	}
	w.ofText(a).WarnContext(ctx, "the provider does not take the text", attrs...)
}

// pass records that a provider did nothing and that the next one, now first of the queue, is asked.
// It reports false when the text must not be sent any more, or when another worker has it.
func (w *Worker) pass(
	ctx context.Context, s sending, by tenant.Provider, r sendResult,
) (wanted bool, err error) {
	err = w.record(ctx, func(ctx context.Context, tx *store.Tx) (err error) {
		if err := recordRefusal(ctx, tx, s.Attempt, by, r); err != nil {
			return err
		}
		wanted, err = text.Reroute(ctx, tx, s.Attempt, string(s.queue[0]))
		if errors.Is(err, text.ErrMoved) {
			return nil
		}
		if err == nil && !wanted {
			err = failUnwanted(ctx, tx, s.ID)
		}
		return err
	})
	return wanted, err
}

// record commits what came of an effect, although the process is asked to stop meanwhile.
func (w *Worker) record(
	ctx context.Context, f func(ctx context.Context, tx *store.Tx) error,
) error {
	return w.Store.Do(context.WithoutCancel(ctx), f)
}

// recordUnlessMoved is record for what came of an attempt. It is no error that another worker has
// taken the text up meanwhile, which records the end.
func (w *Worker) recordUnlessMoved(
	ctx context.Context, f func(ctx context.Context, tx *store.Tx) error,
) error {
	return w.record(ctx, func(ctx context.Context, tx *store.Tx) error {
		err := f(ctx, tx)
		if errors.Is(err, text.ErrMoved) {
			return nil
		}
		return err
	})
}

func recordRefusal(
	ctx context.Context, tx *store.Tx, a text.Attempt, by tenant.Provider, r sendResult,
) error {
	detail := string(by) + " " + string(r.result) + " " + r.code
	return tx.Record(ctx, a.Tenant, a.ID, "text.refused", detail)
}

// settle records the last result. The argument later has the providers that did nothing but may
// send the text later. If there are any, the text is due again after a wait, and the first of them
// is asked next. A worker that was held up so long that another one sends the text by now leaves it
// alone: only that a provider took the text is recorded even then.
func (w *Worker) settle(
	ctx context.Context, s sending, r sendResult, later []tenant.Provider, wait time.Duration,
) error {
	return w.recordUnlessMoved(ctx, func(ctx context.Context, tx *store.Tx) error {
		return w.settleIn(ctx, tx, s, r, later, wait)
	})
}

func (w *Worker) settleIn(
	ctx context.Context, tx *store.Tx, s sending, r sendResult, later []tenant.Provider,
	wait time.Duration,
) error {
	a, by, v := s.Attempt, s.queue[0], r.verdict()
	switch v {
	case taken:
		return accept(ctx, tx, a, by, r.id, r.record)
	case unsure:
		return text.LoseSight(ctx, tx, a)
	}
	if err := recordRefusal(ctx, tx, a, by, r); err != nil {
		return err
	}
	if v == untried || r.passable() && len(later) > 0 {
		if err := text.Route(ctx, tx, a, string(later[0])); err != nil {
			return err
		}
		tx.EnqueueAt(text.SendText{ID: a.ID}, tx.Now().Add(wait))
		return text.PutBack(ctx, tx, a, text.Sending)
	}
	if r.result == optedOut {
		heard := optout.Heard{
			Line: a.Line, Sharing: w.settings().Tenants.ByLine(a.Line), Phone: a.Phone,
			Via: text.ByProvider,
		}
		if err := optout.Learn(ctx, tx, heard); err != nil {
			return err
		}
	}
	return refuse(ctx, tx, a, r.code, r.reason())
}

// notConfiguredText is why a text is refused for which the tenant has no provider.
const notConfiguredText = "not configured"

// failUnwanted ends what waits for the answer to a text that must not be sent: the verification of
// its code, or the question of an app.
func failUnwanted(ctx context.Context, tx *store.Tx, id string) error {
	if err := verification.FailOptedOut(ctx, tx, id); err != nil {
		return err
	}
	return challenge.FailUnsent(ctx, tx, id)
}

// refuse records that no provider will ever send a text. If the text says a code, and no other text
// may bring it, the verification of the code has failed. So has the question of an app. It returns
// text.ErrMoved when another worker sends the text by now.
func refuse(
	ctx context.Context, tx *store.Tx, a text.Attempt, why string, reason verification.Reason,
) error {
	if err := text.RefuseAttempt(ctx, tx, a, why); err != nil {
		return err
	}
	if a.VerificationID == "" {
		return challenge.FailUnsent(ctx, tx, a.ID)
	}
	return verification.Fail(ctx, tx, a.VerificationID, reason)
}

// accept records that a provider has a text. If the text says a code, it also records whose code
// counts: the bridge's or Twilio Verify's.
func accept(
	ctx context.Context, tx *store.Tx, a text.Attempt, by tenant.Provider, providerID string,
	record func(context.Context, *store.Tx) error,
) error {
	if a.VerificationID != "" && by != tenant.ByVerify {
		if err := verification.SentByOthers(ctx, tx, a.VerificationID); err != nil {
			return err
		}
	}
	if record != nil {
		if err := record(ctx, tx); err != nil {
			return err
		}
	}
	return text.Accept(ctx, tx, a.ID, providerID)
}

// findText does the job find_text: it looks for an unclear text in its provider's list. Only when
// the text is not there after the quarantine is it sent again. When the list cannot be read for a
// day after the text's deadline, the text is given up.
func (w *Worker) findText(ctx context.Context, b begun[text.Attempt]) error {
	a := b.row
	t, known := w.sender(a)
	if !known {
		return w.giveUpLooking(ctx, a, notConfiguredText)
	}
	texts, err := w.provider(tenant.Provider(a.Provider)).find(ctx, t, a)
	if err != nil {
		w.ofText(a).Warn("cannot look for a text", "text", a.ID, "error", err)
		if !b.patient(a.Deadline) {
			return w.giveUpLooking(ctx, a, "its provider does not say whether it was sent")
		}
		return b.again(a.Began)
	}
	over := b.now.Sub(a.Began) >= text.Quarantine
	found, err := w.match(ctx, a, texts, over)
	if err != nil || found || over {
		return err
	}
	return river.JobSnooze(text.Quarantine / 6)
}

// giveUpLooking ends a text that may have been sent.
func (w *Worker) giveUpLooking(ctx context.Context, a text.Attempt, reason string) error {
	return w.recordUnlessMoved(ctx, func(ctx context.Context, tx *store.Tx) error {
		return text.RefuseAttempt(ctx, tx, a, reason)
	})
}

// clocks is how long before an attempt began its provider may say that it took the text. Five
// minutes are for clocks that are wrong, and one for the whole seconds of the provider's time.
const clocks = 6 * time.Minute

// match takes the first listed text that is the attempt's and that belongs to no other text of
// ours. When there is none and the quarantine is over, the text is due again.
func (w *Worker) match(
	ctx context.Context, a text.Attempt, texts []listed, over bool,
) (found bool, err error) {
	texts = slices.DeleteFunc(texts, func(l listed) bool {
		return !alike(l.body, a.Body) || l.created.Before(a.Began.Add(-clocks))
	})
	err = w.record(ctx, func(ctx context.Context, tx *store.Tx) error {
		found = false
		for _, l := range texts {
			claimed, err := text.Claimed(ctx, tx, a.Line.Account, l.id)
			if err != nil {
				return err
			}
			if !claimed {
				found = true
				return accept(ctx, tx, a, tenant.Provider(a.Provider), l.id, l.record)
			}
		}
		if !over {
			return nil
		}
		if err := text.PutBack(ctx, tx, a, text.Unclear); err != nil {
			return err
		}
		tx.Enqueue(text.SendText{ID: a.ID})
		return nil
	})
	return found, err
}

package outbound

import (
	"context"
	"log/slog"
	"time"

	"github.com/riverqueue/river"

	"smsbridge/internal/store"
	"smsbridge/internal/tenant"
	"smsbridge/internal/text"
	"smsbridge/internal/verification"
)

// sendText does the job send_text: sending, and who is asked, is on disk before a provider is asked. Who certainly does nothing is followed by the
// next in the tenant's order.
func (w *Worker) sendText(ctx context.Context, id string) error {
	var (
		a     text.Attempt
		queue []tenant.Provider
		now   time.Time
	)
	err := w.Store.Do(ctx, func(ctx context.Context, tx *store.Tx) error {
		var (
			due bool
			err error
		)
		queue, now = nil, tx.Now()
		if a, due, err = text.Begin(ctx, tx, id); err != nil || !due {
			return err
		}
		if t, known := w.sender(a); known {
			queue = route(t, a)
		}
		if len(queue) == 0 {
			return text.Refuse(ctx, tx, id, "not configured")
		}
		return text.Route(ctx, tx, id, string(queue[0]))
	})
	if err != nil || len(queue) == 0 {
		return err
	}
	t, _ := w.sender(a)
	return w.ask(context.WithoutCancel(ctx), t, a, queue, now)
}

// sender is the tenant of a text, if it still texts from the same account.
func (w *Worker) sender(a text.Attempt) (*tenant.Tenant, bool) {
	t, known := w.Settings.Tenants.Tenant(a.Tenant)
	if !known {
		return nil, false
	}
	account, _ := t.Line(a.Phone)
	return t, account == a.Line.Account
}

// ask asks one provider after the other until one has the text, or may have it. When all did nothing, those that may do it later are asked again.
func (w *Worker) ask(ctx context.Context, t *tenant.Tenant, a text.Attempt, queue []tenant.Provider, now time.Time) error {
	var later []tenant.Provider
	for {
		by := queue[0]
		o := w.provider(by).send(ctx, t, a, now)
		level := slog.LevelInfo
		if o.result != ok {
			level = slog.LevelWarn
		}
		w.Log.Log(ctx, level, "asked for a text", "tenant", a.Tenant, "text", a.ID, "provider", string(by), "result", string(o.result), "code", o.code)
		if o.verdict() == untried {
			later = append(later, by)
		}
		if !o.passable() || len(queue) == 1 {
			return w.settle(ctx, a, by, o, later, now)
		}
		queue = queue[1:]
		wanted := false
		err := w.Store.Do(ctx, func(ctx context.Context, tx *store.Tx) (err error) {
			if err := recordRefusal(ctx, tx, a, by, o); err != nil {
				return err
			}
			wanted, err = text.Reroute(ctx, tx, a.ID, string(queue[0]))
			return err
		})
		if err != nil || !wanted {
			return err
		}
	}
}

func recordRefusal(ctx context.Context, tx *store.Tx, a text.Attempt, by tenant.Provider, o outcome) error {
	return tx.Record(ctx, a.Tenant, a.ID, "text.refused", string(by)+" "+string(o.result)+" "+o.code)
}

// settle records the last outcome. Later are the providers that did nothing but may do it later.
func (w *Worker) settle(ctx context.Context, a text.Attempt, by tenant.Provider, o outcome, later []tenant.Provider, now time.Time) error {
	v := o.verdict()
	putBack := v == untried || v == refused && o.passable() && len(later) > 0
	err := w.Store.Do(ctx, func(ctx context.Context, tx *store.Tx) error {
		switch {
		case v == taken:
			return accept(ctx, tx, a, by, o.id, o.record)
		case v == unsure:
			return text.LoseSight(ctx, tx, a.ID)
		}
		if err := recordRefusal(ctx, tx, a, by, o); err != nil {
			return err
		}
		if putBack {
			if err := text.Route(ctx, tx, a.ID, string(later[0])); err != nil {
				return err
			}
			return text.PutBack(ctx, tx, a.ID, text.Sending)
		}
		if o.result == optedOut {
			if err := text.OptOut(ctx, tx, a.Line, a.Phone); err != nil {
				return err
			}
		}
		return text.Refuse(ctx, tx, a.ID, o.code)
	})
	if err != nil || !putBack {
		return err
	}
	return again(a.Created, now)
}

// accept records that a provider has a text, and whose code counts if it says one.
func accept(ctx context.Context, tx *store.Tx, a text.Attempt, by tenant.Provider, providerID string, record func(context.Context, *store.Tx) error) error {
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

// findText does the job find_text: it looks for an unclear text in its provider's list, and has it sent again only when it is not there after the
// quarantine.
func (w *Worker) findText(ctx context.Context, id string) error {
	var (
		a       text.Attempt
		unclear bool
		now     time.Time
	)
	err := w.Store.Do(ctx, func(ctx context.Context, tx *store.Tx) (err error) {
		now = tx.Now()
		a, unclear, err = text.Find(ctx, tx, id)
		return err
	})
	if err != nil || !unclear {
		return err
	}
	t, known := w.sender(a)
	if !known {
		return w.Store.Do(ctx, func(ctx context.Context, tx *store.Tx) error { return text.Refuse(ctx, tx, id, "not configured") })
	}
	by := tenant.Provider(a.Provider)
	texts, err := w.provider(by).find(ctx, t, a)
	if err != nil {
		w.Log.Warn("cannot look for a text", "tenant", a.Tenant, "text", id, "error", err)
		return again(a.Began, now)
	}
	found := false
	err = w.Store.Do(ctx, func(ctx context.Context, tx *store.Tx) error {
		found = false
		for _, l := range texts {
			// A minute for the clocks; the provider's time has whole seconds.
			if l.body != a.Body || l.created.Before(a.Began.Add(-time.Minute)) {
				continue
			}
			claimed, err := text.Claimed(ctx, tx, a.Line.Account, l.id)
			if err != nil {
				return err
			}
			if !claimed {
				found = true
				return accept(ctx, tx, a, by, l.id, l.record)
			}
		}
		if now.Sub(a.Began) < text.Quarantine {
			return nil
		}
		if err := text.PutBack(ctx, tx, id, text.Unclear); err != nil {
			return err
		}
		tx.Enqueue(text.SendText{ID: id})
		return nil
	})
	if err != nil || found || now.Sub(a.Began) >= text.Quarantine {
		return err
	}
	return river.JobSnooze(text.Quarantine / 6)
}

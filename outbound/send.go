package outbound

import (
	"context"
	"time"

	"github.com/riverqueue/river"

	"smsbridge/internal/store"
	"smsbridge/internal/text"
)

// sendText does the job send_text: sending is on disk before Twilio is asked.
func (w *Worker) sendText(ctx context.Context, id string) error {
	var (
		a   text.Attempt
		due bool
		now time.Time
	)
	err := w.Store.Do(ctx, func(ctx context.Context, tx *store.Tx) (err error) {
		now = tx.Now()
		a, due, err = text.Begin(ctx, tx, id)
		return err
	})
	if err != nil || !due {
		return err
	}
	t, ok := w.Settings.Tenants.Tenant(a.Tenant)
	if !ok || t.Twilio.AccountSID != a.Line.Account {
		return w.Store.Do(ctx, func(ctx context.Context, tx *store.Tx) error { return text.Refuse(ctx, tx, id, "not configured") })
	}
	v, word := w.createText(t, a, now)
	err = w.Store.Do(context.WithoutCancel(ctx), func(ctx context.Context, tx *store.Tx) error {
		switch v {
		case taken:
			return text.Accept(ctx, tx, id, word)
		case refused:
			if word == codeOptedOut {
				if err := text.OptOut(ctx, tx, a.Line, a.Phone); err != nil {
					return err
				}
			}
			return text.Refuse(ctx, tx, id, word)
		case untried:
			return text.PutBack(ctx, tx, id, text.Sending)
		}
		return text.LoseSight(ctx, tx, id)
	})
	if err != nil {
		return err
	}
	switch v {
	case taken:
		w.Log.Info("text sent", "tenant", a.Tenant, "text", id)
	case untried:
		w.Log.Warn("Twilio did nothing, trying again", "tenant", a.Tenant, "text", id, "code", word)
		return again(a.Created, now)
	default:
		w.Log.Warn("text not sent for certain", "tenant", a.Tenant, "text", id, "code", word)
	}
	return nil
}

// findText does the job find_text: it looks for an unclear text in Twilio's list, and has it sent again only when it is not there after the
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
	t, ok := w.Settings.Tenants.Tenant(a.Tenant)
	if !ok {
		return w.Store.Do(ctx, func(ctx context.Context, tx *store.Tx) error { return text.Refuse(ctx, tx, id, "not configured") })
	}
	texts, err := w.listTexts(t, a)
	if err != nil {
		w.Log.Warn("cannot look for a text", "tenant", a.Tenant, "text", id, "error", err)
		return again(a.Began, now)
	}
	found := false
	err = w.Store.Do(ctx, func(ctx context.Context, tx *store.Tx) error {
		found = false
		for _, l := range texts {
			// A minute for the clocks; the provider's time has whole seconds.
			if l.body != a.Body || l.sender != a.Line.Sender || l.created.Before(a.Began.Add(-time.Minute)) {
				continue
			}
			claimed, err := text.Claimed(ctx, tx, a.Line.Account, l.id)
			if err != nil {
				return err
			}
			if !claimed {
				found = true
				return text.Accept(ctx, tx, id, l.id)
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

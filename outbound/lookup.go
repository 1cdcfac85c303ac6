package outbound

import (
	"context"
	"database/sql"
	"errors"
	"time"

	"smsbridge/internal/mail"
	"smsbridge/internal/store"
	"smsbridge/internal/store/db"
	"smsbridge/internal/tenant"
	"smsbridge/phonemail"
)

// lookUpPatience is how long a mail is looked for that a yes seems to answer: Mailgun's events may be visible late.
const lookUpPatience = 2 * time.Minute

// lookUpMail does the job look_up_mail: a phone said yes, nothing is known of a question to it, and at least one tenant on that line keeps its mails
// at Mailgun. The newest mail to the phone that is not older than a question lives is recorded as accepted and clicked; when there are mails of
// several tenants, none is, because the yes does not say which it means.
func (w *Worker) lookUpMail(ctx context.Context, id string) error {
	var (
		r   db.Reply
		now time.Time
	)
	err := w.Store.Do(ctx, func(ctx context.Context, tx *store.Tx) (err error) {
		now = tx.Now()
		r, err = tx.GetReply(ctx, id)
		return err
	})
	if errors.Is(err, sql.ErrNoRows) {
		return nil
	}
	if err != nil {
		return err
	}
	phone, _ := phonemail.ParseNumber(r.Phone) // judged before it was stored
	received := store.Time(r.ReceivedAt)
	var (
		owner *tenant.Tenant
		found stored
	)
	for _, t := range w.Settings.Tenants.BySender(r.Account, r.Sender) {
		if t.Mails.Keep != tenant.KeepMailgun {
			continue
		}
		s, err := w.searchStored(ctx, t, phone, received.Add(-t.Question.ValidFor), now,
			func(s stored) bool { return !s.at.After(received) })
		if errors.Is(err, errGone) {
			continue
		}
		if err != nil {
			w.Log.Warn("cannot look up a mail", "tenant", t.Slug, "reply", id, "error", err)
			return w.lookAgain(received, now)
		}
		if owner != nil {
			w.Log.Warn("mails of several tenants for one yes: none is clicked", "reply", id)
			return nil
		}
		owner, found = t, s
	}
	if owner == nil {
		return w.lookAgain(received, now)
	}
	return w.takeFound(ctx, owner, phone, found, received, now)
}

func (w *Worker) takeFound(ctx context.Context, t *tenant.Tenant, phone phonemail.Number, s stored, received, now time.Time) error {
	body, err := w.fetchStored(ctx, t, s.url)
	if err != nil {
		w.Log.Warn("cannot fetch a mail", "tenant", t.Slug, "error", err)
		return w.lookAgain(received, now)
	}
	finding, err := find(t, body)
	if err != nil {
		return nil
	}
	clicked := false
	err = w.Store.Do(ctx, func(ctx context.Context, tx *store.Tx) (err error) {
		clicked, err = mail.TakeFound(ctx, tx, t, mail.Found{Phone: phone, MessageID: s.messageID, MessageURL: s.url, StoredAt: s.at}, finding)
		return err
	})
	w.Log.Info("mail looked up", "tenant", t.Slug, "clicked", clicked)
	return err
}

// lookAgain has the look-up done once more while that may help, and then gives up silently: a yes out of the blue deserves no answer.
func (w *Worker) lookAgain(received, now time.Time) error {
	if now.Sub(received) > lookUpPatience {
		return nil
	}
	return again(received, now)
}

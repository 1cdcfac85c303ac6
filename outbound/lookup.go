package outbound

import (
	"context"
	"errors"

	"smsbridge/internal/mail"
	"smsbridge/internal/reply"
	"smsbridge/internal/sender"
	"smsbridge/internal/store"
	"smsbridge/internal/tenant"
)

// lookUpMail does the job look_up_mail: a phone said yes, the bridge knows no question to it, and
// at least one tenant on that line keeps its mails at Mailgun. It takes the newest mail to the
// phone, if that is not older than a question lives. The mail is recorded as accepted, and its link
// is clicked. When there are mails of several tenants, no link is clicked, because the yes does not
// say which mail it means.
func (w *Worker) lookUpMail(ctx context.Context, b begun[reply.Kept]) error {
	var (
		owner *tenant.Tenant
		found stored
		yes   = b.row
	)
	for _, t := range w.Settings.Tenants.ByLine(yes.Line) {
		if t.Mails.Keep != tenant.KeepMailgun {
			continue
		}
		before := func(s stored) bool { return !s.at.After(yes.At) }
		s, err := w.searchStored(ctx, t, yes.Phone, yes.At.Add(-t.Question.ValidFor), b.now, before)
		if errors.Is(err, errGone) {
			continue
		}
		if err != nil {
			w.Log.Warn("cannot look up a mail", "tenant", t.Slug, "reply", b.id, "error", err)
			return lookAgain(b)
		}
		if owner != nil {
			w.Log.Warn("mails of several tenants for one yes: none is clicked", "reply", b.id)
			return nil
		}
		owner, found = t, s
	}
	if owner == nil {
		return lookAgain(b)
	}
	return w.takeFound(ctx, owner, b, found)
}

func (w *Worker) takeFound(
	ctx context.Context, t *tenant.Tenant, b begun[reply.Kept], s stored,
) error {
	body, err := w.fetchStored(ctx, t, s.url)
	if err != nil {
		w.Log.Warn("cannot fetch a mail", "tenant", t.Slug, "error", err)
		return lookAgain(b)
	}
	if _, err := w.proveSender(ctx, t, mail.Mail{
		Phone: b.row.Phone, MessageID: s.messageID, PostedAt: s.at,
	}, body, b.now); errors.Is(err, sender.ErrLookUp) {
		return lookAgain(b)
	} else if err != nil {
		return nil
	}
	finding, err := find(t, body)
	if err != nil {
		return nil
	}
	m := mail.Found{Phone: b.row.Phone, MessageID: s.messageID, MessageURL: s.url, StoredAt: s.at}
	clicked := false
	err = w.record(ctx, func(ctx context.Context, tx *store.Tx) (err error) {
		clicked, err = mail.TakeFound(ctx, tx, t, m, finding)
		return err
	})
	w.Log.Info("mail looked up", "tenant", t.Slug, "clicked", clicked)
	return err
}

// lookAgain has the look-up done once more while the job has patience. After that it ends in
// silence: a phone that says yes to nothing is not texted.
func lookAgain(b begun[reply.Kept]) error {
	if !b.patient(b.row.At) {
		return nil
	}
	return b.again(b.row.At)
}

package outbound

import (
	"context"
	"errors"

	"smsbridge/internal/mail"
	"smsbridge/internal/reply"
	"smsbridge/internal/store"
	"smsbridge/internal/tenant"
)

// answerTest does the job answer_test: a test number answers as its tenant set.
func (w *Worker) answerTest(ctx context.Context, tx *store.Tx, id string) error {
	return reply.AnswerTest(ctx, tx, w.settings().Tenants, id)
}

// lookUpMail does the job look_up_mail: a phone said yes, the bridge knows no question to it, and
// at least one tenant on that line keeps its mails at Mailgun. For each such tenant it takes the
// newest mail to the phone, if that is not older than a question lives. The mail is examined like
// any other, and the phone is asked about it. No link is clicked because of this yes: it may have
// been meant for another mail, and any sender can have one stored.
func (w *Worker) lookUpMail(ctx context.Context, b begun[reply.Kept]) error {
	found, failed := false, false
	for _, t := range w.settings().Tenants.ByLine(b.row.Line) {
		if t.Mails.Keep != tenant.KeepMailgun {
			continue
		}
		since, before := b.row.At.Add(-t.Question.ValidFor), func(s stored) bool {
			return !s.at.After(b.row.At)
		}
		s, err := w.searchStored(ctx, t, b.row.Phone, since, b.now, before)
		if errors.Is(err, errGone) {
			continue
		}
		if err != nil {
			w.Log.Warn("cannot look up a mail", "tenant", t.Slug, "reply", b.id, "error", err)
			failed = true
			continue
		}
		if err := w.takeFound(ctx, t, s); err != nil {
			return err
		}
		found = true
	}
	if failed || !found {
		return lookAgain(b)
	}
	return nil
}

// takeFound has a mail that was found examined. It is recorded once, however often it is found.
func (w *Worker) takeFound(ctx context.Context, t *tenant.Tenant, s stored) error {
	m := mail.Found{To: s.to, MessageID: s.messageID, MessageURL: s.url, StoredAt: s.at}
	news := false
	err := w.record(ctx, func(ctx context.Context, tx *store.Tx) (err error) {
		news, err = mail.TakeFound(ctx, tx, t, m)
		return err
	})
	w.Log.Info("mail looked up", "tenant", t.Slug, "new", news)
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

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
// been meant for another mail, and any sender can have one stored. So one whose Message-Id cannot
// be recorded is passed over: it must not hide the mail that the phone waits for.
func (w *Worker) lookUpMail(ctx context.Context, b begun[reply.Kept]) error {
	found, failed := false, false
	for _, t := range w.settings().Tenants.ByLine(b.row.Line) {
		if t.Mails.Keep != tenant.KeepMailgun {
			continue
		}
		since, before := b.row.At.Add(-t.Question.ValidFor), func(s stored) bool {
			return !s.at.After(b.row.At) && mail.IsMessageID(s.messageID)
		}
		s, err := w.searchStored(ctx, t, b.row.Phone, since, b.now, before)
		if errors.Is(err, errGone) {
			continue
		}
		if err != nil {
			w.about(t.Slug, b.id, b.row.Phone).Warn("cannot look up a mail", "error", err)
			failed = true
			continue
		}
		if err := w.takeFound(ctx, t, s, b.id); err != nil {
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
func (w *Worker) takeFound(
	ctx context.Context, t *tenant.Tenant, s stored, replyID string,
) error {
	m := mail.Found{To: s.to, MessageID: s.messageID, MessageURL: s.url, StoredAt: s.at}
	news := false
	err := w.record(ctx, func(ctx context.Context, tx *store.Tx) (err error) {
		news, err = mail.TakeFound(ctx, tx, t, m)
		return err
	})
	if err == nil {
		w.about(t.Slug, replyID, s.to.Phone).Info("mail looked up", "new", news)
	}
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

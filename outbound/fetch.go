package outbound

import (
	"context"
	"errors"
	"time"

	"smsbridge/internal/mail"
	"smsbridge/internal/store"
	"smsbridge/internal/tenant"
)

// fetchMail fetches a mail that Mailgun keeps: from where the webhook said it is, or from where
// Mailgun's events say. It returns no other mail, wherever a webhook points to.
func (w *Worker) fetchMail(
	ctx context.Context, t *tenant.Tenant, m mail.Mail, now time.Time,
) (mail.Body, error) {
	if m.MessageURL != "" {
		body, err := w.fetchStored(ctx, t, m, m.MessageURL)
		if !errors.Is(err, errURL) && !errors.Is(err, errOther) {
			return body, err
		}
	}
	same := func(s stored) bool { return m.Is(s.messageID, []mail.Recipient{s.to}) }
	s, err := w.searchStored(ctx, t, m.Phone, m.PostedAt.Add(-t.Question.ValidFor), now, same)
	if err != nil {
		return mail.Body{}, err
	}
	return w.fetchStored(ctx, t, m, s.url)
}

// findMail begins the job delete_mail.
func findMail(ctx context.Context, tx store.View, id string) (mail.Mail, bool, error) {
	m, _, err := mail.Get(ctx, tx, id)
	return m, err == nil && m.MessageURL != "", err
}

// deleteMail does the job delete_mail, as far as Mailgun allows.
func (w *Worker) deleteMail(ctx context.Context, b begun[mail.Mail]) error {
	t, known := w.settings().Tenants.Tenant(b.row.Tenant)
	if !known {
		return nil
	}
	became, err := w.deleteStored(ctx, t, b.row, b.row.MessageURL)
	if err != nil {
		if !b.patient(b.row.PostedAt) {
			return err
		}
		w.about(t.Slug, b.row.ID, b.row.Phone).Warn("Mailgun did not delete a mail", "error", err)
		return b.again(b.row.PostedAt)
	}
	return w.record(ctx, func(ctx context.Context, tx *store.Tx) error {
		return mail.RecordDeletion(ctx, tx, b.row, became)
	})
}

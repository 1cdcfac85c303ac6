package outbound

import (
	"context"
	"errors"
	"strings"

	"smsbridge/internal/mail"
	"smsbridge/internal/meter"
	"smsbridge/internal/sender"
	"smsbridge/internal/store"
	"smsbridge/internal/tenant"
	"smsbridge/linkclick"
)

// examineMail does the job examine_mail: it finds the link or code in a mail and tells the rule.
func (w *Worker) examineMail(ctx context.Context, b begun[mail.Mail]) error {
	m := b.row
	t, known := w.Settings.Tenants.Tenant(m.Tenant)
	if !known {
		return w.refuseMail(ctx, m, "the tenant is not configured any more")
	}
	body, from, err := w.genuine(ctx, t, m, b.now)
	var refused sender.Refusal
	switch {
	case errors.As(err, &refused):
		return w.refuseMail(ctx, m, string(refused))
	case err != nil:
		w.Log.Warn("cannot fetch a mail or its sender's key",
			"tenant", m.Tenant, "mail", m.ID, "error", err)
		// A failure of Mailgun or of the DNS says nothing about the mail. The job waits for them as
		// long as the mail is worth a question.
		trouble := !errors.Is(err, errGone) && !errors.Is(err, errOther) &&
			b.now.Sub(m.PostedAt) < t.Question.ValidFor
		if b.patient(m.PostedAt) || trouble {
			return b.again(m.PostedAt)
		}
		return w.refuseMail(ctx, m, err.Error())
	}
	finding, err := find(t, body)
	if err != nil {
		return w.refuseMail(ctx, m, "the mail cannot be read")
	}
	finding.Sender = from
	w.Log.Info("mail examined", "tenant", m.Tenant, "mail", m.ID,
		"kind", finding.Kind, "found", finding.Link != "" || finding.Code != "")
	w.Meter.Stage(meter.Examined, w.Meter.Now().Sub(m.PostedAt))
	return w.recordAndText(ctx, func(ctx context.Context, tx *store.Tx) error {
		return mail.Examine(ctx, tx, t, m, finding)
	})
}

func (w *Worker) refuseMail(ctx context.Context, m mail.Mail, reason string) error {
	return w.record(ctx, func(ctx context.Context, tx *store.Tx) error {
		return mail.Refuse(ctx, tx, m, "", reason)
	})
}

// find reads a mail and finds the one link in it.
func find(t *tenant.Tenant, body mail.Body) (mail.Finding, error) {
	m := linkclick.Mail{Subject: body.Subject, From: body.From, Text: body.Text, HTML: body.HTML}
	if body.MIME != "" {
		var err error
		if m, err = linkclick.ReadMIME(strings.NewReader(body.MIME)); err != nil {
			return mail.Finding{}, err
		}
	}
	rule := Rule(t)
	f := linkclick.Find(m, rule)
	language := ""
	if !t.LanguagePinned {
		language = mailLanguage(m)
	}
	return mail.Finding{
		Kind: string(f.Kind), Link: f.URL, Code: f.Code, Reason: f.Why(),
		NeedsPerson: rule.NeedsPerson(f), Language: language,
	}, nil
}

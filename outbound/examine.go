package outbound

import (
	"context"
	"errors"
	"log/slog"
	"strings"

	"smsbridge/internal/mail"
	"smsbridge/internal/meter"
	"smsbridge/internal/rehearsal"
	"smsbridge/internal/sender"
	"smsbridge/internal/store"
	"smsbridge/internal/tenant"
	"smsbridge/internal/trace"
	"smsbridge/linkclick"
)

// examineMail does the job examine_mail: it finds the link or code in a mail and tells the rule.
func (w *Worker) examineMail(ctx context.Context, b begun[mail.Mail]) error {
	m := b.row
	t, known := w.settings().Tenants.Tenant(m.Tenant)
	if !known {
		return w.refuseMail(ctx, m, slog.LevelWarn, "the tenant is not configured any more")
	}
	if rehearsal.Is(m.Body.MIME) {
		t = rehearsal.Of(t, w.settings().PublicURL)
	}
	body, from, err := w.genuine(ctx, t, m, b.now)
	var refused sender.Refusal
	switch {
	case errors.As(err, &refused): // any stranger can mail, and must not fill the log with warnings
		return w.refuseMail(ctx, m, slog.LevelInfo, string(refused))
	case err != nil:
		w.about(m.Tenant, m.ID, m.Phone).Warn("cannot fetch a mail or its sender's key", "error", err)
		// A failure of Mailgun or of the DNS says nothing about the mail. The job waits for them as
		// long as the mail is worth a question.
		trouble := !errors.Is(err, errGone) && !errors.Is(err, errOther) &&
			b.now.Sub(m.PostedAt) < t.Question.ValidFor
		if b.patient(m.PostedAt) || trouble {
			return b.again(m.PostedAt)
		}
		return w.refuseMail(ctx, m, slog.LevelWarn, err.Error())
	}
	finding, err := find(t, body)
	if err != nil {
		return w.refuseMail(ctx, m, slog.LevelWarn, "the mail cannot be read")
	}
	finding.Sender = from
	w.Meter.Stage(meter.Examined, w.Meter.Now().Sub(m.PostedAt))
	var v mail.Verdict
	return w.recordAndText(ctx, func(ctx context.Context, tx *store.Tx) (err error) {
		v, err = mail.Examine(ctx, tx, t, m, finding)
		return err
	}, func() {
		examined(ctx, m, finding.Kind, v)
		w.logExamined(m, finding, v)
	})
}

// logExamined says what an examination made of a mail.
func (w *Worker) logExamined(m mail.Mail, f mail.Finding, v mail.Verdict) {
	switch v.Did {
	case mail.Asking, mail.Relaying:
		w.about(m.Tenant, v.Case, m.Phone).Info("mail examined", "kind", f.Kind, "did", string(v.Did))
	case mail.Joining:
		w.about(m.Tenant, v.Case, m.Phone).Info("mail examined", "kind", f.Kind,
			"did", string(v.Did), "mail", m.ID)
	case mail.Refusing:
		w.about(m.Tenant, v.Case, m.Phone).Warn("mail refused", "kind", f.Kind, "reason", v.Reason)
	}
}

func (w *Worker) refuseMail(
	ctx context.Context, m mail.Mail, level slog.Level, reason string,
) error {
	err := w.record(ctx, func(ctx context.Context, tx *store.Tx) error {
		return mail.Refuse(ctx, tx, m, reason)
	})
	if err == nil {
		trace.Of(ctx).Set("smsbridge.reason", reason)
		w.about(m.Tenant, m.ID, m.Phone).Log(ctx, level, "mail refused", "reason", reason)
	}
	return err
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
	found := mail.Finding{
		Kind: string(f.Kind), Link: f.URL, Code: f.Code, Reason: f.Why(),
		NeedsPerson: rule.NeedsPerson(f), Language: language, Provider: f.Provider,
	}
	for _, c := range f.Candidates {
		found.Links = append(found.Links, mail.Link{
			Place: c.Place(), Chosen: c.URL == f.URL, Why: c.Reasons,
		})
	}
	return found, nil
}

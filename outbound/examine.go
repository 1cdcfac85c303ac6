package outbound

import (
	"context"
	"errors"
	"strings"
	"time"

	"smsbridge/internal/mail"
	"smsbridge/internal/store"
	"smsbridge/internal/tenant"
	"smsbridge/linkclick"
)

// fetchPatience is how long a mail that Mailgun keeps is looked for before it counts as gone: its events may be visible late.
const fetchPatience = 5 * time.Minute

// examineMail does the job examine_mail.
func (w *Worker) examineMail(ctx context.Context, id string) error {
	var (
		m       mail.Mail
		pending bool
		now     time.Time
	)
	err := w.Store.Do(ctx, func(ctx context.Context, tx *store.Tx) (err error) {
		now = tx.Now()
		m, pending, err = mail.Pending(ctx, tx, id)
		return err
	})
	if err != nil || !pending {
		return err
	}
	t, ok := w.Settings.Tenants.Tenant(m.Tenant)
	if !ok {
		return w.refuseMail(ctx, m, "the tenant is not configured any more")
	}
	body := m.Body
	if !m.HasBody {
		body, err = w.fetchMail(ctx, t, m, now)
		if err != nil {
			w.Log.Warn("cannot fetch a mail", "tenant", m.Tenant, "mail", id, "error", err)
			if now.Sub(m.PostedAt) < fetchPatience || !errors.Is(err, errGone) &&
				now.Sub(m.PostedAt) < t.Question.ValidFor {
				return again(m.PostedAt, now)
			}
			return w.refuseMail(ctx, m, err.Error())
		}
	}
	finding, err := find(t, body)
	if err != nil {
		return w.refuseMail(ctx, m, "the mail cannot be read")
	}
	w.Log.Info("mail examined", "tenant", m.Tenant, "mail", id, "kind", finding.Kind, "found", finding.Link != "" || finding.Code != "")
	return w.Store.Do(ctx, func(ctx context.Context, tx *store.Tx) error { return mail.Examine(ctx, tx, t, m, finding) })
}

func (w *Worker) refuseMail(ctx context.Context, m mail.Mail, reason string) error {
	return w.Store.Do(ctx, func(ctx context.Context, tx *store.Tx) error { return mail.Refuse(ctx, tx, m, "", reason) })
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
	f := linkclick.Find(m, Rule(t))
	return mail.Finding{Kind: string(f.Kind), Link: f.URL, Code: f.Code, Reason: f.Reason}, nil
}

// Rule is a tenant's link rule. Its Check says whether the settings can work.
func Rule(t *tenant.Tenant) linkclick.Rule {
	return linkclick.Rule{
		Hosts: t.Links.IdPHosts, UnsafeAllow: t.Links.UnsafeAllow,
		Paths: t.Links.Paths, Wrappers: t.Links.Wrappers, Recipe: t.Links.Recipe, API: t.Links.API, Token: t.Links.Token.Reveal(),
	}
}

// fetchMail fetches a mail that Mailgun keeps: from where the webhook said it is, or from where the events say.
func (w *Worker) fetchMail(ctx context.Context, t *tenant.Tenant, m mail.Mail, now time.Time) (mail.Body, error) {
	if m.MessageURL != "" {
		body, err := w.fetchStored(ctx, t, m.MessageURL)
		if err == nil || !errors.Is(err, errURL) {
			return body, err
		}
	}
	s, err := w.searchStored(ctx, t, m.Phone, m.PostedAt.Add(-t.Question.ValidFor), now,
		func(s stored) bool { return s.messageID == m.MessageID })
	if err != nil {
		return mail.Body{}, err
	}
	return w.fetchStored(ctx, t, s.url)
}

// deleteMail does the job delete_mail, as far as Mailgun lets us.
func (w *Worker) deleteMail(ctx context.Context, id string) error {
	var m mail.Mail
	err := w.Store.Do(ctx, func(ctx context.Context, tx *store.Tx) (err error) {
		m, _, err = mail.Get(ctx, tx, id)
		return err
	})
	if err != nil {
		return err
	}
	t, ok := w.Settings.Tenants.Tenant(m.Tenant)
	if !ok || m.MessageURL == "" {
		return nil
	}
	if err := w.deleteStored(ctx, t, m.MessageURL); err != nil {
		return err
	}
	return w.Store.Do(ctx, func(ctx context.Context, tx *store.Tx) error { return mail.Deleted(ctx, tx, m) })
}

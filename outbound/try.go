package outbound

import (
	"context"
	"errors"
	netmail "net/mail"
	"strings"
	"time"

	"smsbridge/internal/mail"
	"smsbridge/internal/rehearsal"
	"smsbridge/internal/sender"
	"smsbridge/internal/store"
	"smsbridge/internal/tenant"
)

// TryMail says what would come of a mail, by the rules that examineMail asks. It looks up the keys
// of signatures in the DNS. Beside that nothing leaves, and nothing is kept.
//
// A saved mail is usually older than the hour in which a mail must come. So it is judged as if it
// had come at the time of its own Date.
func (w *Worker) TryMail(ctx context.Context, f mail.File) (mail.Trial, error) {
	var now time.Time
	err := w.Store.Read(ctx, func(_ context.Context, view store.View) error {
		now = view.Now()
		return nil
	})
	if err != nil {
		return mail.Trial{}, err
	}
	m, tried, err := w.received(f, now)
	if err != nil {
		return tried, err
	}
	_, from, err := w.genuine(ctx, tried.Tenant, m, now)
	var refused sender.Refusal
	switch {
	case errors.As(err, &refused):
		tried.Unproved = string(refused)
	case err != nil:
		tried.Unproved = err.Error()
	}
	if tried.Finding, err = find(tried.Tenant, m.Body); err != nil {
		return tried, mail.ErrNoMail
	}
	tried.Finding.Sender = from
	err = w.Store.Try(ctx, func(ctx context.Context, tx *store.Tx) (err error) {
		tried, err = mail.Try(ctx, tx, m, tried)
		return err
	})
	return tried, err
}

// received is the mail of a file as it would be received.
func (w *Worker) received(f mail.File, now time.Time) (mail.Mail, mail.Trial, error) {
	read, err := netmail.ReadMessage(strings.NewReader(f.MIME))
	if err != nil {
		return mail.Mail{}, mail.Trial{}, mail.ErrNoMail
	}
	t, to, ok := addressee(w.settings().Tenants, f, read.Header)
	if !ok {
		return mail.Mail{}, mail.Trial{}, mail.ErrNoAddress
	}
	id := sender.MessageID(f.MIME)
	if !mail.IsMessageID(id) {
		return mail.Mail{}, mail.Trial{}, mail.ErrBadID
	}
	if date, err := read.Header.Date(); err == nil && date.Before(now) {
		now = date
	}
	if rehearsal.Is(f.MIME) {
		t = rehearsal.Of(t, w.settings().PublicURL)
	}
	m := mail.Mail{
		ID: store.NewID(), Tenant: t.Slug, Phone: to.Phone, Recipient: to.Address,
		MessageID: id, PostedAt: now, HasBody: true,
		Body: mail.Body{
			MIME: f.MIME, Envelope: strings.Trim(read.Header.Get("Return-Path"), "<> "),
		},
	}
	return m, mail.Trial{
		Tenant: t, To: to, PostedAt: now, Signers: sender.Signers(f.MIME),
	}, nil
}

// addressee is the tenant and the phone that a mail is for: by the address that the operator gives,
// else by the first one in its header that is a phone's.
func addressee(
	tenants tenant.Set, f mail.File, h netmail.Header,
) (*tenant.Tenant, mail.Recipient, bool) {
	addresses := []string{strings.TrimSpace(f.Address)}
	if addresses[0] == "" {
		addresses = nil
		for _, name := range []string{"Delivered-To", "To"} {
			list, _ := h.AddressList(name) // what cannot be read names no phone
			for _, a := range list {
				addresses = append(addresses, a.Address)
			}
		}
	}
	for _, address := range addresses {
		for _, t := range tenants.All() {
			n, err := t.Address.Number(address)
			if err == nil && (f.Tenant == "" || f.Tenant == t.Slug) {
				return t, mail.To(n, address), true
			}
		}
	}
	return nil, mail.Recipient{}, false
}

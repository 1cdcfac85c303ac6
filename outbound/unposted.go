package outbound

import (
	"context"
	"time"

	"smsbridge/internal/mail"
	"smsbridge/internal/store"
	"smsbridge/internal/tenant"
)

const (
	// unpostedWithin is how old the mails are that are compared.
	unpostedWithin = time.Hour
	// unpostedGrace is how long Mailgun may take to post a mail, and to list it among its events.
	unpostedGrace = 5 * time.Minute
	// unpostedPages bounds how many pages of events are read: 1,200 mails.
	unpostedPages = 4
)

// Unposted compares the mails to phones that Mailgun stored in the last hour with those that came
// here. Missing are those that never came, although Mailgun has had the time to post them. A mail
// without a Message-Id is not compared, nor one with a Message-Id for which the door refuses it.
func (w *Worker) Unposted(ctx context.Context, t *tenant.Tenant) (kept, missing int, err error) {
	var now time.Time
	err = w.Store.Read(ctx, func(_ context.Context, view store.View) error {
		now = view.Now()
		return nil
	})
	if err != nil {
		return 0, 0, err
	}
	since := now.Add(-unpostedWithin)
	at, seen := firstEvents(t, since, now), map[string]bool{}
	for range unpostedPages {
		page, err := w.events(ctx, t, at)
		if err != nil {
			return 0, 0, err
		}
		if len(page.Items) == 0 {
			break
		}
		for _, s := range page.stored(t, since) {
			one := s.messageID + " " + s.to.Phone.E164()
			compared := s.messageID != "" && mail.IsMessageID(s.messageID)
			if !compared || seen[one] || now.Sub(s.at) < unpostedGrace {
				continue
			}
			seen[one] = true
			kept++
			came, err := w.came(ctx, t, s)
			if err != nil {
				return 0, 0, err
			}
			if !came {
				missing++
			}
		}
		at = page.Paging.Next
	}
	return kept, missing, nil
}

// came reports whether a stored mail was posted here.
func (w *Worker) came(ctx context.Context, t *tenant.Tenant, s stored) (came bool, err error) {
	err = w.Store.Read(ctx, func(ctx context.Context, view store.View) (err error) {
		came, err = mail.Came(ctx, view, t.Slug, s.messageID, s.to.Phone)
		return err
	})
	return came, err
}

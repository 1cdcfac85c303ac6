package outbound

import (
	"context"
	"errors"
	"time"

	"smsbridge/internal/challenge"
	"smsbridge/internal/mail"
	"smsbridge/internal/store"
	"smsbridge/internal/store/db"
	"smsbridge/internal/tenant"
	"smsbridge/internal/text"
	"smsbridge/internal/wording"
	"smsbridge/linkclick"
)

// clickPatience is how long after its yes an identity provider that does not answer, or a mail that cannot be fetched, is tried again.
const clickPatience = 5 * time.Minute

// clickLink does the job click_link.
func (w *Worker) clickLink(ctx context.Context, id string) error {
	var (
		c   challenge.Click
		due bool
		now time.Time
	)
	err := w.Store.Do(ctx, func(ctx context.Context, tx *store.Tx) (err error) {
		now = tx.Now()
		c, due, err = challenge.BeginClick(ctx, tx, id)
		return err
	})
	if err != nil || !due {
		return err
	}
	t, ok := w.Settings.Tenants.Tenant(c.Challenge.Tenant)
	if !ok {
		return w.finish(ctx, nil, c, linkclick.OutcomeUnknown)
	}
	if c.Spent {
		return w.finish(ctx, t, c, w.prove(ctx, t, c, linkclick.OutcomeUnknown))
	}
	patient := now.Sub(store.Time(c.Challenge.AcceptedAt)) < clickPatience
	if c.Link == "" {
		c.Link, err = w.fetchLink(ctx, t, c.Challenge, now)
		if err != nil {
			w.Log.Warn("cannot fetch a link", "tenant", t.Slug, "challenge", id, "error", err)
			if patient && !errors.Is(err, errNoLink) {
				return w.putBack(ctx, c, now)
			}
			return w.finish(ctx, t, c, linkclick.OutcomeExpired)
		}
	}
	result := (&linkclick.Clicker{Rule: Rule(t)}).Click(ctx, c.Link, func() error {
		return w.Store.Do(ctx, func(ctx context.Context, tx *store.Tx) error { return challenge.Submit(ctx, tx, id) })
	})
	w.Log.Info("link clicked", "tenant", t.Slug, "challenge", id, "outcome", string(result.Outcome), "reason", result.Reason, "steps", len(result.Steps))
	if result.Outcome == linkclick.OutcomeUnreachable && !result.Sent && patient && retryable(result.Reason) {
		return w.putBack(ctx, c, now)
	}
	return w.finish(ctx, t, c, w.prove(ctx, t, c, result.Outcome))
}

// prove asks the identity provider's own API, where the tenant gave access to it, about a click whose answer left open whether the account is
// confirmed.
func (w *Worker) prove(ctx context.Context, t *tenant.Tenant, c challenge.Click, o linkclick.Outcome) linkclick.Outcome {
	open := o == linkclick.OutcomeUnknown || o == linkclick.OutcomeUsed || o == linkclick.OutcomeNeedsUser
	if t.Proof.Kind == "" || !open || challenge.Purpose(c.Challenge.Purpose) != challenge.Registration {
		return o
	}
	verified, err := w.proved(ctx, t.Proof, t.Address.Address(challenge.Phone(c.Challenge)))
	if err != nil {
		w.Log.Warn("the identity provider's API does not say whether the address is verified", "tenant", t.Slug, "challenge", c.Challenge.ID, "error", err)
		return o
	}
	if !verified {
		return o
	}
	return linkclick.OutcomeAlready
}

// retryable reports whether a click that reached nobody may come to another end when it is tried again.
func retryable(reason string) bool {
	return reason == linkclick.ReasonConnect || reason == linkclick.ReasonTimeout || reason == linkclick.ReasonNoAnswer
}

func (w *Worker) putBack(ctx context.Context, c challenge.Click, now time.Time) error {
	if err := w.Store.Do(context.WithoutCancel(ctx), func(ctx context.Context, tx *store.Tx) error { return challenge.PutBack(ctx, tx, c) }); err != nil {
		return err
	}
	return again(store.Time(c.Challenge.AcceptedAt), now)
}

// finish ends a clicked challenge, tells its phone and has the mail deleted at Mailgun, in one transaction. An outcome is on disk even when the
// process is asked to stop meanwhile. Without a tenant there are no words to tell it in.
func (w *Worker) finish(ctx context.Context, t *tenant.Tenant, c challenge.Click, o linkclick.Outcome) error {
	if o == linkclick.OutcomeUsed && c.Again {
		o = linkclick.OutcomeAlready // by our own click, which was interrupted before we heard how it ended
	}
	confirmed := o == linkclick.OutcomeConfirmed || o == linkclick.OutcomeAlready
	return w.Store.Do(context.WithoutCancel(ctx), func(ctx context.Context, tx *store.Tx) error {
		err := challenge.Finish(ctx, tx, c, confirmed, string(o))
		if errors.Is(err, challenge.ErrGone) {
			return nil
		}
		if err != nil {
			return err
		}
		tx.Enqueue(mail.DeleteMail{ID: c.Challenge.MailID})
		if t == nil {
			return nil
		}
		return challenge.Tell(ctx, tx, c.Challenge, text.Outcome,
			t.Say(challenge.Saying(challenge.Purpose(c.Challenge.Purpose), string(o)), wording.Fill{}))
	})
}

// errNoLink says that a mail was fetched and has no link to click, which does not change.
var errNoLink = errors.New("the fetched mail has no link to click")

// fetchLink finds the link of a challenge that we hold none of: Mailgun keeps it by choice, or ours cannot be opened any more.
func (w *Worker) fetchLink(ctx context.Context, t *tenant.Tenant, c db.Challenge, now time.Time) (string, error) {
	var m mail.Mail
	err := w.Store.Do(ctx, func(ctx context.Context, tx *store.Tx) (err error) {
		m, _, err = mail.Get(ctx, tx, c.MailID)
		return err
	})
	if err != nil {
		return "", err
	}
	body, err := w.fetchMail(ctx, t, m, now)
	if err != nil {
		return "", err
	}
	finding, err := find(t, body)
	if err != nil {
		return "", errNoLink
	}
	if d := mail.Decide(t, m.Phone, finding); d.Do != tenant.Ask || string(d.Purpose) != c.Purpose {
		return "", errNoLink
	}
	return finding.Link, nil
}

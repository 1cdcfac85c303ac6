package outbound

import (
	"cmp"
	"context"
	"errors"
	"log/slog"
	"time"

	"smsbridge/internal/challenge"
	"smsbridge/internal/mail"
	"smsbridge/internal/rehearsal"
	"smsbridge/internal/store"
	"smsbridge/internal/tenant"
	"smsbridge/internal/trace"
	"smsbridge/linkclick"
)

// clickLink does the job click_link: it opens the link of an accepted challenge and tells the rule
// what came of it.
func (w *Worker) clickLink(ctx context.Context, b begun[challenge.Click]) error {
	c := b.row
	t, known := w.settings().Tenants.Tenant(c.Challenge.Tenant)
	if !known {
		return w.finish(ctx, nil, c, linkclick.OutcomeUnknown)
	}
	if c.Challenge.Author == rehearsal.From {
		t = rehearsal.Of(t, w.settings().PublicURL)
	}
	clicker := &linkclick.Clicker{Rule: Rule(t), Kind: kindOf(c)}
	if c.Spent {
		c.GoOn = clicker.GoOn(c.Link)
		return w.finish(ctx, t, c, w.prove(ctx, t, c, linkclick.OutcomeUnknown))
	}
	patient := b.patient(c.Challenge.Accepted)
	if c.Link == "" {
		var err error
		c.Link, err = w.fetchLink(ctx, t, c, b.now)
		if err != nil {
			w.ofQuestion(c.Challenge).Warn("cannot fetch a link", "error", err)
			if patient && !errors.Is(err, errNoLink) {
				return w.putBack(ctx, c, b)
			}
			return w.finish(ctx, t, c, linkclick.OutcomeExpired)
		}
	}
	span := trace.Child(ctx, "click", trace.Call)
	began := w.Meter.Now()
	result := clicker.Click(ctx, c.Link, func() error {
		return w.Store.Do(ctx, func(ctx context.Context, tx *store.Tx) error {
			return challenge.Submit(ctx, tx, b.id, c.Challenge.MailID)
		})
	})
	endClicked(span, result)
	w.logClick(c.Challenge, result)
	c.Went = courseOf(result)
	w.clicked(t.Slug, result, began)
	if !result.Sent && patient && retryable(result.Reason) {
		return w.putBack(ctx, c, b)
	}
	c.GoOn = result.GoOn
	return w.finish(ctx, t, c, w.prove(ctx, t, c, result.Outcome))
}

// logClick says how a click went. One that did not confirm is a warning.
func (w *Worker) logClick(c challenge.Challenge, r linkclick.Result) {
	level, what := slog.LevelWarn, "link clicked in vain"
	if r.Succeeded() {
		level, what = slog.LevelInfo, "link clicked"
	}
	w.ofQuestion(c).Log(context.Background(), level, what,
		"outcome", string(r.Outcome), "reason", r.Reason, "steps", len(r.Steps))
}

// courseOf is how a click went, as its row keeps it.
func courseOf(r linkclick.Result) challenge.Try {
	went := challenge.Try{Outcome: challenge.Outcome(r.Outcome), Reason: r.Reason}
	for _, s := range r.Steps {
		went.Steps = append(went.Steps, challenge.Step(s))
	}
	return went
}

// kindOf is the kind of the mail that a click is about.
func kindOf(c challenge.Click) linkclick.Kind {
	if c.Challenge.Purpose == challenge.Password {
		return linkclick.KindReset
	}
	return linkclick.KindVerify
}

// prove asks the identity provider's own API about a click whose response left open whether the
// account is confirmed. It asks only where the tenant gave access to that API. It asks about the
// very address that the mail was for: an identity provider may have an account for each spelling,
// and one of them may be an attacker's. Questions of older versions kept no address; those are
// about the tenant's own spelling.
func (w *Worker) prove(
	ctx context.Context, t *tenant.Tenant, c challenge.Click, o linkclick.Outcome,
) linkclick.Outcome {
	open := o == linkclick.OutcomeUnknown || o == linkclick.OutcomeUsed ||
		o == linkclick.OutcomeNeedsUser
	registers := c.Challenge.Purpose == challenge.Registration
	if t.Proof.Kind == "" || !open || !registers {
		return o
	}
	address := cmp.Or(c.Challenge.Recipient, t.Address.Address(c.Challenge.Phone))
	verified, err := w.proved(ctx, t.Proof, address)
	if err != nil {
		w.ofQuestion(c.Challenge).Warn(
			"the identity provider's API does not say whether the address is verified", "error", err)
		return o
	}
	if !verified {
		return o
	}
	return linkclick.OutcomeAlready
}

// retryable reports whether a click that reached no server may end otherwise when it is tried
// again.
func retryable(reason string) bool {
	return reason == linkclick.ReasonConnect || reason == linkclick.ReasonTimeout
}

// putBack has a click tried again when nothing of it reached the identity provider.
func (w *Worker) putBack(ctx context.Context, c challenge.Click, b begun[challenge.Click]) error {
	err := w.record(ctx, func(ctx context.Context, tx *store.Tx) error {
		return challenge.PutBack(ctx, tx, c)
	})
	if err != nil {
		return err
	}
	return b.again(c.Challenge.Accepted)
}

// finish ends a clicked challenge, tells its phone and has the mail deleted at Mailgun, in one
// transaction. The outcome is on disk even when the process is asked to stop meanwhile. Without a
// tenant there are no words to tell it in.
func (w *Worker) finish(
	ctx context.Context, t *tenant.Tenant, c challenge.Click, o linkclick.Outcome,
) error {
	return w.recordAndText(ctx, func(ctx context.Context, tx *store.Tx) error {
		return endClick(ctx, tx, t, c, o)
	}, func() { w.ended(c.Challenge) })
}

// endClick is what finish does in its transaction.
func endClick(
	ctx context.Context, tx *store.Tx, t *tenant.Tenant, c challenge.Click, o linkclick.Outcome,
) error {
	err := challenge.Finish(ctx, tx, t, c, challenge.Outcome(o))
	if errors.Is(err, challenge.ErrGone) {
		return nil
	}
	if err == nil {
		tx.Enqueue(mail.DeleteMail{ID: c.Challenge.MailID})
	}
	return err
}

// errNoLink says that a mail was fetched and does not have the link that the phone was asked about.
// That does not change.
var errNoLink = errors.New("the fetched mail does not have the link that was asked about")

// fetchLink finds the link of a challenge for which the bridge has none: the tenant leaves it at
// Mailgun, or the bridge cannot open its own copy any more. It leaves half of the job's time to the
// click.
func (w *Worker) fetchLink(
	ctx context.Context, t *tenant.Tenant, c challenge.Click, now time.Time,
) (string, error) {
	ctx, cancel := share(ctx, 2)
	defer cancel()
	var m mail.Mail
	err := w.Store.Do(ctx, func(ctx context.Context, tx *store.Tx) (err error) {
		m, _, err = mail.Get(ctx, tx, c.Challenge.MailID)
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
	// A mail that would not be asked about now has no purpose.
	d := mail.Decide(t, m.Phone, now, finding)
	if d.Purpose != c.Challenge.Purpose || !c.Opens(finding.Link) {
		return "", errNoLink
	}
	return finding.Link, nil
}

package outbound

import (
	"context"

	"smsbridge/internal/challenge"
	"smsbridge/internal/mail"
	"smsbridge/internal/store"
	"smsbridge/internal/text"
	"smsbridge/internal/verification"
	"smsbridge/linkclick"
)

// This file says what is recorded when a job is given up. Each function gets the id in the job's
// arguments and the reason. What has ended meanwhile stays as it is.

// lostText ends a text that could not be sent, and the verification whose code it says, or the
// question of an app.
func lostText(ctx context.Context, tx *store.Tx, id, reason string) error {
	if err := text.Refuse(ctx, tx, id, reason); err != nil {
		return err
	}
	if err := challenge.FailUnsent(ctx, tx, id); err != nil {
		return err
	}
	return verification.FailLost(ctx, tx, id)
}

// lostMail refuses a mail that could not be examined.
func lostMail(ctx context.Context, tx *store.Tx, id, reason string) error {
	m, due, err := mail.Pending(ctx, tx, id)
	if err != nil || !due {
		return err
	}
	return mail.Refuse(ctx, tx, m, reason)
}

// lostClick ends an accepted challenge whose link could not be opened. It is not known what an
// interrupted click did, and its phone hears just that.
func (w *Worker) lostClick(ctx context.Context, tx *store.Tx, id, _ string) error {
	c, due, err := challenge.BeginClick(ctx, tx, id)
	if err != nil || !due {
		return err
	}
	t, known := w.settings().Tenants.Tenant(c.Challenge.Tenant)
	if known {
		clicker := &linkclick.Clicker{Rule: Rule(t), Kind: kindOf(c)}
		c.GoOn = clicker.GoOn(c.Link)
	}
	return endClick(ctx, tx, t, c, linkclick.OutcomeUnknown)
}

// lostCheck ends a check of a code that Twilio Verify could not be asked about.
func lostCheck(ctx context.Context, tx *store.Tx, id, _ string) error {
	return verification.Abandon(ctx, tx, id)
}

// lostReport records that Twilio Verify was not told how a verification ended.
func lostReport(ctx context.Context, tx *store.Tx, id, _ string) error {
	o, due, err := verification.Unreported(ctx, tx, id)
	if err != nil || !due {
		return err
	}
	return verification.Reported(ctx, tx, o, "given up")
}

// lostNotice records that the tenant's app was not told how a verification ended.
func lostNotice(ctx context.Context, tx *store.Tx, id, _ string) error {
	v, due, err := findEnded(ctx, tx, id)
	if err != nil || !due {
		return err
	}
	return tx.Record(ctx, v.Tenant, v.ID, "verification.not_notified", "")
}

// lostDeletion records that a mail may still be at Mailgun, until Mailgun's own retention ends.
func lostDeletion(ctx context.Context, tx *store.Tx, id, reason string) error {
	m, _, err := mail.Get(ctx, tx, id)
	if err != nil {
		return err
	}
	return tx.Record(ctx, m.Tenant, m.ID, "mail.not_deleted", reason)
}

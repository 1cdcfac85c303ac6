package challenge

import (
	"context"
	"database/sql"
	"errors"

	"smsbridge/internal/store"
	"smsbridge/internal/store/db"
)

// maxClicks is how often a click may be begun: once, and once more when a crash fell inside the first.
const maxClicks = 2

// Click is an accepted challenge whose link is being redeemed.
type Click struct {
	Challenge db.Challenge
	Link      string // "" when Mailgun keeps it, or when ours cannot be opened any more
	Again     bool   // an earlier click was interrupted: "used before" then means that it had worked
	Submitted bool   // and it may have submitted a form, which must not happen again
	Spent     bool   // interrupted as often as is allowed: there is nothing to try any more
}

// BeginClick moves an accepted challenge to clicking and returns what to redeem. The second result is false when there is nothing to do.
func BeginClick(ctx context.Context, tx *store.Tx, id string) (Click, bool, error) {
	c, err := tx.GetChallenge(ctx, id)
	if errors.Is(err, sql.ErrNoRows) {
		return Click{}, false, nil
	}
	if err != nil || (c.State != Accepted && c.State != Clicking) {
		return Click{}, false, err
	}
	click := Click{Challenge: c, Again: c.Clicks > 0, Submitted: !c.SubmittedAt.IsZero(), Spent: c.Clicks >= maxClicks}
	if click.Spent {
		return click, true, nil
	}
	link, err := tx.Open(place(c.ID, c.Tenant), c.Link)
	if err != nil && !errors.Is(err, store.ErrSealed) {
		return Click{}, false, err
	}
	click.Link = string(link)
	n, err := tx.BeginClick(ctx, db.BeginClickParams{ID: id, State: c.State, Clicks: c.Clicks})
	if err != nil || n == 0 {
		return Click{}, false, err
	}
	click.Challenge.State, click.Challenge.Clicks = Clicking, c.Clicks+1
	return click, true, record(ctx, tx, c.Tenant, c.ID, Clicking, "")
}

// PutBack undoes BeginClick when it is certain that nothing reached the identity provider. The caller sees to the next try.
func PutBack(ctx context.Context, tx *store.Tx, c Click) error {
	_, err := tx.UndoClick(ctx, db.UndoClickParams{ID: c.Challenge.ID, Clicks: c.Challenge.Clicks})
	return err
}

// Submit records, before it happens, that a form is about to be submitted; ErrSubmitted if one was before.
func Submit(ctx context.Context, tx *store.Tx, id string) error {
	n, err := tx.MarkSubmitted(ctx, db.MarkSubmittedParams{ID: id, SubmittedAt: tx.Moment()})
	if err == nil && n == 0 {
		err = ErrSubmitted
	}
	return err
}

// Finish ends a clicked challenge: confirmed when the click came to what the user wanted, failed otherwise. Outcome is linkclick's word for it.
// ErrGone says that it was ended already.
func Finish(ctx context.Context, tx *store.Tx, c Click, confirmed bool, outcome string) error {
	state := Failed
	if confirmed {
		state = Confirmed
	}
	return end(ctx, tx, c.Challenge, state, outcome)
}

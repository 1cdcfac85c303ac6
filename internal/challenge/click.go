package challenge

import (
	"context"
	"errors"

	"smsbridge/internal/store"
	"smsbridge/internal/store/db"
	"smsbridge/internal/tenant"
	"smsbridge/internal/text"
	"smsbridge/internal/wording"
)

// maxClicks is how often a click may be begun: once, and once more when a crash interrupted it.
const maxClicks = 2

// ErrSubmitted says that a form was submitted for this challenge before, so that it must not be
// again.
var ErrSubmitted = errors.New("challenge: a form was submitted before")

// ClickLink is the job that redeems the link of the challenge ID.
type ClickLink struct {
	ID string `json:"id"`
}

// Kind names the job in the queue.
func (ClickLink) Kind() string { return "click_link" }

// Click is an accepted challenge whose link is being redeemed.
type Click struct {
	Challenge Challenge
	Link      string // "" when Mailgun keeps it, or when ours is not the one that was asked about
	Again     bool   // an earlier click was interrupted: "used before" then means that it had worked
	Submitted bool   // and it may have submitted a form, which must not happen again
	Spent     bool   // interrupted as often as is allowed: there is nothing to try any more

	clicks int64 // this one included
}

// Opens reports whether a link is the one that the phone was asked about, so that its yes opens it.
func (c Click) Opens(link string) bool { return c.Challenge.opens(link) }

// BeginClick moves an accepted challenge to clicking and returns what to redeem. The second
// result is false when there is nothing to do.
func BeginClick(ctx context.Context, tx *store.Tx, id string) (Click, bool, error) {
	row, err := tx.GetChallenge(ctx, id)
	if store.Missing(err) {
		return Click{}, false, nil
	}
	if err != nil || (row.State != Accepted && row.State != Clicking) {
		return Click{}, false, err
	}
	begun := row.Clicks - row.ClicksBefore // of this link
	click := Click{
		Challenge: read(row, tx.Now()), Again: begun > 0,
		Submitted: !row.SubmittedAt.IsZero(), Spent: begun >= maxClicks, clicks: row.Clicks + 1,
	}
	if click.Spent {
		return click, true, nil
	}
	link, err := tx.Open(place(row.ID, row.Tenant, "link"), row.Link)
	if err != nil && !errors.Is(err, store.ErrSealed) {
		return Click{}, false, err
	}
	n, err := tx.BeginClick(ctx, db.BeginClickParams{ID: id, State: row.State, Clicks: row.Clicks})
	if err != nil || n == 0 {
		return Click{}, false, err
	}
	click.Challenge.State = Clicking
	if click.Opens(string(link)) {
		click.Link = string(link)
	}
	return click, true, record(ctx, tx, row.Tenant, id, Clicking, "")
}

// PutBack undoes BeginClick when it is certain that nothing reached the identity provider. The
// caller sees to the retry.
func PutBack(ctx context.Context, tx *store.Tx, c Click) error {
	_, err := tx.UndoClick(ctx, db.UndoClickParams{ID: c.Challenge.ID, Clicks: c.clicks})
	return err
}

// Submit records that a form is about to be submitted; ErrSubmitted if one was before.
func Submit(ctx context.Context, tx *store.Tx, id string) error {
	n, err := tx.MarkSubmitted(ctx, db.MarkSubmittedParams{ID: id, SubmittedAt: tx.Moment()})
	if err == nil && n == 0 {
		err = ErrSubmitted
	}
	return err
}

// Finish ends a clicked challenge and tells its phone: confirmed when the click came to what the
// user wanted, failed otherwise. When its link was used or expired, and a link is held beside it,
// that one is clicked instead. Without a tenant there are no words to tell it in. ErrGone says that
// it was ended already.
func Finish(ctx context.Context, tx *store.Tx, t *tenant.Tenant, c Click, o Outcome) error {
	if o == OutcomeUsed && c.Again {
		o = OutcomeAlready // by our own click, which was interrupted before its response was read
	}
	if c.Link != "" && (o == OutcomeUsed || o == OutcomeExpired) {
		if held, err := takeHeld(ctx, tx, c); err != nil || held {
			return err
		}
	}
	state := Failed
	if o == OutcomeConfirmed || o == OutcomeAlready {
		state = Confirmed
	}
	n, err := tx.EndClick(ctx, db.EndClickParams{
		ID: c.Challenge.ID, MailID: c.Challenge.MailID,
		State: state, Outcome: string(o), EndedAt: tx.Moment(),
	})
	if err != nil {
		return err
	}
	if n == 0 {
		return ErrGone
	}
	if err := ended(ctx, tx, c.Challenge, state, string(o)); err != nil || t == nil {
		return err
	}
	saying := t.Say(Saying(c.Challenge.Purpose, o), wording.Fill{})
	return Tell(ctx, tx, c.Challenge, text.Outcome, saying)
}

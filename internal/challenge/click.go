package challenge

import (
	"context"
	"errors"
	"time"

	"smsbridge/internal/shortlink"
	"smsbridge/internal/store"
	"smsbridge/internal/store/db"
	"smsbridge/internal/store/moment"
	"smsbridge/internal/tenant"
	"smsbridge/internal/text"
	"smsbridge/internal/wording"
	"smsbridge/phonemail"
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
	GoOn      string // the link that the phone may be given after the click, "" for none
	Again     bool   // an earlier click was interrupted: "used before" then means that it had worked
	Submitted bool   // and it may have submitted a form, which must not happen again
	Spent     bool   // interrupted as often as is allowed: the link must not be clicked any more

	// Went is how it went, for the operator. The worker sets it.
	Went Try

	clicks int64  // this one included
	tries  string // how those before it went, as the row keeps it
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
		tries: row.Click,
	}
	link, err := tx.Open(place(row.ID, row.Tenant), row.Link)
	if err != nil && !errors.Is(err, store.ErrSealed) {
		return Click{}, false, err
	}
	if click.Opens(string(link)) {
		click.Link = string(link)
	}
	if click.Spent {
		return click, true, nil
	}
	n, err := tx.BeginClick(ctx, db.BeginClickParams{ID: id, State: row.State, Clicks: row.Clicks})
	if err != nil || n == 0 {
		return Click{}, false, err
	}
	click.Challenge.State = Clicking
	return click, true, record(ctx, tx, row.Tenant, id, Clicking, "")
}

// BegunBefore returns the challenges whose click was begun before a time and has not ended, the
// oldest first, at most a number of them.
func BegunBefore(
	ctx context.Context, view store.View, before time.Time, most int,
) (ids []string, err error) {
	return view.ClicksBegunBefore(ctx, db.ClicksBegunBeforeParams{
		Before: moment.Of(before), Most: int32(most),
	})
}

// Queue makes a click that was begun due again at a time. From now on the queue has it, which
// counts how often it fails.
func Queue(ctx context.Context, tx *store.Tx, id string, at time.Time) error {
	tx.EnqueueAt(ClickLink{id}, at)
	return tx.LeaveClick(ctx, id)
}

// PutBack undoes BeginClick when it is certain that nothing reached the identity provider. The
// caller sees to the retry.
func PutBack(ctx context.Context, tx *store.Tx, c Click) error {
	_, err := tx.UndoClick(ctx, db.UndoClickParams{
		ID: c.Challenge.ID, Clicks: c.clicks, Click: c.went(tx),
	})
	return err
}

// Submit records that a form is about to be submitted for the link of a mail. It returns
// ErrSubmitted if one was before, or if the challenge is about another mail's link by now.
func Submit(ctx context.Context, tx *store.Tx, id, mailID string) error {
	n, err := tx.MarkSubmitted(ctx, db.MarkSubmittedParams{
		ID: id, MailID: mailID, SubmittedAt: tx.Moment(),
	})
	if err == nil && n == 0 {
		err = ErrSubmitted
	}
	return err
}

// Finish ends a clicked challenge and tells its phone: confirmed when the click came to what the
// user wanted, failed otherwise. When its link was used or expired, and a link is held beside it,
// that one is clicked instead. Where the person can go on, and the click names a link for it, the
// phone gets a short link to that link.
// Without a tenant there are no words to tell it in. ErrGone says that it was ended already.
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
	if Confirms(o) {
		state = Confirmed
	}
	n, err := tx.EndClick(ctx, db.EndClickParams{
		ID: c.Challenge.ID, MailID: c.Challenge.MailID,
		State: state, Outcome: o, EndedAt: tx.Moment(), Click: c.went(tx),
	})
	if err != nil {
		return err
	}
	if n == 0 {
		return ErrGone
	}
	if err := ended(ctx, tx, c.Challenge, state, o); err != nil || t == nil {
		return err
	}
	if c.GoOn != "" && goesOn(o) {
		if way := t.Way(c.Challenge.Phone, tenant.ForLink); way.Refusal == "" {
			return handOver(ctx, tx, t, way.Line, c, o)
		}
	}
	says := Saying(c.Challenge.Purpose, o)
	return Tell(ctx, tx, t, c.Challenge, Said{
		Purpose: text.Outcome, Saying: says, Answered: true,
		Body: t.Say(c.Challenge.Language, says, wording.Fill{}),
	})
}

// handOverLife is the least time in which a person can read a text and tap the link in it.
const handOverLife = 2 * time.Minute

// handOver texts a short link to where the person can go on with a challenge that has ended.
func handOver(
	ctx context.Context, tx *store.Tx, t *tenant.Tenant, line phonemail.Line, c Click, o Outcome,
) error {
	expires := tx.Now().Add(handOverLife)
	if c.Challenge.Expires.After(expires) {
		expires = c.Challenge.Expires
	}
	token, err := shortlink.Make(ctx, tx, shortlink.Link{
		Tenant: t.Slug, URL: c.GoOn, Language: c.Challenge.Language, Expires: expires,
	})
	if err != nil {
		return err
	}
	says := relaying(c.Challenge.Purpose)
	_, err = text.Make(ctx, tx, text.Draft{
		Tenant: t, ChallengeID: c.Challenge.ID, Answered: true,
		Line: line, Phone: c.Challenge.Phone, Purpose: text.Outcome,
		Wording: string(says), Language: t.LanguageOf(c.Challenge.Language),
		Body: t.Say(c.Challenge.Language, says, wording.Fill{
			Link: t.ShortURL(token), Life: expires.Sub(tx.Now()),
		}),
		Deadline: expires,
	})
	if err != nil {
		return err
	}
	return tx.Record(ctx, t.Slug, c.Challenge.ID, "challenge.relayed", string(o))
}

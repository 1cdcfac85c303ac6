// Package text is the rule for one outgoing text: when it may be sent, what became of it, and
// which phones must not be texted.
//
// It is for the rules that have something to say to a phone and for the worker that says it. A
// text goes
//
//	due ──▶ sending ──▶ sent ──▶ delivered | undelivered | failed
//	 │         │ ▲        ▲
//	 │         ▼ │        │ found at the provider, or its receipt came
//	 │       unclear ─────┘
//	 ├──▶ suppressed   opted out, a test number, refused by a limit, too late, or no longer wanted
//	 ├──▶ failed       given up
//	 └◀── sending      the provider said that it did nothing
//
// From sending and unclear it goes to failed, too, when no provider will send it; and from sending
// to suppressed, when it is no longer wanted before the next provider is asked.
//
// It promises that a text is never sent to a phone that opted out, but for the answer to a keyword,
// nor after its deadline. It is not sent a second time before it is certain that the first attempt
// did nothing. For that, sending is on disk before the provider is asked, and an unclear text is
// looked up before it is sent again. The transaction in which a prompt begins to leave fixes the
// link of its question.
package text

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"time"

	"smsbridge/internal/limit"
	"smsbridge/internal/store"
	"smsbridge/internal/store/db"
	"smsbridge/internal/store/fact"
	"smsbridge/internal/store/moment"
	"smsbridge/phonemail"
)

// State is how far a text has come.
type State = db.TextState

// The states of a text; see the drawing above.
const (
	Due         State = "due"
	Sending     State = "sending"
	Unclear     State = "unclear"
	Sent        State = "sent"
	Delivered   State = "delivered"
	Undelivered State = "undelivered"
	Failed      State = "failed"
	Suppressed  State = "suppressed"
)

// TestReason is why a text was suppressed whose phone is a test number.
const TestReason = "test number"

// OptedOutReason is why a text was suppressed whose phone had opted out.
const OptedOutReason = "opted out"

// Purpose is why a text is sent.
type Purpose = db.TextPurpose

// The purposes of a text.
const (
	Prompt  Purpose = "prompt"  // asks the question
	Hint    Purpose = "hint"    // says how to answer
	Outcome Purpose = "outcome" // says how it ended
	Relay   Purpose = "relay"   // says what a mail carried
	Code    Purpose = "code"    // says a one-time code
	// Keyword answers STOP once, or HELP, where the provider does not. It is sent although its phone
	// opted out.
	Keyword Purpose = "keyword"
	Try     Purpose = "try" // an operator tries what a text looks like
)

// Quarantine is how long an unclear text is looked up at the provider before it is sent again.
const Quarantine = time.Minute

// Attempt is a text that is being sent, or that may have been.
type Attempt struct {
	ID, Tenant     string
	Case           string  // see CaseOf
	Purpose        Purpose // why it is sent
	VerificationID string  // the verification whose code it says, "" for none
	Provider       string  // that was asked last to send it, "" for none
	Line           phonemail.Line
	Phone          phonemail.Number
	Body           string
	Created        time.Time // when the text was made
	Began          time.Time // when sending began
	Deadline       time.Time
}

// Begin moves a due text to sending and returns what is to be sent. The second result is false
// when there is nothing to send: the text is too late, no longer wanted or no longer due. A text
// that is sending already was left by a worker that died; it is now unclear and will be looked
// up.
func Begin(ctx context.Context, tx *store.Tx, id string) (Attempt, bool, error) {
	row, err := get(ctx, tx, id)
	if err != nil {
		return Attempt{}, false, err
	}
	switch {
	case row.State == Sending:
		return Attempt{}, false, loseSight(ctx, tx, row)
	case row.State != Due:
		return Attempt{}, false, nil
	}
	reason, err := obstacle(ctx, tx, row)
	if err == nil && reason == "" && row.Purpose == Hint { // a prompt is judged below
		reason, err = overObstacle(ctx, tx, row)
	}
	if err != nil {
		return Attempt{}, false, err
	}
	if reason != "" {
		_, err := end(ctx, tx, row, Suppressed, reason)
		return Attempt{}, false, err
	}
	n, err := tx.BeginSending(ctx, db.BeginSendingParams{ID: id, Now: tx.Moment()})
	if err != nil || n != 1 {
		return Attempt{}, false, err
	}
	row.State, row.SendingAt = Sending, tx.Moment()
	if row.Purpose == Prompt && row.ChallengeID != "" {
		// From here on the question's link must not change: the phone may read about it.
		n, err := tx.MarkAsked(ctx, db.MarkAskedParams{ID: row.ChallengeID, Now: tx.Moment()})
		if err != nil {
			return Attempt{}, false, err
		}
		if n == 0 { // it has ended
			_, err := end(ctx, tx, row, Suppressed, over)
			return Attempt{}, false, err
		}
	}
	a, err := attempt(tx, row)
	return a, err == nil, err
}

// unwanted reports whether a phone opted out of a text. An answer to a keyword never is: the
// phone asked for it.
func unwanted(
	ctx context.Context, view store.View, p Purpose, tenant string, l phonemail.Line,
	phone phonemail.Number,
) (bool, error) {
	if p == Keyword {
		return false, nil
	}
	return OptedOut(ctx, view, tenant, l, phone)
}

// over is why a text that asks is suppressed when its question has ended.
const over = "the question is over"

// obstacle says why a due text must not be sent, or "".
func obstacle(ctx context.Context, tx store.View, row db.Text) (string, error) {
	if !tx.Now().Before(row.Deadline.Time) {
		return "too late", nil
	}
	line := phonemail.Line{Account: row.Account, Sender: row.Sender}
	out, err := unwanted(ctx, tx, row.Purpose, row.Tenant, line, row.Phone)
	if err != nil || out {
		return OptedOutReason, err
	}
	// A text that was made in this very transaction was counted in it, and is not held.
	if kind(row.Purpose) != limit.Tells && row.CreatedAt.Before(tx.Moment().Time) {
		held, err := limit.IsHeld(ctx, tx, row.Tenant, row.Phone.Country())
		if err != nil || held {
			return string(limit.Held), err
		}
	}
	if row.VerificationID != "" {
		return codeObstacle(ctx, tx, row)
	}
	return "", nil
}

// overObstacle says why a text that asks must not be sent any more, or "": its question has ended.
func overObstacle(ctx context.Context, tx store.View, row db.Text) (string, error) {
	if asks := row.Purpose == Prompt || row.Purpose == Hint; !asks || row.ChallengeID == "" {
		return "", nil
	}
	// A due prompt or hint is suppressed when its question ends. This one may have been under way
	// then, and was put back since.
	c, err := tx.GetChallenge(ctx, row.ChallengeID)
	if err != nil && !store.Missing(err) {
		return "", err
	}
	if c.State != "open" {
		return over, nil
	}
	return "", nil
}

// codeObstacle says why a code must not be sent any more, or "": its verification has ended, or
// this text was put back after a later one was made, whose code may be another.
func codeObstacle(ctx context.Context, tx store.View, row db.Text) (string, error) {
	v, err := tx.GetVerification(ctx, row.VerificationID)
	if err != nil && !store.Missing(err) {
		return "", err
	}
	if v.State != "pending" {
		return "the verification is over", nil
	}
	if row.CreatedAt.Before(v.SentAt.Time) {
		return "texted again since", nil
	}
	return "", nil
}

// ErrMoved says that an attempt is not the one that is being sent any more. Another worker took the
// text up meanwhile, and it is for that worker to say what becomes of it.
var ErrMoved = errors.New("text: another worker has taken it up")

// Route records which provider is asked next to send a text, before it is asked. Should the
// response get lost, that provider is asked what became of the text. It returns ErrMoved when the
// attempt is not the one that is being sent any more; the provider must not be asked then.
func Route(ctx context.Context, tx *store.Tx, a Attempt, provider string) error {
	n, err := tx.SetTextProvider(ctx, db.SetTextProviderParams{
		ID: a.ID, SendingAt: moment.Of(a.Began), Provider: provider,
	})
	if err == nil && n != 1 {
		err = ErrMoved
	}
	return err
}

// Reroute does what Route does, for the next provider after one that did nothing. It reports false
// when the text must not be sent any more, because of what happened meanwhile. The text is
// suppressed then.
func Reroute(ctx context.Context, tx *store.Tx, a Attempt, provider string) (bool, error) {
	row, err := get(ctx, tx, a.ID)
	if err != nil {
		return false, err
	}
	if row.State != Sending || !row.SendingAt.Equal(a.Began) {
		return false, ErrMoved
	}
	reason, err := obstacle(ctx, tx, row)
	if err == nil && reason == "" {
		reason, err = overObstacle(ctx, tx, row)
	}
	if err != nil {
		return false, err
	}
	if reason != "" {
		_, err := end(ctx, tx, row, Suppressed, reason)
		return false, err
	}
	err = Route(ctx, tx, a, provider)
	return err == nil, err
}

// Accept records that the provider took the text under its id. Nothing changes when its receipt was
// quicker.
func Accept(ctx context.Context, tx *store.Tx, id, providerID string) error {
	if sent, err := setSent(ctx, tx, id, providerID); err != nil || sent {
		return err
	}
	row, err := get(ctx, tx, id)
	if err != nil {
		return err
	}
	_, err = resumeSent(ctx, tx, row, providerID)
	return err
}

// setSent moves a text to sent that is being sent, or that may have been.
func setSent(ctx context.Context, tx *store.Tx, id, providerID string) (bool, error) {
	sent, err := tx.SetTextSent(ctx, db.SetTextSentParams{ID: id, ProviderID: providerID})
	if store.Missing(err) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	row := db.Text{
		ID: id, Tenant: sent.Tenant, VerificationID: sent.VerificationID, Purpose: sent.Purpose,
		Phone: sent.Phone, Provider: sent.Provider,
	}
	return true, record(ctx, tx, row, Sent, string(sent.Purpose))
}

// resumeSent moves a text to sent also when it is due again. It was put back because the provider
// did not seem to have it. The provider has it after all, so it must not be sent again.
func resumeSent(ctx context.Context, tx *store.Tx, row db.Text, providerID string) (bool, error) {
	if row.State == Due && !row.SendingAt.IsZero() {
		again := db.BeginSendingParams{ID: row.ID, Now: row.SendingAt}
		if _, err := tx.BeginSending(ctx, again); err != nil {
			return false, err
		}
	}
	return setSent(ctx, tx, row.ID, providerID)
}

// Refuse records that the provider will not send the text, and why: its error code or a word of
// ours. A text that is known to have been sent, or that has ended, stays as it is.
func Refuse(ctx context.Context, tx *store.Tx, id, reason string) error {
	row, err := get(ctx, tx, id)
	if err != nil {
		return err
	}
	return refuse(ctx, tx, row, reason)
}

// RefuseAttempt does what Refuse does, for what came of one attempt. It returns ErrMoved when the
// text has been begun again since.
func RefuseAttempt(ctx context.Context, tx *store.Tx, a Attempt, reason string) error {
	row, err := ofAttempt(ctx, tx, a)
	if err != nil {
		return err
	}
	return refuse(ctx, tx, row, reason)
}

func refuse(ctx context.Context, tx *store.Tx, row db.Text, reason string) error {
	if rank(row.State) >= rank(Sent) {
		return nil
	}
	_, err := end(ctx, tx, row, Failed, reason)
	return err
}

// PutBack makes a text due again when it is certain that the provider did nothing with an attempt.
// The caller makes the next attempt due. Nothing changes when it has been begun already.
func PutBack(ctx context.Context, tx *store.Tx, a Attempt, from State) error {
	_, err := tx.SetTextDue(ctx, db.SetTextDueParams{
		ID: a.ID, FromState: from, SendingAt: moment.Of(a.Began),
	})
	return err
}

func attempt(tx store.View, row db.Text) (Attempt, error) {
	body, err := tx.Open(place(row.ID, row.Tenant), row.Body)
	if err != nil {
		return Attempt{}, fmt.Errorf("text %s: %w", row.ID, err)
	}
	return Attempt{
		ID: row.ID, Tenant: row.Tenant, Case: CaseOf(row), Purpose: row.Purpose,
		VerificationID: row.VerificationID, Provider: row.Provider,
		Line: phonemail.Line{Account: row.Account, Sender: row.Sender}, Phone: row.Phone,
		Body:    string(body),
		Created: row.CreatedAt.Time, Began: row.SendingAt.Time, Deadline: row.Deadline.Time,
	}, nil
}

func end(ctx context.Context, tx *store.Tx, row db.Text, state State, reason string) (bool, error) {
	n, err := tx.EndText(ctx, db.EndTextParams{
		ID: row.ID, FromState: row.State, SendingAt: row.SendingAt, State: state, Error: reason,
		EndedAt: tx.Moment(),
	})
	if err != nil || n == 0 {
		return false, err
	}
	return true, record(ctx, tx, row, state, reason)
}

// CaseOf is the id of the case that a text belongs to: that of its question, its verification, or
// what else it is about. It is its own when there is none of these.
func CaseOf(row db.Text) string {
	return cmp.Or(row.CaseID, row.ChallengeID, row.VerificationID, row.ID)
}

func get(ctx context.Context, tx store.View, id string) (db.Text, error) {
	row, err := tx.GetText(ctx, id)
	if store.Missing(err) {
		return row, ErrUnknown
	}
	return row, err
}

// ofAttempt returns the text of an attempt, or ErrMoved when it has been begun again since.
func ofAttempt(ctx context.Context, tx store.View, a Attempt) (db.Text, error) {
	row, err := get(ctx, tx, a.ID)
	if err == nil && !row.SendingAt.Equal(a.Began) {
		err = ErrMoved
	}
	return row, err
}

// ErrUnknown says that there is no text with that id.
var ErrUnknown = errors.New("text: no such text")

func record(
	ctx context.Context, tx *store.Tx, row db.Text, state State, detail string,
) error {
	if row.VerificationID != "" {
		tx.Announce(row.VerificationID)
	}
	return tx.RecordAbout(ctx, row.Tenant, row.ID, "text."+string(state), detail, fact.About{
		Provider: row.Provider, Purpose: string(row.Purpose), Country: row.Phone.Country(),
	})
}

func place(id, tenant string) store.Place {
	return store.Place{Table: "text", ID: id, Column: "body", Tenant: tenant}
}

// Package challenge is the rule for one question put to one phone about one mail.
//
// It is for the rules that open and answer questions (mail, reply) and for the workers that click and expire. A challenge goes
//
//	open ──▶ accepted ──▶ clicking ──▶ confirmed | failed
//	 ├──▶ denied       the phone said no
//	 ├──▶ expired      nobody answered in time
//	 ├──▶ superseded   a newer question of the same purpose replaced it
//	 └──▶ canceled     the phone opted out, or guessed at codes
//
// It promises that each move happens once, whoever races for it; that a link is clicked only after its question was accepted in time, and a form
// submitted at most once; and that the link is gone from the database in the same statement that ends the challenge.
package challenge

import (
	"context"
	"crypto/rand"
	"database/sql"
	"errors"
	"fmt"
	"math/big"
	"time"

	"smsbridge/internal/shortlink"
	"smsbridge/internal/store"
	"smsbridge/internal/store/db"
	"smsbridge/internal/store/moment"
	"smsbridge/internal/text"
	"smsbridge/phonemail"
)

// State is how far a challenge has come.
type State = db.ChallengeState

// The states of a challenge; see the drawing above.
const (
	Open       State = "open"
	Accepted   State = "accepted"
	Clicking   State = "clicking"
	Confirmed  State = "confirmed"
	Failed     State = "failed"
	Denied     State = "denied"
	Expired    State = "expired"
	Superseded State = "superseded"
	Canceled   State = "canceled"
)

// Purpose is why the mail was sent.
type Purpose = db.ChallengePurpose

// The purposes of a mail about which a phone is asked.
const (
	Registration Purpose = "registration"
	Password     Purpose = "password"
)

// resendWindow is how soon a mail counts as the same one sent again: the open question takes its link, and the phone hears nothing.
const resendWindow = time.Minute

// outcomeLife is how long it is worth telling how a challenge ended.
const outcomeLife = time.Hour

// ErrGone says that a challenge is not in the state that a move starts from: somebody else was quicker, or its deadline has passed.
var ErrGone = errors.New("challenge: answered, ended or too late")

// ErrSubmitted says that a form was submitted for this challenge before, so that it must not be again.
var ErrSubmitted = errors.New("challenge: a form was submitted before")

// Question is what a mail makes us ask a phone.
type Question struct {
	MailID  string
	Tenant  string
	Line    text.Line
	Phone   phonemail.Number
	Purpose Purpose
	Link    string        // what a yes redeems; "" when Mailgun keeps it
	Coded   bool          // a yes by text must carry the question's code
	Tap     bool          // the text has a short link, on whose page the question can be accepted
	Life    time.Duration // how long an answer counts

	// Prompt writes the text that asks, with the question's code and, if Tap, its short link's token.
	Prompt func(code, token string) string
}

// ClickLink is the job that redeems the link of the challenge ID.
type ClickLink struct {
	ID string `json:"id"`
}

// Kind names the job in the queue.
func (ClickLink) Kind() string { return "click_link" }

// Expire is the job that ends the challenge ID when nobody answered it.
type Expire struct {
	ID string `json:"id"`
}

// Kind names the job in the queue.
func (Expire) Kind() string { return "expire" }

// Ask opens a challenge and makes its prompt due. An open one of the same tenant, phone and purpose is superseded; one opened less than a minute
// ago instead takes the new link, and nothing is texted. It returns the id of the challenge that now holds the question.
func Ask(ctx context.Context, tx *store.Tx, q Question) (string, error) {
	old, err := tx.GetOpenChallenge(ctx, db.GetOpenChallengeParams{Tenant: q.Tenant, Phone: q.Phone, Purpose: q.Purpose})
	switch {
	case errors.Is(err, sql.ErrNoRows):
	case err != nil:
		return "", err
	case tx.Now().Sub(old.OpenedAt.Time) < resendWindow && old.ExpiresAt.Time.After(tx.Now()):
		link := tx.Seal(place(old.ID, q.Tenant), []byte(q.Link))
		n, err := tx.AdoptLink(ctx, db.AdoptLinkParams{ID: old.ID, Link: link, MailID: q.MailID})
		if err != nil {
			return "", err
		}
		if n == 1 {
			return old.ID, record(ctx, tx, q.Tenant, old.ID, "resent", "")
		}
	default:
		if err := end(ctx, tx, old, Superseded, ""); err != nil && !errors.Is(err, ErrGone) {
			return "", err
		}
	}
	id, code, err := add(ctx, tx, q, Open)
	if err != nil {
		return "", err
	}
	deadline := tx.Now().Add(q.Life)
	tx.EnqueueAt(Expire{id}, deadline)
	token := ""
	if q.Tap {
		// It leads somewhere for longer than the question lives, so that its page can say what became of it.
		token, err = shortlink.Make(ctx, tx, shortlink.Link{Tenant: q.Tenant, ChallengeID: id, Expires: deadline.Add(outcomeLife)})
		if err != nil {
			return "", err
		}
	}
	_, err = text.Make(ctx, tx, text.Draft{
		Tenant: q.Tenant, ChallengeID: id, Line: q.Line, Phone: q.Phone, Purpose: text.Prompt, Body: q.Prompt(code, token), Deadline: deadline,
	})
	return id, err
}

// AskedBefore records a challenge that its phone has already accepted, for a mail that was found only because of its yes, and makes the click due.
func AskedBefore(ctx context.Context, tx *store.Tx, q Question) (string, error) {
	id, _, err := add(ctx, tx, q, Accepted)
	if err == nil {
		tx.Enqueue(ClickLink{id})
	}
	return id, err
}

// add records a challenge and returns its id and its reply code.
func add(ctx context.Context, tx *store.Tx, q Question, state State) (id, code string, err error) {
	id, now := store.NewID(), tx.Now()
	if code, err = replyCode(ctx, tx, q); err != nil {
		return "", "", err
	}
	row := db.AddChallengeParams{
		ID: id, MailID: q.MailID, Tenant: q.Tenant, Account: q.Line.Account, Sender: q.Line.Sender, Phone: q.Phone,
		Purpose: q.Purpose, State: state, Link: tx.Seal(place(id, q.Tenant), []byte(q.Link)), ReplyCode: code,
		OpenedAt: moment.Of(now), ExpiresAt: moment.Of(now.Add(q.Life)),
	}
	if state == Accepted {
		row.AcceptedAt = moment.Of(now)
	}
	if q.Coded {
		row.Coded = 1
	}
	n, err := tx.AddChallenge(ctx, row)
	if err != nil {
		return "", "", fmt.Errorf("challenge: adding: %w", err)
	}
	if n == 0 {
		return "", "", fmt.Errorf("challenge: adding: %w", ErrGone) // another replica opened one at this very moment; the job tries again
	}
	return id, code, record(ctx, tx, q.Tenant, id, state, string(q.Purpose))
}

// Accept makes the click of an open challenge due, or returns ErrGone.
func Accept(ctx context.Context, tx *store.Tx, c db.Challenge) error {
	n, err := tx.AcceptChallenge(ctx, db.AcceptChallengeParams{ID: c.ID, Now: tx.Moment()})
	if err != nil {
		return err
	}
	if n == 0 {
		return ErrGone
	}
	tx.Enqueue(ClickLink{c.ID})
	return record(ctx, tx, c.Tenant, c.ID, Accepted, "")
}

// Deny ends an open challenge because its phone said no, or returns ErrGone.
func Deny(ctx context.Context, tx *store.Tx, c db.Challenge) error {
	return end(ctx, tx, c, Denied, "")
}

// Cancel ends an open challenge for a reason of ours, or returns ErrGone.
func Cancel(ctx context.Context, tx *store.Tx, c db.Challenge, reason string) error {
	return end(ctx, tx, c, Canceled, reason)
}

// ExpireDue ends the challenge if it is still open after its deadline, and does nothing otherwise.
func ExpireDue(ctx context.Context, tx *store.Tx, id string) error {
	c, err := tx.GetChallenge(ctx, id)
	if errors.Is(err, sql.ErrNoRows) {
		return nil
	}
	if err != nil || c.State != Open || c.ExpiresAt.Time.After(tx.Now()) {
		return err
	}
	if err := end(ctx, tx, c, Expired, ""); !errors.Is(err, ErrGone) {
		return err
	}
	return nil
}

// end moves c from the state it was read in to its last one; its link goes with it, and so does a prompt that has not been sent yet.
func end(ctx context.Context, tx *store.Tx, c db.Challenge, state State, outcome string) error {
	now := tx.Moment()
	n, err := tx.EndChallenge(ctx, db.EndChallengeParams{ID: c.ID, FromState: c.State, State: state, Outcome: outcome, EndedAt: now})
	if err != nil {
		return err
	}
	if n == 0 {
		return ErrGone
	}
	if _, err := tx.SuppressTextsOfChallenge(ctx, db.SuppressTextsOfChallengeParams{ChallengeID: c.ID, Error: string(state), EndedAt: now}); err != nil {
		return err
	}
	return record(ctx, tx, c.Tenant, c.ID, state, outcome)
}

// Tell makes a text due that says how a challenge stands to the phone it was put to.
func Tell(ctx context.Context, tx *store.Tx, c db.Challenge, purpose text.Purpose, body string) error {
	_, err := text.Make(ctx, tx, text.Draft{
		Tenant: c.Tenant, ChallengeID: c.ID, Line: text.Line{Account: c.Account, Sender: c.Sender}, Phone: c.Phone,
		Purpose: purpose, Body: body, Deadline: tx.Now().Add(outcomeLife),
	})
	return err
}

func record(ctx context.Context, tx *store.Tx, tenant, id string, name State, detail string) error {
	return tx.Record(ctx, tenant, id, "challenge."+string(name), detail)
}

func place(id, tenant string) store.Place {
	return store.Place{Table: "challenge", ID: id, Column: "link", Tenant: tenant}
}

// replyCodes is how many codes of four digits there are.
const replyCodes = 10_000

// replyCode is four random digits, for a yes that must say which question it answers: a code that no other open question to that phone has.
func replyCode(ctx context.Context, tx store.View, q Question) (string, error) {
	open, err := tx.OpenChallengesOfPhone(ctx, db.OpenChallengesOfPhoneParams{Account: q.Line.Account, Sender: q.Line.Sender, Phone: q.Phone})
	if err != nil {
		return "", err
	}
	taken := make(map[string]bool, len(open))
	for _, c := range open {
		taken[c.ReplyCode] = true
	}
	first, err := rand.Int(rand.Reader, big.NewInt(replyCodes))
	if err != nil {
		return "", fmt.Errorf("challenge: drawing a code: %w", err)
	}
	for i := range int64(replyCodes) {
		code := fmt.Sprintf("%04d", (first.Int64()+i)%replyCodes)
		if !taken[code] {
			return code, nil
		}
	}
	return "", errors.New("challenge: every code is taken")
}

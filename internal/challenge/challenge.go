// Package challenge is the rule for one question put to one phone about one mail, or by an app.
//
// The rules that open and answer questions (mail, reply) call it. So do the page of a short link,
// the door of the tenant's app, and the workers that click a link or expire a question. A challenge
// goes
//
//	open ──▶ accepted ──▶ clicking ──▶ confirmed | failed
//	 ├──▶ confirmed    an app's question, which has no link: the phone said yes
//	 ├──▶ failed       an app's question whose text did not leave
//	 ├──▶ denied       the phone said no
//	 ├──▶ expired      the phone said nothing in time
//	 └──▶ canceled     the phone opted out, guessed at codes, or was never reached
//
// Rows of older versions may be superseded, too: a newer question had replaced them.
//
// It promises that each move happens once, however many race for it. A link is clicked only after
// its question was accepted in time, and a form is submitted at most once. The statement that
// ends a challenge removes its link from the row.
//
// A click that needs the person, or that did not show what came of it, fails. That is its outcome,
// and no text says otherwise. The phone then gets the link itself, behind a short link: the phone
// asked for it, and the person may go on there. So that link is kept, sealed, until the question
// would have been over. Two minutes are the least, so that a late yes is not in vain. The worker
// names that link in Click.GoOn. It must have what a click needs: a shape of the kind of the mail,
// or a path that the operator allowed. A mail's words open no tracking link, which may lead
// anywhere. So the phone never gets one, but at most the link behind it.
//
// # One question, one link
//
// A yes opens the one link that its phone was asked about, or nothing. The row has the digest of
// that link. The transaction in which the prompt begins to leave fixes it. Every link is compared
// with the digest before it is opened, also one that was fetched from Mailgun again.
//
// An attacker can mail to a phone address, and may be a user of the identity provider, who has it
// send genuine mails there. These ways in are closed:
//
//   - A mail to the same address for the same purpose is a resend. While the prompt has not left,
//     its link takes the place of the first, unless its sender is less well proved. Afterwards it
//     causes no text. Its link is held only if both mails were proved to be of one sender. It is
//     opened only if the first link proves used or expired. Identity providers have one account
//     for an address, so that a proved resend is about the same account. Only the newest link is
//     held.
//   - A mail to another spelling of the address, for another purpose or of another tenant may be
//     about another account. It is a question of its own. Its prompt asks for a code beside
//     another question of that phone. That is one which is open or being clicked, or which ended in
//     the last ten minutes without a text about it: see [Mistakable]. So at most one open question
//     takes a bare yes, and a second mail cannot take that yes away.
//   - A yes that comes late opens no later question, because that one wants its code. Only the same
//     question, asked anew, takes a bare yes then. The same holds for a yes that is repeated
//     while its click is under way, or after an app's question, whose end no text tells.
//   - A phone that a prompt did not reach was not asked. The next mail ends that question, and has
//     a prompt of its own.
//   - A reply code can be guessed ten times a day for each phone; see [MayGuess]. A guess counts
//     once for each question that it may be meant for. While three of them are open on a line, the
//     next mail is refused, and changes none of them; see [Asking]. A mail to the address as the
//     tenant writes it is not: see maxOpen.
//   - A no to one question ends no other. A prompt that tells a code wants it with the no, too. A
//     bare no means the question that was put without one.
//
// Order alone tells two texts with the same words apart. A person may answer the second, which
// wants a code, with a bare yes. That yes means the first, because the first was put so. Asking
// back instead would let any second mail hold up any sign-up. The second text calls itself
// another request for this reason.
package challenge

import (
	"context"
	"errors"
	"time"

	"smsbridge/internal/limit"
	"smsbridge/internal/store"
	"smsbridge/internal/store/db"
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

// The purposes of a mail about which a phone is asked, and that of an app's own question.
const (
	Registration Purpose = "registration"
	Password     Purpose = "password"
	App          Purpose = "app"
)

// outcomeLife is how long it is worth telling how a challenge ended.
const outcomeLife = time.Hour

// maxWrongCodes is how many replies with a wrong code end a question.
const maxWrongCodes = 3

// ErrUnknown says that there is no challenge with that id.
var ErrUnknown = errors.New("challenge: no such challenge")

// ErrGone says that a challenge is not in the state that a move starts from: another caller was
// quicker, or its deadline has passed.
var ErrGone = errors.New("challenge: answered, ended or too late")

// Challenge is a question as it stands.
type Challenge struct {
	ID, MailID, Tenant string
	Line               phonemail.Line
	Phone              phonemail.Number
	Recipient          string // the address that the mail was for; of an app's question its own id
	Reference          string // what the app calls its question, "" for nothing
	Purpose            Purpose
	State              State   // Expired from the deadline on, also before a worker has recorded it
	Outcome            Outcome // what its click came to, or why it was canceled
	Language           string  // of its texts and its page; see tenant.Tenant.LanguageFor
	ReplyCode          string  // four digits that tell the open questions to a phone apart
	Coded              bool    // a yes by text must carry the reply code
	Test               bool    // its phone is a test number: no prompt leaves, and no limit counts it
	Opened, Expires    time.Time
	Accepted           time.Time // zero before
	Ended              time.Time // zero before; the deadline when no worker has recorded the end

	Author string // the proved sender of the mail with the link that a yes opens, "" for none

	digest string    // of that link
	asked  time.Time // when its prompt began to leave, zero before
}

// Same reports whether two questions to one phone are about the same thing: mails of one tenant to
// one address for one purpose. Spellings of an address differ: identity providers may have an
// account for each.
func (c Challenge) Same(other Challenge) bool {
	return c.Tenant == other.Tenant && c.Recipient == other.Recipient && c.Purpose == other.Purpose
}

// Over reports whether a question has ended.
func (c Challenge) Over() bool { return !c.Ended.IsZero() }

// read is a row as it stands at a time. It is the one place that decides that a question is over
// although its row says open.
func read(row db.Challenge, now time.Time) Challenge {
	c := Challenge{
		ID: row.ID, MailID: row.MailID, Tenant: row.Tenant,
		Line: phonemail.Line{Account: row.Account, Sender: row.Sender}, Phone: row.Phone,
		Recipient: row.Recipient, Reference: row.Reference, Purpose: row.Purpose, State: row.State,
		Outcome:  row.Outcome,
		Language: row.Language, ReplyCode: row.ReplyCode, Coded: row.Coded != 0, Test: row.Test != 0,
		Opened: row.OpenedAt.Time, Expires: row.ExpiresAt.Time,
		Accepted: row.AcceptedAt.Time, Ended: row.EndedAt.Time,
		digest: row.Digest, Author: row.Author, asked: row.AskedAt.Time,
	}
	if c.State == Open && !now.Before(c.Expires) {
		c.State, c.Ended = Expired, c.Expires
	}
	return c
}

func readAll(rows []db.Challenge, now time.Time) []Challenge {
	all := make([]Challenge, 0, len(rows))
	for _, row := range rows {
		all = append(all, read(row, now))
	}
	return all
}

// Get returns a challenge, or ErrUnknown.
func Get(ctx context.Context, view store.View, id string) (Challenge, error) {
	row, err := view.GetChallenge(ctx, id)
	if store.Missing(err) {
		return Challenge{}, ErrUnknown
	}
	return read(row, view.Now()), err
}

// Asked returns the questions that a phone was asked on a line and may still answer, oldest
// first. A question whose prompt has not left yet is not among them, unless its phone is a test
// number.
func Asked(
	ctx context.Context, view store.View, l phonemail.Line, phone phonemail.Number,
) (asked []Challenge, err error) {
	rows, err := view.AskedOpenChallenges(ctx, db.AskedOpenChallengesParams{
		Account: l.Account, Sender: l.Sender, Phone: phone,
	})
	for _, c := range readAll(rows, view.Now()) {
		if c.State == Open {
			asked = append(asked, c)
		}
	}
	return asked, err
}

// lookalikeTime is how long after the end of a question a yes might still be meant for it.
const lookalikeTime = 10 * time.Minute

// Last returns the questions to a phone on a line whatever became of them, newest first, at most
// 20.
func Last(
	ctx context.Context, view store.View, l phonemail.Line, phone phonemail.Number,
) ([]Challenge, error) {
	rows, err := view.LastChallengesOfPhone(ctx, db.LastChallengesOfPhoneParams{
		Account: l.Account, Sender: l.Sender, Phone: phone,
	})
	return readAll(rows, view.Now()), err
}

// Accept makes the click of an open challenge due, or returns ErrGone. An app's question, which has
// nothing to click, it confirms.
func Accept(ctx context.Context, tx *store.Tx, c Challenge) error {
	if c.Purpose == App {
		return acceptApp(ctx, tx, c)
	}
	job := ClickLink{c.ID}
	n, err := tx.AcceptChallenge(ctx, db.AcceptChallengeParams{
		ID: c.ID, Now: tx.Moment(), BegunAt: tx.Enqueue(job),
	})
	if err != nil {
		return err
	}
	if n == 0 {
		tx.Dequeue(job)
		return ErrGone
	}
	return c.record(ctx, tx, Accepted, "")
}

// Deny ends an open challenge because its phone said no, or returns ErrGone.
func Deny(ctx context.Context, tx *store.Tx, c Challenge) error {
	return end(ctx, tx, c, Open, Denied, "")
}

// Cancel ends an open challenge for a reason of ours, or returns ErrGone.
func Cancel(ctx context.Context, tx *store.Tx, c Challenge, reason string) error {
	return end(ctx, tx, c, Open, Canceled, Outcome(reason))
}

// CancelAll ends the open challenges of a tenant to a phone on a line for a reason of ours. The
// tenant "" stands for all. Those whose prompt has not left yet end, too.
func CancelAll(
	ctx context.Context, tx *store.Tx, l phonemail.Line, phone phonemail.Number,
	tenant, reason string,
) error {
	rows, err := tx.OpenChallengesOfPhone(ctx, db.OpenChallengesOfPhoneParams{
		Account: l.Account, Sender: l.Sender, Phone: phone,
	})
	if err != nil {
		return err
	}
	for _, c := range readAll(rows, tx.Now()) {
		if tenant != "" && c.Tenant != tenant {
			continue
		}
		if err := Cancel(ctx, tx, c, reason); err != nil && !errors.Is(err, ErrGone) {
			return err
		}
	}
	return nil
}

// WrongCode counts a reply with a code that is not the challenge's, and cancels the challenge at
// the third. It reports whether the challenge is still open.
func WrongCode(ctx context.Context, tx *store.Tx, c Challenge) (bool, error) {
	n, err := tx.CountWrongCode(ctx, c.ID)
	switch {
	case store.Missing(err): // another caller answered or ended it at this very moment
		return false, nil
	case err != nil || n < maxWrongCodes:
		return err == nil, err
	}
	err = Cancel(ctx, tx, c, string(CanceledByCodes))
	if errors.Is(err, ErrGone) {
		err = nil
	}
	return false, err
}

// ExpireDue ends the challenge if it is still open after its deadline, and does nothing otherwise.
func ExpireDue(ctx context.Context, tx *store.Tx, id string) error {
	row, err := tx.GetChallenge(ctx, id)
	if store.Missing(err) {
		return nil
	}
	if err != nil {
		return err
	}
	c := read(row, tx.Now())
	if c.State != Expired {
		return nil
	}
	err = end(ctx, tx, c, Open, Expired, "")
	if errors.Is(err, ErrGone) {
		return nil
	}
	if err != nil {
		return err
	}
	return limit.CountSilence(ctx, tx, c.silence())
}

// silence is what an expired question says about its phone: nothing if that is a test number.
func (c Challenge) silence() []limit.Silence {
	if c.Test {
		return nil
	}
	return []limit.Silence{{Tenant: c.Tenant, Phone: c.Phone}}
}

// ExpireOverdue ends open challenges whose deadline has passed, the most overdue first, at most a
// number of them. It returns how many it found. Readers of a challenge know its end before that.
func ExpireOverdue(ctx context.Context, tx *store.Tx, most int) (int, error) {
	rows, err := tx.OverdueChallenges(ctx, db.OverdueChallengesParams{
		Now: tx.Moment(), Most: int32(most),
	})
	if err != nil {
		return 0, err
	}
	var silent []limit.Silence
	for _, c := range readAll(rows, tx.Now()) {
		err := end(ctx, tx, c, Open, Expired, "")
		if err != nil && !errors.Is(err, ErrGone) {
			return 0, err
		}
		if err == nil {
			silent = append(silent, c.silence()...)
		}
	}
	return len(rows), limit.CountSilence(ctx, tx, silent)
}

// end moves c from a state to its last one. Its link goes with it, and so does a prompt that has
// not been sent yet. It returns ErrGone when c is in another state.
func end(ctx context.Context, tx *store.Tx, c Challenge, from, to State, outcome Outcome) error {
	n, err := tx.EndChallenge(ctx, db.EndChallengeParams{
		ID: c.ID, FromState: from, State: to, Outcome: outcome, EndedAt: tx.Moment(),
	})
	if err != nil {
		return err
	}
	if n == 0 {
		return ErrGone
	}
	return ended(ctx, tx, c, to, outcome)
}

// ended follows the statement that ended c.
func ended(ctx context.Context, tx *store.Tx, c Challenge, to State, outcome Outcome) error {
	_, err := tx.SuppressTextsOfChallenge(ctx, db.SuppressTextsOfChallengeParams{
		ChallengeID: c.ID, Error: string(to), EndedAt: tx.Moment(),
	})
	if err != nil {
		return err
	}
	return c.record(ctx, tx, to, string(outcome))
}

func record(
	ctx context.Context, tx *store.Tx, tenant, id string, name State, detail string,
) error {
	return tx.Record(ctx, tenant, id, "challenge."+string(name), detail)
}

func place(id, tenant string) store.Place {
	return store.Place{Table: "challenge", ID: id, Column: "link", Tenant: tenant}
}

func heldPlace(id, tenant string) store.Place {
	return store.Place{Table: "challenge", ID: id, Column: "held_link", Tenant: tenant}
}

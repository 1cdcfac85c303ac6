package challenge

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"math/big"
	"time"

	"smsbridge/internal/shortlink"
	"smsbridge/internal/store"
	"smsbridge/internal/store/db"
	"smsbridge/internal/text"
	"smsbridge/phonemail"
)

// resendWindow is how soon a mail counts as the same one sent again: the open question takes its
// link, and the phone gets no second text.
const resendWindow = time.Minute

// Question is what a mail makes us ask a phone.
type Question struct {
	MailID  string
	Tenant  string
	Line    text.Line
	Phone   phonemail.Number
	Purpose Purpose
	Link    string        // what a yes redeems; "" when Mailgun keeps it
	Coded   bool          // a yes by text must carry the question's code
	Tap     bool          // the text has a short link; the question can be accepted on its page
	Life    time.Duration // how long an answer counts

	// Prompt writes the text that asks, with the question's code and, if Tap, its short link's token.
	Prompt func(code, token string) string
}

// Expire is the job that ends the challenge ID when it was not answered in time.
type Expire struct {
	ID string `json:"id"`
}

// Kind names the job in the queue.
func (Expire) Kind() string { return "expire" }

// Ask opens a challenge and makes its prompt due. An open one of the same tenant, phone and
// purpose is superseded. One that was opened less than a minute ago takes the new link instead,
// and nothing is texted. Ask returns the id of the challenge that now holds the question.
func Ask(ctx context.Context, tx *store.Tx, q Question) (string, error) {
	if id, err := replace(ctx, tx, q); err != nil || id != "" {
		return id, err
	}
	id, code, err := add(ctx, tx, q, Open)
	if err != nil {
		return "", err
	}
	deadline := tx.Now().Add(q.Life)
	tx.EnqueueAt(Expire{id}, deadline)
	token := ""
	if q.Tap {
		// It lives longer than the question, so that its page can say what became of it.
		token, err = shortlink.Make(ctx, tx, shortlink.Link{
			Tenant: q.Tenant, ChallengeID: id, Expires: deadline.Add(outcomeLife),
		})
		if err != nil {
			return "", err
		}
	}
	_, err = text.Make(ctx, tx, text.Draft{
		Tenant: q.Tenant, ChallengeID: id, Line: q.Line, Phone: q.Phone,
		Purpose: text.Prompt, Body: q.Prompt(code, token), Deadline: deadline,
	})
	return id, err
}

// replace makes room for q. It returns the id of the open challenge that took its link, or "" when
// q needs a challenge of its own.
func replace(ctx context.Context, tx *store.Tx, q Question) (string, error) {
	row, err := tx.GetOpenChallenge(ctx, db.GetOpenChallengeParams{
		Tenant: q.Tenant, Phone: q.Phone, Purpose: q.Purpose,
	})
	if store.Missing(err) {
		return "", nil
	}
	if err != nil {
		return "", err
	}
	old := read(row, tx.Now())
	if old.State == Open && tx.Now().Sub(old.Opened) < resendWindow {
		link := tx.Seal(place(old.ID, q.Tenant), []byte(q.Link))
		n, err := tx.AdoptLink(ctx, db.AdoptLinkParams{ID: old.ID, Link: link, MailID: q.MailID})
		if err != nil || n == 0 {
			return "", err
		}
		return old.ID, record(ctx, tx, q.Tenant, old.ID, "resent", "")
	}
	if err := end(ctx, tx, old, Open, Superseded, ""); err != nil && !errors.Is(err, ErrGone) {
		return "", err
	}
	return "", nil
}

// AskedBefore records a challenge that its phone has already accepted, and makes the click due. It
// is for a mail that was found only because of the phone's yes. It returns the challenge's id.
func AskedBefore(ctx context.Context, tx *store.Tx, q Question) (string, error) {
	id, _, err := add(ctx, tx, q, Accepted)
	if err == nil {
		tx.Enqueue(ClickLink{id})
	}
	return id, err
}

// add records a challenge and returns its id and its reply code.
func add(ctx context.Context, tx *store.Tx, q Question, state State) (id, code string, err error) {
	id = store.NewID()
	if code, err = replyCode(ctx, tx, q); err != nil {
		return "", "", err
	}
	row := db.AddChallengeParams{
		ID: id, MailID: q.MailID, Tenant: q.Tenant,
		Account: q.Line.Account, Sender: q.Line.Sender, Phone: q.Phone,
		Purpose: q.Purpose, State: state,
		Link: tx.Seal(place(id, q.Tenant), []byte(q.Link)), ReplyCode: code,
		OpenedAt: tx.Moment(), ExpiresAt: tx.Moment().Add(q.Life),
	}
	if state == Accepted {
		row.AcceptedAt = tx.Moment()
	}
	if q.Coded {
		row.Coded = 1
	}
	n, err := tx.AddChallenge(ctx, row)
	if err == nil && n == 0 {
		err = ErrGone // another replica opened one at this very moment; the job is retried
	}
	if err != nil {
		return "", "", fmt.Errorf("challenge: adding: %w", err)
	}
	return id, code, record(ctx, tx, q.Tenant, id, state, string(q.Purpose))
}

// replyCodes is how many codes of four digits there are.
const replyCodes = 10_000

// replyCode is four random digits, for a yes that must say which question it answers: a code that
// no other open question to that phone has.
func replyCode(ctx context.Context, view store.View, q Question) (string, error) {
	open, err := view.OpenChallengesOfPhone(ctx, db.OpenChallengesOfPhoneParams{
		Account: q.Line.Account, Sender: q.Line.Sender, Phone: q.Phone,
	})
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

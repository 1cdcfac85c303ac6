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
	"smsbridge/internal/tenant"
	"smsbridge/internal/text"
	"smsbridge/internal/wording"
	"smsbridge/phonemail"
)

// resendWindow is how soon a mail counts as the same one sent again: the open question takes its
// link, and the phone gets no second text.
const resendWindow = time.Minute

// Question is what a mail makes a tenant ask a phone. The tenant's settings say how it is asked and
// how it can be answered.
type Question struct {
	MailID  string
	Phone   phonemail.Number
	Purpose Purpose
	Link    string // what a yes redeems; it is not kept when the tenant keeps mails at Mailgun
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
func Ask(ctx context.Context, tx *store.Tx, t *tenant.Tenant, q Question) (string, error) {
	if id, err := replace(ctx, tx, t, q); err != nil || id != "" {
		return id, err
	}
	c, err := add(ctx, tx, t, q, Open)
	if err != nil {
		return "", err
	}
	tx.EnqueueAt(Expire{c.ID}, c.Expires)
	token := ""
	if t.Question.Answer != tenant.ByReply {
		// It lives longer than the question, so that its page can say what became of it.
		token, err = shortlink.Make(ctx, tx, shortlink.Link{
			Tenant: t.Slug, ChallengeID: c.ID, Expires: c.Expires.Add(outcomeLife),
		})
		if err != nil {
			return "", err
		}
	}
	prompt := t.Say(asking(t.Question.Answer, c), wording.Fill{
		Code: c.ReplyCode, Link: t.ShortURL(token),
	})
	_, err = text.Make(ctx, tx, text.Draft{
		Tenant: t.Slug, ChallengeID: c.ID, Line: c.Line, Phone: c.Phone,
		Purpose: text.Prompt, Body: prompt, Deadline: c.Expires,
	})
	return c.ID, err
}

// asking is the text that asks, by how it can be answered.
func asking(a tenant.Answer, c Challenge) wording.Saying {
	if c.Purpose == Password {
		switch {
		case a == tenant.ByTap:
			return wording.TapPassword
		case a == tenant.ByBoth:
			return wording.BothPassword
		case c.Coded:
			return wording.AskPasswordCode
		}
		return wording.AskPassword
	}
	switch a {
	case tenant.ByTap:
		return wording.TapRegistration
	case tenant.ByBoth:
		return wording.BothRegistration
	}
	return wording.AskRegistration
}

// replace makes room for q. It returns the id of the open challenge that took its link, or "" when
// q needs a challenge of its own.
func replace(ctx context.Context, tx *store.Tx, t *tenant.Tenant, q Question) (string, error) {
	row, err := tx.GetOpenChallenge(ctx, db.GetOpenChallengeParams{
		Tenant: t.Slug, Phone: q.Phone, Purpose: q.Purpose,
	})
	if store.Missing(err) {
		return "", nil
	}
	if err != nil {
		return "", err
	}
	old := read(row, tx.Now())
	if old.State == Open && tx.Now().Sub(old.Opened) < resendWindow {
		n, err := tx.AdoptLink(ctx, db.AdoptLinkParams{
			ID: old.ID, Link: seal(tx, t, old.ID, q.Link), MailID: q.MailID,
		})
		if err != nil || n == 0 {
			return "", err
		}
		return old.ID, record(ctx, tx, t.Slug, old.ID, "resent", "")
	}
	if err := end(ctx, tx, old, Open, Superseded, ""); err != nil && !errors.Is(err, ErrGone) {
		return "", err
	}
	return "", nil
}

// AskedBefore records a challenge that its phone has already accepted, and makes the click due. It
// is for a mail that was found only because of the phone's yes. It returns the challenge's id.
func AskedBefore(
	ctx context.Context, tx *store.Tx, t *tenant.Tenant, q Question,
) (string, error) {
	c, err := add(ctx, tx, t, q, Accepted)
	if err == nil {
		tx.Enqueue(ClickLink{c.ID})
	}
	return c.ID, err
}

// add records a challenge in a state.
func add(
	ctx context.Context, tx *store.Tx, t *tenant.Tenant, q Question, state State,
) (Challenge, error) {
	c := Challenge{
		ID: store.NewID(), MailID: q.MailID, Tenant: t.Slug,
		Line: t.Line(q.Phone), Phone: q.Phone,
		Purpose: q.Purpose, State: state,
		Coded:  q.Purpose == Password && !t.Question.UnsafeBareYes,
		Opened: tx.Now(), Expires: tx.Now().Add(t.Question.ValidFor),
	}
	var err error
	if c.ReplyCode, err = replyCode(ctx, tx, c.Line, c.Phone); err != nil {
		return Challenge{}, err
	}
	row := db.AddChallengeParams{
		ID: c.ID, MailID: c.MailID, Tenant: c.Tenant,
		Account: c.Line.Account, Sender: c.Line.Sender, Phone: c.Phone, Purpose: c.Purpose, State: state,
		Link: seal(tx, t, c.ID, q.Link), ReplyCode: c.ReplyCode,
		OpenedAt: tx.Moment(), ExpiresAt: tx.Moment().Add(t.Question.ValidFor),
	}
	if state == Accepted {
		row.AcceptedAt = tx.Moment()
	}
	if c.Coded {
		row.Coded = 1
	}
	n, err := tx.AddChallenge(ctx, row)
	if err == nil && n == 0 {
		err = ErrGone // another replica opened one at this very moment; the job is retried
	}
	if err != nil {
		return Challenge{}, fmt.Errorf("challenge: adding: %w", err)
	}
	return c, record(ctx, tx, c.Tenant, c.ID, state, string(c.Purpose))
}

// seal is what the row of a challenge keeps of its link: nothing when the tenant keeps mails at
// Mailgun.
func seal(tx *store.Tx, t *tenant.Tenant, id, link string) string {
	if t.Mails.Keep == tenant.KeepMailgun {
		link = ""
	}
	return tx.Seal(place(id, t.Slug), []byte(link))
}

// replyCodes is how many codes of four digits there are.
const replyCodes = 10_000

// replyCode is four random digits, for a yes that must say which question it answers: a code that
// no other open question to that phone has.
func replyCode(
	ctx context.Context, view store.View, l phonemail.Line, phone phonemail.Number,
) (string, error) {
	open, err := view.OpenChallengesOfPhone(ctx, db.OpenChallengesOfPhoneParams{
		Account: l.Account, Sender: l.Sender, Phone: phone,
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

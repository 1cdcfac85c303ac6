package challenge

import (
	"cmp"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"math/big"
	"slices"
	"strings"
	"time"

	"smsbridge/internal/limit"
	"smsbridge/internal/shortlink"
	"smsbridge/internal/store"
	"smsbridge/internal/store/db"
	"smsbridge/internal/tenant"
	"smsbridge/internal/text"
	"smsbridge/internal/wording"
	"smsbridge/phonemail"
)

// Question is what a mail makes a tenant ask a phone. The tenant's settings say how it is asked and
// how it can be answered.
type Question struct {
	MailID    string // the question has it as its own, too
	MessageID string // the mail's, which is the same for all its phones
	Phone     phonemail.Number
	Recipient string // the phone's address exactly as the mail was delivered to it
	Purpose   Purpose
	Link      string // what a yes redeems; it is not kept when the tenant keeps mails at Mailgun
	Language  string // in which the phone is asked
	Author    string // the sender of the mail, when a signature proved it, "" otherwise

	app AppQuestion // of an app's question, which has no mail
}

// life is how long the question can be answered.
func (q Question) life(t *tenant.Tenant) time.Duration {
	return cmp.Or(q.app.Life, t.Question.ValidFor)
}

// asker is who asks for the question's prompt, as the limits know it. An app is known by its
// tenant.
func (q Question) asker(t *tenant.Tenant) string {
	if q.Purpose == App {
		return ""
	}
	return limit.AskerOfMail(t)
}

// Expire is the job that ends the challenge ID when it was not answered in time.
type Expire struct {
	ID string `json:"id"`
}

// Kind names the job in the queue.
func (Expire) Kind() string { return "expire" }

// maxOpen is how many questions a phone may have open on a line before a mail to another spelling
// of its address is refused. A code that a reply guesses is compared with those of all of them, and
// a person tells no more of them apart. A mail to the address as the tenant writes it is not
// refused for that: an attacker who mails to other spellings must not hold up a sign-up.
const maxOpen = 3

// Asking is what a mail about a question meets: what its phone is being asked at that moment, and
// whether the question may be asked.
type Asking struct {
	// Obstacle says why the question must not be asked, or "". Its phone has as many questions open
	// as it may, and the mail is to another spelling of its address. Or the question would need a
	// code, and its phone has texted too many wrong ones. Or it has no form that works in the phone's
	// country. The questions that are open stay as they are.
	Obstacle string

	tenant   *tenant.Tenant
	way      tenant.Way // how its phone is asked
	question Question
	others   []Challenge // those that a reply might be meant for; see [Mistakable]
	standing Challenge   // the one that asks the same already; see stands
	stands   bool
	lost     bool // the prompt of the standing one will not reach its phone
	admitted bool // Admit has counted its prompt
}

// Consider looks at what a phone is being asked before it is asked another question. It changes
// nothing.
func Consider(
	ctx context.Context, view store.View, t *tenant.Tenant, q Question,
) (a Asking, err error) {
	a = Asking{tenant: t, way: t.Way(q.Phone, tenant.ForQuestion), question: q}
	if _, test := t.Test(q.Phone, view.Now()); a.way.Refusal != "" && !test {
		a.Obstacle = "no question can be asked: " + a.way.Refusal
		return a, nil
	}
	// In this order: a question that was answered before the first look is found by the second.
	if a.standing, a.stands, err = openAbout(ctx, view, q.about(t), q.Phone); err != nil {
		return Asking{}, err
	}
	if a.others, err = Mistakable(ctx, view, a.way.Line, q.Phone); err != nil {
		return Asking{}, err
	}
	for _, c := range a.others {
		if !a.stands && c.Same(q.about(t)) && (c.State == Accepted || c.State == Clicking) {
			a.standing, a.stands = c, true
		}
	}
	if a.stands {
		if a.lost, err = promptLost(ctx, view, a.standing); err != nil {
			return Asking{}, err
		}
	}
	if a.asks() {
		a.Obstacle, err = a.obstacle(ctx, view)
	}
	return a, err
}

// asks reports whether the mail needs a question of its own. A question that is over, or whose
// prompt is lost, cannot be answered: the mail will end it and needs another, although its row
// still says open. Any other standing one makes it a resend.
func (a Asking) asks() bool { return !a.stands || a.lost || a.standing.State == Expired }

// Admit counts the prompt against all limits, unless the mail is a resend, which causes none. A
// prompt that must not be sent is recorded as suppressed. Admit then returns why, and the question
// must not be asked.
func (a *Asking) Admit(ctx context.Context, tx *store.Tx) (*limit.Refusal, error) {
	if !a.asks() {
		return nil, nil
	}
	c := a.question.about(a.tenant)
	c.Coded, c.ReplyCode, c.Language = a.needsCode(), "0000", a.question.Language
	c.Line, c.Phone = a.way.Line, a.question.Phone
	c.Expires = tx.Now().Add(a.question.life(a.tenant))
	draft := a.prompt(c, strings.Repeat("x", shortlink.Length))
	refusal, err := text.Admit(ctx, tx, draft)
	if err == nil && refusal != nil {
		_, err = text.Suppress(ctx, tx, draft, *refusal)
	}
	a.admitted = true
	return refusal, err
}

// prompt is the text that asks c. The token is that of a short link, "" for none.
func (a Asking) prompt(c Challenge, token string) text.Draft {
	t, says := a.tenant, asking(a.way.Answer, c)
	return text.Draft{
		Tenant: t, ChallengeID: c.ID, Line: c.Line, Phone: c.Phone,
		Case: a.question.MailID, Purpose: text.Prompt, Deadline: c.Expires,
		Asker: a.question.asker(t), Mail: a.question.MessageID, Admitted: a.admitted,
		Wording: string(says), Language: t.LanguageOf(c.Language),
		Body: t.Say(c.Language, says, wording.Fill{
			Code: c.ReplyCode, Link: t.ShortURL(token), Life: a.question.life(t),
			Subject: a.question.app.Subject,
		}),
	}
}

// obstacle says why a question of its own must not be asked, or "".
func (a Asking) obstacle(ctx context.Context, view store.View) (string, error) {
	open, err := a.countOpen(ctx, view)
	switch {
	case err != nil:
		return "", err
	case open >= maxOpen && a.question.Recipient != a.tenant.Address.Address(a.question.Phone):
		return "this phone has too many open questions; they end when they are answered or over", nil
	case a.way.Answer == tenant.ByTap:
		return "", nil // what a tap sends cannot be guessed
	case !a.needsCode():
		return "", nil
	}
	blocked, err := Blocked(ctx, view, a.question.Phone)
	if err != nil || !blocked {
		return "", err
	}
	return "too many wrong reply codes from this phone in a day", nil
}

// countOpen counts the questions that a phone may answer now, or will as soon as their prompts
// have left.
func (a Asking) countOpen(ctx context.Context, view store.View) (open int, err error) {
	for _, c := range a.others {
		if c.State != Open {
			continue
		}
		lost, err := promptLost(ctx, view, c)
		if err != nil {
			return 0, err
		}
		if !lost {
			open++
		}
	}
	return open, nil
}

// Ask opens a challenge and makes its prompt due. A mail about which the phone is being asked
// already is a resend, and causes no text. The package comment says what becomes of its link. Ask
// returns the id of the challenge that now stands for the mail.
func (a Asking) Ask(ctx context.Context, tx *store.Tx) (string, error) {
	t := a.tenant
	if id, err := a.resend(ctx, tx); err != nil || id != "" {
		return id, err
	}
	c, err := a.add(ctx, tx)
	if err != nil {
		return "", err
	}
	token := ""
	if a.way.Answer != tenant.ByReply {
		// It lives longer than the question, so that its page can say what became of it.
		token, err = shortlink.Make(ctx, tx, shortlink.Link{
			Tenant: t.Slug, ChallengeID: c.ID, Language: c.Language,
			Expires: c.Expires.Add(outcomeLife),
		})
		if err != nil {
			return "", err
		}
	}
	if _, err = text.Make(ctx, tx, a.prompt(c, token)); err != nil || !c.Test {
		return c.ID, err
	}
	tx.Enqueue(AnswerTest{c.ID})
	_, err = tx.MarkAsked(ctx, db.MarkAskedParams{ID: c.ID, Now: tx.Moment()})
	return c.ID, err
}

// AnswerTest is the job that answers the question ID, whose phone is a test number.
type AnswerTest struct {
	ID string `json:"id"`
}

// Kind names the job in the queue.
func (AnswerTest) Kind() string { return "answer_test" }

// asking is the text that asks, by how it can be answered. A tap needs no code.
func asking(a tenant.Answer, c Challenge) wording.Saying {
	if c.Purpose == App {
		if c.Coded {
			return wording.AskAppCode
		}
		return wording.AskApp
	}
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
	switch {
	case a == tenant.ByTap:
		return wording.TapRegistration
	case a == tenant.ByBoth && c.Coded:
		return wording.BothRegistrationCode
	case a == tenant.ByBoth:
		return wording.BothRegistration
	case c.Coded:
		return wording.AskRegistrationCode
	}
	return wording.AskRegistration
}

// needsCode reports whether a yes must say that it means this question: always about a password,
// unless the tenant insists, and beside any other question that a yes might be meant for.
func (a Asking) needsCode() bool {
	if a.question.Purpose == Password && !a.tenant.Question.UnsafeBareYes {
		return true
	}
	self := a.question.about(a.tenant)
	return slices.ContainsFunc(a.others, func(c Challenge) bool { return !c.Same(self) })
}

// about is a challenge that is the same as the one that q asks for.
func (q Question) about(t *tenant.Tenant) Challenge {
	return Challenge{Tenant: t.Slug, Recipient: q.Recipient, Purpose: q.Purpose}
}

// add records an open challenge.
func (a Asking) add(ctx context.Context, tx *store.Tx) (Challenge, error) {
	t, q := a.tenant, a.question
	c := q.about(t)
	c.ID, c.MailID, c.Line, c.Phone, c.State = q.MailID, q.MailID, a.way.Line, q.Phone, Open
	if q.Purpose == App {
		c.ID = q.app.ID
	}
	c.Opened, c.Expires = tx.Now(), tx.Now().Add(q.life(t))
	c.Coded, c.Language = a.needsCode(), q.Language
	_, c.Test = t.Test(c.Phone, tx.Now())
	var err error
	if c.ReplyCode, err = replyCode(a.others); err != nil {
		return Challenge{}, err
	}
	row := db.AddChallengeParams{
		ID: c.ID, MailID: c.MailID, Tenant: c.Tenant, Account: c.Line.Account, Sender: c.Line.Sender,
		Phone: c.Phone, Recipient: c.Recipient, Purpose: c.Purpose, State: c.State,
		Link: seal(tx, t, place(c.ID, t.Slug), q.Link), Digest: digest(c.ID, q.Link),
		Author: q.Author, ReplyCode: c.ReplyCode, Language: c.Language,
		OpenedAt: tx.Moment(), ExpiresAt: tx.Moment().Add(q.life(t)),
		Reference: q.app.Reference,
	}
	if c.Coded {
		row.Coded = 1
	}
	if c.Test {
		row.Test = 1
	}
	n, err := tx.AddChallenge(ctx, row)
	if err == nil && n == 0 {
		err = ErrGone // another replica opened one at this very moment; the job is retried
	}
	if err != nil {
		return Challenge{}, fmt.Errorf("challenge: adding: %w", err)
	}
	return c, c.record(ctx, tx, Open, string(c.Purpose))
}

// seal is what a row keeps of a link: nothing when the tenant keeps mails at Mailgun. The row with
// its digest stays in that case, too: by it a yes opens nothing but the link that was asked about.
// The row has the phone as it is, as every row has, so that a hash beside it would hide nothing.
func seal(tx *store.Tx, t *tenant.Tenant, p store.Place, link string) string {
	if t.Mails.Keep == tenant.KeepMailgun {
		link = ""
	}
	return tx.Seal(p, []byte(link))
}

// replyCodes is how many codes of four digits there are.
const replyCodes = 10_000

// replyCode is four random digits, for a yes that must say which question it answers: a code that
// none of the others to that phone has.
func replyCode(others []Challenge) (string, error) {
	taken := make(map[string]bool, len(others))
	for _, c := range others {
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

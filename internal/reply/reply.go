// Package reply is the rule for one text that came from a phone: taking it once, reading it, and
// matching it to what the phone was asked.
//
// It is for the doors that receive a provider's webhook. It promises that a reply counts once
// however often it is delivered. A yes only ever confirms the one question that it can mean: see
// package challenge for which questions take a bare one, and why. A no with a code denies the
// question that has it. A bare no denies the only question that was put without a code. If there is
// none such, or several, it denies all. STOP is obeyed at once. A phone gets at most one hint and
// one text about lateness per question, and otherwise silence.
package reply

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"smsbridge/internal/challenge"
	"smsbridge/internal/optout"
	"smsbridge/internal/store"
	"smsbridge/internal/store/db"
	"smsbridge/internal/tenant"
	"smsbridge/internal/text"
	"smsbridge/internal/wording"
	"smsbridge/phonemail"
)

// lateTime is how long after its end a question is still talked about.
const lateTime = 24 * time.Hour

// Received is a reply as the provider delivered it.
type Received struct {
	ProviderID string           // Twilio's MessageSid, or Flowroute's id of the text
	Line       phonemail.Line   // our account and the number or service that was texted
	Sharing    []*tenant.Tenant // all that text from this line, see tenant.Set.ByLine
	Phone      phonemail.Number // the phone that texted
	Body       string
	Keyword    string // Twilio's OptOutType: STOP, START, HELP or ""
	// Unanswered says that the provider does not answer this reply itself, as providers do for some
	// keywords: the bridge confirms a STOP and answers a HELP then.
	Unanswered bool
}

// LookUpMail is the job that searches Mailgun for the mail that the reply ID answers. It is needed
// when the bridge knows of no question to the phone.
type LookUpMail struct {
	ID string `json:"id"`
}

// Kind names the job in the queue.
func (LookUpMail) Kind() string { return "look_up_mail" }

// Taken is what became of a reply.
type Taken struct {
	ID        string
	Case      string // the question or verification that it is about, else its own id
	Word      Word
	Duplicate bool // it had been taken before; nothing was done
}

// Take records a reply and does what it says: a yes makes the click due, a no denies, STOP opts the
// phone out and cancels.
func Take(
	ctx context.Context, tx *store.Tx, tenants tenant.Set, r Received,
) (taken Taken, err error) {
	t := taking{tx: tx, Received: r, id: store.NewID(), tenants: tenants}
	if t.asked, err = challenge.Asked(ctx, tx, r.Line, r.Phone); err != nil {
		return Taken{}, err
	}
	if t.caseID = t.id; len(t.asked) > 0 {
		t.caseID = t.asked[len(t.asked)-1].ID
	}
	t.Reading = t.read()
	n, err := tx.AddReply(ctx, db.AddReplyParams{
		ID: t.id, Account: r.Line.Account, ProviderID: r.ProviderID, Sender: r.Line.Sender,
		Phone: r.Phone, Word: t.Word, ReceivedAt: tx.Moment(),
	})
	if err != nil {
		return Taken{}, fmt.Errorf("reply: adding: %w", err)
	}
	if n == 0 {
		return t.known(ctx)
	}
	if err := tx.Record(ctx, t.about(), t.id, "reply.received", string(t.Word)); err != nil {
		return Taken{}, err
	}
	err = t.act(ctx)
	return Taken{ID: t.id, Case: t.caseID, Word: t.Word}, err
}

// known is what became of a reply when it came the first time.
func (t *taking) known(ctx context.Context) (Taken, error) {
	row, err := t.tx.ReplyOf(ctx, db.ReplyOfParams{
		Account: t.Line.Account, ProviderID: t.ProviderID,
	})
	if err != nil {
		return Taken{}, fmt.Errorf("reply: looking for it: %w", err)
	}
	caseID := cmp.Or(row.ChallengeID, row.ID)
	return Taken{ID: row.ID, Case: caseID, Word: t.Word, Duplicate: true}, nil
}

// taking is one reply on its way through the rule.
type taking struct {
	Received
	Reading
	id      string
	caseID  string // of the newest question that is open, until it is known which one is meant
	tx      *store.Tx
	tenants tenant.Set
	asked   []challenge.Challenge // the open questions of this phone on this line, oldest first
}

// read reads the reply with the words of the tenants that asked, in the languages in which they
// asked. When none did, it takes the words of all tenants that text from this line.
func (t *taking) read() Reading {
	var readers []Words
	for _, c := range t.asked {
		if words, ok := t.words(c); ok {
			readers = append(readers, words)
		}
	}
	if len(readers) == 0 {
		for _, sharing := range t.Sharing {
			words := Words{sharing.Question.Accept, sharing.Question.Deny, sharing.LanguageOf("")}
			readers = append(readers, words)
		}
	}
	reading := Read(t.Body, Words{})
	for _, words := range readers {
		if r := Read(t.Body, words); r.Word != Other {
			reading = r
			break
		}
	}
	switch word := Word(strings.ToLower(t.Keyword)); {
	case word == Stop, word == Help:
		return Reading{Word: word}
	case word == Start && reading.Word != Yes: // YES is one of Twilio's words for START
		return Reading{Word: word}
	}
	return reading
}

// words are those with which a question is answered. It has none when its tenant is no longer
// configured.
func (t *taking) words(c challenge.Challenge) (Words, bool) {
	asker, ok := t.tenants.Tenant(c.Tenant)
	if !ok {
		return Words{}, false
	}
	return Words{asker.Question.Accept, asker.Question.Deny, asker.LanguageOf(c.Language)}, true
}

// says reports whether the reply means this word where a question was asked. Another question may
// have been put in a language in which it means something else.
func (t *taking) says(c challenge.Challenge, word Word) bool {
	words, _ := t.words(c)
	return Read(t.Body, words).Word == word
}

// about is the tenant that the reply is recorded for, "" when it may be about several.
func (t *taking) about() string {
	switch {
	case len(t.asked) > 0:
		return t.asked[len(t.asked)-1].Tenant
	case len(t.Sharing) == 1:
		return t.Sharing[0].Slug
	}
	return ""
}

func (t *taking) act(ctx context.Context) error {
	switch t.Word {
	case Stop:
		return t.stop(ctx)
	case Start:
		return optout.Start(ctx, t.tx, t.heard())
	case Help:
		return t.help(ctx)
	case Yes:
		// Twilio lets a phone that said STOP be texted again when it says YES.
		if err := optout.Yes(ctx, t.tx, t.heard()); err != nil {
			return err
		}
		return t.yes(ctx)
	case No:
		return t.no(ctx)
	case Code:
		return t.code(ctx)
	default:
		return t.hint(ctx)
	}
}

// no denies the questions that a no means, and tells its phone that nothing was changed.
func (t *taking) no(ctx context.Context) error {
	var denied *challenge.Challenge
	for _, c := range t.refused() {
		if !t.says(c, No) {
			continue
		}
		err := challenge.Deny(ctx, t.tx, c)
		if errors.Is(err, challenge.ErrGone) {
			continue
		}
		if err != nil {
			return err
		}
		if denied == nil || denied.Purpose == challenge.App {
			denied = &c // an app says itself what follows
		}
	}
	if denied == nil {
		return t.hint(ctx)
	}
	if denied.Purpose == challenge.App {
		return t.link(ctx, denied.ID)
	}
	return t.answered(ctx, *denied, wording.Denied)
}

// refused are the questions that a no means: with a code the one that has it, and without one the
// only question that was put without a code. Else another mail's question, which a person answers
// as it says, would end the one that the person waits for. If all of them told a code, or several
// told none, a bare no means all: to open none of them is the safe reading.
func (t *taking) refused() (refused []challenge.Challenge) {
	var bare []challenge.Challenge
	for _, c := range t.asked {
		if t.Code == c.ReplyCode {
			refused = append(refused, c)
		}
		if !c.Coded {
			bare = append(bare, c)
		}
	}
	switch {
	case t.Code != "":
		return refused
	case len(bare) == 1:
		return bare
	}
	return t.asked
}

// hint says once per question how to answer it, and after that nothing. Where a bare yes would
// not do, it says the codes.
func (t *taking) hint(ctx context.Context) error {
	if len(t.asked) == 0 {
		return nil
	}
	c, one, err := t.meant(ctx)
	if err != nil {
		return err
	}
	if !one {
		return t.askWhich(ctx)
	}
	first, err := challenge.MarkHinted(ctx, t.tx, c)
	if err != nil || !first {
		return err
	}
	return t.tell(ctx, c, challenge.Said{Purpose: text.Hint}, wording.Wrong, wording.Fill{
		About: about(t.language(c), c.Purpose),
		Life:  c.Expires.Sub(t.tx.Now()),
	})
}

// answered notes which question the reply answered, and tells its phone what came of it.
func (t *taking) answered(ctx context.Context, c challenge.Challenge, s wording.Saying) error {
	if err := t.link(ctx, c.ID); err != nil {
		return err
	}
	return t.tell(ctx, c, challenge.Said{Purpose: text.Outcome}, s, wording.Fill{})
}

// link notes which question, or which verification, the reply answered.
func (t *taking) link(ctx context.Context, id string) error {
	t.caseID = id
	return t.tx.SetReplyChallenge(ctx, db.SetReplyChallengeParams{ID: t.id, ChallengeID: id})
}

func (t *taking) tell(
	ctx context.Context, c challenge.Challenge, said challenge.Said, s wording.Saying,
	fill wording.Fill,
) error {
	asker, ok := t.tenants.Tenant(c.Tenant)
	if !ok {
		return nil // the tenant is no longer configured: there are no words to say it in
	}
	said.Saying, said.Body = s, asker.Say(c.Language, s, fill)
	return challenge.Tell(ctx, t.tx, asker, c, said)
}

// language is that in which a question was asked.
func (t *taking) language(c challenge.Challenge) string {
	if asker, ok := t.tenants.Tenant(c.Tenant); ok {
		return asker.LanguageOf(c.Language)
	}
	return c.Language
}

// about says what a question with a purpose is about.
func about(language string, p challenge.Purpose) string {
	if p == challenge.App {
		return wording.AboutApp(language)
	}
	return wording.About(language, p == challenge.Password)
}

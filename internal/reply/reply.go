// Package reply is the rule for one text that came from a phone: taking it once, reading it, and matching it to what the phone was asked.
//
// It is for the door that receives Twilio's webhook. It promises that a reply counts once however often it is delivered, that a yes only ever
// confirms the one question it can mean, that STOP is obeyed at once, and that nobody is answered more than the rules below allow: a hint and a
// word about lateness once per question, otherwise silence.
package reply

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"smsbridge/internal/challenge"
	"smsbridge/internal/store"
	"smsbridge/internal/store/db"
	"smsbridge/internal/tenant"
	"smsbridge/internal/text"
	"smsbridge/internal/wording"
	"smsbridge/phonemail"
)

const (
	// wrongCodes is how many wrong codes end a question.
	wrongCodes = 3
	// lookalikeTime is how long after the end of another question a bare yes might still be meant for that one.
	lookalikeTime = 10 * time.Minute
	// lateTime is how long after its end a question is still talked about.
	lateTime = 24 * time.Hour
)

// Received is a reply as the provider delivered it.
type Received struct {
	ProviderID string           // Twilio's MessageSid
	Line       text.Line        // our account and the number or service that was texted
	Phone      phonemail.Number // who texted
	Body       string
	Keyword    string // Twilio's OptOutType: STOP, START, HELP or ""
}

// LookUpMail is the job that searches Mailgun for the mail that the reply ID answers, because nothing is known here of a question to its phone.
type LookUpMail struct {
	ID string `json:"id"`
}

// Kind names the job in the queue.
func (LookUpMail) Kind() string { return "look_up_mail" }

// Taken is what became of a reply.
type Taken struct {
	ID        string
	Word      Word
	Duplicate bool // it had been taken before; nothing was done
}

// Take records a reply and does what it says: a yes makes the click due, a no denies, STOP opts out and cancels.
func Take(ctx context.Context, tx *store.Tx, tenants tenant.Set, r Received) (Taken, error) {
	t := taking{tx: tx, tenants: tenants, Received: r, id: store.NewID()}
	var err error
	if t.asked, err = tx.AskedOpenChallenges(ctx, db.AskedOpenChallengesParams{
		Account: r.Line.Account, Sender: r.Line.Sender, Phone: r.Phone.E164(), Now: store.Millis(tx.Now()),
	}); err != nil {
		return Taken{}, err
	}
	t.Reading = t.read()
	n, err := tx.AddReply(ctx, db.AddReplyParams{
		ID: t.id, Account: r.Line.Account, ProviderID: r.ProviderID, Sender: r.Line.Sender, Phone: r.Phone.E164(), Word: string(t.Word), ReceivedAt: store.Millis(tx.Now()),
	})
	if err != nil {
		return Taken{}, fmt.Errorf("reply: adding: %w", err)
	}
	if n == 0 {
		return Taken{Word: t.Word, Duplicate: true}, nil
	}
	if err := tx.Record(ctx, t.tenantSlug(), t.id, "reply.received", string(t.Word)); err != nil {
		return Taken{}, err
	}
	return Taken{ID: t.id, Word: t.Word}, t.act(ctx)
}

// taking is one reply on its way through the rule.
type taking struct {
	Received
	Reading
	id      string
	tx      *store.Tx
	tenants tenant.Set
	asked   []db.Challenge // the open questions of this phone on this line, oldest first
}

// read reads the reply with the words of those who asked; when nobody did, with the words of everybody who texts from this line.
func (t *taking) read() Reading {
	readers := t.tenants.BySender(t.Line.Account, t.Line.Sender)
	if len(t.asked) > 0 {
		readers = readers[:0]
		for _, c := range t.asked {
			if asker, ok := t.tenants.Tenant(c.Tenant); ok {
				readers = append(readers, asker)
			}
		}
	}
	reading := Read(t.Body, Words{})
	for _, reader := range readers {
		if r := Read(t.Body, Words{reader.Question.Accept, reader.Question.Deny}); r.Word != Other {
			reading = r
			break
		}
	}
	switch word := Word(strings.ToLower(t.Keyword)); {
	case word == Stop, word == Help, word == Start && reading.Word != Yes: // YES is one of Twilio's words for START
		return Reading{Word: word}
	}
	return reading
}

func (t *taking) tenantSlug() string {
	if len(t.asked) > 0 {
		return t.asked[len(t.asked)-1].Tenant
	}
	if sharing := t.tenants.BySender(t.Line.Account, t.Line.Sender); len(sharing) == 1 {
		return sharing[0].Slug
	}
	return ""
}

func (t *taking) act(ctx context.Context) error {
	switch t.Word {
	case Stop:
		return t.stop(ctx)
	case Start:
		return text.OptIn(ctx, t.tx, t.Line, t.Phone)
	case Help:
		return nil // Twilio answers it
	case Yes:
		// Twilio lets a phone that said STOP be texted again when it says YES.
		if err := text.OptIn(ctx, t.tx, t.Line, t.Phone); err != nil {
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

// stop opts the phone out and cancels everything it was asked, also what has not reached it yet. Twilio confirms the STOP itself.
func (t *taking) stop(ctx context.Context) error {
	if err := text.OptOut(ctx, t.tx, t.Line, t.Phone); err != nil {
		return err
	}
	open, err := t.tx.OpenChallengesOfPhone(ctx, db.OpenChallengesOfPhoneParams{Account: t.Line.Account, Sender: t.Line.Sender, Phone: t.Phone.E164()})
	if err != nil {
		return err
	}
	for _, c := range open {
		if err := challenge.Cancel(ctx, t.tx, c, "stop"); err != nil && !errors.Is(err, challenge.ErrGone) {
			return err
		}
	}
	return t.cancelCodes(ctx)
}

func (t *taking) no(ctx context.Context) error {
	var denied *db.Challenge
	for _, c := range t.asked {
		if t.Code != "" && t.Code != c.ReplyCode {
			continue
		}
		err := challenge.Deny(ctx, t.tx, c)
		if errors.Is(err, challenge.ErrGone) {
			continue
		}
		if err != nil {
			return err
		}
		denied = &c
	}
	if denied == nil {
		return t.hint(ctx)
	}
	return t.answered(ctx, *denied, wording.Denied, wording.Fill{})
}

// hint says once per question how to answer it, and after that nothing. Where a bare yes would not do, it says the codes.
func (t *taking) hint(ctx context.Context) error {
	if len(t.asked) == 0 {
		return nil
	}
	coded, err := t.needsCode(ctx)
	if err != nil {
		return err
	}
	if coded {
		return t.askWhich(ctx)
	}
	c := t.asked[len(t.asked)-1]
	n, err := t.tx.MarkHinted(ctx, db.MarkHintedParams{ID: c.ID, HintedAt: store.Millis(t.tx.Now())})
	if err != nil || n == 0 {
		return err
	}
	return t.tell(ctx, c, text.Hint, wording.Wrong, wording.Fill{})
}

// answered notes which question the reply answered, and tells its phone what came of it.
func (t *taking) answered(ctx context.Context, c db.Challenge, s wording.Saying,
	fill wording.Fill) error {
	if err := t.tx.SetReplyChallenge(ctx, db.SetReplyChallengeParams{ID: t.id, ChallengeID: c.ID}); err != nil {
		return err
	}
	return t.tell(ctx, c, text.Outcome, s, fill)
}

func (t *taking) tell(ctx context.Context, c db.Challenge, purpose text.Purpose, s wording.Saying,
	fill wording.Fill) error {
	asker, ok := t.tenants.Tenant(c.Tenant)
	if !ok {
		return nil // the tenant is no longer configured: there are no words to say it in
	}
	return challenge.Tell(ctx, t.tx, c, purpose, asker.Say(s, fill))
}

package reply

import (
	"context"
	"database/sql"
	"errors"
	"strings"
	"time"

	"smsbridge/internal/challenge"
	"smsbridge/internal/store"
	"smsbridge/internal/store/db"
	"smsbridge/internal/tenant"
	"smsbridge/internal/text"
	"smsbridge/internal/wording"
)

// yes accepts the one question that a yes can mean: the one whose code it carries, or the only one. With several, or with one that another might
// be mistaken for, it accepts none and asks for the code.
func (t *taking) yes(ctx context.Context) error {
	if len(t.asked) == 0 {
		return t.late(ctx)
	}
	if t.Code != "" {
		return t.coded(ctx)
	}
	coded, err := t.needsCode(ctx)
	if err != nil {
		return err
	}
	if coded {
		return t.askWhich(ctx)
	}
	return t.accept(ctx, t.asked[0])
}

// coded accepts the question whose code came with the yes. Two replicas may have given the same code to two questions at once; then it is neither.
func (t *taking) coded(ctx context.Context) error {
	var meant []db.Challenge
	for _, c := range t.asked {
		if c.ReplyCode == t.Code {
			meant = append(meant, c)
		}
	}
	switch len(meant) {
	case 0:
		return t.wrongCode(ctx)
	case 1:
		return t.accept(ctx, meant[0])
	}
	return nil
}

// needsCode reports whether a bare yes does not say which question it answers.
func (t *taking) needsCode(ctx context.Context) (bool, error) {
	if len(t.asked) > 1 || t.asked[0].Coded != 0 {
		return true, nil
	}
	return t.mistakable(ctx, t.asked[0])
}

func (t *taking) accept(ctx context.Context, c db.Challenge) error {
	err := challenge.Accept(ctx, t.tx, c)
	if errors.Is(err, challenge.ErrGone) {
		return nil // answered by somebody quicker, who has said what came of it
	}
	if err != nil {
		return err
	}
	return t.tx.SetReplyChallenge(ctx, db.SetReplyChallengeParams{ID: t.id, ChallengeID: c.ID})
}

// mistakable reports whether a bare yes to c might be meant for another question that this phone was asked, of another tenant or purpose, and that
// ended unanswered a moment ago.
func (t *taking) mistakable(ctx context.Context, c db.Challenge) (bool, error) {
	last, err := t.last(ctx)
	for _, other := range last {
		ended := challenge.State(other.State) == challenge.Expired || challenge.State(other.State) == challenge.Superseded ||
			challenge.State(other.State) == challenge.Open && other.ExpiresAt <= store.Millis(t.tx.Now())
		recent := t.tx.Now().Sub(overAt(other)) < lookalikeTime
		if other.ID != c.ID && ended && recent && (other.Tenant != c.Tenant || other.Purpose != c.Purpose) {
			return true, err
		}
	}
	return false, err
}

// overAt is when a question ended, or when it should have if nobody has noticed yet.
func overAt(c db.Challenge) time.Time {
	if c.EndedAt != 0 {
		return store.Time(c.EndedAt)
	}
	return store.Time(c.ExpiresAt)
}

func (t *taking) last(ctx context.Context) ([]db.Challenge, error) {
	return t.tx.LastChallengesOfPhone(ctx, db.LastChallengesOfPhoneParams{Account: t.Line.Account, Sender: t.Line.Sender, Phone: t.Phone.E164()})
}

// askWhich lists the open questions with their codes, once for the newest of them.
func (t *taking) askWhich(ctx context.Context) error {
	newest := t.asked[len(t.asked)-1]
	n, err := t.tx.MarkHinted(ctx, db.MarkHintedParams{ID: newest.ID, HintedAt: store.Millis(t.tx.Now())})
	if err != nil || n == 0 {
		return err
	}
	var choices []string
	for _, c := range t.asked {
		if asker, ok := t.tenants.Tenant(c.Tenant); ok {
			choices = append(choices, asker.AskedAnswer()+" "+c.ReplyCode+" for "+asker.Name)
		}
	}
	return t.tell(ctx, newest, text.Hint, wording.Several,
		wording.Fill{Count: len(t.asked), Choices: "Reply " + strings.Join(choices, " or ")})
}

// wrongCode counts a yes with a code that none of the questions has, and cancels those at which somebody keeps guessing.
func (t *taking) wrongCode(ctx context.Context) error {
	var left []db.Challenge
	for _, c := range t.asked {
		n, err := t.tx.CountWrongCode(ctx, c.ID)
		if errors.Is(err, sql.ErrNoRows) {
			continue // answered or ended by somebody quicker
		}
		if err != nil {
			return err
		}
		if n < wrongCodes {
			left = append(left, c)
			continue
		}
		if err := challenge.Cancel(ctx, t.tx, c, "wrong codes"); err != nil && !errors.Is(err, challenge.ErrGone) {
			return err
		}
	}
	t.asked = left
	return t.hint(ctx)
}

// late answers a yes when no question is open: it says once that the last one is over, and is silent while that one's click is under way. When no
// question to this phone is known at all, tenants that keep their mails at Mailgun have the mail looked for there.
func (t *taking) late(ctx context.Context) error {
	last, err := t.last(ctx)
	if err != nil {
		return err
	}
	if len(last) == 0 {
		for _, asker := range t.tenants.BySender(t.Line.Account, t.Line.Sender) {
			if asker.Mails.Keep == tenant.KeepMailgun {
				t.tx.Enqueue(LookUpMail{t.id})
				break
			}
		}
		return nil
	}
	c := last[0]
	var saying wording.Saying
	switch challenge.State(c.State) {
	case challenge.Confirmed:
		saying = wording.DoneBefore
	case challenge.Expired, challenge.Canceled, challenge.Denied, challenge.Failed:
		saying = wording.Late
	case challenge.Open:
		if c.ExpiresAt > store.Millis(t.tx.Now()) {
			return nil // its prompt is still on the way
		}
		saying = wording.Late
	default:
		return nil
	}
	if t.tx.Now().Sub(overAt(c)) > lateTime {
		return nil
	}
	n, err := t.tx.MarkLate(ctx, db.MarkLateParams{ID: c.ID, LateAt: store.Millis(t.tx.Now())})
	if err != nil || n == 0 {
		return err
	}
	return t.answered(ctx, c, saying, wording.Fill{})
}

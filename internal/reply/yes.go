package reply

import (
	"context"
	"errors"
	"strings"

	"smsbridge/internal/challenge"
	"smsbridge/internal/tenant"
	"smsbridge/internal/text"
	"smsbridge/internal/wording"
)

// yes accepts the one question that a yes can mean: the one whose code it carries, or the only
// one. With several, or with one that another might be mistaken for, it accepts none and asks for
// the code.
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

// coded accepts the question whose code came with the yes. Two replicas may have given the same
// code to two questions at once; then it is neither.
func (t *taking) coded(ctx context.Context) error {
	var meant []challenge.Challenge
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

// needsCode reports whether a bare yes does not say which question it answers. It might also be
// meant for another question to this phone, of another tenant or purpose, that ended without an
// answer a moment ago.
func (t *taking) needsCode(ctx context.Context) (bool, error) {
	c := t.asked[0]
	if len(t.asked) > 1 || c.Coded {
		return true, nil
	}
	last, err := challenge.Last(ctx, t.tx, t.Line, t.Phone)
	for _, other := range last {
		unanswered := other.State == challenge.Expired || other.State == challenge.Superseded
		recent := t.tx.Now().Sub(other.Ended) < lookalikeTime
		differs := other.Tenant != c.Tenant || other.Purpose != c.Purpose
		if other.ID != c.ID && unanswered && recent && differs {
			return true, err
		}
	}
	return false, err
}

func (t *taking) accept(ctx context.Context, c challenge.Challenge) error {
	err := challenge.Accept(ctx, t.tx, c)
	if errors.Is(err, challenge.ErrGone) {
		return nil // a reply that was quicker answered it, and was told what came of it
	}
	if err != nil {
		return err
	}
	return t.link(ctx, c)
}

// askWhich lists the open questions with their codes, once for the newest of them.
func (t *taking) askWhich(ctx context.Context) error {
	newest := t.asked[len(t.asked)-1]
	first, err := challenge.MarkHinted(ctx, t.tx, newest)
	if err != nil || !first {
		return err
	}
	var choices []string
	for _, c := range t.asked {
		if asker, ok := t.tenants.Tenant(c.Tenant); ok {
			choices = append(choices, asker.AskedAnswer()+" "+c.ReplyCode+" for "+asker.Name)
		}
	}
	fill := wording.Fill{Count: len(t.asked), Choices: "Reply " + strings.Join(choices, " or ")}
	return t.tell(ctx, newest, text.Hint, wording.Several, fill)
}

// wrongCode counts a yes with a code that none of the questions has, which cancels those that had
// too many.
func (t *taking) wrongCode(ctx context.Context) error {
	var left []challenge.Challenge
	for _, c := range t.asked {
		open, err := challenge.WrongCode(ctx, t.tx, c)
		if err != nil {
			return err
		}
		if open {
			left = append(left, c)
		}
	}
	t.asked = left
	return t.hint(ctx)
}

// late answers a yes when no question is open: it says once that the last one is over, and is
// silent while that one's click is under way, or its prompt. When no question to this phone is
// known at all, tenants that keep their mails at Mailgun have the mail looked for there.
func (t *taking) late(ctx context.Context) error {
	last, err := challenge.Last(ctx, t.tx, t.Line, t.Phone)
	if err != nil {
		return err
	}
	if len(last) == 0 {
		for _, asker := range t.Sharing {
			if asker.Mails.Keep == tenant.KeepMailgun {
				t.tx.Enqueue(LookUpMail{t.id})
				break
			}
		}
		return nil
	}
	c := last[0]
	saying := wording.Late
	switch c.State {
	case challenge.Confirmed:
		saying = wording.DoneBefore
	case challenge.Expired, challenge.Canceled, challenge.Denied, challenge.Failed:
	default:
		return nil
	}
	if t.tx.Now().Sub(c.Ended) > lateTime {
		return nil
	}
	first, err := challenge.MarkLate(ctx, t.tx, c)
	if err != nil || !first {
		return err
	}
	return t.answered(ctx, c, saying)
}

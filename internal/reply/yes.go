package reply

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"smsbridge/internal/challenge"
	"smsbridge/internal/segment"
	"smsbridge/internal/tenant"
	"smsbridge/internal/text"
	"smsbridge/internal/wording"
)

// yes accepts the one question that a yes can mean: the one whose code it carries, or the only one
// that takes a bare yes. Otherwise it accepts none and asks for the code.
func (t *taking) yes(ctx context.Context) error {
	if len(t.asked) == 0 {
		return t.late(ctx)
	}
	if t.Code != "" {
		return t.coded(ctx)
	}
	c, one, err := t.meant(ctx)
	if err != nil {
		return err
	}
	if !one {
		return t.askWhich(ctx)
	}
	return t.accept(ctx, c)
}

// meant returns the question that a bare yes means, and false when it does not say which. All but
// one of the open questions told their code in the prompt. Two replicas that opened questions at
// once did not know of each other's; then neither takes a bare yes. Nor does one take it that might
// be meant for another such question that has just ended without a text about it. The same goes for
// a yes that may be the one to a question once more that is being clicked.
func (t *taking) meant(ctx context.Context) (c challenge.Challenge, one bool, err error) {
	for _, asked := range t.asked {
		if asked.Coded {
			continue
		}
		if one {
			return challenge.Challenge{}, false, nil
		}
		c, one = asked, true
	}
	if !one {
		return c, false, nil
	}
	others, err := challenge.Mistakable(ctx, t.tx, t.Line, t.Phone)
	for _, other := range others {
		if (other.Over() || c.MayRepeat(other)) && !other.Coded && !other.Same(c) {
			return challenge.Challenge{}, false, err
		}
	}
	return c, true, err
}

// coded accepts the question whose code came with the yes. Two replicas may have given the same
// code to two questions at once; then it is neither. Once a phone has had its wrong codes of the
// day, no code of it is compared any more, and it is not told so: its sender may be faked.
func (t *taking) coded(ctx context.Context) error {
	may, err := challenge.MayGuess(ctx, t.tx, t.Phone)
	if err != nil {
		return err
	}
	if !may {
		return t.tx.Record(ctx, t.about(), t.id, "reply.blocked", "too many wrong codes in a day")
	}
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

// accept accepts a question, unless the reply is a yes to others only: then it is no answer.
func (t *taking) accept(ctx context.Context, c challenge.Challenge) error {
	if !t.says(c, Yes) {
		return t.hint(ctx)
	}
	err := challenge.Accept(ctx, t.tx, c)
	if errors.Is(err, challenge.ErrGone) {
		return nil // a reply that was quicker answered it, and was told what came of it
	}
	if err != nil {
		return err
	}
	return t.link(ctx, c.ID)
}

// askWhich lists the open questions with their codes, once for the newest of them.
func (t *taking) askWhich(ctx context.Context) error {
	newest := t.asked[len(t.asked)-1]
	first, err := challenge.MarkHinted(ctx, t.tx, newest)
	if err != nil || !first {
		return err
	}
	asker, ok := t.tenants.Tenant(newest.Tenant)
	if !ok {
		return nil // the tenant is no longer configured: there are no words to say it in
	}
	language := asker.LanguageOf(newest.Language)
	body := which(asker, language, t.choices(language), len(t.asked))
	return challenge.Tell(ctx, t.tx, asker, newest, challenge.Said{
		Purpose: text.Hint, Saying: wording.Several, Body: body,
	})
}

// choices are the replies that each mean one open question, with what they mean.
func (t *taking) choices(language string) (choices []string) {
	for _, c := range t.asked {
		if asker, ok := t.tenants.Tenant(c.Tenant); ok {
			about := wording.Choice(language, asker.Name, c.Purpose == challenge.Password)
			if c.Purpose == challenge.App {
				about = wording.ChoiceApp(language, asker.Name)
			}
			choices = append(choices, asker.AskedAnswer(language)+" "+c.ReplyCode+" "+about)
		}
	}
	return choices
}

// which asks which of the questions is meant. A text that would take a second segment names only
// as many as fit into one, and says that there are more. The prompts of those said their codes.
func which(asker *tenant.Tenant, language string, choices []string, open int) string {
	for named := len(choices); ; named-- {
		listed := strings.Join(choices[:named], ", ")
		if named < len(choices) {
			listed = wording.AndMore(language, listed)
		}
		body := asker.Say(language, wording.Several, wording.Fill{Count: open, Choices: listed})
		if named <= 1 || segment.Measure(body).Segments <= wording.Several.MostSegments(language) {
			return body
		}
	}
}

// wrongCode counts a yes with a code that none of the questions has: against the phone, and against
// each question, which cancels those that had too many.
func (t *taking) wrongCode(ctx context.Context) error {
	n, err := challenge.CountGuess(ctx, t.tx, t.Phone, len(t.asked))
	if err != nil {
		return err
	}
	detail := fmt.Sprintf("%d of %d", n, challenge.MaxGuesses)
	if err := t.tx.Record(ctx, t.about(), t.id, "reply.wrong_code", detail); err != nil {
		return err
	}
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
// known at all, tenants that keep their mails at Mailgun have the mail looked for there. Then the
// phone is asked about it again.
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
	switch c.State {
	case challenge.Open, challenge.Accepted, challenge.Clicking:
		return nil
	}
	if t.tx.Now().Sub(c.Ended) > lateTime {
		return nil
	}
	first, err := challenge.MarkLate(ctx, t.tx, c)
	if err != nil || !first {
		return err
	}
	return t.answered(ctx, c, challenge.OverSaying(c))
}

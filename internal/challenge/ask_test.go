package challenge_test

import (
	"context"
	"regexp"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"smsbridge/internal/challenge"
	"smsbridge/internal/store"
	"smsbridge/internal/tenant"
	"smsbridge/internal/text"
	"smsbridge/internal/wording"
)

// Ensure that a prompt asks for the answer that its tenant takes: a word, a word with a code, or a
// tap on a short link. Only a question that takes a tap has such a link.
func TestPrompt(t *testing.T) {
	each(t, func(b bridge) {
		for _, test := range []struct {
			answer  tenant.Answer
			purpose challenge.Purpose
			bareYes bool
			saying  wording.Saying
			coded   bool
		}{
			{tenant.ByReply, challenge.Registration, false, wording.AskRegistration, false},
			{tenant.ByReply, challenge.Password, false, wording.AskPasswordCode, true},
			{tenant.ByReply, challenge.Password, true, wording.AskPassword, false},
			{tenant.ByTap, challenge.Registration, false, wording.TapRegistration, false},
			{tenant.ByTap, challenge.Password, false, wording.TapPassword, true},
			{tenant.ByBoth, challenge.Registration, false, wording.BothRegistration, false},
			{tenant.ByBoth, challenge.Password, false, wording.BothPassword, true},
			{tenant.ByBoth, challenge.Password, true, wording.BothPassword, false},
		} {
			q := b.question()
			q.Purpose = test.purpose
			q.asker = asker("acme", 10*time.Minute)
			q.asker.Question.Answer = test.answer
			q.asker.Question.UnsafeBareYes = test.bareYes
			c := b.get(b.ask(q))
			require.Equal(b, test.coded, c.Coded, "%+v", test)
			require.Equal(b, q.line(), c.Line)

			prompt, token := b.prompt(c.ID)
			require.Equal(b, test.answer != tenant.ByReply, token != "", "%+v", test)
			require.Equal(b, q.asker.Say("", test.saying, wording.Fill{
				Code: c.ReplyCode, Link: q.asker.ShortURL(token), Life: 10 * time.Minute,
			}), prompt.Body)
			require.Equal(b, c.Expires, prompt.Deadline)
			require.Equal(b, c.Line, prompt.Line)
			links := b.Count("short_link WHERE challenge_id = $1", c.ID)
			require.Equal(b, token != "", links == 1, "%+v", test)
		}
	})
}

// shortLinks finds the token of a short link in a prompt.
var shortLinks = regexp.MustCompile(`/l/([\w-]+)`)

// prompt is the prompt of a challenge as it leaves, and the token of its short link, "" for none.
func (b bridge) prompt(challengeID string) (prompt text.Attempt, token string) {
	b.Helper()
	return b.told(challengeID, text.Prompt)
}

// told begins the sending of the one text with which a challenge serves a purpose, and returns it
// and the token of its short link.
func (b bridge) told(
	challengeID string, purpose text.Purpose,
) (told text.Attempt, token string) {
	b.Helper()
	ids := b.Strings("SELECT id FROM text WHERE challenge_id = $1 AND purpose = $2",
		challengeID, string(purpose))
	require.Len(b, ids, 1)
	b.Do(func(ctx context.Context, tx *store.Tx) (err error) {
		told, _, err = text.Begin(ctx, tx, ids[0])
		return err
	})
	if found := shortLinks.FindStringSubmatch(told.Body); found != nil {
		token = found[1]
	}
	return told, token
}

// Ensure that the short link after a click that needs the person comes with the words of what the
// mail was about: a new password, or the proof of an address.
func TestWordsOfAHandOver(t *testing.T) {
	each(t, func(b bridge) {
		for purpose, saying := range map[challenge.Purpose]wording.Saying{
			challenge.Registration: wording.RelayVerify, challenge.Password: wording.RelayReset,
		} {
			q := b.question()
			q.Purpose = purpose
			c := b.get(b.ask(q))
			b.send(c.ID)
			b.Do(accept(c))
			click, due := b.click(c.ID)
			require.True(b, due)
			click.GoOn = link
			b.Do(func(ctx context.Context, tx *store.Tx) error {
				return challenge.Finish(ctx, tx, q.asker, click, challenge.OutcomeNeedsUser)
			})
			told, token := b.told(c.ID, text.Outcome)
			require.NotEmpty(b, token)
			fill := wording.Fill{Link: q.asker.ShortURL(token), Life: 10 * time.Minute}
			require.Equal(b, q.asker.Say("", saying, fill), told.Body)
		}
	})
}

// Ensure that a question needs a code beside another one on its line. It needs none beside one from
// another sender or account: a reply to that one comes on the other line.
func TestCodeBesideAnotherQuestionOfItsLine(t *testing.T) {
	each(t, func(b bridge) {
		first := b.open()
		for i, test := range []struct {
			account, sender string
			coded           bool
		}{
			{"AC1", "+15005550007", false}, {"AC2", "+15005550006", false}, {"AC1", "+15005550006", true},
		} {
			q := again(first)
			q.Recipient = strconv.Itoa(i) + first.Recipient
			q.asker.Sending.Twilio = tenant.Twilio{AccountSID: test.account, From: test.sender}
			require.Equal(b, test.coded, b.get(b.ask(q)).Coded, "%+v", test)
		}
	})
}

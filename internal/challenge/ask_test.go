package challenge_test

import (
	"context"
	"regexp"
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
			require.Equal(b, q.asker.Say(test.saying, wording.Fill{
				Code: c.ReplyCode, Link: q.asker.ShortURL(token),
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
	ids := b.Strings("SELECT id FROM text WHERE challenge_id = $1", challengeID)
	require.Len(b, ids, 1)
	b.Do(func(ctx context.Context, tx *store.Tx) (err error) {
		prompt, _, err = text.Begin(ctx, tx, ids[0])
		return err
	})
	if found := shortLinks.FindStringSubmatch(prompt.Body); found != nil {
		token = found[1]
	}
	return prompt, token
}

package challenge_test

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"smsbridge/internal/challenge"
	"smsbridge/internal/store"
	"smsbridge/internal/tenant"
	"smsbridge/internal/text"
	"smsbridge/internal/wording"
)

// Ensure that a question to a phone takes the form that works in its country: no link where
// operators filter those that are not registered, and no question at all that cannot be answered.
func TestFormOfCountry(t *testing.T) {
	each(t, func(b bridge) {
		for asked, saying := range map[tenant.Answer]wording.Saying{
			tenant.ByReply: wording.AskRegistration, tenant.ByTap: wording.AskRegistration,
			tenant.ByBoth: wording.AskRegistration,
		} {
			q := b.question()
			q.asker = asker("acme", 10*time.Minute)
			q.asker.Works, q.asker.Question.Answer = tenant.Works{}, asked
			id := b.ask(q)
			prompt, token := b.prompt(id)
			require.Empty(b, token, asked)
			said := q.asker.Say("", saying, wording.Fill{Life: 10 * time.Minute})
			require.Equal(b, said, prompt.Body)
			require.Zero(b, b.Count("short_link WHERE challenge_id = $1", id))
		}

		q := b.question()
		q.asker = asker("acme", 10*time.Minute)
		q.asker.Works, q.asker.Question.Answer = tenant.Works{}, tenant.ByTap
		q.asker.Sending.Twilio.From = "ACME"
		b.Do(func(ctx context.Context, tx *store.Tx) error {
			a, err := challenge.Consider(ctx, tx, q.asker, q.Question)
			require.Equal(b, "no question can be asked: a phone cannot reply to a name; operators of DK "+
				"filter texts with links that are not registered (links_work)", a.Obstacle)
			return err
		})
		q.asker.Tests = []tenant.TestNumber{{Phone: q.Phone, End: b.Now().Add(time.Minute)}}
		require.Empty(b, b.obstacle(q), "a test number is not texted")
		b.Pass(time.Minute)
		require.NotEmpty(b, b.obstacle(q), "it is one no longer")
	})
}

// Ensure that a question is asked by the sender of its form: a tap by that of links. A reply to
// that sender finds it, too.
func TestSenderOfForm(t *testing.T) {
	each(t, func(b bridge) {
		for asked, sender := range map[tenant.Answer]string{
			tenant.ByReply: "+15005550006", tenant.ByBoth: "+15005550006", tenant.ByTap: "ACME",
		} {
			q := b.question()
			q.asker = asker("acme", 10*time.Minute)
			q.asker.Question.Answer = asked
			q.asker.Sending.Twilio.LinksFrom = "ACME"
			c := b.get(b.ask(q))
			require.Equal(b, sender, c.Line.Sender, asked)
			prompt, token := b.prompt(c.ID)
			require.Equal(b, c.Line, prompt.Line)
			require.Equal(b, asked != tenant.ByReply, token != "", asked)
			require.Equal(b, []string{c.ID}, b.asked(c))
			b.Do(func(ctx context.Context, tx *store.Tx) error {
				again, err := challenge.Consider(ctx, tx, q.asker, q.Question)
				require.Empty(b, again.Obstacle)
				require.NoError(b, err)
				id, err := again.Ask(ctx, tx)
				require.Equal(b, c.ID, id, "it is a resend")
				return err
			})
			other := q
			other.MailID, other.Recipient = store.NewID(), "other+"+q.Recipient
			require.True(b, b.get(b.ask(other)).Coded, "it stands beside the first")
		}
	})
}

// Ensure that a click that needs the person ends with words where no link may be texted. Where one
// may, it goes out from the sender of links.
func TestHandOverOfCountry(t *testing.T) {
	each(t, func(b bridge) {
		for _, links := range [][]string{{"DK"}, {"SE"}} {
			c := b.clicking()
			c.GoOn = link
			acme := asker("acme", time.Minute)
			acme.Works.Links, acme.Sending.Twilio.LinksFrom = links, "ACME"
			b.Do(func(ctx context.Context, tx *store.Tx) error {
				return challenge.Finish(ctx, tx, acme, c, challenge.OutcomeNeedsUser)
			})
			told, token := b.told(c.Challenge.ID, text.Outcome)
			if links[0] == "DK" {
				require.NotEmpty(b, token)
				require.Equal(b, "ACME", told.Line.Sender)
				continue
			}
			require.Empty(b, token)
			require.Equal(b, acme.Say("", wording.NeedsUser, wording.Fill{}), told.Body)
			require.Equal(b, c.Challenge.Line, told.Line)
			require.Empty(b, b.row(c.Challenge.ID).Link)
		}
	})
}

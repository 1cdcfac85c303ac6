package challenge_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"smsbridge/internal/challenge"
	"smsbridge/internal/store"
	"smsbridge/internal/tenant"
	"smsbridge/internal/text"
)

const idp = "no-reply@acme.example"

// by is a question about a mail whose sender a signature proved, "" for none.
func (q question) by(author string) question { q.Author = author; return q }

// clicked is the link that a yes to a challenge opens.
func (b bridge) clicked(c challenge.Challenge) string {
	b.Helper()
	b.Do(accept(c))
	click, due := b.click(c.ID)
	require.True(b, due)
	return click.Link
}

// Ensure that a later mail to the same address changes the link of a question only until its prompt
// leaves, and causes no second text.
func TestLinkIsFixedWhenThePromptLeaves(t *testing.T) {
	each(t, func(b bridge) {
		c := b.get(b.ask(b.question()))
		first := b.row(c.ID)
		q := again(c)
		require.Equal(b, c.ID, b.ask(q))
		replaced := b.row(c.ID)
		require.Equal(b, q.MailID, replaced.MailID)
		require.NotEqual(b, first.Digest, replaced.Digest)
		require.Equal(b, c.Expires, replaced.ExpiresAt.Time)
		require.Equal(b, []string{"due"}, b.texts(c.ID))
		require.Equal(b, []string{"challenge.open", "challenge.resent"}, b.EventNames(c.ID))
		require.Equal(b, link+"2", b.clicked(c), "the prompt asked about this one")

		for _, after := range []time.Duration{0, time.Second, time.Minute, 9 * time.Minute} {
			c := b.open()
			asked := b.row(c.ID)
			b.Pass(after)
			require.Equal(b, c.ID, b.ask(again(c)), after)
			require.Equal(b, asked, b.row(c.ID), after)
			require.Equal(b, []string{"sending"}, b.texts(c.ID), after)
			require.Equal(b, link, b.clicked(c), "a yes opens what it was asked about")
			require.Equal(b, c.ID, b.ask(again(c)), "while it is clicked, too")
			require.Equal(b, 1, b.Count("challenge WHERE phone = $1", c.Phone.E164()))
		}

		put := b.get(b.ask(b.question()))
		prompt := b.Strings("SELECT id FROM text WHERE challenge_id = $1", put.ID)[0]
		b.Do(func(ctx context.Context, tx *store.Tx) error {
			a, _, err := text.Begin(ctx, tx, prompt)
			return errors.Join(err, text.PutBack(ctx, tx, a, text.Sending))
		})
		b.ask(again(put))
		require.Equal(b, link, b.clicked(put), "the first attempt may have reached the phone")
	})
}

// Ensure that a mail is a resend or not by the prompt of its own question alone: by no other one's,
// and by no other text about it.
func TestWhichPromptIsLost(t *testing.T) {
	each(t, func(b bridge) {
		before, lost, after := b.open(), b.open(), b.open()
		for _, c := range []challenge.Challenge{lost, after} {
			b.Do(func(ctx context.Context, tx *store.Tx) error {
				return tell(ctx, tx, c, text.Hint, "Reply YES or NO.")
			})
		}
		b.Exec("UPDATE text SET state = 'failed' WHERE challenge_id = $1 AND purpose = 'prompt'", lost.ID)
		b.Exec("UPDATE text SET state = 'failed' WHERE challenge_id = $1 AND purpose = 'hint'", after.ID)
		require.Equal(b, before.ID, b.ask(again(before)))
		require.NotEqual(b, lost.ID, b.ask(again(lost)))
		require.Equal(b, after.ID, b.ask(again(after)))

		answered := b.accepted()
		b.Exec("UPDATE text SET state = 'failed' WHERE challenge_id = $1", answered.ID)
		require.Equal(b, answered.ID, b.ask(again(answered)), "it came after all")
		rehearsed := b.question()
		rehearsed.asker.Tests = []tenant.TestNumber{{Phone: rehearsed.Phone, End: b.Now().Add(time.Hour)}}
		id := b.ask(rehearsed)
		require.Equal(b, []string{"suppressed"}, b.texts(id))
		require.Equal(b, id, b.ask(rehearsed), "a test number needs no prompt")
	})
}

// Ensure that a resend, which causes no text, is admitted when no text may be sent and is not
// counted as one.
func TestResendIsNotCounted(t *testing.T) {
	each(t, func(b bridge) {
		q := b.question()
		q.asker.Limits.PhoneHour = 1
		id := b.ask(q)
		b.send(id)
		resent := again(b.get(id))
		resent.asker = q.asker
		b.Do(func(ctx context.Context, tx *store.Tx) error {
			a, err := challenge.Consider(ctx, tx, resent.asker, resent.Question)
			if err != nil {
				return err
			}
			refusal, err := a.Admit(ctx, tx)
			require.Nil(b, refusal)
			return err
		})
	})
}

// Ensure that a question that was answered or has expired takes no link: the mail is asked about.
func TestMailAfterTheEndIsAskedAbout(t *testing.T) {
	each(t, func(b bridge) {
		c := b.clicking()
		b.Do(finish(c, challenge.OutcomeConfirmed))
		require.NotEqual(b, c.Challenge.ID, b.ask(again(c.Challenge)))

		short := b.question()
		short.asker = asker("acme", 30*time.Second)
		id := b.ask(short)
		b.send(id)
		b.Pass(30 * time.Second)
		require.NotEqual(b, id, b.ask(short))
		require.Equal(b, challenge.Expired, b.row(id).State)
	})
}

// Ensure that a mail whose sender is less well proved takes nothing's place, not even before the
// prompt has left.
func TestLessProvedMailReplacesNothing(t *testing.T) {
	each(t, func(b bridge) {
		for _, test := range []struct {
			first, later string
			opens        string
		}{
			{"", "", link + "2"}, {"", idp, link + "2"}, {idp, idp, link + "2"},
			{idp, "", link}, {idp, "other@acme.example", link},
		} {
			c := b.get(b.ask(b.question().by(test.first)))
			require.Equal(b, c.ID, b.ask(again(c).by(test.later)))
			require.Equal(b, test.opens, b.clicked(c), "%+v", test)
		}
	})
}

// Ensure that a held link is opened only when the asked one was used or had expired. One sender of
// both mails must be proved; otherwise the link is not even kept.
func TestHeldLink(t *testing.T) {
	each(t, func(b bridge) {
		for _, test := range []struct {
			first, later string
			outcome      challenge.Outcome
			opened       bool
		}{
			{idp, idp, challenge.OutcomeUsed, true}, {idp, idp, challenge.OutcomeExpired, true},
			{idp, idp, challenge.OutcomeConfirmed, false}, {idp, idp, challenge.OutcomeAlready, false},
			{idp, idp, challenge.OutcomeUnknown, false}, {idp, idp, challenge.OutcomeRefused, false},
			{idp, idp, challenge.OutcomeNeedsUser, false},
			{idp, idp, challenge.OutcomeUnreachable, false},
			{"", "", challenge.OutcomeUsed, false}, {idp, "", challenge.OutcomeExpired, false},
			{"", idp, challenge.OutcomeUsed, false},
			{idp, "other@acme.example", challenge.OutcomeUsed, false},
		} {
			id := b.ask(b.question().by(test.first))
			b.send(id)
			c := b.get(id)
			later := again(c).by(test.later)
			require.Equal(b, id, b.ask(later))
			proved := test.first != "" && test.first == test.later
			held := b.row(id)
			require.Equal(b, proved, held.HeldMailID == later.MailID, "%+v", test)
			require.Equal(b, proved, held.HeldLink != "", "%+v", test)
			require.NotContains(b, held.HeldLink, "very-secret")

			b.Do(accept(c))
			click, due := b.click(id)
			require.True(b, due)
			require.Equal(b, link, click.Link, "the asked link comes first")
			b.Do(finish(click, test.outcome))
			again, due := b.click(id)
			require.Equal(b, test.opened, due, "%+v", test)
			if !test.opened {
				ended := b.row(id)
				require.Empty(b, ended.HeldLink+ended.HeldMailID+ended.HeldDigest+ended.Digest+ended.Link)
				continue
			}
			require.Equal(b, link+"2", again.Link)
			require.False(b, again.Again || again.Submitted || again.Spent, "no click of this link was")
			require.Equal(b, 2, b.Jobs("click_link", id))
			require.ErrorIs(b, b.Try(finish(click, challenge.OutcomeConfirmed)), challenge.ErrGone,
				"the first click's end is no end of the second")
			b.Do(finish(again, challenge.OutcomeUsed))
			require.Equal(b, challenge.Failed, b.row(id).State, "there is no third")
			require.Equal(b, []string{"sending"}, b.texts(id), "only the prompt was texted")
		}
	})
}

// Ensure that nothing of the first click is taken for one of the held link. The form of that may be
// submitted, and the queue has its job.
func TestHeldLinkBeginsAnew(t *testing.T) {
	each(t, func(b bridge) {
		id := b.ask(b.question().by(idp))
		b.send(id)
		c := b.get(id)
		require.Equal(b, id, b.ask(again(c).by(idp)))
		begun := func() { b.Exec("UPDATE challenge SET begun_at = 1 WHERE id = $1", id) }
		begun()
		b.Do(accept(c))
		require.Zero(b, b.row(id).BegunAt)
		begun()
		click, due := b.click(id)
		require.True(b, due)
		b.Do(b.submit(id))
		b.Do(finish(click, challenge.OutcomeUsed))
		row := b.row(id)
		require.Empty(b, row.HeldLink+row.HeldDigest+row.HeldMailID)
		require.Zero(b, row.BegunAt)
		require.Zero(b, row.SubmittedAt)
		held, due := b.click(id)
		require.True(b, due)
		require.False(b, held.Again || held.Submitted || held.Spent)
		b.Do(b.submit(id))
		b.Do(finish(held, challenge.OutcomeConfirmed))
		require.Equal(b, challenge.Confirmed, b.row(id).State)
	})
}

// Ensure that of several held links the newest is kept, and that the end of the question erases it.
// An interrupted click that had worked opens none.
func TestHeldLinkIsBoundedAndErased(t *testing.T) {
	each(t, func(b bridge) {
		held := func() challenge.Challenge {
			id := b.ask(b.question().by(idp))
			b.send(id)
			c := b.get(id)
			for _, n := range []string{"3", "4", "5"} {
				q := again(c).by(idp)
				q.Link = link + n
				require.Equal(b, id, b.ask(q))
			}
			return c
		}
		c := held()
		require.Equal(b, link, b.clicked(c))
		row := b.row(c.ID)
		require.NotEmpty(b, row.HeldLink)
		again, due := b.click(c.ID)
		require.True(b, due && again.Again)
		b.Do(finish(again, challenge.OutcomeUsed))
		require.Equal(b, challenge.Confirmed, b.row(c.ID).State, "our own click had used it")
		require.Empty(b, b.row(c.ID).HeldLink)

		c = held()
		b.clicked(c)
		again, _ = b.click(c.ID)
		b.Do(finish(again, challenge.OutcomeExpired))
		newest, due := b.click(c.ID)
		require.True(b, due)
		require.Equal(b, link+"5", newest.Link)

		for name, end := range map[string]func(c challenge.Challenge){
			"denied":   func(c challenge.Challenge) { b.Do(deny(c)) },
			"canceled": func(c challenge.Challenge) { b.Do(cancel(c)) },
			"expired":  func(c challenge.Challenge) { b.Pass(10 * time.Minute); b.Do(expire(c)) },
		} {
			c := held()
			end(c)
			ended := b.row(c.ID)
			require.EqualValues(b, name, ended.State)
			require.Empty(b, ended.HeldLink+ended.HeldMailID+ended.HeldDigest+ended.Digest+ended.Link)
		}
	})
}

// Ensure that a mail to another spelling, for another purpose or of another tenant is a question of
// its own. It wants its code, and leaves the first as it is.
func TestOtherMailIsAQuestionOfItsOwn(t *testing.T) {
	each(t, func(b bridge) {
		for name, change := range map[string]func(q *question){
			"another spelling": func(q *question) { q.Recipient = "Acme" + q.Recipient[4:] },
			"another purpose":  func(q *question) { q.Purpose = challenge.Password },
			"another tenant":   func(q *question) { q.asker = asker("beta", 10*time.Minute) },
		} {
			c := b.open()
			asked := b.row(c.ID)
			require.False(b, c.Coded)
			q := again(c).by(idp)
			change(&q)
			other := b.get(b.ask(q))
			require.NotEqual(b, c.ID, other.ID, name)
			require.True(b, other.Coded, name)
			prompt, _ := b.prompt(other.ID)
			require.Contains(b, prompt.Body, other.ReplyCode, name)
			require.Equal(b, asked, b.row(c.ID), name)
			require.Equal(b, link, b.clicked(c), name)
			require.Equal(b, link+"2", b.clicked(other), name)
		}
	})
}

// Ensure that a question wants its code beside another that a yes might be meant for. It wants none
// beside one that is over or is the same.
func TestWhatWantsACode(t *testing.T) {
	each(t, func(b bridge) {
		for name, test := range map[string]struct {
			before func(c challenge.Challenge)
			same   bool
			coded  bool
		}{
			"open":             {func(challenge.Challenge) {}, false, true},
			"accepted":         {func(c challenge.Challenge) { b.Do(accept(c)) }, false, true},
			"being clicked":    {func(c challenge.Challenge) { b.clicked(c) }, false, true},
			"denied":           {func(c challenge.Challenge) { b.Do(deny(c)) }, false, false},
			"past its time":    {func(challenge.Challenge) { b.Pass(10 * time.Minute) }, false, true},
			"the same":         {func(challenge.Challenge) { b.Pass(10 * time.Minute) }, true, false},
			"nearly forgotten": {func(challenge.Challenge) { b.Pass(20*time.Minute - 1e6) }, false, true},
			"forgotten":        {func(challenge.Challenge) { b.Pass(20 * time.Minute) }, false, false},
			"expired": {func(c challenge.Challenge) {
				b.Pass(10 * time.Minute)
				b.Do(expire(c))
			}, false, true},
			"confirmed": {func(c challenge.Challenge) {
				b.Do(accept(c))
				click, _ := b.click(c.ID)
				b.Do(finish(click, challenge.OutcomeConfirmed))
			}, false, false},
		} {
			c := b.open()
			test.before(c)
			q := again(c)
			if !test.same {
				q.Recipient = "Acme" + q.Recipient[4:]
			}
			require.Equal(b, test.coded, b.get(b.ask(q)).Coded, name)
		}
	})
}

// Ensure that a phone which a prompt did not reach is asked about the next mail by a text of its
// own. The first link is gone then.
func TestLostPromptIsNoQuestion(t *testing.T) {
	each(t, func(b bridge) {
		for _, state := range []string{"failed", "suppressed"} {
			c := b.get(b.ask(b.question()))
			if state == "failed" {
				b.send(c.ID)
			}
			b.Exec("UPDATE text SET state = $1 WHERE challenge_id = $2", state, c.ID)
			next := b.get(b.ask(again(c)))
			require.NotEqual(b, c.ID, next.ID, state)
			require.Equal(b, []string{"due"}, b.texts(next.ID), state)
			require.False(b, next.Coded, state)
			ended := b.row(c.ID)
			require.Equal(b, challenge.Canceled, ended.State, state)
			require.Empty(b, ended.Link, state)
			require.ErrorIs(b, b.Try(accept(c)), challenge.ErrGone)
			require.Equal(b, link+"2", b.clicked(next), state)
		}
	})
}

// Ensure that a link which is not the one of the digest is not opened, wherever it comes from. A
// row without a digest opens none.
func TestLinkIsComparedBeforeTheClick(t *testing.T) {
	each(t, func(b bridge) {
		for _, digest := range []string{"", b.row(b.open().ID).Digest} {
			c := b.accepted()
			b.Exec("UPDATE challenge SET digest = $1 WHERE id = $2", digest, c.ID)
			click, due := b.click(c.ID)
			require.True(b, due)
			require.Empty(b, click.Link)
			require.False(b, click.Opens(link))
			require.False(b, click.Opens(""))
		}
		click := b.clicking()
		require.True(b, click.Opens(link))
		require.False(b, click.Opens(link+"2"))
		require.False(b, click.Opens(""))
	})
}

// Ensure that of a question about a mail that stays at Mailgun the digest is kept and no link, also
// of a held one.
func TestDigestIsKeptWithoutTheLink(t *testing.T) {
	each(t, func(b bridge) {
		q := b.question().by(idp)
		q.asker.Mails.Keep = tenant.KeepMailgun
		c := b.get(b.ask(q))
		b.send(c.ID)
		later := again(c).by(idp)
		later.asker.Mails.Keep = tenant.KeepMailgun
		b.ask(later)
		row := b.row(c.ID)
		require.Empty(b, row.Link+row.HeldLink)
		require.NotEqual(b, row.Digest, row.HeldDigest)
		b.Do(accept(c))
		click, _ := b.click(c.ID)
		require.Empty(b, click.Link)
		require.True(b, click.Opens(link))
		require.False(b, click.Opens(link+"2"))
		b.Do(finish(click, challenge.OutcomeExpired))
		require.Equal(b, challenge.Failed, b.row(c.ID).State,
			"a link that could not be fetched was not clicked in vain")
	})
}

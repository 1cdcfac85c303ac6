package challenge_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"smsbridge/internal/challenge"
	"smsbridge/internal/store"
	"smsbridge/internal/tenant"
	"smsbridge/internal/text"
	"smsbridge/phonemail"
)

// appQuestion is what an app asks a phone that was never asked before.
func (b bridge) appQuestion() challenge.AppQuestion {
	return challenge.AppQuestion{
		ID: store.NewID(), Phone: b.Phone(), Subject: "Deliver today at 17?", Reference: "order 66",
		Life: 5 * time.Minute,
	}
}

func (b bridge) tryApp(t *tenant.Tenant, q challenge.AppQuestion) (c challenge.Challenge,
	err error) {
	b.Helper()
	err = b.Try(func(ctx context.Context, tx *store.Tx) (err error) {
		c, err = challenge.AskApp(ctx, tx, t, q)
		return err
	})
	return c, err
}

func (b bridge) askApp(q challenge.AppQuestion) challenge.Challenge {
	b.Helper()
	c, err := b.tryApp(asker("acme", 10*time.Minute), q)
	require.NoError(b, err)
	return c
}

// Ensure that an app's question is put in the app's words, and that a yes confirms it at once, in
// time, and without a click.
func TestAskApp(t *testing.T) {
	each(t, func(b bridge) {
		q := b.appQuestion()
		c := b.askApp(q)
		require.Equal(b, []any{q.ID, challenge.Open, challenge.App, "order 66", "", false},
			[]any{c.ID, c.State, c.Purpose, c.Reference, c.MailID, c.Coded})
		require.Equal(b, b.Now().Add(5*time.Minute), c.Expires)
		prompt, _ := b.told(c.ID, text.Prompt)
		require.Equal(b, "acme: Deliver today at 17? Reply YES or NO within 5 min.", prompt.Body)
		require.Equal(b, c.Expires, prompt.Deadline)
		b.Pass(5*time.Minute - time.Millisecond)
		b.Do(accept(c))
		ended := b.get(c.ID)
		require.Equal(b, challenge.Confirmed, ended.State)
		require.Equal(b, b.Now(), ended.Ended)
		require.Equal(b, b.Now(), ended.Accepted)
		require.Zero(b, b.Jobs("click_link", c.ID))
		require.Equal(b, []string{"challenge.open", "challenge.confirmed"}, b.EventNames(c.ID))
		require.ErrorIs(b, b.Try(accept(c)), challenge.ErrGone)
		require.ErrorIs(b, b.Try(deny(c)), challenge.ErrGone)

		late := b.askApp(b.appQuestion())
		b.Pass(5 * time.Minute)
		require.ErrorIs(b, b.Try(accept(late)), challenge.ErrGone)
		b.Do(expire(late))
		require.Equal(b, challenge.Expired, b.get(late.ID).State)
	})
}

// Ensure that a yes to an app ends the wait of its phone, as a code that came back does.
func TestYesToAnAppEndsTheWait(t *testing.T) {
	each(t, func(b bridge) {
		patient := asker("acme", 10*time.Minute)
		patient.Limits.Wait = time.Hour
		q := b.appQuestion()
		c, err := b.tryApp(patient, q)
		require.NoError(b, err)
		again := q
		again.ID = store.NewID()
		_, err = b.tryApp(patient, again)
		require.ErrorIs(b, err, challenge.ErrLimited)
		b.Do(accept(c))
		_, err = b.tryApp(patient, again)
		require.NoError(b, err)
	})
}

// Ensure that an app, which is known by its key, spends none of what mails without a proved sender
// may cause.
func TestAppIsNotTheAskerOfMails(t *testing.T) {
	each(t, func(b bridge) {
		acme := asker("acme", 10*time.Minute)
		acme.Mails.Sender.Verify, acme.Limits.AskerHour = tenant.VerifyOff, 1
		for range 2 {
			_, err := b.tryApp(acme, b.appQuestion())
			require.NoError(b, err)
		}
		first, second := b.question(), b.question()
		first.asker, second.asker = acme, acme
		require.Equal(b, []string{"due"}, b.texts(b.ask(first)))
		require.Equal(b, []string{"suppressed"}, b.texts(b.ask(second)))
	})
}

// Ensure that of those who race for an app's question one wins.
func TestAppQuestionEndsOnce(t *testing.T) {
	each(t, func(b bridge) {
		c := b.askApp(b.appQuestion())
		won := b.race(challenge.ErrGone, accept(c), deny(c), cancel(c), accept(c))
		require.Equal(b, 1, won)
		require.Len(b, b.EventNames(c.ID), 2)
	})
}

// Ensure that beside another question an app's takes no bare yes, and that the next mail's takes
// none beside it: neither can be mistaken for the other.
func TestAppQuestionBesideAnother(t *testing.T) {
	each(t, func(b bridge) {
		mails, q := b.question(), b.appQuestion()
		q.Phone = mails.Phone
		first := b.get(b.ask(mails))
		require.False(b, first.Coded)
		c := b.askApp(q)
		require.True(b, c.Coded)
		prompt, _ := b.told(c.ID, text.Prompt)
		require.Contains(b, prompt.Body, "Reply YES "+c.ReplyCode+" or NO "+c.ReplyCode+" within")
		require.NotEqual(b, first.ReplyCode, c.ReplyCode)

		other := b.appQuestion()
		b.askApp(other)
		mails = b.question()
		mails.Phone = other.Phone
		mails.Recipient = "acme" + other.Phone.E164() + "@sms.acme.example"
		require.True(b, b.get(b.ask(mails)).Coded)
		again := b.appQuestion()
		again.Phone, again.Subject = other.Phone, other.Subject
		require.True(b, b.askApp(again).Coded, "a second question in the same words is another one")
		again.ID = store.NewID()
		_, err := b.tryApp(asker("acme", time.Minute), again)
		require.ErrorIs(b, err, challenge.ErrBusy)
		require.ErrorContains(b, err, "too many open questions")
	})
}

// Ensure that what cannot be texted is refused with the reason, and leaves nothing.
func TestAppQuestionRefused(t *testing.T) {
	each(t, func(b bridge) {
		refused := func(t *tenant.Tenant, q challenge.AppQuestion, want error, why string) {
			b.Helper()
			_, err := b.tryApp(t, q)
			require.ErrorIs(b, err, want, why)
			require.ErrorContains(b, err, why)
			require.Zero(b, b.Count("challenge"))
			require.Zero(b, b.Count("text"))
		}
		acme := asker("acme", 10*time.Minute)
		for subject, why := range map[string]string{
			" ":                         "is empty",
			"See www.acme.example":      "show as a link",
			"Deliver\u202e today?":      "invisible characters",
			"Deliver\ntoday?":           "a line break",
			"@acme.example #1234":       "link",
			strings.Repeat("long ", 30): "makes the text take 2 segments; it may take 1",
			"“Deliver” today at 17, or on Monday at 9?": "characters that GSM-7 lacks",
		} {
			q := b.appQuestion()
			q.Subject = subject
			refused(acme, q, challenge.ErrSubject, why)
		}
		tapped := *acme
		tapped.Question.Answer = tenant.ByTap
		refused(&tapped, b.appQuestion(), challenge.ErrUnaskable, "cannot text back")
		q := b.appQuestion()
		china, err := phonemail.ParseNumber("+8613800138000")
		require.NoError(b, err)
		q.Phone = china
		if way := acme.Way(q.Phone, tenant.ForQuestion); way.Refusal != "" {
			refused(acme, q, challenge.ErrUnaskable, way.Refusal)
		}
		q = b.appQuestion()
		b.Do(func(ctx context.Context, tx *store.Tx) error {
			return text.OptOut(ctx, tx, acme.Line(q.Phone), q.Phone)
		})
		refused(acme, q, challenge.ErrOptedOut, "opted out")
		limited := *acme
		limited.Limits.PhoneHour = 1
		q = b.appQuestion()
		_, err = b.tryApp(&limited, q)
		require.NoError(b, err)
		q.ID = store.NewID()
		_, err = b.tryApp(&limited, q)
		require.ErrorIs(b, err, challenge.ErrLimited)
	})
}

// Ensure that two segments are taken where the tenant allows them, and for scripts that need them.
func TestAppQuestionInTwoSegments(t *testing.T) {
	each(t, func(b bridge) {
		q := b.appQuestion()
		q.Subject = strings.Repeat("long ", 30)
		long := asker("acme", 10*time.Minute)
		long.LongTexts = true
		_, err := b.tryApp(long, q)
		require.NoError(b, err)
		q = b.appQuestion()
		q.Language, q.Subject = "ru", "Доставить сегодня в 17 часов или в понедельник утром?"
		_, err = b.tryApp(asker("acme", 10*time.Minute), q)
		require.NoError(b, err)
	})
}

// Ensure that an app's question fails when its text will not leave, and that no other does.
func TestFailUnsent(t *testing.T) {
	each(t, func(b bridge) {
		unsent := func(id string) {
			b.Do(func(ctx context.Context, tx *store.Tx) error {
				return challenge.FailUnsent(ctx, tx,
					b.Strings("SELECT id FROM text WHERE challenge_id = $1", id)[0])
			})
		}
		mails, c, sent := b.ask(b.question()), b.askApp(b.appQuestion()), b.askApp(b.appQuestion())
		for _, id := range []string{mails, c.ID, sent.ID} {
			unsent(id)
			require.Equal(b, challenge.Open, b.get(id).State, "the text is due")
		}
		b.Exec("UPDATE text SET state = 'failed' WHERE challenge_id <> $1", sent.ID)
		for _, id := range []string{mails, c.ID, sent.ID, c.ID} {
			unsent(id)
		}
		require.Equal(b, []challenge.State{challenge.Open, challenge.Failed, challenge.Open},
			[]challenge.State{b.get(mails).State, b.get(c.ID).State, b.get(sent.ID).State})
		require.Equal(b, challenge.Unsent, b.get(c.ID).Outcome)

		b.Do(func(ctx context.Context, tx *store.Tx) error {
			return tell(ctx, tx, sent, text.Hint, "Reply YES or NO.")
		})
		hint := b.Strings("SELECT id FROM text WHERE challenge_id = $1 AND purpose = 'hint'", sent.ID)[0]
		b.Exec("UPDATE text SET state = 'failed' WHERE id = $1", hint)
		b.Do(func(ctx context.Context, tx *store.Tx) error {
			return challenge.FailUnsent(ctx, tx, hint)
		})
		require.Equal(b, challenge.Open, b.get(sent.ID).State, "its prompt is under way")
		b.Do(func(ctx context.Context, tx *store.Tx) error {
			return challenge.FailUnsent(ctx, tx, "none")
		})
	})
}

// Ensure that an app sees its own questions, and none of mails or of other tenants.
func TestOfApp(t *testing.T) {
	each(t, func(b bridge) {
		mails, c := b.ask(b.question()), b.askApp(b.appQuestion())
		of := func(slug, id string) (err error) {
			return b.Try(func(ctx context.Context, tx *store.Tx) error {
				_, err := challenge.OfApp(ctx, tx, slug, id)
				return err
			})
		}
		require.NoError(b, of("acme", c.ID))
		for slug, id := range map[string]string{"acme": mails, "beta": c.ID, "": c.ID} {
			require.ErrorIs(b, of(slug, id), challenge.ErrUnknown)
		}
	})
}

// Ensure that a database that fails at any statement makes no decision about an app's question.
func TestFailingDatabaseAndAppQuestions(t *testing.T) {
	each(t, func(b bridge) {
		q := b.appQuestion()
		b.fail(func(ctx context.Context, tx *store.Tx) error {
			_, err := challenge.AskApp(ctx, tx, asker("acme", 10*time.Minute), q)
			return err
		})
		c := b.get(q.ID)
		b.fail(accept(c))
		require.Equal(b, challenge.Confirmed, b.get(q.ID).State)
	})
}

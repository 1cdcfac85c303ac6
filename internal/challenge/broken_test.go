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

// fail lets each statement of a step fail in turn: none of the failures may be a decision.
func (b bridge) fail(step func(ctx context.Context, tx *store.Tx) error) {
	b.Helper()
	b.FailEach(step, challenge.ErrGone, challenge.ErrUnknown, challenge.ErrSubmitted)
}

// Ensure that a database that fails at any statement makes no decision about a question. The
// failure comes back, and the next try asks as if there had been none.
func TestFailingDatabaseWhileAsking(t *testing.T) {
	each(t, func(b bridge) {
		q := b.question().by("no-reply@acme.example")
		q.asker.Question.Answer = tenant.ByBoth
		b.fail(func(ctx context.Context, tx *store.Tx) error {
			_, err := q.ask(ctx, tx)
			return err
		})
		id := b.Strings("SELECT id FROM challenge WHERE phone = $1", q.Phone.E164())[0]
		require.Len(b, b.texts(id), 1)
		ask := func(q question) {
			b.Helper()
			b.fail(func(ctx context.Context, tx *store.Tx) error {
				_, err := q.ask(ctx, tx)
				return err
			})
		}
		obstacle := func(q question, want string) {
			b.Helper()
			var reason string
			b.fail(func(ctx context.Context, tx *store.Tx) error {
				a, err := challenge.Consider(ctx, tx, q.asker, q.Question)
				reason = a.Obstacle
				return err
			})
			require.Contains(b, reason, want)
		}
		q.Link = link + "2"
		ask(q) // in place of the first
		obstacle(q, "")
		b.send(id)
		ask(q.by("another@acme.example"))
		require.Empty(b, b.row(id).HeldDigest)
		ask(q) // held
		require.NotEmpty(b, b.row(id).HeldDigest)
		b.Do(accept(b.get(id)))
		ask(q) // while its click is due
		require.Len(b, b.texts(id), 1)

		other := b.question()
		other.Phone, other.Recipient = q.Phone, "Acme"+q.Phone.E164()+"@sms.acme.example"
		ask(other)
		obstacle(other, "")
		b.Exec("UPDATE text SET state = 'failed' WHERE phone = $1", other.Phone.E164())
		obstacle(other, "")
		ask(other) // the prompt of the last was lost
		b.Pass(time.Hour)
		ask(other) // the last is over
		require.Equal(b, 1, b.Count("challenge WHERE phone = $1 AND state = 'expired'",
			q.Phone.E164()))
		require.Equal(b, 1, b.Count("challenge WHERE phone = $1 AND state = 'canceled'",
			q.Phone.E164()))
		b.Do(func(ctx context.Context, tx *store.Tx) error {
			_, err := challenge.MayGuess(ctx, tx, other.Phone)
			return err
		})
		b.fail(func(ctx context.Context, tx *store.Tx) error {
			_, err := challenge.CountGuess(ctx, tx, other.Phone, challenge.MaxGuesses)
			return err
		})
		secret := b.question()
		secret.Phone, secret.Purpose = other.Phone, challenge.Password
		obstacle(secret, "too many wrong reply codes")
	})
}

// Ensure the same of every move that ends a question, or that counts something against it.
func TestFailingDatabaseWhileEnding(t *testing.T) {
	each(t, func(b bridge) {
		c := b.open()
		b.fail(accept(c))
		require.Equal(b, 1, b.Jobs("click_link", c.ID), "one click, whatever failed before")
		c = b.open()
		b.fail(deny(c))
		require.Equal(b, challenge.Denied, b.get(c.ID).State)
		c = b.open()
		b.fail(cancel(c))
		require.Equal(b, challenge.Canceled, b.get(c.ID).State)
		c = b.open()
		b.fail(func(ctx context.Context, tx *store.Tx) error {
			return challenge.CancelAll(ctx, tx, c.Line, c.Phone, "", "stop")
		})
		require.Equal(b, challenge.Canceled, b.get(c.ID).State)
		c = b.open()
		for range 2 {
			b.fail(func(ctx context.Context, tx *store.Tx) error {
				_, err := challenge.WrongCode(ctx, tx, c)
				return err
			})
		}
		require.Equal(b, challenge.Open, b.get(c.ID).State)
		b.fail(func(ctx context.Context, tx *store.Tx) error {
			_, err := challenge.WrongCode(ctx, tx, c)
			return err
		})
		require.Equal(b, challenge.Canceled, b.get(c.ID).State, "the third, and not a failed one")
		c = b.open()
		b.Pass(time.Hour)
		b.fail(expire(c))
		require.EqualValues(b, challenge.Expired, b.row(c.ID).State)
		b.fail(func(ctx context.Context, tx *store.Tx) error {
			return tell(ctx, tx, c, text.Outcome, "late")
		})
	})
}

// Ensure the same of reading, and that a hint or a late text is given once.
func TestFailingDatabaseWhileReading(t *testing.T) {
	each(t, func(b bridge) {
		c := b.open()
		for range 2 {
			for _, mark := range []func(
				context.Context, *store.Tx, challenge.Challenge,
			) (bool, error){challenge.MarkHinted, challenge.MarkLate} {
				b.fail(func(ctx context.Context, tx *store.Tx) error {
					_, err := mark(ctx, tx, c)
					return err
				})
			}
		}
		for _, list := range []func(context.Context, store.View) error{
			func(ctx context.Context, view store.View) error {
				_, err := challenge.Get(ctx, view, c.ID)
				return err
			},
			func(ctx context.Context, view store.View) error {
				_, err := challenge.Asked(ctx, view, c.Line, c.Phone)
				return err
			},
			func(ctx context.Context, view store.View) error {
				_, err := challenge.Mistakable(ctx, view, c.Line, c.Phone)
				return err
			},
			func(ctx context.Context, view store.View) error {
				_, err := challenge.Last(ctx, view, c.Line, c.Phone)
				return err
			},
			func(ctx context.Context, view store.View) error {
				_, err := challenge.Blocked(ctx, view, c.Phone)
				return err
			},
		} {
			b.fail(func(ctx context.Context, tx *store.Tx) error { return list(ctx, tx) })
		}
		b.fail(func(ctx context.Context, tx *store.Tx) error {
			_, err := challenge.MayGuess(ctx, tx, c.Phone)
			return err
		})
	})
}

// Ensure that no failure of the database opens a link twice, or tells a phone of a click what did
// not come of it.
func TestFailingDatabaseWhileClicking(t *testing.T) {
	each(t, func(b bridge) {
		begin := func(id string) (click challenge.Click) {
			b.Helper()
			b.fail(func(ctx context.Context, tx *store.Tx) (err error) {
				click, _, err = challenge.BeginClick(ctx, tx, id)
				return err
			})
			return click
		}
		c := b.accepted()
		click := begin(c.ID)
		require.False(b, click.Again, "no failed beginning counts")
		require.Equal(b, link, click.Link)
		b.fail(putBack(click))
		click = begin(c.ID)
		require.False(b, click.Again)
		b.fail(b.submit(c.ID))
		require.NotZero(b, b.row(c.ID).SubmittedAt)
		asker := asker("acme", time.Minute)
		b.fail(func(ctx context.Context, tx *store.Tx) error {
			return challenge.Finish(ctx, tx, asker, click, challenge.OutcomeConfirmed)
		})
		require.Len(b, b.texts(c.ID), 2, "a prompt and one outcome")

		click = begin(b.accepted().ID)
		click.GoOn = link
		b.fail(func(ctx context.Context, tx *store.Tx) error {
			return challenge.Finish(ctx, tx, asker, click, challenge.OutcomeUnknown)
		})
		require.Equal(b, 1, b.Count("short_link"))

		q := b.question().by("no-reply@acme.example")
		id := b.ask(q)
		b.send(id)
		q.Link = link + "2"
		b.ask(q)
		b.Do(accept(b.get(id)))
		click = begin(id)
		b.fail(finish(click, challenge.OutcomeExpired))
		require.Equal(b, challenge.Accepted, b.get(id).State, "the held link is clicked")
		require.Equal(b, link+"2", begin(id).Link)
	})
}

// Ensure that every outcome of a click has words of its own, and that those of a success are for a
// success alone.
func TestSayings(t *testing.T) {
	seen := map[string]challenge.Outcome{}
	for _, o := range []challenge.Outcome{
		challenge.OutcomeConfirmed, challenge.OutcomeUnapproved, challenge.OutcomeAlready,
		challenge.OutcomeUsed,
		challenge.OutcomeExpired, challenge.OutcomeNeedsUser, challenge.OutcomeRefused,
		challenge.OutcomeUnreachable, challenge.OutcomeUnknown,
	} {
		account := string(challenge.Saying(challenge.Registration, o))
		require.NotContains(t, seen, account, o)
		seen[account] = o
		secret := string(challenge.Saying(challenge.Password, o))
		require.Equal(t, o == challenge.OutcomeConfirmed, account != secret, o)
		seen[secret] = o
	}
	for p, saying := range map[challenge.Purpose]wording.Saying{
		challenge.Registration: wording.ConfirmedRegistration,
		challenge.Password:     wording.ConfirmedPassword,
	} {
		require.Equal(t, saying, challenge.Saying(p, challenge.OutcomeConfirmed))
	}
	require.Equal(t, challenge.Saying(challenge.Password, challenge.OutcomeUnknown),
		challenge.Saying(challenge.Password, "a word that linkclick learned later"))
}

// Ensure that the prompt of an account beside another question wants its code, and names a link
// where there is one to tap alone.
func TestPromptBesideAnother(t *testing.T) {
	each(t, func(b bridge) {
		for answer, saying := range map[tenant.Answer]wording.Saying{
			tenant.ByReply: wording.AskRegistrationCode,
			tenant.ByBoth:  wording.BothRegistrationCode,
			tenant.ByTap:   wording.TapRegistration,
		} {
			first, second := b.question(), b.question()
			b.ask(first)
			second.Phone = first.Phone
			second.asker.Question.Answer = answer
			c := b.get(b.ask(second))
			require.True(b, c.Coded)
			prompt, token := b.prompt(c.ID)
			require.Equal(b, second.asker.Say("", saying, wording.Fill{
				Code: c.ReplyCode, Link: second.asker.ShortURL(token), Life: 10 * time.Minute,
			}), prompt.Body)
			require.Equal(b, answer == tenant.ByReply, token == "")
		}
	})
}

// Ensure that all questions of a phone on a line end with its STOP, and none of another phone or
// line.
func TestCancelAll(t *testing.T) {
	each(t, func(b bridge) {
		var ids []string
		one := b.question()
		for _, letters := range []string{"acme", "Acme", "aCme"} {
			q := one
			q.Recipient = letters + q.Recipient[4:]
			ids = append(ids, b.ask(q))
		}
		b.send(ids[0])
		elsewhere := b.question()
		elsewhere.Phone = one.Phone
		elsewhere.asker.Sending.Twilio.From = "+4512340001"
		others := []string{b.ask(b.question()), b.ask(elsewhere)}
		b.Do(func(ctx context.Context, tx *store.Tx) error {
			return challenge.CancelAll(ctx, tx, one.line(), one.Phone, "", "stop")
		})
		for _, id := range ids {
			require.Equal(b, challenge.Canceled, b.get(id).State)
			require.EqualValues(b, "stop", b.get(id).Outcome)
		}
		for _, id := range others {
			require.Equal(b, challenge.Open, b.get(id).State)
		}
	})
}

// Ensure that the one hint and the one late text of a question are given once each.
func TestMarks(t *testing.T) {
	each(t, func(b bridge) {
		c := b.open()
		for _, mark := range []func(
			context.Context, *store.Tx, challenge.Challenge,
		) (bool, error){challenge.MarkHinted, challenge.MarkLate} {
			for _, want := range []bool{true, false} {
				var first bool
				b.Do(func(ctx context.Context, tx *store.Tx) (err error) {
					first, err = mark(ctx, tx, c)
					return err
				})
				require.Equal(b, want, first)
			}
		}
	})
}

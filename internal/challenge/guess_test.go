package challenge_test

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"smsbridge/internal/challenge"
	"smsbridge/internal/store"
	"smsbridge/internal/tenant"
	"smsbridge/phonemail"
)

// guess texts a wrong reply code, and reports whether it would have been compared.
func (b bridge) guess(c challenge.Challenge) (compared bool) {
	b.Helper()
	b.Do(func(ctx context.Context, tx *store.Tx) (err error) {
		if compared, err = challenge.MayGuess(ctx, tx, c.Phone); err != nil || !compared {
			return err
		}
		_, err = challenge.CountGuess(ctx, tx, c.Phone, 1)
		return err
	})
	return compared
}

// obstacle says why a question must not be asked.
func (b bridge) obstacle(q question) (reason string) {
	b.Helper()
	b.Do(func(ctx context.Context, tx *store.Tx) (err error) {
		a, err := challenge.Consider(ctx, tx, q.asker, q.Question)
		reason = a.Obstacle
		return err
	})
	return reason
}

// Ensure that a phone has ten wrong reply codes in 24 hours, however many race for them. Each
// counts for that long. Those of other phones do not count.
func TestGuesses(t *testing.T) {
	each(t, func(b bridge) {
		c, other := b.open(), b.open()
		for range 4 {
			require.True(b, b.guess(c))
		}
		b.Pass(time.Hour)
		var compared [12]bool
		var guesses []func(context.Context, *store.Tx) error
		for i := range compared {
			guesses = append(guesses, func(ctx context.Context, tx *store.Tx) (err error) {
				if compared[i], err = challenge.MayGuess(ctx, tx, c.Phone); err != nil || !compared[i] {
					return err
				}
				_, err = challenge.CountGuess(ctx, tx, c.Phone, 1)
				return err
			})
		}
		for _, err := range b.AtOnce(guesses...) {
			require.NoError(b, err)
		}
		n := 0
		for _, one := range compared {
			if one {
				n++
			}
		}
		require.Equal(b, 6, n)
		require.False(b, b.guess(c))
		require.True(b, b.guess(other))

		b.Pass(23*time.Hour - time.Millisecond)
		require.False(b, b.guess(c))
		b.Pass(time.Millisecond)
		for range 4 {
			require.True(b, b.guess(c), "the first four are a day old")
		}
		require.False(b, b.guess(c))
	})
}

// Ensure that a phone which may guess no more is not asked what would need a code, for a day. It is
// asked whatever needs none, such as what a tap answers.
func TestBlockedPhoneIsNotAskedForACode(t *testing.T) {
	each(t, func(b bridge) {
		c := b.open()
		for range challenge.MaxGuesses {
			require.True(b, b.guess(c))
		}
		resent, password, spelling, tap, both := again(c), again(c), again(c), again(c), again(c)
		noTap := again(c)
		for _, q := range []*question{&password, &tap, &both, &noTap} {
			q.Purpose, q.asker.Question.UnsafeBareYes = challenge.Password, false
		}
		spelling.Recipient = "Acme" + c.Recipient[4:]
		tap.asker.Question.Answer, both.asker.Question.Answer = tenant.ByTap, tenant.ByBoth
		noTap.asker.Question.Answer, noTap.asker.Works = tenant.ByTap, tenant.Works{}
		for _, q := range []question{password, spelling, both, noTap} {
			require.Equal(b, "too many wrong reply codes from this phone in a day", b.obstacle(q))
		}
		for _, q := range []question{resent, tap, b.question()} {
			require.Empty(b, b.obstacle(q))
		}
		b.Do(deny(c))
		require.Empty(b, b.obstacle(spelling), "it needs no code alone")
		require.NotEmpty(b, b.obstacle(password))
		b.Pass(challenge.GuessMemory)
		require.Empty(b, b.obstacle(password))
	})
}

// Ensure that a phone has at most three open questions on a line, in whatever spellings and for
// whatever purposes. The fourth mail is refused, and the open questions stay as they are. A resend
// is no question of its own. What is over, or was never delivered, does not count.
func TestOpenQuestionsOfAPhone(t *testing.T) {
	const full = "this phone has too many open questions; they end when they are answered or over"
	each(t, func(b bridge) {
		first := b.open()
		password, spelling, fourth, tap := again(first), again(first), again(first), again(first)
		password.Purpose = challenge.Password
		spelling.Recipient = "Acme" + first.Recipient[4:]
		fourth.Recipient = "ACME" + first.Recipient[4:]
		tap.Recipient, tap.asker.Question.Answer = "aCme"+first.Recipient[4:], tenant.ByTap
		require.Empty(b, b.obstacle(password))
		second := b.ask(password)
		b.send(second)
		require.Empty(b, b.obstacle(spelling))
		third := b.ask(spelling) // whose prompt has not left yet

		require.Equal(b, full, b.obstacle(fourth))
		require.Equal(b, full, b.obstacle(tap))
		for _, q := range []question{again(first), password, spelling, b.question()} {
			require.Empty(b, b.obstacle(q), "a resend, or another phone")
		}
		for _, id := range []string{first.ID, second, third} {
			require.EqualValues(b, "open", b.row(id).State)
		}

		b.Exec("UPDATE text SET state = 'failed' WHERE challenge_id = $1", third)
		require.Empty(b, b.obstacle(fourth), "the third was never delivered")
		require.Empty(b, b.obstacle(spelling))
		b.Exec("UPDATE text SET state = 'due' WHERE challenge_id = $1", third)
		b.Do(deny(first))
		require.Empty(b, b.obstacle(fourth))
		b.send(b.ask(fourth))
		require.Equal(b, full, b.obstacle(tap))
		own := again(first)
		own.asker.Address = phonemail.Scheme{Prefix: "acme", Domain: "sms.acme.example"}
		require.Empty(b, b.obstacle(own), "other spellings hold up no sign-up")
		own.Recipient = fourth.Recipient + "x"
		require.Equal(b, full, b.obstacle(own))
		b.Pass(10 * time.Minute)
		require.Empty(b, b.obstacle(tap), "all are over, although no worker has recorded it")
	})
}

// Ensure that a blocked phone is not asked anew either where the same question is over, or its
// prompt is lost. No worker need have recorded that it expired. Such a mail is no resend.
func TestBlockedPhoneIsNotAskedAnew(t *testing.T) {
	const blocked = "too many wrong reply codes from this phone in a day"
	each(t, func(b bridge) {
		for name, end := range map[string]func(id string){
			"expired": func(id string) {
				b.Pass(10 * time.Minute)
				require.Equal(b, challenge.Open, b.row(id).State)
			},
			"lost": func(id string) {
				b.Exec("UPDATE text SET state = 'failed' WHERE challenge_id = $1", id)
			},
			"canceled by codes": func(id string) {
				c := b.get(id)
				for range 3 {
					b.Do(func(ctx context.Context, tx *store.Tx) error {
						_, err := challenge.WrongCode(ctx, tx, c)
						return err
					})
				}
			},
		} {
			q := b.question()
			q.Purpose, q.asker.Question.UnsafeBareYes = challenge.Password, false
			id := b.ask(q)
			b.send(id)
			for range challenge.MaxGuesses {
				require.True(b, b.guess(b.get(id)))
			}
			require.Empty(b, b.obstacle(q), "%s: a resend", name)
			end(id)
			require.Equal(b, blocked, b.obstacle(q), name)
		}
	})
}

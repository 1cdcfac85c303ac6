package challenge_test

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"smsbridge/internal/challenge"
	"smsbridge/internal/store"
	"smsbridge/internal/tenant"
)

// guess texts a wrong reply code, and reports whether it would have been compared.
func (b bridge) guess(c challenge.Challenge) (compared bool) {
	b.Helper()
	b.Do(func(ctx context.Context, tx *store.Tx) (err error) {
		if compared, err = challenge.MayGuess(ctx, tx, c.Phone); err != nil || !compared {
			return err
		}
		_, err = challenge.CountGuess(ctx, tx, c.Phone)
		return err
	})
	return compared
}

// obstacle says why a question must not be asked.
func (b bridge) obstacle(q question) (reason string) {
	b.Helper()
	b.Do(func(ctx context.Context, tx *store.Tx) (err error) {
		reason, err = challenge.Obstacle(ctx, tx, q.asker, q.Question)
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
				_, err = challenge.CountGuess(ctx, tx, c.Phone)
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
		for _, q := range []*question{&password, &tap, &both} {
			q.Purpose, q.asker.Question.UnsafeBareYes = challenge.Password, false
		}
		spelling.Recipient = "Acme" + c.Recipient[4:]
		tap.asker.Question.Answer, both.asker.Question.Answer = tenant.ByTap, tenant.ByBoth
		for _, q := range []question{password, spelling, both} {
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

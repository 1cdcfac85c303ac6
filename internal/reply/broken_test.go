package reply_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"smsbridge/internal/challenge"
	"smsbridge/internal/reply"
	"smsbridge/internal/shortlink"
	"smsbridge/internal/store"
	"smsbridge/internal/verification"
	"smsbridge/phonemail"
)

// failing has a phone text us while each statement fails in turn. Only the last try succeeds.
func (b bridge) failing(phone phonemail.Number, body string) (taken reply.Taken) {
	b.Helper()
	r := b.from(reply.Received{
		ProviderID: fmt.Sprintf("SM%d", b.Serial()), Line: shared(), Phone: phone, Body: body,
	})
	b.FailEach(func(ctx context.Context, tx *store.Tx) (err error) {
		taken, err = reply.Take(ctx, tx, b.tenants, r)
		return err
	}, challenge.ErrGone, challenge.ErrUnknown, verification.ErrUnknown, verification.ErrGone)
	return taken
}

// Ensure that a reply that meets a failing database is not lost: the provider hears of the failure
// and sends the reply again. What it means then happens once.
func TestFailingDatabase(t *testing.T) {
	each(t, func(b bridge) {
		phone := b.Phone()
		c := b.asked("acme", phone)
		require.Equal(b, reply.Other, b.failing(phone, "what?").Word)
		require.Len(b, b.told(phone), 1, "one hint")
		require.False(b, b.failing(phone, "YES").Duplicate)
		require.Equal(b, string(challenge.Accepted), b.state(c.ID))
		require.Equal(b, 1, b.Jobs("click_link", c.ID))
		b.failing(phone, "YES") // while its click is under way

		phone = b.Phone()
		c = b.asked("acme", phone)
		other := b.ask("acme", phone, challenge.Password)
		require.True(b, b.deliver(other))
		b.failing(phone, "YES "+wrongFor(c, b.challenge(other)))
		require.Equal(b, 1, b.Count("challenge WHERE id = $1 AND wrong_codes = 1", other))
		b.failing(phone, "YES "+b.challenge(other).ReplyCode)
		require.Equal(b, string(challenge.Accepted), b.state(other))
		b.failing(phone, "NO")
		require.Equal(b, string(challenge.Denied), b.state(c.ID))
		require.Len(b, b.told(phone), 1, "that nothing was changed; the hint is over")
		b.failing(phone, "YES") // too late
		require.Equal(b, reply.Help, b.failing(phone, "HELP").Word)
	})
}

// Ensure the same of STOP, START and codes: a phone that said STOP is not texted because of a
// failure, and no guess counts twice.
func TestFailingDatabaseWithStopAndCodes(t *testing.T) {
	each(t, func(b bridge) {
		phone := b.Phone()
		v := b.verify("acme", phone, "1111")
		b.failing(phone, "3333")
		require.Equal(b, 1, b.verified(v).Attempts)
		b.failing(phone, "1111")
		require.Equal(b, verification.Approved, b.verified(v).State)
		v, c := b.verify("acme", phone, "2222"), b.asked("acme", phone)
		b.failing(phone, "STOP")
		require.True(b, b.optedOut(phone))
		require.Equal(b, verification.Canceled, b.verified(v).State)
		require.Equal(b, string(challenge.Canceled), b.state(c.ID))
		b.failing(phone, "START")
		require.False(b, b.optedOut(phone))
	})
}

// Ensure the same of a tap and of finding a reply: a short link whose row cannot be read now is not
// gone.
func TestFailingDatabaseWithTaps(t *testing.T) {
	each(t, func(b bridge) {
		phone := b.Phone()
		c := b.asked("acme", phone)
		var token string
		b.FailEach(func(ctx context.Context, tx *store.Tx) (err error) {
			token, err = shortlink.Make(ctx, tx, shortlink.Link{
				Tenant: "acme", ChallengeID: c.ID, Expires: c.Expires,
			})
			return err
		})
		b.FailEach(func(ctx context.Context, tx *store.Tx) error {
			_, err := reply.Tap(ctx, tx, token)
			return err
		}, shortlink.ErrGone, challenge.ErrUnknown, challenge.ErrGone)
		require.Equal(b, string(challenge.Accepted), b.state(c.ID))
		taken := b.text(phone, "YES")
		for id, found := range map[string]bool{taken.ID: true, "none": false} {
			var kept reply.Kept
			var ok bool
			b.FailEach(func(ctx context.Context, tx *store.Tx) (err error) {
				kept, ok, err = reply.Find(ctx, tx, id)
				return err
			})
			require.Equal(b, found, ok)
			if found {
				require.Equal(b, reply.Kept{Line: shared(), Phone: phone, At: b.Now()}, kept)
			}
		}
		b.FailEach(func(ctx context.Context, tx *store.Tx) (err error) {
			token, err = shortlink.Make(ctx, tx, shortlink.Link{
				Tenant: "acme", ChallengeID: "none", Expires: c.Expires,
			})
			return err
		})
		require.ErrorIs(b, b.Try(func(ctx context.Context, tx *store.Tx) error {
			_, err := reply.Tap(ctx, tx, token)
			return err
		}), shortlink.ErrGone)
	})
}

// Ensure that a code goes on to the next older verification when it is not the newest one's. It is
// compared with three at most, and each of them counts it. It stops at one whose code Twilio Verify
// compares: that one may be meant.
func TestCodeIsTriedOnOlderVerifications(t *testing.T) {
	each(t, func(b bridge) {
		start := func() (phone phonemail.Number, all []verification.Verification) {
			phone = b.Phone()
			for _, code := range []string{"1111", "2222", "3333", "4444"} {
				all = append(all, b.verify("acme", phone, code))
				b.Pass(time.Millisecond)
			}
			return phone, all
		}
		attempts := func(all []verification.Verification) (n []int) {
			for _, v := range all {
				n = append(n, b.verified(v).Attempts)
			}
			return n
		}
		phone, all := start()
		b.text(phone, "1111")
		require.Equal(b, []int{0, 1, 1, 1}, attempts(all), "the oldest is not reached")
		phone, all = start()
		b.text(phone, "2222")
		require.Equal(b, []int{0, 1, 1, 1}, attempts(all))
		require.Equal(b, verification.Approved, b.verified(all[1]).State)
		require.Equal(b, verification.Pending, b.verified(all[3]).State)
		b.Do(func(ctx context.Context, tx *store.Tx) error {
			return verification.SentByVerify(ctx, tx, all[3].ID, "VE1", true)
		})
		c := b.asked("acme", phone)
		b.text(phone, "1111")
		require.Equal(b, []int{0, 1, 1, 2}, attempts(all), "Verify is asked")
		require.Zero(b, b.Count("text WHERE purpose = 'hint' AND challenge_id = $1", c.ID))
	})
}

// Ensure that the longest word that settings allow is an answer, and that no longer reply is read
// as one, however little of it shows.
func TestReadBounds(t *testing.T) {
	word := strings.Repeat("é", 32)
	words := reply.Words{Yes: []string{word, word + "é", "YES"}}
	require.Equal(t, reply.Yes, reply.Read(word, words).Word)
	require.Equal(t, reply.Other, reply.Read(word+"é", words).Word)
	require.Equal(t, reply.Yes, reply.Read("YES"+strings.Repeat(" ", 253), words).Word)
	require.Equal(t, reply.Other, reply.Read("YES"+strings.Repeat(" ", 254), words).Word)
}

// Ensure that a late yes is told so up to a day after the end of its question, and not after that.
func TestLateForADay(t *testing.T) {
	each(t, func(b bridge) {
		for after, told := range map[time.Duration]int{
			24 * time.Hour: 1, 24*time.Hour + time.Millisecond: 0,
		} {
			phone := b.Phone()
			c := b.asked("acme", phone)
			b.text(phone, "NO")
			require.Equal(b, string(challenge.Denied), b.state(c.ID))
			before := len(b.told(phone))
			b.Pass(after)
			b.text(phone, "YES")
			require.Len(b, b.told(phone), before+told, after)
		}
	})
}

// Ensure that STOP cancels every code of its phone on that line, and not the newest alone.
func TestStopCancelsEveryCode(t *testing.T) {
	each(t, func(b bridge) {
		phone := b.Phone()
		all := []verification.Verification{
			b.verify("acme", phone, "1111"), b.verify("beta", phone, "2222"),
			b.verify("acme", phone, "3333"),
		}
		b.text(phone, "STOP")
		for _, v := range all {
			require.Equal(b, verification.Canceled, b.verified(v).State)
		}
	})
}

// Ensure that a tap leads on where its link says so, and that a second tap is no mistake.
func TestTapsThatChangeNothing(t *testing.T) {
	each(t, func(b bridge) {
		c := b.asked("acme", b.Phone())
		for _, want := range []shortlink.Link{
			{Tenant: "acme", URL: "https://login.acme.example/reset", Expires: c.Expires},
			{Tenant: "acme", ChallengeID: c.ID, Expires: c.Expires},
		} {
			var token string
			b.Do(func(ctx context.Context, tx *store.Tx) (err error) {
				token, err = shortlink.Make(ctx, tx, want)
				return err
			})
			for range 2 {
				var got reply.Tapped
				b.Do(func(ctx context.Context, tx *store.Tx) (err error) {
					got, err = reply.Tap(ctx, tx, token)
					return err
				})
				require.Equal(b, want, got.Link)
			}
		}
		require.Equal(b, string(challenge.Accepted), b.state(c.ID))
		require.Equal(b, 1, b.Jobs("click_link", c.ID))
	})
}

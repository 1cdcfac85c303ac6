package reply_test

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"smsbridge/internal/challenge"
	"smsbridge/internal/reply"
	"smsbridge/internal/shortlink"
	"smsbridge/internal/store"
)

// shorten makes a short link that lives for an hour.
func (b bridge) shorten(l shortlink.Link) (token string) {
	b.Helper()
	l.Tenant, l.Expires = "acme", b.Now().Add(time.Hour)
	b.Do(func(ctx context.Context, tx *store.Tx) (err error) {
		token, err = shortlink.Make(ctx, tx, l)
		return err
	})
	return token
}

func (b bridge) tap(token string) (l shortlink.Link, err error) {
	b.Helper()
	err = b.Try(func(ctx context.Context, tx *store.Tx) (err error) {
		tapped, err := reply.Tap(ctx, tx, token)
		l = tapped.Link
		return err
	})
	return l, err
}

// Ensure that a tap accepts the one question behind its link, once and in time, whatever else its
// phone is asked. It wants no code, because what it sends cannot be guessed.
func TestTapAcceptsItsQuestion(t *testing.T) {
	each(t, func(b bridge) {
		phone := b.Phone()
		first, second := b.asked("acme", phone), b.asked("beta", phone)
		require.True(b, second.Coded)
		token := b.shorten(shortlink.Link{ChallengeID: second.ID})
		for range 2 {
			l, err := b.tap(token)
			require.NoError(b, err)
			require.Equal(b, second.ID, l.ChallengeID)
			require.Equal(b, "accepted", b.state(second.ID))
			require.Equal(b, "open", b.state(first.ID))
			require.Equal(b, 1, b.Jobs("click_link", second.ID))
		}

		late := b.shorten(shortlink.Link{ChallengeID: first.ID})
		b.Pass(10 * time.Minute)
		_, err := b.tap(late)
		require.NoError(b, err, "its page says what became of it")
		require.Equal(b, challenge.Expired, b.challenge(first.ID).State)
		require.Zero(b, b.Jobs("click_link", first.ID))
	})
}

// Ensure that a tap changes nothing where a link leads on, or nowhere.
func TestTapOfOtherLinks(t *testing.T) {
	each(t, func(b bridge) {
		const on = "https://login.acme.example/reset?ticket=1"
		l, err := b.tap(b.shorten(shortlink.Link{URL: on}))
		require.NoError(b, err)
		require.Equal(b, on, l.URL)

		_, err = b.tap(b.shorten(shortlink.Link{ChallengeID: store.NewID()}))
		require.ErrorIs(b, err, shortlink.ErrGone, "its question is pruned")
		old := b.shorten(shortlink.Link{URL: on})
		b.Pass(time.Hour)
		for _, token := range []string{old, "", old[1:], "AAAAAAAAAAAAAAAAAAAAAA"} {
			_, err := b.tap(token)
			require.ErrorIs(b, err, shortlink.ErrGone)
		}
		require.Zero(b, b.Count("river_job WHERE kind = 'click_link'"))
	})
}

// Ensure that a worker finds of a reply who texted which line, and when, and none that is not
// there.
func TestFind(t *testing.T) {
	each(t, func(b bridge) {
		phone := b.Phone()
		taken := b.take(reply.Received{ProviderID: "SM1", Line: alone(), Phone: phone, Body: "YES"})
		at := b.Now()
		b.Pass(time.Minute)
		for id, known := range map[string]bool{taken.ID: true, store.NewID(): false, "": false} {
			b.Do(func(ctx context.Context, tx *store.Tx) error {
				kept, found, err := reply.Find(ctx, tx, id)
				require.Equal(b, known, found)
				if known {
					require.Equal(b, reply.Kept{Line: alone(), Phone: phone, At: at}, kept)
				} else {
					require.Zero(b, kept)
				}
				return err
			})
		}
	})
}

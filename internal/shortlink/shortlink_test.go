package shortlink_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"smsbridge/internal/shortlink"
	"smsbridge/internal/store"
	"smsbridge/internal/store/storetest"
)

const secret = "https://login.example/verify?ticket=very-secret"

// bench is a storetest.Bench with what is done to short links.
type bench struct{ storetest.Bench }

func each(t *testing.T, test func(b bench)) {
	t.Helper()
	storetest.EachBench(t, func(b storetest.Bench) { test(bench{b}) })
}

// made records a short link that counts for an hour.
func (b bench) made(l shortlink.Link) (token string) {
	b.Helper()
	l.Tenant, l.Expires = "acme", b.Now().Add(time.Hour)
	b.Do(func(ctx context.Context, tx *store.Tx) (err error) {
		token, err = shortlink.Make(ctx, tx, l)
		return err
	})
	return token
}

func (b bench) get(token string) (l shortlink.Link, err error) {
	err = b.Try(func(ctx context.Context, tx *store.Tx) (err error) {
		l, err = shortlink.Get(ctx, tx, token)
		return err
	})
	return l, err
}

// Ensure that a short link stands for what it was made for: a question, or a link to lead on to.
func TestStandsForAQuestionOrALink(t *testing.T) {
	each(t, func(b bench) {
		end := b.Now().Add(time.Hour)
		for _, want := range []shortlink.Link{
			{Tenant: "acme", ChallengeID: "question-1", Expires: end},
			{Tenant: "acme", URL: secret, Expires: end},
		} {
			got, err := b.get(b.made(want))
			require.NoError(b, err)
			require.Equal(b, want, got)
		}
	})
}

// Ensure that a token has 128 bits, that no two are alike, and that each character varies.
func TestTokensCannotBeGuessed(t *testing.T) {
	require.GreaterOrEqual(t, shortlink.Length*6, 128)
	each(t, func(b bench) {
		const many = 500
		var at [shortlink.Length]map[byte]bool
		for i := range at {
			at[i] = map[byte]bool{}
		}
		seen := map[string]bool{}
		b.Do(func(ctx context.Context, tx *store.Tx) error {
			for range many {
				token, err := shortlink.Make(ctx, tx, shortlink.Link{Tenant: "acme", Expires: b.Now()})
				if err != nil {
					return err
				}
				require.Regexp(b, `^[A-Za-z0-9_-]{22}$`, token)
				seen[token] = true
				for i := range at {
					at[i][token[i]] = true
				}
			}
			return nil
		})
		require.Len(b, seen, many)
		for i := range at[:shortlink.Length-1] {
			require.Greater(b, len(at[i]), 32, "character %d takes most of its 64 values", i)
		}
		require.Len(b, at[shortlink.Length-1], 4, "two bits are left for the last one")
	})
}

// Ensure that the database holds neither the token nor the link, and that the link opens in its own
// row alone.
func TestTheDatabaseKnowsNoTokenAndNoLink(t *testing.T) {
	each(t, func(b bench) {
		token := b.made(shortlink.Link{URL: secret})
		other := b.made(shortlink.Link{URL: secret})
		rows := b.Strings("SELECT id || tenant || challenge_id || link FROM short_link")
		require.Len(b, rows, 2)
		for _, row := range rows {
			for _, word := range []string{token, other, "very-secret", "login.example"} {
				require.NotContains(b, row, word)
			}
		}
		ids := b.Strings("SELECT id FROM short_link ORDER BY id")
		require.Len(b, ids[0], 64, "a hash")
		b.Exec(`UPDATE short_link SET link = (SELECT s.link FROM short_link s WHERE s.id = $1)
			WHERE id <> $1`, ids[0])
		open := 0
		for _, token := range []string{token, other} {
			if l, err := b.get(token); err == nil {
				open++
				require.Equal(b, secret, l.URL)
			} else {
				require.ErrorIs(b, err, shortlink.ErrGone)
			}
		}
		require.Equal(b, 1, open)
	})
}

// Ensure that a short link leads nowhere from its end on, and that no other token leads anywhere.
func TestGone(t *testing.T) {
	each(t, func(b bench) {
		token := b.made(shortlink.Link{URL: secret})
		for _, other := range []string{
			"", token[1:], token + "A", strings.Repeat("A", shortlink.Length), strings.ToLower(token) + "=",
		} {
			_, err := b.get(other)
			require.ErrorIs(b, err, shortlink.ErrGone, other)
		}
		id := b.Strings("SELECT id FROM short_link")[0]
		_, err := b.get(id[:shortlink.Length])
		require.ErrorIs(b, err, shortlink.ErrGone, "the database's own hash opens nothing")

		b.Pass(time.Hour - time.Millisecond)
		_, err = b.get(token)
		require.NoError(b, err)
		b.Pass(time.Millisecond)
		l, err := b.get(token)
		require.ErrorIs(b, err, shortlink.ErrGone)
		require.Empty(b, l)
	})
}

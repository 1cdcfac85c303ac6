package reply_test

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"

	"smsbridge/internal/challenge"
	"smsbridge/internal/reply"
	"smsbridge/internal/store"
	"smsbridge/internal/verification"
	"smsbridge/phonemail"
)

// verify starts a verification of a phone with a code.
func (b bridge) verify(
	tenant string, phone phonemail.Number, code string,
) (v verification.Verification) {
	b.Helper()
	t, ok := b.tenants.Tenant(tenant)
	require.True(b, ok)
	request := verification.For(t, "api", phone)
	request.Code = code
	b.Do(func(ctx context.Context, tx *store.Tx) (err error) {
		v, _, err = verification.Start(ctx, tx, request)
		return err
	})
	return v
}

func (b bridge) verified(v verification.Verification) (now verification.Verification) {
	b.Helper()
	b.Do(func(ctx context.Context, tx *store.Tx) (err error) {
		now, err = verification.ByID(ctx, tx, v.ID)
		return err
	})
	return now
}

// Ensure that a texted code approves the open verification of its phone, however it is spaced,
// and that another one counts as an attempt.
func TestTakeCode(t *testing.T) {
	each(t, func(b bridge) {
		for _, body := range []string{"482913", "482 913", " 4829 13.", "4 8 2 9 1 3"} {
			phone, stranger := b.Phone(), b.Phone()
			v := b.verify("acme", phone, "482913")
			require.Equal(b, reply.Code, b.text(stranger, body).Word)
			require.Equal(b, verification.Pending, b.verified(v).State, "not from another phone")
			b.text(phone, "482914")
			require.Equal(b, 1, b.verified(v).Attempts)
			b.text(phone, "YES")
			require.Equal(b, verification.Pending, b.verified(v).State)
			b.text(phone, body)
			require.Equal(b, verification.Approved, b.verified(v).State, body)
			b.text(phone, body)
			require.Equal(b, 2, b.verified(v).Attempts)
		}
	})
}

// Ensure that the newest verification is tried first, and older ones after it. A code that is none
// of theirs may be meant for a question.
func TestTakeCodeAmongSeveral(t *testing.T) {
	each(t, func(b bridge) {
		phone := b.Phone()
		older, newer := b.verify("acme", phone, "1111"), b.verify("beta", phone, "2222")
		c := b.asked("acme", phone)
		taken := b.text(phone, "2222")
		require.Equal(b, newer.ID, taken.Case)
		require.Equal(b, newer.ID, b.reply(taken.ID).ChallengeID, "the case that it belongs to")
		require.Equal(b, verification.Approved, b.verified(newer).State)
		require.Zero(b, b.verified(older).Attempts)
		b.text(phone, "1111")
		require.Equal(b, verification.Approved, b.verified(older).State)
		require.Equal(b, string(challenge.Open), b.state(c.ID))
		require.Empty(b, b.told(phone), "a right code is no wrong answer")
		b.text(phone, "3333")
		require.Len(b, b.told(phone), 1)
	})
}

// Ensure that guesses by text are counted like all others.
func TestTakeCodeGuesses(t *testing.T) {
	each(t, func(b bridge) {
		phone := b.Phone()
		v := b.verify("acme", phone, "482913")
		for range 5 {
			b.text(phone, "0000")
		}
		b.text(phone, "482913")
		require.Equal(b, verification.MaxAttemptsReached, b.verified(v).State)
	})
}

// Ensure that STOP cancels the verifications of a phone on that line.
func TestTakeStopCancelsCodes(t *testing.T) {
	each(t, func(b bridge) {
		phone := b.Phone()
		v, other := b.verify("acme", phone, "1111"), b.verify("gamma", phone, "2222")
		b.text(phone, "STOP")
		require.Equal(b, verification.Canceled, b.verified(v).State)
		require.Equal(b, verification.Pending, b.verified(other).State)
	})
}

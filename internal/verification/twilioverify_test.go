package verification

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"smsbridge/internal/store"
)

// startAtVerify starts a verification with two attempts, whose code Twilio Verify drew, and puts
// two codes to Verify.
func (b bench) startAtVerify() (v Verification, first, second Comparison) {
	b.Helper()
	v = b.start(func(r *Request) { r.Limits.Attempts = 2 })
	b.Do(func(ctx context.Context, tx *store.Tx) error {
		return SentByVerify(ctx, tx, v.ID, "VE"+v.ID, true)
	})
	return v, b.ask(v, wrong), b.ask(v, right)
}

// ask presents a code that Verify must compare.
func (b bench) ask(v Verification, code string) (q Comparison) {
	b.Helper()
	asked := b.check(v, code)
	require.Equal(b, Asked, asked.Verdict)
	var due bool
	b.Do(func(ctx context.Context, tx *store.Tx) (err error) {
		q, due, err = Unanswered(ctx, tx, asked.CheckID)
		return err
	})
	require.True(b, due)
	require.Equal(b, code, q.Code)
	return q
}

func (b bench) answer(q Comparison, verdict Verdict) {
	b.Helper()
	b.Do(func(ctx context.Context, tx *store.Tx) error { return Answer(ctx, tx, q, verdict) })
}

// Ensure that a verification goes on while Twilio Verify has not answered all checks of it: the
// answer that is missing may be the right code. The last answer decides.
func TestVerifyAnswersWhileAnotherCheckIsOpen(t *testing.T) {
	each(t, func(t *testing.T, b bench) {
		for _, test := range []struct {
			first, second Verdict
			end           State
		}{
			{Wrong, Right, Approved},
			{Wrong, Wrong, MaxAttemptsReached},
			{Over, Right, Approved},
			{Over, Over, MaxAttemptsReached},
		} {
			v, first, second := b.startAtVerify()
			b.answer(first, test.first)
			require.Equal(t, Pending, b.get(v).State, "%v", test)
			b.answer(first, Right)
			require.Equal(t, Pending, b.get(v).State, "it was answered before")
			said := []string{"verification.pending"}
			if test.first == Wrong {
				said = append(said, "verification.wrong")
			}
			require.Equal(t, said, b.EventNames(v.ID), "%v", test)
			b.answer(second, test.second)
			require.Equal(t, test.end, b.get(v).State, "%v", test)
			b.answer(first, Right)
			require.Equal(t, test.end, b.get(v).State, "an answer that comes again changes nothing")
		}
	})
}

// Ensure that the last answer about one verification decides although another verification has a
// check that Twilio Verify has not answered.
func TestVerifyAnswersWhileAnothersCheckIsOpen(t *testing.T) {
	each(t, func(t *testing.T, b bench) {
		open, _, _ := b.startAtVerify()
		v := b.start(func(r *Request) { r.Phone, r.Limits.Attempts = b.Phone(), 1 })
		b.Do(func(ctx context.Context, tx *store.Tx) error {
			return SentByVerify(ctx, tx, v.ID, "VE"+v.ID, true)
		})
		b.answer(b.ask(v, wrong), Wrong)
		require.Equal(t, MaxAttemptsReached, b.get(v).State)
		require.Equal(t, Pending, b.get(open).State)
	})
}

// Ensure that a provider hears whether the person got another code before: only then must Twilio
// Verify be told of the new one under the id that it has.
func TestOpenSaysWhetherTheCodeIsNew(t *testing.T) {
	each(t, func(t *testing.T, b bench) {
		for _, renew := range []bool{false, true} {
			v := b.start(func(r *Request) { r.Phone, r.Code, r.Renew = b.Phone(), "", renew })
			open := func() (s Secret) {
				b.Do(func(ctx context.Context, tx *store.Tx) (err error) {
					s, err = Open(ctx, tx, v.Tenant, v.ID)
					return err
				})
				return s
			}
			first := open()
			require.False(t, first.Renewed, "no text said another code")
			require.Empty(t, first.VerifySID)
			b.Do(func(ctx context.Context, tx *store.Tx) error {
				return SentByVerify(ctx, tx, v.ID, "VE1", false)
			})
			b.Pass(time.Minute)
			_, err := b.resend(v)
			require.NoError(t, err)
			second := open()
			require.Equal(t, renew, second.Renewed)
			require.Equal(t, renew, second.Code != first.Code)
			require.Equal(t, "VE1", second.VerifySID)
		}
	})
}

// Ensure that a provider hears that an earlier text said another code: only if codes are renewed,
// and Twilio Verify has taken a text before.
func TestSecretOfARenewedCode(t *testing.T) {
	each(t, func(t *testing.T, b bench) {
		for _, renew := range []bool{false, true} {
			v := b.start(func(r *Request) { r.Phone, r.Code, r.Renew = b.Phone(), "", renew })
			secret := func() (s Secret) {
				b.Do(func(ctx context.Context, tx *store.Tx) (err error) {
					s, err = Open(ctx, tx, v.Tenant, v.ID)
					return err
				})
				return s
			}
			require.False(t, secret().Renewed, "it is the first text")
			require.Empty(t, secret().VerifySID)
			b.Do(func(ctx context.Context, tx *store.Tx) error {
				return SentByVerify(ctx, tx, v.ID, "VE"+v.ID, false)
			})
			require.Equal(t, renew, secret().Renewed)
			require.Equal(t, "VE"+v.ID, secret().VerifySID)
		}
	})
}

// Ensure that no more codes are put to Twilio Verify than a verification has attempts, while it
// waits for the answers.
func TestNoMoreChecksThanAttempts(t *testing.T) {
	each(t, func(t *testing.T, b bench) {
		v, _, last := b.startAtVerify()
		c := b.check(v, right)
		require.Equal(t, Over, c.Verdict)
		require.Equal(t, Pending, c.Verification.State)
		require.Equal(t, 2, c.Verification.Attempts)
		require.Equal(t, 2, b.Count("code_check WHERE verification_id = $1", v.ID))
		b.answer(last, Right)
		require.Equal(t, Approved, b.get(v).State)
	})
}

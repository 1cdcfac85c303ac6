package verification

import (
	"context"
	"testing"

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
	b.Do(func(ctx context.Context, tx *store.Tx) (err error) {
		var due bool
		q, due, err = Unanswered(ctx, tx, asked.CheckID)
		require.True(b, due)
		return err
	})
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
			b.answer(second, test.second)
			require.Equal(t, test.end, b.get(v).State, "%v", test)
			b.answer(first, Right)
			require.Equal(t, test.end, b.get(v).State, "an answer that comes again changes nothing")
		}
	})
}

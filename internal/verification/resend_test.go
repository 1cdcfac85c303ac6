package verification

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// Ensure that an earlier text that has not left yet does not leave after another one was asked for.
// It would say the same once more, or a code that counts no more.
func TestResendSuppressesTheEarlierText(t *testing.T) {
	each(t, func(t *testing.T, b bench) {
		for name, renew := range map[string]bool{"the same code": false, "a new code": true} {
			v := b.start(func(r *Request) { r.Code, r.Renew = "", renew })
			first := b.peek(v)
			b.Pass(time.Minute)
			_, err := b.resend(v)
			require.NoError(t, err)
			second := b.peek(v)
			require.Equal(t, renew, first != second, name)
			require.Equal(t, []string{"due ", "suppressed resent"}, b.Strings(
				"SELECT state || ' ' || error FROM text WHERE verification_id = $1 ORDER BY state", v.ID), name)
			require.Equal(t, []string{"code " + second + " "}, b.texts(), name)
		}
	})
}

// Ensure that no further text leaves while no code of the phone is compared, or while who typed the
// number must pause.
func TestResendHeedsWrongCodes(t *testing.T) {
	each(t, func(t *testing.T, b bench) {
		v := b.start(as("api", Asker{}))
		for range share(string(App), 10) {
			require.Equal(t, Wrong, b.check(v, wrong).Verdict)
		}
		b.Pass(time.Minute)
		_, err := b.resend(v)
		require.ErrorIs(t, err, ErrBlocked)
		require.Equal(t, 1, b.get(v).Sends)

		typed := b.start(func(r *Request) {
			as("auth0", typedBy("thief"))(r)
			r.Phone, r.Limits.Gap, r.Limits.Wrong = b.Phone(), 0, 20
		})
		for range 3 {
			require.Equal(t, Wrong, b.check(typed, wrong).Verdict)
		}
		_, err = b.resend(typed)
		require.ErrorIs(t, err, ErrPaused)
		b.Pass(5 * time.Second)
		_, err = b.resend(typed)
		require.NoError(t, err)
	})
}

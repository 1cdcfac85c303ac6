package auth0_test

import (
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"
	"github.com/stretchr/testify/require"
)

const tooSoonWords = "Please wait a moment before you ask for another text."

// Ensure that an Action hears 429 and how long to wait when a limit refuses the text, and that
// nothing is left of it.
func TestAuth0LimitedAction(t *testing.T) {
	each(t, func(t *testing.T, b *bridge) {
		r, _ := b.sends(t, otp, "")
		require.Equal(t, 200, r.StatusCode)
		before := b.Recorded(t)
		b.Now = b.Now.Add(40 * time.Second) // beyond Auth0's own retries
		r = b.action(t, "phone", otp)
		require.Equal(t, 429, r.StatusCode)
		require.Equal(t, "80", r.Header.Get("Retry-After"))
		require.Contains(t, r.Body, "urn:smsbridge:problem:too-soon")
		require.Equal(t, before, b.Recorded(t))
		b.Now = b.Now.Add(80 * time.Second)
		r, _ = b.sends(t, otp, "")
		require.Equal(t, 200, r.StatusCode)
	}, append(auth0Settings, "SMSBRIDGE_LIMIT_WAIT=2m")...)
}

// Ensure that a person at the form reads that it is too soon when a limit refuses the text. The
// phone is the session's or typed. The text comes once the limit ends.
func TestAuth0LimitedForm(t *testing.T) {
	eachVisitor(t, withPhone, func(t *testing.T, v *visitor) {
		require.NotContains(t, v.load().Body, tooSoonWords)
		require.Len(t, v.Bodies(t), 1)
		v.Now = v.Now.Add(20 * time.Second)
		next := v.bridge.visitor(t, withPhone)
		require.Contains(t, next.load().Body, tooSoonWords)
		typed := v.bridge.visitor(t, jwt.MapClaims{})
		page := typed.press("phone", "phone", phone)
		require.Contains(t, page.Body, tooSoonWords)
		require.Equal(t, 1, v.Count(t, "text", "1=1"))
		v.Now = v.Now.Add(40 * time.Second)
		require.NotContains(t, next.load().Body, tooSoonWords)
		require.Len(t, v.Bodies(t), 1)
	}, "SMSBRIDGE_LIMIT_WAIT=1m")
}

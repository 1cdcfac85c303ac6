package auth0

import (
	"errors"
	"net/http"

	"smsbridge/inbound/web"
	"smsbridge/internal/verification"
)

var tooSoon = web.Kind("too-soon", http.StatusTooManyRequests, "Too soon for another text")

// asProblem says what the rules refused, in the words that Auth0's Actions get. Another error is
// Unavailable.
func asProblem(err error) *web.Problem {
	var wait *verification.WaitError
	switch {
	case errors.As(err, &wait) && errors.Is(err, verification.ErrBlocked):
		p := web.TooManyWrong.Of("No code of this phone is compared, and no new one texted, " +
			"until the time that Retry-After says.")
		p.Until = wait.Until
		return p
	case errors.As(err, &wait) && errors.Is(err, verification.ErrLimited):
		p := tooSoon.Of("A limit of texts refuses it until the time that Retry-After says.")
		p.Until = wait.Until
		return p
	case errors.Is(err, verification.ErrOptedOut):
		return web.OptedOut.Of("Its owner replied STOP and can reply START.")
	case errors.Is(err, verification.ErrCode):
		return web.BadField.On("code", "A code is 4 to 10 digits.")
	}
	return web.AsProblem(err)
}

package api

import (
	"errors"
	"net/http"

	"smsbridge/inbound/web"
	"smsbridge/internal/verification"
)

// The kinds of problems that only this door has. openapi.yaml says when each comes.
var (
	badMethod = web.Kind(
		"method-not-allowed", http.StatusMethodNotAllowed, "The method does not fit")
	notPending = web.Kind(
		"not-pending", http.StatusConflict, "The verification has ended")
	notOpen = web.Kind(
		"not-open", http.StatusConflict, "The question has ended")
	phoneBusy = web.Kind(
		"phone-busy", http.StatusConflict, "The phone cannot be asked now")
	noSendsLeft = web.Kind(
		"no-sends-left", http.StatusConflict, "The code has been texted as often as is allowed")
	keyReused = web.Kind(
		"idempotency-key-reused", http.StatusUnprocessableEntity,
		"The Idempotency-Key came with another request before")
	tooSoon = web.Kind(
		"too-soon", http.StatusTooManyRequests, "Too soon for another text")
	wrongCode = web.Kind(
		"wrong-code", http.StatusUnprocessableEntity, "The code is wrong")
	tooManyRequests = web.Kind(
		"rate-limited", http.StatusTooManyRequests, "Too many requests with this API key")
	undecided = web.Kind(
		"undecided", http.StatusServiceUnavailable, "The code is still being compared")
)

// standingError is a refusal by the rule, with the verification as it stands.
type standingError struct {
	err error
	v   verification.Verification
}

func (e *standingError) Error() string { return e.err.Error() }
func (e *standingError) Unwrap() error { return e.err }

// asProblem says in the API's words what the rule refused. Another error is Unavailable.
func asProblem(err error) *web.Problem {
	var standing standingError
	if e := new(standingError); errors.As(err, &e) {
		standing = *e
	}
	var wait *verification.WaitError
	switch {
	case errors.As(err, &wait):
		return waiting(wait)
	case errors.Is(err, verification.ErrKeyReused):
		return keyReused.Of("Use a new key for each new request.")
	case errors.Is(err, verification.ErrUnknown):
		return web.NotFound.Of("There is no verification with this id.")
	case errors.Is(err, verification.ErrGone):
		return about(notPending.Of("Its status says how it ended; start a new one."), standing.v)
	case errors.Is(err, verification.ErrSends):
		return about(noSendsLeft.Of("Cancel it and start a new one."), standing.v)
	case errors.Is(err, verification.ErrOptedOut):
		return web.OptedOut.Of("Its owner replied STOP and can reply START.")
	case errors.Is(err, verification.ErrCode):
		return web.BadField.On("code", "A code is 4 to 10 digits.")
	}
	return web.AsProblem(err)
}

// waiting is the problem of a caller that must wait.
func waiting(wait *verification.WaitError) *web.Problem {
	p := tooSoon.Of("Wait for as long as Retry-After says.")
	if errors.Is(wait, verification.ErrLimited) {
		p = tooSoon.Of("A limit of texts refuses another one. Wait for as long as Retry-After says.")
	}
	if errors.Is(wait, verification.ErrBlocked) {
		p = web.TooManyWrong.Of(
			"No code of this phone is compared, and no new one texted, until the time that Retry-After " +
				"says.",
		)
	}
	p.Until = wait.Until
	return p
}

// about adds to a problem how the verification stands.
func about(p *web.Problem, v verification.Verification) *web.Problem {
	p.Verification = show(v)
	return p
}

// Package auth0 is the rule for what Auth0 asks of the bridge and tells it: texts to be sent
// (notifications), codes that were right (feedback), and log-ins that come to the form with a
// session token and go back with a return token.
//
// It is for the doors under /auth0. It promises:
//
//   - A notification that Auth0 repeats within half a minute is texted once, however many replicas
//     receive it.
//   - Of the codes that Auth0 had texted to one phone only the last is pending, as at Auth0.
//   - Feedback approves at most one verification, once. An event that Auth0 streams again changes
//     nothing.
//   - A session token is believed only if the tenant's Auth0 signed it and it is young. No error
//     contains any of it.
package auth0

import (
	"context"
	"errors"
	"time"

	"smsbridge/internal/store"
)

// doorPhone names the phone provider as the door of its verifications.
const doorPhone = "auth0_phone"

// kept is how long the bridge knows which code was texted for which user: longer than any code
// counts. A phone's lock is kept as long.
const kept = 25 * time.Hour

// Forget deletes the notifications and locks that are too old to matter.
func Forget(ctx context.Context, tx *store.Tx) error {
	before := tx.Moment().Add(-kept)
	_, notificationErr := tx.DropAuth0NotificationsBefore(ctx, before)
	_, lockErr := tx.DropAuth0LocksBefore(ctx, before)
	return errors.Join(notificationErr, lockErr)
}

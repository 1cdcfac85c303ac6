// Package auth0 is the rule for what Auth0 asks of the bridge and tells it. A notification is a
// text to be sent, and feedback says that a code was right. A log-in comes to the form with a
// session token and goes back with a return token.
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

import "smsbridge/internal/store"

// doorPhone names the phone provider as the door of its verifications.
const doorPhone = "auth0_phone"

// maxUserID is the longest id of a user that is kept, in bytes: far beyond any that Auth0 makes.
const maxUserID = 255

// kept is an id of Auth0's as the databases keep it, "" for one that they do not take: PostgreSQL
// has no NUL in a text, and no long text in an index. An error would come again at each retry.
func kept(id string, most int) string {
	if len(id) > most || !store.IsText(id) {
		return ""
	}
	return id
}

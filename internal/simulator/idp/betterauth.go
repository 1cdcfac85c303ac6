package idp

import (
	"net/http"
	"time"
)

// BetterAuth takes one GET, and responds with a 302, the first with a session cookie. Later
// ones look as good. Source: better-auth, email-verification.ts.
const BetterAuth Provider = "better-auth"

// betterAuth returns Better Auth's row.
func betterAuth() []*profile {
	return []*profile{{
		name: BetterAuth, purpose: purposeVerify, life: time.Hour,
		link: "/api/auth/verify-email?token={secret}&callbackURL={app}", secret: jwt(`"email":"{email}"`),
		style: mailStyle{Anchor: "Verify your email address", Parts: bothParts},
		says:  sayings{tooLate: "TOKEN_EXPIRED", unknown: "INVALID_TOKEN"},
		get:   getRedirect(http.StatusFound, betterAuthTarget),
	}}
}

// betterAuthTarget signs in the browser that opens the first link. A browser with a later one
// is simply sent on, since the token is stateless and the address verified.
func betterAuthTarget(app string, k *ticket, o outcome) (string, string) {
	switch o {
	case verified:
		return app, "better-auth.session_token"
	case tooLate, unknown:
		return addQuery(app, "error="+k.provider.says[o]), ""
	}
	return app, ""
}

// betterAuthReset is the name of Better Auth's mail of [Server.ChangePassword].
const betterAuthReset Provider = "better-auth-reset"

// betterAuthPassword returns the row of that mail. Its link only looks at the token and redirects,
// with the token, to a page of the application that asks for the password. Source: better-auth,
// api/routes/password.ts.
func betterAuthPassword() *profile {
	return &profile{
		name: betterAuthReset, purpose: purposeReset, life: time.Hour,
		link: "/api/auth/reset-password/{secret}?callbackURL={app}",
		style: mailStyle{Subject: "Reset your password", Heading: "Password",
			Intro: "Choose a new password for {name} here:", Anchor: "Reset password"},
		get: func(i *Server, w http.ResponseWriter, r *http.Request, k *ticket) {
			i.mu.Lock()
			app, o := i.app(), i.outlook(k)
			i.mu.Unlock()
			to := addQuery(app, "error=INVALID_TOKEN")
			if o == verified {
				to = addQuery(app, "token="+k.secret)
			}
			http.Redirect(w, r, to, http.StatusFound)
		},
	}
}

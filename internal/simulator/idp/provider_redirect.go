package idp

import (
	"crypto/rand"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// redirects returns the rows of links that a GET redeems and that end in a redirect.
func redirects() []*profile {
	const stale = "Email link is invalid or has expired"
	goTrue := func(name Provider, purpose, kind string, life time.Duration, success string, letter mailStyle) *profile {
		return &profile{name: name, purpose: purpose, life: life, letter: letter, says: sameWords(success, stale),
			link: "/auth/v1/verify?token={secret}&type=" + kind + "&redirect_to={app}", get: getRedirect(303, goTrueTarget)}
	}
	return []*profile{
		goTrue(GoTrue, purposeVerify, "signup", day, "", mailStyle{Subject: "Confirm your email address", Anchor: "Confirm email address"}),
		goTrue(GoTrueMagicLink, purposeLogin, "magiclink", time.Hour, "", mailStyle{Subject: "Your magic link", Heading: "Magic link",
			Intro: "Follow this link to log in:", Anchor: "Log in"}),
		goTrue(GoTrueChange, purposeChange, "email_change", day,
			"Confirmation link accepted. Please proceed to confirm link sent to the other email",
			mailStyle{Subject: "Confirm email change", Heading: "Confirm change of email",
				Intro: "Somebody wants to use this address in place of another one:", Anchor: "Change email"}),
		{name: BetterAuth, purpose: purposeVerify, life: time.Hour, link: "/api/auth/verify-email?token={secret}&callbackURL={app}",
			secret: jwt(`"email":"{email}"`), letter: mailStyle{Anchor: "Verify your email address", Parts: bothParts},
			says: sayings{tooLate: "TOKEN_EXPIRED", unknown: "INVALID_TOKEN"}, get: getRedirect(302, betterAuthTarget)},
		{name: Hasura, purpose: purposeVerify, life: 30 * day, link: "/verify?ticket={secret}&type=emailVerify&redirectTo={app}",
			secret: func(*ticket, time.Time) string { return "verifyEmail:" + newUUID() },
			letter: mailStyle{Anchor: "Verify Email", Outlook: true, Powered: "Nhost"},
			says:   sameWords("", "Invalid or expired verification ticket"), get: getRedirect(302, hasuraTarget)},
		{name: Clerk, purpose: purposeVerify, life: 10 * time.Minute, link: "/v1/verify?_clerk_js_version=5.0.0&token={secret}",
			secret: jwt(`"st":"sign_up"`), letter: mailStyle{Subject: "Verify your email for {name}", Anchor: "Verify email",
				Parts: bothParts, Entities: true},
			says: sayings{"verified", "failed", "failed", "expired", "failed"}, get: getRedirect(302, clerkTarget)},
	}
}

// getRedirect returns what serves a link that is redeemed by a GET and answers with a redirect; location is given the
// application's address and returns where to, and the name of a session cookie to set or an empty string.
func getRedirect(status int, location func(app string, k *ticket, outcome outcome) (to, cookie string)) linkHandler {
	return func(i *Server, w http.ResponseWriter, r *http.Request, k *ticket) {
		i.mu.Lock()
		app, outcome := i.app(), i.redeem(k)
		i.mu.Unlock()
		to, cookie := location(app, k, outcome)
		if cookie != "" {
			http.SetCookie(w, newCookie(cookie, randomText(64)))
		}
		http.Redirect(w, r, to, status)
	}
}

// goTrueTarget is of supabase/auth, internal/api/verify.go: everything is in the fragment, so that only a browser sees it,
// and all failures are one.
func goTrueTarget(app string, k *ticket, outcome outcome) (string, string) {
	app, _, _ = strings.Cut(app, "#")
	switch {
	case outcome != verified:
		return app + "#error=access_denied&error_code=otp_expired&error_description=" +
			url.QueryEscape(k.provider.says[outcome]), ""
	case k.provider.purpose == purposeChange: // the first of two links
		return app + "#message=" + url.QueryEscape(k.provider.says[outcome]), ""
	}
	kind := "signup"
	if k.provider.purpose == purposeLogin {
		kind = "magiclink"
	}
	return app + "#access_token=" + randomText(120) + "&expires_in=3600&refresh_token=" + randomText(22) +
		"&token_type=bearer&type=" + kind, ""
}

// betterAuthTarget is of better-auth, email-verification.ts: whoever opens the first link is signed in; a later one is
// simply sent on, since its token is stateless and the address verified.
func betterAuthTarget(app string, k *ticket, outcome outcome) (string, string) {
	switch outcome {
	case verified:
		return app, "better-auth.session_token"
	case tooLate, unknown:
		return addQuery(app, "error="+k.provider.says[outcome]), ""
	}
	return app, ""
}

// hasuraTarget is of nhost/hasura-auth: success hands out a refresh token.
func hasuraTarget(app string, k *ticket, outcome outcome) (string, string) {
	if outcome == verified {
		return addQuery(app, "refreshToken="+newUUID()+"&type=emailVerify"), ""
	}
	return addQuery(app, "error=invalid-ticket&errorDescription="+url.QueryEscape(k.provider.says[outcome])), ""
}

// clerkTarget is of https://clerk.com/docs, "email links".
func clerkTarget(app string, k *ticket, outcome outcome) (string, string) {
	query := "__clerk_status=" + k.provider.says[outcome]
	if outcome != verified {
		return addQuery(app, query), ""
	}
	return addQuery(app, query+"&__clerk_created_session=sess_"+randomText(27)), "__client"
}

// newUUID returns a random number in the form of a UUID.
func newUUID() string {
	b := make([]byte, 16)
	rand.Read(b)
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:])
}

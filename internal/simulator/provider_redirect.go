package simulator

import (
	"crypto/rand"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// idpRedirects returns the rows of links that a GET redeems and that end in a redirect.
func idpRedirects() []*idpProvider {
	const stale = "Email link is invalid or has expired"
	goTrue := func(name IdPProvider, purpose, kind string, life time.Duration, success string, letter idpLetter) *idpProvider {
		return &idpProvider{name: name, purpose: purpose, life: life, letter: letter, says: idpEvery(success, stale),
			link: "/auth/v1/verify?token={secret}&type=" + kind + "&redirect_to={app}", get: idpGetRedirect(303, idpToFragment)}
	}
	return []*idpProvider{
		goTrue(IdPGoTrue, idpVerify, "signup", idpDay, "", idpLetter{Subject: "Confirm your email address", Anchor: "Confirm email address"}),
		goTrue(IdPGoTrueMagicLink, idpLogin, "magiclink", time.Hour, "", idpLetter{Subject: "Your magic link", Heading: "Magic link",
			Intro: "Follow this link to log in:", Anchor: "Log in"}),
		goTrue(IdPGoTrueChange, idpChange, "email_change", idpDay,
			"Confirmation link accepted. Please proceed to confirm link sent to the other email",
			idpLetter{Subject: "Confirm email change", Heading: "Confirm change of email",
				Intro: "Somebody wants to use this address in place of another one:", Anchor: "Change email"}),
		{name: IdPBetterAuth, purpose: idpVerify, life: time.Hour, link: "/api/auth/verify-email?token={secret}&callbackURL={app}",
			secret: idpJWT(`"email":"{email}"`), letter: idpLetter{Anchor: "Verify your email address", Parts: idpBothParts},
			says: idpWords{idpTooLate: "TOKEN_EXPIRED", idpUnknown: "INVALID_TOKEN"}, get: idpGetRedirect(302, idpToCallback)},
		{name: IdPHasura, purpose: idpVerify, life: 30 * idpDay, link: "/verify?ticket={secret}&type=emailVerify&redirectTo={app}",
			secret: func(*idpTicket, time.Time) string { return "verifyEmail:" + idpUUID() },
			letter: idpLetter{Anchor: "Verify Email", Outlook: true, Powered: "Nhost"},
			says:   idpEvery("", "Invalid or expired verification ticket"), get: idpGetRedirect(302, idpToRefreshToken)},
		{name: IdPClerk, purpose: idpVerify, life: 10 * time.Minute, link: "/v1/verify?_clerk_js_version=5.0.0&token={secret}",
			secret: idpJWT(`"st":"sign_up"`), letter: idpLetter{Subject: "Verify your email for {name}", Anchor: "Verify email",
				Parts: idpBothParts, Entities: true},
			says: idpWords{"verified", "failed", "failed", "expired", "failed"}, get: idpGetRedirect(302, idpToClerkStatus)},
	}
}

// idpGetRedirect returns what serves a link that is redeemed by a GET and answers with a redirect; location is given the
// application's address and returns where to, and the name of a session cookie to set or an empty string.
func idpGetRedirect(status int, location func(app string, k *idpTicket, outcome idpOutcome) (to, cookie string)) idpHandler {
	return func(i *IdP, w http.ResponseWriter, r *http.Request, k *idpTicket) {
		i.mu.Lock()
		app, outcome := i.app(), i.redeem(k)
		i.mu.Unlock()
		to, cookie := location(app, k, outcome)
		if cookie != "" {
			http.SetCookie(w, idpCookie(cookie, idpRandom(64)))
		}
		http.Redirect(w, r, to, status)
	}
}

// idpToFragment is of supabase/auth, internal/api/verify.go: everything is in the fragment, so that only a browser sees it,
// and all failures are one.
func idpToFragment(app string, k *idpTicket, outcome idpOutcome) (string, string) {
	app, _, _ = strings.Cut(app, "#")
	switch {
	case outcome != idpVerified:
		return app + "#error=access_denied&error_code=otp_expired&error_description=" +
			url.QueryEscape(k.provider.says[outcome]), ""
	case k.provider.purpose == idpChange: // the first of two links
		return app + "#message=" + url.QueryEscape(k.provider.says[outcome]), ""
	}
	kind := "signup"
	if k.provider.purpose == idpLogin {
		kind = "magiclink"
	}
	return app + "#access_token=" + idpRandom(120) + "&expires_in=3600&refresh_token=" + idpRandom(22) +
		"&token_type=bearer&type=" + kind, ""
}

// idpToCallback is of better-auth, email-verification.ts: whoever opens the first link is signed in; a later one is
// simply sent on, since its token is stateless and the address verified.
func idpToCallback(app string, k *idpTicket, outcome idpOutcome) (string, string) {
	switch outcome {
	case idpVerified:
		return app, "better-auth.session_token"
	case idpTooLate, idpUnknown:
		return idpAddQuery(app, "error="+k.provider.says[outcome]), ""
	}
	return app, ""
}

// idpToRefreshToken is of nhost/hasura-auth: success hands out a refresh token.
func idpToRefreshToken(app string, k *idpTicket, outcome idpOutcome) (string, string) {
	if outcome == idpVerified {
		return idpAddQuery(app, "refreshToken="+idpUUID()+"&type=emailVerify"), ""
	}
	return idpAddQuery(app, "error=invalid-ticket&errorDescription="+url.QueryEscape(k.provider.says[outcome])), ""
}

// idpToClerkStatus is of https://clerk.com/docs, "email links".
func idpToClerkStatus(app string, k *idpTicket, outcome idpOutcome) (string, string) {
	query := "__clerk_status=" + k.provider.says[outcome]
	if outcome != idpVerified {
		return idpAddQuery(app, query), ""
	}
	return idpAddQuery(app, query+"&__clerk_created_session=sess_"+idpRandom(27)), "__client"
}

// idpUUID returns a random number in the form of a UUID.
func idpUUID() string {
	b := make([]byte, 16)
	rand.Read(b)
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:])
}

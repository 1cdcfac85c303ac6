package idp

import (
	"net/http"
	"net/url"
	"strings"
	"time"
)

// GoTrue, the identity provider of Supabase. Sources: supabase/auth, internal/api/verify.go,
// and openapi.yaml, "/verify".
const (
	// GoTrue takes one GET, and responds with a 303 with #access_token= or #error_code=.
	GoTrue Provider = "gotrue"
	// GoTrueMagicLink is a login link, else like GoTrue.
	GoTrueMagicLink Provider = "gotrue-magic-link"
	// GoTrueChange is for a change of address: a 303 with #message= or #error_code=.
	GoTrueChange Provider = "gotrue-change"
	// GoTrueTokenHash has a page of script, and an API: /auth/v1/verify {type, token_hash}.
	GoTrueTokenHash Provider = "gotrue-token-hash"
)

// goTrue returns GoTrue's rows.
func goTrue() []*profile {
	const stale = "Email link is invalid or has expired"
	const accepted = "Confirmation link accepted. " +
		"Please proceed to confirm link sent to the other email"
	row := func(
		name Provider, purpose, kind string, life time.Duration, success string, style mailStyle,
	) *profile {
		return &profile{name: name, purpose: purpose, life: life, style: style,
			says: sameWords(success, stale),
			link: "/auth/v1/verify?token={secret}&type=" + kind + "&redirect_to={app}",
			get:  getRedirect(http.StatusSeeOther, goTrueTarget)}
	}
	confirm := mailStyle{Subject: "Confirm your email address", Anchor: "Confirm email address"}
	return []*profile{
		row(GoTrue, purposeVerify, "signup", day, "", confirm),
		row(GoTrueMagicLink, purposeLogin, "magiclink", time.Hour, "",
			mailStyle{Subject: "Your magic link",
				Heading: "Magic link", Intro: "Follow this link to log in:", Anchor: "Log in"}),
		row(GoTrueChange, purposeChange, "email_change", day, accepted,
			mailStyle{Subject: "Confirm email change",
				Heading: "Confirm change of email", Anchor: "Change email",
				Intro: "Somebody wants to use this address in place of another one:"}),
		{name: GoTrueTokenHash, purpose: purposeVerify, life: day, style: confirm,
			says: sameWords("", stale),
			link: "/auth/confirm?token_hash={secret}&type=email&next={app}", get: scriptPage,
			api: goTrueAPI()},
	}
}

// goTrueReset is the name of GoTrue's mail of [Server.ChangePassword].
const goTrueReset Provider = "gotrue-recovery"

// goTrueRecovery returns the row of that mail. Its link spends the token, and redirects with a
// session to a page of the application. The password is chosen there, and does not change before.
func goTrueRecovery() *profile {
	return &profile{
		name: goTrueReset, purpose: purposeReset, life: time.Hour,
		link: "/auth/v1/verify?token={secret}&type=recovery&redirect_to={app}",
		style: mailStyle{Subject: "Reset Your Password", Heading: "Reset Password",
			Anchor: "Reset Password",
			Intro:  "Follow this link to reset the password for your user:"},
		says: sameWords("", "Email link is invalid or has expired"),
		get: func(i *Server, w http.ResponseWriter, r *http.Request, k *ticket) {
			i.mu.Lock()
			app, o := i.app(), i.outlook(k)
			k.used = true
			i.mu.Unlock()
			to, _ := goTrueTarget(app, k, o)
			http.Redirect(w, r, to, http.StatusSeeOther)
		},
	}
}

// goTrueTarget puts everything into the fragment, so that only a browser sees it. All failures
// are one.
func goTrueTarget(app string, k *ticket, o outcome) (string, string) {
	app, _, _ = strings.Cut(app, "#")
	switch {
	case o != verified:
		return app + "#error=access_denied&error_code=otp_expired&error_description=" +
			url.QueryEscape(k.provider.says[o]), ""
	case k.provider.purpose == purposeChange: // the first of two links
		return app + "#message=" + url.QueryEscape(k.provider.says[o]), ""
	}
	kind := "signup"
	switch k.provider.purpose {
	case purposeLogin:
		kind = "magiclink"
	case purposeReset:
		kind = "recovery"
	}
	return app + "#access_token=" + randomText(120) + "&expires_in=3600" +
		"&refresh_token=" + randomText(22) + "&token_type=bearer&type=" + kind, ""
}

func goTrueAPI() *api {
	return &api{
		pattern: "/auth/v1/verify",
		secret: func(_ *Server, _ *http.Request, body map[string]string) (string, bool) {
			return body["token_hash"], body["type"] == "email" || body["type"] == "signup"
		},
		respond: func(w http.ResponseWriter, k *ticket, o outcome) {
			if o != verified {
				respondJSON(w, http.StatusForbidden, map[string]any{
					"code": 403, "error_code": "otp_expired", "msg": k.provider.says[o]})
				return
			}
			respondJSON(w, http.StatusOK, map[string]any{
				"access_token": randomText(120), "token_type": "bearer", "expires_in": 3600,
				"refresh_token": randomText(22),
				"user":          map[string]any{"email": k.email, "role": "authenticated"}})
		},
	}
}

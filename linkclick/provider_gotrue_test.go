package linkclick

import (
	"testing"
)

func TestSupabase(t *testing.T) {
	apiCase{
		link: "/auth/confirm?token_hash=h1&type=signup&next=/",
		rule: func(r *Rule) { r.API = "/auth/v1" },
		path: "/auth/v1/verify",
		body: map[string]string{"type": "signup", "token_hash": "h1"},
		responses: map[string]Outcome{
			`200 {"access_token":"s3cret","user":{}}`:          OutcomeConfirmed,
			`200 {"msg":"ok"}`:                                 OutcomeUnknown,
			`403 {"error_code":"otp_expired","msg":"expired"}`: OutcomeExpired,
			`400 {"error_code":"validation_failed"}`:           OutcomeRefused,
			`429 {}`:                                           OutcomeUnknown,
		},
	}.run(t)
}

func TestGoTrueRedirects(t *testing.T) {
	const (
		site = "https://app.example/"
		hash = "/auth/confirm?token_hash=h1&type=signup"
		link = "/auth/v1/verify?token=t1&type=signup"
	)
	for _, tt := range []redirectCase{
		{hash, site, "sb-abc-auth-token", OutcomeConfirmed},
		{hash, site, "sb-abc-auth-token.0", OutcomeConfirmed},
		{hash, site, "sb-abc-auth-token-code-verifier", OutcomeUnknown},
		{hash, site, "session", OutcomeUnknown},
		{link, site + "?code=x", "", OutcomeConfirmed},
		{link, site + "#error=access_denied&error_code=403", "", OutcomeRefused},
		// GoTrue puts its fragment behind the route that an application has in the fragment.
		{link + "&redirect_to=https%3A%2F%2Fapp.example%2F%23%2Fhome",
			site + "#/home#access_token=x&sb=&type=signup", "", OutcomeConfirmed},
		{link, site + "#/home?a=b#access_token=x&sb=", "", OutcomeConfirmed},
		{link + "&redirect_to=https%3A%2F%2Fapp.example%2F%23%2F%23access_token%3Dx",
			site + "#/#access_token=x&sb=", "", OutcomeUnknown},
		{link, site + "#/home%23access_token=x", "", OutcomeUnknown},
		{link, site + "#/home#error=access_denied&error_code=403", "", OutcomeRefused},
		{link, site + "#error=access_denied#access_token=x", "", OutcomeRefused},
		{link, site + "#/home#access_token=x#error=access_denied", "", OutcomeRefused},
	} {
		tt.run(t)
	}
}

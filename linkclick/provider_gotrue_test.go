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
	} {
		tt.run(t)
	}
}

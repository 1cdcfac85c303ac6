package linkclick

import (
	"testing"
)

func TestBetterAuth(t *testing.T) {
	const (
		link  = "/api/auth/verify-email?token=a.b.c&callbackURL=%2Fhome"
		other = "/api/auth/verify-email?token=a.b.c&callbackURL=https%3A%2F%2Fapp.example%2Fhome"
	)
	for _, tt := range []redirectCase{
		{link, "/home", "better-auth.session_token", OutcomeConfirmed},
		{other, "https://app.example/home/", "", OutcomeConfirmed},
		{link, "/home?error=TOKEN_EXPIRED", "", OutcomeExpired},
		{link, "/home?error=invalid_token", "", OutcomeRefused},
		{link, "https://wall.example/login", "", OutcomeUnknown},
	} {
		tt.run(t)
	}
}

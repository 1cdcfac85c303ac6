package linkclick

import (
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestBetterAuth(t *testing.T) {
	const (
		link  = "/api/auth/verify-email?token=a.b.c&callbackURL=%2Fhome"
		other = "/api/auth/verify-email?token=a.b.c&callbackURL=https%3A%2F%2Fapp.example%2Fhome"
	)
	for _, tt := range []redirectCase{
		{link, "/home", "better-auth.session_token", OutcomeConfirmed},
		{other, "https://app.example/home/", "", OutcomeConfirmed},
		{other, "https://app.example/login", "", OutcomeUnknown},
		{other, "https://evil.example/home", "", OutcomeUnknown},
		{link, "/home?error=TOKEN_EXPIRED", "", OutcomeExpired},
		{link, "/home?error=invalid_token", "", OutcomeRefused},
		{link, "https://wall.example/login", "", OutcomeUnknown},
	} {
		tt.run(t)
	}
}

// Only the response to the link itself proves anything: here a sign-in page comes first, and
// leads every visitor to the callbackURL.
func TestBetterAuthBehindASignIn(t *testing.T) {
	p, c := serve(t, func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/api/auth/verify-email":
			redirectTo("/sign-in")(w, r)
		case "/sign-in":
			redirectTo("/home")(w, r)
		default:
			html200(w, "Welcome")
		}
	})
	r := open(t, c, p.URL+"/api/auth/verify-email?token=a.b.c&callbackURL=%2Fhome")
	require.Equal(t, OutcomeUnknown, r.Outcome)
	require.Len(t, p.requests(), 3)
}

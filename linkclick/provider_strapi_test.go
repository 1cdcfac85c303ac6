package linkclick

import (
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestStrapi(t *testing.T) {
	const link = "/api/auth/email-confirmation?confirmation=c1"
	for _, tt := range []redirectCase{
		{link, "https://app.example/welcome", "", OutcomeConfirmed},
		{link, "https://app.example/?error=x", "", OutcomeRefused},
		// A wall in front of the API brings the way back with it.
		{link, "https://wall.example/login?rd=https%3A%2F%2Fapp.example", "", OutcomeUnknown},
		{link, "https://wall.example/login#back", "", OutcomeUnknown},
	} {
		tt.run(t)
	}
	p, c := serve(t, func(w http.ResponseWriter, _ *http.Request) {
		sendJSON(w, http.StatusBadRequest, `{"error":{"status":400,"message":"Invalid token"}}`)
	})
	require.Equal(t, OutcomeRefused, open(t, c, p.URL+link).Outcome)
}

// Only a redirect of the kind that Strapi sends proves anything.
func TestStrapiOfAnotherStatus(t *testing.T) {
	p, c := serve(t, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/" {
			http.Redirect(w, r, "/", http.StatusMovedPermanently)
			return
		}
		html200(w, "Welcome")
	})
	link := p.URL + "/api/auth/email-confirmation?confirmation=c1"
	require.Equal(t, OutcomeUnknown, open(t, c, link).Outcome)
}

package linkclick

import (
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"
)

// The API refuses with a bare 401 what the pages refuse in words. On another link that status may
// be of anything before the site.
func TestASPNET(t *testing.T) {
	const api, page = "/confirmEmail?userId=17&code=Q2Zk", "/Account/ConfirmEmail?userId=17&code=Q2Zk"
	for _, tt := range []struct {
		link   string
		status int
		body   string
		want   Outcome
	}{
		{api, http.StatusOK, "Thank you for confirming your email.", OutcomeConfirmed},
		{api, http.StatusUnauthorized, "", OutcomeRefused},
		{api, http.StatusForbidden, "", OutcomeUnknown},
		{api, http.StatusOK, "", OutcomeUnknown},
		{page, http.StatusOK, "Thank you for confirming your email.", OutcomeConfirmed},
		{page, http.StatusOK, "Error confirming your email.", OutcomeRefused},
		{page, http.StatusNotFound, "Unable to load user with ID '17'.", OutcomeRefused},
		{"/e?t=1", http.StatusUnauthorized, "", OutcomeUnknown},
	} {
		p, c := serve(t, func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(tt.status)
			_, _ = w.Write([]byte(tt.body))
		})
		require.Equal(t, tt.want, open(t, c, p.URL+tt.link).Outcome, "%s: %d %s", tt.link, tt.status,
			tt.body)
	}
}

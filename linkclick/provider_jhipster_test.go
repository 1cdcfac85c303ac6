package linkclick

import (
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestJHipster(t *testing.T) {
	const problem = `{"title":"No user was found for this activation key"}`
	for name, tt := range map[string]struct {
		respond http.HandlerFunc
		want    Outcome
	}{
		"activated": {func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(200) },
			OutcomeConfirmed},
		"unknown key": {func(w http.ResponseWriter, _ *http.Request) {
			sendJSON(w, http.StatusInternalServerError, problem)
		}, OutcomeRefused},
		"a bad request": {func(w http.ResponseWriter, _ *http.Request) {
			sendJSON(w, http.StatusBadRequest, problem)
		}, OutcomeRefused},
		"another problem": {func(w http.ResponseWriter, _ *http.Request) {
			sendJSON(w, http.StatusUnauthorized, problem)
		}, OutcomeUnknown},
		"a broken server": {func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(http.StatusInternalServerError)
		}, OutcomeUnknown},
		// The page of the application stands at every path that the API does not know.
		"the application": {says("<app-root></app-root>"), OutcomeUnknown},
		"a broken gateway": {func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(502) },
			OutcomeUnknown},
		"a sign-in wall": {redirectTo("https://wall.example/"), OutcomeUnknown},
	} {
		t.Run(name, func(t *testing.T) {
			p, c := serve(t, tt.respond)
			r := open(t, c, p.URL+"/shop/account/activate?key=k%2B1")
			require.Equal(t, tt.want, r.Outcome, r.Reason)
			require.Equal(t, []string{"GET /api/activate"}, p.requests())
		})
	}
}

// The API may be elsewhere, and then it gets the key alone.
func TestJHipsterElsewhere(t *testing.T) {
	var query string
	p, c := serve(t, func(_ http.ResponseWriter, r *http.Request) {
		query = r.URL.Path + "?" + r.URL.RawQuery
	})
	c.Rule.API = p.URL + "/gateway/api"
	r := open(t, c, p.URL+"/account/activate?key=k1&next=x")
	require.Equal(t, OutcomeConfirmed, r.Outcome)
	require.Equal(t, "/gateway/api/activate?key=k1", query)
}

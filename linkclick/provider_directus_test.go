package linkclick

import (
	"net/http"
	"net/url"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestDirectus(t *testing.T) {
	const (
		link = "/users/register/verify-email?token=t1"
		user = "/admin/users/3f2b8c1e-6a4d-4e9b-8f10-5c7d2a9e1b34"
	)
	redirectCase{link, user, "", OutcomeConfirmed}.run(t)
	redirectCase{link, "https://evil.example" + user, "", OutcomeUnknown}.run(t)
	for _, to := range []string{"/admin/login", "/admin/users/new", "/admin/users/"} {
		p, c := serve(t, func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Path == "/users/register/verify-email" {
				http.Redirect(w, r, to, http.StatusFound)
				return
			}
			html200(w, "Welcome")
		})
		require.Equal(t, OutcomeUnknown, open(t, c, p.URL+link).Outcome, to)
	}
}

// The token says what it is for. It is not opened at a path for something else.
func TestDirectusScope(t *testing.T) {
	for scope, want := range map[string]Kind{
		"pending-registration": KindVerify, "password-reset": "", "invite": KindInvite,
		"": KindInvite,
	} {
		u, err := url.Parse("https://login.acme.example/users/register/verify-email?token=" +
			unsigned(`{"scope":"`+scope+`"}`))
		require.NoError(t, err)
		require.Equal(t, want, shapeOf(u).kind, scope)
	}
}

// A failure is JSON, as Directus writes its errors, and never a success.
func TestDirectusFailures(t *testing.T) {
	const refusal = `{"errors":[{"message":"Invalid payload. Invalid verification code.",` +
		`"extensions":{"reason":"Invalid verification code","code":"INVALID_PAYLOAD"}}]}`
	for _, tt := range []struct {
		status int
		body   string
		want   Outcome
	}{
		{http.StatusBadRequest, refusal, OutcomeRefused},
		{http.StatusUnauthorized,
			`{"errors":[{"message":"Token expired.","extensions":{"code":"TOKEN_EXPIRED"}}]}`,
			OutcomeExpired},
		{http.StatusForbidden,
			`{"errors":[{"message":"Invalid token.","extensions":{"code":"INVALID_TOKEN"}}]}`,
			OutcomeRefused},
		{http.StatusForbidden, `{"errors":[{"message":"You don't have permission to access this.",` +
			`"extensions":{"code":"FORBIDDEN"}}]}`, OutcomeUnknown},
	} {
		p, c := serve(t, func(w http.ResponseWriter, _ *http.Request) {
			sendJSON(w, tt.status, tt.body)
		})
		link := "/users/register/verify-email?token=" + unsigned(`{"scope":"pending-registration"}`)
		require.Equal(t, tt.want, open(t, c, p.URL+link).Outcome, tt.body)
	}
}

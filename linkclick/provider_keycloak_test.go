package linkclick

import (
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"
)

// Keycloak wants the link on its first page opened with the cookie of that page.
func TestKeycloak(t *testing.T) {
	const path = "/realms/r/login-actions/action-token"
	page := func(end string) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) {
			if cookie, err := r.Cookie("AUTH_SESSION_ID"); err == nil && cookie.Value == "a" && r.FormValue("key") == "second" {
				html200(w, end)
				return
			}
			http.SetCookie(w, &http.Cookie{Name: "AUTH_SESSION_ID", Value: "a", Path: "/realms/r/"})
			html200(w, `<a href="`+path+`?key=first&amp;kc_locale=de">Deutsch</a><a href="https://evil.example`+path+`?key=x">Top</a><a href="#top">Top</a><a href="/other?key=x">Help</a>
<div id="kc-info-message"><p>Confirm validity of e-mail address a@b.example.</p>
<p><a href="`+path+`?key=second&amp;client_id=web&amp;tab_id=t">» Click here to proceed</a></p></div>`)
		}
	}
	for end, want := range map[string]Outcome{
		`<p id="kc-info-message">Your email address has been verified.</p>`:                                                                          OutcomeConfirmed,
		`<p id="kc-info-message">Your email address has been verified already.</p>`:                                                                  OutcomeAlready,
		`<p id="kc-error-message">Action expired. Please continue with login now.</p>`:                                                               OutcomeExpired,
		`<p id="kc-error-message">The link you clicked is an old stale link and is no longer valid. Maybe you have already verified your email.</p>`: OutcomeExpired,
		`<p id="kc-error-message">予期しないエラーが発生しました</p>`:                                                                                               OutcomeRefused,
		`<p id="kc-info-message">メールアドレスは大丈夫です。</p>`:                                                                                                 OutcomeConfirmed,
		`<p>Hello</p>`: OutcomeUnknown,
		`<form method="post"><label>New password</label><input type="password" name="p"></form>`: OutcomeNeedsUser,
	} {
		p, c := serve(t, page(end))
		r := open(t, c, p.URL+path+"?key=first")
		require.Equal(t, want, r.Outcome, end)
		require.Len(t, r.Steps, 2)
	}
}

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
			if cookie, err := r.Cookie("AUTH_SESSION_ID"); err == nil && cookie.Value == "a" &&
				r.FormValue("key") == "second" {
				html200(w, end)
				return
			}
			http.SetCookie(w, &http.Cookie{Name: "AUTH_SESSION_ID", Value: "a", Path: "/realms/r/"})
			html200(w, `<a href="`+path+`?key=first&amp;kc_locale=de">Deutsch</a>`+
				`<a href="https://evil.example`+path+`?key=x">Top</a>`+
				`<a href="#top">Top</a><a href="/other?key=x">Help</a>
<div id="kc-info-message"><p>Confirm validity of e-mail address a@b.example.</p>
<p><a href="`+path+`?key=second&amp;client_id=web&amp;tab_id=t">`+
				`» Click here to proceed</a></p></div>`)
		}
	}
	info := func(words string) string { return `<p id="kc-info-message">` + words + `</p>` }
	failure := func(words string) string { return `<p id="kc-error-message">` + words + `</p>` }
	for end, want := range map[string]Outcome{
		info("メールアドレスは大丈夫です。"): OutcomeConfirmed,

		info("Your email address has been verified."):         OutcomeConfirmed,
		info("Your email address has been verified already."): OutcomeAlready,

		failure("Action expired. Please continue with login now."): OutcomeExpired,
		failure("The link you clicked is an old stale link and is no longer valid. " +
			"Maybe you have already verified your email."): OutcomeExpired,
		failure("Dieser Link ist nicht mehr gültig. Eventuell haben Sie Ihre E-Mail-Adresse " +
			"bereits verifiziert."): OutcomeExpired,
		failure("予期しないエラーが発生しました"): OutcomeRefused,
		`<p>Hello</p>`: OutcomeUnknown,
		`<form method="post"><label>New password</label>` +
			`<input type="password" name="p"></form>`: OutcomeNeedsUser,
	} {
		p, c := serve(t, page(end))
		r := open(t, c, p.URL+path+"?key=first")
		require.Equal(t, want, r.Outcome, end)
		require.Len(t, r.Steps, 2)
	}
	for _, status := range []int{http.StatusForbidden, http.StatusInternalServerError} {
		p, c := serve(t, func(w http.ResponseWriter, r *http.Request) {
			if r.FormValue("key") == "second" {
				w.Header().Set("Content-Type", "text/html; charset=utf-8")
				w.WriteHeader(status)
			}
			page(info("OK"))(w, r)
		})
		r := open(t, c, p.URL+path+"?key=first")
		notSuccess(t, r, "the mark of a success on an error page")
		require.Len(t, r.Steps, 2)
	}
}

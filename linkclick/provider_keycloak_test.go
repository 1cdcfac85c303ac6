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
	for _, status := range []int{200, 403, 500} {
		p, c := serve(t, func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "text/html; charset=utf-8")
			w.WriteHeader(status)
			html200(w, failure("予期しないエラーが発生しました"))
		})
		require.Equal(t, OutcomeRefused, open(t, c, p.URL+path+"?key=first").Outcome, status)
		require.Len(t, p.requests(), 1, status)
	}
}

// The mark of a success counts for a link of Keycloak, on its host, behind its one "proceed" link.
func TestMarkOfSuccess(t *testing.T) {
	const path, mark = "/realms/r/login-actions/action-token", `<p id="kc-info-message">OK</p>`
	proceed := func(key string) string { return `<a href="?key=` + key + `">Proceed</a>` }
	other, _ := serve(t, says(mark))
	p, c := serve(t, func(w http.ResponseWriter, r *http.Request) {
		switch key := r.FormValue("key"); {
		case key == "first", key == "again":
			html200(w, proceed(key+"2"))
		case key == "away":
			html200(w, proceed("led"))
		case key == "sign in":
			html200(w, `<a href="?key=x">Sign in</a><a href="?key=x">Delete account</a>`)
		case key == "led":
			redirectTo(other.URL+"/")(w, r)
		case key == "again2":
			html200(w, proceed("again3"))
		default:
			html200(w, mark)
		}
	})
	c.Rule.Hosts = append(c.Rule.Hosts, other.Listener.Addr().String())
	c.Rule.Recipe = RecipeProceed
	for link, want := range map[string]struct {
		outcome  Outcome
		requests int
	}{
		path + "?key=first":   {OutcomeConfirmed, 2},
		path + "?key=away":    {OutcomeUnknown, 3},
		path + "?key=again":   {OutcomeUnknown, 2}, // another "proceed" link is not followed
		path + "?key=sign+in": {OutcomeUnknown, 1},
		"/x?key=first":        {OutcomeUnknown, 2}, // of an unknown provider
	} {
		r := open(t, c, p.URL+link)
		require.Equal(t, want.outcome, r.Outcome, link)
		require.Len(t, r.Steps, want.requests, link)
	}
}

package linkclick

import (
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// A form is posted only on the host of the link, and only to the host of its page.
func TestFormStaysWhereItIs(t *testing.T) {
	const path = "/u/email-verification"
	form := func(action string) string {
		return `<form method="post" action="` + action + `"><input type="hidden" name="state" ` +
			`value="s"></form>`
	}
	var action string
	second, _ := serve(t, func(w http.ResponseWriter, _ *http.Request) { html200(w, form(action)) })
	first, c := serve(t, func(w http.ResponseWriter, r *http.Request) {
		if r.FormValue("ticket") == "away" {
			redirectTo(second.URL+path)(w, r)
			return
		}
		html200(w, form(action))
	})
	c.Rule.Hosts = append(c.Rule.Hosts, second.Listener.Addr().String())
	for _, tt := range []struct{ ticket, action string }{
		{"t", second.URL}, {"t", second.URL + path}, {"away", first.URL + path}, {"away", ""},
		{"t", strings.Replace(first.URL, "//", "//user@", 1) + path},
		{"t", strings.Replace(first.URL, "https", "http", 1) + path},
	} {
		action = tt.action
		r := open(t, c, first.URL+path+"?ticket="+tt.ticket)
		require.Equal(t, OutcomeNeedsUser, r.Outcome, tt)
		require.Equal(t, ReasonWantsInput, r.Reason, tt)
	}
	for _, r := range append(first.requests(), second.requests()...) {
		require.Equal(t, "GET "+path, r)
	}
}

// What comes back after the one form is judged, and no second form is posted.
func TestAfterTheForm(t *testing.T) {
	again := func(status int) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Location", "/again")
			w.WriteHeader(status)
		}
	}
	for name, tt := range map[string]struct {
		then    http.HandlerFunc
		outcome Outcome
		reason  string
	}{
		"the form again": {universalForm, OutcomeUnknown, ReasonSecondQuestion},
		"a question": {says(`<form method="post"><input name="name"></form>`), OutcomeNeedsUser,
			ReasonWantsInput},
		"another POST, 307": {again(http.StatusTemporaryRedirect), OutcomeUnknown, ReasonBadRedirect},
		"another POST, 308": {again(http.StatusPermanentRedirect), OutcomeUnknown, ReasonBadRedirect},
	} {
		p, c := serve(t, func(w http.ResponseWriter, r *http.Request) {
			if r.Method == http.MethodGet {
				universalForm(w, r)
				return
			}
			tt.then(w, r)
		})
		r := open(t, c, p.URL+"/u/email-verification?ticket=t")
		require.Equal(t, tt.outcome, r.Outcome, name)
		require.Equal(t, tt.reason, r.Reason, name)
		require.Len(t, p.requests(), 2, name)
	}
}

// The way in which a provider's link redirects after a success proves nothing after a form, which
// only an operator can have posted there.
func TestRedirectAfterAFormProvesNothing(t *testing.T) {
	p, c := serve(t, func(w http.ResponseWriter, r *http.Request) {
		switch {
		case r.Method == http.MethodPost:
			redirectTo("/home")(w, r)
		case r.URL.Path == "/home":
			html200(w, "Hello")
		default:
			universalForm(w, r)
		}
	})
	c.Rule.Recipe = RecipeForm
	r := open(t, c, p.URL+"/api/auth/verify-email?token=a.b.c&callbackURL=%2Fhome")
	require.Equal(t, OutcomeUnknown, r.Outcome)
	require.Len(t, p.requests(), 3)
}

// A form on a page of an error is not posted.
func TestFormOfAnError(t *testing.T) {
	for status, want := range map[int]Outcome{
		201: OutcomeUnknown, 400: OutcomeRefused, 403: OutcomeUnknown, 429: OutcomeUnknown,
		500: OutcomeUnknown,
	} {
		p, c := serve(t, func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Type", "text/html; charset=utf-8")
			w.WriteHeader(status)
			universalForm(w, r)
		})
		require.Equal(t, want, open(t, c, p.URL+"/u/email-verification?ticket=t").Outcome, status)
		require.Len(t, p.requests(), 1, status)
	}
}

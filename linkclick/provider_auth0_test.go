package linkclick

import (
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"
)

// The answers of Auth0's older links: a redirect to the configured address, or a page with the
// same words.
func TestAuth0Classic(t *testing.T) {
	const failed = "https://app.example/?success=false&message="
	for location, want := range map[string]Outcome{
		"https://app.example/?supportSignUp=true&email=a%40b.example&" +
			"message=Your%20email%20was%20verified." +
			"%20You%20can%20continue%20using%20the%20application.&" +
			"success=true&code=success#/home": OutcomeConfirmed,
		failed + "This%20URL%20can%20be%20used%20only%20once": OutcomeUsed,
		failed + "Access%20expired.":                          OutcomeExpired,
		failed + "This%20account%20is%20already%20verified.":  OutcomeAlready,
		failed + "User%20account%20does%20not%20exist":        OutcomeRefused,

		"acme-app://verified?success=true&message=Your%20email%20was%20verified.": OutcomeConfirmed,
		"https://app.example/?success=true&message=Your%20email%20was%20verified." +
			"%20Your%20account%20awaits%20approval.": OutcomeUnapproved,
		"http://app.example/": OutcomeUnknown,
	} {
		p, c := serve(t, redirectTo(location))
		r := open(t, c, p.URL+"/lo/verify_email?ticket=t")
		require.Equal(t, want, r.Outcome, location)
		require.True(t, r.Sent)
		require.Equal(t, []Step{{"GET", p.Listener.Addr().String(), 302}}, r.Steps)
	}
	for body, want := range map[string]Outcome{
		"<p>Your email was verified. You can continue using the application.</p>": OutcomeConfirmed,
		"<p>This URL can be used only once</p>":                                   OutcomeUsed,
		"<p>Welcome</p>":                                                          OutcomeUnknown,
	} {
		p, c := serve(t, says(body))
		require.Equal(t, want, open(t, c, p.URL+"/lo/verify_email?ticket=t").Outcome, body)
	}
}

// universalLogin answers as Auth0's Universal Login does: a form that a script would send, then
// the end.
func universalLogin(t *testing.T, result http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodGet {
			http.SetCookie(w, &http.Cookie{Name: "sid", Value: "c1", Path: "/u", Secure: true})
			html200(w, `<script>document.forms[0].submit(); "This ticket was expired."</script>
<form method="POST"><input type="hidden" name="state" value="s&amp;1">
<noscript>Javascript is not enabled on your browser, please click button to continue.
<button type="submit" name="action" value="default">Continue</button></noscript></form>`)
			return
		}
		cookie, err := r.Cookie("sid")
		if r.Method != http.MethodPost || err != nil || cookie.Value != "c1" ||
			r.FormValue("state") != "s&1" || r.PostFormValue("action") != "default" ||
			r.Header.Get("Origin") != "https://"+r.Host || r.Header.Get("Referer") != "" ||
			r.URL.RawQuery != "ticket=t" {
			w.WriteHeader(http.StatusBadRequest)
			return
		}
		result(w, r)
	}
}

func TestAuth0UniversalLogin(t *testing.T) {
	for name, tt := range map[string]struct {
		result http.HandlerFunc
		want   Outcome
	}{
		"redirect": {redirectTo("https://app.example/?success=true&" +
			"message=Your%20email%20was%20verified"), OutcomeConfirmed},
		"redirect, failed": {redirectTo("https://app.example/?success=false&" +
			"message=This%20ticket%20was%20already%20used"), OutcomeUsed},
		"result page": {says("<h1>Email Verified</h1><p>Your email address was successfully " +
			"verified.</p>"), OutcomeConfirmed},
		"already": {says("<p>This account is already verified.</p>"), OutcomeAlready},
		"expired": {says("<p>This ticket was expired.</p>"), OutcomeExpired},
		"used":    {says("<p>This ticket was already used.</p>"), OutcomeUsed},
		"invalid": {says("<p>User account does not exist or the verification code is " +
			"invalid.</p>"), OutcomeRefused},
		"failed":     {says("<p>Your email address could not be verified.</p>"), OutcomeRefused},
		"asks again": {universalForm, OutcomeUnknown},
	} {
		t.Run(name, func(t *testing.T) {
			p, c := serve(t, universalLogin(t, tt.result))
			submitted := 0
			r := c.Click(t.Context(), p.URL+"/u/email-verification?ticket=t#",
				func() error { submitted++; return nil })
			require.Equal(t, tt.want, r.Outcome, r.Reason)
			require.Equal(t, 1, submitted)
			require.Equal(t, []string{"GET /u/email-verification", "POST /u/email-verification"},
				p.requests())
		})
	}
}

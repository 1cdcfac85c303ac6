package linkclick

import (
	"net/url"
	"testing"

	"github.com/stretchr/testify/require"
)

// The tests of this file change what must not matter around words that the other tests know: how a
// page is written, what frames it, and what stands beside an answer.

// outcomeOf is what a page of unknown shape says.
func outcomeOf(body string) Outcome {
	link := &url.URL{Scheme: "https", Host: "login.acme.example", Path: "/x"}
	k := &click{Clicker: &Clicker{}, link: link}
	outcome, _ := k.judgePage(response{request: request{to: k.link}, status: 200}, readPage(body))
	return outcome
}

// A fact that is denied stays so, however the page shows the answer beside its name.
func TestDeniedFacts(t *testing.T) {
	for _, fact := range []string{"Email verified", "Account confirmed", "Your email is verified"} {
		for _, answer := range []string{
			"No", "No ❌", "❌ No", "⚠️ no", "No (send again)", "no | ACME", "Not yet!", "No Resend",
			"No <a>Request another mail</a>", "Not verified", "Unverified", "Pending verification",
		} {
			for _, body := range []string{
				fact + ": " + answer, fact + " – " + answer, fact + " (" + answer + ")",
				"<dl><dt>" + fact + "</dt><dd>" + answer + "</dd></dl>",
				"<table><tr><th>" + fact + ":</th><td>" + answer + "</td></tr></table>",
				// A style sheet parts them.
				"<div><span>" + fact + "</span><span>" + answer + "</span></div>",
			} {
				require.Equal(t, OutcomeUnknown, outcomeOf(body), body)
			}
		}
		for _, body := range []string{
			fact, fact + ": Yes", fact + "<p>No further steps are needed", fact + "<p>Nothing to do",
			fact + "<p>no-reply@acme.example", fact + "<p>No, you need not do anything",
			"<div><span>" + fact + "</span><span>Yes</span></div>",
		} {
			require.Equal(t, OutcomeConfirmed, outcomeOf(body), body)
		}
	}
}

package linkclick

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestZitadel(t *testing.T) {
	apiCase{
		link: "/ui/v2/login/verify?code=K7X2PQ&userId=31%2F7",
		rule: func(r *Rule) { r.Token = "service" },
		path: "/v2/users/31%2F7/email/verify",
		body: map[string]string{"verificationCode": "K7X2PQ"},
		responses: map[string]Outcome{
			`200 {"details":{"sequence":"2"}}`:           OutcomeConfirmed,
			`400 {"code":3,"message":"Code is expired"}`: OutcomeExpired,
			`400 {"code":3,"message":"Code is wrong"}`:   OutcomeRefused,
			`401 {"code":16}`:                            OutcomeUnknown,
			`200 {}`:                                     OutcomeUnknown,
			`403 {"details":{"sequence":"2"}}`:           OutcomeUnknown,
		},
	}.run(t)
}

// The page of the first login asks for a code whatever is wrong with that of the link, and says
// what is. Without such a sentence the person is needed.
func TestZitadelPages(t *testing.T) {
	for sentence, want := range map[string]Outcome{
		"Your email address has been successfully verified.": OutcomeConfirmed,
		"Could not find code (COMMAND-3n8ud)":                OutcomeUsed,
		"Code is invalid (COMMAND-Gdsgs)":                    OutcomeRefused,
		"Code is expired":                                    OutcomeExpired,
		"":                                                   OutcomeNeedsUser,
	} {
		p, c := serve(t, says(`<h1>E-Mail Verification</h1><p>Type the code of the mail.</p>`+
			`<form method="post" action="/ui/login/mail/verification">`+
			`<input type="hidden" name="userID" value="1"><input name="code">`+
			`<div class="error">`+sentence+`</div><button>next</button></form>`))
		r := open(t, c, p.URL+"/ui/login/mail/verification?userID=1&code=K7X2PQ&orgID=2")
		require.Equal(t, want, r.Outcome, sentence)
	}
}

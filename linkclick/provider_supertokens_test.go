package linkclick

import (
	"testing"
)

func TestSuperTokens(t *testing.T) {
	body := map[string]string{"method": "token", "token": "t1"}
	apiCase{
		link: "/auth/verify-email?token=t1&tenantId=public",
		path: "/auth/user/email/verify",
		body: body,
		responses: map[string]Outcome{
			`200 {"status":"OK"}`: OutcomeConfirmed,
			`200 {"status":"EMAIL_VERIFICATION_INVALID_TOKEN_ERROR"}`: OutcomeRefused,
			`200 {"status":"GENERAL_ERROR"}`:                          OutcomeUnknown,
			`404 {"status":"OK"}`:                                     OutcomeUnknown,
			`200 not JSON`:                                            OutcomeUnknown,
		},
	}.run(t)
	apiCase{
		link:      "/auth/verify-email?token=t1&tenantId=a%2Fb", // a tenant of its own
		path:      "/auth/a%2Fb/user/email/verify",
		body:      body,
		responses: map[string]Outcome{`200 {"status":"OK"}`: OutcomeConfirmed},
	}.run(t)
}

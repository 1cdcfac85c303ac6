package linkclick

import (
	"testing"
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

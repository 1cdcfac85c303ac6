package linkclick

import (
	"testing"
)

func TestPocketBase(t *testing.T) {
	token := unsigned(`{"collectionId":"_pb_users_auth_"}`)
	apiCase{
		link: "/pb/_/#/auth/confirm-verification/" + token,
		path: "/pb/api/collections/_pb_users_auth_/confirm-verification",
		body: map[string]string{"token": token},
		responses: map[string]Outcome{
			`204 `:                      OutcomeConfirmed,
			`200 {}`:                    OutcomeUnknown,
			`400 {"message":"Failed."}`: OutcomeRefused,
			`500 {}`:                    OutcomeUnknown,
		},
	}.run(t)
}

package linkclick

import (
	"net/url"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestFirebase(t *testing.T) {
	apiCase{
		link: "/__/auth/action?mode=verifyEmail&oobCode=c%2B1&apiKey=k%261&lang=da",
		rule: func(r *Rule) { r.API = "/v1" },
		path: "/v1/accounts:update?key=k%261",
		body: map[string]string{"oobCode": "c+1"},
		responses: map[string]Outcome{
			`200 {"email":"a@b.example","emailVerified":true}`: OutcomeConfirmed,
			`200 {"email":"a@b.example"}`:                      OutcomeUnknown,
			`200 {"emailVerified":"true"}`:                     OutcomeUnknown,

			`400 {"error":{"code":400,"message":"EXPIRED_OOB_CODE"}}`:             OutcomeExpired,
			`400 {"error":{"code":400,"message":"INVALID_OOB_CODE : malformed"}}`: OutcomeRefused,

			`400 {"error":{"message":"API key not valid."}}`: OutcomeUnknown,
			`400 {"emailVerified":true}`:                     OutcomeUnknown,
			`503 {}`:                                         OutcomeUnknown,
		},
	}.run(t)
}

// Google's host needs no entry in the rule, but nothing else may be behind it.
func TestFirebaseAtGoogle(t *testing.T) {
	c := &Clicker{Rule: Rule{Hosts: []string{"login.acme.example"}}}
	k := &click{Clicker: c, jars: jars{}}
	link, err := url.Parse("https://login.acme.example/__/auth/action" +
		"?mode=verifyEmail&oobCode=c1&apiKey=k1&tenantId=t1")
	require.NoError(t, err)
	first := k.begin(link)
	require.Equal(t, "https://identitytoolkit.googleapis.com/v1/accounts:update?key=k1",
		first.to.String())
	require.JSONEq(t, `{"oobCode":"c1","tenantId":"t1"}`, string(first.json))
}

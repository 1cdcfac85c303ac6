package linkclick

import (
	"net/http"
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
			`400 {"error":{"code":400,"message":"INVALID_OOB_CODE"}}`:             OutcomeExpired,
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

// The API that verifies an address takes a second factor back, too, if the code is for that. So
// such a link is never redeemed, though an operator allows its path and forces the recipe.
func TestFirebaseSecondFactor(t *testing.T) {
	p, c := serve(t, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		_, _ = w.Write([]byte(`{"email":"a@b.example","emailVerified":true}`))
	})
	c.Rule.API, c.Rule.Recipe, c.Rule.Paths = p.URL, RecipeFirebase, []string{"/account"}
	link := p.URL + "/account?mode=revertSecondFactorAddition&oobCode=Zk3vQ8mW1xT5&apiKey=k1"
	f := Find(Mail{Subject: "ACME", Text: "Nebyli jste to vy?\n\n" + link}, c.Rule)
	require.Equal(t, KindChange, f.Kind)
	require.Empty(t, f.URL)
	require.Equal(t, OutcomeNeedsUser, open(t, c, link).Outcome)
	require.Empty(t, p.requests())
}

package linkclick

import (
	"cmp"
	"net/http"
	"net/url"
)

// supertokens is SuperTokens. The page of its link is a script, and we call the API that it
// calls: at /auth of the link's origin, if the rule does not say where. Its links name a recipe, a
// tenant or both. Without them the path is that of many a site, which has no such API.
//
// Sources: supertokens.com/docs, email verification, passwordless, and the frontend driver
// interface (FDI), emailverification recipe; supertokens-node 9 to 23, getEmailVerifyLink.
var supertokens = provider{
	name: "supertokens",
	shapes: []shape{
		{path: "/auth/verify-email", query: "token tenantId",
			kind: KindVerify, recipe: RecipeSuperTokens},
		{path: "/auth/verify-email", query: "token rid",
			kind: KindVerify, recipe: RecipeSuperTokens},
		{path: "/auth/reset-password", query: "token", kind: KindReset, recipe: RecipeUser},
		{path: "/auth/verify", query: "preAuthSessionId", kind: KindLogin, recipe: RecipeUser},
	},
	footers: []string{"supertokens"},
	recipe:  recipe{name: RecipeSuperTokens, redeemer: supertokensRecipe{}},
}

// RecipeSuperTokens is a POST of user/email/verify with the token.
const RecipeSuperTokens = "supertokens"

// supertokensRecipe calls "verify an email".
type supertokensRecipe struct{}

func (supertokensRecipe) start(k *click) (request, bool) {
	query := k.link.Query()
	path := "/user/email/verify"
	if tenant := query.Get("tenantId"); tenant != "" && tenant != "public" {
		path = "/" + url.PathEscape(tenant) + path
	}
	token := query.Get("token")
	body := map[string]string{"method": "token", "token": token}
	k.take = func(a response) request { return k.said(a, supertokensOutcome(a)) }
	r, ok := k.call(k.Rule, cmp.Or(k.Rule.API, originOf(k.link)+"/auth")+path, body, token)
	r.header = http.Header{"Rid": {"emailverification"}}
	return r, ok
}

func supertokensOutcome(a response) Outcome {
	f := readFields(a)
	switch status := f.text("status"); {
	case f.good && status == "OK":
		return OutcomeConfirmed
	case status == "EMAIL_VERIFICATION_INVALID_TOKEN_ERROR":
		return OutcomeRefused
	}
	return OutcomeUnknown
}

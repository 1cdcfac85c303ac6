package linkclick

import (
	"cmp"
	"net/http"
	"net/url"
)

// jhipster is JHipster, which makes applications of Spring Boot. The page of its link is a script,
// and we call the API that it calls.
//
// Sources: jhipster/generator-jhipster 8, templates/mail, activationEmail.html, creationEmail.html
// and passwordResetEmail.html, and web/rest/AccountResource.java.
var jhipster = provider{
	name: "jhipster",
	shapes: []shape{
		{path: "/account/activate", query: "key", kind: KindVerify, recipe: RecipeJHipster},
		{path: "/account/reset/finish", query: "key", kind: KindReset, recipe: RecipeUser},
	},
	recipe: recipe{name: RecipeJHipster, redeemer: jhipsterRecipe{}},
}

// RecipeJHipster is a GET of /api/activate with the key.
const RecipeJHipster = "jhipster"

// jhipsterRecipe calls "activate the registered user".
type jhipsterRecipe struct{}

func (jhipsterRecipe) start(k *click) (request, bool) {
	key := k.link.Query().Get("key")
	api := cmp.Or(k.Rule.API, originOf(k.link)+"/api")
	to, why := k.Rule.judge(api + "/activate?key=" + url.QueryEscape(key))
	k.take = func(a response) request { return k.said(a, jhipsterOutcome(a)) }
	return request{to: to, api: true}, key != "" && why == ""
}

// jhipsterOutcome reads the response. Success is an empty body. A page would be that of the
// application's script, which answers every path that the API does not know. The key of an account
// that is active is gone, and so is unknown.
func jhipsterOutcome(a response) Outcome {
	switch {
	case a.status == http.StatusOK && a.whole && a.body == "":
		return OutcomeConfirmed
	case a.isJSON && a.status == http.StatusInternalServerError,
		a.isJSON && a.status == http.StatusBadRequest:
		return OutcomeRefused
	}
	return OutcomeUnknown
}

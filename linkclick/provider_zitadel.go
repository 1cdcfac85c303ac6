package linkclick

import (
	"cmp"
	"net/http"
	"net/url"
)

// zitadel is ZITADEL. A link of its first login takes one GET. A code that was used is found no
// more, and any other that does not count is invalid; both pages ask for a code, too. A link of its
// second login shows a page that needs its script; the API redeems the code instead, for a service
// user's token.
//
// Sources: zitadel internal/api/ui/login, its static/i18n and apps/login;
// internal/command/user_human_email.go, VerifyHumanEmail; zitadel.com/docs/apis, user service v2.
var zitadel = provider{
	name:    "zitadel",
	letters: 6,
	shapes: []shape{
		{path: "/ui/login/mail/verification", query: "userID code",
			kind: KindVerify, recipe: RecipeGet},
		{path: "/ui/login/password/init", query: "userID code",
			kind: KindReset, recipe: RecipeUser},
		{path: "/ui/login/user/init", query: "userID code", kind: KindInvite, recipe: RecipeUser},
		{path: "/ui/v2/login/verify", query: "userId code invite=true",
			kind: KindInvite, recipe: RecipeUser},
		{path: "/ui/v2/login/verify", query: "userId code",
			kind: KindVerify, recipe: RecipeZitadel},
		{path: "/ui/v2/login/password/set", query: "userId code",
			kind: KindReset, recipe: RecipeUser},
	},
	footers: []string{"zitadel"},
	recipe: recipe{
		name: RecipeZitadel, redeemer: zitadelRecipe{}, needs: needsToken, instead: RecipeScript,
	},
	phrases: map[Outcome][]string{
		OutcomeUsed:    {"could not find code"},
		OutcomeExpired: {"code is expired"},
		OutcomeRefused: {"code is invalid"},
	},
}

// RecipeZitadel is a POST of email/verify with the code; it needs [Rule].Token.
const RecipeZitadel = "zitadel"

// zitadelRecipe calls "verify the email" of the user service.
type zitadelRecipe struct{}

func (zitadelRecipe) start(k *click) (request, bool) {
	query := k.link.Query()
	user, code := query.Get("userId"), query.Get("code")
	base := cmp.Or(k.Rule.API, originOf(k.link))
	to := base + "/v2/users/" + url.PathEscape(user) + "/email/verify"
	k.take = func(a response) request { return k.said(a, zitadelOutcome(a)) }
	body := map[string]string{"verificationCode": code}
	r, ok := k.call(k.Rule, to, body, user, code, k.Rule.Token)
	r.header = http.Header{"Authorization": {"Bearer " + k.Rule.Token}}
	return r, ok
}

func zitadelOutcome(a response) Outcome {
	f := readFields(a)
	switch {
	case f.good && f.at("details") != nil:
		return OutcomeConfirmed
	case a.status == http.StatusBadRequest, a.status == http.StatusNotFound:
		if said := judgeWords(f.words(), false); said != OutcomeUnknown {
			return said
		}
		return OutcomeRefused
	}
	return OutcomeUnknown
}

package linkclick

import (
	"cmp"
	"net/http"
	"regexp"
	"strings"
)

// pocketbase is PocketBase. The token of its link is in the fragment and names the collection of
// the user. The page is a script, and we call the API that it calls.
//
// Sources: pocketbase.io/docs/authentication; pocketbase.io/docs/api-records.
var pocketbase = provider{
	name: "pocketbase",
	shapes: []shape{
		{path: "/#/auth/confirm-verification/{id}", kind: KindVerify, recipe: RecipePocketBase},
		{path: "/#/auth/confirm-password-reset/{id}", kind: KindReset, recipe: RecipeUser},
		{path: "/#/auth/confirm-email-change/{id}", kind: KindChange, recipe: RecipeUser},
	},
	recipe: recipe{name: RecipePocketBase, redeemer: pocketbaseRecipe{}},
}

// RecipePocketBase is a POST of confirm-verification with the token.
const RecipePocketBase = "pocketbase"

// collectionName is what a collection of PocketBase may be called.
var collectionName = regexp.MustCompile(`^[A-Za-z0-9_]{1,64}$`)

// pocketbaseRecipe calls "confirm verification".
type pocketbaseRecipe struct{}

func (pocketbaseRecipe) start(k *click) (request, bool) {
	token := k.link.Fragment[strings.LastIndexByte(k.link.Fragment, '/')+1:]
	collection, _ := payloadOf(token)["collectionId"].(string)
	if !collectionName.MatchString(collection) {
		return request{}, false
	}
	folder, _, _ := strings.Cut(k.link.EscapedPath(), "/_/")
	api := cmp.Or(k.Rule.API, originOf(k.link)+strings.TrimSuffix(folder, "/")+"/api")
	to := api + "/collections/" + collection + "/confirm-verification"
	k.take = func(a response) request { return k.said(a, pocketbaseOutcome(a.status)) }
	return k.call(k.Rule, to, map[string]string{"token": token}, token)
}

func pocketbaseOutcome(status int) Outcome {
	switch status {
	case http.StatusNoContent:
		return OutcomeConfirmed
	case http.StatusBadRequest, http.StatusNotFound:
		return OutcomeRefused
	}
	return OutcomeUnknown
}

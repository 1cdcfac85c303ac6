package linkclick

import (
	"cmp"
	"net/url"
	"strings"
)

// firebase is Firebase Authentication, also called Identity Platform. Its link may have any path,
// since a project may have a page of its own. That page is a script, and we call the API that it
// calls.
//
// Sources: firebase.google.com/docs/auth/custom-email-handler;
// firebase/firebase-js-sdk, packages/auth/src/core/action_code_url.ts (the modes);
// firebase/firebase-tools, src/emulator/auth/operations.ts (a code that was used is deleted);
// cloud.google.com/identity-platform/docs/reference/rest/v1/accounts/update.
var firebase = provider{
	name: "firebase",
	shapes: []shape{
		{query: "mode=verifyEmail oobCode", kind: KindVerify, recipe: RecipeFirebase},
		{query: "mode=resetPassword oobCode", kind: KindReset, recipe: RecipeUser},
		{query: "mode=signIn oobCode", kind: KindLogin, recipe: RecipeUser},
		{query: "mode=recoverEmail oobCode", kind: KindChange, recipe: RecipeUser},
		{query: "mode=verifyAndChangeEmail oobCode", kind: KindChange, recipe: RecipeUser},
		{query: "mode=revertSecondFactorAddition oobCode", kind: KindChange, recipe: RecipeUser},
	},
	senders: []string{"firebaseapp.com"},
	recipe:  recipe{name: RecipeFirebase, redeemer: firebaseRecipe{}},
}

// RecipeFirebase is a POST of accounts:update with the oobCode.
const RecipeFirebase = "firebase"

// Google's own place for Identity Toolkit, which serves every Firebase project.
const (
	firebaseHost = "identitytoolkit.googleapis.com"
	firebaseAPI  = "https://" + firebaseHost + "/v1"
)

// firebaseRecipe calls accounts:update.
type firebaseRecipe struct{}

func (firebaseRecipe) start(k *click) (request, bool) {
	query := k.link.Query()
	key, code := query.Get("apiKey"), query.Get("oobCode")
	body := map[string]string{"oobCode": code}
	if tenant := query.Get("tenantId"); tenant != "" {
		body["tenantId"] = tenant
	}
	rule, base := k.Rule, cmp.Or(k.Rule.API, firebaseAPI)
	if base == firebaseAPI {
		rule.Hosts = []string{firebaseHost}
	}
	k.take = func(a response) request { return k.said(a, firebaseOutcome(a)) }
	return k.call(rule, base+"/accounts:update?key="+url.QueryEscape(key), body, key, code)
}

func firebaseOutcome(a response) Outcome {
	f := readFields(a)
	said := f.text("error", "message")
	name, _, _ := strings.Cut(said, " ") // an explanation may follow
	switch {
	case f.good && f.at("emailVerified") == true:
		return OutcomeConfirmed
	case name == "EXPIRED_OOB_CODE", said == "INVALID_OOB_CODE":
		// Google says the latter of a code that was used, too, and forgets which ones were. After our
		// own click that was interrupted it proves no success: so it is not OutcomeUsed.
		return OutcomeExpired
	case name == "INVALID_OOB_CODE", name == "USER_DISABLED", name == "USER_NOT_FOUND",
		name == "EMAIL_NOT_FOUND":
		return OutcomeRefused
	}
	return OutcomeUnknown
}

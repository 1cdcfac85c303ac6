package linkclick

import (
	"cmp"
	"encoding/json"
	"net/http"
	"net/url"
	"regexp"
	"strings"
)

// This file redeems the links whose page is a script that calls an API: it
// makes the call that the script would make. Flows of several calls are in
// flow.go.

// start returns the first request of the recipe, and sets what takes its
// answer; ok is false if the link lacks what the recipe needs.
func (k *click) start() (first request, ok bool) {
	query := k.link.Query()
	switch k.recipe {
	case RecipeFirebase:
		return k.startFirebase(query)
	case RecipeSuperTokens:
		return k.startSuperTokens(query)
	case RecipePocketBase:
		return k.startPocketBase()
	case RecipeSupabase:
		k.take = k.takeSupabase
		kind := cmp.Or(query.Get("type"), "email")
		return k.call(k.Rule.API, "/verify", map[string]string{"type": kind, "token_hash": query.Get("token_hash")}, query.Get("token_hash"))
	case RecipeZitadel:
		return k.startZitadel(query)
	case RecipeKratos:
		return k.startKratos(query)
	case RecipeAuthentik:
		return k.startAuthentik()
	}
	return request{to: k.link}, true
}

// call returns the POST of a JSON object to an API; ok is false if one of the
// secrets it takes from the link is missing, or if the rule forbids the place.
func (k *click) call(base, path string, body map[string]string, secrets ...string) (r request, ok bool) {
	for _, s := range secrets {
		if s == "" {
			return request{}, false
		}
	}
	rule := k.Rule
	if base == firebaseAPI {
		rule.Hosts = []string{firebaseHost}
	}
	to, why := rule.judge(base + path)
	raw, err := json.Marshal(body)
	if why != "" || err != nil {
		return request{}, false
	}
	return request{to: to, json: raw, api: true}, true
}

// said ends a click by what an API answered.
func (k *click) said(a answer, outcome Outcome) request {
	switch {
	case outcome != OutcomeUnknown:
		return k.end(outcome, ReasonAPI)
	case a.isRedirect():
		return k.end(OutcomeUnknown, ReasonBadRedirect)
	case a.status >= 500:
		return k.end(OutcomeUnknown, ReasonServerError)
	}
	return k.end(OutcomeUnknown, ReasonNothingClear)
}

// Google's own place for Identity Toolkit, which serves every Firebase project.
const (
	firebaseHost = "identitytoolkit.googleapis.com"
	firebaseAPI  = "https://" + firebaseHost + "/v1"
)

// startFirebase calls accounts:update
// (cloud.google.com/identity-platform/docs/reference/rest/v1/accounts/update).
func (k *click) startFirebase(query url.Values) (request, bool) {
	k.take = k.takeFirebase
	body := map[string]string{"oobCode": query.Get("oobCode")}
	if tenant := query.Get("tenantId"); tenant != "" {
		body["tenantId"] = tenant
	}
	key := query.Get("apiKey")
	return k.call(cmp.Or(k.Rule.API, firebaseAPI), "/accounts:update?key="+url.QueryEscape(key), body, key, body["oobCode"])
}

func (k *click) takeFirebase(a answer) request {
	f := readFields(a)
	name, _, _ := strings.Cut(f.text("error", "message"), " ") // an explanation may follow
	switch {
	case f.good && f.at("emailVerified") == true:
		return k.said(a, OutcomeConfirmed)
	case name == "EXPIRED_OOB_CODE":
		return k.said(a, OutcomeExpired)
	case name == "INVALID_OOB_CODE", name == "USER_DISABLED", name == "USER_NOT_FOUND", name == "EMAIL_NOT_FOUND":
		return k.said(a, OutcomeRefused)
	}
	return k.said(a, OutcomeUnknown)
}

// startSuperTokens calls "verify an email" of the frontend driver interface
// (supertokens.com/docs, FDI, emailverification recipe).
func (k *click) startSuperTokens(query url.Values) (request, bool) {
	k.take = func(a answer) request {
		f := readFields(a)
		switch status := f.text("status"); {
		case f.good && status == "OK":
			return k.said(a, OutcomeConfirmed)
		case status == "EMAIL_VERIFICATION_INVALID_TOKEN_ERROR":
			return k.said(a, OutcomeRefused)
		}
		return k.said(a, OutcomeUnknown)
	}
	path := "/user/email/verify"
	if tenant := query.Get("tenantId"); tenant != "" && tenant != "public" {
		path = "/" + url.PathEscape(tenant) + path
	}
	r, ok := k.call(cmp.Or(k.Rule.API, originOf(k.link)+"/auth"), path, map[string]string{"method": "token", "token": query.Get("token")}, query.Get("token"))
	r.header = http.Header{"Rid": {"emailverification"}}
	return r, ok
}

// collectionName is what a collection of PocketBase may be called.
var collectionName = regexp.MustCompile(`^[A-Za-z0-9_]{1,64}$`)

// startPocketBase calls "confirm verification"
// (pocketbase.io/docs/api-records). The token, which is in the fragment, names
// the collection.
func (k *click) startPocketBase() (request, bool) {
	k.take = func(a answer) request {
		switch a.status {
		case http.StatusNoContent:
			return k.said(a, OutcomeConfirmed)
		case http.StatusBadRequest, http.StatusNotFound:
			return k.said(a, OutcomeRefused)
		}
		return k.said(a, OutcomeUnknown)
	}
	token := k.link.Fragment[strings.LastIndexByte(k.link.Fragment, '/')+1:]
	collection, _ := payloadOf(token)["collectionId"].(string)
	if !collectionName.MatchString(collection) {
		return request{}, false
	}
	folder, _, _ := strings.Cut(k.link.EscapedPath(), "/_/")
	api := cmp.Or(k.Rule.API, originOf(k.link)+strings.TrimSuffix(folder, "/")+"/api")
	return k.call(api, "/collections/"+collection+"/confirm-verification", map[string]string{"token": token}, token)
}

// takeSupabase reads the answer of GoTrue's POST /verify: a session, of which
// nothing is kept, or an error (supabase/auth openapi.yaml).
func (k *click) takeSupabase(a answer) request {
	f := readFields(a)
	switch {
	case f.good && (f.text("access_token") != "" || f.at("user") != nil):
		return k.said(a, OutcomeConfirmed)
	case f.text("error_code") == "otp_expired": // used, too old or wrong: it does not tell
		return k.said(a, OutcomeExpired)
	case a.status == http.StatusBadRequest, a.status == http.StatusForbidden, a.status == http.StatusUnprocessableEntity:
		return k.said(a, OutcomeRefused)
	}
	return k.said(a, OutcomeUnknown)
}

// startZitadel calls "verify the email" of the user service
// (zitadel.com/docs/apis, user service v2), which wants a service user's token.
func (k *click) startZitadel(query url.Values) (request, bool) {
	k.take = func(a answer) request {
		f := readFields(a)
		switch {
		case f.good && f.at("details") != nil:
			return k.said(a, OutcomeConfirmed)
		case a.status == http.StatusBadRequest, a.status == http.StatusNotFound:
			if said := judgeWords(f.words(), false); said != OutcomeUnknown {
				return k.said(a, said)
			}
			return k.said(a, OutcomeRefused)
		}
		return k.said(a, OutcomeUnknown)
	}
	user, code := query.Get("userId"), query.Get("code")
	r, ok := k.call(cmp.Or(k.Rule.API, originOf(k.link)), "/v2/users/"+url.PathEscape(user)+"/email/verify",
		map[string]string{"verificationCode": code}, user, code, k.Rule.Token)
	r.header = http.Header{"Authorization": {"Bearer " + k.Rule.Token}}
	return r, ok
}

package linkclick

import (
	"net/url"
	"strings"
)

// betterauth is Better Auth. Its link takes one GET and redirects to the callbackURL, with an
// error parameter if it failed. Without a callbackURL it responds with JSON.
//
// Sources: better-auth.com/docs/concepts/email and plugins/magic-link; better-auth
// api/routes/email-verification.ts.
var betterauth = provider{
	name: "betterauth",
	shapes: []shape{
		{path: "/verify-email", query: "token callbackURL", kind: KindVerify, recipe: RecipeGet},
		{path: "/magic-link/verify", query: "token", kind: KindLogin, recipe: RecipeUser},
		{path: "/reset-password/{id}", query: "callbackURL", kind: KindReset, recipe: RecipeUser},
	},
	tell: updateKind,
	verdicts: []verdict{
		// Other providers redirect with these names too, so they count on every link.
		{turn: turnWhy, name: "error", value: "token_expired", outcome: OutcomeExpired},
		{turn: turnFailed, name: "error", value: "invalid_token", outcome: OutcomeRefused},
		{turn: turnFailed, name: "error", value: "user_not_found", outcome: OutcomeRefused},
		{turn: turnError, name: "error", value: "*", outcome: OutcomeRefused, own: true},
	},
	proves: leadsToCallback,
	truth:  "status",
}

// updateKind finds the link that changes an address: its token, a JWT, names the new one.
func updateKind(kind Kind, _ string, query url.Values) Kind {
	if payloadOf(query.Get("token"))["updateTo"] != nil {
		return KindChange
	}
	return kind
}

// leadsToCallback reports whether a redirect leads to the callbackURL of the link.
func leadsToCallback(link *url.URL, a response, to *url.URL) bool {
	back, err := a.to.Parse(link.Query().Get("callbackURL"))
	if err != nil || !sameOrigin(back, to) {
		return false
	}
	return strings.TrimSuffix(back.Path, "/") == strings.TrimSuffix(to.Path, "/")
}

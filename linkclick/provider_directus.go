package linkclick

import (
	"net/http"
	"net/url"
	"strings"
)

// directus is Directus. Its verification link is one of its API: a GET verifies and leads to the
// page of the new user. Every failure is JSON: an old token has status 401, and one of an account
// that waits for nothing 400. Without a token it leads to the sign-in page. Its tokens are JWTs
// with a scope, which must be that of the path.
//
// Sources: directus/directus 11 to 12, api/src/controllers/users.ts (register/verify-email),
// api/src/services/users.ts (registerUser, verifyRegistration, inviteUrl, requestPasswordReset),
// api/src/utils/jwt.ts and packages/errors/src/errors (token-expired, invalid-token).
var directus = provider{
	name: "directus",
	shapes: []shape{
		{path: "/users/register/verify-email", query: "token",
			kind: KindVerify, recipe: RecipeGet},
		{path: "/admin/reset-password", query: "token", kind: KindReset, recipe: RecipeUser},
		{path: "/admin/accept-invite", query: "token", kind: KindInvite, recipe: RecipeUser},
	},
	tell:   scopeKind,
	proves: leadsToUser,
}

// directusScopes are the scopes of the tokens, by kind.
var directusScopes = map[Kind]string{
	KindVerify: "pending-registration", KindReset: "password-reset", KindInvite: "invite",
}

// scopeKind returns a kind that is never used if the token is for something else than the path.
func scopeKind(kind Kind, _ string, query url.Values) Kind {
	scope, named := payloadOf(query.Get("token"))["scope"]
	if named && scope != directusScopes[kind] {
		return KindInvite
	}
	return kind
}

// leadsToUser reports whether the API leads to the page of a user, on its own host. Every failure
// is JSON, or leads to the sign-in page.
func leadsToUser(link *url.URL, a response, to *url.URL) bool {
	_, user, found := strings.Cut(to.Path, "/admin/users/")
	return a.status == http.StatusFound && sameOrigin(link, to) && found &&
		fitsSegment("{uuid}", user)
}

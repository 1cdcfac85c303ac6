package linkclick

import (
	"net/http"
	"net/url"
)

// strapi is Strapi's plug-in for users. Its confirmation link is one of its API. A GET confirms and
// leads to an address that the operator chose; every failure is JSON with status 400.
//
// Sources: strapi/strapi 4 and 5, packages/plugins/users-permissions/server, controllers/auth.js
// (emailConfirmation) and bootstrap/index.js.
var strapi = provider{
	name: "strapi",
	shapes: []shape{
		{path: "/auth/email-confirmation", query: "confirmation",
			kind: KindVerify, recipe: RecipeGet},
		{path: "/reset-password", query: "code", kind: KindReset, recipe: RecipeUser},
	},
	proves: leadsOn,
}

// leadsOn reports whether the API redirects as after a confirmation. It adds nothing to the address
// that it leads to. A wall for signing in, in front of the API, brings the visitor's way back with
// it.
func leadsOn(_ *url.URL, a response, to *url.URL) bool {
	return a.status == http.StatusFound && to.RawQuery == "" && to.Fragment == ""
}

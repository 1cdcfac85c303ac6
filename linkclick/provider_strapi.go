package linkclick

import (
	"html"
	"net/http"
	"net/url"
	"slices"
)

// strapi is Strapi's plug-in for users. Its confirmation link is one of its API. A GET confirms and
// leads to an address that the operator chose; every failure is JSON with status 400.
//
// Sources: strapi/strapi 4 and 5, packages/plugins/users-permissions/server, controllers/auth.js
// (emailConfirmation) and bootstrap/index.js; admin/src/pages/AdvancedSettings/utils/schema.js.
// koajs/koa 2 and 3, lib/response.js (redirect).
var strapi = provider{
	name: "strapi",
	shapes: []shape{
		{path: "/auth/email-confirmation", query: "confirmation",
			kind: KindVerify, recipe: RecipeGet},
		{path: "/reset-password", query: "code", kind: KindReset, recipe: RecipeUser},
	},
	proves:     leadsOn,
	provesBody: true,
}

// leadsOn reports whether the API redirects as after a confirmation. It leads to the address that
// the operator set, which Strapi's settings take only with a scheme, or to "/" when none is set. It
// adds nothing to that.
//
// A proxy in front of Strapi redirects too: to a page for signing in or for maintenance. Its
// redirect confirms nothing, and may have no query either. So the body must be the one that Koa
// writes, on which Strapi stands.
func leadsOn(_ *url.URL, a response, to *url.URL) bool {
	set, err := url.Parse(a.location)
	return err == nil && (set.IsAbs() || a.location == "/") && a.status == http.StatusFound &&
		to.RawQuery == "" && to.Fragment == "" && koaLeads(a.body, a.location)
}

// koaLeads reports whether a body is what Koa writes beside a redirect to an address: up to version
// 2.15 with an anchor, and since then without.
func koaLeads(body, to string) bool {
	return slices.Contains([]string{
		"Redirecting to " + to + ".",
		`Redirecting to <a href="` + to + `">` + to + "</a>.",
	}, html.UnescapeString(body))
}

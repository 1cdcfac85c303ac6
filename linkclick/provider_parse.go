package linkclick

import (
	"net/url"
	"strings"
)

// parse is Parse Server. Its links name their purpose in the path. A GET verifies and shows a page,
// or leads to one whose name is the outcome.
//
// Sources: parse-community/parse-server 7 and 8, src/Routers/PagesRouter.js,
// src/Routers/PublicAPIRouter.js, src/Controllers/UserController.js and public/*.html.
var parse = provider{
	name: "parse",
	shapes: []shape{
		{path: "/apps/*/verify_email", query: "token", kind: KindVerify, recipe: RecipeGet},
		{path: "/apps/*/request_password_reset", query: "token",
			kind: KindReset, recipe: RecipeUser},
	},
	phrases: map[Outcome][]string{
		OutcomeExpired: {"expired verification link", "verification link has expired"},
		OutcomeRefused: {"invalid verification link!"},
	},
	proves: leadsToSuccess,
}

// leadsToSuccess reports whether the server leads to its own page of success.
func leadsToSuccess(link *url.URL, _ response, to *url.URL) bool {
	page := to.Path[strings.LastIndexByte(to.Path, '/')+1:]
	return sameOrigin(link, to) &&
		(page == "verify_email_success.html" || page == "email_verification_success.html")
}

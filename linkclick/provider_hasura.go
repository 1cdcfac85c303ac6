package linkclick

// hasura is hasura-auth, the identity provider of Nhost. Its link takes one GET and redirects to
// the site with a refreshToken or an error.
//
// Sources: nhost/hasura-auth email-templates and its redirect errors.
var hasura = provider{
	name: "hasura",
	shapes: []shape{
		{path: "/verify", query: "ticket type=emailVerify", kind: KindVerify, recipe: RecipeGet},
		{path: "/verify", query: "ticket type=passwordReset", kind: KindReset, recipe: RecipeUser},
		{path: "/verify", query: "ticket type=signinPasswordless",
			kind: KindLogin, recipe: RecipeUser},
		{path: "/verify", query: "ticket type=emailConfirmChange",
			kind: KindChange, recipe: RecipeUser},
	},
	footers: []string{"nhost"},
	back:    "redirectTo",
	verdicts: []verdict{
		{turn: turnError, name: "error", value: "*", outcome: OutcomeRefused, own: true},
		{turn: turnSuccess, name: "refreshToken", value: "*", outcome: OutcomeConfirmed, own: true},
	},
}

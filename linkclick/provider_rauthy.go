package linkclick

// rauthy is Rauthy. Its sign-up mail carries the link of a password reset, which verifies the
// address too; so there is no link that only verifies.
//
// Source: sebadob/rauthy templates/email.
var rauthy = provider{
	name: "rauthy",
	shapes: []shape{
		{path: "/users/*/reset/{id}", kind: KindReset, recipe: RecipeUser},
		{path: "/users/*/email_confirm/{id}", kind: KindChange, recipe: RecipeUser},
	},
	footers: []string{"rauthy"},
}

package linkclick

// okta is Okta. Its verification link takes one GET; its other links want a password.
//
// Source: developer.okta.com/docs, "Customize email templates".
var okta = provider{
	name: "okta",
	shapes: []shape{
		// FusionAuth's link has this path without the token.
		{path: "/email/verify/{id}", query: "token", kind: KindVerify, recipe: RecipeGet},
		{path: "/signin/reset-password/{id}", kind: KindReset, recipe: RecipeUser},
		{path: "/welcome/{id}", kind: KindInvite, recipe: RecipeUser},
	},
	senders: []string{"okta.com"},
}

package linkclick

// okta is Okta. A sign-up and a sign-in have the same link, and a GET lets the browser that asked
// go on. So the shape tells no kind. The mail has a code beside it, which the person types where
// they asked. Its other links want a password.
//
// Sources: okta/okta-developer-docs, "Okta email (magic link/OTP) integration guide", challenge and
// enrollment; developer.okta.com/docs, "Customize email templates".
var okta = provider{
	name: "okta",
	shapes: []shape{
		// FusionAuth's link has this path without the token.
		{path: "/email/verify/{id}", query: "token", recipe: RecipeGet},
		{path: "/signin/reset-password/{id}", kind: KindReset, recipe: RecipeUser},
		{path: "/welcome/{id}", kind: KindInvite, recipe: RecipeUser},
	},
	senders: []string{"okta.com"},
}

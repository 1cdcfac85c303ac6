package linkclick

// discourse is Discourse. The page of its activation link is a script, which asks the person to
// press a button and answers a challenge. So the person opens the link.
//
// Sources: discourse/discourse 3.4, config/routes.rb, config/locales/server.en.yml
// (user_notifications) and app/controllers/users_controller.rb (perform_account_activation).
var discourse = provider{
	name: "discourse",
	shapes: []shape{
		{path: "/u/activate-account/{hex}", kind: KindVerify, recipe: RecipeScript},
		{path: "/u/password-reset/{hex}", kind: KindReset, recipe: RecipeUser},
		{path: "/session/email-login/{hex}", kind: KindLogin, recipe: RecipeUser},
		{path: "/u/confirm-new-email/{hex}", kind: KindChange, recipe: RecipeUser},
		{path: "/u/confirm-old-email/{hex}", kind: KindChange, recipe: RecipeUser},
		{path: "/u/confirm-admin/{hex}", kind: KindChange, recipe: RecipeUser},
		{path: "/invites/{id}", kind: KindInvite, recipe: RecipeUser},
	},
}

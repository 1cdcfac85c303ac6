package linkclick

// discourse is Discourse. The page of its activation link is a script. It asks the person to press
// a button, fetches a challenge and answers it in a PUT. A GET activates nothing. So the person
// opens the link. An invitation has a key of 32 hexadecimal digits, or, since 2.7, one of 10
// letters and digits beside a token.
//
// Sources: discourse/discourse 2.6 to 3.4, config/routes.rb, config/locales/server.en.yml
// (user_notifications), app/controllers/users_controller.rb (activate_account,
// perform_account_activation), app/models/email_token.rb (32 hexadecimal digits) and
// app/models/invite.rb (link).
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
		{path: "/invites/*", query: "t", kind: KindInvite, recipe: RecipeUser},
	},
}

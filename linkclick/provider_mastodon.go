package linkclick

// mastodon is Mastodon. Its accounts are Devise's, below /auth. A link for a change of address
// looks like that of a sign-up and proves the same.
//
// Sources: mastodon/mastodon 4.3, config/routes.rb,
// app/views/user_mailer/confirmation_instructions.text.erb and
// reset_password_instructions.text.erb.
var mastodon = provider{
	name: "mastodon",
	shapes: []shape{
		{path: "/auth/confirmation", query: "confirmation_token",
			kind: KindVerify, recipe: RecipeGet},
		{path: "/auth/password/edit", query: "reset_password_token",
			kind: KindReset, recipe: RecipeUser},
	},
}

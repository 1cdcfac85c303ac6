package linkclick

// gitlab is GitLab. Its accounts are Devise's, below /users, and known as such: a GET on the
// confirmation link confirms, signs a new person in, and leads to a page with Devise's sentence.
// Here are the links that only GitLab has: that of a second address of an account that exists, and
// invitations.
//
// Sources: gitlabhq/gitlabhq 13 to 17, config/routes/user.rb, config/routes/profile.rb (emails),
// app/controllers/confirmations_controller.rb (after_confirmation_path_for),
// app/views/devise/mailer/_confirmation_instructions_account.html.haml and
// _confirmation_instructions_secondary.html.haml;
// app/views/notify/member_invited_email.html.haml.
var gitlab = provider{
	name: "gitlab",
	shapes: []shape{
		{path: "/profile/emails/confirmation", query: "confirmation_token",
			kind: KindChange, recipe: RecipeUser},
		{path: "/-/invites/{id}", kind: KindInvite, recipe: RecipeUser},
	},
}

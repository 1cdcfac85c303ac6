package linkclick

// gitlab is GitLab. Its accounts are Devise's, below /users, and known as such. Here are the links
// that only GitLab has: that of a second address of an account that exists, and invitations.
//
// Sources: gitlab-org/gitlab 17, config/routes/user.rb, config/routes/profile.rb and
// app/views/devise/mailer/_confirmation_instructions_secondary.html.haml;
// app/views/notify/member_invited_email.html.haml.
var gitlab = provider{
	name: "gitlab",
	shapes: []shape{
		{path: "/profile/emails/confirmation", query: "confirmation_token",
			kind: KindChange, recipe: RecipeUser},
		{path: "/-/invites/{id}", kind: KindInvite, recipe: RecipeUser},
	},
}

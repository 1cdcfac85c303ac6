package linkclick

// mattermost is Mattermost. The link that verifies a new account is like the link that changes the
// address of an account, in path and parameters. Only the words of mails in fifteen languages tell
// them apart. So the shape tells no kind: the link is held, unless the operator allows its path.
// The page of the link is a script.
//
// Source: mattermost/mattermost 10, server/channels/app/email/email.go, SendVerifyEmail,
// SendEmailChangeVerifyEmail, SendPasswordResetEmail and SendInviteEmails.
var mattermost = provider{
	name: "mattermost",
	shapes: []shape{
		{path: "/do_verify_email", query: "token email", recipe: RecipeScript},
		{path: "/reset_password_complete", query: "token", kind: KindReset, recipe: RecipeUser},
		{path: "/signup_user_complete", query: "d t", kind: KindInvite, recipe: RecipeUser},
	},
}

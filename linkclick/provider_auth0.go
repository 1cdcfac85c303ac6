package linkclick

// auth0 is Auth0. A link of its older login takes one GET. A link of Universal Login shows a form
// that a script submits. Both end with a redirect to the tenant's address, which has success and
// message, or with a page that has the same words.
//
// Sources: auth0.com/docs/customize/email/email-templates, "Redirect To"; auth0.com/docs,
// "Passwordless with magic links", "Invite members", and customize-text-elements,
// "email-verification-result".
var auth0 = provider{
	name: "auth0",
	shapes: []shape{
		{path: "/u/email-verification", query: "ticket", kind: KindVerify, recipe: RecipeForm},
		{path: "/lo/verify_email", query: "ticket", kind: KindVerify, recipe: RecipeGet},
		{path: "/lo/verify_email", query: "bewit", kind: KindVerify, recipe: RecipeGet},
		{path: "/u/reset-verify", query: "ticket", kind: KindReset, recipe: RecipeUser},
		// Tenants with the first version of this flow activate by it a password chosen before. The
		// others show a page on which one is chosen, and a GET of that page spends nothing.
		{path: "/lo/reset", query: "ticket", kind: KindReset, recipe: RecipeGet},
		{path: "/passwordless/verify_redirect", query: "verification_code",
			kind: KindLogin, recipe: RecipeUser},
		{query: "invitation organization", kind: KindInvite, recipe: RecipeUser},
	},
	senders: []string{"auth0user.net"},
	// Other providers and sites redirect with success=false too, so it counts on every link.
	verdicts: []verdict{
		{turn: turnFailed, name: "success", value: "false", outcome: OutcomeRefused},
		{turn: turnSuccess, name: "success", value: "true", outcome: OutcomeConfirmed},
		{turn: turnSuccess, name: "code", value: "success", outcome: OutcomeConfirmed},
	},
	phrases: map[Outcome][]string{
		OutcomeUsed:    {"can be used only once"},
		OutcomeExpired: {"access expired"},
		OutcomeRefused: {"user account does not exist", "verification code is invalid"},
		outcomeChanged: {"you can now login to the application"},
	},
	worded: true,
}

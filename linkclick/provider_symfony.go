package linkclick

// symfony is Symfony, with the bundles of SymfonyCasts. Its verification link is signed. A link
// with an id takes one GET by any browser. One without wants the session of the person who signed
// up. Both lead on to a page, which shows the outcome to a browser that brings the cookie.
//
// Sources: symfony/maker-bundle 1.6, templates/registration/RegistrationController.tpl.php and
// templates/resetPassword; SymfonyCasts/verify-email-bundle 1.17, src/VerifyEmailHelper.php;
// SymfonyCasts/reset-password-bundle 1.22, README.md.
var symfony = provider{
	name: "symfony",
	shapes: []shape{
		{path: "/verify/email", query: "expires signature token id",
			kind: KindVerify, recipe: RecipeGet},
		{path: "/verify/email", query: "expires signature token",
			kind: KindVerify, recipe: RecipeUser},
		{path: "/reset-password/reset/{alnum}", kind: KindReset, recipe: RecipeUser},
	},
	phrases: map[Outcome][]string{
		OutcomeExpired: {"the link to verify your email has expired"},
		OutcomeRefused: {
			"the link to verify your email is invalid",
			"the link to verify your email appears to be for a different",
		},
	},
}

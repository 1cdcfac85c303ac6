package linkclick

// nextcloud is Nextcloud. It mails the link of a password reset, also to welcome an account that
// an administrator made. It has no sign-up, so there is no link that only verifies. The link for
// another address of an account wants a session.
//
// Sources: nextcloud/server 30, core/Controller/LostController.php and
// apps/provisioning_api/lib/Controller/VerificationController.php.
var nextcloud = provider{
	name: "nextcloud",
	shapes: []shape{
		{path: "/lostpassword/reset/form/{alnum}/{name}", kind: KindReset, recipe: RecipeUser},
		{path: "/verification/verifyMail/*/*/*", kind: KindChange, recipe: RecipeUser},
	},
}

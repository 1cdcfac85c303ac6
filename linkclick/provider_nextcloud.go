package linkclick

// nextcloud is Nextcloud. It mails the link of a password reset, also to welcome an account that
// an administrator made. It has no sign-up, so there is no link that only verifies. The link for
// another address of an account wants a session.
//
// Sources: nextcloud/server 22 to 31, core/Controller/LostController.php (resetform),
// apps/provisioning_api/appinfo/routes.php (mailVerification),
// apps/provisioning_api/lib/Controller/VerificationController.php,
// lib/private/Accounts/AccountManager.php (sendEmailVerificationEmail),
// lib/private/Security/VerificationToken/VerificationToken.php (21 letters and digits) and
// lib/private/Security/Crypto.php (the key).
var nextcloud = provider{
	name: "nextcloud",
	shapes: []shape{
		{path: "/lostpassword/reset/form/{alnum}/{name}", kind: KindReset, recipe: RecipeUser},
		{path: "/provisioning_api/mailVerification/*/{alnum}/{name}",
			kind: KindChange, recipe: RecipeUser},
	},
}

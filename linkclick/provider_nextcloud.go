package linkclick

// nextcloud is Nextcloud. It mails the link of a password reset, also to welcome an account that
// an administrator made. It has no sign-up of its own. Where the app Registration adds one, the
// mailed link leads to the form where the person chooses a name and a password. The link for
// another address of an account wants a session.
//
// Sources: nextcloud/server 22 to 31, core/Controller/LostController.php (resetform),
// apps/provisioning_api/appinfo/routes.php (mailVerification),
// apps/provisioning_api/lib/Controller/VerificationController.php,
// lib/private/Accounts/AccountManager.php (sendEmailVerificationEmail),
// lib/private/Security/VerificationToken/VerificationToken.php (21 letters and digits) and
// lib/private/Security/Crypto.php (the key); nextcloud/registration 2, appinfo/routes.php,
// lib/Service/MailService.php (sendTokenByMail) and lib/Db/RegistrationMapper.php (a secret of 32
// letters and digits, and a code of 10).
var nextcloud = provider{
	name: "nextcloud",
	shapes: []shape{
		{path: "/apps/registration/register/{alnum}/{name}",
			kind: KindVerify, recipe: RecipeUser},
		{path: "/lostpassword/reset/form/{alnum}/{name}", kind: KindReset, recipe: RecipeUser},
		{path: "/provisioning_api/mailVerification/*/{alnum}/{name}",
			kind: KindChange, recipe: RecipeUser},
	},
}

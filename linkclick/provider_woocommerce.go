package linkclick

// woocommerce is WooCommerce, the shop for WordPress. It resets passwords on a page of its own,
// whose name the operator may translate. Since version 11 a customer may verify the address of an
// account, so that it gets what was bought without one. The link leads to the page of the account,
// wherever that is. It verifies only in the session of the customer, so the person opens it.
//
// Sources: woocommerce/woocommerce 6 to 11, plugins/woocommerce/templates/emails,
// customer-reset-password.php and customer-new-account.php;
// plugins/woocommerce/includes/emails/class-wc-email-customer-new-account.php
// (generate_set_password_url);
// plugins/woocommerce/src/Internal/CustomerEmailVerification, VerificationController.php
// (handle_verify_link) and EmailVerificationService.php (build_verification_url).
var woocommerce = provider{
	name: "woocommerce",
	shapes: []shape{
		{path: "/lost-password", query: "action=newaccount key login",
			kind: KindInvite, recipe: RecipeUser},
		{path: "/lost-password", query: "key id", kind: KindReset, recipe: RecipeUser},
		{path: "/lost-password", query: "key login", kind: KindReset, recipe: RecipeUser},
		{query: "wc_verify_email_key wc_verify_email_user",
			kind: KindVerify, recipe: RecipeUser},
	},
}

package linkclick

// woocommerce is WooCommerce, the shop for WordPress. It resets passwords on a page of its own,
// whose name the operator may translate. Version 11 verifies an address by a code, which the mail
// has without a link.
//
// Sources: woocommerce/woocommerce 6 to 11, plugins/woocommerce/templates/emails,
// customer-reset-password.php and customer-new-account.php;
// plugins/woocommerce/includes/emails/class-wc-email-customer-new-account.php
// (generate_set_password_url);
// plugins/woocommerce/src/Internal/CustomerEmailVerification/VerificationController.php.
var woocommerce = provider{
	name: "woocommerce",
	shapes: []shape{
		{path: "/lost-password", query: "action=newaccount key login",
			kind: KindInvite, recipe: RecipeUser},
		{path: "/lost-password", query: "key id", kind: KindReset, recipe: RecipeUser},
		{path: "/lost-password", query: "key login", kind: KindReset, recipe: RecipeUser},
	},
}

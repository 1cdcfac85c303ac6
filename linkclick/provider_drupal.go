package linkclick

// drupal is Drupal. It mails one link for all: it signs the person in once, for a password to be
// chosen. A new account gets it, too. The link that cancels an account has a path of its own. Where
// the module user_registrationpassword lets people choose a password when they sign up, another
// link activates the account with one GET.
//
// Sources: drupal/drupal 10 and 11, core/modules/user/user.routing.yml and user.module
// (user_pass_reset_url, user_cancel_url); the module's tests for Drupal 8 and 9;
// backdrop-contrib/user_registrationpassword, user_registrationpassword.pages.inc.
var drupal = provider{
	name: "drupal",
	shapes: []shape{
		{path: "/user/registrationpassword/{num}/{num}/{b64}", kind: KindVerify, recipe: RecipeGet},
		{path: "/user/reset/{num}/{num}/{b64}", kind: KindReset, recipe: RecipeUser},
		{path: "/user/reset/{num}/{num}/{b64}/login", kind: KindReset, recipe: RecipeUser},
		{path: "/user/{num}/cancel/confirm/{num}/{b64}", kind: KindChange, recipe: RecipeUser},
	},
}

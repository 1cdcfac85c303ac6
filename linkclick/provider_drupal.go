package linkclick

// drupal is Drupal. It mails one link for all: it signs the person in once, for a password to be
// chosen. A new account gets it, too, so there is no link that only verifies. The link that cancels
// an account has a path of its own.
//
// Sources: drupal/drupal 10 and 11, core/modules/user/user.routing.yml and user.module
// (user_pass_reset_url, user_cancel_url).
var drupal = provider{
	name: "drupal",
	shapes: []shape{
		{path: "/user/reset/{num}/{num}/{b64}", kind: KindReset, recipe: RecipeUser},
		{path: "/user/reset/{num}/{num}/{b64}/login", kind: KindReset, recipe: RecipeUser},
		{path: "/user/{num}/cancel/confirm/{num}/{b64}", kind: KindChange, recipe: RecipeUser},
	},
}

package linkclick

// wordpress is WordPress. Its activation link, which only a network of sites has, shows the person
// a password on the page where it ends. It does so only once, so the person opens it. Requests to
// erase or export data, and to change an address, use the paths of other purposes. They are told by
// their action or parameter. A GET on the link of an invitation takes it up, so it is never opened.
//
// Sources: WordPress/WordPress 6.1, wp-activate.php, wp-login.php, wp-includes/user.php
// (retrieve_password, send_confirmation_on_profile_email, wp_send_user_request),
// wp-includes/pluggable.php (wp_new_user_notification), wp-includes/ms-functions.php
// (wpmu_signup_user_notification, maybe_add_existing_user_to_blog), wp-admin/user-new.php and
// wp-admin/includes/misc.php (update_option_new_admin_email).
var wordpress = provider{
	name: "wordpress",
	shapes: []shape{
		{path: "/wp-activate.php", query: "key", kind: KindVerify, recipe: RecipeUser},
		{path: "/wp-login.php", query: "action=rp key login",
			kind: KindReset, recipe: RecipeUser},
		{path: "/wp-admin/profile.php", query: "newuseremail",
			kind: KindChange, recipe: RecipeUser},
		{path: "/wp-admin/options.php", query: "adminhash",
			kind: KindChange, recipe: RecipeUser},
		{path: "/wp-login.php", query: "action=confirmaction request_id confirm_key",
			kind: KindChange, recipe: RecipeUser},
		{path: "/newbloguser/{alnum}", kind: KindInvite, recipe: RecipeUser},
	},
}

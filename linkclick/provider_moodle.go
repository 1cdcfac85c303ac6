package linkclick

// moodle is Moodle. Its confirmation link takes one GET and ends on a page. Its other links have
// paths of their own.
//
// Sources: moodle/moodle 4.5, login/confirm.php, login/forgot_password.php, user/emailupdate.php
// and lang/en/moodle.php.
var moodle = provider{
	name: "moodle",
	shapes: []shape{
		{path: "/login/confirm.php", query: "data", kind: KindVerify, recipe: RecipeGet},
		{path: "/login/forgot_password.php", query: "token",
			kind: KindReset, recipe: RecipeUser},
		{path: "/user/emailupdate.php", query: "key id", kind: KindChange, recipe: RecipeUser},
	},
	phrases: map[Outcome][]string{
		OutcomeRefused: {"invalid confirmation data"},
	},
}

package linkclick

// moodle is Moodle. Its confirmation link takes one GET and ends on a page. A link that names a
// place to go on to leads there after success, and says nothing; so its end is not known. A failure
// is a page with status 404 in every language. Its other links have paths of their own. A GET on
// the link that unlocks an account unlocks it, so that link is never opened: the lock is there to
// stop a guesser.
//
// Sources: moodle/moodle 3.5 to 5.1, lib/moodlelib.php (send_confirmation_email,
// send_password_change_confirmation_email), login/confirm.php, login/unlock_account.php,
// user/emailupdate.php, lib/outputrenderers.php (fatal_error) and lang/en/moodle.php (confirmed,
// alreadyconfirmed); lang/en/error.php (invalidconfirmdata); the same sentences of the language
// packs of Moodle 4.
var moodle = provider{
	name: "moodle",
	shapes: []shape{
		{path: "/login/confirm.php", query: "data", kind: KindVerify, recipe: RecipeGet},
		{path: "/login/forgot_password.php", query: "token",
			kind: KindReset, recipe: RecipeUser},
		{path: "/user/emailupdate.php", query: "key id", kind: KindChange, recipe: RecipeUser},
		{path: "/login/unlock_account.php", query: "u s", kind: KindChange, recipe: RecipeUser},
	},
	phrases: map[Outcome][]string{
		OutcomeRefused: {"invalid confirmation data"},
		OutcomeConfirmed: {
			"your registration has been confirmed", "registro confirmado", "登録が承認されました",
			"регистрация подтверждена", "реєстрацію підтверджено", "您的注册已经得到确认",
		},
		OutcomeAlready: {"登録はすでに承認されています", "您的注册已经确认了", "تم تأكيد التسجيل بالفعل"},
	},
}

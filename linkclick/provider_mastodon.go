package linkclick

// mastodon is Mastodon. Its accounts are Devise's, below /auth. A link for a change of address
// looks like that of a sign-up and proves the same. An instance with a language of its own
// (DEFAULT_LOCALE) speaks it to everybody, in sentences that are not Devise's.
//
// Sources: mastodon/mastodon 3.4 to 4.3, config/routes.rb, config/locales/devise.*.yml
// (confirmed, already_confirmed),
// app/views/user_mailer/confirmation_instructions.text.erb and
// reset_password_instructions.text.erb.
var mastodon = provider{
	name: "mastodon",
	shapes: []shape{
		{path: "/auth/confirmation", query: "confirmation_token",
			kind: KindVerify, recipe: RecipeGet},
		{path: "/auth/password/edit", query: "reset_password_token",
			kind: KindReset, recipe: RecipeUser},
	},
	phrases: map[Outcome][]string{
		OutcomeConfirmed: {
			"courriel a été validée", "se confirmó exitosamente tu dirección de correo",
			"メールアドレスの確認が正常に完了しました", "eposten din er stadfesta",
			"email został poprawnie zweryfikowan", "epostadress har framgångsfullt bekräftats",
			"sähköpostiosoitteesi vahvistus onnistui", "email của bạn đã được xác thực thành công",
			"已成功确认你的邮箱地址", "已確認你的電郵地址", "您的電子信箱位址已確認成功",
			"email adresse er blevet succesfuldt bekræftet",
			"electrónico foi correctamente confirmado",
		},
		OutcomeAlready: {
			"a déjà été validée, veuillez", "ya se confirmó;", "er allereie stadfesta",
			"já confirmado, por favor", "вже був підтверджений, будь ласка",
			"đã được xác thực, vui lòng đăng nhập", "已经确认成功,请尝试登录", "先前已經確認,請嘗試登入",
			"已經確認,請嘗試登入", "قمت بتأكيده من قبل",
		},
	},
}

package linkclick

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// The link of Mastodon leads to its page for signing in, which says how it ended. In the languages
// of its own sentences only these tell of success, and only after a link of Mastodon.
func TestMastodon(t *testing.T) {
	const link = "/auth/confirmation?confirmation_token=Zk3vQ8mW1xT5nB7yH2cL"
	for text, want := range map[string]Outcome{
		"Your email address has been successfully confirmed.":          OutcomeConfirmed,
		"Votre adresse de courriel a été validée.":                     OutcomeConfirmed,
		"Se confirmó exitosamente tu dirección de correo electrónico.": OutcomeConfirmed,
		"メールアドレスの確認が正常に完了しました。":                                        OutcomeConfirmed,
		"E-posten din er stadfesta.":                                   OutcomeConfirmed,
		"Twój adres e-mail został poprawnie zweryfikowany.":            OutcomeConfirmed,
		"Din e-postadress har framgångsfullt bekräftats.":              OutcomeConfirmed,
		"Sähköpostiosoitteesi vahvistus onnistui.":                     OutcomeConfirmed,
		"Địa chỉ email của bạn đã được xác thực thành công.":           OutcomeConfirmed,
		"已成功确认你的邮箱地址。":                                                 OutcomeConfirmed,
		"已確認你的電郵地址。":                                                   OutcomeConfirmed,
		"您的電子信箱位址已確認成功。":                                               OutcomeConfirmed,
		"Din email adresse er blevet succesfuldt bekræftet.":           OutcomeConfirmed,
		"O seu endereço electrónico foi correctamente confirmado.":     OutcomeConfirmed,
		"Din ordre er blevet succesfuldt bekræftet.":                   OutcomeUnknown,
		"Når din email adresse er blevet succesfuldt bekræftet, vent.": OutcomeUnknown,
		"Se o endereço electrónico foi correctamente confirmado, siga": OutcomeUnknown,
		"O endereço electrónico não foi correctamente confirmado.":     OutcomeUnknown,
		"E-mail ya fue confirmado, por favor intente iniciar sesión":   OutcomeAlready,
		"E-mail a déjà été validée, veuillez essayer":                  OutcomeAlready,
		"E-mail ya se confirmó; por favor, intentá iniciar sesión":     OutcomeAlready,
		"E-mail вже був підтверджений, будь ласка, спробуйте увійти":   OutcomeAlready,
		"E-mail 已经确认成功，请尝试登录":                                          OutcomeAlready,
		"E-mail 已經確認，請嘗試登入":                                            OutcomeAlready,
		"Votre adresse de courriel n’a pas été validée.":               OutcomeUnknown,
		"Quand votre adresse de courriel a été validée, revenez.":      OutcomeUnknown,
		"Votre compte est toujours en cours d’approbation.":            OutcomeUnknown,
		"Vous devez valider votre adresse de courriel pour continuer.": OutcomeUnknown,
		"Votre commande a été validée.":                                OutcomeUnknown,
		"请确认你的邮箱地址。":                                                   OutcomeUnknown,
		"如果已成功确认你的邮箱地址，请登录。":                                           OutcomeUnknown,
		"メールアドレスの確認が正常に完了しましたら、お知らせします。":                               OutcomeUnknown,
		"Sähköpostiosoitteesi vahvistus onnistui?":                     OutcomeUnknown,
	} {
		p, c := serve(t, leadTo("/auth/sign_in", "<p>"+text+"</p>"))
		require.Equal(t, want, open(t, c, p.URL+link).Outcome, text)
	}
	require.Equal(t, OutcomeUnknown, judgeWords("Votre adresse de courriel a été validée.", true))
}

// A page that asks for a captcha has confirmed nothing yet.
func TestMastodonThatAsksForCaptcha(t *testing.T) {
	p, c := serve(t, says(`<h1>Security check</h1><form method="post" action="/auth/captcha">`+
		`<input type="hidden" name="confirmation_token" value="x"><div class="h-captcha"></div>`+
		`<button>Continue</button></form>`))
	r := open(t, c, p.URL+"/auth/confirmation?confirmation_token=Zk3vQ8mW1xT5nB7yH2cL")
	require.Equal(t, OutcomeNeedsUser, r.Outcome)
}

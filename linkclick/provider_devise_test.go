package linkclick

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// deviseSays clicks a link that leads to a line above a form.
func deviseSays(t *testing.T, line, form string) Outcome {
	p, c := serve(t, says("<p>"+line+"</p>"+form))
	return open(t, c, p.URL+"/users/confirmation?confirmation_token=a1b2c3d4e5").Outcome
}

// A Rails application speaks its own language, whatever a click asks for. Devise tells of the end
// above the form that signs in.
func TestDeviseSaysInItsLanguageThatItIsDone(t *testing.T) {
	const form = `<form method="post" action="/users/sign_in"><label>E-mail</label>` +
		`<input type="email" name="e"><input type="password" name="p"><button>OK</button></form>`
	for flash, want := range map[string]Outcome{
		"Vaše e-mailová adresa byla úspěšně potvrzena.": OutcomeConfirmed,
		"Hesabınız başarıyla onaylandı.":                OutcomeConfirmed,
		"تم تأكيد عنوان بريدك الإلكتروني بنجاح.":        OutcomeConfirmed,
		"成功验证您的邮箱。":                                     OutcomeConfirmed,
		"Xác nhận tài khoản thành công!":                OutcomeConfirmed,
		"Contul dvs. a fost confirmat cu succes.":       OutcomeConfirmed,

		"Musíte potvrdit svoji e-mailovou adresu.":  OutcomeNeedsUser,
		"Devam etmeden önce hesabınızı onaylayın.":  OutcomeNeedsUser,
		"تحتاج إلى تأكيد عنوان بريدك قبل المتابعة.": OutcomeNeedsUser,
		"继续操作前请先确认您的帐户。":                            OutcomeNeedsUser,
		"您的帳號需要經過驗證後，才能繼續。":                         OutcomeNeedsUser,
		"Bạn cần phải xác nhận tài khoản.":          OutcomeNeedsUser,
	} {
		require.Equal(t, want, deviseSays(t, flash, form), flash)
	}
}

// Devise refuses a link above the form that asks for another one, in the language of the site too.
// A condition refuses nothing, nor does what such a page says of something else.
func TestDeviseRefusesInItsLanguage(t *testing.T) {
	const form = `<form method="post" action="/users/confirmation">` +
		`<input type="email" name="e"></form>`
	for line, want := range map[string]Outcome{
		"Bestätigungs-Token ist nicht gültig":                  OutcomeRefused,
		"Clé de confirmation du mot de passe n’est pas valide": OutcomeRefused,
		"Confirmation token n'est pas valide":                  OutcomeRefused,
		"Código de confirmación no es válido":                  OutcomeRefused,
		"Token di conferma non è valido":                       OutcomeRefused,
		"Token de confirmação não é válido":                    OutcomeRefused,
		"Código de confirmação é inválido":                     OutcomeRefused,
		"Bevestigingstoken is ongeldig":                        OutcomeRefused,
		"Bekræftelsesnøgle er ikke gyldig":                     OutcomeRefused,
		"Bekreftelseskode er ugyldig":                          OutcomeRefused,
		"Bekräftelse-token har fel format":                     OutcomeRefused,
		"Potvrzovací token není platná hodnota":                OutcomeRefused,
		"Vahvistuskoodi on virheellinen":                       OutcomeRefused,
		"Τεκμήριο επιβεβαίωσης είναι άκυρο":                    OutcomeRefused,
		"Token potwierdzający jest nieprawidłowe":              OutcomeRefused,
		"Cod de confirmare este invalid":                       OutcomeRefused,
		"Токен подтверждения имеет неверное значение":          OutcomeRefused,
		"Код підтвердження недійсний":                          OutcomeRefused,
		"Onaylama jetonu geçersiz":                             OutcomeRefused,
		"محتوى رمز التوكن للتأكيد غير صالح":                    OutcomeRefused,
		"Mã xác nhận không hợp lệ":                             OutcomeRefused,
		"パスワード確認用トークンは不正な値です":                                  OutcomeRefused,
		"确认令牌是无效的":                                             OutcomeRefused,
		"確認令牌是無效的":                                             OutcomeRefused,

		"muss innerhalb 2 Tage bestätigt werden, bitte fordere einen neuen Link an": OutcomeExpired,
		"E-mail doit être confirmé(e) en 2 jours":                                   OutcomeExpired,
		"E-mail necesita confirmarse dentro de 2 días":                              OutcomeExpired,
		"E-mail deve essere confermato entro 2 giorni":                              OutcomeExpired,
		"E-mail necessitava de confirmação até 2 dias":                              OutcomeExpired,
		"E-mail moet binnen 2 dagen worden bevestigd, plaats":                       OutcomeExpired,
		"E-mail skal bekræftes inden for 2 dage":                                    OutcomeExpired,
		"E-post må bekreftes innen 2 dager":                                         OutcomeExpired,
		"E-post behöver bekräftas inom 2 dagar":                                     OutcomeExpired,
		"E-mail je potřeba potvrdit do 2 dnů":                                       OutcomeExpired,
		"pitää vahvistaa 2 päivän kuluessa, ole hyvä ja pyydä uusi":                 OutcomeExpired,
		"Email πρέπει να επιβεβαιωθεί εντός 2 ημερών":                               OutcomeExpired,
		"E-mail musi być potwierdzony w ciągu 2 dni":                                OutcomeExpired,
		"E-mail trebuie să fie confirmat în 2 zile":                                 OutcomeExpired,
		"E-mail должен быть подтвержден в течение 2 дней":                           OutcomeExpired,
		"E-mail має бути підтверджено протягом 2 днів":                              OutcomeExpired,
		"E-posta 2 gün içinde onaylanması gerekmektedir":                            OutcomeExpired,
		"البريد يحتاج إلى التأكيد في غضون 2 أيام":                                   OutcomeExpired,
		"Email cần được xác nhận trong 2 ngày":                                      OutcomeExpired,
		"Eメールの期限が切れました。":                                                            OutcomeExpired,

		"Falls der Token ist nicht gültig, fordern Sie einen neuen an": OutcomeNeedsUser,
		"Si le token n'est pas valide, recommencez":                    OutcomeNeedsUser,
		"Als de token is ongeldig, probeer opnieuw":                    OutcomeNeedsUser,
		"Hvis token er ugyldig, prøv igjen":                            OutcomeNeedsUser,
		"Если token имеет неверное значение, повторите":                OutcomeNeedsUser,
		"Eğer token geçersiz, yeniden deneyin":                         OutcomeNeedsUser,
		"Postnummer er ugyldig":                                        OutcomeNeedsUser,
		"Passwort ist nicht gültig":                                    OutcomeNeedsUser,
	} {
		require.Equal(t, want, deviseSays(t, line, form), line)
	}
}

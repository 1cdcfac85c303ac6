package linkclick

import (
	"testing"

	"github.com/stretchr/testify/require"
)

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
		p, c := serve(t, says("<p>"+flash+"</p>"+form))
		require.Equal(t, want,
			open(t, c, p.URL+"/users/confirmation?confirmation_token=a1b2c3d4e5").Outcome, flash)
	}
}

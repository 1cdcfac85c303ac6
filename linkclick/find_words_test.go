package linkclick

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// A mail that confirms another address of an account is no sign-up, in all languages of the table.
// A YES to the question about a sign-up must not change an account.
func TestChangeOfAddress(t *testing.T) {
	rule := Rule{Hosts: acme.Hosts, Paths: []string{"verify:/confirm/*?"}}
	mail := func(subject string) Mail {
		return Mail{Subject: subject, HTML: linkTo("/confirm/Zk3vQ8mW1xT5", "Confirm")}
	}
	for _, subject := range []string{
		"Verify your new address", "Confirm the change of your email address",
		"Confirm email address change", "Email update request",
		"Bestätigung Ihrer neuen E-Mail-Adresse", "Änderung deiner E-Mail-Adresse bestätigen",
		"Bekræft ændring af e-mail", "Bekræft ændringen af din e-mailadresse",
		"Bekreft den nye e-postadressen", "Bekreft endring av e-postadresse",
		"Bekräfta din nya e-postadress", "Bekräfta ändring av e-postadress",
		"Bevestig de wijziging van je e-mailadres", "E-mailadres wijzigen: bevestigen",
		"Confirmez votre nouvel e-mail", "Confirmez le changement d’adresse e-mail",
		"Confirme el cambio de correo electrónico", "Verifica el cambio de dirección",
		"Conferma la modifica dell'indirizzo", "Conferma il cambio di email",
		"Confirme seu novo endereço de e-mail", "Confirme a alteração do seu e-mail",
		"Potwierdź zmianę adresu e-mail", "Vahvista sähköpostiosoitteen vaihto",
		"メールアドレスを変更する確認", "Подтвердите изменение адреса", "Підтвердьте нову електронну пошту",
		"验证您的新邮箱", "确认更改邮箱",
		"Potvrďte změnu e-mailu", "Potvrzení změny e-mailové adresy",
		"Ověřte svou novou e-mailovou adresu",
		"이메일 변경 확인", "이메일 주소 변경을 확인해 주세요", "새 이메일 주소를 확인해 주세요",
		"E-posta değişikliğini onaylayın", "E-posta adresi değişikliği",
		"Yeni e-posta adresinizi doğrulayın",
	} {
		f := Find(mail(subject), rule)
		require.NotEqual(t, KindVerify, f.Kind, subject)
		require.Empty(t, f.URL, subject)
		require.Equal(t, KindChange, Find(mail(subject), acme).Kind, subject)
	}
	for _, subject := range []string{
		"Confirm your email address", "Welcome! Verify your address", "Bestätige deine E-Mail-Adresse",
		"Bekræft din e-mailadresse", "Bekräfta din e-postadress", "Bevestig je e-mailadres",
		"Confirmez votre adresse e-mail", "Confirma tu correo electrónico",
		"Conferma il tuo indirizzo email", "Confirme seu endereço de e-mail",
		"Potwierdź swój adres e-mail", "Vahvista sähköpostiosoitteesi", "メールアドレスを確認してください",
		"Подтвердите адрес электронной почты", "Підтвердьте адресу", "验证您的邮箱",
		"Potvrďte svou e-mailovou adresu", "Ověření e-mailu", "이메일 주소를 확인해 주세요", "이메일 인증",
		"E-posta adresinizi doğrulayın", "E-postanızı onaylayın",
	} {
		require.Equal(t, KindVerify, Find(mail(subject), rule).Kind, subject)
	}
}

// What invites, removes or signs in is no sign-up either, and what only sounds like it is one.
func TestOtherPurposes(t *testing.T) {
	rule := Rule{Hosts: acme.Hosts, Paths: []string{"verify:/confirm/*?"}}
	mail := func(line string) Mail {
		return Mail{Subject: "ACME", HTML: "<p>" + line + "</p><p>" +
			linkTo("/confirm/Zk3vQ8mW1xT5", "&gt;&gt;")}
	}
	for _, line := range []string{
		"Kim has added you to ACME. Please confirm:", "Kim lädt dich zu ACME ein. Bestätige:",
		"Kim har bjudit in dig. Bekräfta:", "Kim heeft je uitgenodigd. Bevestig:",
		"Kim te invitó a ACME. Confirma:", "Kim ti invita in ACME. Conferma:",
		"Kim convidou você. Confirme:", "Kim zaprasza Cię. Potwierdź:", "Вас пригласили. Подтвердите:",
		"Kim запрошує вас. Підтвердьте:", "Kim 邀请您加入。验证：", "Un invito per te. Conferma:",
		"Bekræft sletning af din konto:", "Bekreft sletting av kontoen:", "Bekräfta radering av kontot:",
		"Confirma tu inicio de sesión:", "Bekreft innlogging:", "Bekräfta inloggning:",
		"Potwierdź logowanie:", "Vahvista kirjautuminen:",
		"Um Ihr Konto wiederherzustellen:", "Gendan din konto:",
		"Gjenopprett kontoen din:", "Récupérez votre compte :", "Recupera tu cuenta:",
		"Recupera il tuo account:", "Recupere a sua conta:", "Odzyskaj konto:", "Palauta tilisi:",
		"恢复您的账户：", "找回您的账户：", "重置您的账户：",
	} {
		f := Find(mail(line), rule)
		require.NotEqual(t, KindVerify, f.Kind, line)
		require.Empty(t, f.URL, line)
	}
	for _, line := range []string{
		"Nous vous invitons à confirmer votre adresse :", "Te invitamos a confirmar tu correo:",
		"Ti invitiamo a confermare il tuo indirizzo:", "Thanks for joining! Please confirm:",
	} {
		require.Equal(t, KindVerify, Find(mail(line), rule).Kind, line)
	}
}

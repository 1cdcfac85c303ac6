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
	} {
		require.Equal(t, KindVerify, Find(mail(subject), rule).Kind, subject)
	}
}

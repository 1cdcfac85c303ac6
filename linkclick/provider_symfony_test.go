package linkclick

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// symfonySays clicks a link that leads, as in every case, to the form for signing up, with a line
// above it.
func symfonySays(t *testing.T, line string) Outcome {
	const link = "/verify/email?expires=1796050800&id=17&signature=Zk3vQ8mW1x&token=T5nB7yR2cL"
	p, c := serve(t, leadTo("/register",
		`<div role="alert">`+line+`</div><form method="post"><input name="email"></form>`))
	return open(t, c, p.URL+link).Outcome
}

// The outcome is in a line above the form for signing up, to which the link leads in every case.
func TestSymfonyFlashTellsTheOutcome(t *testing.T) {
	for line, want := range map[string]Outcome{
		"Your email address has been verified.":                                OutcomeConfirmed,
		"The link to verify your email is invalid.":                            OutcomeRefused,
		"The link to verify your email has expired.":                           OutcomeExpired,
		"The link to verify your email appears to be for a different account.": OutcomeRefused,
		"": OutcomeNeedsUser,
	} {
		require.Equal(t, want, symfonySays(t, line), line)
	}
}

// Its bundle is translated, and a site has one language. The flash is judged as in English.
func TestSymfonyFlashInTheLanguageOfTheSite(t *testing.T) {
	for line, want := range map[string]Outcome{
		"Der Link zur Überprüfung Ihrer E-Mail-Adresse ist ungültig.":               OutcomeRefused,
		"Der Link scheint für ein anderes Konto oder eine andere E-Mail zu sein.":   OutcomeRefused,
		"Le lien pour vérifier votre adresse e-mail est invalide.":                  OutcomeRefused,
		"Le lien semble correspondre à un autre compte ou e-mail.":                  OutcomeRefused,
		"El enlace para verificar tu correo es inválido.":                           OutcomeRefused,
		"Parece que el enlace es para una cuenta o correo diferente.":               OutcomeRefused,
		"De link om je e-mailadres te verifiëren is ongeldig.":                      OutcomeRefused,
		"De link om je e-mailadres te verifiëren is voor een andere gebruiker.":     OutcomeRefused,
		"Linket til at bekræfte din e-mail er ugyldigt.":                            OutcomeRefused,
		"Linket ser ud til at være til en anden konto eller e-mail.":                OutcomeRefused,
		"Link do weryfikacji adresu e-mail jest nieprawidłowy.":                     OutcomeRefused,
		"Wygląda na to, że link do weryfikacji adresu e-mail dotyczy innego konta.": OutcomeRefused,
		"Ссылка для проверки вашей электронной почты недействительна.":              OutcomeRefused,
		"Ссылка, по-видимому, предназначена для другой учетной записи.":             OutcomeRefused,
		"Срок действия ссылки для проверки вашей электронной почты истек.":          OutcomeExpired,
		"Посилання для підтвердження вашої електронної пошти недійсне.":             OutcomeRefused,
		"Посилання, схоже, стосується іншого облікового запису.":                    OutcomeRefused,
		"Термін дії посилання для вашої електронної пошти закінчився.":              OutcomeExpired,
		"Ο σύνδεσμος για την επαλήθευση του ταχυδρομείου σας δεν είναι έγκυρος.":    OutcomeRefused,
		"Ο σύνδεσμος φαίνεται να είναι για διαφορετικό λογαριασμό.":                 OutcomeRefused,
		"Link-ul pentru verificarea adresei de e-mail este invalid.":                OutcomeRefused,
		"Link-ul pare să fie pentru un alt cont.":                                   OutcomeRefused,

		"Falls der Link zur Überprüfung Ihrer E-Mail-Adresse ist ungültig, fragen Sie.": OutcomeNeedsUser,
		"Si le lien pour vérifier votre adresse e-mail est invalide, demandez.":         OutcomeNeedsUser,
		"Если ссылка для проверки вашей электронной почты недействительна, спросите.":   OutcomeNeedsUser,
		"Die E-Mail-Adresse ist ungültig.":   OutcomeNeedsUser,
		"Votre adresse e-mail est invalide.": OutcomeNeedsUser,
		"Adres e-mail jest nieprawidłowy.":   OutcomeNeedsUser,
		"Ce champ est pour un autre compte.": OutcomeNeedsUser,
	} {
		require.Equal(t, want, symfonySays(t, line), line)
	}
}

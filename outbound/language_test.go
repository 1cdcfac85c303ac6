package outbound

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"smsbridge/linkclick"
)

// Ensure that a mail's language is what its header says, else its words, else its HTML. A mail that
// tells none, or whose words are of two languages, has none.
func TestMailLanguage(t *testing.T) {
	t.Parallel()
	const danish = "Hej, bekræft venligst din konto. Hvis det ikke er dig, skal du ikke gøre noget."
	for want, mails := range map[string][]linkclick.Mail{
		"fr": {
			{Language: "fr", HTML: `<html lang="de">`, Text: danish},
		},
		"de-AT": {
			{HTML: `<!doctype html><html dir="ltr" lang="de-AT"><p>ACME 4821`, Text: "ACME 4821"},
			{HTML: `<html><body lang=de-AT>`},
		},
		"da": {
			{Text: danish},
			{HTML: `<html lang="en"><p>` + danish},
		},
		"nb": {{Text: "Hei, bekreft kontoen. Var det ikke deg, trenger du ikke gjøre noe."}},
		"sv": {{Text: "Hej, bekräfta ditt konto. Om det inte är du, gör ingenting."}},
		"en": {
			{Text: "Please click the link to verify your account. If this is not you, do nothing."},
			{HTML: "<html><style>the your you</style><p>Please click the link to verify your account."},
			{Text: "To go on, please verify your email:\n" +
				"https://login.acme.example/v?t=se7je-na_pro7se3je-se&na=je-se"},
			{Text: "Please use the code SE7JE to verify your address, not NA2SE or JE4NA."},
		},
		"ru": {{Text: "Пожалуйста, подтвердите вашу почту. Если это не вы, ничего не делайте."}},
		"ja": {
			{Text: "アカウントを確認するにはここをクリックしてください。https://login.acme.example/verify?t=abcdefghij"},
		},
		"zh": {{Text: "请点击此链接以确认您的账户。https://login.acme.example/verify?t=abcdefghij"}},
		"": {{}, {Text: "サービス " + strings.Repeat("ACME ", 20)}, {Text: "ACME 4821"},
			{Text: "the your you und nicht ihre"}},
	} {
		for _, m := range mails {
			require.Equal(t, want, mailLanguage(m), "%+v", m)
		}
	}
}

// Ensure that only the beginning of a large mail is read.
func TestMailLanguageReadsTheBeginning(t *testing.T) {
	t.Parallel()
	late := strings.Repeat("x ", maxLanguageText) + strings.Repeat("the your you please ", 9)
	require.Empty(t, mailLanguage(linkclick.Mail{Text: late}))
}

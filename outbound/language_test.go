package outbound

import (
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"smsbridge/internal/wording"
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
		"ru": {
			{Text: "Пожалуйста, подтвердите вашу почту. Если это не вы, ничего не делайте."},
			{Text: "Для вашей учётной записи в ACME запросили новый пароль: https://acme.example/v?t=abcd"},
		},
		"uk": {{Text: "Вітаємо! Для вашого запису запитали новий пароль: https://acme.example/v?t=abcd"}},
		"el": {{Text: "Ζητήθηκε νέος κωδικός: https://login.acme.example/verify?t=abcdefghij"}},
		"ja": {
			{Text: "アカウントを確認するにはここをクリックしてください。https://login.acme.example/verify?t=abcdefghij"},
		},
		"zh": {{Text: "请点击此链接以确认您的账户。https://login.acme.example/verify?t=abcdefghij"}},
		"": {{}, {Text: "サービス " + strings.Repeat("ACME ", 20)}, {Text: "ACME 4821"},
			{Text: "the your you und nicht ihre"}, {Text: "Крылья і " + strings.Repeat("ACME ", 20)},
			{Text: "Моля, потвърдете адреса на вашия акаунт и не пращайте на никого. Ако не сте вие, не " +
				"правете нищо и не отговаряйте на този имейл."}, // Bulgarian
			{Text: "Калі ласка, пацвердзіце вашу пошту, калі гэта былі вы. Гэты ліст на вашу пошту."},
			{Text: "Молимо вас да потврдите вашу адресу. Ако то нисте били ви, немојте ништа и не на вашу."},
		},
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

// Ensure that no text of the program is taken for one of another language: in groups of four, as
// long as a mail. Words that are frequent in several languages must tell none of them.
func TestMailLanguageOfOwnTexts(t *testing.T) {
	t.Parallel()
	for _, language := range wording.Languages() {
		texts := slices.Sorted(maps.Values(wording.Form(language)))
		for _, s := range wording.Sayings() {
			texts = append(texts, wording.Texts{}.Say(language, s, wording.Fields{Name: "ACME"}))
		}
		meant, _, _ := strings.Cut(language, "-")
		told := 0
		for step := range 8 {
			for i := range texts {
				var group []string
				for n := range 4 {
					group = append(group, texts[(i+n*(step+1))%len(texts)])
				}
				text := strings.Join(group, "\n")
				found := wordLanguage(text)
				require.Contains(t, []string{meant, ""}, found, text)
				if found != "" {
					told++
				}
			}
		}
		require.Greater(t, told, len(texts), language)
	}
}

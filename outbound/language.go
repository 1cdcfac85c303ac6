package outbound

import (
	"cmp"
	"strings"
	"sync"
	"unicode"
	"unicode/utf8"

	"golang.org/x/net/html"

	"smsbridge/linkclick"
)

// What of a mail is read for its language: more says nothing new.
const (
	maxLanguageHTML = 16 << 10
	maxLanguageText = 2 << 10
)

// mailLanguage returns the language of a mail as a BCP 47 tag, "" when nothing tells it: what its
// header says, else what its words say, else its HTML. Many templates say that they are English
// whatever they are written in, so the words come before the HTML.
func mailLanguage(m linkclick.Mail) string {
	if m.Language != "" {
		return m.Language
	}
	if m.Text != "" {
		words := m.Subject + " " + m.Text[:min(len(m.Text), maxLanguageText)]
		if language := wordLanguage(words); language != "" {
			return language
		}
	}
	lang, text := readHTMLLanguage(m.HTML[:min(len(m.HTML), maxLanguageHTML)])
	return cmp.Or(wordLanguage(m.Subject+" "+text), lang)
}

// readHTMLLanguage returns the lang attribute of the html or the body element, and the beginning of
// the text.
func readHTMLLanguage(source string) (lang, text string) {
	z := html.NewTokenizer(strings.NewReader(source))
	var b strings.Builder
	hidden := false
	for {
		switch z.Next() {
		case html.ErrorToken:
			return lang, b.String()
		case html.TextToken:
			if hidden {
				continue
			}
			if b.Len() >= maxLanguageText {
				return lang, b.String()
			}
			b.Write(z.Text())
			b.WriteByte(' ')
		case html.StartTagToken:
			name, more := z.TagName()
			tag := string(name)
			hidden = tag == "style" || tag == "script" || tag == "title"
			for more && lang == "" && (tag == "html" || tag == "body") {
				var key, value []byte
				key, value, more = z.TagAttr()
				if string(key) == "lang" {
					lang = string(value)
				}
			}
		case html.EndTagToken:
			hidden = false
		}
	}
}

// wordLanguage returns the language whose small words a text has most of: at least three, and twice
// as many as any other. Japanese and Chinese, which have no blanks, are told by their characters. A
// link is left out: a long secret spells small words of any language.
func wordLanguage(text string) string {
	if language := characterLanguage(text); language != "" {
		return language
	}
	known, counts := smallWords(), map[string]int{}
	between := func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) && r != '\'' }
	for piece := range strings.FieldsSeq(strings.ToLower(text)) {
		if strings.Contains(piece, "://") {
			continue
		}
		for word := range strings.FieldsFuncSeq(piece, between) {
			for _, language := range known[word] {
				counts[language]++
			}
		}
	}
	best, next := "", 0
	for language, n := range counts {
		switch {
		case best == "" || n > counts[best] || n == counts[best] && language < best:
			if best != "" {
				next = max(next, counts[best])
			}
			best = language
		default:
			next = max(next, n)
		}
	}
	if counts[best] < 3 || counts[best] < 2*next {
		return ""
	}
	return best
}

// characterLanguage returns "ja" for a text with Japanese syllables, and "zh" for one of Chinese
// characters without any. "el" has its script alone, and "ru" and "uk" are told by the letters that
// the other lacks. A brand in such characters does not make a language: one letter of nine must be
// one, since a mail's links have many Latin letters.
func characterLanguage(text string) string {
	var syllables, characters, greek, cyrillic, letters int
	for _, r := range text {
		switch {
		case r < utf8.RuneSelf:
			if 'a' <= r|0x20 && r|0x20 <= 'z' {
				letters++
			}
		case unicode.In(r, unicode.Hiragana, unicode.Katakana):
			syllables++
		case unicode.Is(unicode.Han, r):
			characters++
		case unicode.Is(unicode.Greek, r):
			greek++
		case unicode.Is(unicode.Cyrillic, r):
			cyrillic++
		case unicode.IsLetter(r):
			letters++
		}
	}
	switch {
	case syllables >= 3 && 8*(syllables+characters) >= letters:
		return "ja"
	case characters >= 6 && syllables == 0 && 8*characters >= letters:
		return "zh"
	case greek >= 6 && 8*greek >= letters:
		return "el"
	case cyrillic >= 6 && 8*cyrillic >= letters:
		return cyrillicLanguage(strings.ToLower(text))
	}
	return ""
}

// cyrillicLanguage returns "ru" or "uk" for a text with at least two letters that the other of them
// lacks. The text may have none that its own language lacks. So Bulgarian, Belarusian, Serbian and
// Kazakh are neither.
func cyrillicLanguage(text string) string {
	count := func(letters string) (n int) {
		for _, r := range text {
			if strings.ContainsRune(letters, r) {
				n++
			}
		}
		return n
	}
	russian, ukrainian := count("ыэё"), count("іїєґ")
	others := strings.ContainsFunc(text, func(r rune) bool {
		return unicode.Is(unicode.Cyrillic, r) && (r < 'а' || r > 'я') &&
			!strings.ContainsRune("ёіїєґ", r)
	})
	switch {
	case others:
		return ""
	case russian >= 2 && ukrainian == 0:
		return "ru"
	case ukrainian >= 2 && russian == 0:
		return "uk"
	}
	return ""
}

// smallWords has the languages by the words that are frequent in them and tell them apart. A word
// that others of them use as often, such as "de", stands in no list or in all of theirs.
var smallWords = sync.OnceValue(func() map[string][]string {
	found := map[string][]string{}
	for language, words := range map[string]string{
		"da": "af dig noget blev efter hej bekræft venligst adgangskode klik mailadresse for linket åbn",
		"de": "und nicht ihre sie der die das wenn bitte mit für haben ist um",
		"en": "the your you this please to and if have click is of not for from that are",
		"es": "tu su el que para por haga cuenta correo los una haz con y contraseña enlace",
		"fi": "ei että jos olet tämä sinun ole sähköpostiosoite vahvista tilin salasana tästä",
		"fr": "vous votre le les des pour cliquez est compte sur avez une cette nouveau",
		"it": "il tuo che per sul hai questo clicca indirizzo della una conto non",
		"nb": "deg noe ble etter hei bekreft vennligst passord klikk kontoen lenken for å",
		"nl": "het een je uw niet van voor klik als deze op bent met is of wachtwoord",
		"pl": "się nie twoje jest aby lub jeśli proszę kliknij adres w to hasło ponownie",
		"pt": "seu sua você não para uma um que clique conta endereço por foi senha",
		"ro": "și pentru dumneavoastră contul să vă sau această dacă sunt acest prin codul",
		"sv": "och inte jag att är bekräfta vänligen klicka länken ditt nedan dig hej för ett",
		"tr": "ve bir için bu lütfen hesabınızı değil e-posta adresinizi tıklayın ile",
		"cs": "je pro vaše není pokud účet klikněte prosím adresu jste to heslo nebo",
		"vi": "của bạn không và vui lòng tài khoản này để được nếu",
		"so": "iyo waa oo aad fadlan haddii akoonkaaga ku",
		"ru": "вы если это этот пожалуйста чтобы вашей",
		"uk": "ви якщо це цей будь ласка щоб вашої",
		"el": "και το για σας να την αν δεν είναι",
		"ar": "على في من إلى هذا لا حسابك إذا",
	} {
		for word := range strings.FieldsSeq(words) {
			found[word] = append(found[word], language)
		}
	}
	return found
})

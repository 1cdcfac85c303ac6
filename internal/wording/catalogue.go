package wording

import (
	"embed"
	"encoding/json"
	"slices"
	"strings"
	"sync"
)

// catalogueFiles has one file for each language, in the form that translators' tools read: an
// Application Resource Bundle. English is the source, and has the comments for translators.
//
// Source: https://github.com/google/app-resource-bundle/wiki/ApplicationResourceBundleSpecification
//
//go:embed catalogue/*.arb
var catalogueFiles embed.FS

// English is the source of all other languages.
const English = "en"

// Languages returns the languages of the catalogue as BCP 47 tags, in their order.
func Languages() []string {
	return []string{
		"ar", "cs", "da", "de", "el", "en", "es", "fi", "fr", "it", "ja", "nb", "nl", "pl", "pt",
		"pt-BR", "ro", "ru", "so", "sv", "tr", "uk", "vi", "zh",
	}
}

// IsLanguage reports whether the catalogue has a language.
func IsLanguage(tag string) bool { return slices.Contains(Languages(), tag) }

// Direction is how a language is written on a page: "rtl" or "ltr".
func Direction(language string) string {
	if language == "ar" {
		return "rtl"
	}
	return "ltr"
}

// catalogue is one language, read.
type catalogue struct {
	words  map[string]string
	texts  map[Saying]Text
	code   Text
	choice [3]Text           // about an account, about a password, of an app
	form   map[string]string // the words of the form
}

// catalogues reads each language at its first use. What was read never changes.
var catalogues = func() map[string]func() *catalogue {
	all := map[string]func() *catalogue{}
	for _, language := range Languages() {
		all[language] = sync.OnceValue(func() *catalogue { return readCatalogue(language) })
	}
	return all
}()

// in returns a language of the catalogue, English for one that there is not.
func in(language string) *catalogue {
	read, ok := catalogues[language]
	if !ok {
		read = catalogues[English]
	}
	return read()
}

// decodeCatalogue decodes the file of a language. It is a file of the program itself, and a test
// reads them all.
func decodeCatalogue(language string, into any) {
	raw, err := catalogueFiles.ReadFile("catalogue/" + language + ".arb")
	if err == nil {
		err = json.Unmarshal(raw, into)
	}
	if err != nil {
		panic("wording: the catalogue of " + language + ": " + err.Error())
	}
}

func readCatalogue(language string) *catalogue {
	var entries map[string]any
	decodeCatalogue(language, &entries)
	c := &catalogue{words: map[string]string{}, texts: map[Saying]Text{}, form: map[string]string{}}
	for key, entry := range entries {
		words, ok := entry.(string)
		if !ok || strings.HasPrefix(key, "@") {
			continue
		}
		c.words[key] = words
		if name, ok := strings.CutPrefix(key, "form_"); ok {
			c.form[name] = words
		}
		if Saying(key).Exists() {
			c.texts[Saying(key)] = mustParse(templateOf(words), sayingFields())
		}
	}
	c.code = mustParse(templateOf(c.words["code"]), codeFields())
	c.choice[0] = mustParse(templateOf(c.words["choice_registration"]), codeFields())
	c.choice[1] = mustParse(templateOf(c.words["choice_password"]), codeFields())
	c.choice[2] = mustParse(templateOf(c.words["choice_app"]), codeFields())
	return c
}

// templateOf writes a text of the catalogue as settings write it: {name} becomes {{.Name}}.
func templateOf(words string) string { return toFields().Replace(words) }

var toFields = sync.OnceValue(func() *strings.Replacer {
	var pairs []string
	for _, field := range sayingFields() {
		pairs = append(pairs, "{"+strings.ToLower(field)+"}", "{{."+field+"}}")
	}
	return strings.NewReplacer(pairs...)
})

// Page returns the words of a page in a language, by their key in the catalogue. Each pair after it
// is the name of a value and the value.
func Page(language, key string, values ...string) string {
	words := in(language).words["page_"+key]
	for i := 0; i+1 < len(values); i += 2 {
		words = strings.ReplaceAll(words, "{"+values[i]+"}", values[i+1])
	}
	return words
}

// Form returns the words of the form that verifies a phone, in a language, by their keys. They are
// not to be changed.
func Form(language string) map[string]string { return in(language).form }

package wording

import (
	"maps"
	"slices"
	"strings"
	"sync"
)

// codeTexts returns the shipped wording of codes by language. Each is one GSM-7 segment with a name
// of 20 characters and the line for browsers.
func codeTexts() map[string]string {
	return map[string]string{
		"da": "{{.Code}} er din kode til {{.Name}}. Del den ikke med nogen.",
		"de": "{{.Code}} ist Ihr Code für {{.Name}}. Geben Sie ihn nicht weiter.",
		"en": "{{.Code}} is your {{.Name}} code. Do not share it.",
		"es": "{{.Code}} es tu clave de {{.Name}}. No la compartas.",
		"fi": "{{.Code}} on koodisi palveluun {{.Name}}. Älä jaa sitä.",
		"fr": "{{.Code}} est votre code {{.Name}}. Ne le partagez pas.",
		"it": "{{.Code}} è il tuo codice {{.Name}}. Non condividerlo.",
		"nb": "{{.Code}} er koden din for {{.Name}}. Ikke del den.",
		"nl": "{{.Code}} is je code voor {{.Name}}. Deel hem niet.",
		"sv": "{{.Code}} är din kod för {{.Name}}. Dela den inte.",
	}
}

// shippedCodes holds the shipped wording of codes, taken apart at first use and never changed.
var shippedCodes = sync.OnceValue(func() map[string]Text {
	texts := map[string]Text{}
	for locale, text := range codeTexts() {
		texts[locale] = mustParse(text, codeFields())
	}
	return texts
})

// Languages of codes.
const (
	DefaultLocale = "en"
	bokmal        = "nb"
)

// CodeLocales returns the languages in which codes can be texted, as BCP 47 tags.
func CodeLocales() []string { return slices.Sorted(maps.Keys(codeTexts())) }

// CodeLocale returns the language of CodeLocales that a BCP 47 tag such as "da-DK" asks for.
// Norwegian is Bokmål.
func CodeLocale(tag string) (string, bool) {
	language, _, _ := strings.Cut(strings.ToLower(tag), "-")
	if language == "no" || language == "nn" {
		language = bokmal
	}
	_, ok := shippedCodes()[language]
	return language, ok
}

// ShippedCode returns the shipped text of a code in the first of the languages that there is, in
// English when there is none of them.
func ShippedCode(locales ...string) Text {
	for _, locale := range append(locales, DefaultLocale) {
		if text, ok := shippedCodes()[locale]; ok {
			return text
		}
	}
	return Text{}
}

// AuthMessage is the shipped text of the door for Flowroute's clients. The bare code is on its
// first line, which clients' tests read.
const AuthMessage = "{{.Code}}\nWelcome to {{.Name}}! " +
	"Use this one-time code to complete your signup."

// ShippedAuthMessage returns AuthMessage, taken apart.
func ShippedAuthMessage() Text { return authMessage() }

var authMessage = sync.OnceValue(func() Text { return mustParse(AuthMessage, codeFields()) })

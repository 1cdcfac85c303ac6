package tenant

import (
	"cmp"
	"slices"
	"strings"

	"smsbridge/internal/wording"
	"smsbridge/phonemail"
)

// Say returns the text for s in a language, "" being the tenant's own, or "" for a saying that does
// not exist. A Tenant that was not loaded says it in the shipped wording.
func (t *Tenant) Say(language string, s wording.Saying, fill wording.Fill) string {
	language = t.LanguageOf(language)
	return t.textsIn(language).Say(language, s, wording.Fields{
		Name: t.Name, Answer: t.AskedAnswer(language), Denial: t.AskedDenial(language),
		Choices: fill.Choices, Count: fill.Count, Code: fill.Code, Link: fill.Link,
		Life: wording.Life(language, fill.Life), About: fill.About, Contact: fill.Contact,
		Subject: fill.Subject,
	})
}

// textsIn returns the tenant's own wording in a language.
func (t *Tenant) textsIn(language string) wording.Texts {
	if language == t.ownLanguage() {
		return t.texts
	}
	return t.textsBy[language]
}

// LanguageOf is the language that a row has kept, which is the tenant's in rows of older versions.
func (t *Tenant) LanguageOf(kept string) string { return cmp.Or(kept, t.ownLanguage()) }

// ownLanguage is the tenant's language.
func (t *Tenant) ownLanguage() string { return cmp.Or(t.Language, wording.English) }

// LanguageFor decides in which language a phone is texted: the one that the tenant insists on; else
// what the app or the door asked for; else the mail's; else that of most people in the number's
// country; else the tenant's. It is asked once for each question, each relay and each code, and the
// row keeps what it said.
func (t *Tenant) LanguageFor(asked, mail string, phone phonemail.Number) string {
	language, _ := t.LanguageWhy(asked, mail, phone)
	return language
}

// LanguageWhy is LanguageFor, and says what decided.
func (t *Tenant) LanguageWhy(
	asked, mail string, phone phonemail.Number,
) (language, because string) {
	if t.LanguagePinned {
		return t.ownLanguage(), "the tenant insists on it (language_pinned)"
	}
	if language, ok := wording.Match(asked); ok {
		return language, "it was asked for"
	}
	if language, ok := wording.Match(mail); ok {
		return language, "the mail is in it"
	}
	if _, ok := wording.OfCountry(phone.Country()); ok {
		return t.LanguageIn(phone.Country()), "most people in the number's country read it"
	}
	return t.LanguageIn(phone.Country()), "it is the tenant's own (language)"
}

// LanguageIn is the language in which phones of a country are texted when nothing else says one.
func (t *Tenant) LanguageIn(country string) string {
	if language, ok := wording.OfCountry(country); ok && !t.LanguagePinned {
		return language
	}
	return t.ownLanguage()
}

// CodeLanguageFor is LanguageFor for a code that an app or a door asks for. A language that the
// tenant has chosen for codes comes before that of the number's country.
func (t *Tenant) CodeLanguageFor(asked string, phone phonemail.Number) string {
	return t.LanguageFor(asked, t.Codes.Locale, phone)
}

// FormLanguage decides the language of the hosted form, of lists of those asked for. The code that
// the form texts is in it, too.
func (t *Tenant) FormLanguage(asked ...string) string {
	if t.LanguagePinned {
		return t.ownLanguage()
	}
	for _, tags := range append(asked, t.Codes.Locale) {
		if language, ok := wording.Match(tags); ok {
			return language
		}
	}
	return t.ownLanguage()
}

// AskedAnswer returns the word for yes that texts in a language ask for: the tenant's own in its
// language, and the catalogue's in any other.
func (t *Tenant) AskedAnswer(language string) string {
	if words := t.Question.Accept; len(words) > 0 && language == t.ownLanguage() {
		return words[0]
	}
	return wording.Answer(language)
}

// AskedDenial returns the word for no that texts in a language ask for.
func (t *Tenant) AskedDenial(language string) string {
	if words := t.Question.Deny; len(words) > 0 && language == t.ownLanguage() {
		return words[0]
	}
	return wording.Denial(language)
}

// Languages returns the languages in which a tenant is most likely to text, its own first: that,
// and those of the countries that it texts and of its own wordings.
func (t *Tenant) Languages() []string {
	all := []string{t.ownLanguage()}
	if t.LanguagePinned {
		return all
	}
	for _, country := range t.Policy.Countries {
		if language, ok := wording.OfCountry(country); ok {
			all = append(all, language)
		}
	}
	for language := range t.textsBy {
		all = append(all, language)
	}
	var once []string
	for _, language := range all {
		if !slices.Contains(once, language) {
			once = append(once, language)
		}
	}
	slices.Sort(once[1:])
	return once
}

// splitWording splits the name of a tenant's own wording, such as "sv.ask_registration".
func splitWording(name string) (language string, s wording.Saying, ok bool) {
	language, key, _ := strings.Cut(name, ".")
	s = wording.Saying(key)
	return language, s, wording.IsLanguage(language) && s.Exists()
}

package wording

import (
	"strings"
	"sync"

	"golang.org/x/text/language"
)

// matcher finds the language of the catalogue that a tag means, such as Bokmål for Norwegian. Its
// tags stand in the order of Languages.
var matcher = sync.OnceValue(func() language.Matcher {
	var tags []language.Tag
	for _, name := range Languages() {
		if name == "pt" {
			name = "pt-PT" // beside Brazil's own; alone it would stand for it
		}
		tags = append(tags, language.Make(name))
	}
	return language.NewMatcher(tags)
})

// Match returns the language of the catalogue that the first of the tags means that means any.
// The tags are BCP 47, such as "da-DK", the preferred first, separated by blanks (as in OpenID
// Connect's ui_locales) or commas (as in Accept-Language).
func Match(tags string) (string, bool) {
	separator := func(r rune) bool { return r == ' ' || r == ',' }
	for tag := range strings.FieldsFuncSeq(tags, separator) {
		tag, _, _ = strings.Cut(tag, ";")
		if len(tag) > maxTag {
			continue
		}
		if IsLanguage(tag) {
			return tag, true
		}
		if parsed, err := language.Parse(tag); err == nil && parsed != language.Und {
			if found, ok := match(parsed); ok {
				return found, true
			}
		}
	}
	return "", false
}

// IsTag reports whether a text is a BCP 47 tag, whether the catalogue has its language or not.
func IsTag(text string) bool {
	if len(text) > maxTag {
		return false
	}
	_, err := language.Parse(text)
	return err == nil && text != ""
}

// maxTag is longer than any tag that people use.
const maxTag = 35

// match leaves out languages that CLDR gives to readers of others: who wrote tlh did not mean en.
func match(tag language.Tag) (string, bool) {
	_, i, confidence := matcher().Match(tag)
	if confidence == language.No {
		return "", false
	}
	base, _ := tag.Base()
	asked := base.String()
	if asked == "no" || asked == "nn" {
		asked = "nb"
	}
	found := Languages()[i]
	meant, _, _ := strings.Cut(found, "-")
	return found, asked == meant
}

// OfCountry returns the language of the catalogue that most people of a country read, by the
// likely subtags of Unicode's CLDR. The country is an ISO 3166-1 code.
func OfCountry(country string) (string, bool) {
	region, err := language.ParseRegion(country)
	if err != nil || !region.IsCountry() {
		return "", false
	}
	tag, err := language.Compose(language.Und, region)
	if err != nil {
		return "", false
	}
	base, confidence := tag.Base()
	if confidence == language.No {
		return "", false
	}
	if tag, err = language.Compose(base, region); err != nil {
		return "", false
	}
	return match(tag)
}

package settings

import (
	"slices"
	"strings"
	"unicode"
)

// A secret is refused when an attacker can guess it, or has it from elsewhere. Each provider shows
// its keys in another form, so the forms are not compared: what counts is how much is left of a
// secret when all that it says twice, and every word of an example, is taken away. So a key of
// Supabase (sb_secret_…) passes, and "changeme-changeme-changeme" does not.
const (
	minSecret   = 16 // characters; the keys that providers give out have 20 or more
	minDistinct = 8  // different characters; a key of 32 random hex digits has 14
)

// Places says where each secret of the settings stands, over all parts of them.
type Places struct{ of map[string]place }

// place is where a secret stands.
type place struct{ where, key string }

// NewPlaces returns Places without a secret.
func NewPlaces() *Places { return &Places{map[string]place{}} }

// CheckSecrets reports the secrets of one part of the settings that are weak, an example's, or the
// same as another one. It comes after all other checks: a secret that they reported is left alone.
// Where the row says so, several parts, such as two tenants, may have the same.
func (l *Loader) CheckSecrets(known *Places, rows []Row, given Given) {
	for _, r := range rows {
		v, ok := given.values[r.Key]
		reported := func(m Mistake) bool { return m.Where == v.where }
		if !ok || !r.Kind.isSecret() || slices.ContainsFunc(l.mistakes, reported) {
			continue
		}
		var own []string
		for _, item := range v.items {
			if r.Kind == NamedSecrets {
				_, item, _ = strings.Cut(item, "=")
			}
			own = append(own, r.secrets(item)...)
		}
		if m := known.judge(own, place{v.where, r.Key}, r.Shared); m != nil {
			l.Add(v.where, m)
		}
	}
}

// judge finds what is wrong with the secrets of one row, and remembers them.
func (known *Places) judge(own []string, at place, shared bool) *Mistake {
	for i, secret := range own {
		if slices.Contains(own[:i], secret) {
			return Wrong("has one secret twice",
				"keep one of the two: while you change a secret, the new one differs from the old")
		}
		if m := JudgeStrength(secret); m != nil {
			return m
		}
		other, twice := known.of[secret]
		if twice && !(shared && other.key == at.key) {
			return Wrong("is the same as "+other.where, "take a secret of its own, from the provider's "+
				"page or from openssl rand -hex 32: a thief of the one must not have the other")
		}
	}
	for _, secret := range own {
		if _, ok := known.of[secret]; !ok {
			known.of[secret] = at
		}
	}
	return nil
}

// secrets returns the secrets that one value of the row holds.
func (r Row) secrets(value string) []string {
	if r.Ring {
		return SplitRing(value)
	}
	return []string{value}
}

// SplitRing returns the keys of a ring, as people write it: with commas, blanks or line ends
// between them.
func SplitRing(ring string) []string {
	return strings.FieldsFunc(ring, func(r rune) bool { return r == ',' || unicode.IsSpace(r) })
}

// isSecret reports whether values of the kind are secrets and nothing else.
func (k Kind) isSecret() bool {
	return k == SecretOne || k == Secrets || k == NamedSecrets || k == SecretFile
}

// JudgeStrength finds a secret that can be guessed, or that was copied from an example.
func JudgeStrength(secret string) *Mistake {
	rest := strings.ToLower(secret)
	for _, word := range exampleWords() {
		rest = strings.ReplaceAll(rest, word, "")
	}
	const hint = "copy the whole of the provider's, or make one with: openssl rand -hex 32"
	switch {
	case isStrong(rest):
		return nil
	case isStrong(strings.ToLower(secret)):
		return Wrong("looks like an example and not like a secret", hint)
	}
	return Wrong("is too weak: it can be guessed", hint)
}

// isStrong reports whether a text has enough different characters before it repeats itself.
func isStrong(text string) bool {
	text = text[:period(text)]
	distinct := map[rune]bool{}
	for _, r := range text {
		distinct[r] = true
	}
	return len(text) >= minSecret && len(distinct) >= minDistinct
}

// period is the length of the shortest start of a text that, said twice or more, gives the text.
func period(text string) int {
	for n := 1; n <= len(text)/2; n++ {
		if text[n:] == text[:len(text)-n] {
			return n
		}
	}
	return len(text)
}

// exampleWords are words that people write where a secret belongs, and the starts by which
// providers mark their keys. The longer comes before the shorter that it contains.
func exampleWords() []string {
	return []string{
		"whsec_", "sb_secret_", "change", "replace", "example", "placeholder", "password",
		"passwort", "passphrase", "secret", "letmein", "qwerty", "azerty", "asdfgh", "zxcvbn",
		"insert", "dummy", "sample", "default", "development", "production", "admin", "test",
		"demo", "todo", "your", "here", "this", "with", "some", "long", "random", "string", "value",
		"mailgun", "twilio", "flowroute", "auth0", "supabase", "smsbridge", "bridge", "signing",
		"webhook", "account", "private", "public", "token", "auth", "api", "key",
	}
}

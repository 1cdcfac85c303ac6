package settings

import (
	"slices"
	"strings"
)

// What a secret must have that a provider drew, or a person drew with openssl. The shortest that a
// provider gives out has 20 characters.
const (
	minSecret   = 16
	minDistinct = 8
)

// CheckSecrets reports secrets that are weak, that are an example's, or that stand in two places. A
// secret that was reported already is left alone.
func (l *Loader) CheckSecrets(rows []Row, given Given) {
	seen := map[string]string{} // places by secret
	for _, r := range rows {
		v, ok := given.values[r.Key]
		reported := func(m Mistake) bool { return m.Where == v.where }
		if !ok || !r.Kind.isSecret() || slices.ContainsFunc(l.mistakes, reported) {
			continue
		}
		for _, item := range v.items {
			if r.Kind == NamedSecrets {
				_, item, _ = strings.Cut(item, "=")
			}
			if m := judgeStrength(item); m != nil {
				l.Add(v.where, m)
				break
			}
			if other, twice := seen[item]; twice && other != v.where {
				l.Add(v.where, Wrong("is the same as "+other,
					"every secret is one of its own: who learns the one must not have the other"))
				break
			}
			seen[item] = v.where
		}
	}
}

// isSecret reports whether values of the kind are secrets and nothing else.
func (k Kind) isSecret() bool {
	return k == SecretOne || k == Secrets || k == NamedSecrets || k == SecretFile
}

// judgeStrength finds a secret that can be guessed.
func judgeStrength(secret string) *Mistake {
	distinct := map[rune]bool{}
	for _, r := range secret {
		distinct[r] = true
	}
	lower := strings.ToLower(secret)
	for _, word := range []string{
		"changeme", "change-me", "change_me", "example", "placeholder", "password", "passwort",
		"secret", "letmein", "qwerty", "xxxxxxxx",
	} {
		if strings.Contains(lower, word) {
			return Wrong("looks like an example and not like a secret",
				"copy the provider's, or make one of your own with: openssl rand -hex 32")
		}
	}
	if len(secret) < minSecret || len(distinct) < minDistinct {
		return Wrong("is too weak: it can be guessed",
			"copy the whole of the provider's, or make one of your own with: openssl rand -hex 32")
	}
	return nil
}

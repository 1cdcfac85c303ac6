package tenant

import (
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"maps"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"text/template"
	"time"

	"smsbridge/internal/segment"
)

// Codes says how a tenant's one-time codes are made, texted and limited.
type Codes struct {
	Length   int           // digits of a drawn code, 4 to 10
	ValidFor time.Duration // 1 minute to 24 hours
	Attempts int           // codes that may be presented for one verification
	Wrong    int           // wrong codes a phone may have in 24 hours
	Sends    int           // texts with the code of one verification, the first included
	Gap      time.Duration // between two of them
	Renew    bool          // each text has a new code
	Locale   string        // language of the shipped wording, one of CodeLocales

	text *template.Template // nil for the shipped wording
}

// APIKey is a key of a tenant's app, of which only the digest is known. The key
// is random, so its digest need not be slow.
type APIKey struct {
	Name   string // for logs
	Digest [sha256.Size]byte
}

// Callback is where a tenant's app is told how verifications ended, and the
// secrets that sign it. The zero value tells nobody.
type Callback struct {
	URL     string
	Secrets []Secret // whsec_ and base64; several during a rotation
}

// Keys returns what signs a callback.
//
// Source: https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md
func (c Callback) Keys() [][]byte {
	var keys [][]byte
	for _, secret := range c.Secrets {
		if key, ok := callbackKey(secret.Reveal()); ok {
			keys = append(keys, key)
		}
	}
	return keys
}

// ByAPIKey returns the tenant that an API key belongs to, and the key's name.
// Every key is compared, each in constant time.
func (s Set) ByAPIKey(key string) (found *Tenant, name string, ok bool) {
	digest := sha256.Sum256([]byte(key))
	for _, t := range s.all {
		for _, k := range t.APIKeys {
			if subtle.ConstantTimeCompare(digest[:], k.Digest[:]) == 1 {
				found, name, ok = t, k.Name, true
			}
		}
	}
	return found, name, ok
}

// codeTexts returns the shipped wording of codes by language. Each is one GSM-7
// segment with a name of 20 characters and the line for browsers.
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

// CodeLocales returns the languages in which codes can be texted, as BCP 47
// tags.
func CodeLocales() []string { return slices.Sorted(maps.Keys(codeTexts())) }

// CodeLocale returns the language of CodeLocales that a BCP 47 tag such as
// "da-DK" asks for. Norwegian is Bokmål.
func CodeLocale(tag string) (string, bool) {
	language, _, _ := strings.Cut(strings.ToLower(tag), "-")
	if language == "no" || language == "nn" {
		language = "nb"
	}
	_, ok := codeTexts()[language]
	return language, ok
}

// CodeText returns the text that says a code, in the tenant's own wording or
// else in a language of CodeLocales, "" being the tenant's. With a CodeDomain it ends
// with the line by which browsers know the site the code is for.
//
// Source: https://wicg.github.io/sms-one-time-codes/
func (t *Tenant) CodeText(code, locale string) string {
	text := t.Codes.text
	for _, l := range []string{locale, t.Codes.Locale, "en"} {
		if text == nil {
			text, _ = parseTemplate(codeTexts()[l], codeFields())
		}
	}
	name := t.OrgName
	if name == "" {
		name = t.Name
	}
	var b strings.Builder
	// parseTemplate lets nothing through that could fail here.
	_ = text.Execute(&b, struct{ Code, Name string }{code, name})
	if t.CodeDomain != "" {
		b.WriteString("\n\n@" + t.CodeDomain + " #" + code)
	}
	return b.String()
}

func codeFields() []string { return []string{"Code", "Name"} }

// Defaults and bounds. Codes live ten minutes and are texted a minute apart by
// NIST SP 800-63B, 5.1.3.2 and common practice; six digits and ten wrong ones a
// day are odds of one in a hundred thousand.
func defaultCodes() Codes {
	return Codes{Length: 6, ValidFor: defaultLife, Attempts: 5, Wrong: 10, Sends: 3, Gap: time.Minute, Locale: "en"}
}

const (
	defaultRate = 600
	maxRate     = 1_000_000
	maxGap      = time.Hour
	minKey      = 24 // characters of an API key
)

// codeOptions are about one-time codes and who may ask for them.
func codeOptions() []option[Tenant] {
	return []option[Tenant]{
		{"org_name", "SMSBRIDGE_ORG_NAME", one, "", func(t *Tenant, v []string) *Mistake {
			if m := judgeName(v[0]); m != nil {
				return m // and not into the texts, where it would be reported again
			}
			t.OrgName = v[0]
			return nil
		}},
		{"code_length", "SMSBRIDGE_CODE_LENGTH", one, "", count(4, 10, func(t *Tenant) *int { return &t.Codes.Length })},
		{"code_valid_for", "SMSBRIDGE_CODE_VALID_FOR", one, "", func(t *Tenant, v []string) (m *Mistake) {
			t.Codes.ValidFor, m = life(v[0])
			return m
		}},
		{"code_attempts", "SMSBRIDGE_CODE_ATTEMPTS", one, "", count(1, 10, func(t *Tenant) *int { return &t.Codes.Attempts })},
		{"code_wrong", "", one, "", count(1, 100, func(t *Tenant) *int { return &t.Codes.Wrong })},
		{"code_sends", "", one, "", count(1, 10, func(t *Tenant) *int { return &t.Codes.Sends })},
		{"code_gap", "", one, "", func(t *Tenant, v []string) *Mistake {
			d, err := time.ParseDuration(v[0])
			if err != nil || d < 0 || d > maxGap {
				return wrong("is not a duration from 0s to 1h", "write a number with its unit, such as 60s")
			}
			t.Codes.Gap = d
			return nil
		}},
		{"code_renew", "", one, "", func(t *Tenant, v []string) *Mistake {
			t.Codes.Renew = v[0] == "true"
			return choice(v[0], "true", "false")
		}},
		{"code_locale", "", one, "", func(t *Tenant, v []string) *Mistake {
			t.Codes.Locale = v[0]
			return choice(v[0], CodeLocales()...)
		}},
		{"code_text", "", one, "", func(t *Tenant, v []string) (m *Mistake) {
			t.Codes.text, m = parseTemplate(v[0], codeFields())
			return m
		}},
	}
}

// apiOptions are about the tenant's apps.
func apiOptions() []option[Tenant] {
	return []option[Tenant]{
		{"api_keys", "SMSBRIDGE_API_KEY", namedSecrets, "", func(t *Tenant, v []string) *Mistake {
			for _, item := range v {
				name, key, _ := strings.Cut(item, "=")
				if !keyName.MatchString(name) {
					return wrong("has a key with an unusable name", "use up to 32 of a–z, 0–9, hyphen and underscore")
				}
				if len(key) < minKey || judgeSecret(key) != nil {
					return wrong("has a key that is too short, or has characters that no key has", "make one with: openssl rand -hex 24")
				}
				t.APIKeys = append(t.APIKeys, APIKey{name, sha256.Sum256([]byte(key))})
			}
			return nil
		}},
		{"api_rate", "", one, "", count(1, maxRate, func(t *Tenant) *int { return &t.APIRate })},
		{"callback.url", "", one, "", func(t *Tenant, v []string) *Mistake {
			t.Callback.URL = v[0]
			u, err := url.Parse(v[0])
			if err != nil || u.Scheme != "https" && u.Scheme != "http" || u.Hostname() == "" || u.User != nil || u.Fragment != "" {
				return wrong("is not a web address", "write it as https://host/path, without a user")
			}
			return nil
		}},
		{"callback.secret", "", secrets, "", func(t *Tenant, v []string) *Mistake {
			for _, text := range v {
				t.Callback.Secrets = append(t.Callback.Secrets, NewSecret(text))
				if _, ok := callbackKey(text); !ok {
					return wrong("is not whsec_ and 24 to 64 bytes in base64", `make one with: echo "whsec_$(openssl rand -base64 32)"`)
				}
			}
			return nil
		}},
	}
}

var keyName = regexp.MustCompile(`^[a-z0-9][a-z0-9_-]{0,31}$`)

// count reads a number from least to most.
func count(least, most int, field func(*Tenant) *int) func(*Tenant, []string) *Mistake {
	return func(t *Tenant, v []string) *Mistake {
		n, err := strconv.Atoi(v[0])
		if err != nil || n < least || n > most {
			return wrong("is not a number from "+strconv.Itoa(least)+" to "+strconv.Itoa(most), "write digits only, or leave it out for the default")
		}
		*field(t) = n
		return nil
	}
}

func callbackKey(secret string) ([]byte, bool) {
	text, ok := strings.CutPrefix(secret, "whsec_")
	key, err := base64.StdEncoding.DecodeString(text)
	return key, ok && err == nil && len(key) >= 24 && len(key) <= 64
}

// checkCodes finds what is wrong with the settings of codes together, and
// renders the text as it would be at its longest.
func (l *loader) checkCodes(t *Tenant, place placer) {
	code := strings.Repeat("8", t.Codes.Length)
	plain := *t
	plain.CodeDomain = ""
	text := plain.CodeText(code, "")
	switch m := judgeText(text); {
	case m != nil:
		l.add(place("code_text"), m)
	case !strings.Contains(text, code):
		l.add(place("code_text"), wrong("does not say the code", "put {{.Code}} into it"))
	case segment.Measure(t.CodeText(code, "")).Segments > maxSegments:
		l.add(place("code_text"), wrong("takes more than two segments with the line of code_domain", "shorten it"))
	case segment.Measure(t.CodeText(code, "")).Segments > 1:
		l.warn("tenant %s: the text of a code takes %d segments and costs as many", t.Slug, segment.Measure(t.CodeText(code, "")).Segments)
	}
	const odds = 100_000
	codes := 1
	for range t.Codes.Length {
		codes *= 10
	}
	if t.Codes.Wrong*odds > codes {
		l.warn("tenant %s: %d guesses a day at codes of %d digits are better odds than 1 in %d (code_length, code_wrong)", t.Slug, t.Codes.Wrong, t.Codes.Length, odds)
	}
	if t.Codes.ValidFor > defaultLife {
		l.warn("tenant %s: a code counts for %s; more than 10m gives a stolen phone more time (code_valid_for)", t.Slug, t.Codes.ValidFor)
	}
}

// checkAPI finds what is wrong with the settings of a tenant's apps together.
func (l *loader) checkAPI(t *Tenant, place placer) {
	names := map[string]bool{}
	for _, key := range t.APIKeys {
		if names[key.Name] {
			l.add(place("api_keys"), wrong("has two keys of one name", "give each its own"))
		}
		names[key.Name] = true
	}
	switch {
	case t.Callback.URL != "" && len(t.Callback.Secrets) == 0:
		l.add(place("callback.secret"), wrong("is missing beside callback.url", `make one with: echo "whsec_$(openssl rand -base64 32)"`))
	case t.Callback.URL == "" && len(t.Callback.Secrets) > 0:
		l.add(place("callback.url"), wrong("is missing beside callback.secret", "write the https address of your app"))
	case strings.HasPrefix(t.Callback.URL, "http:") && len(t.UnsafeAllow) == 0:
		l.add(place("callback.url"), wrong("is plain http", "use https; for a test set-up see unsafe_allow"))
	}
}

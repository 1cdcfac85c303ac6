package tenant

import (
	"crypto/sha256"
	"net/url"
	"regexp"
	"strings"
	"time"

	"smsbridge/internal/segment"
	"smsbridge/internal/settings"
	"smsbridge/internal/wording"
)

const (
	maxRate = 1_000_000 // requests a minute of one API key
	maxGap  = time.Hour
	minKey  = 24 // characters of an API key
)

// codeOptions are about one-time codes. Codes live ten minutes and are texted a minute apart by
// NIST SP 800-63B, 5.1.3.2 and common practice. Six digits and ten wrong ones a day are odds of one
// in a hundred thousand for an app, and for an identity provider. Two more classes of askers have
// half of that.
func codeOptions() []option {
	return []option{
		{Row: row{
			Key: "code_length", Variable: "SMSBRIDGE_CODE_LENGTH", Default: "6",
			Doc:      "Digits of a code, 4 to 10.",
			Prevents: "Each digit less makes a guess ten times as likely to succeed.",
		}, Set: settings.Count(4, 10, func(t *Tenant) *int { return &t.Codes.Length })},
		{Row: row{
			Key: "code_valid_for", Variable: "SMSBRIDGE_CODE_VALID_FOR", Default: "10m",
			Doc:      "How long a code counts, 1m to 24h.",
			Prevents: "More than 10m gives the thief of a phone more time; the start warns of it.",
		}, Set: life(func(t *Tenant) *time.Duration { return &t.Codes.ValidFor })},
		{Row: row{
			Key: "code_attempts", Variable: "SMSBRIDGE_CODE_ATTEMPTS", Default: "5",
			Doc:      "How many codes may be presented for one verification, 1 to 10.",
			Prevents: "Each more is one more guess at the code.",
		}, Set: settings.Count(1, 10, func(t *Tenant) *int { return &t.Codes.Attempts })},
		{Row: row{
			Key: "code_wrong", Default: "10",
			Doc: "How many wrong codes a phone may have in 24 hours, over all its verifications, " +
				"1 to 100: so many where an app asks, and where the identity provider does; " +
				"half as many for numbers that persons type, and for codes that come by text.",
			Prevents: "Without this limit, a thief starts verification after verification and guesses on.",
		}, Set: settings.Count(1, 100, func(t *Tenant) *int { return &t.Codes.Wrong })},
		{Row: row{
			Key: "code_sends", Default: "3",
			Doc:      "How often a code is texted, the first time included, 1 to 10.",
			Prevents: "Each text costs money, and annoys a person who did not ask for it.",
		}, Set: settings.Count(1, 10, func(t *Tenant) *int { return &t.Codes.Sends })},
		{Row: row{
			Key: "code_gap", Default: "1m",
			Doc:      "The time between two texts of one verification, 0s to 1h.",
			Prevents: "A person who taps twice pays for nothing: the first text is still under way.",
		}, Set: setGap},
		{Row: row{
			Key: "code_renew", Default: "false",
			Doc:      "Whether each further text has a new code. If not, all have the same.",
			Prevents: "With true, a person who types the code of the first text is refused.",
		}, Set: settings.Switch(func(t *Tenant) *bool { return &t.Codes.Renew })},
	}
}

// codeTextOptions are about the texts of codes.
func codeTextOptions() []option {
	return []option{
		{Row: row{
			Key: "org_name", Variable: "SMSBRIDGE_ORG_NAME", Example: "ACME",
			Doc:      "The name in the texts of codes; {name} when it is left out.",
			Prevents: "People do not type a code from a name that they do not know.",
		}, Set: setName(func(t *Tenant) *string { return &t.Codes.OrgName })},
		{Row: row{
			Key: "code_locale", Variable: "SMSBRIDGE_CODE_LOCALE", Off: true, Example: "da",
			Doc: "The language of the codes for which the app asks for none. " +
				"Left out: the language of the number's country, else {language}.",
			Prevents: "People who do not read the language may pass the code on.",
		}, Set: settings.Choice(func(t *Tenant) *string { return &t.Codes.Locale },
			wording.Languages()...)},
		{Row: row{
			Key: "code_text", Example: "{{.Code}} is your {{.Name}} code. Do not share it.",
			Doc: "The wording, with {{.Code}} and {{.Name}}, for all languages. Left out: the shipped " +
				"wording of the language.",
			Prevents: "A wording that does not say \"do not share\" helps those who ask for codes by phone.",
		}, Set: func(t *Tenant, v []string) *settings.Mistake {
			text, fault := wording.ParseCode(v[0])
			if fault == nil {
				t.Codes.text = text
			}
			return mistake(fault)
		}},
		{Row: row{
			Key: "code_domain", Variable: "SMSBRIDGE_CODE_DOMAIN", Off: true,
			Example: "login.acme.example",
			Doc: "The host of the page that asks for a code, also for one that a mail brought. " +
				"Phones offer to fill it in there, and only there.",
			Prevents: "With it, a person on a forged page is not offered the code.",
		}, Set: setDomain("is not a host name",
			"write the host of the page that asks for the code, such as login.acme.example",
			func(t *Tenant) *string { return &t.Codes.Domain })},
	}
}

func setGap(t *Tenant, v []string) *settings.Mistake {
	d, err := time.ParseDuration(v[0])
	if err != nil || d < 0 || d > maxGap {
		return settings.Wrong(settings.Quote(v[0])+" is not a duration from 0s to 1h",
			"write a number and its unit (h, m or s) without blanks, such as 60s")
	}
	t.Codes.Gap = d
	return nil
}

// apiOptions are about who may ask for codes.
func apiOptions() []option {
	return []option{
		{Row: row{
			Key: "api_keys", Variable: "SMSBRIDGE_API_KEY", Kind: settings.NamedSecrets,
			Example: "web=env:ACME_API_KEY_WEB,batch=env:ACME_API_KEY_BATCH",
			Doc: "The keys with which the app asks for codes, as a bearer token. In a file each has a " +
				"name for the log. At least 24 characters, such as from `openssl rand -hex 24`. " +
				"To change one, have both for a while. They share Idempotency-Keys: two apps must not " +
				"choose the same.",
			Prevents: "Without a key no app may ask: otherwise strangers could text at your cost.",
		}, Set: setAPIKeys},
		{Row: row{
			Key: "api_rate", Default: "600",
			Doc:      "Requests a minute that one key may make, on each machine.",
			Prevents: "A stolen key, or an app that retries without a pause, cannot take all there is.",
		}, Set: settings.Count(1, maxRate, func(t *Tenant) *int { return &t.API.Rate })},
	}
}

var keyName = regexp.MustCompile(`^[a-z0-9][a-z0-9_-]{0,31}$`)

func setAPIKeys(t *Tenant, v []string) *settings.Mistake {
	var all []APIKey
	for _, item := range v {
		name, key, _ := strings.Cut(item, "=")
		if !keyName.MatchString(name) {
			return settings.Wrong("has a key with an unusable name",
				"use up to 32 of a–z, 0–9, hyphen and underscore")
		}
		if len(key) < minKey || settings.JudgeKey(key) != nil {
			return settings.Wrong("has a key that is too short, or has characters that no key has",
				"make one with: openssl rand -hex 24")
		}
		all = append(all, APIKey{name, sha256.Sum256([]byte(key))})
	}
	t.API.Keys = all
	return nil
}

func callbackOptions() []option {
	return []option{
		{Row: row{
			Key: "callback.url", Example: "https://app.acme.example/hooks/smsbridge",
			Doc:      "The address of the app.",
			Prevents: "Without it, the app learns how a verification ended only when it asks.",
		}, Set: setCallbackURL},
		{Row: row{
			Key: "callback.secret", Kind: settings.Secrets,
			Doc: "What signs the requests: whsec_ and 24 to 64 bytes in base64, such as from " +
				"`echo \"whsec_$(openssl rand -base64 32)\"`. Several while you change it.",
			Prevents: "Without it, anyone could tell the app that a phone was verified.",
		}, Set: settings.Keys(func(t *Tenant) *[]settings.Secret { return &t.API.Callback.Secrets },
			judgeWhsec)},
	}
}

func setCallbackURL(t *Tenant, v []string) *settings.Mistake {
	u, err := url.Parse(v[0])
	if err != nil || u.Scheme != "https" && u.Scheme != "http" || u.Hostname() == "" ||
		u.User != nil || u.Fragment != "" {
		return settings.Wrong("is not a web address",
			"write it as https://host/path, without a user")
	}
	t.API.Callback.URL = settings.SmallScheme(u, v[0])
	return nil
}

// checkCodes finds what is wrong with the settings of codes together, and fills the text as it
// would be at its longest.
func (l *loader) checkCodes(t *Tenant, given settings.Given) {
	code := strings.Repeat("8", t.Codes.Length)
	text := t.codeText(code, "", "")
	segments := segment.Measure(t.CodeText(code, "")).Segments
	switch fault := wording.Judge(text); {
	case fault != nil:
		l.Add(given.Place("code_text"), mistake(fault))
	case !strings.Contains(text, code):
		l.Add(given.Place("code_text"),
			settings.Wrong("does not say the code", "put {{.Code}} into it"))
	case segments > wording.MaxSegments:
		l.Add(given.Place("code_text"), settings.Wrong(
			"takes more than two segments with the line of code_domain", "shorten it"))
	case segments > 1 && !t.LongTexts:
		l.Add(given.Place("code_text"), settings.Wrong("takes two segments and costs as many",
			"shorten it, name or code_domain, or allow it: long_texts"))
	case segments > 1:
		l.Warn("tenant %s: the text of a code takes %d segments and costs as many", t.Slug, segments)
	}
	l.warnOdds(t, t.Codes.Length, "code_length")
	if t.Codes.ValidFor > defaultLife {
		l.Warn("tenant %s: a code counts for %s; more than 10m gives a stolen phone more time "+
			"(code_valid_for)", t.Slug, settings.Span(t.Codes.ValidFor))
	}
}

// checkAPI finds what is wrong with the settings of a tenant's apps together.
func (l *loader) checkAPI(t *Tenant, given settings.Given) {
	names := map[string]bool{}
	for _, key := range t.API.Keys {
		if names[key.Name] {
			l.Add(given.Place("api_keys"), settings.Wrong("has two keys of one name",
				"give each its own"))
		}
		names[key.Name] = true
	}
	address, secret := given.Has("callback.url"), given.Has("callback.secret")
	switch {
	case address && !secret:
		l.Add(given.Place("callback.secret"),
			settings.Wrong("is missing beside callback.url", hintWhsec))
	case !address && secret:
		l.Add(given.Place("callback.url"), settings.Wrong("is missing beside callback.secret",
			"write the https address of your app"))
	case strings.HasPrefix(t.API.Callback.URL, "http:") && len(t.Links.UnsafeAllow) == 0:
		l.Add(given.Place("callback.url"), settings.Wrong("is plain http",
			"use https; for a test set-up see unsafe_allow"))
	}
}

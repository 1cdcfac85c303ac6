package tenant

import (
	"net/netip"
	"net/url"
	"regexp"
	"slices"
	"strings"

	"smsbridge/internal/settings"
	"smsbridge/phonemail"
)

var (
	hexColor = regexp.MustCompile(`^#[0-9a-fA-F]{6}$`)
	dotted   = regexp.MustCompile(`^[A-Za-z0-9_]+(\.[A-Za-z0-9_]+)*$`)
)

// What a secret that signs session tokens must have: HS256's key is as long as its hash (RFC 7518
// section 3.2), and not one letter over and over.
const (
	minSigning  = 32
	minDistinct = 10
)

// auth0Options are about the tenant at Auth0.
func auth0Options() []option {
	return slices.Concat([]option{
		{Row: row{
			Key: "auth0.domain", Variable: "AUTH0_DOMAIN", Kind: settings.List, Off: true,
			Example: "login.acme.example,acme.eu.auth0.com",
			Doc:     "The hosts of the tenant at Auth0; with a custom domain both, and that one first.",
			Prevents: "Log-ins return to these hosts and nowhere else, so that a thief cannot have " +
				"another person's log-in sent to a host of his own.",
		}, Set: settings.Hosts(func(t *Tenant) *[]string { return &t.Auth0.Domains })},
		{Row: row{
			Key: "auth0.session_token_secret", Variable: "AUTH0_SESSION_TOKEN_SECRET",
			Kind: settings.Secrets, Off: true,
			Doc: "What the Actions sign session tokens with: at least 32 characters, from " +
				"`openssl rand -hex 32`. Several while you change it.",
			Prevents: "With a weak one, anyone could sign a token for another person's log-in.",
		}, Set: settings.Keys(func(t *Tenant) *[]settings.Secret { return &t.Auth0.Secrets },
			judgeSigning)},
		{Row: row{
			Key: "auth0.provider_key", Variable: "AUTH0_PROVIDER_KEY", Kind: settings.Secrets, Off: true,
			Doc: "What the Actions of the phone provider and of feedback send as a bearer token. " +
				"At least 24 characters (openssl rand -hex 24); several while you change it.",
			Prevents: "Without a secret there, anyone could have the bridge text at your cost.",
		}, Set: keys(func(t *Tenant) *[]KeyCheck { return &t.Auth0.ProviderKeys })},
		{Row: row{
			Key: "auth0.log_stream_token", Variable: "AUTH0_LOG_STREAM_TOKEN", Kind: settings.Secrets,
			Off: true,
			Doc: "The authorization token of log streams, and the bearer token of event streams. " +
				"At least 24 characters (openssl rand -hex 24); several while you change it.",
			Prevents: "Without a secret there, anyone could report that codes were right.",
		}, Set: keys(func(t *Tenant) *[]KeyCheck { return &t.Auth0.StreamTokens })},
		{Row: row{
			Key: "auth0.phone_path", Off: true, Example: "details.phone_number",
			Doc:      "Where logs about MFA have the phone, from `data`. Left out: found by its form.",
			Prevents: "A log with two phones in it would be read wrongly.",
		}, Set: setPhonePath},
	}, auth0FormOptions())
}

// auth0FormOptions are about the hosted form.
func auth0FormOptions() []option {
	return []option{
		{Row: row{
			Key: "auth0.return", Default: "post", Off: true,
			Doc: "How log-ins return. post: by a form, the token in the body. redirect: by GET, the " +
				"token in the URL.",
			Prevents: "A token in a URL is seen by logs and by the browser's history.",
		}, Set: func(t *Tenant, v []string) *settings.Mistake {
			m := settings.JudgeChoice(v[0], "post", "redirect")
			if m == nil {
				t.Auth0.Redirect = v[0] == "redirect"
			}
			return m
		}},
		{Row: row{
			Key: "auth0.pass_code", Default: "false", Off: true,
			Doc: "Do not check the code, but hand it to the Action, as the original sample of the " +
				"redirect does (https://github.com/pazel-io/auth0-twilio-phone-verification).",
			Prevents: "With true, everyone who sees the token can read the code.",
		}, Set: settings.Switch(func(t *Tenant) *bool { return &t.Auth0.PassCode })},
		{Row: row{
			Key: "auth0.logo", Off: true, Example: "https://cdn.acme.example/logo.svg",
			Doc:      "A picture that the form shows beside {name}.",
			Prevents: "People do not type a code into a form that they do not recognize.",
		}, Set: setLogo},
		{Row: row{
			Key: "auth0.color", Off: true, Example: "#0b57d0",
			Doc:      "The color of the form's button.",
			Prevents: "In a file it needs quotes: without them, YAML takes it for a comment.",
		}, Set: setColor(func(t *Tenant) *string { return &t.Auth0.Color })},
		{Row: row{
			Key: "auth0.color_dark", Off: true, Example: "#a8c7fa",
			Doc:      "The same for people who prefer dark pages.",
			Prevents: "A dark button is hard to see on a dark page.",
		}, Set: setColor(func(t *Tenant) *string { return &t.Auth0.ColorDark })},
	}
}

func setPhonePath(t *Tenant, v []string) *settings.Mistake {
	if !dotted.MatchString(v[0]) {
		return settings.Wrong("is not a path", "write the names that lead to the phone, "+
			"with dots between them, such as details.phone_number")
	}
	t.Auth0.PhonePath = strings.Split(v[0], ".")
	return nil
}

func setLogo(t *Tenant, v []string) *settings.Mistake {
	u, err := url.Parse(v[0])
	if err != nil || u.Scheme != "https" || !phonemail.ValidDomain(u.Hostname()) || u.User != nil {
		return settings.Wrong("is not the address of a picture", "write it as https://host/path")
	}
	t.Auth0.Logo = v[0]
	return nil
}

func setColor(of func(*Tenant) *string) settings.Setter[Tenant] {
	return settings.Pattern(hexColor,
		settings.Wrong("is not a color", `write it as "#0b57d0", in quotes`), of)
}

func judgeSigning(secret string) *settings.Mistake {
	distinct := map[rune]bool{}
	for _, r := range secret {
		distinct[r] = true
	}
	if len(secret) < minSigning || len(distinct) < minDistinct || settings.JudgeKey(secret) != nil {
		return settings.Wrong("is too weak to sign with, or has characters that no key has",
			"make one of 32 characters or more with: openssl rand -hex 32")
	}
	return nil
}

// checkAuth0 finds what is wrong with the settings of Auth0 together, and says which doors stay
// closed.
func (l *loader) checkAuth0(t *Tenant, given settings.Given) {
	a := t.Auth0
	l.checkAuth0Domain(t, given)
	if t.Sending.VerifyService.OwnCode && len(a.ProviderKeys) > 0 {
		l.Add(given.Place("auth0.provider_key"), settings.Wrong(
			"is set although Twilio Verify draws the codes",
			"Auth0 draws and compares its own: set twilio_verify.code to bridge"))
	}
	if len(a.Domains) == 0 {
		return
	}
	for _, door := range [][3]string{
		{"auth0.session_token_secret", "AUTH0_SESSION_TOKEN_SECRET", "the form is"},
		{"auth0.provider_key", "AUTH0_PROVIDER_KEY",
			"the doors of the phone provider and of feedback are"},
		{"auth0.log_stream_token", "AUTH0_LOG_STREAM_TOKEN", "the door of log and event streams is"},
	} {
		if !given.Has(door[0]) {
			l.Warn("tenant %s: %s closed without %s (%s)", t.Slug, door[2], door[0], door[1])
		}
	}
	if a.PassCode {
		l.Warn("tenant %s: UNSAFE: the form hands codes to the Action in a token that whoever sees "+
			"it can read (auth0.pass_code)", t.Slug)
	}
}

// checkAuth0Domain finds log-ins that have nowhere to return to, and unsafe places.
func (l *loader) checkAuth0Domain(t *Tenant, given settings.Given) {
	for _, key := range []string{
		"auth0.session_token_secret", "auth0.return", "auth0.pass_code", "auth0.logo", "auth0.color",
		"auth0.color_dark",
	} {
		if given.Has(key) && !given.Has("auth0.domain") {
			l.Add(given.Place("auth0.domain"), settings.Wrong("is missing beside "+given.Place(key),
				"write the host of the tenant at Auth0, such as acme.eu.auth0.com"))
			break
		}
	}
	for _, domain := range t.Auth0.Domains {
		_, notIP := netip.ParseAddr(domain)
		if (!phonemail.ValidDomain(domain) || notIP == nil) && len(t.Links.UnsafeAllow) == 0 {
			l.Add(given.Place("auth0.domain"), settings.Wrong("has a port or an IP address",
				"log-ins return to host names on port 443; for a test set-up see unsafe_allow"))
		}
		if settings.IsLoopbackURL("http://"+domain) && len(t.Links.UnsafeAllow) > 0 {
			l.Warn("tenant %s: UNSAFE: log-ins return to this machine over plain http (auth0.domain)",
				t.Slug)
		}
	}
}

// checkAuth0Together finds secrets that two tenants must not share.
func (l *loader) checkAuth0Together(set Set) {
	for i, t := range set.all {
		for _, other := range set.all[:i] {
			shared := func(s settings.Secret) bool { return slices.Contains(other.Auth0.Secrets, s) }
			if slices.ContainsFunc(t.Auth0.Secrets, shared) {
				l.Add(l.given[t].Place("auth0.session_token_secret"), settings.Wrong(
					"is another tenant's",
					"every tenant has secrets of its own: they tell whose log-in it is"))
			}
		}
	}
}

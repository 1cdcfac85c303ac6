package tenant

import (
	"math"
	"net/netip"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"smsbridge/phonemail"
)

// Auth0 ties a tenant to its tenant at Auth0. Each of its doors is closed while
// what proves who knocks there is missing.
type Auth0 struct {
	// Domains are the hosts of the tenant at Auth0, its custom domain included;
	// where log-ins are, first.
	Domains []string
	Secrets []Secret // of session tokens; several during a rotation
	// ProviderKeys open the phone provider's door and that of feedback,
	// StreamTokens that of log and event streams.
	ProviderKeys, StreamTokens []KeyCheck
	// PhonePath leads to the phone in a log about MFA, from its data, such as
	// "details.request.phone"; nil to look for it.
	PhonePath []string

	Redirect bool // log-ins return by GET, the token in the URL, instead of by a posted form
	PassCode bool // the form hands the code to the Action, as the original sample of the redirect does

	Logo             string // URL, "" for none
	Color, ColorDark string // of the form's button, such as "#0b57d0", "" for the form's own; ColorDark where dark is preferred
}

// HasForm reports whether the tenant has the form: log-ins return to a domain,
// and there is a secret.
func (a Auth0) HasForm() bool { return len(a.Domains) > 0 && len(a.Secrets) > 0 }

// AllowsProvider reports whether the key opens the phone provider's door.
func (a Auth0) AllowsProvider(key string) bool { return anyKey(a.ProviderKeys, key) }

// AllowsStream reports whether the token opens the streams' door.
func (a Auth0) AllowsStream(token string) bool { return anyKey(a.StreamTokens, token) }

// ContinueURL is where a log-in at one of the domains goes on. It is https, but
// for this very machine, which only tests have.
//
// Source: https://auth0.com/docs/customize/actions/explore-triggers/signup-and-login-triggers/login-trigger/redirect-with-actions
func (a Auth0) ContinueURL(domain string) string {
	if isLoopbackURL("http://" + domain) {
		return "http://" + domain + "/continue"
	}
	return "https://" + domain + "/continue"
}

// FormCodeText returns the text that says a code for the hosted form, which
// browsers know by the bridge's own host.
func (t *Tenant) FormCodeText(code, locale string) string {
	form := *t
	form.CodeDomain = ""
	if u, err := url.Parse(t.public); err == nil && u.Port() == "" && phonemail.ValidDomain(u.Hostname()) {
		form.CodeDomain = u.Hostname()
	}
	return form.CodeText(code, locale)
}

// OnColor is the color, black or white, that is read best on another
// (https://www.w3.org/TR/WCAG22/#dfn-contrast-ratio).
func OnColor(color string) string {
	n, err := strconv.ParseUint(strings.TrimPrefix(color, "#"), 16, 24)
	if err != nil {
		return "#000000"
	}
	var light [3]float64
	for i, shift := range []int{16, 8, 0} {
		light[i] = linear(float64(n>>shift&0xff) / 255)
	}
	luminance := 0.2126*light[0] + 0.7152*light[1] + 0.0722*light[2]
	if 1.05/(luminance+0.05) >= (luminance+0.05)/0.05 {
		return "#ffffff"
	}
	return "#000000"
}

// linear undoes sRGB's gamma (https://www.w3.org/TR/WCAG22/#dfn-relative-luminance).
func linear(channel float64) float64 {
	if channel <= 0.04045 {
		return channel / 12.92
	}
	return math.Pow((channel+0.055)/1.055, 2.4)
}

var (
	hexColor = regexp.MustCompile(`^#[0-9a-fA-F]{6}$`)
	dotted   = regexp.MustCompile(`^[A-Za-z0-9_]+(\.[A-Za-z0-9_]+)*$`)
)

// What a secret that signs session tokens must have: HS256's key is as long as
// its hash (RFC 7518 section 3.2), and not one letter over and over.
const (
	minSigning  = 32
	minDistinct = 10
)

// auth0Options are about the tenant at Auth0.
func auth0Options() []option[Tenant] {
	return slices.Concat([]option[Tenant]{
		{"auth0.domain", "AUTH0_DOMAIN", list, "", func(t *Tenant, v []string) (m *Mistake) {
			t.Auth0.Domains, m = hosts(v)
			return m
		}},
		{"auth0.session_token_secret", "AUTH0_SESSION_TOKEN_SECRET", secrets, "", func(t *Tenant, v []string) *Mistake {
			for _, text := range v {
				if m := judgeSigning(text); m != nil {
					return m
				}
				t.Auth0.Secrets = append(t.Auth0.Secrets, NewSecret(text))
			}
			return nil
		}},
		{"auth0.provider_key", "AUTH0_PROVIDER_KEY", secrets, "", keys(func(t *Tenant) *[]KeyCheck { return &t.Auth0.ProviderKeys })},
		{"auth0.log_stream_token", "AUTH0_LOG_STREAM_TOKEN", secrets, "", keys(func(t *Tenant) *[]KeyCheck { return &t.Auth0.StreamTokens })},
		{"auth0.phone_path", "", one, "", func(t *Tenant, v []string) *Mistake {
			if !dotted.MatchString(v[0]) {
				return wrong("is not a path", "write the names that lead to the phone, with dots between them, such as details.phone_number")
			}
			t.Auth0.PhonePath = strings.Split(v[0], ".")
			return nil
		}},
	}, auth0FormOptions())
}

// auth0FormOptions are about the hosted form.
func auth0FormOptions() []option[Tenant] {
	color := func(of func(*Tenant) *string) func(*Tenant, []string) *Mistake {
		return func(t *Tenant, v []string) *Mistake {
			*of(t) = v[0]
			if !hexColor.MatchString(v[0]) {
				return wrong("is not a color", `write it as "#0b57d0", in quotes`)
			}
			return nil
		}
	}
	return []option[Tenant]{
		{"auth0.return", "", one, "", func(t *Tenant, v []string) *Mistake {
			t.Auth0.Redirect = v[0] == "redirect"
			return choice(v[0], "post", "redirect")
		}},
		{"auth0.pass_code", "", one, "", func(t *Tenant, v []string) *Mistake {
			t.Auth0.PassCode = v[0] == "true"
			return choice(v[0], "true", "false")
		}},
		{"auth0.logo", "", one, "", func(t *Tenant, v []string) *Mistake {
			t.Auth0.Logo = v[0]
			u, err := url.Parse(v[0])
			if err != nil || u.Scheme != "https" || !phonemail.ValidDomain(u.Hostname()) || u.User != nil {
				return wrong("is not the address of a picture", "write it as https://host/path")
			}
			return nil
		}},
		{"auth0.color", "", one, "", color(func(t *Tenant) *string { return &t.Auth0.Color })},
		{"auth0.color_dark", "", one, "", color(func(t *Tenant) *string { return &t.Auth0.ColorDark })},
	}
}

func judgeSigning(secret string) *Mistake {
	distinct := map[rune]bool{}
	for _, r := range secret {
		distinct[r] = true
	}
	if len(secret) < minSigning || len(distinct) < minDistinct || judgeSecret(secret) != nil {
		return wrong("is too weak to sign with, or has characters that no key has", "make one of 32 characters or more with: openssl rand -hex 32")
	}
	return nil
}

// checkAuth0 finds what is wrong with the settings of Auth0 together, and says
// which doors stay closed.
func (l *loader) checkAuth0(t *Tenant, given map[string]value, place placer) {
	a := t.Auth0
	for _, key := range []string{"auth0.session_token_secret", "auth0.return", "auth0.pass_code", "auth0.logo", "auth0.color", "auth0.color_dark"} {
		if _, ok := given[key]; ok && given["auth0.domain"].where == "" {
			l.add(place("auth0.domain"), wrong("is missing beside "+place(key), "write the host of the tenant at Auth0, such as acme.eu.auth0.com"))
			break
		}
	}
	for _, domain := range a.Domains {
		_, notIP := netip.ParseAddr(domain)
		if (!phonemail.ValidDomain(domain) || notIP == nil) && len(t.UnsafeAllow) == 0 {
			l.add(place("auth0.domain"), wrong("has a port or an IP address", "log-ins return to host names on port 443; for a test set-up see unsafe_allow"))
		}
		if isLoopbackURL("http://"+domain) && len(t.UnsafeAllow) > 0 {
			l.warn("tenant %s: UNSAFE: log-ins return to this machine over plain http (auth0.domain)", t.Slug)
		}
	}
	if t.VerifyService.OwnCode && len(a.ProviderKeys) > 0 {
		l.add(place("auth0.provider_key"), wrong("is set although Twilio Verify draws the codes", "Auth0 draws and compares its own: set twilio_verify.code to bridge"))
	}
	if len(a.Domains) == 0 {
		return
	}
	for _, door := range [][3]string{
		{"auth0.session_token_secret", "AUTH0_SESSION_TOKEN_SECRET", "the form is"},
		{"auth0.provider_key", "AUTH0_PROVIDER_KEY", "the doors of the phone provider and of feedback are"},
		{"auth0.log_stream_token", "AUTH0_LOG_STREAM_TOKEN", "the door of log and event streams is"},
	} {
		if given[door[0]].where == "" {
			l.warn("tenant %s: %s closed without %s (%s)", t.Slug, door[2], door[0], door[1])
		}
	}
	if a.PassCode {
		l.warn("tenant %s: UNSAFE: the form hands codes to the Action in a token that whoever sees it can read (auth0.pass_code)", t.Slug)
	}
}

// checkAuth0Together finds secrets that two tenants must not share.
func (l *loader) checkAuth0Together(set Set) {
	for i, t := range set.all {
		for _, other := range set.all[:i] {
			if slices.ContainsFunc(t.Auth0.Secrets, func(s Secret) bool { return slices.Contains(other.Auth0.Secrets, s) }) {
				l.add(l.places[t]("auth0.session_token_secret"), wrong("is another tenant's", "every tenant has secrets of its own: they tell whose log-in it is"))
			}
		}
	}
}

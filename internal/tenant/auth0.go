package tenant

import (
	"net/url"

	"smsbridge/internal/settings"
	"smsbridge/phonemail"
)

// Auth0 ties a tenant to its tenant at Auth0. Each of its doors is closed while the secret that
// opens it is missing.
type Auth0 struct {
	// Domains are the hosts of the tenant at Auth0, its custom domain included; where log-ins are,
	// first.
	Domains []string
	Secrets []settings.Secret // of session tokens; several during a rotation
	// ProviderKeys open the phone provider's door and that of feedback, StreamTokens that of log
	// and event streams.
	ProviderKeys, StreamTokens []KeyCheck
	// PhonePath leads to the phone in a log about MFA, from its data, such as
	// "details.request.phone"; nil to look for it.
	PhonePath []string

	Redirect bool // log-ins return by GET, the token in the URL, instead of by a posted form
	PassCode bool // the form hands the code to the Action, as the original sample of the redirect does

	Logo string // URL, "" for none
	// Color is that of the form's button, such as "#0b57d0", "" for the form's own; ColorDark is
	// for those who prefer dark pages.
	Color, ColorDark string
}

// HasForm reports whether the tenant has the form: log-ins return to a domain, and there is a
// secret.
func (a Auth0) HasForm() bool { return len(a.Domains) > 0 && len(a.Secrets) > 0 }

// AllowsProvider reports whether the key opens the phone provider's door.
func (a Auth0) AllowsProvider(key string) bool { return Place(a.ProviderKeys, key) > 0 }

// AllowsStream reports whether the token opens the streams' door.
func (a Auth0) AllowsStream(token string) bool { return Place(a.StreamTokens, token) > 0 }

// ContinueURL is where a log-in at one of the domains goes on. It is https, but for this very
// machine, which only tests have.
//
// Source: https://auth0.com/docs/customize/actions/explore-triggers/
// signup-and-login-triggers/login-trigger/redirect-with-actions
func (a Auth0) ContinueURL(domain string) string {
	if settings.IsLoopbackURL("http://" + domain) {
		return "http://" + domain + "/continue"
	}
	return "https://" + domain + "/continue"
}

// FormCodeText returns the text that says a code for the hosted form, which browsers know by the
// bridge's own host.
func (t *Tenant) FormCodeText(code, locale string) string {
	domain := ""
	u, err := url.Parse(t.public)
	if err == nil && u.Port() == "" && phonemail.ValidDomain(u.Hostname()) {
		domain = u.Hostname()
	}
	return t.codeText(code, locale, domain)
}

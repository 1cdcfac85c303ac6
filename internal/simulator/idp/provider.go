package idp

import (
	"cmp"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"
)

// Provider says whose mails and links the pretend identity provider has, and which of that provider's ways to verify.
type Provider string

// The providers, with what it takes to redeem the link or code of their mail. "API" is a request that a script in the
// page makes and a GET of the link does not. Only a mail whose [Mail].Purpose is verify or code verifies the address
// of who follows it; the other mails must not be followed for somebody. Lives that are not documented are ours, and so
// are the words of the result pages of Authgear, Cognito, FusionAuth, Okta, Rauthy and ZITADEL.
const (
	// Auth0, https://auth0.com/docs/customize/email/email-templates.
	Auth0Classic       Provider = "auth0-classic"        // GET; 302 to RedirectTo with success= and message=
	Auth0ClassicPage   Provider = "auth0-classic-page"   // GET; a page, whatever RedirectTo is
	Auth0Universal     Provider = "auth0-universal"      // GET, POST of a form with hidden state and cookie; then as classic
	Auth0UniversalPage Provider = "auth0-universal-page" // the same, ending on a page whatever RedirectTo is
	Auth0Code          Provider = "auth0-code"           // a code, and no link

	// Keycloak, services: VerifyEmailActionTokenHandler and ExecuteActionsActionTokenHandler.
	Keycloak        Provider = "keycloak"         // GET, GET of the page's "proceed" link with a cookie; a page
	KeycloakCode    Provider = "keycloak-code"    // a code, and no link
	KeycloakActions Provider = "keycloak-actions" // an administrator's invitation: a form that wants a password

	// One GET, then a redirect.
	GoTrue          Provider = "gotrue"            // Supabase; 303 with #access_token= or #error_code=
	GoTrueMagicLink Provider = "gotrue-magic-link" // a login link, else like gotrue
	GoTrueChange    Provider = "gotrue-change"     // a change of address; 303 with #message= or #error_code=
	BetterAuth      Provider = "better-auth"       // 302, the first with a session cookie; later ones look as good
	Hasura          Provider = "hasura-auth"       // Nhost; 302 with refreshToken= or error=
	Clerk           Provider = "clerk"             // 302 with __clerk_status=

	// One GET, then a page.
	ZitadelV1     Provider = "zitadel-v1"     // the mail has the code too
	FusionAuthGet Provider = "fusionauth-get" // as configured before postMethod
	Cognito       Provider = "cognito"        // never redirects
	Okta          Provider = "okta"           // the mail has a code too
	RauthyChange  Provider = "rauthy-change"  // a change of address

	// A form, with a cookie.
	FusionAuth     Provider = "fusionauth"      // a script submits it; a page
	Allauth        Provider = "django-allauth"  // csrfmiddlewaretoken; 302 to a page that needs a cookie to tell
	Authgear       Provider = "authgear"        // a login link, to be approved; a page
	OktaActivation Provider = "okta-activation" // an invitation: wants a password
	Rauthy         Provider = "rauthy"          // the sign-up's mail, a reset link: wants a password, which verifies too

	// A page of script, and one API POST with JSON.
	GoTrueTokenHash Provider = "gotrue-token-hash" // /auth/v1/verify {type, token_hash}
	ZitadelV2       Provider = "zitadel-v2"        // /v2/users/ID/email/verify {verificationCode}, with [Server.ServiceToken]
	Firebase        Provider = "firebase"          // /v1/accounts:update?key= {oobCode}, at [Server.APIURL]
	SuperTokens     Provider = "supertokens"       // /auth/user/email/verify {method: "token", token}
	PocketBase      Provider = "pocketbase"        // /api/collections/NAME/confirm-verification {token}; token in the fragment

	// A page of script, and an API of several steps with a cookie.
	Authentik  Provider = "authentik"   // GET of the flow executor, POST of the consent, GET
	KratosCode Provider = "kratos-code" // GET of the link, GET of the flow, POST of its form with code and csrf_token
	KratosLink Provider = "kratos-link" // GET of the link verifies; only the flow tells

	// A code, and no link.
	CognitoCode Provider = "cognito-code"
	EntraCode   Provider = "entra-code"
	HankoCode   Provider = "hanko-code"
	LogtoCode   Provider = "logto-code"
	CasdoorCode Provider = "casdoor-code"

	// Nothing to do.
	Notice Provider = "notice" // no link of the provider
)

// Providers returns all providers in the order of the constants.
func Providers() []Provider {
	var names []Provider
	for _, p := range profiles() {
		names = append(names, p.name)
	}
	return names
}

// profiles returns a row for each provider, in the order of the constants.
func profiles() []*profile {
	return slices.Concat(auth0(), keycloak(), redirects(), pages(), forms(), scripts(), authentik(),
		kratos(), codes())
}

const day = 24 * time.Hour

// bareLink is a mail that shows the URL itself as the link's words.
var bareLink = mailStyle{Subject: "Please verify your email address", Intro: "Follow this link to verify your account:", Parts: bothParts}

// sameWords returns the same words for every failure.
func sameWords(success, failure string) sayings {
	return sayings{success, failure, failure, failure, failure}
}

// profile is what is particular to one kind of mail and link.
type profile struct {
	name    Provider
	purpose string        // of the mail
	life    time.Duration // of link and code
	// link is the path, query and fragment of the link, with {secret}, {code}, {id}, {email} and {app} to be filled in;
	// empty if the mail has no link. Up to the query it is also the pattern of the route.
	link   string
	secret func(k *ticket, now time.Time) string // makes the ticket's secret; nil: 32 letters and digits
	code   func() string                         // makes the code; nil: the mail has none
	letter mailStyle
	says   sayings
	// get and post answer requests to the link, the latter if not nil. The ticket is an empty one if the link is not known.
	get, post linkHandler
}

type linkHandler func(i *Server, w http.ResponseWriter, r *http.Request, k *ticket)

// pattern returns the link's path as a pattern of [http.ServeMux] for exactly that path.
func (p *profile) pattern() string {
	path := p.link
	if end := strings.IndexAny(path, "?#"); end >= 0 {
		path = path[:end]
	}
	if strings.HasSuffix(path, "/") {
		path += "{$}"
	}
	return path
}

// secretOf returns the secret in a request to the link, or an empty string.
func (p *profile) secretOf(r *http.Request) string {
	link, _, _ := strings.Cut(p.link, "#")
	_, query, _ := strings.Cut(link, "?")
	for parameter := range strings.SplitSeq(query, "&") {
		if name, value, _ := strings.Cut(parameter, "="); value == "{secret}" {
			return r.URL.Query().Get(name)
		}
	}
	return r.PathValue("secret")
}

// fill returns the link of the ticket without scheme and host.
func (p *profile) fill(k *ticket, app string) string {
	return strings.NewReplacer("{secret}", k.secret, "{code}", k.code, "{id}", k.id,
		"{email}", url.QueryEscape(k.email), "{app}", url.QueryEscape(app)).Replace(p.link)
}

// provider returns the provider of that name, or nil.
func (i *Server) provider(name Provider) *profile {
	for _, p := range i.providers {
		if p.name == name {
			return p
		}
	}
	return nil
}

// name returns the provider that the manners ask for.
func (m Manners) name() Provider { return cmp.Or(m.Provider, Auth0Classic) }

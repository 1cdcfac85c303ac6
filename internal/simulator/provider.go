package simulator

import (
	"cmp"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"
)

// IdPProvider says whose mails and links the pretend identity provider has, and which of that provider's ways to verify.
type IdPProvider string

// The providers, with what it takes to redeem the link or code of their mail. "API" is a request that a script in the
// page makes and a GET of the link does not. Only a mail whose [IdPMail].Purpose is verify or code verifies the address
// of who follows it; the other mails must not be followed for somebody. Lives that are not documented are ours, and so
// are the words of the result pages of Authgear, Cognito, FusionAuth, Okta, Rauthy and ZITADEL.
const (
	// Auth0, https://auth0.com/docs/customize/email/email-templates.
	IdPAuth0Classic       IdPProvider = "auth0-classic"        // GET; 302 to RedirectTo with success= and message=
	IdPAuth0ClassicPage   IdPProvider = "auth0-classic-page"   // GET; a page, whatever RedirectTo is
	IdPAuth0Universal     IdPProvider = "auth0-universal"      // GET, POST of a form with hidden state and cookie; then as classic
	IdPAuth0UniversalPage IdPProvider = "auth0-universal-page" // the same, ending on a page whatever RedirectTo is
	IdPAuth0Code          IdPProvider = "auth0-code"           // a code, and no link

	// Keycloak, services: VerifyEmailActionTokenHandler and ExecuteActionsActionTokenHandler.
	IdPKeycloak        IdPProvider = "keycloak"         // GET, GET of the page's "proceed" link with a cookie; a page
	IdPKeycloakCode    IdPProvider = "keycloak-code"    // a code, and no link
	IdPKeycloakActions IdPProvider = "keycloak-actions" // an administrator's invitation: a form that wants a password

	// One GET, then a redirect.
	IdPGoTrue          IdPProvider = "gotrue"            // Supabase; 303 with #access_token= or #error_code=
	IdPGoTrueMagicLink IdPProvider = "gotrue-magic-link" // a login link, else like gotrue
	IdPGoTrueChange    IdPProvider = "gotrue-change"     // a change of address; 303 with #message= or #error_code=
	IdPBetterAuth      IdPProvider = "better-auth"       // 302, the first with a session cookie; later ones look as good
	IdPHasura          IdPProvider = "hasura-auth"       // Nhost; 302 with refreshToken= or error=
	IdPClerk           IdPProvider = "clerk"             // 302 with __clerk_status=

	// One GET, then a page.
	IdPZitadelV1     IdPProvider = "zitadel-v1"     // the mail has the code too
	IdPFusionAuthGet IdPProvider = "fusionauth-get" // as configured before postMethod
	IdPCognito       IdPProvider = "cognito"        // never redirects
	IdPOkta          IdPProvider = "okta"           // the mail has a code too
	IdPRauthyChange  IdPProvider = "rauthy-change"  // a change of address

	// A form, with a cookie.
	IdPFusionAuth     IdPProvider = "fusionauth"      // a script submits it; a page
	IdPAllauth        IdPProvider = "django-allauth"  // csrfmiddlewaretoken; 302 to a page that needs a cookie to tell
	IdPAuthgear       IdPProvider = "authgear"        // a login link, to be approved; a page
	IdPOktaActivation IdPProvider = "okta-activation" // an invitation: wants a password
	IdPRauthy         IdPProvider = "rauthy"          // the sign-up's mail, a reset link: wants a password, which verifies too

	// A page of script, and one API POST with JSON.
	IdPGoTrueTokenHash IdPProvider = "gotrue-token-hash" // /auth/v1/verify {type, token_hash}
	IdPZitadelV2       IdPProvider = "zitadel-v2"        // /v2/users/ID/email/verify {verificationCode}, with [IdP.ServiceToken]
	IdPFirebase        IdPProvider = "firebase"          // /v1/accounts:update?key= {oobCode}, at [IdP.APIURL]
	IdPSuperTokens     IdPProvider = "supertokens"       // /auth/user/email/verify {method: "token", token}
	IdPPocketBase      IdPProvider = "pocketbase"        // /api/collections/NAME/confirm-verification {token}; token in the fragment

	// A page of script, and an API of several steps with a cookie.
	IdPAuthentik  IdPProvider = "authentik"   // GET of the flow executor, POST of the consent, GET
	IdPKratosCode IdPProvider = "kratos-code" // GET of the link, GET of the flow, POST of its form with code and csrf_token
	IdPKratosLink IdPProvider = "kratos-link" // GET of the link verifies; only the flow tells

	// A code, and no link.
	IdPCognitoCode IdPProvider = "cognito-code"
	IdPEntraCode   IdPProvider = "entra-code"
	IdPHankoCode   IdPProvider = "hanko-code"
	IdPLogtoCode   IdPProvider = "logto-code"
	IdPCasdoorCode IdPProvider = "casdoor-code"

	// Nothing to do.
	IdPNotice IdPProvider = "notice" // no link of the provider
)

// IdPProviders returns all providers in the order of the constants.
func IdPProviders() []IdPProvider {
	var names []IdPProvider
	for _, p := range idpProviders() {
		names = append(names, p.name)
	}
	return names
}

// idpProviders returns a row for each provider, in the order of the constants.
func idpProviders() []*idpProvider {
	return slices.Concat(idpAuth0(), idpKeycloak(), idpRedirects(), idpPages(), idpForms(), idpScripts(), idpAuthentik(),
		idpKratos(), idpCodes())
}

const idpDay = 24 * time.Hour

// idpBare is a mail that shows the URL itself as the link's words.
var idpBare = idpLetter{Subject: "Please verify your email address", Intro: "Follow this link to verify your account:", Parts: idpBothParts}

// idpEvery returns the same words for every failure.
func idpEvery(success, failure string) idpWords {
	return idpWords{success, failure, failure, failure, failure}
}

// idpProvider is what is particular to one kind of mail and link.
type idpProvider struct {
	name    IdPProvider
	purpose string        // of the mail
	life    time.Duration // of link and code
	// link is the path, query and fragment of the link, with {secret}, {code}, {id}, {email} and {app} to be filled in;
	// empty if the mail has no link. Up to the query it is also the pattern of the route.
	link   string
	secret func(k *idpTicket, now time.Time) string // makes the ticket's secret; nil: 32 letters and digits
	code   func() string                            // makes the code; nil: the mail has none
	letter idpLetter
	says   idpWords
	// get and post answer requests to the link, the latter if not nil. The ticket is an empty one if the link is not known.
	get, post idpHandler
}

type idpHandler func(i *IdP, w http.ResponseWriter, r *http.Request, k *idpTicket)

// pattern returns the link's path as a pattern of [http.ServeMux] for exactly that path.
func (p *idpProvider) pattern() string {
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
func (p *idpProvider) secretOf(r *http.Request) string {
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
func (p *idpProvider) fill(k *idpTicket, app string) string {
	return strings.NewReplacer("{secret}", k.secret, "{code}", k.code, "{id}", k.id,
		"{email}", url.QueryEscape(k.email), "{app}", url.QueryEscape(app)).Replace(p.link)
}

// provider returns the provider of that name, or nil.
func (i *IdP) provider(name IdPProvider) *idpProvider {
	for _, p := range i.providers {
		if p.name == name {
			return p
		}
	}
	return nil
}

// name returns the provider that the manners ask for.
func (m IdPManners) name() IdPProvider { return cmp.Or(m.Provider, IdPAuth0Classic) }

package idp

import (
	"cmp"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"
)

// Provider says whose mails and links the server has, and which of that provider's ways to verify.
//
// Each has a file of its own, which says what it takes to redeem the link or code of its mail.
// "API" is a request that a script in the page makes; a GET of the link does not make it. A
// mail whose [Mail].Purpose is verify or code verifies the address of the person who follows
// it. The bridge must not follow any other mail for a person.
//
// Lives that a provider does not document are ours. So are the words on the result pages of
// Authgear, Cognito, FusionAuth, Okta, Rauthy and ZITADEL.
type Provider string

// Providers returns all providers, in the order of their files in profiles.
func Providers() []Provider {
	var names []Provider
	for _, p := range profiles() {
		names = append(names, p.name)
	}
	return names
}

// others returns the rows of the mails of [Server.ChangePassword] and [Server.SignIn].
func others() []*profile {
	return append(auth0Resets(), goTrueRecovery(), betterAuthPassword(), codeToSignIn())
}

// profiles returns a row for each provider, except for the mails of others.
func profiles() []*profile {
	return slices.Concat(
		auth0(), keycloak(), goTrue(), betterAuth(), hasura(), clerk(), zitadel(), fusionAuth(),
		cognito(), okta(),
		rauthy(), allauth(), authgear(), firebase(), superTokens(), pocketBase(), authentik(), kratos(),
		entra(), hanko(), logto(), casdoor(), frameworks(), notice())
}

const day = 24 * time.Hour

// profile is what is particular to one kind of mail and link.
type profile struct {
	name    Provider
	purpose string        // of the mail
	life    time.Duration // of link and code
	// following the mail verifies the address, although the mail is for something else
	proves bool
	// link is the path, query and fragment of the link, with {secret}, {code}, {id}, {email} and
	// {app} to be filled in. It is empty if the mail has no link. Up to the query it is also the
	// pattern of the route.
	link string
	// makes the ticket's secret; nil: 32 letters and digits
	secret func(k *ticket, now time.Time) string
	code   func() string // makes the code; nil: the mail has none
	style  mailStyle
	says   sayings
	// get and post serve requests to the link, the latter if not nil. The ticket is an empty one
	// if the link is unknown.
	get, post linkHandler
	api       *api // that redeems the link; nil: there is none
}

type linkHandler func(i *Server, w http.ResponseWriter, r *http.Request, k *ticket)

// verifies reports whether the provider's mail is for verifying the address.
func (p *profile) verifies() bool { return p.purpose == purposeVerify || p.purpose == purposeCode }

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

// provider returns the row of the provider of that name, or nil.
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

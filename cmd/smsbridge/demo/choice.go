package demo

import "smsbridge/internal/simulator/idp"

// Choice is an identity provider that the page lets ACME have.
type Choice struct {
	Value idp.Provider
	Words string
}

// Providers returns those whose mail is a link that a YES redeems, by what it takes.
func Providers() []Choice {
	return []Choice{
		{idp.Auth0Classic, "Auth0 Classic: redirects"},
		{idp.Auth0ClassicPage, "Auth0 Classic: shows a page"},
		{idp.Auth0Universal, "Auth0 Universal Login: a form to submit"},
		{idp.Keycloak, "Keycloak: a second link to proceed"},
		{idp.GoTrue, "Supabase: redirects with a session"},
		{idp.Clerk, "Clerk: redirects with a status"},
		{idp.Hasura, "Nhost: redirects with a token"},
		{idp.ZitadelV1, "ZITADEL: shows a page"},
		{idp.Cognito, "Cognito: shows a page"},
		{idp.Okta, "Okta: shows a page"},
		{idp.FusionAuth, "FusionAuth: a form to submit"},
		{idp.Allauth, "django-allauth: a form with a CSRF token"},
		{idp.BetterAuth, "Better Auth: redirects"},
		{idp.KratosLink, "Ory Kratos, link: a flow"},
		{idp.KratosCode, "Ory Kratos, code in the link: a flow"},
		{idp.Authentik, "authentik: a flow"},
		{idp.SuperTokens, "SuperTokens: an API call"},
		{idp.PocketBase, "PocketBase: an API call"},
	}
}

func readProvider(value string) idp.Provider {
	for _, provider := range Providers() {
		if string(provider.Value) == value {
			return provider.Value
		}
	}
	return idp.Auth0Classic
}

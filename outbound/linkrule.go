package outbound

import (
	"smsbridge/internal/tenant"
	"smsbridge/linkclick"
)

// Rule is a tenant's link rule. Its Check says whether the settings can work.
func Rule(t *tenant.Tenant) linkclick.Rule {
	return linkclick.Rule{
		Name: t.Name, Hosts: t.Links.IdPHosts, UnsafeAllow: t.Links.UnsafeAllow,
		Paths: t.Links.Paths, Wrappers: t.Links.Wrappers,
		Recipe: t.Links.Recipe, API: t.Links.API, Token: t.Links.Token.Reveal(),
	}
}

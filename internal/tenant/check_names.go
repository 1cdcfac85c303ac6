package tenant

import (
	"net"
	"net/netip"
	"net/url"
	"slices"
	"strings"

	"golang.org/x/net/publicsuffix"

	"smsbridge/internal/settings"
)

// This file judges names and networks: hosts that belong to everybody, names that cannot exist, and
// networks that hold the internet.

// judgeHosts refuses hosts of links that belong to more people than the tenant. Each customer of
// such a service has a name below it, and so has an attacker.
func judgeHosts(hosts []string) *settings.Mistake {
	for _, host := range hosts {
		if shared := sharedBy(nameOf(host)); shared != "" {
			return settings.Wrong(settings.Quote(host)+" belongs to everybody: "+shared,
				"write the host that is yours alone, such as acme.eu.auth0.com or login.acme.com")
		}
	}
	return nil
}

// sharedBy says why a host is not one customer's, "" when it may be.
func sharedBy(name string) string {
	if _, err := netip.ParseAddr(strings.Trim(name, "[]")); err == nil {
		return ""
	}
	if slices.Contains(services(), name) {
		return "all customers of that service have a name below it"
	}
	// A name below a top-level domain is a customer's own, except where the list says otherwise
	// (https://publicsuffix.org).
	if suffix, known := publicsuffix.PublicSuffix(name); suffix == name &&
		(known || strings.Contains(suffix, ".")) {
		return "anyone may have a name below it"
	}
	return ""
}

// services are names below which the customers of an identity provider have theirs, and that the
// list of public suffixes does not know.
func services() []string {
	return []string{
		"auth0.com", "eu.auth0.com", "us.auth0.com", "au.auth0.com", "uk.auth0.com", "jp.auth0.com",
		"ca.auth0.com", "okta.com", "oktapreview.com", "okta-emea.com", "onelogin.com",
		"clerk.accounts.dev", "accounts.dev", "fusionauth.io", "zitadel.cloud", "logto.app",
		"amazoncognito.com", "b2clogin.com", "ciamlogin.com", "login.microsoftonline.com",
		"firebaseapp.com", "web.app", "supabase.co", "supabase.com", "supabase.in", "appwrite.io",
		"hanko.io", "ory.sh", "oryapis.com", "projects.oryapis.com", "authgear.cloud",
		"google.com", "microsoft.com", "github.com",
	}
}

// judgeWrappers refuses shorteners at which anyone makes links.
func judgeWrappers(hosts []string) *settings.Mistake {
	shorteners := []string{
		"bit.ly", "buff.ly", "cutt.ly", "goo.gl", "is.gd", "lnkd.in", "ow.ly", "rb.gy",
		"rebrand.ly", "s.id", "short.io", "shorturl.at", "t.co", "t.ly", "tiny.cc", "tinyurl.com",
		"v.gd",
	}
	for _, host := range hosts {
		if slices.Contains(shorteners, nameOf(host)) {
			return settings.Wrong(settings.Quote(host)+" belongs to everybody: anyone makes links there",
				"write the host that your mail provider's tracking uses for you alone")
		}
	}
	return judgeHosts(hosts)
}

// checkOwnHosts finds hosts of links that are the bridge's own: it would open its own pages.
func (l *loader) checkOwnHosts(s Settings) {
	u, err := url.Parse(s.PublicURL)
	if err != nil || settings.IsLoopbackURL(s.PublicURL) {
		return
	}
	for _, t := range s.Tenants.all {
		if slices.Contains(t.Links.IdPHosts, withoutUsualPort(u)) {
			l.Add(l.given[t].Place("idp_hosts"), settings.Wrong("has the bridge's own host",
				"write the host to which the links in the identity provider's mails lead"))
		}
	}
}

// Impossible are warnings about names in the settings that cannot exist on the internet (RFC 2606,
// RFC 6761): an example that was left standing. There are none while the bridge itself is on
// localhost, as in a test set-up.
func (s Settings) Impossible() (warnings []string) {
	if settings.IsLoopbackURL(s.PublicURL) {
		return nil
	}
	warn := func(key, host string) {
		if cannotExist(nameOf(host)) {
			warnings = append(warnings, key+" names "+nameOf(host)+
				", which cannot exist: an example was left standing")
		}
	}
	if u, err := url.Parse(s.PublicURL); err == nil {
		warn("public_url", u.Host)
	}
	for _, t := range s.Tenants.all {
		warn("tenant "+t.Slug+": mail_domain", t.Address.Domain)
		for _, host := range slices.Concat(t.Links.IdPHosts, t.Links.Wrappers, t.Auth0.Domains) {
			warn("tenant "+t.Slug+": a host of links", host)
		}
	}
	return warnings
}

func cannotExist(name string) bool {
	labels := strings.Split(name, ".")
	last := labels[len(labels)-1]
	if last == "example" || last == "invalid" || last == "test" || last == "localhost" {
		return true
	}
	return len(labels) > 1 && labels[len(labels)-2] == "example" &&
		slices.Contains([]string{"com", "net", "org"}, last)
}

// withoutUsualPort is the host of a URL in small letters, without the port that its scheme has
// anyway.
func withoutUsualPort(u *url.URL) string {
	usual := map[string]string{"https": ":443", "http": ":80"}[u.Scheme]
	return strings.ToLower(strings.TrimSuffix(u.Host, usual))
}

// nameOf is a host without its port.
func nameOf(host string) string {
	if name, _, err := net.SplitHostPort(host); err == nil {
		return name
	}
	return host
}

// mostPublic is how many public addresses unsafe_allow may hold: one network of a company.
const mostPublic = 1 << 16

// judgeUnsafe refuses networks that together hold much of the internet, and those in which a
// machine finds its own credentials.
func judgeUnsafe(prefixes []netip.Prefix) *settings.Mistake {
	public := 0.0
	for _, p := range prefixes {
		switch {
		case p.Overlaps(netip.MustParsePrefix("169.254.0.0/16")) && p.Bits() > 8,
			p.Overlaps(netip.MustParsePrefix("fe80::/10")) && p.Bits() > 8:
			return settings.Wrong("has link-local addresses",
				"take "+p.String()+" out: clouds give out a machine's credentials there")
		case isPrivate(p):
		case p.Addr().Is4():
			public += float64(uint64(1) << (32 - p.Bits()))
		case p.Bits() < 48:
			public += mostPublic + 1
		}
	}
	if public > mostPublic {
		return settings.Wrong("holds much of the internet",
			"write the networks of your own test set-up, such as 127.0.0.0/8 or 10.0.0.0/8; "+
				"links to public hosts need none")
	}
	return nil
}

// isPrivate reports whether a network is one of those that no host on the internet has
// (https://www.iana.org/assignments/iana-ipv4-special-registry).
func isPrivate(p netip.Prefix) bool {
	for _, private := range []string{
		"10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16",
		"198.18.0.0/15", "::1/128", "fc00::/7",
	} {
		whole := netip.MustParsePrefix(private)
		if whole.Bits() <= p.Bits() && whole.Contains(p.Addr()) {
			return true
		}
	}
	return false
}

package linkclick

import (
	"errors"
	"fmt"
	"net/netip"
	"net/url"
	"slices"
	"strings"
)

// This file decides which URLs a link may have, before anything is resolved.

// maxURL bounds a link, in bytes. Links that carry signed tokens reach 2 KB.
const maxURL = 8 << 10

// Rule is a tenant's link rule: where its links may lead.
type Rule struct {
	// Name is what people know the application by, such as "TransferGo". Its letters say nothing about
	// a link.
	Name string
	// Hosts are the hosts that a link and its redirects may name, such as "login.acme.example". They
	// are compared whole and without case; there are no wildcards. "host:port" and an IP address
	// need UnsafeAllow.
	Hosts []string
	// Paths are how the paths of links begin that may be used although their shape is unknown, such
	// as "/account/confirm" or "/t/*/confirm". They hold whole segments, and "*" stands for any one.
	// A question mark ends the path and names the parameters of the link, as in "/confirm/*?" or
	// "/account?type=signup&token". The link then has no others. A "#" before it begins the path of
	// the fragment, as in "/#/confirm/*?". "reset:" or "login:" before the slash says what such links
	// do. Without it they verify, unless words say that one resets or signs in. What is not written
	// plainly fits none (find_params.go).
	Paths []string
	// Wrappers are hosts of the mail provider's link tracking, such as "email.acme.example". A link
	// there may stand for one on a host of Hosts. That target is judged instead: at once if the link
	// holds it, else when the click is redirected to it.
	Wrappers []string
	// Recipe is one of the Recipe constants: how verification links are redeemed, whatever their
	// shape. Empty leaves it to the shape.
	Recipe string
	// API is the base URL of the identity provider's API for the recipes that speak one, such as
	// "https://abc.supabase.co/auth/v1", without a slash at its end. Its host must be one of Hosts.
	// Empty means the provider's usual place. For firebase that is Google's own host, which needs no
	// entry in Hosts; for the others it is the origin of the link. supabase has no such place:
	// without API its link is opened like any other.
	API string
	// Token is a bearer token for the API, which only the zitadel recipe needs. It is that of a
	// service user who may verify addresses. Without it a link of ZITADEL's second login is opened
	// like any other. Secret.
	Token string
	// UnsafeAllow lists private prefixes that a click may reach all the same, over http, on any port
	// and by IP address. It is for the simulator and for an identity provider inside the operator's
	// own network.
	UnsafeAllow []netip.Prefix
}

// Why a URL is not allowed. These words appear in Candidate.Reasons.
const (
	notAURL       = "not an absolute http or https URL"
	notClean      = "has a space, a control character or a backslash"
	notHTTPS      = "not https"
	hasUser       = "names a user"
	isAddress     = "names an IP address"
	otherPort     = "names a port other than 443"
	notInRule     = "host is not in the link rule"
	tooLongForURL = "too long"
)

// judge parses a link and returns it in normal form (RFC 3986 section 6.2.2): scheme and host in
// lower case, default port removed. It rebuilds the URL from its parts, so that no other reader
// can see a different URL in the same bytes. why is empty if the rule allows it. u is nil if the
// link does not parse.
func (r Rule) judge(link string) (u *url.URL, why string) {
	link = strings.TrimSpace(link)
	switch {
	case len(link) > maxURL:
		return nil, tooLongForURL
	case strings.ContainsFunc(link, func(c rune) bool { return c <= ' ' || c == '\\' || c == 0x7f }):
		return nil, notClean
	}
	p, err := url.Parse(link)
	if err != nil || p.Opaque != "" || p.Hostname() == "" {
		return nil, notAURL
	}
	if p.Scheme != "https" && p.Scheme != "http" {
		return nil, notAURL
	}
	host, port := strings.ToLower(p.Hostname()), p.Port()
	if (p.Scheme == "https" && port == "443") || (p.Scheme == "http" && port == "80") {
		port = ""
	}
	u = &url.URL{
		Scheme: p.Scheme, Host: joinHost(host, port), Path: p.Path, RawPath: p.RawPath,
		RawQuery: p.RawQuery, Fragment: p.Fragment, RawFragment: p.RawFragment,
	}
	if u.Path == "" {
		u.Path = "/"
	}
	return u, r.refuse(p, u, host, port)
}

// refuse says why the rule forbids u, or returns "".
func (r Rule) refuse(p, u *url.URL, host, port string) string {
	unsafe := len(r.UnsafeAllow) > 0
	switch {
	case p.User != nil:
		return hasUser
	case u.Scheme != "https" && !unsafe:
		return notHTTPS
	case looksNumeric(host) && !r.allowsLiteral(host):
		return isAddress
	case port != "" && !unsafe:
		return otherPort
	case !slices.ContainsFunc(r.Hosts, func(h string) bool { return strings.EqualFold(h, u.Host) }):
		return notInRule
	}
	return ""
}

// allowsLiteral reports whether host is an IP address inside UnsafeAllow.
func (r Rule) allowsLiteral(host string) bool {
	ip, err := netip.ParseAddr(host)
	return err == nil && r.unsafeAllows(ip)
}

func (r Rule) unsafeAllows(ip netip.Addr) bool {
	return ip.Zone() == "" && slices.ContainsFunc(r.UnsafeAllow, func(p netip.Prefix) bool {
		return p.Contains(ip.Unmap()) || p.Contains(ip)
	})
}

// looksNumeric reports whether a resolver could read host as an IP address. Such a host holds a
// colon, or its last label is a number, also in hexadecimal (URL Standard, "ends in a number
// checker"). No public name ends so.
func looksNumeric(host string) bool {
	if strings.Contains(host, ":") {
		return true
	}
	host = strings.TrimSuffix(host, ".")
	last := host[strings.LastIndexByte(host, '.')+1:]
	if hex, ok := strings.CutPrefix(last, "0x"); ok {
		return strings.Trim(hex, "0123456789abcdef") == ""
	}
	return last == "" || strings.Trim(last, "0123456789") == ""
}

func joinHost(host, port string) string {
	if strings.Contains(host, ":") {
		host = "[" + host + "]"
	}
	if port != "" {
		host += ":" + port
	}
	return host
}

// Check returns an error that names all that cannot work in a rule. A host or wrapper must be a
// bare host name, and a path must begin with a slash. The recipe must exist and have what it needs,
// and the API must be a URL of the rule. A rule that fails is safe, but does not find or redeem
// what the operator wants.
func (r Rule) Check() error {
	var wrong []error
	for _, h := range slices.Concat(r.Hosts, r.Wrappers) {
		u, err := url.Parse("https://" + h)
		if err != nil || u.Host != h || u.Hostname() == "" {
			wrong = append(wrong, fmt.Errorf("host %q is not a host name", h))
		}
	}
	for _, p := range r.Paths {
		if _, ok := readPath(p); !ok {
			wrong = append(wrong, fmt.Errorf(
				"path %q is not a path such as /account/confirm, or allows every link", p))
		}
	}
	switch chosen := known().recipe(r.Recipe); {
	case r.Recipe == "":
	case chosen.name == "":
		wrong = append(wrong, fmt.Errorf("recipe %q does not exist", r.Recipe))
	case !chosen.needs.metBy(r):
		wrong = append(wrong, fmt.Errorf("recipe %q redeems nothing without %s", r.Recipe, chosen.needs))
	}
	if r.API != "" {
		if u, why := r.judge(r.API); why != "" {
			wrong = append(wrong, fmt.Errorf("API: %s", why))
		} else if u.RawQuery != "" || u.Fragment != "" {
			wrong = append(wrong, errors.New("API: has a query or a fragment"))
		}
	}
	return errors.Join(wrong...)
}

// judgeLink judges a link of a mail, which may be that of a wrapper.
func (r Rule) judgeLink(link string) (u *url.URL, wrapped bool, why string) {
	if u, why = r.judge(link); why != notInRule || len(r.Wrappers) == 0 {
		return u, false, why
	}
	r.Hosts = r.Wrappers
	u, why = r.judge(link)
	return u, why == "", why
}

// unwrap returns the one link in a parameter of a tracking link that the rule allows. It returns
// nil if there is none or more than one; then only the tracker can tell.
func (r Rule) unwrap(tracking *url.URL) *url.URL {
	var target *url.URL
	for _, values := range tracking.Query() {
		for _, v := range values {
			u, why := r.judge(v)
			if why != "" {
				continue
			}
			if target != nil && target.String() != u.String() {
				return nil
			}
			target = u
		}
	}
	return target
}

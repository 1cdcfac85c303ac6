package linkclick

import (
	"errors"
	"net"
	"net/netip"
	"net/url"
	"slices"
	"strings"
	"syscall"

	"code.dny.dev/ssrf"
)

// This file decides where a click may go: judge looks at a URL before
// anything is resolved, guard at the address that is about to be dialed.
// Names are judged first and addresses last, so a name server that changes
// its mind in between gains nothing.

// maxURL bounds a link, in bytes. Links that carry signed tokens reach 2 KB.
const maxURL = 8 << 10

// Rule is a tenant's link rule: where its links may lead.
type Rule struct {
	// Hosts are the hosts a link and its redirects may name, such as
	// "login.acme.example". They are compared whole, ignoring case; there are
	// no wildcards. "host:port" and an IP address need UnsafeAllow.
	Hosts []string
	// UnsafeAllow lists the prefixes that may be reached although they are
	// private, and over http, on any port and by IP address. It is for the
	// simulator and for an identity provider inside one's own network.
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

// judge parses a link and returns it in normal form (RFC 3986 section 6.2.2:
// scheme and host in lower case, default port removed), rebuilt from its parts
// so that no other reader can see a different URL in the same bytes. why is
// empty if the rule allows it. u is nil if the link does not parse.
func (r Rule) judge(link string) (u *url.URL, why string) {
	link = strings.TrimSpace(link)
	switch {
	case len(link) > maxURL:
		return nil, tooLongForURL
	case strings.ContainsFunc(link, func(c rune) bool { return c <= ' ' || c == '\\' || c == 0x7f }):
		return nil, notClean
	}
	p, err := url.Parse(link)
	if err != nil || p.Opaque != "" || p.Hostname() == "" || (p.Scheme != "https" && p.Scheme != "http") {
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

// looksNumeric reports whether some resolver could read host as an IP address:
// it holds a colon, or its last label is a number, also in hexadecimal (URL
// Standard, "ends in a number checker"). No public name ends so.
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

// errAddressNotAllowed ends a dial to an address that the guard refuses.
var errAddressNotAllowed = errors.New("address is not allowed")

// guard judges the address a connection is about to be made to.
type guard struct {
	rule  Rule
	plain bool // the request is http, not https
	safe  *ssrf.Guardian
	own   []net.Addr // this machine's, where services may listen that trust their neighbors
}

func newGuard(rule Rule, plain bool) guard {
	own, _ := net.InterfaceAddrs() // if they cannot be listed, the ranges below must do
	return guard{rule: rule, plain: plain, own: own, safe: ssrf.New(
		ssrf.WithPorts(443),
		// Azure's host agent answers every virtual machine on this public
		// address: https://learn.microsoft.com/azure/virtual-network/what-is-ip-address-168-63-129-16
		ssrf.WithDeniedV4Prefixes(netip.MustParsePrefix("168.63.129.16/32")),
	)}
}

// control is a net.Dialer.Control. It sees the very address that is dialed,
// after all name resolution.
func (g guard) control(network, address string, _ syscall.RawConn) error {
	ap, err := netip.ParseAddrPort(address)
	if err != nil || (network != "tcp4" && network != "tcp6") || !g.allows(ap) {
		return errAddressNotAllowed
	}
	return nil
}

// allows applies the rule to one address. The IANA registries in ssrf refuse
// every IPv6 address outside 2000::/3 and the 6to4 and Teredo ranges, and so
// ::/96, fec0::/10 and NAT64; what they leave is refused here: zones, ISATAP
// addresses, which carry an IPv4 address (RFC 5214 section 6.1), and the
// addresses of this machine.
func (g guard) allows(ap netip.AddrPort) bool {
	ip := ap.Addr()
	if ip.Zone() != "" {
		return false
	}
	ip = ip.Unmap()
	if g.rule.unsafeAllows(ip) {
		return true
	}
	return !g.plain && g.safe.SafeAddrPort(netip.AddrPortFrom(ip, ap.Port())) == nil && !isISATAP(ip) && !g.isOwn(ip)
}

func isISATAP(ip netip.Addr) bool {
	b := ip.As16()
	return ip.Is6() && b[8]&^2 == 0 && b[9] == 0 && b[10] == 0x5e && b[11] == 0xfe
}

func (g guard) isOwn(ip netip.Addr) bool {
	return slices.ContainsFunc(g.own, func(a net.Addr) bool {
		p, err := netip.ParsePrefix(a.String())
		return err == nil && p.Addr().Unmap() == ip
	})
}

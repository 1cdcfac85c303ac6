package linkclick

import (
	"errors"
	"net"
	"net/netip"
	"slices"
	"syscall"

	"code.dny.dev/ssrf"
)

// This file decides to which addresses a click may connect. Names are judged first (rule.go) and
// addresses last, when the connection is made. So a name server that changes its answer in
// between gains nothing.

// errAddressNotAllowed ends a connection to an address that the guard refuses.
var errAddressNotAllowed = errors.New("address is not allowed")

// guard judges the address to which a connection is about to be made.
type guard struct {
	rule  Rule
	plain bool // the request is http, not https
	safe  *ssrf.Guardian
	// own lists this machine's addresses, where services may listen that trust their neighbors.
	own func() ([]net.Addr, error)
}

func newGuard(rule Rule, plain bool) guard {
	return guard{rule: rule, plain: plain, own: net.InterfaceAddrs, safe: ssrf.New(
		ssrf.WithPorts(443),
		// Azure's host agent answers every virtual machine on this public address:
		// https://learn.microsoft.com/azure/virtual-network/what-is-ip-address-168-63-129-16
		ssrf.WithDeniedV4Prefixes(netip.MustParsePrefix("168.63.129.16/32")),
	)}
}

// control is a net.Dialer.Control. It sees the address of the connection itself, after all name
// resolution.
func (g guard) control(network, address string, _ syscall.RawConn) error {
	ap, err := netip.ParseAddrPort(address)
	if err != nil || (network != "tcp4" && network != "tcp6") || !g.allows(ap) {
		return errAddressNotAllowed
	}
	return nil
}

// allows applies the rule to one address. The package ssrf knows the IANA registries. It refuses
// every IPv6 address outside 2000::/3, and so ::/96, fec0::/10 and NAT64, and the 6to4 and Teredo
// ranges. What it leaves is refused here: zones, the addresses of this machine, and ISATAP
// addresses, which carry an IPv4 address (RFC 5214 section 6.1).
func (g guard) allows(ap netip.AddrPort) bool {
	ip := ap.Addr()
	if ip.Zone() != "" {
		return false
	}
	ip = ip.Unmap()
	if g.rule.unsafeAllows(ip) {
		return true
	}
	public := g.safe.SafeAddrPort(netip.AddrPortFrom(ip, ap.Port())) == nil
	return !g.plain && public && !isISATAP(ip) && !g.isOwn(ip)
}

func isISATAP(ip netip.Addr) bool {
	b := ip.As16()
	return ip.Is6() && b[8]&^2 == 0 && b[9] == 0 && b[10] == 0x5e && b[11] == 0xfe
}

func (g guard) isOwn(ip netip.Addr) bool {
	own, _ := g.own() // if they cannot be listed, the ranges of package ssrf must do
	return slices.ContainsFunc(own, func(a net.Addr) bool {
		p, err := netip.ParsePrefix(a.String())
		return err == nil && p.Addr().Unmap() == ip
	})
}

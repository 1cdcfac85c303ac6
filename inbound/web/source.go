package web

import (
	"net/netip"

	"github.com/labstack/echo/v4"
)

// Source is where a request comes from: an IPv4 address, or the /64 network that a subscriber has
// of IPv6. It is "" when that is not known. A proxy has a private address, and appends the address
// of its client to X-Forwarded-For. No other entry of that header is believed. Source is good
// enough to slow down who guesses, and proves nothing.
func Source(c echo.Context) string {
	ip, err := netip.ParseAddr(echo.ExtractIPFromXFFHeader()(c.Request()))
	if err != nil {
		return ""
	}
	ip = ip.Unmap().WithZone("")
	if ip.IsLoopback() || ip.IsPrivate() || ip.IsLinkLocalUnicast() {
		return ""
	}
	if ip.Is4() {
		return ip.String()
	}
	network, err := ip.Prefix(64)
	if err != nil {
		return ""
	}
	return network.String()
}

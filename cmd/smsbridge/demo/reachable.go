package demo

import (
	"net/netip"
	"strings"
)

// reachable lists what the bridge of the demo may reach although it is private: this machine, where
// all parties of the demo run.
const reachable = "127.0.0.0/8,::1/128"

// Reachable returns the networks that the bridge of the demo may reach although they are private.
func Reachable() []netip.Prefix {
	var networks []netip.Prefix
	for network := range strings.SplitSeq(reachable, ",") {
		networks = append(networks, netip.MustParsePrefix(network))
	}
	return networks
}

package demo

import (
	"net"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestPageHasTheNamesOfItsAddress(t *testing.T) {
	loopback := &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: 8080}
	everywhere := &net.TCPAddr{IP: net.IPv6unspecified, Port: 8080}
	tests := map[string]struct {
		addr net.Addr
		name string // of --addr
		host string
		want bool
	}{
		"loopback by address":             {loopback, "127.0.0.1", "127.0.0.9:8080", true},
		"loopback by name":                {loopback, "localhost", "localhost:8080", true},
		"loopback without a port":         {loopback, "localhost", "localhost", true},
		"loopback by another name":        {loopback, "bridge.example", "bridge.example:8080", false},
		"loopback without a name":         {loopback, "127.0.0.1", "", false},
		"the network by address":          {everywhere, "", "192.0.2.1:8080", true},
		"the network by its name":         {everywhere, "bridge.example", "Bridge.example:8080", true},
		"the network by another name":     {everywhere, "bridge.example", "evil.example:8080", false},
		"the network without a name":      {everywhere, "", "", false},
		"the network by a strange number": {everywhere, "", "2130706433:8080", false},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			p := &Page{Addr: test.addr, Asked: test.name + ":8080"}
			require.Equal(t, test.want, p.hasName(hostOf(test.host)))
		})
	}
	require.Equal(t, "http://127.0.0.1:8080", (&Page{Addr: everywhere}).url())
}

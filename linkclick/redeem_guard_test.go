package linkclick

import (
	"net"
	"net/netip"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

func TestJudge(t *testing.T) {
	inside := Rule{Hosts: []string{
		"login.acme.example", "login.acme.example:8443", "127.0.0.1:9000", "[::1]:9000", "10.0.0.1",
	},
		UnsafeAllow: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8"),
			netip.MustParsePrefix("::1/128")}}
	for _, tt := range []struct {
		rule Rule
		link string
		want string // the normal form, or why not
	}{
		{acme, auth0Verify, auth0Verify},
		{acme, "  HTTPS://LOGIN.Acme.Example:443/x#  ", "https://login.acme.example/x"},
		{acme, "https://auth.acme.example", "https://auth.acme.example/"},
		{acme, "https://login.acme.example/a%2Fb/../c?x=%20#f%20",
			"https://login.acme.example/a%2Fb/../c?x=%20#f%20"},
		{acme, "https://login.acme.example?", "https://login.acme.example/"},
		{acme, "http://login.acme.example/", notHTTPS},
		{acme, "https://login.acme.example:8443/", otherPort},
		{acme, "https://login.acme.example:0443/", otherPort},
		{acme, "https://a@login.acme.example/", hasUser},
		{acme, `https://login.acme.example/a\b`, notClean},
		{acme, "https://login.acme.example./", notInRule},
		{acme, "https://acme.example/", notInRule},
		{acme, "https://login.acme.example/" + strings.Repeat("x", maxURL), tooLongForURL},
		{inside, "http://login.acme.example/", "http://login.acme.example/"},
		// the guard still wants the address inside
		{inside, "https://login.acme.example:8443/", "https://login.acme.example:8443/"},
		{inside, "https://login.acme.example:8444/", notInRule},
		{inside, "http://127.0.0.1:9000/", "http://127.0.0.1:9000/"},
		{inside, "http://127.0.0.1/", notInRule},
		{inside, "http://[::1]:9000/", "http://[::1]:9000/"},
		{inside, "https://10.0.0.1/", isAddress},
		{inside, "http://[::1%25lo]:9000/", isAddress},
		{inside, "http://127.1:9000/", isAddress},
	} {
		u, why := tt.rule.judge(tt.link)
		if why != "" {
			require.Equal(t, tt.want, why, tt.link)
			continue
		}
		require.Equal(t, tt.want, u.String(), tt.link)
	}
}

func distinct(all []string) []string { return slices.Compact(slices.Sorted(slices.Values(all))) }

func TestHostileLinks(t *testing.T) {
	require.GreaterOrEqual(t, len(hostileLinks)+len(hostileAddresses), 250)
	require.Len(t, distinct(hostileLinks), len(hostileLinks))
	for _, link := range hostileLinks {
		// The fragment's host is never dialed; it is the one link here that is fine.
		if strings.Contains(link, "#@") {
			continue
		}
		_, why := acme.judge(link)
		require.NotEmpty(t, why, "%q", link)
	}
}

func TestGuardAddresses(t *testing.T) {
	require.Len(t, distinct(hostileAddresses), len(hostileAddresses))
	g := newGuard(acme, false)
	for _, a := range hostileAddresses {
		require.False(t, g.allows(netip.AddrPortFrom(netip.MustParseAddr(a), 443)), a)
	}
	// The edges just outside the ranges are the internet.
	for _, a := range []string{
		"1.0.0.1", "9.255.255.255", "11.0.0.0", "100.63.255.255", "100.128.0.0", "126.255.255.255",
		"128.0.0.1", "169.253.255.255", "169.255.0.0", "172.15.255.255", "172.32.0.0",
		"192.167.255.255", "192.169.0.0", "198.17.255.255", "198.20.0.0", "223.255.255.255",
		"168.63.129.15", "168.63.129.17", "2001:200::1", "2001:4860:4860::8888", "2003::1",
		"2606:4700::1111", "3ffe::1", "::ffff:8.8.8.8",
		// They only look like ISATAP addresses.
		"2606:4700::100:5efe:102:304", "2606:4700::1:5efe:102:304", "2606:4700::12fe:102:304",
		"2606:4700::5e12:102:304",
	} {
		require.True(t, g.allows(netip.AddrPortFrom(netip.MustParseAddr(a), 443)), a)
	}
}

// Only port 443 and https reach the internet; UnsafeAllow opens its prefixes and nothing else.
func TestGuardPortsAndUnsafeAllow(t *testing.T) {
	rule := Rule{UnsafeAllow: []netip.Prefix{netip.MustParsePrefix("10.1.0.0/16"),
		netip.MustParsePrefix("fd00:1::/32")}}
	for _, tt := range []struct {
		address string
		plain   bool
		want    bool
	}{
		{"8.8.8.8:443", false, true}, {"8.8.8.8:443", true, false}, {"8.8.8.8:80", true, false},
		{"8.8.8.8:80", false, false}, {"8.8.8.8:8443", false, false},
		{"10.1.2.3:443", false, true}, {"10.1.2.3:8080", true, true}, {"[::ffff:10.1.2.3]:8080", true,
			true}, {"10.2.0.1:443", false, false},
		{"[fd00:1::1]:8080", true, true}, {"[fd00:1::1%lo]:8080", true, false}, {"[fd00:2::1]:443", false,
			false}, {"127.0.0.1:443", false, false},
	} {
		require.Equal(t, tt.want, newGuard(rule, tt.plain).allows(netip.MustParseAddrPort(tt.address)),
			"%s plain=%v", tt.address, tt.plain)
	}
	g := newGuard(rule, false)
	require.NoError(t, g.control("tcp4", "10.1.2.3:443", nil))
	require.NoError(t, g.control("tcp6", "[fd00:1::1]:443", nil))
	require.ErrorIs(t, g.control("udp4", "10.1.2.3:443", nil), errAddressNotAllowed)
	require.ErrorIs(t, g.control("unix", "/tmp/socket", nil), errAddressNotAllowed)
	require.ErrorIs(t, g.control("tcp4", "login.acme.example:443", nil), errAddressNotAllowed)
}

func TestGuardRefusesOwnAddresses(t *testing.T) {
	g := newGuard(acme, false)
	own, err := g.own()
	require.NoError(t, err)
	require.NotEmpty(t, own)
	own = append(own, &net.IPNet{IP: net.IPv4(8, 8, 8, 8), Mask: net.CIDRMask(24, 32)})
	g.own = func() ([]net.Addr, error) { return own, nil }
	require.False(t, g.allows(netip.MustParseAddrPort("8.8.8.8:443")))
	require.True(t, g.allows(netip.MustParseAddrPort("8.8.8.9:443")))
}

// An allowed link, read by anyone, names a host of the rule and nothing odd.
func checkJudged(t interface{ Fatalf(string, ...any) }, link string) {
	u, why := acme.judge(link)
	if why != "" {
		return
	}
	again, err := url.Parse(u.String())
	if err != nil || again.Scheme != "https" || again.User != nil || again.Opaque != "" ||
		again.Port() != "" ||
		(again.Host != "login.acme.example" && again.Host != "auth.acme.example") {
		t.Fatalf("%q became %q", link, u)
	}
	if third, why := acme.judge(u.String()); why != "" || third.String() != u.String() {
		t.Fatalf("%q is not a normal form of %q", u, link)
	}
}

func TestJudgeProperty(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		piece := rapid.SampledFrom([]string{
			"https", "http", ":", "//", "/", "login.acme.example", "evil.example", "@", "\\", "#", "?",
			"%", "%2e", ".", ":443", ":80", " ", "\t", "[", "]", "::1", "a=b",
		})
		checkJudged(t, strings.Join(rapid.SliceOfN(piece, 1, 9).Draw(t, "pieces"), ""))
	})
}

func FuzzJudge(f *testing.F) {
	for _, link := range append(hostileLinks, auth0Verify) {
		f.Add(link)
	}
	f.Fuzz(func(t *testing.T, link string) { checkJudged(t, link) })
}

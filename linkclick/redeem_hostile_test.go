//go:build !race

package linkclick

import (
	"crypto/tls"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"smsbridge/internal/longtest"
)

// trap listens on every address of this machine and counts connections.
func trap(t *testing.T) (port string, connections *atomic.Int32) {
	t.Helper()
	l, err := net.Listen("tcp", ":0")
	require.NoError(t, err)
	t.Cleanup(func() { l.Close() })
	connections = new(atomic.Int32)
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			connections.Add(1)
			c.Close()
		}
	}()
	_, port, err = net.SplitHostPort(l.Addr().String())
	require.NoError(t, err)
	return port, connections
}

// A name that the rule allows may have any address. None of the hostile ones is connected to,
// alone or among others, at once or after a redirect, over http or https, on whatever port.
func TestNoConnectionToHostileAddresses(t *testing.T) {
	longtest.Skip(t)
	port, connections := trap(t)
	var answer atomic.Pointer[[]netip.Addr]
	resolver := nameServer(t, func() []netip.Addr { return *answer.Load() })
	p, c := serve(t, func(w http.ResponseWriter,
		r *http.Request) {
		redirectTo(r.URL.Query().Get("to"))(w, r)
	})
	c.testOnly.resolver = resolver
	c.Rule.Hosts = append(c.Rule.Hosts, "login.acme.example", "login.acme.example:"+port)

	try := func(addresses ...netip.Addr) {
		answer.Store(&addresses)
		for _, link := range []string{"https://login.acme.example/x", "https://login.acme.example:" +
			port + "/x", "http://login.acme.example:" + port + "/x"} {
			r := c.Click(t.Context(), link, nil)
			require.Equal(t, Result{OutcomeUnreachable, ReasonAddress, false, r.Steps, ""}, r, "%s at %v",
				link, addresses)
			r = c.Click(t.Context(), p.URL+"/?to="+url.QueryEscape(link), nil)
			require.Equal(t, Result{OutcomeUnknown, ReasonAddress, true, r.Steps, ""}, r, "%s at %v",
				link, addresses)
			require.Len(t, r.Steps, 2)
		}
	}
	// 127.0.0.1 is where the identity provider of this test is allowed to be, and a name cannot have
	// an address with a zone.
	var all []netip.Addr
	for _, a := range hostileAddresses {
		if ip := netip.MustParseAddr(a); ip.Zone() == "" && ip.Unmap() != loopback[0].Addr() {
			all = append(all, ip)
			try(ip)
		}
	}
	own, err := net.InterfaceAddrs()
	require.NoError(t, err)
	for _, a := range own {
		if ip := netip.MustParsePrefix(a.String()).Addr(); ip != loopback[0].Addr() {
			try(ip)
		}
	}
	try(all[:10]...)
	try(netip.MustParseAddr("127.0.0.2"), netip.MustParseAddr("::1"), netip.MustParseAddr("0.0.0.0"))
	require.Zero(t, connections.Load())

	// The trap does see what is let through.
	answer.Store(&[]netip.Addr{loopback[0].Addr()})
	require.True(t, c.Click(t.Context(), "http://login.acme.example:"+port+"/x", nil).Sent)
	require.NotZero(t, connections.Load())
}

// Only https reaches the internet: a link with http whose name has a public address is not dialed,
// at the port of https either. The address is of a range that was given back, so that nothing would
// answer.
func TestNoConnectionOverHTTPToTheInternet(t *testing.T) {
	_, c := serve(t, says("x"))
	c.testOnly.resolver = nameServer(t, func() []netip.Addr {
		return []netip.Addr{netip.MustParseAddr("3ffe::1")}
	})
	c.Rule.Hosts = append(c.Rule.Hosts, "login.acme.example", "login.acme.example:443")
	for _, host := range c.Rule.Hosts[1:] {
		r := open(t, c, "http://"+host+"/x")
		require.Equal(t, Result{OutcomeUnreachable, ReasonAddress, false, r.Steps, ""}, r, host)
	}
}

// None of these reaches the trap, as a link or as the target of a redirect. The port is the
// trap's wherever a URL has room for one.
func TestNoConnectionForHostileLinks(t *testing.T) {
	longtest.Skip(t)
	port, connections := trap(t)
	p, c := serve(t, func(w http.ResponseWriter,
		r *http.Request) {
		redirectTo(r.URL.Query().Get("to"))(w, r)
	})
	for _, link := range hostileLinks {
		for _, l := range []string{link, strings.Replace(link, "/", ":"+port+"/", 3),
			strings.TrimSuffix(link, "/") + ":" + port + "/"} {
			r := c.Click(t.Context(), l, nil)
			require.Equal(t, Result{Outcome: OutcomeUnreachable, Reason: ReasonLinkForbidden}, r, "%q", l)
			r = c.Click(t.Context(), p.URL+"/?to="+url.QueryEscape(l), nil)
			require.NotEqual(t, OutcomeConfirmed, r.Outcome, "%q", l)
		}
	}
	require.Zero(t, connections.Load())
}

// A name server that answers differently the second time gains nothing.
func TestRebinding(t *testing.T) {
	port, connections := trap(t)
	var reached atomic.Bool // the name server changes its mind between the two requests
	resolver := nameServer(t, func() []netip.Addr {
		if !reached.Load() {
			return []netip.Addr{loopback[0].Addr()}
		}
		return []netip.Addr{netip.MustParseAddr("127.0.0.2"), netip.MustParseAddr("::1")}
	})
	p, c := serve(t, func(w http.ResponseWriter, r *http.Request) {
		reached.Store(true)
		redirectTo("http://login.acme.example:"+port+"/x")(w, r)
	})
	c.testOnly.resolver = resolver
	plain := httptest.NewServer(p.Config.Handler) // whose certificate would not be for that name
	defer plain.Close()
	_, own, err := net.SplitHostPort(plain.Listener.Addr().String())
	require.NoError(t, err)
	c.Rule.Hosts = []string{"login.acme.example:" + own, "login.acme.example:" + port}
	r := open(t, c, "http://login.acme.example:"+own+"/x")
	require.Equal(t, Result{OutcomeUnknown, ReasonAddress, true, r.Steps, ""}, r)
	require.Len(t, r.Steps, 2)
	require.Zero(t, connections.Load())
}

// Without UnsafeAllow nothing on this machine is reached even by its exact name.
func TestNoConnectionWithoutUnsafeAllow(t *testing.T) {
	port, connections := trap(t)
	for _, host := range []string{"127.0.0.1", "127.0.0.1:" + port, "[::1]:" + port, "localhost:" +
		port, "login.acme.example:" + port} {
		for _, scheme := range []string{"http://", "https://"} {
			c := &Clicker{Rule: Rule{Hosts: []string{host}}}
			require.Equal(t, ReasonLinkForbidden, c.Click(t.Context(), scheme+host+"/x", nil).Reason, host)
		}
	}
	require.Zero(t, connections.Load())
}

// Old TLS is refused, and clicks leave no goroutine behind.
func TestTransport(t *testing.T) {
	s := httptest.NewUnstartedServer(says("Your email has been verified."))
	s.Config.ErrorLog = log.New(io.Discard, "", 0)
	s.TLS = &tls.Config{MinVersion: tls.VersionTLS11, MaxVersion: tls.VersionTLS11}
	s.StartTLS()
	defer s.Close()
	p, c := serve(t, says("Your email has been verified."))
	old := &Clicker{Rule: Rule{Hosts: []string{s.Listener.Addr().String()}, UnsafeAllow: loopback},
		testOnly: c.testOnly}
	require.Equal(t, ReasonConnect, open(t, old, s.URL).Reason)

	before := runtime.NumGoroutine()
	for range 20 {
		require.Equal(t, OutcomeConfirmed, open(t, c, p.URL+"/x").Outcome)
	}
	require.Eventually(t, func() bool { return runtime.NumGoroutine() <= before+2 }, time.Minute,
		10*time.Millisecond)
}

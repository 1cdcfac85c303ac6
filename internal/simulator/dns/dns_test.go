package dns_test

import (
	"context"
	"errors"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"smsbridge/internal/simulator/dns"
)

// Ensure that Go's own resolver reads the records, and tells the failures apart.
func TestServer(t *testing.T) {
	s, err := dns.Open()
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, s.Close()) })
	resolver := &net.Resolver{PreferGo: true, Dial: func(
		ctx context.Context, network, _ string,
	) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, network, s.Addr().String())
	}}
	patience := time.Minute
	look := func(name string) ([]string, *net.DNSError) {
		ctx, cancel := context.WithTimeout(t.Context(), patience)
		defer cancel()
		records, err := resolver.LookupTXT(ctx, name+".")
		var failed *net.DNSError
		require.Equal(t, err != nil, errors.As(err, &failed))
		return records, failed
	}
	long := strings.Repeat("x", 700)
	require.NoError(t, s.SetTXT("S1._domainkey.acme.example", "v=DKIM1; p=", long))
	require.Error(t, s.SetTXT("s1._domainkey.acme.example", strings.Repeat("x", 1001)))

	records, failed := look("s1._domainkey.ACME.example")
	require.Nil(t, failed)
	require.ElementsMatch(t, []string{"v=DKIM1; p=", long}, records)
	_, failed = look("s2._domainkey.acme.example")
	require.True(t, failed.IsNotFound)
	require.NoError(t, s.SetTXT("s1._domainkey.acme.example"))
	_, failed = look("s1._domainkey.acme.example")
	require.True(t, failed.IsNotFound)
	for _, manners := range []dns.Manners{{Fail: true}, {Refuse: true}, {Silent: true}} {
		s.Set(func(m *dns.Manners) { *m = manners })
		if manners.Silent {
			patience = 100 * time.Millisecond
		}
		_, failed = look("s1._domainkey.acme.example")
		require.False(t, failed.IsNotFound, manners)
	}
	require.Contains(t, s.Asked(), "s1._domainkey.acme.example")
}

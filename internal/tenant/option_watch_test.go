//go:build !race

package tenant

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// Ensure that operators are warned when strangers may reach what only they should read.
func TestMetricsAddr(t *testing.T) {
	for addr, warned := range map[string]bool{
		"127.0.0.1:9464": false, "[::1]:9464": false, "localhost:9464": false, "10.1.2.3:9464": false,
		"192.168.1.2:9464": false, "[fd00::1]:9464": false,
		":9464": true, "0.0.0.0:9464": true, "203.0.113.5:9464": true, "metrics.example:9464": true,
	} {
		s, err := FromEnv(oneTenant("SMSBRIDGE_METRICS_ADDR=" + addr))
		require.NoError(t, err)
		require.Equal(t, addr, s.MetricsAddr)
		if warned {
			require.Len(t, otherWarnings(s), 1, addr)
			require.Contains(t, otherWarnings(s)[0],
				"SMSBRIDGE_METRICS_ADDR is neither a loopback nor a private address")
		} else {
			require.Empty(t, otherWarnings(s), addr)
		}
	}
	s, err := FromEnv(oneTenant())
	require.NoError(t, err)
	require.Empty(t, s.MetricsAddr)
	require.Equal(t, 512, s.DiskLeast)
	for change, what := range map[string]string{
		"SMSBRIDGE_METRICS_ADDR=9464":           "not an address to listen on",
		"SMSBRIDGE_METRICS_ADDR=:8080":          "where the bridge itself listens",
		"SMSBRIDGE_METRICS_ADDR=127.0.0.1:8080": "where the bridge itself listens",
		"SMSBRIDGE_METRICS_ADDR=:8090 SMSBRIDGE_OPERATOR_ADDR=127.0.0.1:8090 SMSBRIDGE_OPERATORS=" +
			loginOf("anna", "act", "12"): "where the pages for operators listen",
		"SMSBRIDGE_DISK_LEAST=-1": "not a number",
	} {
		_, err := FromEnv(oneTenant(strings.Fields(change)...))
		require.Contains(t, mistakesOf(t, err)[0].What, what)
	}
}

// Ensure that two addresses are the same where one of the listeners could not be opened.
func TestSameListener(t *testing.T) {
	for _, c := range []struct {
		a, b string
		same bool
	}{
		{"127.0.0.1:80", "127.0.0.1:80", true}, {"127.0.0.1:80", "127.0.0.2:80", false},
		{"127.0.0.1:80", "127.0.0.1:81", false}, {":80", "127.0.0.1:80", true},
		{"0.0.0.0:80", "127.0.0.1:80", true}, {"0.0.0.0:80", "[::1]:80", false},
		{"[::]:80", "[::1]:80", true}, {"[::]:80", "127.0.0.1:80", true}, {":0", ":0", false},
		{"", "127.0.0.1:80", false}, {"", "", false}, {"0.0.0.0:80", "localhost:80", true},
		{"localhost:80", "127.0.0.1:80", true}, {"localhost:80", "127.0.0.2:80", false},
	} {
		require.Equal(t, c.same, sameListener(c.a, c.b), c)
		require.Equal(t, c.same, sameListener(c.b, c.a), c)
	}
}

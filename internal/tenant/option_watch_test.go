//go:build !race

package tenant

import (
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
		"SMSBRIDGE_METRICS_ADDR=9464":  "not an address to listen on",
		"SMSBRIDGE_METRICS_ADDR=:8080": "where the bridge itself listens",
		"SMSBRIDGE_DISK_LEAST=-1":      "not a number",
	} {
		_, err := FromEnv(oneTenant(change))
		require.Contains(t, mistakesOf(t, err)[0].What, what)
	}
}

//go:build !race

package tenant

import (
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"
)

const collectorAddr = "SMSBRIDGE_OTLP_URL=https://otlp.example/base/"

// Ensure that traces go nowhere unless a collector is named, and that its headers are read.
func TestTraces(t *testing.T) {
	s, err := FromEnv(oneTenant())
	require.NoError(t, err)
	require.Equal(t, Traces{Share: 100}, s.Traces)
	s, err = FromEnv(oneTenant(collectorAddr, "SMSBRIDGE_OTLP_SHARE=7",
		"SMSBRIDGE_OTLP_HEADERS=authorization=Bearer 4f1e0d8c2b7a96532d,x-set=9b8a7c6d5e4f3210=="))
	require.NoError(t, err)
	require.Equal(t, "https://otlp.example/base", s.Traces.URL)
	require.Equal(t, 7, s.Traces.Share)
	require.Equal(t, http.Header{
		"Authorization": {"Bearer 4f1e0d8c2b7a96532d"}, "X-Set": {"9b8a7c6d5e4f3210=="},
	}, s.Traces.Header())
	plain := "SMSBRIDGE_OTLP_URL=http://collector:4318" // in the same cluster, without a key
	s, err = FromEnv(oneTenant(plain))
	require.NoError(t, err)
	require.Equal(t, "http://collector:4318", s.Traces.URL)
}

// Ensure that what is wrong with a collector is said with a remedy, and that no key is repeated.
func TestTraceMistakes(t *testing.T) {
	const key = "SMSBRIDGE_OTLP_HEADERS=X-Key=4f1e0d8c2b7a96532d"
	for what, changes := range map[string][]string{
		"is not a web address":                {"SMSBRIDGE_OTLP_URL=collector:4318"},
		"has a user, a query or a fragment":   {"SMSBRIDGE_OTLP_URL=https://u:p@otlp.example"},
		"ends with /v1/traces":                {"SMSBRIDGE_OTLP_URL=https://otlp.example/v1/traces"},
		"is for a collector, and there is":    {key},
		"is plain http, and a key would":      {"SMSBRIDGE_OTLP_URL=http://collector:4318", key},
		"plain http, and a key would be read": {"SMSBRIDGE_OTLP_URL=Http://collector:4318", key},
		"has an entry that is no header": {collectorAddr,
			"SMSBRIDGE_OTLP_HEADERS=4f1e0d8c2b7a96532d"},
		"has a header that the bridge sets": {collectorAddr,
			"SMSBRIDGE_OTLP_HEADERS=host=4f1e0d8c2b7a9653"},
		"is too weak":                   {collectorAddr, "SMSBRIDGE_OTLP_HEADERS=x=1"},
		"is not a number from 1 to 100": {"SMSBRIDGE_OTLP_SHARE=101"},
	} {
		_, err := FromEnv(oneTenant(changes...))
		mistakes := mistakesOf(t, err)
		require.Len(t, mistakes, 1, what)
		require.Contains(t, mistakes[0].What, what)
		require.NotEmpty(t, mistakes[0].Hint)
		require.NotContains(t, err.Error(), "4f1e0d8c")
	}
}

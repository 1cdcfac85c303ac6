//go:build !race

package tenant

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// Replicas on one machine, or at addresses of their own, have the same settings. A setting that
// decides anything makes them differ, and so does a secret.
func TestReplicasListenApart(t *testing.T) {
	anna, m := HashPassword("anna", Act, "correct horse battery", DrawnCost)
	require.Nil(t, m)
	at := func(changes ...string) Settings {
		loaded, err := FromEnv(oneTenant(append(changes, "SMSBRIDGE_OPERATORS="+anna)...))
		require.NoError(t, err)
		return loaded
	}
	listens := func(port string) []string {
		return []string{
			"SMSBRIDGE_ADDR=10.0.0.1:1" + port, "SMSBRIDGE_METRICS_ADDR=10.0.0.1:2" + port,
			"SMSBRIDGE_OPERATOR_ADDR=10.0.0.1:3" + port,
			"SMSBRIDGE_OPERATOR_URL=https://ops" + port + ".acme.example",
			"SMSBRIDGE_SOCKET=/run/smsbridge/" + port,
			"SMSBRIDGE_FLOWROUTE_ADDR=10.0.0.1:4" + port,
			"SMSBRIDGE_FLOWROUTE_DOOR_KEY=5be1f072a8d6350e7b1fc2a95d8e460c",
		}
	}
	one := at(listens("001")...)
	require.Equal(t, one.Fingerprint, at(listens("002")...).Fingerprint)
	require.Len(t, one.Fixed(at(listens("002")...)), 5)
	for _, other := range []string{
		"SMSBRIDGE_COUNTRIES=DK", "SMSBRIDGE_DRAIN=4s", "SMSBRIDGE_DNS=10.0.0.53:53",
		"TWILIO_AUTH_TOKEN=" + testOld,
	} {
		require.NotEqual(t, one.Fingerprint, at(append(listens("001"), other)...).Fingerprint, other)
	}
}

// Ensure that replicas have the same settings in whichever order a mapping is written. The order of
// a list may matter, and is part of them.
func TestOrderInAFile(t *testing.T) {
	at := func(senders, tags, domains string) string {
		s, err := fromYAML(t, yamlTwilio+", senders: "+senders+"}\n    twilio_verify: {service_sid: "+
			testVA+", tags: "+tags+"}\n    mailgun.storage_hosts: "+domains+"\n")
		require.NoError(t, err)
		return s.Fingerprint
	}
	const ab, ba = "[a.example, b.example]", "[b.example, a.example]"
	one := at("{SE: '+46700000000', NO: '+4740612345'}", "{app: web, in: eu}", ab)
	require.Equal(t, one, at("{NO: '+4740612345', SE: '+46700000000'}", "{in: eu, app: web}", ab))
	require.NotEqual(t, one, at("{NO: '+46700000000', SE: '+4740612345'}", "{in: eu, app: web}", ab))
	require.NotEqual(t, one, at("{NO: '+4740612345', SE: '+46700000000'}", "{in: eu, app: web}", ba))
}

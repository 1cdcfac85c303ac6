//go:build !race

package tenant

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestSenderSettings(t *testing.T) {
	require.Equal(t, Sender{VerifyDKIM, []string{"acme.example"}}, mustTenant(t).Mails.Sender)
	several := mustTenant(t, "SMSBRIDGE_SENDER_DOMAINS=ACME.example, mail.acme.example,acme.example")
	require.Equal(t, []string{"acme.example", "mail.acme.example"}, several.Mails.Sender.Domains)
	for _, own := range []string{"acme.co.uk", "acme.firebaseapp.com", "notgmail.com"} {
		require.Equal(t, []string{own},
			mustTenant(t, "SMSBRIDGE_SENDER_DOMAINS="+own).Mails.Sender.Domains)
	}
}

// Ensure that what leaves a sender unproved is said loudly at each start, and nothing else is.
func TestSenderWarnings(t *testing.T) {
	for _, test := range []struct{ change, domains, warning string }{
		{"SMSBRIDGE_SENDER_VERIFY=dkim", "acme.example", ""},
		{"SMSBRIDGE_SENDER_VERIFY=off", "", "UNSAFE: the sender of mails is not verified"},
		{"SMSBRIDGE_SENDER_VERIFY=off", "acme.example", "UNSAFE: the sender of mails is not verified"},
		{"SMSBRIDGE_SENDER_VERIFY=mailgun", "acme.example", "keep the spam filter"},
		{"SMSBRIDGE_SENDER_VERIFY=dkim", "auth0user.net", "all customers of that identity provider"},
		{"SMSBRIDGE_SENDER_VERIFY=dkim", "mail.app.supabase.io", "all customers of that"},
	} {
		s, err := FromEnv(oneTenant(test.change, "SMSBRIDGE_SENDER_DOMAINS="+test.domains))
		require.NoError(t, err)
		if test.warning == "" {
			require.Empty(t, otherWarnings(s))
			continue
		}
		require.Contains(t, strings.Join(s.Warnings, "\n"), test.warning)
	}
}

func TestNameServer(t *testing.T) {
	s, err := FromEnv(oneTenant())
	require.NoError(t, err)
	require.False(t, s.DNS.IsValid())
	s, err = FromEnv(oneTenant("SMSBRIDGE_DNS=[::1]:5353"))
	require.NoError(t, err)
	require.Equal(t, "[::1]:5353", s.DNS.String())
}

//go:build !race

package tenant

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// Ensure that hosts, networks and paths that hold far more than the tenant's own are refused.
func TestMistakesInNames(t *testing.T) {
	for _, tt := range []struct{ change, what, hint string }{
		{"SMSBRIDGE_PUBLIC_URL=https://bridge.acme.example/sms", "has a path", "host of its own"},
		{"SMSBRIDGE_PUBLIC_URL=https://login.acme.example", "the bridge's own host", "mails lead"},
		{"SMSBRIDGE_PUBLIC_URL=https://login.acme.example:443", "the bridge's own host", "mails lead"},
		{"SMSBRIDGE_IDP_HOSTS=auth0.com", `"auth0.com" belongs to everybody`, "yours alone"},
		{"SMSBRIDGE_IDP_HOSTS=login.acme.example,EU.auth0.com", "belongs to everybody", "alone"},
		{"SMSBRIDGE_IDP_HOSTS=supabase.co", "belongs to everybody", "alone"},
		{"SMSBRIDGE_IDP_HOSTS=github.io", "belongs to everybody: anyone", "alone"},
		{"SMSBRIDGE_IDP_HOSTS=co.uk", "belongs to everybody: anyone", "alone"},
		{"SMSBRIDGE_IDP_HOSTS=herokuapp.com", "belongs to everybody: anyone", "alone"},
		{"SMSBRIDGE_LINK_WRAPPERS=bit.ly", "anyone makes links there", "for you alone"},
		{"SMSBRIDGE_LINK_WRAPPERS=vercel.app", "belongs to everybody", "alone"},
		{"SMSBRIDGE_LINK_PATHS=/", "that every link has", "smsbridge link"},
		{"SMSBRIDGE_LINK_PATHS=/confirm,/*/*/", "that every link has", "smsbridge link"},
		{"SMSBRIDGE_LINK_PATHS=/?", `"/?", a path that every link has`, "smsbridge link"},
		{"SMSBRIDGE_LINK_PATHS=/confirm,reset:/#", "that every link has", "smsbridge link"},
		{"SMSBRIDGE_LINK_PATHS=/#/*?", "that every link has", "smsbridge link"},
		{"SMSBRIDGE_LINK_PATHS=verify:reset:/x", `"verify:reset:/x", which is not a path`, "one of"},
		{"SMSBRIDGE_LINK_PATHS=/a,delete:/x", `"delete:/x", which is not a path`, "one of verify:"},
		{"SMSBRIDGE_UNSAFE_ALLOW=0.0.0.0/1,128.0.0.0/1", "much of the internet", "127.0.0.0/8"},
		{"SMSBRIDGE_UNSAFE_ALLOW=8.0.0.0/8", "much of the internet", "127.0.0.0/8"},
		{"SMSBRIDGE_UNSAFE_ALLOW=8.8.0.0/16,9.9.0.0/16", "much of the internet", "127.0.0.0/8"},
		{"SMSBRIDGE_UNSAFE_ALLOW=2000::/3", "much of the internet", "127.0.0.0/8"},
		{"SMSBRIDGE_UNSAFE_ALLOW=::/1", "much of the internet", "127.0.0.0/8"},
		{"SMSBRIDGE_UNSAFE_ALLOW=169.254.0.0/16", "link-local", "169.254.0.0/16"},
		{"SMSBRIDGE_UNSAFE_ALLOW=169.254.169.254/32", "link-local", "169.254.169.254/32"},
		{"SMSBRIDGE_UNSAFE_ALLOW=fe80::1/128", "link-local", "fe80::1"},
	} {
		_, err := FromEnv(oneTenant(tt.change))
		mistakes := mistakesOf(t, err)
		require.Len(t, mistakes, 1, tt.change)
		require.Contains(t, mistakes[0].What, tt.what, tt.change)
		require.Contains(t, mistakes[0].Hint, tt.hint, tt.change)
	}
	for _, good := range []string{
		"SMSBRIDGE_IDP_HOSTS=acme.eu.auth0.com", "SMSBRIDGE_IDP_HOSTS=abc.supabase.co",
		"SMSBRIDGE_IDP_HOSTS=acme.github.io", "SMSBRIDGE_IDP_HOSTS=acme.co.uk,acme.example",
		"SMSBRIDGE_LINK_WRAPPERS=u123.ct.sendgrid.net", "SMSBRIDGE_LINK_PATHS=/*/confirm",
		"SMSBRIDGE_LINK_PATHS=reset:/*?token,/#/confirm/*?,login:/a/?t=1&u",
		"SMSBRIDGE_UNSAFE_ALLOW=127.0.0.0/8,::1/128,10.0.0.0/8,192.168.1.0/24,fc00::/7",
		"SMSBRIDGE_UNSAFE_ALLOW=8.8.0.0/16", "SMSBRIDGE_PUBLIC_URL=https://bridge.acme.example/",
	} {
		_, err := FromEnv(oneTenant(good))
		require.NoError(t, err, good)
	}
}

// Ensure that an example which was left standing is warned about, and that a test set-up is not.
func TestNamesThatCannotExist(t *testing.T) {
	s, err := FromEnv(oneTenant("SMSBRIDGE_PUBLIC_URL=https://bridge.acme.com",
		"SMSBRIDGE_MAIL_DOMAIN=sms.example.com", "SMSBRIDGE_IDP_HOSTS=login.acme.test,id.acme.com"))
	require.NoError(t, err)
	require.Equal(t, []string{
		"tenant acme: mail_domain names sms.example.com, which cannot exist: an example was left " +
			"standing",
		"tenant acme: a host of links names login.acme.test, which cannot exist: an example was left " +
			"standing",
	}, s.Impossible())
	for url, want := range map[string]int{
		"https://bridge.example": 3, "https://bridge.acme.com": 2, "http://127.0.0.1:8080": 0,
	} {
		s, err := FromEnv(oneTenant("SMSBRIDGE_PUBLIC_URL=" + url))
		require.NoError(t, err)
		require.Len(t, s.Impossible(), want, url)
	}
}

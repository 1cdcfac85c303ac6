package linkclick

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// Ensure that a person is given a link only if its shape or an allowed path fits the kind of the
// mail.
func TestGoOn(t *testing.T) {
	const idp = "https://login.acme.example"
	const secret = "abcdefghijklmnop12345678"
	rule := Rule{
		Hosts: []string{"login.acme.example"}, Wrappers: []string{"track.acme.example"},
		Paths: []string{"/ok", "reset:/choose", "verify:/sure", "login:/in"},
	}
	for link, want := range map[string]struct{ verify, reset bool }{
		idp + "/u/email-verification?ticket=" + secret:           {verify: true},
		idp + "/auth/v1/verify?token=" + secret + "&type=signup": {verify: true},
		// Several kinds share the next one.
		idp + "/auth/v1/verify?token=" + secret + "&type=email":            {},
		idp + "/ok/confirm?t=" + secret:                                    {true, true}, // words choose
		idp + "/sure?t=" + secret:                                          {verify: true},
		idp + "/u/reset-verify?ticket=" + secret:                           {reset: true},
		idp + "/choose?t=" + secret:                                        {reset: true},
		idp + "/ok/reset?t=" + secret:                                      {reset: true},
		idp + "/ok?t=" + secret + "&action=delete":                         {},
		idp + "/ok/account/delete?t=" + secret:                             {},
		idp + "/in?t=" + secret:                                            {},
		idp + "/account/confirm?t=" + secret:                               {},
		idp + "/oauth/device?user_code=" + secret:                          {},
		idp + "/auth/v1/verify?token=" + secret + "&type=magiclink":        {},
		idp + "/auth/v1/verify?token=" + secret + "&type=invite":           {},
		idp + "/auth/v1/verify?token=" + secret + "&type=email_change":     {},
		"https://evil.example/u/email-verification?ticket=" + secret:       {},
		"https://track.acme.example/u/email-verification?ticket=" + secret: {},
		"": {},
	} {
		for kind, given := range map[Kind]bool{
			"": want.verify, KindVerify: want.verify, KindReset: want.reset,
		} {
			c := &Clicker{Rule: rule, Kind: kind}
			expected := map[bool]string{true: link}[given]
			require.Equal(t, expected, c.GoOn(link), "%q %s", kind, link)
		}
	}
	c := &Clicker{Rule: rule}
	require.Equal(t, idp+"/sure?t=1", c.GoOn("HTTPS://LOGIN.acme.example:443/sure?t=1"))
}

package linkclick

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestParse(t *testing.T) {
	const link = "/parse/apps/shop/verify_email?token=t1"
	for _, tt := range []redirectCase{
		{link, "/parse/apps/verify_email_success.html?username=kim", "", OutcomeConfirmed},
		{link, "/parse/apps/email_verification_success.html?appId=shop", "", OutcomeConfirmed},
		{link, "https://evil.example/verify_email_success.html", "", OutcomeUnknown},
	} {
		tt.run(t)
	}
	for page, want := range map[string]Outcome{
		"<h1>Email verified!</h1><p>Successfully verified your email.</p>": OutcomeConfirmed,

		"<h1>Expired verification link!</h1><form method=post><input name=u></form>": OutcomeExpired,
		"<h1>Invalid verification link!</h1>":                                        OutcomeRefused,
	} {
		p, c := serve(t, says(page))
		require.Equal(t, want, open(t, c, p.URL+link).Outcome, page)
	}
	p, c := serve(t, leadTo("/parse/apps/invalid_link.html", "<h1>Invalid Link</h1>"))
	require.Equal(t, OutcomeRefused, open(t, c, p.URL+link).Outcome)
}

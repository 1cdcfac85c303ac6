package linkclick

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// With the module, a link leads to the account, or to the page where people ask for another
// password. Both say in words how it ended.
func TestDrupal(t *testing.T) {
	const link = "/user/registrationpassword/7/1768209247/" + drawn + drawn
	for text, want := range map[string]Outcome{
		"You have just used your one-time login link. Your account is now active.": OutcomeConfirmed,
		"This one-time login link has been used or is no longer valid.":            OutcomeExpired,
		"You are currently authenticated as user kim.":                             OutcomeUnknown,
	} {
		p, c := serve(t, leadTo("/user/7", "<p>"+text+"</p>"))
		require.Equal(t, want, open(t, c, p.URL+link).Outcome, text)
	}
}

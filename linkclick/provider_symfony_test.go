package linkclick

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// The outcome is in a line above the form for signing up, to which the link leads in every case.
func TestSymfonyFlashTellsTheOutcome(t *testing.T) {
	const link = "/verify/email?expires=1796050800&id=17&signature=Zk3vQ8mW1x&token=T5nB7yR2cL"
	for line, want := range map[string]Outcome{
		"Your email address has been verified.":                                OutcomeConfirmed,
		"The link to verify your email is invalid.":                            OutcomeRefused,
		"The link to verify your email has expired.":                           OutcomeExpired,
		"The link to verify your email appears to be for a different account.": OutcomeRefused,
		"": OutcomeNeedsUser,
	} {
		p, c := serve(t, leadTo("/register",
			`<div role="alert">`+line+`</div><form method="post"><input name="email"></form>`))
		require.Equal(t, want, open(t, c, p.URL+link).Outcome, line)
	}
}

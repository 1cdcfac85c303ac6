package linkclick

import (
	"testing"
)

func TestClerk(t *testing.T) {
	const link = "/v1/verify?_clerk_js_version=5&token=a"
	for status, want := range map[string]Outcome{
		"verified": OutcomeConfirmed, "expired": OutcomeExpired, "failed": OutcomeRefused,
		"client_mismatch": OutcomeNeedsUser, "other": OutcomeUnknown,
	} {
		redirectCase{link, "https://app.example/?__clerk_status=" + status, "", want}.run(t)
	}
}

package outbound

import (
	"testing"

	"github.com/stretchr/testify/require"

	"smsbridge/internal/mail"
	"smsbridge/internal/tenant"
)

// Ensure that a mail whose link has an unknown shape is held. What is recorded names the entry that
// would allow it, without the secret. With that entry the same mail is asked about.
func TestHeldMailIsRecordedWithWhatAllowsIt(t *testing.T) {
	t.Parallel()
	const entry, secret = "/account/*/confirm?t", "Zk3vQ8mW1xT5nB7y"
	body := mail.Body{Subject: "Please confirm your email", From: "no-reply@acme.example",
		Text: "Confirm: https://login.acme.example/account/17/confirm?t=" + secret}
	var acme tenant.Tenant
	acme.Links.IdPHosts = []string{"login.acme.example"}
	held, err := find(&acme, body)
	require.NoError(t, err)
	require.Empty(t, held.Link)
	require.Equal(t, "unknown", held.Kind)
	require.Contains(t, held.Reason, "(SMSBRIDGE_LINK_PATHS) allows it: "+entry)
	require.NotContains(t, held.Reason, secret)

	acme.Links.Paths = []string{entry}
	allowed, err := find(&acme, body)
	require.NoError(t, err)
	require.Equal(t, "verify", allowed.Kind)
	require.Contains(t, allowed.Link, secret)
	require.Empty(t, allowed.Reason)
}

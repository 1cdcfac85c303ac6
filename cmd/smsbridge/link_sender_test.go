package main

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// Ensure that the domains for sender.domains are shown, as the hint of that setting promises.
func TestLinkShowsWhoSigned(t *testing.T) {
	signed := save(t, "DKIM-Signature: v=1; a=rsa-sha256; d=acme.example; s=s1; h=from; bh=x; b=y\r\n"+
		"DKIM-Signature: v=1; a=rsa-sha256; d=sendgrid.net;\r\n s=s1; h=from; bh=x; b=y\r\n"+signUpMail)
	stdout, _, status := link(t, signed, "--host", "login.acme.example")
	require.Zero(t, status)
	require.Contains(t, stdout, "signed by acme.example, sendgrid.net\n")
	stdout, _, _ = link(t, "--json", signed)
	require.Contains(t, stdout, `"signers":["acme.example","sendgrid.net"]`)
	stdout, _, _ = link(t, save(t, signUpMail))
	require.NotContains(t, stdout, "signed by")
}

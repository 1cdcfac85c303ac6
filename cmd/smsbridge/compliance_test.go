package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// comply runs smsbridge compliance with the settings of acme, changed.
func comply(t *testing.T, environ []string, args ...string) (status int, stdout, stderr string) {
	t.Helper()
	var out, errs strings.Builder
	status = run(t.Context(), append([]string{"compliance"}, args...), world{
		stdin: strings.NewReader(""), stdout: &out, stderr: &errs, environ: environ,
	})
	return status, out.String(), errs.String()
}

// acmeSettings are the variables of a bridge with one tenant, and others.
func acmeSettings(more ...string) []string {
	return append([]string{
		"SMSBRIDGE_PUBLIC_URL=https://bridge.acme.example", "SMSBRIDGE_TENANT=acme",
		"SMSBRIDGE_NAME=ACME", "SMSBRIDGE_COUNTRIES=US,DK", "SMSBRIDGE_MAIL_DOMAIN=sms.acme.example",
		"SMSBRIDGE_SENDER_DOMAINS=acme.example", "SMSBRIDGE_IDP_HOSTS=login.acme.example",
		"MAILGUN_API_KEY=key-7d2f61c09be84a53f1e6c8b20d94a7e3",
		"MAILGUN_WEBHOOK_SIGNING_KEY=9c4be1f072a8d6350e7b1fc2a95d8e46",
		"TWILIO_ACCOUNT_SID=AC00000000000000000000000000000001",
		"TWILIO_AUTH_TOKEN=fedcba9876543210fedcba9876543210", "TWILIO_FROM=+15005550006",
	}, more...)
}

// filed is what a campaign for the US says as JSON.
func filed(t *testing.T, more ...string) campaign {
	t.Helper()
	status, stdout, stderr := comply(t, acmeSettings(more...), "us", "--json", "--contact",
		"help@acme.example")
	require.Zero(t, status, stderr)
	var found compliance
	require.NoError(t, json.Unmarshal([]byte(stdout), &found))
	require.NotNil(t, found.Campaign)
	return *found.Campaign
}

// Ensure that what is filed for the US has the tenant's own words, its brand and the way out. It
// says what its texts have not.
func TestCampaign(t *testing.T) {
	plain := filed(t)
	require.Equal(t, "MIXED: 2FA and ACCOUNT_NOTIFICATION", plain.UseCase)
	require.False(t, plain.Links, "links are not registered")
	require.Len(t, plain.Samples, 3)
	require.Equal(t, "ACME: did you just set up an account? Reply YES within 10 min to confirm it, "+
		"or NO if not. Reply STOP to opt out.", plain.Samples[0].Text)
	require.Equal(t, "Reply STOP to opt out.", plain.Samples[0].Added)
	require.Contains(t, plain.Help, "ACME: for help write to help@acme.example")
	require.Contains(t, plain.OptOutWords, "OPT OUT")

	linked := filed(t, "SMSBRIDGE_LINKS_WORK=US", "SMSBRIDGE_ANSWER=tap", "SMSBRIDGE_LOGIN=relay")
	require.True(t, linked.Links)
	require.Len(t, linked.Samples, 5)
	require.Contains(t, linked.Samples[0].Text, "https://bridge.acme.example/l/")
	both := filed(t, "SMSBRIDGE_LINKS_WORK=US", "SMSBRIDGE_ANSWER=both", "SMSBRIDGE_RESET=off")
	require.True(t, both.Links)
	require.Contains(t, both.Samples[0].Text, "or tap https://bridge.acme.example/l/")

	codes := filed(t, "SMSBRIDGE_VERIFY=off", "SMSBRIDGE_RESET=off")
	require.Equal(t, "2FA", codes.UseCase)
	require.Len(t, codes.Samples, 1)
	require.NotContains(t, codes.Description, "asks them")

	own := filed(t, "SMSBRIDGE_REGISTRATION_TEXT=Is this you? Reply {{.Answer}}, or STOP to opt out.",
		"SMSBRIDGE_REGISTRATION_CODE_TEXT=Is this you? Reply {{.Answer}} {{.Code}}.")
	require.Equal(t, "ACME: Is this you? Reply YES, or STOP to opt out.", own.Samples[0].Text)
	require.Equal(t, "ACME: …", own.Samples[0].Added)
	for _, c := range []campaign{plain, linked, both, codes, own} {
		for _, s := range c.Samples {
			require.Contains(t, s.Text, "ACME")
			require.Contains(t, s.Text, "STOP")
			require.Positive(t, s.Segments)
		}
		for _, text := range []string{c.OptIn, c.Help, c.OptOut, c.Consent} {
			require.Contains(t, text, "ACME")
		}
		for _, text := range []string{c.OptIn, c.Help, c.Consent} {
			require.Contains(t, text, "data rates may apply")
			require.Contains(t, text, "STOP")
		}
	}
}

// Ensure that a country's facts are shown without settings, too, and that what is unclear has a
// hint.
func TestCompliance(t *testing.T) {
	status, stdout, stderr := comply(t, nil, "es")
	require.Zero(t, status)
	require.Contains(t, stdout, "names     registered\n          Operators block other names since")
	require.Contains(t, stdout, "nx-country-reg-es.html, read 2026-11-27")
	require.Contains(t, stderr, "nothing is said of your texts; name their file with --config")
	require.NotContains(t, stdout, "How the texts")

	status, stdout, _ = comply(t, nil, "SE", "--json")
	require.Zero(t, status)
	var found compliance
	require.NoError(t, json.Unmarshal([]byte(stdout), &found))
	require.Equal(t, "SE", found.Country)
	require.Len(t, found.Facts, 6)
	for _, f := range found.Facts {
		require.NotEmpty(t, f.URL)
		require.NotEmpty(t, f.Read)
	}
	require.Nil(t, found.Campaign)

	status, stdout, _ = comply(t, nil, "MZ")
	require.Zero(t, status)
	require.Contains(t, stdout, "Nothing. Links and names count as what has to be registered.")

	for _, test := range []struct {
		environ []string
		args    []string
		hint    string
	}{
		{nil, []string{"Denmark"}, "write a code of two letters"},
		{nil, []string{"DK", "--tenant", "acme"}, "--config FILE"},
		{acmeSettings(), []string{"DK", "--tenant", "beta"}, "choose one: --tenant acme"},
		{acmeSettings("SMSBRIDGE_NAME="), []string{"DK"}, "write the name that people know"},
	} {
		status, stdout, stderr = comply(t, test.environ, test.args...)
		require.Equal(t, exitMistake, status)
		require.Empty(t, stdout)
		require.Contains(t, stderr, "smsbridge: hint: ")
		require.Contains(t, stderr, test.hint)
	}
}

// Ensure that one of several tenants is chosen.
func TestComplianceOfSeveral(t *testing.T) {
	tenantOf := func(slug string) string {
		return "\n  - slug: " + slug + "\n    name: " + strings.ToUpper(slug) +
			"\n    countries: [DK]\n    mail_domain: sms." + slug + ".example\n    idp_hosts: login." +
			slug + ".example\n    sender: {domains: [" + slug + ".example]}\n    mailgun: {api_key: " +
			"env:MK_" + slug + ", signing_key: env:MS_" + slug + "}\n    twilio: {account_sid: " +
			"AC00000000000000000000000000000001, auth_token: env:TW, from: " +
			map[string]string{"acme": `"+15005550006"`, "beta": `"+15005550007"`}[slug] + "}\n"
	}
	path := filepath.Join(t.TempDir(), "smsbridge.yaml")
	require.NoError(t, os.WriteFile(path, []byte("public_url: https://bridge.example.com\ntenants:"+
		tenantOf("acme")+tenantOf("beta")), 0o600))
	environ := []string{
		"TW=fedcba9876543210fedcba9876543210",
		"MK_acme=key-7d2f61c09be84a53f1e6c8b20d94a7e3", "MS_acme=9c4be1f072a8d6350e7b1fc2a95d8e46",
		"MK_beta=key-1c2f61c09be84a53f1e6c8b20d94a7e3", "MS_beta=2d4be1f072a8d6350e7b1fc2a95d8e46",
	}
	status, _, stderr := comply(t, environ, "DK", "--config", path)
	require.Equal(t, exitMistake, status)
	require.Contains(t, stderr, "choose one: --tenant acme, --tenant beta")
	status, stdout, stderr := comply(t, environ, "DK", "--config", path, "--tenant", "beta")
	require.Zero(t, status, stderr)
	require.Contains(t, stdout, "How the texts of the tenant beta go there:")
	require.Contains(t, stdout, "question  from +15005550007, answered by reply")
	require.NotContains(t, stdout, "10DLC", "that is for the US")
}

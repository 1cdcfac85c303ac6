//go:build !race

package tenant

import (
	"encoding/base64"
	"encoding/hex"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"smsbridge/internal/settings"
)

// Ensure that a bridge does not start with a secret that an attacker guesses or has from elsewhere.
// It says so once, at the place of the secret, and does not repeat it.
func TestWeakAndCopiedSecrets(t *testing.T) {
	equal := strings.Repeat("k", 24)
	// 7 different bytes, in no order.
	const fewBytes = "01234501678923ab01cd454567ab0189cdcd2345ab6701238945cdab67892301"
	raw, err := hex.DecodeString(testKey)
	require.NoError(t, err)
	same := base64.StdEncoding.EncodeToString(raw)
	weakFile := filepath.Join(t.TempDir(), "key")
	require.NoError(t, os.WriteFile(weakFile, []byte(testKey+"\n"+fewBytes+"\n"), 0o600))
	goodFile := filepath.Join(t.TempDir(), "key")
	require.NoError(t, os.WriteFile(goodFile, []byte(testKey[2:]+"ff\n"+testKey+"\n"), 0o600))
	const (
		weak, twice, sameAs = "is too weak", "twice", "is the same as "
		notToken, notKey    = "is not an auth token", "is not a key of 32 bytes"
	)
	for _, tt := range []struct{ change, more, what string }{
		{"MAILGUN_WEBHOOK_SIGNING_KEY=a", "", weak},
		{"MAILGUN_WEBHOOK_SIGNING_KEY=changeme", "", weak},
		{"MAILGUN_WEBHOOK_SIGNING_KEY=change-this-signing-key-please", "", "looks like an example"},
		{"MAILGUN_WEBHOOK_SIGNING_KEY=" + testSign + ",a", "", weak},
		{"MAILGUN_WEBHOOK_SIGNING_KEY=" + testSign + "," + testSign, "", twice},
		{"MAILGUN_WEBHOOK_SIGNING_KEY=" + testAPI, "", sameAs + "MAILGUN_API_KEY"},
		{"MAILGUN_WEBHOOK_SIGNING_KEY=" + testSign + "," + testAPI, "", sameAs + "MAILGUN_API_KEY"},
		{"MAILGUN_API_KEY=key", "", weak},
		{"TWILIO_AUTH_TOKEN=a", "", notToken},
		{"TWILIO_AUTH_TOKEN=" + testToken[1:], "", notToken},
		{"TWILIO_AUTH_TOKEN=" + testToken + "0", "", notToken},
		{"TWILIO_AUTH_TOKEN=g" + testToken[1:], "", notToken},
		{"TWILIO_AUTH_TOKEN=" + strings.Repeat("0", 32), "", weak},
		{"TWILIO_AUTH_TOKEN=" + testSign, "", sameAs + "MAILGUN_WEBHOOK_SIGNING_KEY"},
		{"SMSBRIDGE_API_KEY=" + equal, "", weak},
		{"SMSBRIDGE_API_KEY=" + keyOne + "," + equal, "", weak},
		{"SMSBRIDGE_API_KEY=" + keyOne + "," + keyOne, "", twice},
		{"SMSBRIDGE_DURABLE_CODE=" + keyOne, "SMSBRIDGE_API_KEY=" + keyOne, sameAs + "SMSBRIDGE_API_KEY"},
		{"SMSBRIDGE_DURABLE_CODE=" + equal, "", weak},
		{"SMSBRIDGE_FLOWROUTE_DOOR_KEY=" + equal, "SMSBRIDGE_FLOWROUTE_ADDR=:8000", weak},
		{"AUTH0_PROVIDER_KEY=" + equal, "", weak},
		{"AUTH0_LOG_STREAM_TOKEN=" + keyOne, "AUTH0_PROVIDER_KEY=" + keyOne,
			sameAs + "AUTH0_PROVIDER_KEY"},
		{"AUTH0_SESSION_TOKEN_SECRET=" + testOld + "," + testOld, "AUTH0_DOMAIN=acme.eu.auth0.com",
			twice},
		{"FLOWROUTE_SECRET_KEY=hidden", "FLOWROUTE_ACCESS_KEY=1;FLOWROUTE_NUMBER=+12065550101", weak},
		{"SMSBRIDGE_LINK_TOKEN=token", "", weak},
		{"SMSBRIDGE_PROOF_SECRET=s", "SMSBRIDGE_PROOF=gotrue;SMSBRIDGE_PROOF_URL=https://id.acme.example",
			weak},
		{"SMSBRIDGE_KEY=" + strings.Repeat("00", 32), "", weak},
		{"SMSBRIDGE_KEY=" + base64.StdEncoding.EncodeToString(make([]byte, 32)), "", weak},
		{"SMSBRIDGE_KEY=" + fewBytes, "", weak},
		{"SMSBRIDGE_KEY=" + testKey + "," + fewBytes, "", weak},
		{"SMSBRIDGE_KEY=" + testKey + "," + testKey, "", twice},
		{"SMSBRIDGE_KEY=" + testKey + "," + strings.ToUpper(testKey), "", twice},
		{"SMSBRIDGE_KEY=" + testKey + "," + same, "", twice},
		{"SMSBRIDGE_KEY=" + testKey + ",short", "", notKey},
		{"SMSBRIDGE_KEY=,", "", notKey},
		{"SMSBRIDGE_KEY=" + testKey[2:], "", notKey},
		{"SMSBRIDGE_KEY=" + testKey + "ff", "", notKey},
		{"SMSBRIDGE_KEY_FILE=" + weakFile, "", weak},
		{"SMSBRIDGE_API_KEY=" + testKey, "SMSBRIDGE_KEY=" + testKey, sameAs + "SMSBRIDGE_KEY"},
		{"SMSBRIDGE_API_KEY=" + testKey, "SMSBRIDGE_KEY_FILE=" + goodFile,
			sameAs + "SMSBRIDGE_KEY_FILE"},
		{"SMSBRIDGE_API_KEY=" + testKey, "SMSBRIDGE_KEY=" + testKey[2:] + "ff," + testKey,
			sameAs + "SMSBRIDGE_KEY"},
	} {
		_, err := FromEnv(oneTenant(append(strings.Split(tt.more, ";"), tt.change)...))
		mistakes := mistakesOf(t, err)
		require.Len(t, mistakes, 1, "%s: %v", tt.change, err)
		name, secret, _ := strings.Cut(tt.change, "=")
		require.Equal(t, name, mistakes[0].Where, tt.change)
		require.Contains(t, mistakes[0].What, tt.what, tt.change)
		require.NotEmpty(t, mistakes[0].Hint)
		for part := range strings.SplitSeq(secret, ",") {
			require.False(t, len(part) > 6 && strings.Contains(err.Error(), part), tt.change)
		}
	}
}

// All that is weak is said at once, and each secret once.
func TestWeakSecretsAreReportedTogether(t *testing.T) {
	_, err := FromEnv(oneTenant("SMSBRIDGE_KEY="+strings.Repeat("00", 32), "MAILGUN_API_KEY=a",
		"MAILGUN_WEBHOOK_SIGNING_KEY=a", "TWILIO_AUTH_TOKEN=a", "SMSBRIDGE_API_KEY=short",
		"SMSBRIDGE_DURABLE_CODE="+strings.Repeat("k", 24), "AUTH0_PROVIDER_KEY="+keyOne,
		"AUTH0_LOG_STREAM_TOKEN="+keyOne))
	var where []string
	for _, m := range mistakesOf(t, err) {
		where = append(where, m.Where)
	}
	require.ElementsMatch(t, []string{"SMSBRIDGE_KEY", "MAILGUN_API_KEY",
		"MAILGUN_WEBHOOK_SIGNING_KEY", "TWILIO_AUTH_TOKEN", "SMSBRIDGE_API_KEY",
		"SMSBRIDGE_DURABLE_CODE", "AUTH0_LOG_STREAM_TOKEN"}, where)
}

// Ensure that the keys that the providers really give out are taken.
func TestGenuineFormsAreTaken(t *testing.T) {
	for _, good := range [][]string{
		{"MAILGUN_API_KEY=" + testSign + "-5f2d9b0c-1a7e44d2"},
		{"TWILIO_AUTH_TOKEN=" + strings.ToUpper(testToken)},
		{"SMSBRIDGE_KEY=" + testKey + "," + testKey[2:] + "ff"},
		{"SMSBRIDGE_PROOF=gotrue", "SMSBRIDGE_PROOF_URL=https://abc.supabase.co/auth/v1",
			"SMSBRIDGE_PROOF_SECRET=sb_secret_Nq3kP0c1VwTz8yRb5uXm2g_a9Hd4Lf7"},
		{"FLOWROUTE_SECRET_KEY=" + flowSecret, "FLOWROUTE_ACCESS_KEY=12345678",
			"FLOWROUTE_NUMBER=+12065550101"},
		{"MAILGUN_WEBHOOK_SIGNING_KEY=" + testSign + "," + testOld},
	} {
		_, err := FromEnv(oneTenant(good...))
		require.NoError(t, err, "%v", good)
	}
}

// Ensure that two tenants may have an account in common, and nothing that opens a door.
func TestSecretsOfTwoTenants(t *testing.T) {
	const account = "    links: {token: env:LINK}\n" +
		"    flowroute: {access_key: '12345678', secret_key: env:FLOW, number: '+12065550101'}\n" +
		"    proof: {kind: gotrue, url: 'https://id.acme.example', secret: env:PROOF}\n" +
		"    webhook: {url: 'https://sms.acme.example/send', secret: env:HOOK}\n"
	environ := []string{"LINK=link-" + testOld, "FLOW=" + flowSecret, "PROOF=proof-" + testOld,
		"HOOK=" + otherHook, "ONE=" + keyOne, "TWO=" + keyTwo, "BACK=" + hookSecret}
	second := strings.NewReplacer("slug: acme", "slug: beta", "name: ACME", "name: Beta",
		"[env:MG, \"file:signing\"]", "env:MG").
		Replace(minimal[strings.Index(minimal, "  - slug"):])
	_, err := load(t, minimal+account+second+account, environ...)
	require.NoError(t, err)

	const callback = "    callback: {url: 'https://app.acme.example/hook', secret: env:BACK}\n"
	for _, tt := range []struct{ first, second, key, what string }{
		{callback, callback, "callback.secret", "is the same as s.yaml:14: tenants[0].callback.secret"},
		{callback, "    webhook: {url: 'https://x.acme.example', secret: env:BACK}\n", "webhook.secret",
			"is the same as s.yaml:14: tenants[0].callback.secret"},
		{"", "    api_keys: {app: env:MK}\n", "api_keys", "is the same as s.yaml:8: " +
			"tenants[0].mailgun.api_key"},
		{"    durable_door: {code: env:ONE}\n", "    api_keys: {app: env:ONE}\n", "api_keys",
			"is the same as s.yaml:14: tenants[0].durable_door.code"},
		// Said once, in the words of the check that knows what the key is for.
		{"    api_keys: {app: env:ONE}\n", "    api_keys: {app: env:ONE}\n", "api_keys",
			"another tenant has the same key"},
		{"    durable_door: {code: env:ONE}\n", "    durable_door: {code: env:ONE}\n",
			"durable_door.code", "is another tenant's"},
		{"    auth0: {provider_key: env:ONE}\n", "    auth0: {provider_key: env:ONE}\n",
			"auth0.provider_key", "is the same as s.yaml:14: tenants[0].auth0.provider_key"},
		{"    auth0: {log_stream_token: env:ONE}\n", "    auth0: {log_stream_token: env:ONE}\n",
			"auth0.log_stream_token", "is the same as s.yaml:14: tenants[0].auth0.log_stream_token"},
		{"    flowroute_door: {addr: '127.0.0.1:1', key: env:ONE}\n",
			"    flowroute_door: {addr: '127.0.0.1:2', key: [env:TWO, env:ONE]}\n",
			"flowroute_door.key", "is the same as s.yaml:14: tenants[0].flowroute_door.key"},
	} {
		_, err := load(t, minimal+tt.first+second+tt.second, environ...)
		var mistakes settings.Mistakes
		require.ErrorAs(t, err, &mistakes, "%v", tt)
		require.Len(t, mistakes, 1, "%v", err)
		require.True(t, strings.HasSuffix(mistakes[0].Where, ": tenants[1]."+tt.key), mistakes[0].Where)
		require.Contains(t, mistakes[0].What, tt.what)
	}
}

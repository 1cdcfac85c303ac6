//go:build !race

package tenant

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"smsbridge/internal/segment"
	"smsbridge/internal/settings"
	"smsbridge/internal/wording"
)

const (
	keyOne, keyTwo = "first-key-0123456789abcdef", "second-key-0123456789abcdef"
	hookSecret     = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
	otherHook      = "whsec_B8ksWg288D1jEZbeBUeF0iZWrvkCbjmjHcNKgOcMQpVQ"
)

// What the bridge says by itself costs one segment, also with the line for browsers, and is no link
// to anything else.
func TestShippedCodeTexts(t *testing.T) {
	tenant := mustTenant(t, "SMSBRIDGE_NAME="+strings.Repeat("N", 20),
		"SMSBRIDGE_CODE_DOMAIN=login.acme.example")
	seen := map[string]bool{}
	for _, locale := range wording.Languages() {
		text := tenant.CodeText("1234567890", locale)
		measured := segment.Measure(text)
		if measured.GSM {
			require.Equal(t, 1, measured.Segments, text)
		}
		require.LessOrEqual(t, measured.Segments, 2, text)
		said, line, _ := strings.Cut(text, "\n\n")
		require.Nil(t, wording.Judge(said), said)
		require.True(t, strings.HasPrefix(said, "1234567890 "), "phones offer the code at the start")
		require.Equal(t, "@login.acme.example #1234567890", line)
		require.False(t, seen[said])
		seen[said] = true
	}
	require.Equal(t, "482913 is your ACME code. Do not share it.",
		mustTenant(t).CodeText("482913", ""))
	require.Equal(t, "482913 is your Acme Inc code. Do not share it.",
		mustTenant(t, "SMSBRIDGE_ORG_NAME=Acme Inc").CodeText("482913", "nonsense"))
	require.NotEmpty(t, (&Tenant{Name: "ACME"}).CodeText("482913", ""), "without loading")
}

func TestCodeLocale(t *testing.T) {
	for tag, want := range map[string]string{"da": "da", "da-DK": "da", "EN-gb": "en", "no": "nb",
		"nn-NO": "nb"} {
		locale, ok := wording.Match(tag)
		require.True(t, ok, tag)
		require.Equal(t, want, locale)
	}
	for _, tag := range []string{"", "-", "tlh", "d"} {
		_, ok := wording.Match(tag)
		require.False(t, ok, tag)
	}
}

func TestCodeDefaults(t *testing.T) {
	tenant := mustTenant(t)
	require.Equal(t, Codes{Length: 6, ValidFor: 10 * time.Minute, Attempts: 5, Wrong: 10, Sends: 3,
		Gap: time.Minute}, tenant.Codes)
	require.Equal(t, 600, tenant.API.Rate)
	require.Empty(t, tenant.API.Keys)
	tenant = mustTenant(t, "SMSBRIDGE_CODE_LENGTH=8", "SMSBRIDGE_CODE_VALID_FOR=5m",
		"SMSBRIDGE_CODE_ATTEMPTS=3")
	require.Equal(t, []any{8, 5 * time.Minute, 3},
		[]any{tenant.Codes.Length, tenant.Codes.ValidFor, tenant.Codes.Attempts})
}

func TestCodeMistakesInVariables(t *testing.T) {
	for _, change := range []string{
		"SMSBRIDGE_CODE_LENGTH=3", "SMSBRIDGE_CODE_LENGTH=11", "SMSBRIDGE_CODE_LENGTH=six",
		"SMSBRIDGE_CODE_ATTEMPTS=0", "SMSBRIDGE_CODE_ATTEMPTS=11",
		"SMSBRIDGE_CODE_VALID_FOR=10", "SMSBRIDGE_CODE_VALID_FOR=25h",
		"SMSBRIDGE_ORG_NAME=www.acme.example", "SMSBRIDGE_API_KEY=short",
		"SMSBRIDGE_API_KEY=" + keyOne + ",short", "SMSBRIDGE_API_KEY=\"" + keyOne + "\"",
	} {
		_, err := FromEnv(oneTenant(change))
		var mistakes settings.Mistakes
		require.ErrorAs(t, err, &mistakes, change)
		require.Len(t, mistakes, 1, change)
		name, _, _ := strings.Cut(change, "=")
		require.Equal(t, name, mistakes[0].Where)
		require.NotContains(t, err.Error(), keyOne)
	}
}

func TestCodeWarnings(t *testing.T) {
	for change, want := range map[string]string{
		"SMSBRIDGE_CODE_LENGTH=5":     "better odds than 1 in 100000",
		"SMSBRIDGE_CODE_VALID_FOR=1h": "stolen phone",
	} {
		s, err := FromEnv(oneTenant(change))
		require.NoError(t, err)
		require.Len(t, otherWarnings(s), 1)
		require.Contains(t, otherWarnings(s)[0], want)
	}
}

// Ensure that a key finds its tenant and name, that both of a rotation do, and that keys are
// nowhere in the settings.
func TestAPIKeys(t *testing.T) {
	s, err := FromEnv(oneTenant("SMSBRIDGE_API_KEY=" + keyOne + "," + keyTwo))
	require.NoError(t, err)
	for key, want := range map[string]string{keyOne: "key-1", keyTwo: "key-2"} {
		found, name, ok := s.Tenants.ByAPIKey(key)
		require.True(t, ok)
		require.Equal(t, "acme", found.Slug)
		require.Equal(t, want, name)
	}
	for _, key := range []string{"", "key-1", keyOne[:20], keyOne + " ", strings.ToUpper(keyOne)} {
		_, _, ok := s.Tenants.ByAPIKey(key)
		require.False(t, ok, key)
	}
	_, _, ok := Set{}.ByAPIKey("")
	require.False(t, ok)
}

// codeFile is a file with two tenants, each with settings of its own.
func codeFile(acme, beta string) string {
	text := "public_url: https://bridge.acme.example\ntenants:\n"
	for slug, more := range map[string]string{"acme": acme, "beta": beta} {
		text += "  - slug: " + slug + "\n    name: " + slug +
			"\n    countries: [DK]\n    mail_domain: sms." + slug +
			".example\n    idp_hosts: [login.acme.example]\n    sender: {domains: [acme.example]}\n" +
			"    mailgun: {api_key: env:K, signing_key: env:S}\n    twilio: {account_sid: " + testSID +
			", auth_token: env:T, from: " + testMG[:32] + slug[:2] + "}\n" +
			"    " + strings.ReplaceAll(more, "\n", "\n    ") + "\n"
	}
	return text
}

func TestCodeSettingsInFile(t *testing.T) {
	load := func(acme, beta string) (Settings, error) {
		path := filepath.Join(t.TempDir(), "smsbridge.yaml")
		require.NoError(t, os.WriteFile(path, []byte(codeFile(acme, beta)), 0o600))
		return FromFile(path, []string{"K=" + testAPI, "S=" + testSign, "T=" + testToken,
			"ONE=" + keyOne, "TWO=" + keyTwo,
			"HOOK=" + hookSecret, "NEXT=" + otherHook})
	}
	s, err := load("api_keys: {web: env:ONE, batch: env:TWO}\ncallback: {url: "+
		"\"https://app.acme.example/h?x=1\", secret: [env:HOOK, env:NEXT]}\n"+
		"code_sends: 2\ncode_gap: 0s\ncode_renew: true\ncode_wrong: 4\ncode_locale: da\napi_rate: "+
		"5\ncode_text: '{{.Name}}: {{.Code}}'", "reset: off")
	require.NoError(t, err)
	found, name, _ := s.Tenants.ByAPIKey(keyTwo)
	require.Equal(t, []string{"acme", "batch"}, []string{found.Slug, name})
	require.Equal(t, "acme: 1234", found.CodeText("1234", "en"))
	require.Equal(t, []any{2, time.Duration(0), true, 4, "da", 5},
		[]any{found.Codes.Sends, found.Codes.Gap, found.Codes.Renew, found.Codes.Wrong,
			found.Codes.Locale, found.API.Rate})
	require.Len(t, found.API.Callback.Keys(), 2)
	require.Len(t, found.API.Callback.Keys()[0], 24)

	for more, want := range map[string]string{
		"api_keys: [env:ONE]":                                       "not written as this setting is",
		"api_keys: env:ONE":                                         "not written as this setting is",
		"api_keys: {web: " + keyOne + "}":                           "secret written out",
		"api_keys: {Web Shop: env:ONE}":                             "unusable name",
		"api_keys: {web: env:ONE, web: env:TWO}":                    "two keys of one name",
		"api_keys: {web: }":                                         "has no value",
		"api_keys: {}":                                              "has no value",
		"api_keys: {web: env:NONE}":                                 "not set",
		"callback: {url: https://a.example/}":                       "is missing beside callback.url",
		"callback: {secret: env:HOOK}":                              "is missing beside callback.secret",
		"callback: {url: http://a.example/, secret: env:HOOK}":      "plain http",
		"callback: {url: HTTP://a.example/, secret: env:HOOK}":      "plain http",
		"callback: {url: ftp://a.example/, secret: env:HOOK}":       "not a web address",
		"callback: {url: https://u:p@a.example/, secret: env:HOOK}": "not a web address",
		"callback: {url: https://a.example/, secret: env:ONE}":      "is not whsec_",
		"code_text: your code":                                      "does not say the code",
		"code_text: '{{.Code}} {{.Answer}}'":                        "unknown field",
		"code_text: '{{.Code}} at www.acme.example'":                "show as a link",
		"code_text: '{{.Code}}" + strings.Repeat(" blah", 70) + "'": "more than two segments",
		"code_gap: 2h":                                              "0s to 1h",
		"code_renew: yes":                                           "is not true or false",
		"code_locale: tlh":                                          "is not ar or",
		"code_sends: 0":                                             "from 1 to 10",
		"code_wrong: 101":                                           "from 1 to 100",
		"api_rate: -1":                                              "from 1 to",
	} {
		_, err := load(more, "reset: off")
		var mistakes settings.Mistakes
		require.ErrorAs(t, err, &mistakes, more)
		require.Len(t, mistakes, 1, "%s: %v", more, err)
		require.NotContains(t, err.Error(), keyOne)
		require.Contains(t, err.Error(), want, more)
	}
	_, err = load("api_keys: {web: env:ONE}", "api_keys: {app: env:ONE}")
	require.ErrorContains(t, err, "another tenant has the same key")
}

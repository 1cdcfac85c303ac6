//go:build !race

package tenant

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"smsbridge/internal/settings"
)

const (
	signingSecret = "0123456789abcdef0123456789abcdef"
	streamToken   = "stream-token-0123456789abcdef"
)

var auth0Settings = []string{
	"AUTH0_DOMAIN=Login.Acme.Example,acme.eu.auth0.com",
	"AUTH0_SESSION_TOKEN_SECRET=" + signingSecret + ",older-" + signingSecret,
	"AUTH0_PROVIDER_KEY=" + keyOne, "AUTH0_LOG_STREAM_TOKEN=" + streamToken,
}

func TestAuth0Settings(t *testing.T) {
	s, err := FromEnv(oneTenant(auth0Settings...))
	require.NoError(t, err)
	require.Empty(t, otherWarnings(s))
	a := s.Tenants.All()[0].Auth0
	require.True(t, a.HasForm())
	require.Equal(t, []string{"login.acme.example", "acme.eu.auth0.com"}, a.Domains)
	require.Equal(t, []settings.Secret{settings.NewSecret(signingSecret), settings.NewSecret("older-" +
		signingSecret)},
		a.Secrets)
	require.Equal(t, "https://login.acme.example/continue", a.ContinueURL(a.Domains[0]))
	for key, want := range map[string]bool{keyOne: true, "": false, streamToken: false,
		keyOne + " ": false} {
		require.Equal(t, want, a.AllowsProvider(key), key)
	}
	require.True(t, a.AllowsStream(streamToken))
	require.False(t, a.AllowsStream(keyOne))

	// Without anything, every door is closed and nothing is said.
	s, err = FromEnv(oneTenant())
	require.NoError(t, err)
	require.Empty(t, otherWarnings(s))
	a = s.Tenants.All()[0].Auth0
	require.False(t, a.HasForm() || a.AllowsProvider("") || a.AllowsStream(""))
}

func TestAuth0FormSettings(t *testing.T) {
	const yaml = "    auth0: {domain: acme.eu.auth0.com, session_token_secret: env:S, " +
		"provider_key: env:P, log_stream_token: env:L, phone_path: details.phone, " +
		"return: redirect, logo: \"https://cdn.acme.example/logo.svg\", color: \"#0B57d0\", " +
		"color_dark: \"#a8c7fa\"}\n"
	s, err := load(t, minimal+yaml, "S="+signingSecret, "P="+keyOne, "L="+streamToken)
	require.NoError(t, err)
	require.Empty(t, otherWarnings(s))
	a := s.Tenants.All()[0].Auth0
	require.Equal(t, []any{true, false, []string{"details", "phone"},
		"https://cdn.acme.example/logo.svg", "#0B57d0", "#a8c7fa"},
		[]any{a.Redirect, a.PassCode, a.PhonePath, a.Logo, a.Color, a.ColorDark})

	for _, tt := range []struct{ setting, where, what string }{
		{"logo: \"http://cdn.acme.example/logo.svg\"", "auth0.logo", "not the address of a picture"},
		{"logo: \"data:image/png;base64,AA\"", "auth0.logo", "not the address of a picture"},
		{"logo: \"https://a b/\"", "auth0.logo", "not the address of a picture"},
		{"color: \"red;}body{\"", "auth0.color", "not a color"},
		{"color_dark: \"#fff\"", "auth0.color_dark", "not a color"},
		{"phone_path: $.details", "auth0.phone_path", "not a path"},
		{"return: get", "auth0.return", "not post or redirect"},
		{"pass_code: maybe", "auth0.pass_code", "not true or false"},
	} {
		_, err := load(t, minimal+"    auth0: {domain: acme.eu.auth0.com, session_token_secret: "+
			"env:S, "+tt.setting+"}\n", "S="+signingSecret)
		mistakes := mistakesOf(t, err)
		require.Len(t, mistakes, 1, tt.setting)
		require.True(t, strings.HasSuffix(mistakes[0].Where, tt.where), mistakes[0].Where)
		require.Contains(t, mistakes[0].What, tt.what)
	}
	s, err = load(t, minimal+strings.Replace(yaml, "return: redirect", "pass_code: true", 1),
		"S="+signingSecret, "P="+keyOne, "L="+streamToken)
	require.NoError(t, err)
	require.Len(t, otherWarnings(s), 1)
	require.Contains(t, otherWarnings(s)[0], "UNSAFE: the form hands codes to the Action")
}

// What is weak is refused; what is missing closes its door, and is said.
func TestAuth0Mistakes(t *testing.T) {
	for _, tt := range []struct{ change, where, what string }{
		{"AUTH0_SESSION_TOKEN_SECRET=short", "AUTH0_SESSION_TOKEN_SECRET", "too weak"},
		{"AUTH0_SESSION_TOKEN_SECRET=" + strings.Repeat("ab", 32), "AUTH0_SESSION_TOKEN_SECRET",
			"too weak"},
		{"AUTH0_SESSION_TOKEN_SECRET='" + signingSecret + "'", "AUTH0_SESSION_TOKEN_SECRET",
			"characters that no key has"},
		{"AUTH0_PROVIDER_KEY=short", "AUTH0_PROVIDER_KEY", "too short"},
		{"AUTH0_LOG_STREAM_TOKEN=short", "AUTH0_LOG_STREAM_TOKEN", "too short"},
		{"AUTH0_DOMAIN=https://acme.eu.auth0.com", "AUTH0_DOMAIN", "not a host"},
		{"AUTH0_DOMAIN=acme.eu.auth0.com:8443", "AUTH0_DOMAIN", "port or an IP address"},
		{"AUTH0_DOMAIN=127.0.0.1", "AUTH0_DOMAIN", "port or an IP address"},
		{"AUTH0_DOMAIN=", "AUTH0_DOMAIN", "is missing beside AUTH0_SESSION_TOKEN_SECRET"},
	} {
		_, err := FromEnv(oneTenant(append(auth0Settings, tt.change)...))
		mistakes := mistakesOf(t, err)
		require.Len(t, mistakes, 1, tt.change)
		require.Equal(t, tt.where, mistakes[0].Where)
		require.Contains(t, mistakes[0].What, tt.what)
		require.NotContains(t, err.Error(), signingSecret)
	}
	for _, missing := range []string{"AUTH0_SESSION_TOKEN_SECRET", "AUTH0_PROVIDER_KEY",
		"AUTH0_LOG_STREAM_TOKEN"} {
		s, err := FromEnv(oneTenant(append(auth0Settings, missing+"=")...))
		require.NoError(t, err)
		require.Len(t, otherWarnings(s), 1)
		require.Contains(t, otherWarnings(s)[0], missing)
		require.Contains(t, otherWarnings(s)[0], "closed without auth0.")
	}

	beta := strings.NewReplacer("slug: acme", "slug: beta", "name: ACME", "name: Beta", "sms.acme",
		"sms.beta").Replace(minimal)
	_, tenants, _ := strings.Cut(beta, "tenants:\n")
	form := "    auth0: {domain: acme.eu.auth0.com, session_token_secret: env:S}\n"
	_, err := load(t, minimal+form+tenants+form, "S="+signingSecret)
	require.Contains(t, err.Error(), "another tenant's")

	_, err = load(t, minimal+"    twilio_verify: {service_sid: VA00000000000000000000000000000001, "+
		"code: verify}\n    auth0: {provider_key: env:P}\n", "P="+keyOne)
	require.Contains(t, err.Error(), "Auth0 draws and compares its own")
}

// A code for the form is bound to the host of the form, wherever other codes are.
func TestFormCodeText(t *testing.T) {
	acme := mustTenant(t, "SMSBRIDGE_CODE_DOMAIN=elsewhere.acme.example")
	require.Equal(t, "482913 is your ACME code. Do not share it.\n\n@bridge.acme.example #482913",
		acme.FormCodeText("482913", ""))
	require.Contains(t, acme.CodeText("482913", ""), "@elsewhere.acme.example")
	local := mustTenant(t, "SMSBRIDGE_PUBLIC_URL=http://127.0.0.1:8080")
	require.Equal(t, "482913 is your ACME code. Do not share it.", local.FormCodeText("482913", ""))
}

func TestOnColor(t *testing.T) {
	for color, want := range map[string]string{
		"#000000": "#ffffff", "#ffffff": "#000000", "#0b57d0": "#ffffff", "#a8c7fa": "#000000",
		"#ffff00": "#000000", "#d93025": "#ffffff", "": "#000000",
	} {
		require.Equal(t, want, OnColor(color), color)
	}
}

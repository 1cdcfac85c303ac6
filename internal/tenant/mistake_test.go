//go:build !race

package tenant

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"smsbridge/internal/longtest"
	"smsbridge/internal/settings"
	"smsbridge/phonemail"
)

// mistakesOf wants the loading to fail, with a hint for each mistake.
func mistakesOf(t *testing.T, err error) settings.Mistakes {
	t.Helper()
	var mistakes settings.Mistakes
	require.True(t, errors.As(err, &mistakes), "%v", err)
	for _, m := range mistakes {
		require.NotEmpty(t, m.Where)
		require.NotEmpty(t, m.What)
		require.NotEmpty(t, m.Hint)
	}
	return mistakes
}

// Every mistake that a variable can have: its place, what it is and what to do.
func TestMistakesInVariables(t *testing.T) {
	longtest.Skip(t)
	for _, tt := range []struct{ change, what, hint string }{
		{"SMSBRIDGE_ADDR=8080", "not an address to listen on", ":8080"},
		{"SMSBRIDGE_ADDR=:99999", "not an address to listen on", ":8080"},
		{"SMSBRIDGE_ADDR=256.1.1.1:80", "has an IP address that cannot be", ":8080"},
		{"SMSBRIDGE_ADDR=[::12345]:80", "has an IP address that cannot be", ":8080"},
		{"SMSBRIDGE_DRAIN=3", "not a duration", "3s"},
		{"SMSBRIDGE_DRAIN=-1s", "is not from 0s to 1m", "3s"},
		{"SMSBRIDGE_DRAIN=61s", "is not from 0s to 1m", "3s"},
		{"SMSBRIDGE_PUBLIC_URL=", "is missing", "https://bridge.acme.example"},
		{"SMSBRIDGE_PUBLIC_URL=bridge.acme.example", "not a web address", "https://host"},
		{"SMSBRIDGE_PUBLIC_URL=http://bridge.acme.example", "plain http", "localhost only"},
		{"SMSBRIDGE_PUBLIC_URL=https://bridge.acme.example/?a", "a query", "https://host/path"},
		{"SMSBRIDGE_PUBLIC_URL=https://u:p@bridge.acme.example", "a user", "https://host"},
		{"SMSBRIDGE_PUBLIC_URL=https://bridge.acme.example:99999", "cannot exist", "1 to 65535"},
		{"SMSBRIDGE_PUBLIC_URL=https://bridge.acme.example:0", "cannot exist", "1 to 65535"},
		{"SMSBRIDGE_DAILY_MONEY=0.0000001", "less than a millionth", "such as 25.00"},
		{"SMSBRIDGE_DAILY_MONEY=1e3", "is not an amount", "such as 25.00"},
		{"SMSBRIDGE_DAILY_MONEY=+5", "is not an amount", "such as 25.00"},
		{"SMSBRIDGE_PUBLIC_URL=https://*.acme.example", "that no host has", "the one host"},
		{"SMSBRIDGE_PUBLIC_URL=https://a.example,https://b.example", "that no host has", "the one"},
		{"SMSBRIDGE_PUBLIC_URL=https://bridge,acme.example", "that no host has", "the one host"},
		{"SMSBRIDGE_PUBLIC_URL=https://my_bridge.acme.example", "an underscore", "Twilio"},
		{"SMSBRIDGE_DATABASE=mysql://x/y", "not a database", "sqlite:PATH"},
		{"SMSBRIDGE_DATABASE=sqlite:", "not a database", "sqlite:PATH"},
		{"SMSBRIDGE_DATABASE=sqlite:.", "is a folder", "smsbridge.db"},
		{"SMSBRIDGE_DATABASE=sqlite:/no/such/", "is a folder", "smsbridge.db"},
		{"SMSBRIDGE_DATABASE=sqlite://smsbridge.db", "two slashes", "sqlite:smsbridge.db"},
		{"SMSBRIDGE_DATABASE=sqlite:~/x.db", "begins with ~", "the whole path"},
		{"SMSBRIDGE_DATABASE=sqlite: x.db", "a blank before the path", "the path alone"},
		{"SMSBRIDGE_DATABASE=sqlite:x.db?mode=ro", "parameters behind it", "the path alone"},
		{"SMSBRIDGE_DATABASE=sqlite::memory:", "not a database", "sqlite:PATH"},
		{"SMSBRIDGE_DATABASE=postgres://u:p@w@h/db", "has a password", "%40 for @"},
		{"SMSBRIDGE_DATABASE=postgres://u:p#w@h/db", "has a password", "%23 for #"},
		{"SMSBRIDGE_DATABASE=postgres://u:p/w@h/db", "has a password", "%2F for /"},
		{"SMSBRIDGE_DATABASE=postgres://u:p?w@h/db", "has a password", "%3F for ?"},
		{"SMSBRIDGE_DATABASE=postgres://u:p%w@h/db", "has a password", "%25 for %"},
		{"SMSBRIDGE_TEST_NUMBER=+447700900123", "not a variable", "SMSBRIDGE_TEST_NUMBERS"},
		{"SMSBRIDGE_KEY=secret", "not a key of 32 bytes", "openssl rand"},
		{"SMSBRIDGE_KEY_FILE=/nowhere/at/all", "cannot be read", "/nowhere/at/all"},

		{"SMSBRIDGE_TENANT=", "is missing", "acme"},
		{"SMSBRIDGE_TENANT=Acme", "not a slug", "a–z"},
		{"SMSBRIDGE_TENANT=a/b", "not a slug", "a–z"},
		{"SMSBRIDGE_TENANT=all", "all or none", "another short name"},
		{"SMSBRIDGE_TENANT=unknown", "all or none", "another short name"},
		{"SMSBRIDGE_NAME=", "is missing", "ACME"},
		{"SMSBRIDGE_NAME=acme.com", "looks like a link", "name alone"},
		{"SMSBRIDGE_NAME=Acme https://x", "looks like a link", "name alone"},
		{"SMSBRIDGE_NAME=@login #123456", "or a code", "name alone"},
		{"SMSBRIDGE_NAME=AC\u202eME", "invisible", "retype"},
		{"SMSBRIDGE_NAME=AC\u200bME", "invisible", "retype"},
		{"SMSBRIDGE_NAME=AC\nME", "control", "retype"},
		{"SMSBRIDGE_NAME=AC\xffME", "invisible", "retype"},
		{"SMSBRIDGE_NAME=" + strings.Repeat("x", 41), "longer than 40", "short name"},
		{"SMSBRIDGE_RETENTION=30d", "not a duration", "720h"},
		{"SMSBRIDGE_RETENTION=47h", "is not from 48h to", "720h"},
		{"SMSBRIDGE_OPT_OUT_SCOPE=line", `"line" is not sender or tenant or all`, "one of these"},
		{"SMSBRIDGE_CONTACT=" + strings.Repeat("x", 41), "longer than 40", "shortest"},
		{"SMSBRIDGE_CONTACT=a\u200bb", "invisible", "retype"},
		{"SMSBRIDGE_ACCEPT=baja", "stops", "another word"},
		{"SMSBRIDGE_TEST_NUMBERS=07700900123 code 4242 until 2027-01-01", "does not begin", "quotes"},
		{"SMSBRIDGE_TEST_NUMBERS=+447700900123", "has no end", "last day"},
		{"SMSBRIDGE_TEST_NUMBERS=+447700900123 code 4242", "has no end", "last day"},
		{"SMSBRIDGE_TEST_NUMBERS=+447700900123 until 2027-01-01", "no code and no answer", "answer no"},
		{"SMSBRIDGE_TEST_NUMBERS=+447700900123 code until 2027-01-01", "not complete", "write it as"},
		{"SMSBRIDGE_TEST_NUMBERS=+447700900123 code 424 until 2027-01-01", "wrong form", "4 to 10"},
		{"SMSBRIDGE_TEST_NUMBERS=+447700900123 code 12345678901 until 2027-01-01", "wrong form", "4 to"},
		{"SMSBRIDGE_TEST_NUMBERS=+447700900123 code abcd until 2027-01-01", "wrong form", "digits"},
		{"SMSBRIDGE_TEST_NUMBERS=+447700900123 answer ja until 2027-01-01", "not yes or no",
			"answer yes"},
		{"SMSBRIDGE_TEST_NUMBERS=+447700900123 code 4242 until 1.1.2027", "not a date", "2026-12-31"},
		{"SMSBRIDGE_TEST_NUMBERS=+447700900123 code 4242 till 2027-01-01", "not code, answer",
			"write it"},
		{"SMSBRIDGE_TEST_NUMBERS=+4520123456 code 4242 until 2027-01-01", "may be a person's", "is ours"},
		{"SMSBRIDGE_TEST_NUMBERS=+12025550200 code 4242 until 2027-01-01", "may be a person's",
			"is ours"},
		{"SMSBRIDGE_TEST_NUMBERS=+18005550143 code 4242 until 2027-01-01", "no text may go", "another"},
		{"SMSBRIDGE_TEST_NUMBERS=+447700900123 code 4242 until 2027-01-01,+447700900123 answer no " +
			"until 2027-01-01", "entry 2 has a number that is there twice", "one entry"},
		{"SMSBRIDGE_COUNTRIES=", "is missing", "* for all"},
		{"SMSBRIDGE_COUNTRIES=,", "is missing", "* for all"},
		{"SMSBRIDGE_COUNTRIES=DK,UK", `unknown country "UK"`, "GB"},
		{"SMSBRIDGE_COUNTRIES=UK", `unknown country "UK"`, "write GB"},
		{"SMSBRIDGE_COUNTRIES=Denmark", `unknown country "Denmark"`, "write DK"},
		{"SMSBRIDGE_COUNTRIES=SE,united kingdom", `unknown country "united kingdom"`, "write GB"},
		{"SMSBRIDGE_COUNTRIES=+45", `unknown country "+45"`, "write DK, the country of"},
		{"SMSBRIDGE_COUNTRIES=45", `unknown country "45"`, "write DK, the country of"},
		{"SMSBRIDGE_COUNTRIES=0045", `unknown country "0045"`, "write DK, the country of"},
		{"SMSBRIDGE_COUNTRIES=+1", `unknown country "+1"`, "write the country: US or another"},
		{"SMSBRIDGE_COUNTRIES=+999", `unknown country "+999"`, "two letters"},
		{"SMSBRIDGE_COUNTRIES=dk se NO", `"dk se NO"`, "by commas: dk,se,NO, in a file as a list"},
		{"SMSBRIDGE_COUNTRIES=DK;SE", `"DK;SE"`, "by commas: DK,SE"},
		{"SMSBRIDGE_COUNTRIES=all", `unknown country "all"`, "write *"},
		{"SMSBRIDGE_COUNTRIES=Atlantis", `unknown country "Atlantis"`, "two letters"},
		{"SMSBRIDGE_COUNTRIES=DK,*", "* beside countries", "either"},
		{"SMSBRIDGE_MAIL_DOMAIN=", "is missing", "sms.acme.example"},
		{"SMSBRIDGE_MAIL_DOMAIN=acme@sms.acme.example", "not a mail domain", "after the @"},
		{"SMSBRIDGE_IDP_HOSTS=", "is missing", "login.acme.example"},
		{"SMSBRIDGE_IDP_HOSTS=https://login.acme.example", "not a host", "without https://"},
		{"SMSBRIDGE_IDP_HOSTS=login.acme.example/u", "not a host", "without a path"},
		{"SMSBRIDGE_IDP_HOSTS=*.acme.example", "not a host", "hosts alone"},
		{"SMSBRIDGE_IDP_HOSTS=u@acme.example", "not a host", "hosts alone"},
		{"SMSBRIDGE_IDP_HOSTS=login.acme.example:8443", "a port or an IP address", "unsafe_allow"},
		{"SMSBRIDGE_IDP_HOSTS=127.0.0.1", "a port or an IP address", "unsafe_allow"},
		{"SMSBRIDGE_IDP_HOSTS=[::1]:80", "a port or an IP address", "unsafe_allow"},
		{"SMSBRIDGE_UNSAFE_ALLOW=127.0.0.1", "not a network", "127.0.0.0/8"},
		{"SMSBRIDGE_UNSAFE_ALLOW=0.0.0.0/0", "not a network", "longer than /0"},
		{"SMSBRIDGE_KEEP=both", `"both" is not bridge or mailgun`, "one of these"},
		{"SMSBRIDGE_RESET=on", `"on" is not relay or ask or off`, "one of these"},
		{"SMSBRIDGE_VERIFY=relay", `"relay" is not ask or off`, "one of these"},
		{"SMSBRIDGE_CODE=ask", "not relay or off", "one of these"},
		{"SMSBRIDGE_LOGIN=ask", "not relay or off", "one of these"},
		{"SMSBRIDGE_ANSWER=click", "not reply or tap or both", "one of these"},
		{"SMSBRIDGE_UNSAFE_BARE_YES=yes", `"yes" is not true or false`, "one of these"},
		{"SMSBRIDGE_PROOF=okta", `"okta" is not auth0 or keycloak or gotrue`, "one of these"},
		{"SMSBRIDGE_CODE_DOMAIN=https://acme.example", "not a host name", "login.acme.example"},
		{"SMSBRIDGE_PASSWORD_CODE_TEXT=Reply {{.Answer}}", "does not tell the code", "{{.Code}}"},
		{"SMSBRIDGE_REGISTRATION_TEXT=Reply {{.Answer}} {{.Code}}", "empty there", "leave it out"},
		{"SMSBRIDGE_REGISTRATION_TEXT=Reply {{.Answer}} {{.Link}}", "empty there", "leave it out"},
		{"SMSBRIDGE_ACCEPT=YES,Stop", `"Stop", which stops`, "another word"},
		{"SMSBRIDGE_ACCEPT=arrêt", "which stops", "another word"},
		{"SMSBRIDGE_ACCEPT=arre\u0302t", "which stops", "another word"},
		{"SMSBRIDGE_ACCEPT=help", "explains texts", "another word"},
		{"SMSBRIDGE_ACCEPT=yes,no", `"no", which also denies`, "out of accept"},
		{"SMSBRIDGE_ACCEPT=" + strings.Repeat("y", 33), "more than 32", "short words"},
		{"SMSBRIDGE_VALID_FOR=8", "not a duration", "8h"},
		{"SMSBRIDGE_VALID_FOR=25h", "not from 1m to 24h", "10m"},
		{"SMSBRIDGE_VALID_FOR=-5m", "not from 1m to 24h", "10m"},

		{"SMSBRIDGE_DNS=localhost:53", "not an IP address with a port", "127.0.0.1:53"},
		{"SMSBRIDGE_DNS=127.0.0.1", "not an IP address with a port", "127.0.0.1:53"},
		{"SMSBRIDGE_DNS=127.0.0.1:0", "not an IP address with a port", "127.0.0.1:53"},

		{"SMSBRIDGE_SENDER_VERIFY=spf", `"spf" is not dkim or mailgun or off`, "one of these"},
		{"SMSBRIDGE_SENDER_DOMAINS=", "is missing", "smsbridge link FILE.eml prints it"},
		{"SMSBRIDGE_SENDER_DOMAINS=no-reply@acme.example", "not a mail domain", "after d="},
		{"SMSBRIDGE_SENDER_DOMAINS=*.acme.example", "not a mail domain", "after d="},
		{"SMSBRIDGE_SENDER_DOMAINS=acme", "not a mail domain", "after d="},
		{"SMSBRIDGE_SENDER_DOMAINS=acme.example,SendGrid.net", `"sendgrid.net", which belongs`,
			"a domain of your own"},
		{"SMSBRIDGE_SENDER_DOMAINS=eu.mailgun.org", "belongs to everybody", "a domain of your own"},
		{"SMSBRIDGE_SENDER_DOMAINS=amazonses.com", "belongs to everybody", "a domain of your own"},
		{"SMSBRIDGE_SENDER_DOMAINS=pm.mtasv.net", "belongs to everybody", "a domain of your own"},
		{"SMSBRIDGE_SENDER_DOMAINS=gmail.com", "belongs to everybody", "a domain of your own"},
		{"SMSBRIDGE_SENDER_DOMAINS=acme.onmicrosoft.com", "belongs to everybody", "of your own"},
		{"SMSBRIDGE_SENDER_DOMAINS=co.uk", "belongs to everybody", "a domain of your own"},
		{"SMSBRIDGE_SENDER_DOMAINS=firebaseapp.com", "belongs to everybody", "a domain of your own"},

		{"MAILGUN_API_KEY=", "is missing", "Mailgun"},
		{"MAILGUN_API_KEY=\"key\"", "quotes", "copy it again"},
		{"MAILGUN_API_KEY=file:/nowhere/at/all", "cannot be read", "/nowhere/at/all"},
		{"MAILGUN_WEBHOOK_SIGNING_KEY=", "is missing", "signing key"},
		{"MAILGUN_WEBHOOK_SIGNING_KEY=new,o ld", "spaces", "copy it again"},
		{"MAILGUN_API_BASE=http://api.mailgun.net/v3", "plain http", "https"},
		{"MAILGUN_STORAGE_HOSTS=https://x.example", "not a host", "without https://"},
		{"TWILIO_ACCOUNT_SID=", "is missing", "Twilio's console"},
		{"TWILIO_ACCOUNT_SID=SK0123456789abcdef0123456789abcdef", "not an account SID", "AC and 32"},
		{"TWILIO_AUTH_TOKEN=", "is missing", "Twilio's console"},
		{"TWILIO_AUTH_TOKEN=abc-def", "not an auth token", "letters and digits"},
		{"TWILIO_FROM=", "is missing", "Messaging Service"},
		{"TWILIO_FROM=ACME", "is a name", "Messaging Service"},
		{"TWILIO_FROM=12345", "not a number in international form", "short code"},
		{"TWILIO_FROM=+1 500 555 0006", "not a number in international form", "digits only"},
		{"TWILIO_FROM=MG0123456789", "not a Messaging Service SID", "32 letters"},
		{"TWILIO_FROM=MG0123456", "not a Messaging Service SID", "copy the whole of it"},
		{"TWILIO_FROM=MG01234", "not a Messaging Service SID", "copy the whole of it"},
		{"TWILIO_FROM=MG2024", "is a name", "answer = tap"},
		{"TWILIO_API_BASE=api.twilio.com", "not a web address", "https://"},

		{"SMSBRIDGE_REGISTRATION_TEXT=Hi {{.Phone}}", "unknown field", "{{.Answer}}"},
		{"SMSBRIDGE_REGISTRATION_TEXT=Hi {{.Name", "not a valid template", "{{.Answer}}"},
		{"SMSBRIDGE_PASSWORD_TEXT=Go to https://x.example, YES?", "as a link", "no links"},
		{"SMSBRIDGE_PASSWORD_TEXT=YES? x.example", "as a link", "no links"},
		{"SMSBRIDGE_WRONG_TEXT=YES\n@x #123", "ends like a code", "reword"},
		{"SMSBRIDGE_WRONG_TEXT=YES\u200b", "invisible", "retype"},
		{"SMSBRIDGE_WRONG_TEXT=YES " + strings.Repeat("x", 310), "more than two segments", "160"},

		{"SMSBRIDGE_LOG_FORMAT=TEXT", `"TEXT" is not text or json or auto`, "small letters"},
		{"SMSBRIDGE_COUNTRY=DK", "not a variable of smsbridge", "did you mean SMSBRIDGE_COUNTRIES?"},
		{"SMSBRIDGE_LOGLEVEL=x", "not a variable of smsbridge", "did you mean SMSBRIDGE_LOG_LEVEL?"},
		{"SMSBRIDGE_=x", "not a variable of smsbridge", "known here: SMSBRIDGE_ACCEPT, "},
	} {
		t.Run(tt.change, func(t *testing.T) {
			_, err := FromEnv(oneTenant(tt.change))
			mistakes := mistakesOf(t, err)
			require.Len(t, mistakes, 1, "%v", err)
			variable, _, _ := strings.Cut(tt.change, "=")
			require.Equal(t, variable, mistakes[0].Where)
			require.Contains(t, mistakes[0].What, tt.what)
			require.Contains(t, mistakes[0].Hint, tt.hint)
		})
	}
}

// A misspelled variable of a provider is found by its name, and not only by what is missing.
func TestMisspelledVariables(t *testing.T) {
	for misspelled, meant := range map[string]string{
		"SMSBRIDGE_COUNTRYS": "SMSBRIDGE_COUNTRIES", "MAILGUN_APIKEY": "MAILGUN_API_KEY",
		"TWILIO_AUTHTOKEN": "TWILIO_AUTH_TOKEN", "TWILIO_FORM": "TWILIO_FROM",
		"FLOWROUTE_ACCES_KEY": "FLOWROUTE_ACCESS_KEY", "AUTH0_DOMAINS": "AUTH0_DOMAIN",
	} {
		_, err := FromEnv(oneTenant(meant+"=", misspelled+"=secret"))
		require.Contains(t, mistakesOf(t, err), settings.Mistake{
			Where: misspelled, What: "is not a variable of smsbridge",
			Hint: "did you mean " + meant + "?",
		}, misspelled)
		require.NotContains(t, err.Error(), "secret")
	}
	// Other programs have variables of the providers, too.
	_, err := FromEnv(oneTenant("TWILIO_EDGE=x", "TWILIO_REGION=x", "TWILIO_API_KEY=x",
		"TWILIO_API_SECRET=x", "AUTH0_CLIENT_ID=x", "MAILGUN_DOMAIN=x", "MAILGUN_API_URL=x",
		"AUTH0_CLIENT_SECRET=x"))
	require.NoError(t, err)
}

func TestKeyMistakes(t *testing.T) {
	_, err := FromEnv(oneTenant("SMSBRIDGE_DATABASE=postgres://h/d"))
	require.Equal(t, settings.Mistakes{{Where: "SMSBRIDGE_KEY",
		What: "is missing, and PostgreSQL needs it",
		Hint: "make one with: openssl rand -hex 32"}}, mistakesOf(t, err))

	file := filepath.Join(t.TempDir(), "key")
	require.NoError(t, os.WriteFile(file, []byte(testKey), 0o600))
	s, err := FromEnv(oneTenant("SMSBRIDGE_DATABASE=postgres://h/d", "SMSBRIDGE_KEY_FILE="+file))
	require.NoError(t, err)
	require.Equal(t, testKey, s.Key.Reveal())

	_, err = FromEnv(oneTenant("SMSBRIDGE_KEY="+testKey, "SMSBRIDGE_KEY_FILE="+file))
	require.Equal(t, settings.Mistakes{{Where: "SMSBRIDGE_KEY_FILE",
		What: "is set beside SMSBRIDGE_KEY",
		Hint: "keep one of the two"}}, mistakesOf(t, err))
}

// An operator who starts with nothing is told everything at once.
func TestMistakesAreReportedTogether(t *testing.T) {
	_, err := FromEnv(nil)
	mistakes := mistakesOf(t, err)
	require.Len(t, mistakes, 12)
	lines := strings.Split(err.Error(), "\n")
	require.Len(t, lines, 2*len(mistakes))
	require.Equal(t, "error: SMSBRIDGE_PUBLIC_URL: is missing", lines[0])
	for i, line := range lines {
		require.True(t, strings.HasPrefix(line, []string{"error: ", "hint: "}[i%2]), line)
	}
}

// minimal is a file with one tenant on lines 2 to 13.
const minimal = `public_url: https://bridge.example.com
tenants:
  - slug: acme
    name: ACME
    countries: [DK]
    mail_domain: sms.acme.example
    idp_hosts: login.acme.example
    mailgun: {api_key: env:MK, signing_key: [env:MG, "file:signing"]}
    twilio:
      account_sid: ` + testSID + `
      auth_token: env:TW
      from: "+15005550006"
    sender: {domains: [acme.example]}
`

func load(t *testing.T, text string, environ ...string) (Settings, error) {
	t.Helper()
	dir := t.TempDir()
	t.Chdir(dir)
	require.NoError(t, os.WriteFile("s.yaml", []byte(text), 0o600))
	require.NoError(t, os.WriteFile("signing", []byte(testOld+"\n"), 0o600))
	require.NoError(t, os.WriteFile("key", []byte(testKey+"\n"), 0o600))
	return FromFile("s.yaml", append(environ, "MK="+testAPI, "MG="+testSign, "TW="+testToken))
}

func TestFromFile(t *testing.T) {
	s, err := load(t, minimal, "SMSBRIDGE_ADDR=:9000", "SMSBRIDGE_KEY="+testKey,
		"SMSBRIDGE_DATABASE=sqlite:x.db")
	require.NoError(t, err)
	require.Equal(t, ":9000", s.Addr)
	require.Equal(t, testKey, s.Key.Reveal())
	require.Equal(t, "sqlite:x.db", s.Database.Reveal())
	acme := s.Tenants.All()[0]
	require.Equal(t, "acme", acme.Address.Prefix)
	require.Equal(t, []settings.Secret{settings.NewSecret(testSign), settings.NewSecret(testOld)},
		acme.Mails.Mailgun.SigningKeys)

	// The same settings from variables give the same tenant.
	fromEnv := mustTenant(t, "SMSBRIDGE_PUBLIC_URL="+s.PublicURL, "SMSBRIDGE_COUNTRIES=DK",
		"MAILGUN_API_KEY="+testAPI, "MAILGUN_WEBHOOK_SIGNING_KEY="+testSign+","+testOld)
	require.Equal(t, fromEnv, acme)

	// A file may refer to variables that would else be refused beside it.
	_, err = load(t, strings.Replace(minimal, "env:TW", "env:TWILIO_AUTH_TOKEN", 1),
		"TWILIO_AUTH_TOKEN="+testToken)
	require.NoError(t, err)
}

// What a file says again and again can be said once, as YAML allows.
func TestFileWithAliases(t *testing.T) {
	anchored := strings.NewReplacer("[DK]", "&c [DK]", "name: ACME", "name: &n ACME")
	s, err := load(t, anchored.Replace(minimal)+`
  - slug: beta
    name: *n
    countries: *c
    mail_domain: sms.beta.example
    idp_hosts: login.beta.example
    sender: {domains: [beta.example]}
    mailgun: &m {api_key: env:MK, signing_key: env:MG}
    twilio: {account_sid: `+testSID+`, auth_token: env:TW, from: `+testMG+`}
`)
	require.NoError(t, err)
	beta, _ := s.Tenants.Tenant("beta")
	require.Equal(t, "ACME", beta.Name)
	require.Equal(t, []string{"DK"}, beta.Policy.Countries)
	require.Empty(t, otherWarnings(s))
}

func TestTenantVariablesBesideFile(t *testing.T) {
	_, err := load(t, minimal, "SMSBRIDGE_NAME=x", "TWILIO_FROM=x", "SMSBRIDGE_NAM=x")
	require.Equal(t, settings.Mistakes{
		{Where: "SMSBRIDGE_NAM", What: "is not a variable of smsbridge",
			Hint: "did you mean SMSBRIDGE_NAME?"},
		{Where: "SMSBRIDGE_NAME", What: "is set beside a configuration file",
			Hint: "unset it and write name into the file, or do without the file"},
		{Where: "TWILIO_FROM", What: "is set beside a configuration file",
			Hint: "unset it and write twilio.from into the file, or do without the file"},
	}, mistakesOf(t, err))
}

func TestFileNotThere(t *testing.T) {
	_, err := FromFile(filepath.Join(t.TempDir(), "nope.yaml"), nil)
	require.Contains(t, mistakesOf(t, err)[0].What, "cannot be read")
}

// Two tenants may share a sender, but not what tells them apart.
func TestTenantsTogether(t *testing.T) {
	second := minimal[strings.Index(minimal, "  - slug"):]
	where := func(err error) (all []string) {
		for _, m := range mistakesOf(t, err) {
			all = append(all, m.Where)
		}
		return all
	}
	_, err := load(t, minimal+second)
	require.Equal(t, []string{"s.yaml:14: tenants[1].slug", "s.yaml:14: tenants[1].prefix",
		"s.yaml:15: tenants[1].name"}, where(err))

	_, err = load(t, minimal+strings.Replace(second, "slug: acme", "slug: beta\n    prefix: ACME", 1))
	require.Equal(t, []string{"s.yaml:15: tenants[1].prefix", "s.yaml:16: tenants[1].name"},
		where(err))

	s, err := load(t, minimal+strings.NewReplacer("slug: acme", "slug: beta", "name: ACME",
		"name: Beta").Replace(second))
	require.NoError(t, err)
	require.Len(t, s.Tenants.ByLine(phonemail.Line{Account: testSID, Sender: "+15005550006"}), 2)
	require.Len(t, otherWarnings(s), 1)
	require.Contains(t, otherWarnings(s)[0], "tenants acme and beta share a sender")

	// A word cannot mean yes to one and no to the other.
	for _, words := range []string{"accept: [JA]\n    deny: [YES]", "accept: [no]\n    deny: [NEJ]"} {
		_, err = load(t, minimal+strings.NewReplacer("slug: acme", "slug: beta\n    "+words, "name: ACME",
			"name: Beta").Replace(second))
		require.ErrorContains(t, err, "means the opposite", words)
	}
}

// No file makes the reader panic or say a secret, and every mistake has a hint.
func FuzzParseFile(f *testing.F) {
	f.Add([]byte(minimal))
	f.Add([]byte("a: &a {a: *a}\ntenants: [*a, {mailgun: *a, texts: {wrong: *a}}]\n"))
	f.Add([]byte("tenants:\n  - accept: [*x, ~]\n"))
	f.Add([]byte("<<: {a: 1}\n? [a]\n: b\n"))
	f.Fuzz(func(t *testing.T, text []byte) {
		l := newLoader([]string{"MK=verysecret", "MG=verysecret", "TW=verysecret"})
		if file, ok := l.ParseFile("s.yaml", text, form()); ok {
			_, _ = l.fromFile(file)
		}
		for _, m := range l.Mistakes() {
			require.NotEmpty(t, m.Where+m.What)
			require.NotEmpty(t, m.Hint)
		}
		require.NotContains(t, l.Mistakes().Error(), "verysecret")
	})
}

// Every mistake that a file can have beyond those of its values.
func TestMistakesInFiles(t *testing.T) {
	change := func(old, with string) string {
		require.Contains(t, minimal, old)
		return strings.Replace(minimal, old, with, 1)
	}
	for _, tt := range []struct {
		name, text, where, what, hint string
	}{
		{"unknown key", change("public_url:", "adr: x\npublic_url:"), "s.yaml:1: adr",
			"not a known setting", "did you mean addr?"},
		{"unknown tenant key", change("    name:", "    nme: x\n    name:"), "s.yaml:4: tenants[0].nme",
			"not a known setting", "did you mean name?"},
		{"unknown key in a group", change("      from:", "      form: x\n      from:"),
			"s.yaml:12: tenants[0].twilio.form", "not a known setting", "did you mean twilio.from?"},
		{"far from any key", change("      from:", "      zzzzzzzzzzzzzzz: x\n      from:"),
			"s.yaml:12: tenants[0].twilio.zzzzzzzzzzzzzzz", "not a known setting",
			"known here: twilio.account_sid, "},
		{"missing", change("    name: ACME\n", ""), "s.yaml:3: tenants[0].name", "is missing", "ACME"},
		{"twice", change("    name: ACME\n", "    name: ACME\n    name: ACME\n"),
			"s.yaml:5: tenants[0].name", "is there twice", "keep one"},
		{"no value", change("name: ACME", "name:"), "s.yaml:4: tenants[0].name", "has no value",
			"remove the line"},
		{"no value in a list", change("[DK]", "[DK, ]\n    accept: [YES, '']"),
			"s.yaml:6: tenants[0].accept", "has no value", "remove the line"},
		{"empty list", change("[DK]", "[]"), "s.yaml:5: tenants[0].countries", "has no value",
			"remove the line"},
		{"list for one value", change("name: ACME", "name: [ACME]"), "s.yaml:4: tenants[0].name",
			"not written as this setting is", "one value"},
		{"mapping for a list", change("[DK]", "{DK: yes}"), "s.yaml:5: tenants[0].countries",
			"not written as this setting is", "a list"},
		{"one value for a group", change("    name:", "    texts: x\n    name:"),
			"s.yaml:4: tenants[0].texts", "not a group", "indented"},
		{"bad value", change("[DK]", "[DK, XX]"), "s.yaml:5: tenants[0].countries", `"XX"`,
			"two letters"},
		{"bad text", change("    name:", "    texts:\n      denied: '{{.Phone}}'\n    name:"),
			"s.yaml:5: tenants[0].texts.denied", "unknown field", "{{.Name}}"},
		{"bad prefix", change("    name:", "    prefix: a+b\n    name:"), "s.yaml:4: tenants[0].prefix",
			"before the +", "hyphen"},
		{"bad choice", change("    name:", "    valid_numbers: yes\n    name:"),
			"s.yaml:4: tenants[0].valid_numbers", `"yes" is not true or false`, "small letters"},
		{"stop word denies", change("    name:", "    deny: [END]\n    name:"),
			"s.yaml:4: tenants[0].deny", `"END"`, "another word"},
		{"yes and no", change("    name:", "    deny: [y]\n    name:"), "s.yaml:3: tenants[0].accept",
			"also denies", "accept or of deny"},
		{"plain secret", change("env:TW", testToken), "s.yaml:11: tenants[0].twilio.auth_token",
			"secret written out", "env:NAME"},
		{"secret not set", change("env:TW", "env:NOPE"), "s.yaml:11: tenants[0].twilio.auth_token",
			"variable that is not set", "set the variable"},
		{"secret file missing", change("file:signing", "file:nope"),
			"s.yaml:8: tenants[0].mailgun.signing_key", "cannot be read", "nope"},
		{"secret file empty", change("file:signing", "file:/dev/null"),
			"s.yaml:8: tenants[0].mailgun.signing_key", "empty file", "write the secret"},
		{"endless secret file", change("file:signing", "file:/dev/zero"),
			"s.yaml:8: tenants[0].mailgun.signing_key", "cannot be read", "larger than"},
		{"password in the file", "database: postgres://u:pw@h/d\nkey: env:KEY\n" + minimal,
			"s.yaml:1: database", "secret written out", "env:NAME"},
		{"password in the query", "database: postgres://h/d?password=pw\nkey: env:KEY\n" + minimal,
			"s.yaml:1: database", "secret written out", "env:NAME"},
		{"key beside key file", "key: env:KEY\nkey_file: key\n" + minimal, "s.yaml:2: key_file",
			"is set beside s.yaml:1: key", "keep one"},
		{"file and variable", "key: env:KEY\n" + minimal, "s.yaml:1: key", "also set by SMSBRIDGE_KEY",
			"keep one"},
		{"no tenants", "public_url: https://b.example\n", "s.yaml: tenants", "no tenant", "add one"},
		{"empty tenants", "public_url: https://b.example\ntenants: []\n", "s.yaml: tenants", "no tenant",
			"add one"},
		{"tenants not a list", "public_url: https://b.example\ntenants: x\n", "s.yaml:2: tenants",
			"not a list", "hyphen"},
		{"tenant not a mapping", minimal + "  - x\n", "s.yaml:14: tenants[1]", "not a tenant",
			"key: value"},
		{"a color is a comment", minimal + "    auth0:\n      domain: a.example\n      color: #0b57d0\n",
			"s.yaml:16: tenants[0].auth0.color", "takes for a comment", `quote it: color: "#0b57d0"`},
		{"a path of two kinds", minimal + "    links:\n      paths: [\"verify:reset:/x\"]\n",
			"s.yaml:15: tenants[0].links.paths", "not a path", "one of verify:"},
		{"a path that no link has", minimal + "    links:\n      paths: [/bekræft/konto]\n",
			"s.yaml:15: tenants[0].links.paths", "no link is opened that fits", "beyond ASCII"},
		{"a text in braces", change("    name:", "    code_text: {{.Code}}\n    name:"),
			"s.yaml:4: tenants[0].code_text", "begins with {{", "in quotes"},
		{"a text that begins with braces",
			change("    name:", "    code_text: {{.Code}} it is\n    name:"), "s.yaml:4: code_text",
			"begins with {{", "in quotes"},
		{"a quote that is not closed", change("name: ACME", "name: \"ACME"), "s.yaml:4: name",
			"a quote that is not closed", "at the end of the value"},
		{"countries without brackets", change("[DK]", "DK, Sweden"), "s.yaml:5: tenants[0].countries",
			`"DK, Sweden"`, "in a file as a list: [DK, Sweden]"},
		{"not YAML", "a: [", "s.yaml", "not valid YAML", "compare"},
		{"nothing", "", "s.yaml", "no settings", "start from"},
		{"not a mapping", "- x\n", "s.yaml", "no settings", "start from"},
		{"two documents", minimal + "---\n" + minimal, "s.yaml", "more than one document", "---"},
		{"too large", "#" + strings.Repeat("x", 4<<20), "s.yaml", "cannot be read", "larger than"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			environ := []string{"KEY=" + testKey}
			if tt.name == "file and variable" {
				environ = append(environ, "SMSBRIDGE_KEY="+testKey)
			}
			_, err := load(t, tt.text, environ...)
			mistakes := mistakesOf(t, err)
			require.NotContains(t, err.Error(), testToken)
			require.Len(t, mistakes, 1, "%v", err)
			require.Equal(t, tt.where, mistakes[0].Where)
			require.Contains(t, mistakes[0].What, tt.what)
			require.Contains(t, mistakes[0].Hint, tt.hint)
		})
	}
}

// Half an access to the identity provider's API is reported where the other half belongs.
func TestProofIsWhole(t *testing.T) {
	const kind, url, id, secret = "SMSBRIDGE_PROOF=keycloak",
		"SMSBRIDGE_PROOF_URL=https://id.acme.example/realms/acme", "SMSBRIDGE_PROOF_CLIENT_ID=bridge",
		"SMSBRIDGE_PROOF_SECRET=" + testOld
	for where, given := range map[string][]string{
		"SMSBRIDGE_PROOF":           {url, id, secret},
		"SMSBRIDGE_PROOF_URL":       {kind, id, secret},
		"SMSBRIDGE_PROOF_CLIENT_ID": {kind, url, secret},
		"SMSBRIDGE_PROOF_SECRET":    {kind, url, id},
	} {
		_, err := FromEnv(oneTenant(given...))
		var m settings.Mistakes
		require.ErrorAs(t, err, &m, where)
		require.Len(t, m, 1, where)
		require.Equal(t, where, m[0].Where)
	}
	_, err := FromEnv(oneTenant(kind, "SMSBRIDGE_PROOF_URL=https://id.acme.example", id, secret))
	require.ErrorContains(t, err, "does not name a realm")
	_, err = FromEnv(oneTenant("SMSBRIDGE_PROOF=gotrue",
		"SMSBRIDGE_PROOF_URL=https://api.acme.example", secret))
	require.NoError(t, err, "GoTrue has no client")
}

// A text about a password that is never sent is a mistake: the reply must repeat a code, and only
// the other text tells it.
func TestPasswordTextThatIsNotSaid(t *testing.T) {
	const text = "SMSBRIDGE_PASSWORD_TEXT=New password? Reply {{.Answer}}"
	_, err := FromEnv(oneTenant("SMSBRIDGE_RESET=ask", text))
	mistakes := mistakesOf(t, err)
	require.Len(t, mistakes, 1)
	require.Equal(t, "SMSBRIDGE_PASSWORD_TEXT", mistakes[0].Where)
	require.Contains(t, mistakes[0].What, "is not said")
	require.Contains(t, mistakes[0].Hint, "SMSBRIDGE_PASSWORD_CODE_TEXT")
	require.Contains(t, mistakes[0].Hint, "SMSBRIDGE_UNSAFE_BARE_YES")
	for _, more := range []string{
		"SMSBRIDGE_PASSWORD_CODE_TEXT=New password? Reply {{.Answer}} {{.Code}}",
		"SMSBRIDGE_UNSAFE_BARE_YES=true", "SMSBRIDGE_RESET=relay",
	} {
		_, err := FromEnv(oneTenant("SMSBRIDGE_RESET=ask", text, more))
		require.NoError(t, err, more)
	}
}

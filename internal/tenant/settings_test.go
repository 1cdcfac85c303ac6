//go:build !race

package tenant

import (
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"net/netip"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"smsbridge/internal/longtest"
	"smsbridge/internal/settings"
	"smsbridge/internal/wording"
	"smsbridge/phonemail"
)

const (
	testKey   = "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f"
	testToken = "fedcba9876543210fedcba9876543210"
	testAPI   = "key-7d2f61c09be84a53f1e6c8b20d94a7e3"
	testSign  = "9c4be1f072a8d6350e7b1fc2a95d8e46"
	testOld   = "24d7a0e9c83b5f16b0d2e47c915fa683"
	testSID   = "AC0123456789abcdef0123456789abcdef"
	testMG    = "MG0123456789abcdef0123456789abcdef"
)

// oneTenant is the shortest set-up with variables. Changes overrule it; an empty
// one removes a variable.
func oneTenant(changes ...string) []string {
	env := map[string]string{
		"SMSBRIDGE_PUBLIC_URL":        "https://bridge.acme.example",
		"SMSBRIDGE_TENANT":            "acme",
		"SMSBRIDGE_NAME":              "ACME",
		"SMSBRIDGE_COUNTRIES":         "DK,SE",
		"SMSBRIDGE_MAIL_DOMAIN":       "sms.acme.example",
		"SMSBRIDGE_IDP_HOSTS":         "login.acme.example",
		"SMSBRIDGE_SENDER_DOMAINS":    "acme.example",
		"MAILGUN_API_KEY":             testAPI,
		"MAILGUN_WEBHOOK_SIGNING_KEY": testSign,
		"TWILIO_ACCOUNT_SID":          testSID,
		"TWILIO_AUTH_TOKEN":           testToken,
		"TWILIO_FROM":                 "+15005550006",
		"PATH":                        "/usr/bin",
	}
	for _, change := range changes {
		name, v, _ := strings.Cut(change, "=")
		env[name] = v
	}
	var environ []string
	for _, name := range slices.Sorted(maps.Keys(env)) {
		environ = append(environ, name+"="+env[name])
	}
	return environ
}

func mustTenant(t *testing.T, changes ...string) *Tenant {
	t.Helper()
	s, err := FromEnv(oneTenant(changes...))
	require.NoError(t, err)
	require.Len(t, s.Tenants.All(), 1)
	return s.Tenants.All()[0]
}

func TestFromEnvDefaults(t *testing.T) {
	s, err := FromEnv(oneTenant())
	require.NoError(t, err)
	require.Empty(t, otherWarnings(s))
	require.Equal(t, ":8080", s.Addr)
	require.Equal(t, "https://bridge.acme.example", s.PublicURL)
	require.Equal(t, "sqlite:smsbridge.db", s.Database.Reveal())
	require.Empty(t, s.Key.Reveal())

	acme, ok := s.Tenants.Tenant("acme")
	require.True(t, ok)
	require.Equal(t, "ACME", acme.Name)
	require.Equal(t, phonemail.Scheme{Prefix: "acme", Domain: "sms.acme.example"}, acme.Address)
	require.Equal(t, phonemail.Policy{Countries: []string{"DK", "SE"}}, acme.Policy)
	require.Equal(t, []string{"login.acme.example"}, acme.Links.IdPHosts)
	require.Empty(t, acme.Links.UnsafeAllow)
	require.Equal(t, KeepBridge, acme.Mails.Keep)
	require.Equal(t, Relay, acme.Mails.Reset)
	require.Equal(t, "YES", acme.AskedAnswer("en"))
	require.Equal(t, []string{"NO", "N"}, acme.Question.Deny)
	require.Equal(t, 10*time.Minute, acme.Question.ValidFor)
	require.Equal(t, testAPI, acme.Mails.Mailgun.APIKey.Reveal())
	require.Equal(t, []settings.Secret{settings.NewSecret(testSign)},
		acme.Mails.Mailgun.SigningKeys)
	require.Equal(t, "https://api.mailgun.net", acme.Mails.Mailgun.APIBase)
	require.Equal(t, Twilio{testSID, settings.NewSecret(testToken), "+15005550006", "",
		"https://api.twilio.com"},
		acme.Sending.Twilio)
}

func TestFromEnvEverything(t *testing.T) {
	file := filepath.Join(t.TempDir(), "token")
	require.NoError(t, os.WriteFile(file, []byte(testToken+"\n"), 0o600))
	s, err := FromEnv(oneTenant(
		"SMSBRIDGE_ADDR=127.0.0.1:9000", "SMSBRIDGE_PUBLIC_URL=http://127.0.0.1:9000/",
		"SMSBRIDGE_DRAIN=0s",
		"SMSBRIDGE_DATABASE=postgres://bridge:pw@db.internal/bridge", "SMSBRIDGE_KEY="+testKey,
		"SMSBRIDGE_COUNTRIES=dk, gb", "SMSBRIDGE_IDP_HOSTS=Login.Acme.Example,127.0.0.1:8081",
		"SMSBRIDGE_UNSAFE_ALLOW=127.0.0.1/8,::1/128", "SMSBRIDGE_KEEP=mailgun", "SMSBRIDGE_RESET=ask",
		"SMSBRIDGE_UNSAFE_BARE_YES=true",
		"SMSBRIDGE_ACCEPT=JA,YES", "SMSBRIDGE_VALID_FOR=8h",
		"SMSBRIDGE_REGISTRATION_TEXT=Svar {{.Answer}} til {{.Name}}",
		"SMSBRIDGE_PASSWORD_TEXT=Ny kode? Svar JA", "SMSBRIDGE_WRONG_TEXT=Svar JA eller {{.Denial}}",
		"MAILGUN_WEBHOOK_SIGNING_KEY="+testSign+","+testOld, "MAILGUN_API_BASE=http://localhost:8082/v3/",
		"MAILGUN_STORAGE_HOSTS=store.example",
		"TWILIO_AUTH_TOKEN=file:"+file, "TWILIO_FROM="+testMG, "TWILIO_API_BASE=http://localhost:8083/",
		"SMSBRIDGE_LOG_LEVEL=debug", "SMSBRIDGE_SERVICE_HOST=10.0.0.1",
		"SMSBRIDGE_PORT_8080_TCP_ADDR=10.0.0.1",
		"SMSBRIDGE_PORT=tcp://10.0.0.1:8080", "SMSBRIDGE_DB_SERVICE_PORT_SQL=5432",
		"SMSBRIDGE_DB_PORT=tcp://10.0.0.2:5432", "SMSBRIDGE_TEST_POSTGRES=x",
	))
	require.NoError(t, err)
	require.Equal(t, "127.0.0.1:9000", s.Addr)
	require.Zero(t, s.Drain)
	require.Equal(t, "http://127.0.0.1:9000", s.PublicURL)
	require.Equal(t, "postgres://bridge:pw@db.internal/bridge", s.Database.Reveal())
	require.Equal(t, testKey, s.Key.Reveal())

	acme := s.Tenants.All()[0]
	require.Equal(t, []string{"DK", "GB"}, acme.Policy.Countries)
	require.Equal(t, []string{"login.acme.example", "127.0.0.1:8081"}, acme.Links.IdPHosts)
	require.Equal(t, []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8"),
		netip.MustParsePrefix("::1/128")}, acme.Links.UnsafeAllow)
	require.Equal(t, KeepMailgun, acme.Mails.Keep)
	require.Equal(t, Ask, acme.Mails.Reset)
	require.Equal(t, "JA", acme.AskedAnswer("en"))
	require.Equal(t, 8*time.Hour, acme.Question.ValidFor)
	require.Equal(t, "Svar JA til ACME", acme.Say("", wording.AskRegistration, wording.Fill{}))
	require.Equal(t, "Ny kode? Svar JA", acme.Say("", wording.AskPassword, wording.Fill{}))
	require.Equal(t, "Svar JA eller NO", acme.Say("", wording.Wrong, wording.Fill{}))
	require.Equal(t, []settings.Secret{settings.NewSecret(testSign), settings.NewSecret(testOld)},
		acme.Mails.Mailgun.SigningKeys)
	require.Equal(t, "http://localhost:8082", acme.Mails.Mailgun.APIBase)
	require.Equal(t, []string{"store.example"}, acme.Mails.Mailgun.StorageHosts)
	require.Equal(t, testToken, acme.Sending.Twilio.AuthToken.Reveal())
	require.Equal(t, testMG, acme.Sending.Twilio.From)
	require.Equal(t, "http://localhost:8083", acme.Sending.Twilio.APIBase)
}

// Ensure that a proxy of the environment is told once, by its variable and without its password.
func TestProxyOfTheEnvironment(t *testing.T) {
	for _, variable := range []string{"HTTPS_PROXY", "https_proxy"} {
		s, err := FromEnv(oneTenant(variable + "=http://joe:secret@proxy.example:3128"))
		require.NoError(t, err)
		require.Len(t, otherWarnings(s), 1)
		require.Contains(t, otherWarnings(s)[0], variable+" is set: calls to providers go through")
		require.NotContains(t, otherWarnings(s)[0], "proxy.example")
	}
	s, err := FromEnv(oneTenant("HTTPS_PROXY=", "HTTP_PROXY=http://proxy.example"))
	require.NoError(t, err)
	require.Empty(t, otherWarnings(s))
}

func TestWarnings(t *testing.T) {
	for change, want := range map[string]string{
		"SMSBRIDGE_COUNTRIES=*":                    "ALL countries",
		"SMSBRIDGE_UNSAFE_ALLOW=10.0.0.0/8":        "UNSAFE",
		"SMSBRIDGE_VALID_FOR=8h":                   "stays open for 8h; more than 10m",
		"SMSBRIDGE_REGISTRATION_TEXT={{.Answer}}?": "ask_registration_code is not: beside another",
		"SMSBRIDGE_PASSWORD_TEXT=Is this you?": "ask_password does " +
			"not say which word",
		"SMSBRIDGE_WRONG_TEXT=YES please\u2026 " +
			strings.Repeat("x", 60): "wrong in en takes 2 segments",
	} {
		s, err := FromEnv(append(oneTenant(change), "SMSBRIDGE_LONG_TEXTS=true"))
		require.NoError(t, err, change)
		require.Len(t, otherWarnings(s), 1, change)
		require.Contains(t, otherWarnings(s)[0], want)
		require.Contains(t, otherWarnings(s)[0], "tenant acme")
	}
}

// Ensure that a text of two segments is a mistake where the shipped one takes one, unless the
// tenant allows it.
func TestLongTexts(t *testing.T) {
	for _, change := range []string{
		"SMSBRIDGE_WRONG_TEXT=YES please\u2026 " + strings.Repeat("x", 60),
		"SMSBRIDGE_NAME=" + strings.Repeat("N", 40),
	} {
		_, err := FromEnv(oneTenant(change))
		require.ErrorContains(t, err, "take 2 segments")
		require.ErrorContains(t, err, "long_texts")
		_, err = FromEnv(append(oneTenant(change), "SMSBRIDGE_LONG_TEXTS=true"))
		require.NoError(t, err)
	}
}

// Ensure that each hint about the language of a phone counts when none before it does.
func TestLanguageFor(t *testing.T) {
	danish, err := phonemail.ParseNumber("+4520123456")
	require.NoError(t, err)
	indian, err := phonemail.ParseNumber("+919812345678")
	require.NoError(t, err)
	for _, tt := range []struct {
		tenant      Tenant
		asked, mail string
		phone       phonemail.Number
		want        string
	}{
		{Tenant{Language: "sv", LanguagePinned: true}, "fi", "de", danish, "sv"},
		{Tenant{Language: "sv"}, "fi-FI", "de", danish, "fi"},
		{Tenant{Language: "sv"}, "tlh", "de-AT", danish, "de"},
		{Tenant{Language: "sv"}, "", "tlh", danish, "da"},
		{Tenant{Language: "sv"}, "", "", indian, "sv"},
		{Tenant{}, "", "", indian, "en"},
	} {
		require.Equal(t, tt.want, tt.tenant.LanguageFor(tt.asked, tt.mail, tt.phone))
	}
	codes := Tenant{Codes: Codes{Locale: "nl"}}
	require.Equal(t, "nl", codes.CodeLanguageFor("", danish))
	require.Equal(t, "fr", codes.CodeLanguageFor("fr", danish))
}

// Ensure that a text of the tenant's own is said in its language alone, with that one's word for
// yes.
func TestWordings(t *testing.T) {
	s, err := FromEnv(oneTenant("SMSBRIDGE_LANGUAGE=da", "SMSBRIDGE_WRONG_TEXT={{.Answer}} ACME?"))
	require.NoError(t, err)
	acme, _ := s.Tenants.Tenant("acme")
	require.Equal(t, "JA ACME?", acme.Say("", wording.Wrong, wording.Fill{}))
	require.Equal(t, "JA ACME?", acme.Say("da", wording.Wrong, wording.Fill{}))
	require.Contains(t, acme.Say("fr", wording.Wrong, wording.Fill{}), "OUI")
	own := &Tenant{Name: "ACME"}
	require.Nil(t, setWordings(own, []string{"sv.wrong={{.Answer}} eller {{.Denial}}"}))
	require.Equal(t, "JA eller NEJ", own.Say("sv", wording.Wrong, wording.Fill{}))
	require.NotEqual(t, "JA eller NEJ", own.Say("da", wording.Wrong, wording.Fill{}))
	for _, item := range []string{"sv.nonsense=x", "xx.wrong=x", "wrong=x", "sv.wrong={{.Nope}}"} {
		require.NotNil(t, setWordings(own, []string{item}), item)
	}
}

func TestURLs(t *testing.T) {
	s := Settings{PublicURL: "https://bridge.acme.example/x"}
	require.Equal(t, "https://bridge.acme.example/x/mailgun/acme", s.MailURL("acme"))
	require.Equal(t, "https://bridge.acme.example/x/mailgun/acme/mime", s.MIMEURL("acme"))
	require.Equal(t, "https://bridge.acme.example/x/twilio/acme/reply", s.ReplyURL("acme"))
	require.Equal(t, "https://bridge.acme.example/x/twilio/acme/receipt?text=a%26b&case=c%2F",
		s.ReceiptURL("acme", "a&b", "c/"))
}

func TestStorageURL(t *testing.T) {
	m := Mailgun{APIBase: "http://127.0.0.1:8082", StorageHosts: []string{"store.example"}}
	for u, want := range map[string]bool{
		"https://storage-us-east4.api.mailgun.net/v3/domains/d/messages/k": true,
		"https://SW.API.mailgun.net/v3/domains/d/messages/k":               true,
		"https://storage.api.eu.mailgun.net/v3/domains/d/messages/k":       true,
		"https://store.example/v3/domains/d/messages/k":                    true,
		"http://store.example/v3/domains/d/messages/k":                     true,
		"http://127.0.0.1:8082/v3/domains/d/messages/k":                    true,

		"https://127.0.0.1:8082/v3/domains/d/messages/k":                  false,
		"http://127.0.0.1:8083/v3/domains/d/messages/k":                   false,
		"http://so.api.mailgun.net/v3/domains/d/messages/k":               false,
		"https://so.api.mailgun.net:8443/v3/domains/d/messages/k":         false,
		"https://u:p@so.api.mailgun.net/v3/domains/d/messages/k":          false,
		"https://so.api.mailgun.net.evil.example/v3/domains/d/messages/k": false,
		"https://evilapi.mailgun.net/v3/domains/d/messages/k":             false,
		"https://evil.example/.api.mailgun.net/v3/domains/d/messages/k":   false,
		"https://so.api.mailgun.net/v3/routes":                            false,
		"https://so.api.mailgun.net/v3/domains/%2e%2e/routes":             false,
		"https://so.api.mailgun.net/v3/domains/../routes":                 false,
		"//so.api.mailgun.net/v3/domains/d/messages/k":                    false,
	} {
		parsed, err := url.Parse(u)
		require.NoError(t, err)
		require.Equal(t, want, m.StorageURL(parsed), u)
	}
	m.APIBase = "https://api.mailgun.net"
	plain, err := url.Parse("http://store.example/v3/domains/d/messages/k")
	require.NoError(t, err)
	require.False(t, m.StorageURL(plain), "plain http is for a Mailgun that speaks plain http itself")
}

func TestSet(t *testing.T) {
	a := &Tenant{Slug: "a", Sending: Sending{Twilio: Twilio{AccountSID: "AC1", From: "+1"}}}
	b := &Tenant{Slug: "b", Sending: Sending{Twilio: Twilio{AccountSID: "AC1", From: "+1"}}}
	c := &Tenant{Slug: "c", Sending: Sending{Twilio: Twilio{AccountSID: "AC2", From: "+1"}}}
	set := Set{[]*Tenant{a, b, c}}
	require.Equal(t, []*Tenant{a, b}, set.ByLine(phonemail.Line{Account: "AC1", Sender: "+1"}))
	require.Equal(t, []*Tenant{c}, set.ByLine(phonemail.Line{Account: "AC2", Sender: "+1"}))
	require.Empty(t, set.ByLine(phonemail.Line{Account: "AC1", Sender: "+2"}))
	_, ok := set.Tenant("d")
	require.False(t, ok)
	set.All()[0] = nil
	require.Equal(t, a, set.All()[0], "All returns a copy")
}

// No way of showing settings shows a secret.
func TestSecretsNeverLeak(t *testing.T) {
	longtest.Skip(t)
	s, err := FromEnv(oneTenant("SMSBRIDGE_DATABASE=postgres://bridge:hunter2@db/bridge",
		"SMSBRIDGE_KEY="+testKey))
	require.NoError(t, err)
	hidden := struct{ token settings.Secret }{settings.NewSecret(testToken)}
	values := []any{s, &s, s.Tenants.All()[0], *s.Tenants.All()[0], s.Key, hidden,
		[]settings.Secret{s.Key}}

	var out strings.Builder
	for verb := 'A'; verb <= 'z'; verb++ {
		for _, flags := range []string{"", "+", "#", "-20", " "} {
			for _, v := range values {
				fmt.Fprintf(&out, "%"+flags+string(verb)+"\n", v)
			}
		}
	}
	for _, h := range []slog.Handler{slog.NewJSONHandler(&out, nil), slog.NewTextHandler(&out, nil)} {
		slog.New(h).Info("settings", "key", s.Key, "all", values)
	}
	require.NoError(t, json.NewEncoder(&out).Encode(values))
	for _, secret := range []string{"hunter2", testKey, testToken, testAPI, testSign} {
		require.False(t, strings.Contains(out.String(), secret), secret)
		require.False(t, strings.Contains(strings.ToLower(out.String()), fmt.Sprintf("%x", secret)),
			secret)
	}
	require.Contains(t, out.String(), "[redacted]")
	require.Empty(t, fmt.Sprint(settings.Secret{}), "an empty secret shows that it is empty")
	quoted := json.NewDecoder(io.LimitReader(strings.NewReader(`"x"`), 3))
	//lint:ignore SA9005 that it cannot be read is what is tested
	require.Error(t, quoted.Decode(new(settings.Secret)))
}

// The example configuration loads, explains every key and variable, and says
// what the bridge says by itself.
func TestExampleFile(t *testing.T) {
	text, err := os.ReadFile("../../deploy/smsbridge.yaml")
	require.NoError(t, err)
	dir := t.TempDir()
	path := filepath.Join(dir, "smsbridge.yaml")
	require.NoError(t, os.WriteFile(path, text, 0o600))
	require.NoError(t, os.Mkdir(filepath.Join(dir, "secrets"), 0o700))
	betaToken := strings.Repeat("0", 8) + testToken[8:]
	for name, secret := range map[string]string{"beta-mailgun-api-key": "beta-" + testAPI,
		"beta-mailgun-signing-key": "beta-" + testSign, "beta-twilio-auth-token": betaToken} {
		require.NoError(t, os.WriteFile(filepath.Join(dir, "secrets", name), []byte(secret+"\n"), 0o600))
	}
	environ := []string{"BRIDGE_KEY=" + testKey, "ACME_TWILIO_AUTH_TOKEN=" + testToken,
		"ACME_CALLBACK_SECRET=" + hookSecret, "ACME_WEBHOOK_SECRET=" + otherHook}
	for _, name := range []string{"MAILGUN_API_KEY", "MAILGUN_SIGNING_KEY", "PROOF_SECRET",
		"API_KEY_WEB", "API_KEY_BATCH", "FLOWROUTE_DOOR_KEY", "DURABLE_CODE", "FLOWROUTE_SECRET_KEY"} {
		environ = append(environ, "ACME_"+name+"="+name+testOld)
	}
	s, err := FromFile(path, environ)
	require.NoError(t, err)
	require.Empty(t, otherWarnings(s))
	require.Len(t, s.Tenants.All(), 2)
	acme, _ := s.Tenants.Tenant("acme")
	beta, _ := s.Tenants.Tenant("beta")
	require.Equal(t, testToken, acme.Sending.Twilio.AuthToken.Reveal())
	require.Equal(t, []string{"DK", "SE", "NO"}, acme.Policy.Countries, "NO is Norway, not false")
	require.Equal(t, betaToken, beta.Sending.Twilio.AuthToken.Reveal())
	for _, saying := range wording.Sayings() {
		fill := wording.Fill{Choices: "Reply YES 4821 for ACME or YES 7730 for Beta", Count: 2}
		require.Equal(t, (&Tenant{Name: "ACME", Question: Question{Accept: acme.Question.Accept,
			Deny: acme.Question.Deny}}).Say("", saying, fill),
			acme.Say("", saying, fill))
	}

	for _, o := range allRows()[len(commandRows()):] {
		key := o.Key[strings.LastIndexByte(o.Key, '.')+1:]
		require.Regexp(t, `(?m)^[ -]*(# )?`+key+`:`, string(text))
		require.Contains(t, string(text), o.Variable)
	}
}

func BenchmarkFromEnv(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		_, err := FromEnv(oneTenant())
		require.NoError(b, err)
	}
}

// Ensure that the scheme of a database is understood in capitals, in which its clients do not know
// it.
func TestDatabaseInCapitals(t *testing.T) {
	s, err := FromEnv(oneTenant("SMSBRIDGE_DATABASE=POSTGRES://b@db.example/Name",
		"SMSBRIDGE_KEY="+testKey))
	require.NoError(t, err)
	require.Equal(t, "postgres://b@db.example/Name", s.Database.Reveal())
}

//go:build !race

package tenant

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"smsbridge/internal/settings"
	"smsbridge/phonemail"
)

const (
	testVA     = "VA0123456789abcdef0123456789abcdef"
	flowSecret = "xk3F8d0a2QmT1e4975bLd8e2Rj6a17Wz"
)

// atFlowroute sets Flowroute up, withoutTwilio takes Twilio away.
func atFlowroute() []string {
	return []string{"FLOWROUTE_ACCESS_KEY=access", "FLOWROUTE_SECRET_KEY=" + flowSecret,
		"FLOWROUTE_NUMBER=12065550101"}
}

func withoutTwilio() []string {
	return []string{"TWILIO_ACCOUNT_SID=", "TWILIO_AUTH_TOKEN=", "TWILIO_FROM="}
}

func numberOf(t *testing.T, e164 string) phonemail.Number {
	t.Helper()
	n, err := phonemail.ParseNumber(e164)
	require.NoError(t, err)
	return n
}

func TestProviderOrder(t *testing.T) {
	for name, test := range map[string]struct {
		changes []string
		want    []Provider
	}{
		"Twilio alone": {nil, []Provider{ByTwilio}},
		"with Verify": {[]string{"TWILIO_VERIFY_SERVICE_SID=" + testVA},
			[]Provider{ByVerify, ByTwilio}},
		"with Flowroute":  {atFlowroute(), []Provider{ByTwilio, ByFlowroute}},
		"Flowroute alone": {append(withoutTwilio(), atFlowroute()...), []Provider{ByFlowroute}},
		"the order that is set": {append(atFlowroute(), "SMSBRIDGE_PROVIDERS=flowroute, twilio"),
			[]Provider{ByFlowroute, ByTwilio}},
		"one that is left out": {append(atFlowroute(), "SMSBRIDGE_PROVIDERS=twilio"),
			[]Provider{ByTwilio}},
	} {
		t.Run(name, func(t *testing.T) {
			require.Equal(t, test.want, mustTenant(t, test.changes...).Sending.Providers)
		})
	}
}

func TestProviderDefaults(t *testing.T) {
	acme := mustTenant(t, append(atFlowroute(), "TWILIO_VERIFY_SERVICE_SID="+testVA)...)
	require.Equal(t, VerifyService{SID: testVA, APIBase: "https://verify.twilio.com"},
		acme.Sending.VerifyService)
	require.Equal(t, Flowroute{"access", settings.NewSecret(flowSecret), "+12065550101", "",
		"https://api.flowroute.com", "v2.1"}, acme.Sending.Flowroute)
	acme = mustTenant(t, append(atFlowroute(), "TWILIO_VERIFY_BASE=http://localhost:1/",
		"FLOWROUTE_API_BASE=http://localhost:2")...)
	require.Equal(t, "http://localhost:1", acme.Sending.VerifyService.APIBase)
	require.Equal(t, "http://localhost:2", acme.Sending.Flowroute.APIBase)
}

func TestMistakesAboutProviders(t *testing.T) {
	for _, test := range []struct {
		changes          []string
		where, what, tip string
	}{
		{[]string{"SMSBRIDGE_PROVIDERS=telegraph"}, "SMSBRIDGE_PROVIDERS",
			"is not twilio or verify or flowroute or webhook", "one of these"},
		{[]string{"SMSBRIDGE_PROVIDERS=twilio,twilio"}, "SMSBRIDGE_PROVIDERS", "has twilio twice",
			"once"},
		{[]string{"SMSBRIDGE_PROVIDERS=verify", "TWILIO_VERIFY_SERVICE_SID=" + testVA},
			"SMSBRIDGE_PROVIDERS", "nobody but verify", "other texts"},
		{[]string{"SMSBRIDGE_PROVIDERS=twilio,flowroute"}, "FLOWROUTE_ACCESS_KEY", "is missing",
			"API Control"},
		{[]string{"SMSBRIDGE_PROVIDERS=twilio,verify"}, "TWILIO_VERIFY_SERVICE_SID", "is missing",
			"Verify"},
		{[]string{"SMSBRIDGE_PROVIDERS=twilio,webhook"}, "webhook.url", "is missing", "https"},
		{[]string{"FLOWROUTE_ACCESS_KEY=access", "FLOWROUTE_NUMBER=+12065550101"}, "FLOWROUTE_SECRET_KEY",
			"is missing", "API Control"},
		{[]string{"TWILIO_VERIFY_SERVICE_SID=VA12"}, "TWILIO_VERIFY_SERVICE_SID",
			"not the SID of a Verify service", "VA and 32"},
		{append(withoutTwilio(), append(atFlowroute(), "TWILIO_VERIFY_SERVICE_SID="+testVA)...),
			"TWILIO_ACCOUNT_SID", "is missing", "console"},
		{append(atFlowroute()[:2], "FLOWROUTE_NUMBER=ACME"), "FLOWROUTE_NUMBER", "not a number",
			"+12065550101"},
	} {
		_, err := FromEnv(oneTenant(test.changes...))
		mistakes := mistakesOf(t, err)
		require.Equal(t, test.where, mistakes[0].Where, mistakes)
		require.Contains(t, mistakes[0].What, test.what)
		require.Contains(t, mistakes[0].Hint, test.tip)
	}
}

// fromYAML reads a file with one tenant that has these settings besides the necessary ones.
func fromYAML(t *testing.T, settings string) (Settings, error) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "smsbridge.yaml")
	require.NoError(t, os.WriteFile(path, []byte(`public_url: https://bridge.example.com
tenants:
  - slug: acme
    name: ACME
    countries: [DK]
    mail_domain: sms.acme.example
    idp_hosts: [login.acme.example]
    sender: {domains: [acme.example]}
    mailgun: {api_key: env:MK, signing_key: env:MG}
`+settings), 0o600))
	return FromFile(path, []string{"MK=" + testAPI, "MG=" + testSign, "SECRET=" + testToken,
		"FLOW=" + flowSecret, "HOOK=" + otherHook})
}

const yamlTwilio = "    twilio: {account_sid: " + testSID +
	", auth_token: env:SECRET, from: '+15005550006'"

func TestProvidersInFile(t *testing.T) {
	s, err := fromYAML(t, yamlTwilio+`, senders: {SE: "+46700000000", "NO": `+testMG+`}}
    twilio_verify: {service_sid: `+testVA+`, code: verify,
      rate_limits: {per_phone: phone}, tags: {app: web}}
    webhook: {url: https://sms.acme.example/send/, secret: env:HOOK}
`)
	require.NoError(t, err)
	acme, _ := s.Tenants.Tenant("acme")
	require.Equal(t, []Provider{ByVerify, ByTwilio, ByWebhook}, acme.Sending.Providers)
	require.Equal(t, VerifyService{testVA, "https://verify.twilio.com", true,
		map[string]string{"per_phone": "phone"}, map[string]string{"app": "web"}},
		acme.Sending.VerifyService)
	require.Len(t, acme.Sending.Webhook.Keys()[0], 33)
	require.Equal(t, "https://sms.acme.example/send/", acme.Sending.Webhook.URL, "as callback.url")
	for phone, want := range map[string]string{"+46701234567": "+46700000000", "+4740612345": testMG,
		"+4520123456": "+15005550006"} {
		line := phonemail.Line{Account: testSID, Sender: want}
		require.Equal(t, line, acme.Line(numberOf(t, phone)))
		require.Equal(t, []*Tenant{acme}, s.Tenants.ByLine(line))
	}

	require.Empty(t, otherWarnings(s))
	s, err = fromYAML(t, yamlTwilio+"}\n    twilio_verify: {service_sid: "+testVA+
		", code: verify}\n    code_attempts: 6\n")
	require.NoError(t, err)
	require.Contains(t, otherWarnings(s)[0], "5 attempts at most")

	for _, tt := range []struct{ settings, what string }{
		{yamlTwilio + ", senders: {Sweden: '+46700000000'}}\n",
			"not a country"},
		{yamlTwilio + ", senders: {SE: '12'}}\n",
			"not a number in international form"},
		{yamlTwilio + ", senders: {SE: ACME}}\n",
			"has a name"},
		{yamlTwilio + ", senders: [SE]}\n",
			"not written as this setting is"},
		{yamlTwilio + "}\n    twilio_verify: {rate_limits: {per_ip: address}}\n",
			"not phone or country"},
		{yamlTwilio + "}\n    twilio_verify: {rate_limits: {'per ip': phone}}\n",
			"unique name"},
		{yamlTwilio + "}\n    twilio_verify: {tags: {a: " + strings.Repeat("x", 129) + "}}\n",
			"128 characters"},
		{yamlTwilio + "}\n    twilio_verify: {code: ours}\n",
			"not bridge or verify"},
		{yamlTwilio + "}\n    webhook: {url: http://sms.acme.example, secret: env:HOOK}\n",
			"plain http"},
		{yamlTwilio + "}\n    webhook: {url: https://sms.acme.example, secret: env:SECRET}\n",
			"whsec_"},
		{yamlTwilio + "}\n    webhook: {url: https://sms.acme.example}\n",
			"is missing"},
		{yamlTwilio + "}\n    flowroute: {version: v2}\n",
			"not v2.1 or v2.2"},
		{"    webhook: {url: https://sms.acme.example, secret: env:HOOK}\n",
			"no provider brings any"},
	} {
		_, err := fromYAML(t, tt.settings)
		require.Contains(t, mistakesOf(t, err)[0].What, tt.what, tt.settings)
	}
	_, err = fromYAML(t,
		"    answer: tap\n    links_work: DK\n    webhook: {url: https://sms.acme.example, secret: "+
			"env:HOOK}\n")
	require.NoError(t, err)
}

// Ensure that a tenant without Twilio has a line of its own, and that one Flowroute number does not
// serve two lines.
func TestLineWithoutTwilio(t *testing.T) {
	acme := mustTenant(t, append(withoutTwilio(), atFlowroute()...)...)
	line := phonemail.Line{Account: "flowroute:access", Sender: "+12065550101"}
	require.Equal(t, line, acme.Line(numberOf(t, "+12065550199")))
	set := Set{all: []*Tenant{acme}}
	require.Equal(t, []*Tenant{acme}, set.ByLine(line))
	require.Empty(t, set.ByLine(phonemail.Line{}))
	hook := &Tenant{Slug: "hook"}
	require.Equal(t, phonemail.Line{Account: "webhook:hook", Sender: "hook"},
		hook.Line(numberOf(t, "+12065550199")))

	second := strings.NewReplacer("slug: acme", "slug: beta", "name: ACME", "name: Beta", "sms.acme",
		"sms.beta")
	one := yamlTwilio + "}\n    flowroute: {access_key: a, secret_key: env:FLOW, number: " +
		"'+12065550101'}\n"
	head := "  - slug: acme\n    name: ACME\n    countries: [DK]\n    mail_domain: " +
		"sms.acme.example\n    idp_hosts: [login.acme.example]\n" +
		"    sender: {domains: [acme.example]}\n    mailgun: {api_key: env:MK, " +
		"signing_key: env:MG}\n"
	_, err := fromYAML(t, one+second.Replace(head+one))
	require.NoError(t, err)
	_, err = fromYAML(t, one+second.Replace(head+strings.Replace(one, "5550006", "5550007", 1)))
	require.Contains(t, mistakesOf(t, err)[0].What, "another tenant has the same number")
}

func TestHookKey(t *testing.T) {
	acme := mustTenant(t, atFlowroute()...)
	s, err := FromEnv(oneTenant(atFlowroute()...))
	require.NoError(t, err)
	// printf acme | openssl dgst -sha256 -hmac xk3F8d0a2QmT1e4975bLd8e2Rj6a17Wz
	const key = "6dc45f77f2b82de124e2c7060af8e65f6e980493d155b585460ad8bc7562c499"
	require.Equal(t, key, acme.Sending.Flowroute.HookKey("acme"))
	require.NotEqual(t, key, acme.Sending.Flowroute.HookKey("beta"))
	require.Equal(t, "https://bridge.acme.example/flowroute/acme/reply?key="+key,
		s.FlowrouteReplyURL(acme))
	require.Equal(t,
		"https://bridge.acme.example/flowroute/acme/receipt?key="+key+"&text=a%26b&case=c%2F",
		s.FlowrouteReceiptURL(acme, "a&b", "c/"))
}

package doctor_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/stretchr/testify/require"

	"smsbridge/internal/simulator/dns"
	"smsbridge/internal/simulator/mailgun"
	"smsbridge/internal/simulator/twilio"
	"smsbridge/internal/tenant"
	"smsbridge/outbound/doctor"
)

const (
	account = "AC00000000000000000000000000000001"
	token   = "fedcba9876543210fedcba9876543210"
	service = "MG00000000000000000000000000000001"
	number  = "+15005550006"
	apiKey  = "key-7d2f61c09be84a53f1e6c8b20d94a7e3"
	match   = `match_recipient("^acme\+[0-9]+@sms\.acme\.example$")`
)

// practice is a bridge's front door, and the parties that a doctor asks, all in order.
type practice struct {
	*testing.T
	public *httptest.Server
	gun    *mailgun.Account
	twilio *twilio.Account
	dns    *dns.Server
	idp    *httptest.Server
	status int // of the public URL
}

func open(t *testing.T) *practice {
	p := &practice{T: t, status: http.StatusMethodNotAllowed}
	p.public = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		require.Equal(t, "GET /mailgun/acme", r.Method+" "+r.URL.Path)
		w.WriteHeader(p.status)
	}))
	t.Cleanup(p.public.Close)
	p.idp = httptest.NewServer(http.NotFoundHandler())
	t.Cleanup(p.idp.Close)
	var err error
	p.gun, err = mailgun.Open(mailgun.Config{Domain: "sms.acme.example", APIKey: apiKey})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, p.gun.Close()) })
	p.twilio, err = twilio.Open(twilio.Config{
		AccountSID: account, AuthToken: token, Numbers: []string{number, "+150055500071"},
		Services: map[string][]string{service: {number}},
	})
	require.NoError(t, err)
	t.Cleanup(p.twilio.Close)
	p.twilio.SetReplyURL(p.public.URL + "/twilio/acme/reply#rc=4&rp=all&ct=2000")
	p.dns, err = dns.Open()
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, p.dns.Close()) })
	p.dns.SetMX("sms.acme.example", "mxa.mailgun.org", "mxb.mailgun.org")
	p.route(`store(notify="`+p.public.URL+`/mailgun/acme")`, "stop()")
	return p
}

// route has Mailgun's one route do something.
func (p *practice) route(actions ...string) {
	p.Helper()
	require.NoError(p, p.gun.AddRoute(mailgun.Route{ID: "1", Expression: match, Actions: actions}))
}

// lines are what the doctor says of the tenant; changes are variables.
func (p *practice) lines(changes ...string) []doctor.Line {
	p.Helper()
	environ := append([]string{
		"SMSBRIDGE_PUBLIC_URL=" + p.public.URL, "SMSBRIDGE_TENANT=acme", "SMSBRIDGE_NAME=ACME",
		"SMSBRIDGE_COUNTRIES=SE", "SMSBRIDGE_MAIL_DOMAIN=sms.acme.example",
		"SMSBRIDGE_DNS=" + p.dns.Addr().String(), "SMSBRIDGE_UNSAFE_ALLOW=127.0.0.0/8",
		"SMSBRIDGE_IDP_HOSTS=" + p.idp.Listener.Addr().String(),
		"SMSBRIDGE_SENDER_DOMAINS=acme.example", "MAILGUN_API_BASE=" + p.gun.URL(),
		"MAILGUN_WEBHOOK_SIGNING_KEY=9c4be1f072a8d6350e7b1fc2a95d8e46",
		"TWILIO_API_BASE=" + p.twilio.URL(), "TWILIO_ACCOUNT_SID=" + account,
	}, changes...)
	for name, value := range map[string]string{
		"MAILGUN_API_KEY": apiKey, "TWILIO_AUTH_TOKEN": token, "TWILIO_FROM": number,
	} {
		set := false
		for _, change := range changes {
			set = set || len(change) > len(name) && change[:len(name)+1] == name+"="
		}
		if !set {
			environ = append(environ, name+"="+value)
		}
	}
	settings, err := tenant.FromEnv(environ)
	require.NoError(p, err)
	acme, _ := settings.Tenants.Tenant("acme")
	lines := doctor.Doctor{Settings: settings}.Tenant(p.Context(), acme)
	said, err := json.Marshal(lines)
	require.NoError(p, err)
	for _, secret := range []string{token, apiKey, "9c4be1f072a8d6350e7b1fc2a95d8e46"} {
		require.NotContains(p, string(said), secret)
	}
	return lines
}

// finds shows that of all lines just one is not ok, and which.
func (p *practice) finds(level doctor.Level, code, what string, changes ...string) {
	p.Helper()
	var found []doctor.Line
	for _, l := range p.lines(changes...) {
		if l.Level != doctor.OK {
			found = append(found, l)
		}
	}
	require.Len(p, found, 1)
	require.Equal(p, level, found[0].Level)
	require.Equal(p, code, string(found[0].Code))
	require.Equal(p, "acme", found[0].Of)
	require.Contains(p, found[0].What, what)
	require.Regexp(p, `^[A-Z].*\.$`, found[0].Remedy)
}

// Ensure that a tenant whose settings are right is well, with a number and with a service, and that
// nothing is changed at a provider.
func TestWell(t *testing.T) {
	p := open(t)
	for _, from := range []string{number, service} {
		lines := p.lines("TWILIO_FROM=" + from)
		require.Len(t, lines, 7)
		for _, l := range lines {
			require.Equal(t, doctor.OK, l.Level, l.What)
			require.Empty(t, l.Remedy)
		}
	}
	require.Empty(t, p.twilio.Texts())
	p.route(`forward("` + p.public.URL + `/mailgun/acme/mime")`)
	require.Len(t, p.lines(), 7)
}

// Ensure that a wrong credential is found, and no more is made of it.
func TestCredentials(t *testing.T) {
	p := open(t)
	p.finds(doctor.Error, "SB-TWILIO-AUTH", "refuses the credentials",
		"TWILIO_AUTH_TOKEN=0123456789abcdef0123456789abcdfe")
	p.finds(doctor.Error, "SB-MAILGUN-KEY", "refuses the API key",
		"MAILGUN_API_KEY=key-1d2f61c09be84a53f1e6c8b20d94a7e3")
	p.twilio.Set(func(m *twilio.Manners) { m.Suspended = true })
	p.finds(doctor.Error, "SB-TWILIO-AUTH", "is not active")
}

// Ensure that a webhook at Twilio that loses replies is found, at a number and at a service.
func TestReplyURL(t *testing.T) {
	p := open(t)
	for _, from := range []string{number, service} {
		change := "TWILIO_FROM=" + from
		p.twilio.SetReplyURL(p.public.URL + "/twilio/acme/reply")
		p.finds(doctor.Warning, "SB-TWILIO-URL", "does not try again", change)
		p.twilio.SetReplyURL(p.public.URL + "/twilio/acme/reply#rc=4")
		p.finds(doctor.Warning, "SB-TWILIO-URL", "does not try again", change)
		p.twilio.SetReplyURL("https://demo.twilio.com/welcome/sms/reply")
		p.finds(doctor.Error, "SB-TWILIO-URL", "does not post replies to the bridge", change)
		p.twilio.SetReplyURL(p.public.URL + "/twilio/acme/reply#rc=4&rp=all")
	}
	p.finds(doctor.Error, "SB-TWILIO-URL", "does not own the number", "TWILIO_FROM=+15005550007")
	p.finds(doctor.Error, "SB-TWILIO-URL", "no Messaging Service",
		"TWILIO_FROM=MG00000000000000000000000000000002")
	p.twilio.Set(func(m *twilio.Manners) { m.Application, m.WebhookOnNumber = "AP1", true })
	p.finds(doctor.Error, "SB-TWILIO-URL", "TwiML app")
	p.finds(doctor.Warning, "SB-TWILIO-URL", "defers to the webhook", "TWILIO_FROM="+service)
}

// Ensure that a route is found that is missing, leads elsewhere, or loses the sender of a mail.
func TestRoute(t *testing.T) {
	p := open(t)
	p.route(`store(notify="https://other.example/mailgun/acme")`)
	p.finds(doctor.Error, "SB-ROUTE", "does not post to")
	p.route(`forward("` + p.public.URL + `/mailgun/acme")`)
	p.finds(doctor.Error, "SB-ROUTE", "cannot be verified")
	p.finds(doctor.Error, "SB-ROUTE", "No route at Mailgun", "SMSBRIDGE_MAIL_DOMAIN=sms.acme.com",
		"SMSBRIDGE_DNS="+p.dnsFor("sms.acme.com"))
}

// Ensure that a Mailgun that is busy or down says nothing about the route.
func TestMailgunIsBusy(t *testing.T) {
	p := open(t)
	for _, status := range []int{
		http.StatusRequestTimeout, http.StatusTooEarly, http.StatusTooManyRequests,
		http.StatusServiceUnavailable,
	} {
		p.gun.Set(func(m *mailgun.Manners) { m.FailNext, m.FailStatus = 1, status })
		p.finds(doctor.Error, "SB-MAILGUN-DOWN", "Mailgun's API does not respond")
	}
}

// dnsFor has the name server know another mail domain.
func (p *practice) dnsFor(domain string) string {
	p.dns.SetMX(domain, "mxa.mailgun.org")
	return p.dns.Addr().String()
}

// Ensure that mails which go elsewhere are found: no MX record, another provider, another region.
func TestMX(t *testing.T) {
	p := open(t)
	for _, hosts := range [][]string{nil, {"mx.example.com"}, {"mxa.eu.mailgun.org"},
		{"mxa.mailgun.org.evil.example"}} {
		p.dns.SetMX("sms.acme.example", hosts...)
		p.finds(doctor.Error, "SB-MX", "MX record")
	}
}

// Ensure that a name server that does not tell is not taken for a domain without records.
func TestNameServerIsDown(t *testing.T) {
	p := open(t)
	for _, manners := range []dns.Manners{{Fail: true}, {Refuse: true}} {
		p.dns.Set(func(m *dns.Manners) { *m = manners })
		p.finds(doctor.Error, "SB-MX", "The name server does not say")
	}
}

// Ensure that a proxy that leads elsewhere, and an identity provider that is down, are found.
func TestReachable(t *testing.T) {
	p := open(t)
	p.status = http.StatusNotFound
	p.finds(doctor.Error, "SB-PUBLIC-URL", "does not lead to the bridge")
	p.status = http.StatusMethodNotAllowed
	p.idp.Close()
	p.finds(doctor.Error, "SB-IDP-DOWN", "does not respond")
}

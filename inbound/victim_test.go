//go:build !race

package inbound_test

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"
	"github.com/stretchr/testify/require"

	"smsbridge/inbound"
	"smsbridge/inbound/inboundtest"
	"smsbridge/internal/longtest"
	"smsbridge/internal/mail"
	"smsbridge/internal/store"
	"smsbridge/internal/tenant"
)

const formSecret = "5d1b6e0c9a7f4e3d8c2b1a09f8e7d6c5"

// allDoors are the settings of acme, which has every door, and of beta, which gets mails. Both text
// from one number, within the limits that hold when an operator sets none.
func allDoors(t *testing.T) tenant.Settings {
	t.Helper()
	file := "public_url: " + publicURL + "\ntenants:\n"
	for _, slug := range []string{"beta", "acme"} {
		file += "  - slug: " + slug + "\n    name: " + slug + "\n    countries: [DK]\n" +
			"    links_work: [DK]\n    mail_domain: sms.acme.example\n" +
			"    idp_hosts: [login.acme.example]\n    sender: {domains: [acme.example]}\n" +
			"    mailgun: {api_key: env:API, signing_key: env:SIGNING}\n" +
			"    twilio: {account_sid: " + accountSID + ", auth_token: env:TOKEN, from: '+15005550006'}\n"
	}
	file += "    api_keys: {web: env:WEB}\n    flowroute_door: {addr: '127.0.0.1:8000'}\n" +
		"    durable_door: {code: env:DURABLE}\n" +
		"    auth0: {domain: [login.acme.example], session_token_secret: env:FORM}\n"
	path := filepath.Join(t.TempDir(), "smsbridge.yaml")
	require.NoError(t, os.WriteFile(path, []byte(file), 0o600))
	s, err := tenant.FromFile(path, []string{
		"API=" + inboundtest.APISecret, "TOKEN=" + authToken, "SIGNING=" + signingKey, "WEB=" + apiKey,
		"DURABLE=" + inboundtest.DurableKey, "FORM=" + formSecret,
	})
	require.NoError(t, err)
	return s
}

// attack is one who has a phone texted through every door.
type attack struct {
	*bridge
	t         *testing.T
	flowroute inboundtest.FlowrouteClient
	n         int
}

func (a *attack) id() string {
	a.n++
	return fmt.Sprint("attack-", a.n)
}

// mail has a tenant mailed a link for the phone, and the mail examined.
func (a *attack) mail(slug string) {
	a.t.Helper()
	a.n++
	form := inboundtest.MailForm(a.n)
	form.Set("recipient", slug+strings.TrimPrefix(inboundtest.Address, "acme"))
	link := fmt.Sprintf("https://login.acme.example/u/email-verification?ticket=SECRET%d", a.n)
	inboundtest.Sign(form, signingKey, a.Now, inboundtest.Token(a.n))
	require.Equal(a.t, "recorded\n", a.PostForm(a.t, "/mailgun/"+slug, form).Body)
	id := a.One(a.t, "SELECT id FROM mail WHERE state = 'received'")
	a.Do(a.t, func(ctx context.Context, tx *store.Tx) error {
		m, _, err := mail.Pending(ctx, tx, id)
		if err != nil {
			return err
		}
		t, _ := a.Inbound.Settings.Tenants.Tenant(slug)
		_, err = mail.Examine(ctx, tx, t, m, mail.Finding{Kind: "verify", Link: link})
		return err
	})
}

// form sends a browser to the Auth0 form.
func (a *attack) form() {
	a.t.Helper()
	token, err := jwt.NewWithClaims(jwt.SigningMethodHS256, jwt.MapClaims{
		"iat": a.Now.Unix(), "exp": a.Now.Add(15 * time.Minute).Unix(), "sub": "auth0|5f7c",
		"iss": "login.acme.example", "ip": "192.0.2.1", "phone_number": inboundtest.Phone,
	}).SignedString([]byte(formSecret))
	require.NoError(a.t, err)
	query := url.Values{"session_token": {token}, "state": {a.id()}}
	r, err := http.NewRequest(http.MethodGet, a.URL+"/auth0/acme/verify?"+query.Encode(), nil)
	require.NoError(a.t, err)
	res := a.Send(a.t, r)
	require.Equal(a.t, 200, res.StatusCode, res.Body)
}

// Ensure that one phone gets at most ten texts in any day, whatever doors are used, in turn and all
// at once. Each door gets a text through when it is the first.
func TestOneVictim(t *testing.T) {
	longtest.Skip(t)
	each(t, func(t *testing.T, b *bridge) {
		b.Change(func(s *inbound.Server) { s.Settings = allDoors(t) })
		a := &attack{b, t, inboundtest.OpenFlowroute(t, b.Bridge), 0}
		app := inboundtest.NewApp(t, b.Bridge)
		app.Key = apiKey
		durable := inboundtest.DurableClient{Bridge: b.Bridge, T: t}
		doors := []func(){
			func() { a.mail("acme") },
			func() { a.mail("beta") },
			func() { app.Call("POST", "/v1/verifications", inboundtest.StartBody) },
			func() { a.flowroute.Create(t, `"`+a.id()+`"`, `"`+inboundtest.Phone+`"`) },
			func() { durable.BeginAs(a.id()) },
			a.form,
		}
		const texted = "state <> 'suppressed'"
		for i, open := range doors {
			before := b.Count(t, "text", texted)
			open()
			require.Equal(t, before+1, b.Count(t, "text", texted), "door %d", i)
			b.Bodies(t)
			b.Now = b.Now.Add(25 * time.Hour)
		}
		before := b.Count(t, "text", texted)
		for step := range 24 * 6 {
			for i := range doors {
				doors[(step+i)%len(doors)]()
			}
			b.Bodies(t)
			b.Now = b.Now.Add(10 * time.Minute)
		}
		require.Equal(t, 10, b.Count(t, "text", texted)-before)
	})
}

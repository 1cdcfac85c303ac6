package inbound_test

import (
	"context"
	"fmt"
	"maps"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"smsbridge/inbound"
	"smsbridge/inbound/inboundtest"
	"smsbridge/internal/store"
	"smsbridge/internal/store/db"
	"smsbridge/internal/store/moment"
	"smsbridge/internal/store/storetest"
	"smsbridge/internal/tenant"
)

// Two more signing keys.
const (
	otherKey = "5e1c0a7d93f248b6a1d7e3905c64fb28"
	thirdKey = "e0b36d5f8a1c4927d3f60b8e72a95c14"
)

// twoTenants are the settings of acme and beta, each with its Mailgun signing keys.
func twoTenants(t testing.TB, acme, beta string) tenant.Settings {
	t.Helper()
	path := filepath.Join(t.TempDir(), "smsbridge.yaml")
	file := "public_url: " + publicURL + "\ntenants:\n"
	environ := []string{"API=" + inboundtest.APISecret, "TOKEN=" + authToken}
	for i, keys := range []string{acme, beta} {
		slug := []string{"acme", "beta"}[i]
		var names []string
		for n, key := range strings.Split(keys, ",") {
			name := fmt.Sprintf("KEY_%s_%d", slug, n)
			names, environ = append(names, "env:"+name), append(environ, name+"="+key)
		}
		file += "  - slug: " + slug + "\n    name: " + slug + "\n    countries: [DK]\n" +
			"    mail_domain: sms.acme.example\n    idp_hosts: [login.acme.example]\n" +
			"    sender: {domains: [acme.example]}\n" +
			"    mailgun: {api_key: env:API, signing_key: [" + strings.Join(names, ", ") + "]}\n" +
			"    twilio: {account_sid: " + accountSID + ", auth_token: env:TOKEN, from: '+15005550006'}\n"
	}
	require.NoError(t, os.WriteFile(path, []byte(file), 0o600))
	s, err := tenant.FromFile(path, environ)
	require.NoError(t, err)
	return s
}

// forBeta is a mail's form with another recipient, under the same signature.
func forBeta(form url.Values) url.Values {
	form = maps.Clone(form)
	form.Set("recipient", "beta+4520123456@sms.acme.example")
	return form
}

// Ensure that a signature counts once over all tenants that share its key, however little its
// second use differs. Keys are independent of each other.
func TestTokenCountsOnceForEachKey(t *testing.T) {
	for name, c := range map[string]struct {
		acme, beta string
		signedBy   string
		again      int // the status of the second use
	}{
		"one key": {signingKey, signingKey, signingKey, 406},
		"a retired key": {signingKey + "," + retiredKey, otherKey + "," + retiredKey, retiredKey,
			406},
		"keys in other order": {thirdKey + "," + signingKey, signingKey + "," + otherKey, signingKey,
			406},
		"other keys": {signingKey, otherKey, signingKey, 401},
	} {
		t.Run(name, func(t *testing.T) {
			each(t, func(t *testing.T, b *bridge) {
				b.Change(func(s *inbound.Server) { s.Settings = twoTenants(t, c.acme, c.beta) })
				mail := inboundtest.Sign(inboundtest.MailForm(1), c.signedBy, inboundtest.Start,
					inboundtest.Token(1))
				require.Equal(t, "recorded\n", b.PostForm(t, "/mailgun/acme", mail).Body)
				before := b.Rows(t)
				require.Equal(t, c.again, b.PostForm(t, "/mailgun/beta", forBeta(mail)).StatusCode)
				require.Equal(t, before, b.Rows(t))
				other := forBeta(mail)
				other.Set("body-plain", "Open https://login.acme.example/u/x?ticket=SECRETOTHER")
				require.Equal(t, c.again, b.PostForm(t, "/mailgun/beta", other).StatusCode)
				require.Equal(t, before, b.Rows(t))
				require.Equal(t, "known already\n", b.PostForm(t, "/mailgun/acme", mail).Body,
					"Mailgun's own retry")
				b.Lines(t)
			})
		})
	}
}

// Ensure that the same token under two keys is two mails: who knows one key, and not the other,
// cannot use up a token.
func TestTokenUnderTwoKeys(t *testing.T) {
	b := openBridge(t, storetest.SQLite(t))
	b.Change(func(s *inbound.Server) {
		s.Settings = twoTenants(t, signingKey, otherKey+","+retiredKey)
	})
	for n, c := range []struct {
		key, path string
	}{{signingKey, "/mailgun/acme"}, {otherKey, "/mailgun/beta"}, {retiredKey, "/mailgun/beta"}} {
		form := inboundtest.MailForm(n)
		if c.path == "/mailgun/beta" {
			form = forBeta(form)
		}
		form = inboundtest.Sign(form, c.key, inboundtest.Start, inboundtest.Token(7))
		require.Equal(t, "recorded\n", b.PostForm(t, c.path, form).Body, c.key)
	}
	require.Equal(t, 3, b.Rows(t)["seen"])
	for _, key := range []string{signingKey, retiredKey, otherKey} {
		require.Zero(t, b.Count(t, "seen", "id LIKE '%"+key+"%'"), "the key itself is not kept")
	}
}

// Ensure that a token that was counted by tenant stays used up at that tenant alone, also when a
// row of today stands beside it: two versions ran side by side.
func TestTokenOfAnOlderRow(t *testing.T) {
	each(t, func(t *testing.T, b *bridge) {
		older := func(tenant string, n int) {
			b.Do(t, func(ctx context.Context, tx *store.Tx) error {
				_, err := tx.AddSeen(ctx, db.AddSeenParams{
					Source: "mailgun", Tenant: tenant, ID: inboundtest.Token(n), Digest: "x",
					At: moment.Of(inboundtest.Start),
				})
				return err
			})
		}
		post := func(n int) int {
			return b.PostForm(t, "/mailgun/acme", inboundtest.MailForm(n)).StatusCode
		}
		older("acme", 1)
		require.Equal(t, 406, post(1))
		require.Equal(t, map[string]int{"seen": 1}, b.Rows(t))
		require.Equal(t, 200, post(2))
		older("acme", 2)
		require.Equal(t, 406, post(2))
		older("beta", 3)
		require.Equal(t, 200, post(3))
		require.Equal(t, 5, b.Rows(t)["seen"])
		require.Equal(t, 2, b.Rows(t)["mail"])
	})
}

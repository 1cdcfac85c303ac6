//go:build !race

package main

import (
	"context"
	"regexp"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"smsbridge/internal/longtest"
	"smsbridge/internal/simulator/idp"
	"smsbridge/internal/store/storetest"
)

// Ensure that the mail of every identity provider comes to the right end through the real binary.
// A link that verifies is asked about and redeemed. A code is relayed and holds, a reset link is
// relayed, and everything else is left alone.
func TestEveryProvider(t *testing.T) {
	t.Parallel()
	longtest.Skip(t)
	// What an operator must say about a provider whose link does not.
	needs := map[idp.Provider]map[string]string{
		idp.GoTrueTokenHash: {"SMSBRIDGE_LINK_API": "/auth/v1",
			"SMSBRIDGE_LINK_PATHS": "/auth/confirm?token_hash&type=email&next"},
		idp.Firebase: {"SMSBRIDGE_LINK_API": "/v1"},
		idp.Clerk:    {"SMSBRIDGE_LINK_PATHS": "/v1/verify?_clerk_js_version&token"},
		idp.Okta:     {"SMSBRIDGE_LINK_PATHS": "/email/verify/*?token"},
	}
	rest := slices.DeleteFunc(idp.Providers(), func(p idp.Provider) bool { return needs[p] != nil })
	t.Run("whose links say all", func(t *testing.T) {
		t.Parallel()
		playProviders(t, rest, nil)
	})
	for provider, settings := range needs {
		t.Run("with settings", func(t *testing.T) {
			t.Parallel()
			playProviders(t, []idp.Provider{provider}, settings)
		})
	}
	t.Run("without their paths", func(t *testing.T) {
		t.Parallel()
		refuseProviders(t, idp.Clerk, idp.GoTrueTokenHash)
	})
}

// refuseProviders plays providers whose links could do something else, and of which the operator
// said nothing: nothing is asked and nothing opened.
func refuseProviders(t *testing.T, providers ...idp.Provider) {
	th, err := openTheater(storetest.SQLite(t))
	require.NoError(t, err)
	t.Cleanup(th.close)
	th.unlimited()
	start(t, th)
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	for i, provider := range providers {
		th.idp.Set(func(m *idp.Manners) { m.Provider = provider })
		require.NoError(t, th.idp.SignUp(ctx, address(phoneOf(i))))
		require.NoError(t, th.settle(ctx, th.env["SMSBRIDGE_DATABASE"]))
		require.Empty(t, th.twilio.Phone(phoneOf(i)).Inbox(), provider)
		mails := th.idp.Mails()
		require.False(t, th.idp.Verified(mails[len(mails)-1].To), provider)
	}
}

func playProviders(t *testing.T, providers []idp.Provider, settings map[string]string) {
	th, err := openTheater(storetest.SQLite(t))
	require.NoError(t, err)
	t.Cleanup(th.close)
	th.unlimited()
	th.env["SMSBRIDGE_LINK_TOKEN"] = th.idp.ServiceToken()
	for variable, value := range settings {
		if variable == "SMSBRIDGE_LINK_API" {
			value = th.idp.URL() + value
		}
		th.env[variable] = value
	}
	start(t, th)
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	for i, provider := range providers {
		t.Run(string(provider), func(t *testing.T) {
			phone := th.twilio.Phone(phoneOf(i))
			th.idp.Set(func(m *idp.Manners) { m.Provider = provider })
			require.NoError(t, th.idp.SignUp(ctx, address(phoneOf(i))))
			mails := th.idp.Mails()
			switch mail := mails[len(mails)-1]; mail.Purpose {
			case "verify":
				texts, err := phone.Wait(ctx, 1)
				require.NoError(t, err, "nothing was asked")
				require.Contains(t, texts[0].Body, "Reply YES")
				require.False(t, th.idp.Verified(mail.To), "before the yes")
				_, err = phone.Reply(ctx, "YES")
				require.NoError(t, err)
				texts, err = phone.Wait(ctx, 2)
				require.NoError(t, err)
				require.Equal(t, "ACME: your account is confirmed. You can sign in now.", texts[1].Body)
				require.True(t, th.idp.Verified(mail.To))
			case "code":
				texts, err := phone.Wait(ctx, 1)
				require.NoError(t, err, "no code was relayed")
				code := regexp.MustCompile(`^(\S+) is your ACME code`).FindStringSubmatch(texts[0].Body)
				require.NotNil(t, code, texts[0].Body)
				require.NoError(t, th.idp.EnterCode(mail.To, code[1]))
				require.True(t, th.idp.Verified(mail.To))
			case "reset":
				texts, err := phone.Wait(ctx, 1)
				require.NoError(t, err, "no link was relayed")
				require.Contains(t, texts[0].Body, "choose a new password here within 10 min: "+th.public+"/l/")
			default:
				require.NoError(t, th.settle(ctx, th.env["SMSBRIDGE_DATABASE"]))
				require.Empty(t, phone.Inbox(), mail.Purpose)
				require.False(t, th.idp.Verified(mail.To))
			}
		})
	}
}

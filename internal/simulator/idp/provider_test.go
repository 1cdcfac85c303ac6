package idp

import (
	"encoding/json"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// testMail signs the user up with the provider and returns the mail.
func testMail(t *testing.T, name Provider) (*Server, *testClock, Mail) {
	t.Helper()
	idp, _, clock := openTest(t)
	signUp(t, idp, func(m *Manners) { m.Provider = name })
	return idp, clock, idp.Mails()[0]
}

func TestProvidersAreAllThere(t *testing.T) {
	names := Providers()
	require.Len(t, testClients, len(names))
	for _, name := range names {
		require.Contains(t, testClients, name)
	}
	idp, _, _ := openTest(t)
	idp.Set(func(m *Manners) { m.Provider = "nobody" })
	require.Error(t, idp.SignUp(t.Context(), testUser))
}

func TestProviderIsRedeemedOnceAndInTime(t *testing.T) {
	for _, name := range Providers() {
		t.Run(string(name), func(t *testing.T) {
			client := testClients[name]
			idp, _, mail := testMail(t, name)
			require.Equal(t, name, mail.Provider)
			verifies := mail.Purpose == "verify" || mail.Purpose == "code" || name == Rauthy

			idp.Set(func(m *Manners) { m.Expired = true })
			require.Contains(t, client.redeem(newBrowser(t), idp, mail), client.expired)
			require.False(t, idp.Verified(mail.To))
			idp.Set(func(m *Manners) { m.Expired = false })
			require.Contains(t, client.redeem(newBrowser(t), idp, mail), client.first)
			require.Equal(t, verifies, idp.Verified(mail.To))
			require.Equal(t, mail.Purpose == "reset" || mail.Purpose == "invite",
				idp.PasswordChanged(mail.To))
			require.Contains(t, client.redeem(newBrowser(t), idp, mail), client.again)
			require.Equal(t, verifies, idp.Verified(mail.To))

			late, clock, mail := testMail(t, name)
			clock.move(late.provider(name).life)
			require.Contains(t, client.redeem(newBrowser(t), late, mail), client.expired)
			require.False(t, late.Verified(mail.To))
		})
	}
}

// Once the address is verified by a first link, a second one says so in its own way and changes
// nothing.
func TestProviderWithTwoLinks(t *testing.T) {
	for _, name := range Providers() {
		idp, _, _ := openTest(t)
		signUp(t, idp, func(m *Manners) { m.Provider, m.TwoVerifyLinks = name, true })
		mail := idp.Mails()[0]
		if mail.Purpose != "verify" {
			continue
		}
		client := testClients[name]
		require.Len(t, idp.tickets, 2, name)
		for secret, k := range idp.tickets {
			if !strings.Contains(mail.Link, k.target) {
				second := mail
				second.Link = idp.URL() + k.target
				require.NotEmpty(t, secret)
				require.Contains(t, client.redeem(newBrowser(t), idp, second), client.first, name)
			}
		}
		end := client.redeem(newBrowser(t), idp, mail)
		if name != BetterAuth {
			require.NotContains(t, end, client.first, name)
		}
	}
}

// Looking at a link, opening it once where that is not enough, and opening part of it verifies
// nothing.
func TestProviderIsStrict(t *testing.T) {
	oneGet := map[Provider]bool{
		Auth0Classic: true, Auth0ClassicPage: true, GoTrue: true, BetterAuth: true, Hasura: true,
		Clerk:     true,
		ZitadelV1: true, FusionAuthGet: true, Cognito: true, Okta: true, KratosLink: true,
		Devise: true, ASPNet: true, Ghost: true, Strapi: true, Directus: true,
	}
	for _, name := range Providers() {
		t.Run(string(name), func(t *testing.T) {
			idp, _, mail := testMail(t, name)
			require.ErrorIs(t, idp.EnterCode(mail.To, ""), ErrCode)
			require.ErrorIs(t, idp.EnterCode(mail.To, mail.Code+"0"), ErrCode)
			require.ErrorIs(t, idp.EnterCode("b"+mail.To, mail.Code), ErrCode)
			if mail.Link == "" {
				return
			}
			b := newBrowser(t)
			response, err := b.client.Head(mail.Link)
			require.NoError(t, err)
			response.Body.Close()
			require.Equal(t, 200, response.StatusCode)
			require.False(t, idp.Verified(mail.To), "after a HEAD")
			b.post(mail.Link, nil)
			b.send(mail.Link, `{}`)
			require.False(t, idp.Verified(mail.To), "after a POST from nowhere")

			u, err := url.Parse(mail.Link)
			require.NoError(t, err)
			for parameter := range u.Query() {
				short, query := *u, u.Query()
				if query.Get(parameter) == "" {
					continue
				}
				query.Del(parameter)
				short.RawQuery = query.Encode()
				if parameter != "tab_id" {
					b.open(short.String())
					require.False(t, idp.Verified(mail.To), "without %s", parameter)
				}
			}
			newBrowser(t).open(mail.Link)
			newBrowser(t).open(mail.Link)
			require.Equal(t, oneGet[name], idp.Verified(mail.To), "after GETs without cookies")
		})
	}
}

func TestProviderAPIRefusesWrongRequests(t *testing.T) {
	for name, c := range map[Provider]struct{ path, body, token string }{
		GoTrueTokenHash: {"/auth/v1/verify", `{"type":"recovery","token_hash":"TOKEN"}`, "token_hash"},
		ZitadelV2:       {"/v2/users/USER/email/verify", `{"verificationCode":"TOKEN"}`, "code"},
		Firebase:        {"/v1/accounts:update?key=other", `{"oobCode":"TOKEN"}`, "oobCode"},
		SuperTokens:     {"/auth/user/email/verify", `{"token":"TOKEN"}`, "token"},
		PocketBase: {"/api/collections/_pb_users_auth_/confirm-verification", `{"token":["TOKEN"]}`,
			""},
	} {
		idp, _, mail := testMail(t, name)
		u, err := url.Parse(mail.Link)
		require.NoError(t, err)
		b, token := newBrowser(t), u.Query().Get(c.token)
		fill := strings.NewReplacer("TOKEN", token, "USER", u.Query().Get("userId"))
		status, _ := b.send(idp.APIURL()+fill.Replace(c.path), fill.Replace(c.body))
		require.GreaterOrEqual(t, status, 400, name)
		status, _ = b.send(idp.APIURL()+fill.Replace(c.path), fill.Replace(c.body), "Content-Type",
			"text/plain")
		require.Equal(t, 415, status, name)
		status, _ = b.send(idp.APIURL()+fill.Replace(c.path), `[`)
		require.Equal(t, 400, status, name)
		b.open(idp.APIURL() + fill.Replace(c.path))
		require.False(t, idp.Verified(mail.To), name)
		require.Contains(t, testClients[name].redeem(b, idp, mail), testClients[name].first,
			"and is not used up")
	}
}

func TestProviderFormsWantCookieAndToken(t *testing.T) {
	for _, name := range []Provider{
		Auth0Universal, Auth0UniversalPage, FusionAuth, Allauth, Authgear, KeycloakActions,
		OktaActivation, Rauthy, Phoenix,
	} {
		idp, _, mail := testMail(t, name)
		b := newBrowser(t)
		_, page := b.open(mail.Link)
		match := testHidden.FindStringSubmatch(page)
		require.NotNil(t, match, name)
		field, state := match[1], match[2]
		asks := strings.Contains(page, `type="password"`)
		require.Equal(t, mail.Purpose == "reset" || mail.Purpose == "invite", asks, name)
		good := url.Values{field: {state}, "password": {"x"}}
		status, _ := newBrowser(t).post(mail.Link, good)
		require.Equal(t, 400, status, "%s without a cookie", name)
		status, _ = b.post(mail.Link, url.Values{field: {state + "x"}, "password": {"x"}})
		require.Equal(t, 400, status, "%s with a wrong token", name)
		status, _ = b.send(mail.Link, `{"`+field+`":"`+state+`","password":"x"}`)
		require.Equal(t, 400, status, "%s as JSON", name)
		if asks {
			status, _ = b.post(mail.Link, url.Values{field: {state}})
			require.Equal(t, 400, status, "%s without a password", name)
		}
		require.False(t, idp.Verified(mail.To) || idp.PasswordChanged(mail.To), name)
		status, _ = b.post(mail.Link, good)
		require.Less(t, status, 400, name)
	}
}

func TestAuthentikWantsSessionAndConsent(t *testing.T) {
	idp, _, mail := testMail(t, Authentik)
	b, executor := newBrowser(t), testExecutor(idp, mail)
	stage := jsonOf(b, executor)
	body := `{"component":"ak-stage-consent","token":"` + stage["token"].(string) + `"}`
	_, said := newBrowser(t).send(executor, body)
	require.Contains(t, said, "ak-stage-access-denied", "another session")
	_, said = b.send(executor, `{"component":"ak-stage-consent","token":"consented"}`)
	require.Contains(t, said, "Invalid consent token")
	status, _ := b.send(executor, body, "Content-Type", "text/plain")
	require.Equal(t, 415, status)
	require.Equal(t, "ak-stage-consent", jsonOf(b, executor)["component"], "a second GET asks again")
	status, _ = b.send(executor, body)
	require.Equal(t, 302, status)
	require.Equal(t, "ak-stage-prompt", jsonOf(newBrowser(t), executor)["component"],
		"another session")
	require.False(t, idp.Verified(mail.To))
	require.Equal(t, "xak-flow-redirect", jsonOf(b, executor)["component"])
	require.True(t, idp.Verified(mail.To))
}

func TestKratosWantsCookieTokenAndCode(t *testing.T) {
	idp, _, mail := testMail(t, KratosCode)
	b := newBrowser(t)
	_, location := b.open(mail.Link)
	flow := testFlow(b, idp, location)
	action, fields := testFields(flow)
	require.Equal(t, mail.Code, fields.Get("code"))

	status, said := newBrowser(t).open(idp.URL() + "/self-service/verification/flows?id=" +
		flow["id"].(string))
	require.Equal(t, 403, status)
	require.Contains(t, said, "security_csrf_violation")
	status, _ = newBrowser(t).post(action, fields)
	require.Equal(t, 403, status, "no cookie")
	status, _ = b.open(idp.URL() + "/self-service/verification/flows?id=unknown")
	require.Equal(t, 404, status)
	for _, name := range []string{"csrf_token", "code", "method"} {
		wrong := url.Values{}
		for n := range fields {
			wrong.Set(n, fields.Get(n))
		}
		wrong.Set(name, "wrong")
		b.post(action, wrong)
		require.False(t, idp.Verified(mail.To), name)
	}
	require.Equal(t, "sent_email", testFlow(b, idp, location)["state"])

	body, err := json.Marshal(map[string]string{"csrf_token": fields.Get("csrf_token"),
		"code": mail.Code, "method": "code"})
	require.NoError(t, err)
	status, said = b.send(action, string(body), "Accept", "application/json")
	require.Equal(t, 200, status)
	require.Contains(t, said, `"state":"passed_challenge"`)
	require.True(t, idp.Verified(mail.To))
}

func TestBetterAuthSignsInOnce(t *testing.T) {
	idp, _, mail := testMail(t, BetterAuth)
	for _, cookies := range []int{1, 0} {
		response, err := newBrowser(t).client.Get(mail.Link)
		require.NoError(t, err)
		response.Body.Close()
		require.Len(t, response.Cookies(), cookies)
	}
	require.True(t, idp.Verified(mail.To))
}

func TestProviderLives(t *testing.T) {
	for name, life := range map[Provider]time.Duration{
		Auth0Code: 900 * time.Second, Keycloak: 5 * time.Minute, KratosCode: time.Hour,
		Hasura: 30 * 24 * time.Hour,
		Clerk:  10 * time.Minute, LogtoCode: 10 * time.Minute, PocketBase: 72 * time.Hour,
		Allauth: 72 * time.Hour,
	} {
		idp, clock, mail := testMail(t, name)
		clock.move(life - time.Second)
		testClients[name].redeem(newBrowser(t), idp, mail)
		require.True(t, idp.Verified(mail.To), name)
	}
}

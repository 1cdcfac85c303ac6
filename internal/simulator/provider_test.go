package simulator

import (
	"encoding/json"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// idpTestMail signs the user up with the provider and returns the mail.
func idpTestMail(t *testing.T, name IdPProvider) (*IdP, *idpTestClock, IdPMail) {
	t.Helper()
	idp, _, clock := openTestIdP(t)
	idpSignUp(t, idp, func(m *IdPManners) { m.Provider = name })
	return idp, clock, idp.Mails()[0]
}

func TestIdPProvidersAreAllThere(t *testing.T) {
	names := IdPProviders()
	require.Len(t, idpTestClients, len(names))
	for _, name := range names {
		require.Contains(t, idpTestClients, name)
	}
	idp, _, _ := openTestIdP(t)
	idp.Set(func(m *IdPManners) { m.Provider = "nobody" })
	require.Error(t, idp.SignUp(t.Context(), idpTestUser))
}

func TestIdPProviderIsRedeemedOnceAndInTime(t *testing.T) {
	for _, name := range IdPProviders() {
		t.Run(string(name), func(t *testing.T) {
			client := idpTestClients[name]
			idp, _, mail := idpTestMail(t, name)
			require.Equal(t, name, mail.Provider)
			verifies := mail.Purpose == "verify" || mail.Purpose == "code" || name == IdPRauthy

			idp.Set(func(m *IdPManners) { m.Expired = true })
			require.Contains(t, client.redeem(newIdPBrowser(t), idp, mail), client.expired)
			require.False(t, idp.Verified(mail.To))
			idp.Set(func(m *IdPManners) { m.Expired = false })
			require.Contains(t, client.redeem(newIdPBrowser(t), idp, mail), client.first)
			require.Equal(t, verifies, idp.Verified(mail.To))
			require.Equal(t, mail.Purpose == "reset" || mail.Purpose == "invite", idp.PasswordChanged(mail.To))
			require.Contains(t, client.redeem(newIdPBrowser(t), idp, mail), client.again)
			require.Equal(t, verifies, idp.Verified(mail.To))

			late, clock, mail := idpTestMail(t, name)
			clock.move(late.provider(name).life)
			require.Contains(t, client.redeem(newIdPBrowser(t), late, mail), client.expired)
			require.False(t, late.Verified(mail.To))
		})
	}
}

// Once the address is verified by a first link, a second one says so in its own way and changes nothing.
func TestIdPProviderWithTwoLinks(t *testing.T) {
	for _, name := range IdPProviders() {
		idp, _, _ := openTestIdP(t)
		idpSignUp(t, idp, func(m *IdPManners) { m.Provider, m.TwoVerifyLinks = name, true })
		mail := idp.Mails()[0]
		if mail.Purpose != "verify" {
			continue
		}
		client := idpTestClients[name]
		require.Len(t, idp.tickets, 2, name)
		for secret, k := range idp.tickets {
			if !strings.Contains(mail.Link, k.target) {
				second := mail
				second.Link = idp.URL() + k.target
				require.NotEmpty(t, secret)
				require.Contains(t, client.redeem(newIdPBrowser(t), idp, second), client.first, name)
			}
		}
		end := client.redeem(newIdPBrowser(t), idp, mail)
		if name != IdPBetterAuth {
			require.NotContains(t, end, client.first, name)
		}
	}
}

// Looking at a link, opening it once where that is not enough, and opening part of it verifies nothing.
func TestIdPProviderIsStrict(t *testing.T) {
	oneGet := map[IdPProvider]bool{
		IdPAuth0Classic: true, IdPAuth0ClassicPage: true, IdPGoTrue: true, IdPBetterAuth: true, IdPHasura: true, IdPClerk: true,
		IdPZitadelV1: true, IdPFusionAuthGet: true, IdPCognito: true, IdPOkta: true, IdPKratosLink: true,
	}
	for _, name := range IdPProviders() {
		t.Run(string(name), func(t *testing.T) {
			idp, _, mail := idpTestMail(t, name)
			require.ErrorIs(t, idp.EnterCode(mail.To, ""), ErrIdPCode)
			require.ErrorIs(t, idp.EnterCode(mail.To, mail.Code+"0"), ErrIdPCode)
			require.ErrorIs(t, idp.EnterCode("b"+mail.To, mail.Code), ErrIdPCode)
			if mail.Link == "" {
				return
			}
			b := newIdPBrowser(t)
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
			newIdPBrowser(t).open(mail.Link)
			newIdPBrowser(t).open(mail.Link)
			require.Equal(t, oneGet[name], idp.Verified(mail.To), "after GETs without cookies")
		})
	}
}

func TestIdPProviderAPIRefusesWrongRequests(t *testing.T) {
	for name, c := range map[IdPProvider]struct{ path, body, token string }{
		IdPGoTrueTokenHash: {"/auth/v1/verify", `{"type":"recovery","token_hash":"TOKEN"}`, "token_hash"},
		IdPZitadelV2:       {"/v2/users/USER/email/verify", `{"verificationCode":"TOKEN"}`, "code"},
		IdPFirebase:        {"/v1/accounts:update?key=other", `{"oobCode":"TOKEN"}`, "oobCode"},
		IdPSuperTokens:     {"/auth/user/email/verify", `{"token":"TOKEN"}`, "token"},
		IdPPocketBase:      {"/api/collections/_pb_users_auth_/confirm-verification", `{"token":["TOKEN"]}`, ""},
	} {
		idp, _, mail := idpTestMail(t, name)
		u, err := url.Parse(mail.Link)
		require.NoError(t, err)
		b, token := newIdPBrowser(t), u.Query().Get(c.token)
		fill := strings.NewReplacer("TOKEN", token, "USER", u.Query().Get("userId"))
		status, _ := b.send(idp.APIURL()+fill.Replace(c.path), fill.Replace(c.body))
		require.GreaterOrEqual(t, status, 400, name)
		status, _ = b.send(idp.APIURL()+fill.Replace(c.path), fill.Replace(c.body), "Content-Type", "text/plain")
		require.Equal(t, 415, status, name)
		status, _ = b.send(idp.APIURL()+fill.Replace(c.path), `[`)
		require.Equal(t, 400, status, name)
		b.open(idp.APIURL() + fill.Replace(c.path))
		require.False(t, idp.Verified(mail.To), name)
		require.Contains(t, idpTestClients[name].redeem(b, idp, mail), idpTestClients[name].first, "and is not used up")
	}
}

func TestIdPProviderFormsWantCookieAndToken(t *testing.T) {
	for _, name := range []IdPProvider{
		IdPAuth0Universal, IdPAuth0UniversalPage, IdPFusionAuth, IdPAllauth, IdPAuthgear, IdPKeycloakActions, IdPOktaActivation, IdPRauthy,
	} {
		idp, _, mail := idpTestMail(t, name)
		b := newIdPBrowser(t)
		_, page := b.open(mail.Link)
		match := idpTestHidden.FindStringSubmatch(page)
		require.NotNil(t, match, name)
		field, state := match[1], match[2]
		asks := strings.Contains(page, `type="password"`)
		require.Equal(t, mail.Purpose == "reset" || mail.Purpose == "invite", asks, name)
		good := url.Values{field: {state}, "password": {"x"}}
		status, _ := newIdPBrowser(t).post(mail.Link, good)
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

func TestIdPAuthentikWantsSessionAndConsent(t *testing.T) {
	idp, _, mail := idpTestMail(t, IdPAuthentik)
	b, executor := newIdPBrowser(t), idpTestExecutor(idp, mail)
	stage := idpJSONOf(b, executor)
	body := `{"component":"ak-stage-consent","token":"` + stage["token"].(string) + `"}`
	_, answer := newIdPBrowser(t).send(executor, body)
	require.Contains(t, answer, "ak-stage-access-denied", "another session")
	_, answer = b.send(executor, `{"component":"ak-stage-consent","token":"consented"}`)
	require.Contains(t, answer, "Invalid consent token")
	status, _ := b.send(executor, body, "Content-Type", "text/plain")
	require.Equal(t, 415, status)
	require.Equal(t, "ak-stage-consent", idpJSONOf(b, executor)["component"], "a second GET asks again")
	status, _ = b.send(executor, body)
	require.Equal(t, 302, status)
	require.Equal(t, "ak-stage-access-denied", idpJSONOf(newIdPBrowser(t), executor)["component"], "another session")
	require.False(t, idp.Verified(mail.To))
	require.Equal(t, "xak-flow-redirect", idpJSONOf(b, executor)["component"])
	require.True(t, idp.Verified(mail.To))
}

func TestIdPKratosWantsCookieTokenAndCode(t *testing.T) {
	idp, _, mail := idpTestMail(t, IdPKratosCode)
	b := newIdPBrowser(t)
	_, location := b.open(mail.Link)
	flow := idpTestFlow(b, idp, location)
	action, fields := idpTestFields(flow)
	require.Equal(t, mail.Code, fields.Get("code"))

	status, answer := newIdPBrowser(t).open(idp.URL() + "/self-service/verification/flows?id=" + flow["id"].(string))
	require.Equal(t, 403, status)
	require.Contains(t, answer, "security_csrf_violation")
	status, _ = newIdPBrowser(t).post(action, fields)
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
	require.Equal(t, "sent_email", idpTestFlow(b, idp, location)["state"])

	body, err := json.Marshal(map[string]string{"csrf_token": fields.Get("csrf_token"), "code": mail.Code, "method": "code"})
	require.NoError(t, err)
	status, answer = b.send(action, string(body), "Accept", "application/json")
	require.Equal(t, 200, status)
	require.Contains(t, answer, `"state":"passed_challenge"`)
	require.True(t, idp.Verified(mail.To))
}

func TestIdPBetterAuthSignsInOnce(t *testing.T) {
	idp, _, mail := idpTestMail(t, IdPBetterAuth)
	for _, cookies := range []int{1, 0} {
		response, err := newIdPBrowser(t).client.Get(mail.Link)
		require.NoError(t, err)
		response.Body.Close()
		require.Len(t, response.Cookies(), cookies)
	}
	require.True(t, idp.Verified(mail.To))
}

func TestIdPProviderLives(t *testing.T) {
	for name, life := range map[IdPProvider]time.Duration{
		IdPAuth0Code: 900 * time.Second, IdPKeycloak: 5 * time.Minute, IdPKratosCode: time.Hour, IdPHasura: 30 * 24 * time.Hour,
		IdPClerk: 10 * time.Minute, IdPLogtoCode: 10 * time.Minute, IdPPocketBase: 72 * time.Hour, IdPAllauth: 72 * time.Hour,
	} {
		idp, clock, mail := idpTestMail(t, name)
		clock.move(life - time.Second)
		idpTestClients[name].redeem(newIdPBrowser(t), idp, mail)
		require.True(t, idp.Verified(mail.To), name)
	}
}

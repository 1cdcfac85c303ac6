package simulator

import (
	"encoding/json"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"

	"github.com/stretchr/testify/require"
	"golang.org/x/net/html"
)

// idpClient redeems the link or code of a mail as a client written for this provider does, and returns what it is told at
// the end.
type idpClient func(b idpBrowser, idp *IdP, m IdPMail) string

// send posts JSON and returns the status, and the Location or else the body.
func (b idpBrowser) send(link, body string, header ...string) (int, string) {
	b.t.Helper()
	request, err := http.NewRequest(http.MethodPost, link, strings.NewReader(body))
	require.NoError(b.t, err)
	request.Header.Set("Content-Type", "application/json")
	for i := 0; i < len(header); i += 2 {
		request.Header.Set(header[i], header[i+1])
	}
	response, err := b.client.Do(request)
	return b.read(response, err)
}

func idpTestGet(b idpBrowser, _ *IdP, m IdPMail) string {
	_, end := b.open(m.Link)
	return end
}

func idpTestCode(b idpBrowser, idp *IdP, m IdPMail) string {
	if err := idp.EnterCode(m.To, m.Code); err != nil {
		return err.Error()
	}
	return "accepted"
}

var idpTestHidden = regexp.MustCompile(`<input type="hidden" name="([^"]+)" value="([^"]+)">`)

// idpTestForm sends the form of the link, with the extra fields filled in, if the link shows one.
func idpTestForm(extra url.Values) idpClient {
	return func(b idpBrowser, _ *IdP, m IdPMail) string {
		_, page := b.open(m.Link)
		match := idpTestHidden.FindStringSubmatch(page)
		if match == nil {
			return page
		}
		fields := url.Values{match[1]: {match[2]}}
		for name := range extra {
			fields.Set(name, extra.Get(name))
		}
		_, end := b.post(m.Link, fields)
		return end
	}
}

func idpTestProceed(b idpBrowser, _ *IdP, m IdPMail) string {
	_, page := b.open(m.Link)
	if hrefs := idpHrefs(b.t, page); len(hrefs) > 0 {
		_, page = b.open(hrefs[0])
	}
	return page
}

func idpTestAllauth(b idpBrowser, idp *IdP, m IdPMail) string {
	end := idpTestForm(nil)(b, idp, m)
	if end == "/accounts/login/" {
		_, page := newIdPBrowser(b.t).open(idp.URL() + end)
		require.NotContains(b.t, page, "confirmed", "the result is for the browser with the cookie")
		_, end = b.open(idp.URL() + end)
	}
	return html.UnescapeString(end)
}

// idpTestAPI opens the link, which does nothing, and posts to the API.
func idpTestAPI(path string, body func(query url.Values, fragment string) map[string]string, header ...string) idpClient {
	return func(b idpBrowser, idp *IdP, m IdPMail) string {
		_, page := b.open(m.Link)
		require.Contains(b.t, page, "enable JavaScript")
		u, err := url.Parse(m.Link)
		require.NoError(b.t, err)
		encoded, err := json.Marshal(body(u.Query(), u.Fragment))
		require.NoError(b.t, err)
		path := strings.NewReplacer("{user}", u.Query().Get("userId"), "{key}", u.Query().Get("apiKey")).Replace(path)
		header := slices.Clone(header)
		for i := range header {
			header[i] = strings.ReplaceAll(header[i], "{service}", idp.ServiceToken())
		}
		status, end := b.send(idp.APIURL()+path, string(encoded), header...)
		if status == http.StatusNoContent {
			return "no content"
		}
		return end
	}
}

// idpJSONOf returns the JSON object behind a GET.
func idpJSONOf(b idpBrowser, link string) map[string]any {
	b.t.Helper()
	_, body := b.open(link)
	var object map[string]any
	require.NoError(b.t, json.Unmarshal([]byte(body), &object), body)
	return object
}

func idpTestExecutor(idp *IdP, m IdPMail) string {
	_, query, _ := strings.Cut(m.Link, "?")
	return idp.URL() + "/api/v3/flows/executor/enrollment/?query=" + url.QueryEscape(query)
}

func idpTestAuthentik(b idpBrowser, idp *IdP, m IdPMail) string {
	_, page := b.open(m.Link)
	require.Contains(b.t, page, "enable JavaScript")
	executor := idpTestExecutor(idp, m)
	stage := idpJSONOf(b, executor)
	if stage["component"] == "ak-stage-consent" {
		body, err := json.Marshal(map[string]any{"component": "ak-stage-consent", "token": stage["token"]})
		require.NoError(b.t, err)
		status, location := b.send(executor, string(body))
		require.Equal(b.t, http.StatusFound, status)
		require.False(b.t, idp.Verified(m.To), "the consent alone does not verify")
		stage = idpJSONOf(b, idp.URL()+location)
	}
	end, err := json.Marshal(stage)
	require.NoError(b.t, err)
	return string(end)
}

// idpTestFlow returns the flow that a link of Kratos redirects to.
func idpTestFlow(b idpBrowser, idp *IdP, location string) map[string]any {
	b.t.Helper()
	u, err := url.Parse(location)
	require.NoError(b.t, err)
	require.Equal(b.t, "/ui/verification", u.Path)
	return idpJSONOf(b, idp.URL()+"/self-service/verification/flows?id="+u.Query().Get("flow"))
}

// idpTestFields returns the action and the fields of a flow's form.
func idpTestFields(flow map[string]any) (string, url.Values) {
	ui := flow["ui"].(map[string]any)
	fields := url.Values{}
	for _, node := range ui["nodes"].([]any) {
		attributes := node.(map[string]any)["attributes"].(map[string]any)
		if name := attributes["name"].(string); name != "email" {
			fields.Set(name, attributes["value"].(string))
		}
	}
	return ui["action"].(string), fields
}

func idpTestKratos(b idpBrowser, idp *IdP, m IdPMail) string {
	status, location := b.open(m.Link)
	require.Equal(b.t, http.StatusSeeOther, status)
	flow := idpTestFlow(b, idp, location)
	if flow["state"] == "sent_email" {
		action, fields := idpTestFields(flow)
		_, location = b.post(action, fields)
		flow = idpTestFlow(b, idp, location)
	}
	end, err := json.Marshal(flow)
	require.NoError(b.t, err)
	return string(end)
}

func idpTestPocketBase(_ url.Values, fragment string) map[string]string {
	return map[string]string{"token": strings.TrimPrefix(fragment, "/auth/confirm-verification/")}
}

// idpTestClients says for each provider how its mail is redeemed and what a client is told: the first time, when the
// mail was redeemed before, and when it is too old.
var idpTestClients = map[IdPProvider]struct {
	redeem                idpClient
	first, again, expired string
}{
	IdPAuth0Classic:       {idpTestGet, "success=true", "used%20only%20once&success=false", "Access%20expired&success=false"},
	IdPAuth0ClassicPage:   {idpTestGet, "Your email was verified.", "used only once", "Access expired"},
	IdPAuth0Universal:     {idpTestForm(nil), "success=true", "success=false", "Access%20expired&success=false"},
	IdPAuth0UniversalPage: {idpTestForm(nil), "was successfully verified.", "was already used.", "This ticket was expired."},
	IdPAuth0Code:          {idpTestCode, "accepted", "not accept", "not accept"},
	IdPKeycloak:           {idpTestProceed, "has been verified.", "verified already.", "old stale link"},
	IdPKeycloakCode:       {idpTestCode, "accepted", "not accept", "not accept"},
	IdPKeycloakActions:    {idpTestForm(url.Values{"password": {"x"}}), "has been set", "already been used", "has expired"},
	IdPGoTrue:             {idpTestGet, "#access_token=", "error_code=otp_expired", "error_code=otp_expired"},
	IdPGoTrueMagicLink:    {idpTestGet, "type=magiclink", "error_code=otp_expired", "error_code=otp_expired"},
	IdPGoTrueChange:       {idpTestGet, "#message=Confirmation+link+accepted", "error_code=otp_expired", "error_code=otp_expired"},
	IdPBetterAuth:         {idpTestGet, "/welcome", "/welcome", "?error=TOKEN_EXPIRED"},
	IdPHasura:             {idpTestGet, "?refreshToken=", "?error=invalid-ticket", "?error=invalid-ticket"},
	IdPClerk:              {idpTestGet, "verified&__clerk_created_session=sess_", "__clerk_status=failed", "__clerk_status=expired"},
	IdPZitadelV1:          {idpTestGet, "has been verified", "already been used", "has expired"},
	IdPFusionAuthGet:      {idpTestGet, "has been verified", "already been used", "has expired"},
	IdPCognito:            {idpTestGet, "has been verified", "already been used", "has expired"},
	IdPOkta:               {idpTestGet, "has been verified", "already been used", "has expired"},
	IdPRauthyChange:       {idpTestGet, "has been verified", "already been used", "has expired"},
	IdPFusionAuth:         {idpTestForm(nil), "has been verified", "already been used", "has expired"},
	IdPAllauth:            {idpTestAllauth, "You have confirmed " + idpTestUser, "expired or is invalid", "expired or is invalid"},
	IdPAuthgear:           {idpTestForm(nil), "is approved", "has been used", "has expired"},
	IdPOktaActivation:     {idpTestForm(url.Values{"password": {"x"}}), "has been set", "already been used", "has expired"},
	IdPRauthy:             {idpTestForm(url.Values{"password": {"x"}}), "has been set", "already been used", "has expired"},
	IdPGoTrueTokenHash: {idpTestAPI("/auth/v1/verify", func(q url.Values, _ string) map[string]string {
		return map[string]string{"type": "email", "token_hash": q.Get("token_hash")}
	}), "access_token", "otp_expired", "otp_expired"},
	IdPZitadelV2: {idpTestAPI("/v2/users/{user}/email/verify", func(q url.Values, _ string) map[string]string {
		return map[string]string{"verificationCode": q.Get("code")}
	}, "Authorization", "Bearer {service}"), "details", "Code is invalid", "Code is expired"},
	IdPFirebase: {idpTestAPI("/v1/accounts:update?key={key}", func(q url.Values, _ string) map[string]string {
		return map[string]string{"oobCode": q.Get("oobCode")}
	}), `"emailVerified":true`, "INVALID_OOB_CODE", "EXPIRED_OOB_CODE"},
	IdPSuperTokens: {idpTestAPI("/auth/user/email/verify", func(q url.Values, _ string) map[string]string {
		return map[string]string{"method": "token", "token": q.Get("token")}
	}), `"OK"`, "INVALID_TOKEN", "INVALID_TOKEN"},
	IdPPocketBase: {idpTestAPI("/api/collections/_pb_users_auth_/confirm-verification", idpTestPocketBase),
		"no content", "Invalid or expired token", "Invalid or expired token"},
	IdPAuthentik:   {idpTestAuthentik, "xak-flow-redirect", "Link was already used", "ak-stage-prompt"},
	IdPKratosCode:  {idpTestKratos, `"passed_challenge"`, "already completed", "expired"},
	IdPKratosLink:  {idpTestKratos, `"passed_challenge"`, "already completed", "expired"},
	IdPCognitoCode: {idpTestCode, "accepted", "not accept", "not accept"},
	IdPEntraCode:   {idpTestCode, "accepted", "not accept", "not accept"},
	IdPHankoCode:   {idpTestCode, "accepted", "not accept", "not accept"},
	IdPLogtoCode:   {idpTestCode, "accepted", "not accept", "not accept"},
	IdPCasdoorCode: {idpTestCode, "accepted", "not accept", "not accept"},
	IdPNotice:      {func(idpBrowser, *IdP, IdPMail) string { return "nothing" }, "nothing", "nothing", "nothing"},
}

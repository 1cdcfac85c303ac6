package idp

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

// client redeems the link or code of a mail, as a client written for this provider does. It
// returns what it is told at the end.
type client func(b browser, idp *Server, m Mail) string

// send posts JSON and returns the status, and the Location or else the body.
func (b browser) send(link, body string, header ...string) (int, string) {
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

func testGet(b browser, _ *Server, m Mail) string {
	_, end := b.open(m.Link)
	return end
}

func testCode(b browser, idp *Server, m Mail) string {
	if err := idp.EnterCode(m.To, m.Code); err != nil {
		return err.Error()
	}
	return "accepted"
}

var testHidden = regexp.MustCompile(`<input type="hidden" name="([^"]+)" value="([^"]+)">`)

// testForm sends the form of the link, with the extra fields filled in, if the link shows one.
func testForm(extra url.Values) client {
	return func(b browser, _ *Server, m Mail) string {
		_, page := b.open(m.Link)
		match := testHidden.FindStringSubmatch(page)
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

func testProceed(b browser, _ *Server, m Mail) string {
	_, page := b.open(m.Link)
	if hrefs := hrefsOf(b.t, page); len(hrefs) > 0 {
		_, page = b.open(hrefs[0])
	}
	return page
}

func testAllauth(b browser, idp *Server, m Mail) string {
	end := testForm(nil)(b, idp, m)
	if end == "/accounts/login/" {
		_, page := newBrowser(b.t).open(idp.URL() + end)
		require.NotContains(b.t, page, "confirmed", "the result is for the browser with the cookie")
		_, end = b.open(idp.URL() + end)
	}
	return html.UnescapeString(end)
}

// testFlash redeems the link and then reads the page to which a success leads.
func testFlash(redeem client) client {
	return func(b browser, idp *Server, m Mail) string {
		end := redeem(b, idp, m)
		if end == "/users/log_in" {
			_, page := newBrowser(b.t).open(idp.URL() + end)
			require.NotContains(b.t, page, "confirmed", "the result is for the browser with the cookie")
			_, end = b.open(idp.URL() + end)
		}
		return html.UnescapeString(end)
	}
}

// testActivation opens the link, which does nothing, and asks the API.
func testActivation(b browser, idp *Server, m Mail) string {
	_, page := b.open(m.Link)
	require.Contains(b.t, page, "enable JavaScript")
	_, query, _ := strings.Cut(m.Link, "?")
	status, end := b.open(idp.URL() + "/api/activate?" + query)
	if status == http.StatusOK && end == "" {
		return "activated"
	}
	return end
}

// testAPI opens the link, which does nothing, and posts to the API.
func testAPI(
	path string, body func(query url.Values, fragment string) map[string]string, header ...string,
) client {
	return func(b browser, idp *Server, m Mail) string {
		_, page := b.open(m.Link)
		require.Contains(b.t, page, "enable JavaScript")
		u, err := url.Parse(m.Link)
		require.NoError(b.t, err)
		encoded, err := json.Marshal(body(u.Query(), u.Fragment))
		require.NoError(b.t, err)
		path := strings.NewReplacer("{user}", u.Query().Get("userId"), "{key}",
			u.Query().Get("apiKey")).Replace(path)
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

// jsonOf returns the JSON object behind a GET.
func jsonOf(b browser, link string) map[string]any {
	b.t.Helper()
	_, body := b.open(link)
	var object map[string]any
	require.NoError(b.t, json.Unmarshal([]byte(body), &object), body)
	return object
}

func testExecutor(idp *Server, m Mail) string {
	_, query, _ := strings.Cut(m.Link, "?")
	return idp.URL() + "/api/v3/flows/executor/enrollment/?query=" + url.QueryEscape(query)
}

func testAuthentik(b browser, idp *Server, m Mail) string {
	_, page := b.open(m.Link)
	require.Contains(b.t, page, "enable JavaScript")
	executor := testExecutor(idp, m)
	stage := jsonOf(b, executor)
	if stage["component"] == "ak-stage-consent" {
		body, err := json.Marshal(map[string]any{"component": "ak-stage-consent",
			"token": stage["token"]})
		require.NoError(b.t, err)
		status, location := b.send(executor, string(body))
		require.Equal(b.t, http.StatusFound, status)
		require.False(b.t, idp.Verified(m.To), "the consent alone does not verify")
		stage = jsonOf(b, idp.URL()+location)
	}
	end, err := json.Marshal(stage)
	require.NoError(b.t, err)
	return string(end)
}

// testFlow returns the flow that a link of Kratos redirects to.
func testFlow(b browser, idp *Server, location string) map[string]any {
	b.t.Helper()
	u, err := url.Parse(location)
	require.NoError(b.t, err)
	require.Equal(b.t, "/ui/verification", u.Path)
	return jsonOf(b, idp.URL()+"/self-service/verification/flows?id="+u.Query().Get("flow"))
}

// testFields returns the action and the fields of a flow's form.
func testFields(flow map[string]any) (string, url.Values) {
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

func testKratos(b browser, idp *Server, m Mail) string {
	status, location := b.open(m.Link)
	require.Equal(b.t, http.StatusSeeOther, status)
	flow := testFlow(b, idp, location)
	if flow["state"] == "sent_email" {
		action, fields := testFields(flow)
		_, location = b.post(action, fields)
		flow = testFlow(b, idp, location)
	}
	end, err := json.Marshal(flow)
	require.NoError(b.t, err)
	return string(end)
}

func testPocketBase(_ url.Values, fragment string) map[string]string {
	return map[string]string{"token": strings.TrimPrefix(fragment, "/auth/confirm-verification/")}
}

// testClients says for each provider how its mail is redeemed and what a client is told: the
// first time, when the mail was redeemed before, and when it is too old.
var testClients = map[Provider]struct {
	redeem                client
	first, again, expired string
}{
	Auth0Classic: {testGet, "success=true", "used%20only%20once&success=false",
		"Access%20expired&success=false"},
	Auth0ClassicPage: {testGet, "Your email was verified.", "used only once", "Access expired"},
	Auth0Universal: {testForm(nil), "success=true", "success=false",
		"Access%20expired&success=false"},
	Auth0UniversalPage: {testForm(nil), "was successfully verified.", "was already used.",
		"This ticket was expired."},
	Auth0Code:    {testCode, "accepted", "not accept", "not accept"},
	Keycloak:     {testProceed, "has been verified.", "verified already.", "old stale link"},
	KeycloakCode: {testCode, "accepted", "not accept", "not accept"},
	KeycloakActions: {testForm(url.Values{"password": {"x"}}), "has been set", "already been used",
		"has expired"},
	GoTrue: {testGet, "#access_token=", "error_code=otp_expired",
		"error_code=otp_expired"},
	GoTrueMagicLink: {testGet, "type=magiclink", "error_code=otp_expired",
		"error_code=otp_expired"},
	GoTrueChange: {testGet, "#message=Confirmation+link+accepted", "error_code=otp_expired",
		"error_code=otp_expired"},
	BetterAuth: {testGet, "/welcome", "/welcome", "?error=TOKEN_EXPIRED"},
	Hasura:     {testGet, "?refreshToken=", "?error=invalid-ticket", "?error=invalid-ticket"},
	Clerk: {testGet, "verified&__clerk_created_session=sess_", "__clerk_status=failed",
		"__clerk_status=expired"},
	ZitadelV1:     {testGet, "has been verified", "already been used", "has expired"},
	FusionAuthGet: {testGet, "has been verified", "already been used", "has expired"},
	Cognito:       {testGet, "has been verified", "already been used", "has expired"},
	Okta:          {testGet, "has been verified", "already been used", "has expired"},
	RauthyChange:  {testGet, "has been verified", "already been used", "has expired"},
	FusionAuth:    {testForm(nil), "has been verified", "already been used", "has expired"},
	Allauth: {testAllauth, "You have confirmed " + testUser, "expired or is invalid",
		"expired or is invalid"},
	Authgear: {testForm(nil), "is approved", "has been used", "has expired"},
	OktaActivation: {testForm(url.Values{"password": {"x"}}), "has been set", "already been used",
		"has expired"},
	Rauthy: {testForm(url.Values{"password": {"x"}}), "has been set", "already been used",
		"has expired"},
	GoTrueTokenHash: {testAPI("/auth/v1/verify", func(q url.Values, _ string) map[string]string {
		return map[string]string{"type": "email", "token_hash": q.Get("token_hash")}
	}), "access_token", "otp_expired", "otp_expired"},
	ZitadelV2: {testAPI("/v2/users/{user}/email/verify", func(q url.Values,
		_ string) map[string]string {
		return map[string]string{"verificationCode": q.Get("code")}
	}, "Authorization", "Bearer {service}"), "details", "Code is invalid", "Code is expired"},
	Firebase: {testAPI("/v1/accounts:update?key={key}", func(q url.Values,
		_ string) map[string]string {
		return map[string]string{"oobCode": q.Get("oobCode")}
	}), `"emailVerified":true`, "INVALID_OOB_CODE", "EXPIRED_OOB_CODE"},
	SuperTokens: {testAPI("/auth/user/email/verify", func(q url.Values, _ string) map[string]string {
		return map[string]string{"method": "token", "token": q.Get("token")}
	}), `"OK"`, "INVALID_TOKEN", "INVALID_TOKEN"},
	PocketBase: {testAPI("/api/collections/_pb_users_auth_/confirm-verification", testPocketBase),
		"no content", "Invalid or expired token", "Invalid or expired token"},
	Authentik:   {testAuthentik, "xak-flow-redirect", "ak-stage-prompt", "ak-stage-prompt"},
	KratosCode:  {testKratos, `"passed_challenge"`, "already completed", "expired"},
	KratosLink:  {testKratos, `"passed_challenge"`, "already completed", "expired"},
	CognitoCode: {testCode, "accepted", "not accept", "not accept"},
	EntraCode:   {testCode, "accepted", "not accept", "not accept"},
	HankoCode:   {testCode, "accepted", "not accept", "not accept"},
	LogtoCode:   {testCode, "accepted", "not accept", "not accept"},
	CasdoorCode: {testCode, "accepted", "not accept", "not accept"},
	Devise: {testFlash(testGet), "successfully confirmed", "already confirmed",
		"confirmed within"},
	Phoenix: {testFlash(testForm(nil)), "confirmed successfully", "invalid or it has expired",
		"invalid or it has expired"},
	ASPNet:   {testGet, "Thank you for confirming", "Error confirming", "Error confirming"},
	Ghost:    {testGet, "success=true", "success=false", "success=false"},
	Strapi:   {testGet, "/welcome", "Invalid token", "Invalid token"},
	Directus: {testGet, "/admin/users/", "Invalid verification", "Invalid verification"},
	JHipster: {testActivation, "activated", "No user was found", "No user was found"},
	Notice: {func(browser, *Server, Mail) string { return "nothing" }, "nothing", "nothing",
		"nothing"},
}

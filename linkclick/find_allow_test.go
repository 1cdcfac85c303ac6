package linkclick

import (
	"net/url"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func allows(t *testing.T, entry, link string) bool {
	t.Helper()
	u, err := url.Parse("https://login.acme.example" + link)
	require.NoError(t, err)
	_, ok := Rule{Paths: []string{entry}}.allowedBy(u)
	return ok
}

func TestAllowedPaths(t *testing.T) {
	for entry, links := range map[string]map[string]bool{
		"/account/confirm": {
			"/account/confirm": true, "/account/confirm/": true, "/account/confirm/x/y": true,
			"/account/confirm?t=1&u=2": true, "/account/confirmed": false, "/account": false, "/": false,
			"/x/account/confirm": false, "/account/confirm/../delete": false, "/account/./confirm": false,
			"/account/confirm#/delete": false, "/Account/confirm": false,
		},
		"/t/*/c/": {"/t/acme/c/1": true, "/t/acme/d": false, "/t/c": false,
			"/t//c/1": false},
		"/c/*?": {
			"/c/a1": true, "/c/a1/": true, "/c/a1?lang=da&utm_source=x": true, "/c/a1/delete": false,
			"/c/a1?do=x": false, "/c": false, "/c/a1#x": false,
		},
		"login:/?type=magic&token": {
			"/?token=a1&type=magic": true, "/?type=magic&token=a1&lang=da": true, "/?token=a1": false,
			"/?type=magic&token=": false, "/?type=reset&token=a1": false, "/x?type=magic&token=a1": false,
			"/?type=magic&token=a1&go=x": false, "/?token=a1&type%3Dmagic=x": false,
		},
		"/app#/confirm/*?": {
			"/app#/confirm/a1": true, "/app#/delete/a1": false, "/app": false, "/app?x=1#/confirm/a1": false,
		},
		"/#/confirm?token": {"/#/confirm?token=a1": true, "/?token=a1#/confirm": true,
			"/#/confirm": false},
		"/cb#?token": {"/cb#token=a1": true, "/cb#token=a1&type=recovery": false},
		// Those that would allow everything, or are no paths, allow nothing.
		"/": {"/any": false, "/": false}, "/*": {"/any": false}, "/*?": {"/any": false},
		"account": {"/account": false}, "invite:/a": {"/a": false}, "": {"/": false},
	} {
		for link, want := range links {
			require.Equal(t, want, allows(t, entry, link), "%s: %s", entry, link)
		}
	}
}

// What servers and scripts may read in two ways fits no path and has no shape.
func TestLinksThatAreReadInTwoWays(t *testing.T) {
	for _, link := range []string{
		"/account/confirm?t=1&t=2", "/account/confirm?t=1&T=2", "/account/confirm?t=1&t[]=2",
		"/account/confirm?a.b=1&a_b=2", "/account/confirm?t=1;u=2", "/account/confirm?t=%zz",
		"/account/confirm?t=1&%74=2", "/account/confirm?%D1%82=1", "/account/confirm?=1",
		"/account/confir%6D", "/account%2Fconfirm/x", "/account/confirm/x%2Fy",
		"/account/confirm/%2e%2e/x",
		"/account/confirm;x=1/y", "/аccount/confirm", "/account/confirm/é", "/account/confirm/%C3%A9",
		"/account/confirm/x%5Cy", "/account/confirm/x%20y",
	} {
		require.False(t, allows(t, "/account/confirm", link), link)
	}
	for _, query := range []string{
		"token=a1&type=signup&type=recovery", "token=a1&type=signup&Type=recovery",
		"token=a1&type=signup&type[]=recovery", "token=a1&token=a2&type=signup",
		"token=a1&type=signup;type=recovery", "token=a1&type=Signup", "token=a1&TYPE=signup",
		"token=a1&type=signup&action=reset_password", "token=a1&type=signup&do=delete-account",
		"token=a1&type=signup&mode=emailChange", "token=a1&type=signup&op=approve",
		"token=a1&type=signup&reset_token=x1",
		"token=" + encode64("{}") + "." + encode64(`{"purpose":"password-reset"}`) + ".s&type=signup",
		"token=" + encode64("{}") + "." + encode64(`{"type":"emailChange"}`) + ".s&type=signup",
	} {
		u, err := url.Parse("https://auth.acme.example/auth/v1/verify?" + query)
		require.NoError(t, err)
		require.Nil(t, shapeOf(u).provider, query)
	}
	for _, path := range []string{
		"/reset/auth/v1/verify", "/account/delete/verify", "/x/../verify", "/auth/v1/verif%79",
		"/auth/v1/verify;type=recovery", "/аuth/v1/verify", "/device/approve/verify",
	} {
		u, err := url.Parse("https://auth.acme.example" + path + "?token=a1&type=signup")
		require.NoError(t, err)
		require.Nil(t, shapeOf(u).provider, path)
	}
	for _, link := range []string{
		"/auth/v1/verify?token=a1&type=signup&redirect_to=https://app.acme.example/reset?type=x",
		"/verify?type=signup&token=a1", "/login/verify?type=signup&token=a1",
		"/new-portal/auth/v1/verify?token=a1%2B%3D&type=signup",
	} {
		u, err := url.Parse("https://auth.acme.example" + link)
		require.NoError(t, err)
		require.Equal(t, KindVerify, shapeOf(u).kind, link)
	}
}

func TestLineToAllow(t *testing.T) {
	for link, want := range map[string]string{
		"/account/confirm?t=Zk3vQ8mW1xT5":                 "/account/confirm?t",
		"/c/Zk3vQ8mW1xT5":                                 "/c/*?",
		"/confirm/qwertyuiopasdfgh?t=a1":                  "/confirm/*?t",
		"/confirm/qwertyui?t=a1":                          "/confirm/*?t",
		"/confirm/qwertyui-confirm?t=a1":                  "/confirm/*?t",
		"/qwertyui/confirm-email?t=a1":                    "/qwertyui/confirm-email?t",
		"/app#/confirm/qwertyuiopasdfgh?t=a1":             "/app#/confirm/*?t",
		"/c/Zk3vQ8mW1xT5/go?lang=da":                      "/c/*/go?",
		"/account/verify.php?id=77&code=a8f3":             "/account/verify.php?id&code",
		"/users/kim.7/confirm/MQ/c8x-1f2e3d4c5b6a":        "/users/*/confirm/*/*?",
		"/v2/oauth2/ConfirmEmail?userId=7&code=Q2Zk3v":    "/v2/oauth2/ConfirmEmail?userId&code",
		"/?action=verify&token=Zk3vQ8mW1xT5":              "/?action=verify&token",
		"/app#/confirm/Zk3vQ8mW1xT5B7":                    "/app#/confirm/*?",
		"/#/confirm?token=Zk3vQ8mW1xT5B7":                 "/#/confirm?token",
		"/cb#token=Zk3vQ8mW1xT5B7":                        "/cb#?token",
		"/e?t=Zk3vQ8mW1xT5&email=kim@acme.example":        "/e?t&email",
		"/Zk3vQ8mW1xT5":                                   "", // would allow every path
		"/Zk3vQ8mW1xT5?t=1":                               "/*?t",
		"/e?t=1&t=2":                                      "",
		"/е?t=Zk3vQ8mW1xT5":                               "",
		"/e/2f1c9a52-5d1f-4a4f-9a77-d3a4c6e8b9f0/confirm": "/e/*/confirm?",
		"/e?a%2Cb=Zk3vQ8mW1xT5":                           "",
		"/e?utm_source=mail&t=Zk3vQ8mW1xT5":               "/e?t",
		"/confirm/?back_url=&id=57&key=Zk3vQ8mW1xT5":      "/confirm?back_url=&id&key",
		"/e?t=Zk3vQ8mW1xT5&again":                         "/e?t&again=",
		"/e?583920":                                       "",
		"/e?action=Zk3vQ8mW1xT5&t=a1":                     "/e?action&t",
		"/e?a%26b=Zk3vQ8mW1xT5":                           "",
		"/e?a%3Db=Zk3vQ8mW1xT5":                           "",
		"/e?u=a1b2c3d4&k3x9":                              "",
		"/e?preauthSessionId=a1b2c3d4&tokenHashUrl=x":     "/e?preauthSessionId&tokenHashUrl",
	} {
		u, err := url.Parse("https://login.acme.example" + link)
		require.NoError(t, err)
		require.Equal(t, want, lineToAllow(u, KindVerify), link)
		if want != "" {
			require.NoError(t, Rule{Paths: []string{want}}.Check())
			require.True(t, allows(t, want, link), want)
			require.Equal(t, "reset:"+want, lineToAllow(u, KindReset), link)
		}
	}
}

// The name of a page may end in two digits. More may be a number that was drawn.
func TestIsWordy(t *testing.T) {
	for name, want := range map[string]bool{
		"confirm-email": true, "ConfirmEmail": true, "oauth2": true, "step12": true, "confirm.php": true,
		"": false, "step123": false, "confirm.email.php": false, "kQzWxR": false, "x7y8": false,
	} {
		require.Equal(t, want, isWordy(name), name)
	}
}

// What others than the reader know is no secret, however it looks.
func TestKnownParametersCarryNoSecret(t *testing.T) {
	for name := range strings.FieldsSeq("client_id clientid app app_id email login_hint loginname " +
		"login_name org orgid org_id organization project realm tenant tenantid tenant_id redirect " +
		"redirect_to redirect_uri redirect_url redirecturl return returnto return_to return_url " +
		"callback callbackurl callback_url continue continueurl continue_url next state nonce scope " +
		"response_type user userid user_id user_name username uid version v apikey utm_term") {
		u, err := url.Parse("https://login.acme.example/e?" + name + "=Zk3vQ8mW1xT5")
		require.NoError(t, err)
		require.False(t, carriesSecret(u), name)
	}
}

func TestCarriesSecret(t *testing.T) {
	for link, want := range map[string]bool{
		"/": false, "/login": false, "/login?login_hint=kim77": false,
		"/ui/console?orgID=2342342342": false,
		"/users/sign_in":               false, "/?utm_source=mail77": false, "/e?t=abcdef": false,
		"/e?t=abc123":           true,
		"/c/confirm-your-email": false, "/c/Zk3vQ8mW1xT5": true, "/c/Zk3vQ8": false,
		"/authorize?client_id=evil77&redirect_uri=https://evil7.example": false,
		"/e?t=aBcDeFgHiJkL": true, "/e?t=aBcDeFgHiJk": false,
		"/e?t=abcdefghijklmn": false, "/e?t=ABCDEFGHIJKLMN": false,
		"/c/OzuklERqOGWG/go": true, "/c/ConfirmTheMail": false, "/c/ConfirmTheMailAddressOfAll": true,
		"/c/KZXWJQHBTVLMNCSDPGRF": true, "/c/KZXWJQHBTVLMNCSDPGR": false,
		"/e?lang=da77da77": false, "/e?locale=da77da77": false, "/e?ui_locales=da77da77": false,
		"/e?hl=da77da77": false, "/e?ref=da77da77": false, "/e?source=da77da77": false,
		"/e?l=da77da77": false, "/e?theme=da77da77": false, "/e?clientId=da77da77": false,
		"/#/confirm/Zk3vQ8mW1xT5": true, "/#/confirm?token=Zk3vQ8": true, "/#top": false,
	} {
		u, err := url.Parse("https://login.acme.example" + link)
		require.NoError(t, err)
		require.Equal(t, want, carriesSecret(u), link)
	}
}

// The words of a path are heard, however its names are written. A link that changes an address may
// come in the very words of a sign-up, as that of ASP.NET Core Identity does.
func TestWordsOfPaths(t *testing.T) {
	for _, path := range []string{
		"/api/access/confirmEmailChange", "/api/confirmemailchange", "/api/confirm-email-change",
		"/api/ConfirmNewEmail", "/api/changeEmail/confirm",
	} {
		link := path + "?userId=17&email=kim%40acme.example&token=Zk3vQ8mW1xT5"
		m := Mail{Subject: "Confirm your email", HTML: "Please confirm your account by " +
			linkTo(link, "clicking here") + "."}
		f := Find(m, acme)
		require.Equal(t, KindChange, f.Kind, "%s: %+v", path, f.Candidates)
		require.Empty(t, f.Allow, path)

		rule := Rule{Hosts: acme.Hosts, Paths: []string{"/api"}}
		f = Find(m, rule)
		require.Empty(t, f.URL, "%s: %+v", path, f.Candidates)
		require.Empty(t, (&Clicker{Rule: rule}).GoOn(atLogin+link), path)
		u, why := rule.judge(atLogin + link)
		require.Empty(t, why, path)
		require.False(t, rule.mayBegin(u), path)
	}
}

// An entry that is offered never makes a verification of a link that says by itself that it does
// something else: it names the other purpose, or there is none.
func TestEntriesOfLinksThatSayMore(t *testing.T) {
	for link, want := range map[string]string{
		"/account?action=reset_password&t=Zk3vQ8mW1xT5":         "reset:/account?action=reset_password&t",
		"/e?do=login&t=Zk3vQ8mW1xT5":                            "login:/e?do=login&t",
		"/e?type=signup&t=Zk3vQ8mW1xT5":                         "/e?type=signup&t",
		"/confirm?do=delete&t=Zk3vQ8mW1xT5":                     "",
		"/confirm?type=change_email&t=Zk3vQ8mW1xT5":             "",
		"/confirm?newEmail=a%40acme.example&token=Zk3vQ8mW1xT5": "",
		"/confirm?token=" + unsigned(`{"purpose":"password"}`):  "reset:/confirm?token",
		"/confirm?token=" + unsigned(`{"action":"delete"}`):     "",
		"/confirm?token=" + unsigned(`{"purpose":"signup"}`):    "/confirm?token",
	} {
		m := Mail{Subject: "Confirm your email", HTML: linkTo(link, "Confirm your email")}
		f := Find(m, acme)
		require.Equal(t, want, f.Allow, "%s: %+v", link, f.Candidates)
		require.Equal(t, ReasonUnknownShape, f.Reason, link)
	}
}

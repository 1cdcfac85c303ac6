package idp

import (
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

// paramsOf returns the parameters that a redirect to the application carries.
func paramsOf(t *testing.T, location string) url.Values {
	t.Helper()
	u, err := url.Parse(location)
	require.NoError(t, err)
	require.Equal(t, "app.acme.example", u.Host)
	return u.Query()
}

func TestRedirectLink(t *testing.T) {
	idp, _, _ := openTest(t)
	link := signUp(t, idp, func(m *Manners) {
		m.RedirectTo = "https://app.acme.example/welcome?lang=da#/start"
	})
	require.False(t, idp.Verified(testUser))
	status, location := newBrowser(t).open(link)
	require.Equal(t, 302, status)
	require.Equal(t,
		"https://app.acme.example/welcome?lang=da&supportSignUp=true&supportForgotPassword=true"+
			"&email=acme%2B4512345678%40sms.acme.example"+
			"&message=Your%20email%20was%20verified.%20You%20can%20continue%20using%20the%20application."+
			"&success=true&code=success#/start", location)
	require.True(t, idp.Verified(testUser))
	require.True(t, idp.Verified(strings.ToUpper(testUser)))

	status, location = newBrowser(t).open(link)
	require.Equal(t, 302, status)
	require.Equal(t,
		"https://app.acme.example/welcome?lang=da"+
			"&message=This%20URL%20can%20be%20used%20only%20once&success=false#/start", location)
	_, location = newBrowser(t).open(idp.URL() + "/lo/verify_email?ticket=unknown")
	require.Contains(t, paramsOf(t, location).Get("message"), "does not exist")
	require.Equal(t, []Request{
		{"GET", "/lo/verify_email?ticket", 302}, {"GET", "/lo/verify_email?ticket", 302},
		{"GET", "/lo/verify_email?ticket", 302},
	}, idp.Requests())
}

func TestExpiryAndSecondTicket(t *testing.T) {
	idp, _, clock := openTest(t)
	signUp(t, idp, func(m *Manners) { m.TwoVerifyLinks = true })
	first, second := "", ""
	for secret := range idp.tickets {
		first, second = second, idp.URL()+"/lo/verify_email?ticket="+secret
	}
	idp.Set(func(m *Manners) { m.Expired = true })
	_, location := newBrowser(t).open(first)
	require.Equal(t, url.Values{"message": {"Access expired"}, "success": {"false"}}, paramsOf(t,
		location))
	idp.Set(func(m *Manners) { m.Expired = false })
	clock.move(5*24*time.Hour - time.Second)
	_, location = newBrowser(t).open(first)
	require.Equal(t, "true", paramsOf(t, location).Get("success"))
	_, location = newBrowser(t).open(second)
	require.Equal(t, "This account is already verified", paramsOf(t, location).Get("message"))
	clock.move(time.Second)
	_, location = newBrowser(t).open(second)
	require.Equal(t, "Access expired", paramsOf(t, location).Get("message"))
}

func TestPageLink(t *testing.T) {
	idp, _, _ := openTest(t)
	link := signUp(t, idp, func(m *Manners) { m.Provider = Auth0ClassicPage })
	status, page := newBrowser(t).open(link)
	require.Equal(t, 200, status)
	require.Contains(t, page, "Your email was verified.")
	require.True(t, idp.Verified(testUser))
	status, page = newBrowser(t).open(link)
	require.Equal(t, 200, status, "only the text tells failure from success")
	require.Contains(t, page, "This URL can be used only once")
}

var testState = regexp.MustCompile(`<input type="hidden" name="state" value="(\w+)">`)

// stateOf returns the hidden state of a form.
func stateOf(t *testing.T, page string) string {
	t.Helper()
	match := testState.FindStringSubmatch(page)
	require.NotNil(t, match, page)
	return match[1]
}

func TestFormLink(t *testing.T) {
	idp, _, _ := openTest(t)
	link := signUp(t, idp, func(m *Manners) { m.Provider = Auth0Universal })
	browser := newBrowser(t)
	status, page := browser.open(link)
	require.Equal(t, 200, status)
	require.Contains(t, page, `<form method="POST">`)
	require.False(t, idp.Verified(testUser), "a GET uses nothing up")

	state := stateOf(t, page)
	for name, try := range map[string]func() (int, string){
		"no cookie": func() (int, string) {
			return newBrowser(t).post(link,
				url.Values{"state": {state}})
		},
		"no state": func() (int, string) {
			return browser.post(link,
				url.Values{"action": {"default"}})
		},
		"wrong state": func() (int, string) {
			return browser.post(link,
				url.Values{"state": {state + "x"}})
		},
	} {
		status, _ := try()
		require.Equal(t, 400, status, name)
		require.False(t, idp.Verified(testUser), name)
	}
	status, location := browser.post(link, url.Values{"state": {state}, "action": {"default"}})
	require.Equal(t, 302, status)
	require.Equal(t, "true", paramsOf(t, location).Get("success"))
	require.True(t, idp.Verified(testUser))

	idp.Set(func(m *Manners) { m.RedirectTo = "" })
	status, page = browser.open(link)
	require.Equal(t, 200, status)
	require.Contains(t, page, "This ticket was already used.")
	require.NotContains(t, page, "<form")
}

func TestFormLinkWithoutRedirect(t *testing.T) {
	idp, _, _ := openTest(t)
	link := signUp(t, idp, func(m *Manners) { m.Provider, m.RedirectTo = Auth0Universal, "" })
	browser := newBrowser(t)
	_, page := browser.open(link)
	status, page := browser.post(link, url.Values{"state": {stateOf(t, page)}})
	require.Equal(t, 200, status)
	require.Contains(t, page, "Your email address was successfully verified.")
}

func TestProceedLink(t *testing.T) {
	idp, _, clock := openTest(t)
	link := signUp(t, idp, func(m *Manners) { m.Provider = Keycloak })
	browser := newBrowser(t)
	status, page := browser.open(link)
	require.Equal(t, 200, status)
	require.Contains(t, page, "&raquo; Click here to proceed")
	hrefs := hrefsOf(t, page)
	require.Len(t, hrefs, 1)
	mailed, err := url.Parse(link)
	require.NoError(t, err)
	proceed, err := url.Parse(hrefs[0])
	require.NoError(t, err)
	require.Equal(t, mailed.Path, proceed.Path)
	require.Equal(t, mailed.Query().Get("key"), proceed.Query().Get("key"))

	_, page = newBrowser(t).open(hrefs[0])
	require.Contains(t, page, "Click here to proceed", "another session starts over")
	require.False(t, idp.Verified(testUser))
	_, page = browser.open(link)
	status, page = browser.open(hrefsOf(t, page)[0])
	require.Equal(t, 200, status)
	require.Contains(t, page, "Your email address has been verified.")
	require.True(t, idp.Verified(testUser))
	_, page = browser.open(link)
	require.Contains(t, page, "verified already")

	clock.move(5 * time.Minute)
	status, page = browser.open(link)
	require.Equal(t, 400, status)
	require.Contains(t, page, "old stale link")
	status, _ = browser.post(link, nil)
	require.Equal(t, 405, status)
	require.Equal(t, "/realms/customers/login-actions/action-token?client_id&key&tab_id",
		idp.Requests()[0].Path)
}

func TestOldPasswordLink(t *testing.T) {
	for _, provider := range []Provider{Auth0Classic, Auth0ClassicPage, Auth0Universal, Keycloak} {
		idp, _, _ := openTest(t)
		signUp(t, idp, func(m *Manners) { m.Provider = provider })
		require.NoError(t, idp.ChangePassword(t.Context(), testUser))
		letter := idp.Mails()[1]
		require.Equal(t, "reset", letter.Purpose)
		require.Contains(t, letter.Link, "/lo/reset?ticket=")
		require.False(t, idp.PasswordChanged(testUser))
		_, result := newBrowser(t).open(letter.Link)
		require.Contains(t, strings.ReplaceAll(result, "%20", " "),
			"You can now login to the application with the new password.")
		require.True(t, idp.PasswordChanged(testUser))
		require.False(t, idp.Verified(testUser))
	}
}

func TestPasswordFormNeedsAPerson(t *testing.T) {
	idp, _, _ := openTest(t)
	signUp(t, idp, func(m *Manners) { m.PasswordForm = true })
	require.NoError(t, idp.ChangePassword(t.Context(), testUser))
	link := idp.Mails()[1].Link
	require.Contains(t, link, "/u/reset-verify?ticket=")
	browser := newBrowser(t)
	_, page := browser.open(link)
	require.Contains(t, page, `type="password"`)
	status, _ := browser.post(link, url.Values{"state": {stateOf(t, page)}})
	require.Equal(t, 400, status)
	require.False(t, idp.PasswordChanged(testUser))
	status, _ = browser.post(link, url.Values{"state": {stateOf(t, page)},
		"password": {"correct horse"}})
	require.Equal(t, 302, status)
	require.True(t, idp.PasswordChanged(testUser))
}

func TestMisbehavesOnDemand(t *testing.T) {
	idp, _, _ := openTest(t)
	link := signUp(t, idp, func(m *Manners) { m.DeadLink = true })
	status, _ := newBrowser(t).open(link)
	require.Equal(t, 404, status)
	idp.Set(func(m *Manners) { m.DeadLink, m.Down = false, true })
	_, err := newBrowser(t).client.Get(link)
	require.Error(t, err)
	idp.Set(func(m *Manners) { m.Down, m.Slow = false, time.Minute })
	impatient := newBrowser(t)
	impatient.client.Timeout = 20 * time.Millisecond
	_, err = impatient.client.Get(link)
	require.Error(t, err)
	require.False(t, idp.Verified(testUser), "nobody waited")
	idp.Set(func(m *Manners) { m.Slow = 0 })
	status, _ = newBrowser(t).open(link)
	require.Equal(t, 302, status)
	require.True(t, idp.Verified(testUser))
}

func TestHead(t *testing.T) {
	for _, refuse := range []bool{false, true} {
		idp, _, _ := openTest(t)
		link := signUp(t, idp, func(m *Manners) { m.RefuseHEAD = refuse })
		response, err := http.Head(link)
		require.NoError(t, err)
		response.Body.Close()
		require.Equal(t, map[bool]int{false: 200, true: 405}[refuse], response.StatusCode)
		require.Equal(t, refuse, idp.Verified(testUser))
		_, location := newBrowser(t).open(link)
		require.Equal(t, !refuse, paramsOf(t, location).Get("success") == "true")
		require.Equal(t, "HEAD", idp.Requests()[0].Method)
	}
}

// Whatever the application's URL, the outcome is in its query and the rest is untouched.
func TestRedirectionKeepsTheRest(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		path := rapid.StringMatching(`/[a-z]{0,8}`).Draw(t, "path")
		query := rapid.SampledFrom([]string{"", "?a=b", "?a=b&c=%2F"}).Draw(t, "query")
		fragment := rapid.SampledFrom([]string{"", "#", "#/route?x=y"}).Draw(t, "fragment")
		message := rapid.SampledFrom(append(auth0ClassicWords[:], auth0ClassicChanged)).Draw(t, "message")
		success := rapid.Bool().Draw(t, "success")
		got := auth0Redirect("https://app.acme.example"+path+query+fragment, testUser, message, success)
		require.True(t, strings.HasPrefix(got, "https://app.acme.example"+path+query))
		require.True(t, strings.HasSuffix(got, fragment))
		require.NotContains(t, got, "+")
		u, err := url.Parse(got)
		require.NoError(t, err)
		require.Equal(t, message, u.Query().Get("message"))
		require.Equal(t, success, u.Query().Get("success") == "true")
	})
}

package simulator

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

// idpParams returns the parameters that a redirect to the application carries.
func idpParams(t *testing.T, location string) url.Values {
	t.Helper()
	u, err := url.Parse(location)
	require.NoError(t, err)
	require.Equal(t, "app.acme.example", u.Host)
	return u.Query()
}

func TestIdPRedirectAnswer(t *testing.T) {
	idp, _, _ := openTestIdP(t)
	link := idpSignUp(t, idp, func(m *IdPManners) { m.RedirectTo = "https://app.acme.example/welcome?lang=da#/start" })
	require.False(t, idp.Verified(idpTestUser))
	status, location := newIdPBrowser(t).open(link)
	require.Equal(t, 302, status)
	require.Equal(t, "https://app.acme.example/welcome?lang=da&supportSignUp=true&supportForgotPassword=true"+
		"&email=acme%2B4512345678%40sms.acme.example"+
		"&message=Your%20email%20was%20verified.%20You%20can%20continue%20using%20the%20application."+
		"&success=true&code=success#/start", location)
	require.True(t, idp.Verified(idpTestUser))
	require.True(t, idp.Verified(strings.ToUpper(idpTestUser)))

	status, location = newIdPBrowser(t).open(link)
	require.Equal(t, 302, status)
	require.Equal(t, "https://app.acme.example/welcome?lang=da&message=This%20URL%20can%20be%20used%20only%20once&success=false#/start", location)
	_, location = newIdPBrowser(t).open(idp.URL() + "/lo/verify_email?ticket=unknown")
	require.Contains(t, idpParams(t, location).Get("message"), "does not exist")
	require.Equal(t, []IdPRequest{
		{"GET", "/lo/verify_email?ticket", 302}, {"GET", "/lo/verify_email?ticket", 302}, {"GET", "/lo/verify_email?ticket", 302},
	}, idp.Requests())
}

func TestIdPExpiryAndSecondTicket(t *testing.T) {
	idp, _, clock := openTestIdP(t)
	idpSignUp(t, idp, func(m *IdPManners) { m.TwoVerifyLinks = true })
	first, second := "", ""
	for secret := range idp.tickets {
		first, second = second, idp.URL()+"/lo/verify_email?ticket="+secret
	}
	idp.Set(func(m *IdPManners) { m.Expired = true })
	_, location := newIdPBrowser(t).open(first)
	require.Equal(t, url.Values{"message": {"Access expired"}, "success": {"false"}}, idpParams(t, location))
	idp.Set(func(m *IdPManners) { m.Expired = false })
	clock.move(5*24*time.Hour - time.Second)
	_, location = newIdPBrowser(t).open(first)
	require.Equal(t, "true", idpParams(t, location).Get("success"))
	_, location = newIdPBrowser(t).open(second)
	require.Equal(t, "This account is already verified", idpParams(t, location).Get("message"))
	clock.move(time.Second)
	_, location = newIdPBrowser(t).open(second)
	require.Equal(t, "Access expired", idpParams(t, location).Get("message"))
}

func TestIdPPageAnswer(t *testing.T) {
	idp, _, _ := openTestIdP(t)
	link := idpSignUp(t, idp, func(m *IdPManners) { m.Provider = IdPAuth0ClassicPage })
	status, page := newIdPBrowser(t).open(link)
	require.Equal(t, 200, status)
	require.Contains(t, page, "Your email was verified.")
	require.True(t, idp.Verified(idpTestUser))
	status, page = newIdPBrowser(t).open(link)
	require.Equal(t, 200, status, "only the text tells failure from success")
	require.Contains(t, page, "This URL can be used only once")
}

var idpTestState = regexp.MustCompile(`<input type="hidden" name="state" value="(\w+)">`)

// idpState returns the hidden state of a form.
func idpState(t *testing.T, page string) string {
	t.Helper()
	match := idpTestState.FindStringSubmatch(page)
	require.NotNil(t, match, page)
	return match[1]
}

func TestIdPFormAnswer(t *testing.T) {
	idp, _, _ := openTestIdP(t)
	link := idpSignUp(t, idp, func(m *IdPManners) { m.Provider = IdPAuth0Universal })
	browser := newIdPBrowser(t)
	status, page := browser.open(link)
	require.Equal(t, 200, status)
	require.Contains(t, page, `<form method="POST">`)
	require.False(t, idp.Verified(idpTestUser), "a GET uses nothing up")

	state := idpState(t, page)
	for name, try := range map[string]func() (int, string){
		"no cookie":   func() (int, string) { return newIdPBrowser(t).post(link, url.Values{"state": {state}}) },
		"no state":    func() (int, string) { return browser.post(link, url.Values{"action": {"default"}}) },
		"wrong state": func() (int, string) { return browser.post(link, url.Values{"state": {state + "x"}}) },
	} {
		status, _ := try()
		require.Equal(t, 400, status, name)
		require.False(t, idp.Verified(idpTestUser), name)
	}
	status, location := browser.post(link, url.Values{"state": {state}, "action": {"default"}})
	require.Equal(t, 302, status)
	require.Equal(t, "true", idpParams(t, location).Get("success"))
	require.True(t, idp.Verified(idpTestUser))

	idp.Set(func(m *IdPManners) { m.RedirectTo = "" })
	status, page = browser.open(link)
	require.Equal(t, 200, status)
	require.Contains(t, page, "This ticket was already used.")
	require.NotContains(t, page, "<form")
}

func TestIdPFormAnswerWithoutRedirect(t *testing.T) {
	idp, _, _ := openTestIdP(t)
	link := idpSignUp(t, idp, func(m *IdPManners) { m.Provider, m.RedirectTo = IdPAuth0Universal, "" })
	browser := newIdPBrowser(t)
	_, page := browser.open(link)
	status, page := browser.post(link, url.Values{"state": {idpState(t, page)}})
	require.Equal(t, 200, status)
	require.Contains(t, page, "Your email address was successfully verified.")
}

func TestIdPProceedAnswer(t *testing.T) {
	idp, _, clock := openTestIdP(t)
	link := idpSignUp(t, idp, func(m *IdPManners) { m.Provider = IdPKeycloak })
	browser := newIdPBrowser(t)
	status, page := browser.open(link)
	require.Equal(t, 200, status)
	require.Contains(t, page, "&raquo; Click here to proceed")
	hrefs := idpHrefs(t, page)
	require.Len(t, hrefs, 1)
	mailed, err := url.Parse(link)
	require.NoError(t, err)
	proceed, err := url.Parse(hrefs[0])
	require.NoError(t, err)
	require.Equal(t, mailed.Path, proceed.Path)
	require.Equal(t, mailed.Query().Get("key"), proceed.Query().Get("key"))

	_, page = newIdPBrowser(t).open(hrefs[0])
	require.Contains(t, page, "Click here to proceed", "another session starts over")
	require.False(t, idp.Verified(idpTestUser))
	_, page = browser.open(link)
	status, page = browser.open(idpHrefs(t, page)[0])
	require.Equal(t, 200, status)
	require.Contains(t, page, "Your email address has been verified.")
	require.True(t, idp.Verified(idpTestUser))
	_, page = browser.open(link)
	require.Contains(t, page, "verified already")

	clock.move(5 * time.Minute)
	status, page = browser.open(link)
	require.Equal(t, 400, status)
	require.Contains(t, page, "old stale link")
	status, _ = browser.post(link, nil)
	require.Equal(t, 405, status)
	require.Equal(t, "/realms/customers/login-actions/action-token?client_id&key&tab_id", idp.Requests()[0].Path)
}

func TestIdPOldPasswordLink(t *testing.T) {
	for _, answer := range []IdPProvider{IdPAuth0Classic, IdPAuth0ClassicPage, IdPAuth0Universal, IdPKeycloak} {
		idp, _, _ := openTestIdP(t)
		idpSignUp(t, idp, func(m *IdPManners) { m.Provider = answer })
		require.NoError(t, idp.ChangePassword(t.Context(), idpTestUser))
		letter := idp.Mails()[1]
		require.Equal(t, "reset", letter.Purpose)
		require.Contains(t, letter.Link, "/lo/reset?ticket=")
		require.False(t, idp.PasswordChanged(idpTestUser))
		_, result := newIdPBrowser(t).open(letter.Link)
		require.Contains(t, strings.ReplaceAll(result, "%20", " "), "You can now login to the application with the new password.")
		require.True(t, idp.PasswordChanged(idpTestUser))
		require.False(t, idp.Verified(idpTestUser))
	}
}

func TestIdPPasswordFormNeedsAPerson(t *testing.T) {
	idp, _, _ := openTestIdP(t)
	idpSignUp(t, idp, func(m *IdPManners) { m.PasswordForm = true })
	require.NoError(t, idp.ChangePassword(t.Context(), idpTestUser))
	link := idp.Mails()[1].Link
	require.Contains(t, link, "/u/reset-verify?ticket=")
	browser := newIdPBrowser(t)
	_, page := browser.open(link)
	require.Contains(t, page, `type="password"`)
	status, _ := browser.post(link, url.Values{"state": {idpState(t, page)}})
	require.Equal(t, 400, status)
	require.False(t, idp.PasswordChanged(idpTestUser))
	status, _ = browser.post(link, url.Values{"state": {idpState(t, page)}, "password": {"correct horse"}})
	require.Equal(t, 302, status)
	require.True(t, idp.PasswordChanged(idpTestUser))
}

func TestIdPMisbehavesOnDemand(t *testing.T) {
	idp, _, _ := openTestIdP(t)
	link := idpSignUp(t, idp, func(m *IdPManners) { m.DeadLink = true })
	status, _ := newIdPBrowser(t).open(link)
	require.Equal(t, 404, status)
	idp.Set(func(m *IdPManners) { m.DeadLink, m.Down = false, true })
	_, err := newIdPBrowser(t).client.Get(link)
	require.Error(t, err)
	idp.Set(func(m *IdPManners) { m.Down, m.Slow = false, time.Minute })
	impatient := newIdPBrowser(t)
	impatient.client.Timeout = 20 * time.Millisecond
	_, err = impatient.client.Get(link)
	require.Error(t, err)
	require.False(t, idp.Verified(idpTestUser), "nobody waited")
	idp.Set(func(m *IdPManners) { m.Slow = 0 })
	status, _ = newIdPBrowser(t).open(link)
	require.Equal(t, 302, status)
	require.True(t, idp.Verified(idpTestUser))
}

func TestIdPHead(t *testing.T) {
	for _, refuse := range []bool{false, true} {
		idp, _, _ := openTestIdP(t)
		link := idpSignUp(t, idp, func(m *IdPManners) { m.RefuseHEAD = refuse })
		response, err := http.Head(link)
		require.NoError(t, err)
		response.Body.Close()
		require.Equal(t, map[bool]int{false: 200, true: 405}[refuse], response.StatusCode)
		require.Equal(t, refuse, idp.Verified(idpTestUser))
		_, location := newIdPBrowser(t).open(link)
		require.Equal(t, !refuse, idpParams(t, location).Get("success") == "true")
		require.Equal(t, "HEAD", idp.Requests()[0].Method)
	}
}

// Whatever the application's URL, the outcome is in its query and the rest is untouched.
func TestIdPRedirectionKeepsTheRest(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		path := rapid.StringMatching(`/[a-z]{0,8}`).Draw(t, "path")
		query := rapid.SampledFrom([]string{"", "?a=b", "?a=b&c=%2F"}).Draw(t, "query")
		fragment := rapid.SampledFrom([]string{"", "#", "#/route?x=y"}).Draw(t, "fragment")
		message := rapid.SampledFrom(append(idpClassicWords[:], idpClassicChanged)).Draw(t, "message")
		success := rapid.Bool().Draw(t, "success")
		got := idpRedirection("https://app.acme.example"+path+query+fragment, idpTestUser, message, success)
		require.True(t, strings.HasPrefix(got, "https://app.acme.example"+path+query))
		require.True(t, strings.HasSuffix(got, fragment))
		require.NotContains(t, got, "+")
		u, err := url.Parse(got)
		require.NoError(t, err)
		require.Equal(t, message, u.Query().Get("message"))
		require.Equal(t, success, u.Query().Get("success") == "true")
	})
}

//go:build !race

package main

import (
	"context"
	"regexp"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/require"

	"smsbridge/internal/nodetest"
	"smsbridge/internal/store/storetest"
	"smsbridge/internal/wording"
)

// link waits for the Nth text of a phone, and returns the short link in it.
func (th *theater) link(t *testing.T, phone string, n int) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), storyPatience)
	defer cancel()
	texts, err := th.twilio.Phone(phone).Wait(ctx, n)
	require.NoError(t, err)
	link := regexp.MustCompile(`http\S+/l/[\w-]{22}`).FindString(texts[n-1].Body)
	require.NotEmpty(t, link, texts[n-1].Body)
	return link
}

// fits says that a page is written the way its language is, and is no wider than a phone.
func (b tab) fits(language string) {
	b.t.Helper()
	direction := wording.Direction(language)
	require.True(b.t, b.is(`document.documentElement.lang === "`+language+`" && `+
		`getComputedStyle(document.body).direction === "`+direction+`"`))
	require.True(b.t, b.is(`document.documentElement.scrollWidth <= 360`), "wider than the screen")
}

// Ensure that the page of a tap and that of a relayed link are right in two scripts: one from right
// to left, and one without blanks. That is so in both themes.
func TestShortLinkPagesInScripts(t *testing.T) {
	t.Parallel()
	for language, scheme := range map[string]string{"ar": "light", "ja": "dark"} {
		t.Run(language, func(t *testing.T) {
			t.Parallel()
			b := openTab(t, scheme)
			node := nodetest.Folder(t, "testdata/auth0")
			th, err := openTheater(storetest.SQLite(t))
			require.NoError(t, err)
			t.Cleanup(th.close)
			th.unlimited()
			th.env["SMSBRIDGE_LANGUAGE"], th.env["SMSBRIDGE_LANGUAGE_PINNED"] = language, "true"
			th.env["SMSBRIDGE_ANSWER"] = "tap"
			delete(th.env, "SMSBRIDGE_CODE_LOCALE")
			start(t, th)
			const phone = "+4520123456"
			says := func(key string) string { return wording.Page(language, key, "name", "ACME") }

			require.NoError(t, th.idp.SignUp(t.Context(), address(phone)))
			b.do(chromedp.EmulateViewport(360, 740), chromedp.Navigate(th.link(t, phone, 1)))
			b.wait("p", says("registration"))
			b.wait("button", says("registration_button"))
			b.fits(language)
			b.axe(node, "the question")
			b.picture("tap-" + language)
			b.do(chromedp.Click(chromedp.CSS("button")))
			confirmed := wording.Texts(nil).Say(language, wording.ConfirmedRegistration,
				wording.Fields{Name: "ACME"})
			b.wait("p[@role='status']", confirmed)
			b.fits(language)
			b.axe(node, "the outcome")
			b.picture("tapped-" + language)

			require.NoError(t, th.idp.ChangePassword(t.Context(), address(phone)))
			b.do(chromedp.Navigate(th.link(t, phone, 3)))
			b.wait("button", says("relay_button"))
			b.fits(language)
			b.axe(node, "the relayed link")
			b.picture("relay-" + language)
		})
	}
}

// Ensure that the longest name that a tenant may have breaks no page of a short link, although it
// has no blank: on the narrowest phone, with the letters enlarged to twice their size.
func TestShortLinkPagesOfALongName(t *testing.T) {
	t.Parallel()
	b := openTab(t, "light")
	th, err := openTheater(storetest.SQLite(t))
	require.NoError(t, err)
	t.Cleanup(th.close)
	th.unlimited()
	name := strings.Repeat("N", 40)
	th.env["SMSBRIDGE_NAME"], th.env["SMSBRIDGE_LONG_TEXTS"] = name, "true"
	th.env["SMSBRIDGE_ANSWER"] = "tap"
	start(t, th)
	const phone = "+4520123456"
	fits := func() {
		require.True(t, b.is(`document.documentElement.scrollWidth <= 160`), "wider than the screen")
	}
	require.NoError(t, th.idp.SignUp(t.Context(), address(phone)))
	b.do(chromedp.EmulateViewport(160, 284), chromedp.Navigate(th.link(t, phone, 1)))
	b.wait("h1", name)
	fits()
	b.do(chromedp.Click(chromedp.CSS("button")))
	b.wait("p[@role='status']", wording.Texts(nil).Say(wording.English,
		wording.ConfirmedRegistration, wording.Fields{Name: name}))
	fits()
	require.NoError(t, th.idp.ChangePassword(t.Context(), address(phone)))
	b.do(chromedp.Navigate(th.link(t, phone, 3)))
	b.wait("button", wording.Page(wording.English, "relay_button", "name", name))
	fits()
}

// Ensure that the form is right in such scripts.
func TestAuth0FormInScripts(t *testing.T) {
	t.Parallel()
	for language, scheme := range map[string]string{"ar": "dark", "ja": "light"} {
		t.Run(language, func(t *testing.T) {
			t.Parallel()
			b := openTab(t, scheme)
			s := openAuth0(t, "post")
			words := wording.Form(language)
			event := s.event(profile("google-oauth2|1"), map[string]any{"transaction": map[string]any{
				"ui_locales": []string{language},
			}})
			calls, _ := s.run("verify-phone", "onExecutePostLogin", event,
				redirecting{State: "s", Can: true})
			b.do(chromedp.EmulateViewport(360, 740), chromedp.Navigate(calls[0].Args[0].(string)))
			b.wait("h1", words["title"])
			b.fits(language)
			s.axe(b, "phone")
			b.picture("form-phone-" + language)
			b.do(chromedp.SendKeys(chromedp.CSS("#phone"), "+45 20 12 34 56\r"))
			b.wait("label", words["code"])
			require.True(t, b.is(`getComputedStyle(document.querySelector("#about bdi")).direction `+
				`=== "ltr" && document.querySelector("#about bdi").textContent === "+45******56"`))
			code := s.code(auth0Phone, 1)
			b.fits(language)
			s.axe(b, "code")
			b.picture("form-code-" + language)
			b.do(chromedp.SendKeys(chromedp.CSS("#code"), not(code)+"\r"))
			b.wait("p[@role='alert']", words["wrong"])
			b.fits(language)
			s.axe(b, "wrong")
			b.picture("form-wrong-" + language)
		})
	}
}

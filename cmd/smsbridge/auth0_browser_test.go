//go:build !race

package main

import (
	"fmt"
	"testing"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/require"
)

func (s *auth0Stage) axe(b tab, what string) {
	s.t.Helper()
	b.axe(s.node, what)
}

// Ensure that a person with a phone finds the way through the form and back to the app. That is so
// in both themes and whatever the way back. And nothing on the form stands in any person's way.
func TestAuth0FormInBrowser(t *testing.T) {
	t.Parallel()
	for scheme, way := range map[string]string{"light": "post", "dark": "redirect"} {
		t.Run(scheme, func(t *testing.T) {
			t.Parallel()
			b := openTab(t, scheme)
			s := openAuth0(t, way)
			b.do(chromedp.EmulateViewport(360, 740),
				chromedp.Navigate(s.signIn(profile("google-oauth2|1"), redirecting{State: "s"})))
			b.wait("h1", "Confirm your phone number")
			require.True(t, b.is(`document.activeElement.id === "phone"`), "it can be typed at once")
			s.axe(b, "phone")
			b.picture("auth0-phone-" + scheme)
			b.do(chromedp.SendKeys(chromedp.CSS("#phone"), "+45 20 12 34 56\r"))
			b.wait("p", "We have texted a code to +45******56.")
			code := s.code(auth0Phone, 1)
			require.True(t, b.is(`document.activeElement.id === "code" && `+
				`document.activeElement.autocomplete === "one-time-code"`))
			require.True(t, b.is(`document.documentElement.scrollWidth <= 360`),
				"the page is wider than the screen")
			require.True(t, b.is(`document.styleSheets.length === 2 && `+
				`document.querySelectorAll("[style]").length === 0`))
			s.axe(b, "code")
			b.picture("auth0-code-" + scheme)

			b.do(chromedp.SendKeys(chromedp.CSS("#code"), not(code)+"\r"))
			b.wait("p[@role='alert']", "That is not the code.")
			require.True(t, b.is(`document.getElementById("code").`+
				`getAttribute("aria-describedby").startsWith("alert")`))
			s.axe(b, "wrong")
			b.picture("auth0-wrong-" + scheme)
			b.do(chromedp.Click(chromedp.CSS("summary")))
			s.axe(b, "another number")
			b.do(chromedp.Click(chromedp.CSS("summary")),
				chromedp.SendKeys(chromedp.CSS("#code"), code+"\r"))
			// No button is pressed any more, and no policy stops the redirect to the app's origin.
			b.wait("h1", "signed in")
			seen := <-s.seen
			require.Equal(t, "s", seen.Get("state"))
			require.Contains(t, s.resume(profile("google-oauth2|1"), "s", seen.Get("session_token")),
				"setAppMetadata phone_number "+auth0Phone)
			require.True(t, b.is(`!document.referrer.includes("/auth0/")`),
				"the app does not hear where the person was")
		})
	}
}

// Ensure that the form counts down to another text, which only the script can.
func TestAuth0FormCountsDown(t *testing.T) {
	t.Parallel()
	b := openTab(t, "light")
	s := openAuth0(t, "post")
	event := s.event(profile("auth0|1", "phone_number", auth0Phone), nil)
	event["secrets"] = map[string]any{"FORM_URL": s.public + "/auth0/beta/verify",
		"SESSION_TOKEN_SECRET": "beta-" + auth0Secret} // which has a gap of a minute
	calls, _ := s.run("verify-phone", "onExecutePostLogin", event, redirecting{State: "s", Can: true})
	b.do(chromedp.Navigate(calls[0].Args[0].(string)))
	b.wait("button[@id='resend']", "Text the code again in 5")
	require.True(t, b.is(`document.getElementById("resend").disabled`))
	counted := `new Promise(done => { const first = resend.textContent; ` +
		`setInterval(() => { if (resend.textContent !== first) done(true) }, 50) })`
	require.True(t, b.is(counted), "it counts")
	s.axe(b, "waiting")
}

// Ensure that an ended verification says so without anything in the way, and that the way back
// without a phone is open.
func TestAuth0FormEndsInBrowser(t *testing.T) {
	t.Parallel()
	b := openTab(t, "light")
	s := openAuth0(t, "post")
	b.do(chromedp.EmulateViewport(1280, 900),
		chromedp.Navigate(s.signIn(profile("auth0|1", "phone_number", auth0Phone),
			redirecting{State: "s"})))
	b.wait("button[@id='resend']", "Text the code again")
	require.True(t, b.is(`!document.getElementById("resend").disabled`),
		"this tenant asks no person to wait")
	code := s.code(auth0Phone, 1)
	for left := range 5 {
		b.wait("p[@class='small']", fmt.Sprintf("Attempts left: %d", 5-left))
		b.do(chromedp.SendKeys(chromedp.CSS("#code"), not(code)+"\r"))
	}
	b.wait("p[@role='alert']", "There were too many wrong codes.")
	s.axe(b, "over")
	b.picture("auth0-over-light")
	b.do(chromedp.Click(chromedp.CSS(`button[value="leave"]`)))
	b.wait("h1", "signed in")
	require.Equal(t, []string{"access.deny The phone number was not confirmed."},
		s.resume(profile("auth0|1"), "s", (<-s.seen).Get("session_token")))
}

// Ensure that a browser that reads the code in the text saves the person from typing it.
func TestAuth0FormTakesCodeOfText(t *testing.T) {
	t.Parallel()
	b := openTab(t, "light")
	s := openAuth0(t, "post")
	const webOTP = `window.OTPCredential = class {};
		navigator.credentials.get = ({ otp }) => new Promise((found) => {
			window.offer = (code) => otp.transport.includes("sms") && found({ code }) && true });`
	_, err := chromedp.Call(b.ctx, page.AddScriptToEvaluateOnNewDocument,
		page.AddScriptToEvaluateOnNewDocumentParams{Source: webOTP})
	require.NoError(t, err)
	b.do(chromedp.Navigate(s.signIn(profile("auth0|1", "phone_number", auth0Phone),
		redirecting{State: "s"})))
	b.wait("p", "We have texted a code")
	b.is(`(window.offer("` + s.code(auth0Phone, 1) + `"), true)`)
	b.wait("h1", "signed in")
	require.Contains(t, s.resume(profile("auth0|1"), "s", (<-s.seen).Get("session_token")),
		"setAppMetadata phone_number "+auth0Phone)
}

// Ensure that the form works without its script, whatever the way back.
func TestAuth0FormWithoutJavaScript(t *testing.T) {
	t.Parallel()
	for _, way := range []string{"post", "redirect"} {
		t.Run(way, func(t *testing.T) {
			t.Parallel()
			b := openTab(t, "light")
			s := openAuth0(t, way)
			_, err := chromedp.Call(b.ctx, emulation.SetScriptExecutionDisabled,
				emulation.SetScriptExecutionDisabledParams{Value: true})
			require.NoError(t, err)
			b.do(chromedp.Navigate(s.signIn(profile("auth0|1", "phone_number", auth0Phone),
				redirecting{State: "s"})))
			b.wait("p", "We have texted a code")
			code := s.code(auth0Phone, 1)
			b.do(chromedp.Click(chromedp.CSS("#resend")))
			b.wait("p[@role='status']", "The code has been texted again.")
			b.do(chromedp.SendKeys(chromedp.CSS("#code"), code),
				chromedp.Click(chromedp.CSS(`button[value="check"]`)))
			if way == "post" {
				b.wait("h1", "Your phone number is confirmed")
				b.picture("auth0-return-light")
				b.do(chromedp.Click(chromedp.CSS("#return button")))
			}
			b.wait("h1", "signed in")
			require.Equal(t, "s", (<-s.seen).Get("state"))
		})
	}
}

//go:build !race

package main

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/require"

	"smsbridge/internal/wording"
)

func (b tab) signUp(phone string) {
	b.t.Helper()
	require.True(b.t, b.is(`(document.getElementById("number").value = "") === ""`))
	b.do(chromedp.SendKeys(chromedp.CSS("#number"), phone+"\r"))
	b.wait("p[@class='line']", phone)
	b.wait("ol[@id='texts']/li", say(wording.AskRegistration))
}

func TestDemoInBrowser(t *testing.T) {
	t.Parallel()
	b := openTab(t, "light")
	d := startDemo(t, "--addr", "127.0.0.1:0")
	b.do(chromedp.EmulateViewport(1280, 900), chromedp.Navigate(d.page))
	b.wait("strong", "account: none yet")
	b.is("window.same = true") // gone when a form leaves the page

	// Signed up and confirmed, without a mouse.
	b.signUp("+4512345678")
	b.wait("strong", "account: waiting")
	b.wait("code", "demo+4512345678@sms.demo.example")
	b.wait("code", "/lo/verify_email?ticket=")
	b.do(chromedp.SendKeys(chromedp.CSS("#text"), "YES\r"))
	b.wait("li[@class='out']", "YES")
	b.wait("strong", "account: verified")
	b.wait("ol[@id='texts']/li", say(wording.ConfirmedRegistration))
	b.wait("b", "challenge.confirmed")
	require.True(t, b.is(`document.activeElement.id === "text" && `+
		`document.activeElement.value === ""`), "the next text can be typed at once")
	b.do(chromedp.Click(chromedp.CSS(`button[value="password"]`)))
	b.wait("ol[@id='texts']/li", "choose a new password here")
	b.wait("ol[@id='texts']/li/a", "/l/")
	b.wait("dd", "a link that the person opens (reset)")
	b.shoot("light")

	b.signUp("+4512345679")
	b.do(chromedp.Click(chromedp.CSS(`button[value="NO"]`)))
	b.wait("ol[@id='texts']/li", say(wording.Denied))
	b.wait("strong", "account: waiting")
	b.wait("b", "challenge.denied")

	b.signUp("+4512345680")
	b.do(chromedp.SendKeys(chromedp.CSS("#text"), "maybe"),
		chromedp.Click(chromedp.CSS(".case .write button")))
	b.wait("ol[@id='texts']/li", say(wording.Wrong))
	b.wait("strong", "account: waiting")
	b.do(chromedp.SendKeys(chromedp.CSS("#text"), "yes\r"))
	b.wait("strong", "account: verified")

	// What is wrong is said, and taken back when it is right.
	b.do(chromedp.Click(chromedp.CSS(`button[value="sign-up"]`)))
	b.wait("p[@role='alert']", "has an account")
	require.True(t, b.is("window.same === true"), "no form has left the page")

	b.do(chromedp.Click(`//nav/a[text()="+4512345679"]`))
	b.wait("ol[@id='texts']/li", say(wording.Denied))
	require.True(t, b.is(`document.getElementById("notice").textContent === ""`))
}

func TestDemoFitsNarrowScreensInTheDark(t *testing.T) {
	t.Parallel()
	b := openTab(t, "dark")
	d := startDemo(t, "--addr", "127.0.0.1:0")
	b.do(chromedp.EmulateViewport(360, 740), chromedp.Navigate(d.page))
	b.signUp("+4512345678")
	b.do(chromedp.SendKeys(chromedp.CSS("#text"), "YES\r"))
	b.wait("strong", "account: verified")
	require.True(t, b.is("document.documentElement.scrollWidth <= 360"),
		"the page is wider than the screen")
	require.True(t, b.is(`matchMedia("(prefers-color-scheme: dark)").matches`))
	require.True(t, b.is(`getComputedStyle(document.body).backgroundColor === "rgb(16, 21, 18)"`),
		"the dark colors are shown")
	b.shoot("dark")
}

// shoot keeps pictures of the page, narrow and wide, in the folder SMSBRIDGE_SCREENSHOTS.
func (b tab) shoot(scheme string) {
	b.t.Helper()
	folder := os.Getenv("SMSBRIDGE_SCREENSHOTS")
	if folder == "" {
		return
	}
	for _, width := range []int64{360, 1280} {
		b.do(chromedp.EmulateViewport(width, 900))
		height, err := chromedp.Run(b.ctx,
			chromedp.Evaluate[int64]("Math.ceil(document.body.getBoundingClientRect().height)"))
		require.NoError(b.t, err)
		b.do(chromedp.EmulateViewport(width, height))
		require.True(b.t, b.is("Promise.allSettled(document.getAnimations().map(a => a.finished))"+
			".then(() => true)"))
		picture, err := chromedp.Run(b.ctx, chromedp.CaptureScreenshot())
		require.NoError(b.t, err)
		require.NoError(b.t, os.WriteFile(filepath.Join(folder, fmt.Sprintf("%s-%d.png", scheme, width)),
			picture, 0o600))
	}
}

package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/require"

	"smsbridge/internal/wording"
)

// tab is a tab of a real browser.
type tab struct {
	t   *testing.T
	ctx context.Context
}

// openTab starts the Chromium in SMSBRIDGE_TEST_CHROMIUM, which keeps to itself. The scheme is
// what the person prefers: dark or light.
func openTab(t *testing.T, scheme string) tab {
	t.Helper()
	path := os.Getenv("SMSBRIDGE_TEST_CHROMIUM")
	if path == "" {
		if os.Getenv("SMSBRIDGE_TEST_STRICT") == "1" {
			require.FailNow(t, "SMSBRIDGE_TEST_CHROMIUM names no browser")
		}
		t.Skip("SMSBRIDGE_TEST_CHROMIUM names no browser")
	}
	preferred := map[string]string{"dark": "preferredColorScheme=0",
		"light": "preferredColorScheme=1"}[scheme]
	ctx, stop := chromedp.NewExecAllocator(context.Background(),
		append(chromedp.DefaultExecAllocatorOptions[:],
			chromedp.ExecPath(path), chromedp.NoSandbox, chromedp.DisableGPU, chromedp.NoFirstRun,
			chromedp.Flag("disable-background-networking", true),
			chromedp.Flag("disable-component-update", true),
			chromedp.Flag("disable-sync", true),
			chromedp.Flag("disable-quic", true),
			chromedp.Flag("blink-settings", preferred),
		)...)
	t.Cleanup(stop)
	ctx, closeTab := chromedp.NewContext(ctx)
	t.Cleanup(closeTab)
	require.NoError(t, chromedp.Do(ctx)) // starts the browser, which lives as long as this context
	return tab{t, ctx}
}

func (b tab) do(steps ...chromedp.Action[chromedp.Void]) {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(b.ctx, demoPatience)
	defer cancel()
	require.NoError(b.t, chromedp.Do(ctx, steps...))
}

// wait waits until an element of the kind that shows the words is seen.
func (b tab) wait(element, words string) {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(b.ctx, demoPatience)
	defer cancel()
	path := fmt.Sprintf(`//%s[contains(., "%s")]`, element, words)
	require.NoError(b.t, chromedp.Do(ctx, chromedp.WaitVisible(path)), "the page never showed %q",
		words)
}

// is runs an expression of the page.
func (b tab) is(expression string) bool {
	b.t.Helper()
	yes, err := chromedp.Run(b.ctx, chromedp.Evaluate[bool](expression, chromedp.EvalAwaitPromise))
	require.NoError(b.t, err)
	return yes
}

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
	b.shoot("light")

	b.signUp("+4512345679")
	b.do(chromedp.Click(chromedp.CSS(`button[value="NO"]`)))
	b.wait("ol[@id='texts']/li", say(wording.Denied))
	b.wait("strong", "account: waiting")
	b.wait("b", "challenge.denied")

	b.signUp("+4512345680")
	b.do(chromedp.SendKeys(chromedp.CSS("#text"), "maybe"),
		chromedp.Click(chromedp.CSS(".write button")))
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

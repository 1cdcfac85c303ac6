package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"testing"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/require"
)

// tab is a tab of a real browser.
type tab struct {
	t   *testing.T
	ctx context.Context
}

// chromium is the browser of all tests here: to start one costs more than most of them do.
var chromium browser

// browser is a real browser that keeps to itself. It starts when it is needed first.
type browser struct {
	once sync.Once
	ctx  context.Context
	stop []context.CancelFunc
	err  error
}

func (b *browser) open(path string) (context.Context, error) {
	b.once.Do(func() {
		options := append(chromedp.DefaultExecAllocatorOptions[:],
			chromedp.ExecPath(path), chromedp.NoSandbox, chromedp.DisableGPU, chromedp.NoFirstRun,
			chromedp.Flag("disable-background-networking", true),
			chromedp.Flag("disable-component-update", true),
			chromedp.Flag("disable-sync", true),
			chromedp.Flag("disable-quic", true))
		allocated, end := chromedp.NewExecAllocator(context.Background(), options...)
		ctx, closeAll := chromedp.NewContext(allocated)
		b.ctx, b.stop = ctx, []context.CancelFunc{closeAll, end}
		b.err = chromedp.Do(ctx) // starts the browser, which lives as long as this context
	})
	return b.ctx, b.err
}

func (b *browser) close() {
	for _, stop := range b.stop {
		stop()
	}
}

// openTab opens a tab in the Chromium that SMSBRIDGE_TEST_CHROMIUM names. No other tab has its
// cookies. The scheme is what the person prefers: dark or light.
func openTab(t *testing.T, scheme string) tab {
	t.Helper()
	path := os.Getenv("SMSBRIDGE_TEST_CHROMIUM")
	if path == "" {
		if os.Getenv("SMSBRIDGE_TEST_STRICT") == "1" {
			require.FailNow(t, "SMSBRIDGE_TEST_CHROMIUM names no browser")
		}
		t.Skip("SMSBRIDGE_TEST_CHROMIUM names no browser")
	}
	parent, err := chromium.open(path)
	require.NoError(t, err)
	ctx, closeTab := chromedp.NewContext(parent, chromedp.WithNewBrowserContext())
	t.Cleanup(closeTab)
	require.NoError(t, chromedp.Do(ctx))
	_, err = chromedp.Call(ctx, emulation.SetFocusEmulationEnabled, // as if it were the only tab
		emulation.SetFocusEmulationEnabledParams{Enabled: true})
	require.NoError(t, err)
	b := tab{t, ctx}
	b.prefer(scheme)
	return b
}

// prefer changes the scheme that the person prefers.
func (b tab) prefer(scheme string) {
	b.t.Helper()
	preferred := []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: scheme}}
	_, err := chromedp.Call(b.ctx, emulation.SetEmulatedMedia,
		emulation.SetEmulatedMediaParams{Features: preferred})
	require.NoError(b.t, err)
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

// axe finds nothing wrong with the page: no rule of WCAG 2.2 A and AA, and none of axe's best
// practices. Its code is among the modules in the folder node.
func (b tab) axe(node, what string) {
	b.t.Helper()
	require.Greater(b.t, b.axeWith(node, what, ""), 10, what)
}

// axeWith does so with further options of axe's, as members of a JSON object. It returns how many
// rules the page passed.
func (b tab) axeWith(node, what, options string) (passed int) {
	b.t.Helper()
	if b.is(`typeof axe === "undefined"`) {
		library, err := os.ReadFile(filepath.Join(node, "node_modules", "axe-core", "axe.min.js"))
		require.NoError(b.t, err)
		require.True(b.t, b.is(string(library)+"; true"))
	}
	found, err := chromedp.Run(b.ctx, chromedp.Evaluate[string](
		`axe.run({resultTypes: ["violations"], `+options+`}).then(r => JSON.stringify({`+
			`passes: r.passes.length, violations: `+
			`r.violations.map(v => v.id + ": " + v.help + " " + `+
			`v.nodes.map(n => n.html).join(" "))}))`, chromedp.EvalAwaitPromise))
	require.NoError(b.t, err)
	var result struct {
		Passes     int
		Violations []string
	}
	require.NoError(b.t, json.Unmarshal([]byte(found), &result))
	require.Empty(b.t, result.Violations, what)
	return result.Passes
}

// picture keeps the page as it is seen now in the folder SMSBRIDGE_SCREENSHOTS.
func (b tab) picture(name string) {
	b.t.Helper()
	folder := os.Getenv("SMSBRIDGE_SCREENSHOTS")
	if folder == "" {
		return
	}
	shot, err := chromedp.Run(b.ctx, chromedp.CaptureScreenshot())
	require.NoError(b.t, err)
	require.NoError(b.t, os.WriteFile(filepath.Join(folder, name+".png"), shot, 0o600))
}

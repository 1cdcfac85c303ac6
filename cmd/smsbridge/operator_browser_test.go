//go:build !race

package main

import (
	"context"
	"database/sql"
	"fmt"
	"net/http"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/require"

	"smsbridge/internal/nodetest"
	"smsbridge/internal/simulator/twilio"
	"smsbridge/internal/store/storetest"
)

// busy plays a bridge with something on every page for operators, and returns the id of a case.
func (th *theater) busy(t *testing.T, d *desk) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), storyPatience)
	defer cancel()
	const yes, no, waits = "+4520123456", "+4520123457", "+4520123458"
	for i, phone := range []string{yes, no} {
		require.NoError(t, th.idp.SignUp(ctx, address(phone)))
		_, err := th.twilio.Phone(phone).Wait(ctx, 1)
		require.NoError(t, err)
		_, err = th.twilio.Phone(phone).ReplyTo(ctx, "+15005550006", []string{"YES", "STOP"}[i])
		require.NoError(t, err)
	}
	_, err := th.twilio.Phone(yes).Wait(ctx, 2)
	require.NoError(t, err)
	require.NoError(t, th.idp.SignUp(ctx, address("+46701740605"))) // of a country that is not set
	th.twilio.Set(func(m *twilio.Manners) {
		m.FailNext, m.FailStatus, m.FailCode = 1000, http.StatusTooManyRequests, 20429
	})
	require.NoError(t, th.idp.SignUp(ctx, address(waits)))
	th.asks(t, ctx, "+4520123459")
	th.another(t)
	d.get("/operator/limits")
	d.press("/operator/limits/hold", "country", "SE")
	waiting := regexp.MustCompile(`send_text`)
	for !waiting.MatchString(d.get("/operator/jobs")) {
		require.NoError(t, ctx.Err(), "the text never waited")
	}
	for !regexp.MustCompile(`country not allowed`).MatchString(d.get("/operator/cases")) {
		require.NoError(t, ctx.Err(), "the mail was never refused")
	}
	for len(toldOf(d.get("/operator/callbacks?state=gone"))) == 0 {
		require.NoError(t, ctx.Err(), "the app was never told")
	}
	link := regexp.MustCompile(`href="/operator/cases/([0-9a-f-]{36})"`)
	id := link.FindAllStringSubmatch(d.get("/operator/cases"), -1)
	require.Len(t, id, 5)
	return id[4][1]
}

// toldOf are the callbacks on a page.
func toldOf(page string) []string {
	return regexp.MustCompile(`/operator/callbacks/[0-9a-f-]{36}`).FindAllString(page, -1)
}

// asks has the tenant's app ask a phone.
func (th *theater) asks(t *testing.T, ctx context.Context, phone string) {
	t.Helper()
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, th.public+"/v1/questions",
		strings.NewReader(`{"phone": "`+phone+`", "subject": "Deliver today at 17?"}`))
	require.NoError(t, err)
	r.Header.Set("Authorization", "Bearer "+th.env["SMSBRIDGE_API_KEY"])
	r.Header.Set("Content-Type", "application/json")
	res, err := http.DefaultClient.Do(r)
	require.NoError(t, err)
	require.NoError(t, res.Body.Close())
	require.Equal(t, http.StatusCreated, res.StatusCode)
}

// another records two more replicas: one with other settings, and one that died.
func (th *theater) another(t *testing.T) {
	t.Helper()
	db, err := sql.Open("sqlite", strings.TrimPrefix(th.env["SMSBRIDGE_DATABASE"], "sqlite:")+
		"?_pragma=busy_timeout(10000)")
	require.NoError(t, err)
	defer func() { require.NoError(t, db.Close()) }()
	for host, ago := range map[string]time.Duration{"replica-2": 0, "replica-3": time.Hour} {
		_, err = db.ExecContext(t.Context(), "INSERT INTO node (id, host, version, settings, key_id,"+
			" since, seen_at) SELECT $1, $1, version, 'other', 'other', since, seen_at - $2 FROM node"+
			" WHERE host NOT LIKE 'replica-%'", host, ago.Milliseconds())
		require.NoError(t, err)
	}
}

// Ensure that each page for operators can be read and used: wide and narrow, in both themes, with
// the keyboard alone, and without findings of axe.
func TestOperatorPagesInBrowser(t *testing.T) {
	t.Parallel()
	b := openTab(t, "light")
	node := nodetest.Folder(t, "testdata/auth0")
	th, err := openTheater(storetest.SQLite(t))
	require.NoError(t, err)
	t.Cleanup(th.close)
	th.unlimited()
	pages := th.operate(t)
	th.env["SMSBRIDGE_API_KEY"] = "web-0123456789abcdef01234567"
	th.env["SMSBRIDGE_EVENTS"] = "app=" + openReceiver(t, http.StatusGone).URL + " question.*"
	th.env["SMSBRIDGE_EVENTS_SECRET"] = eventsSecret
	start(t, th)
	d := th.desk(t, pages)
	id := th.busy(t, d)
	told := toldOf(d.get("/operator/callbacks"))[0]

	// A page has the same colors at each width, and differs in nothing else by day and by night. To
	// look at colors takes most of axe's time.
	options := map[string]map[bool]string{
		"light": {true: "", false: `rules: {"color-contrast": {enabled: false}}`},
		"dark":  {true: `runOnly: ["color-contrast"]`},
	}
	look := func(name string) {
		for _, scheme := range []string{"dark", "light"} {
			b.prefer(scheme)
			require.True(t, b.is(fmt.Sprintf("matchMedia('(prefers-color-scheme: %s)').matches", scheme)))
			for _, size := range [][2]int64{{1280, 800}, {390, 844}} {
				b.do(chromedp.EmulateViewport(size[0], size[1]))
				require.True(t, b.is(fmt.Sprintf("document.documentElement.scrollWidth <= %d", size[0])),
					"%s is wider than the screen", name)
				require.True(t, size[0] < 1000 || b.is(inOrder), "%s is not aligned", name)
				if option, is := options[scheme][size[0] > 1000]; is {
					require.Positive(t, b.axeWith(node, name, option), name)
				}
				b.picture(fmt.Sprintf("%s-%s-%d", name, scheme, size[0]))
			}
		}
		b.do(chromedp.EmulateViewport(1280, 800))
	}
	b.do(chromedp.EmulateViewport(1280, 800), chromedp.Navigate(pages+"/operator"))
	b.wait("h1", "Log in")
	look("login")
	b.do(chromedp.SendKeys(chromedp.CSS("#name"), "anna\twrong words here\r"))
	b.wait("p[@role='alert']", "The name or the password is wrong.")
	look("login-wrong")
	b.do(chromedp.SendKeys(chromedp.CSS("#name"), "anna\t"+operatorPassword+"\r"))
	b.wait("h1", "Cases")
	look("cases")
	for page, title := range map[string]string{
		"cases/" + id: "Case of", "limits": "Limits and holds",
		"limits?all=1": "Limits and holds", "jobs": "Jobs", "optouts": "Opt-outs", "audit": "Audit",
		"texts?language=ar": "Texts", "texts": "Texts", "about": "About this bridge",
		"funnel": "Funnel", "funnel?by=country": "Funnel", "nodes": "Nodes",
		"callbacks": "Callbacks", strings.TrimPrefix(told, "/operator/"): "Callback question."} {
		b.do(chromedp.Navigate(pages + "/operator/" + page))
		b.wait("h1", title)
		name := regexp.MustCompile(`^[a-z]+`).FindString(page)
		if len(page) != len(name) {
			name += "-one"
		}
		look(name)
	}
	b.try(pages, th, look)
	b.do(chromedp.Navigate(pages + "/operator/river/"))
	b.wait("a[@href='/operator/river/jobs']", "Jobs")
	b.picture("river-light")
	b.prefer("dark")
	b.picture("river-dark")
	b.prefer("light")
	require.Empty(t, b.keptFrom())
	b.do(chromedp.Navigate(pages + "/operator/about"))
	b.do(chromedp.SendKeys(chromedp.CSS("#for"), "+4520123456\r"))
	b.wait("h1", "Cases of +45******56")
	look("person")
	require.True(t, b.is(`!location.href.includes("20123456")`))
	b.do(chromedp.SendKeys(chromedp.CSS("#for"), "nothing\r"))
	b.wait("strong", "Nothing here has that number or id.")
	look("refusal")
	b.do(chromedp.Navigate(pages+"/operator/cases"), chromedp.KeyEvent("\t"))
	require.True(t, b.is(`document.activeElement.className === "skip"`))
}

// inOrder says whether a page on a wide screen is aligned. Its head has two full lines, a column of
// numbers has its name right above, and a name stands on the line of its value.
const inOrder = `(() => {
	const rect = e => { const r = document.createRange(); r.selectNodeContents(e);
		return [...r.getClientRects()].find(r => r.width > 0); };
	const first = e => { const all = document.createTreeWalker(e, NodeFilter.SHOW_TEXT);
		while (all.nextNode()) if (all.currentNode.data.trim()) return rect(all.currentNode); };
	const level = (a, b) => !a || !b || Math.abs(a.top + a.bottom - b.top - b.bottom) < 10;
	const box = s => document.querySelector(s)?.getBoundingClientRect();
	const named = t => [...t.tHead.rows[0].cells].every((name, i) => {
		const cell = t.tBodies[0].rows[0]?.cells[i];
		return !cell || getComputedStyle(cell).textAlign === getComputedStyle(name).textAlign; });
	return level(box(".brand"), box(".who")) && level(box("nav"), box(".search")) &&
		[...document.querySelectorAll("table")].every(named) &&
		[...document.querySelectorAll("dt")].every(e => level(first(e), first(e.nextElementSibling)));
})()`

// keptFrom is what the content security policy of a page kept from it, but for the try whether code
// may be made of strings. River's pages go on without.
func (b tab) keptFrom() string {
	b.t.Helper()
	kept, err := chromedp.Run(b.ctx, chromedp.Evaluate[string](`new Promise(done => {
		const kept = [];
		new ReportingObserver(all => { for (const {body} of all)
			if (body.blockedURL !== "eval") kept.push(JSON.stringify(body)); },
			{buffered: true, types: ["csp-violation"]}).observe();
		setTimeout(() => done(kept.join("\n")), 200);
	})`, chromedp.EvalAwaitPromise))
	require.NoError(b.t, err)
	return kept
}

// try fills the pages on which a mail and a text are tried.
func (b tab) try(pages string, th *theater, look func(name string)) {
	b.do(chromedp.Navigate(pages + "/operator/try/text"))
	b.wait("h1", "Try a text")
	look("try-text")
	b.do(chromedp.SendKeys(chromedp.CSS("#try-phone"), "+4520123456\r"))
	b.wait("h2", "To +45******56")
	look("try-text-shown")
	b.do(chromedp.Navigate(pages + "/operator/try/rehearse"))
	b.wait("h1", "Rehearse a sign-up")
	look("rehearse")
	b.do(chromedp.SendKeys(chromedp.CSS("#rehearse-phone"), "+4520123460\r"))
	b.wait("span", "its sender is proved: rehearsal@rehearsal.invalid")
	look("rehearsed")
	b.do(chromedp.Navigate(pages + "/operator/try/mail"))
	b.wait("h1", "Try a mail")
	look("try-mail")
	mail := "From: ACME <no-reply@acme.example>\nTo: " + address("+4520123459") +
		"\nSubject: Verify your email\nMessage-ID: <b@acme.example>\nDate: " +
		time.Now().Format(time.RFC1123Z) + "\n\nVerify: " + th.idp.URL() +
		"/lo/verify_email?ticket=0123456789abcdef0123456789abcdef\n"
	b.do(chromedp.SetValue(chromedp.CSS("#mail"), mail), chromedp.Click(chromedp.CSS("main button")))
	b.wait("h2", "What each rule says")
	look("try-mail-shown")
}

// Ensure that the list of cases follows what happens, without a reload, and that it is there
// without JavaScript, too.
func TestOperatorListIsLive(t *testing.T) {
	t.Parallel()
	b := openTab(t, "light")
	th, err := openTheater(storetest.SQLite(t))
	require.NoError(t, err)
	t.Cleanup(th.close)
	pages := th.operate(t)
	start(t, th)
	b.do(chromedp.Navigate(pages + "/operator"))
	b.do(chromedp.SendKeys(chromedp.CSS("#name"), "anna\t"+operatorPassword+"\r"))
	b.wait("td", "No case is like that.")
	b.wait("span[@id='live']", "live")
	b.is("window.same = true")
	ctx, cancel := context.WithTimeout(t.Context(), storyPatience)
	defer cancel()
	require.NoError(t, th.idp.SignUp(ctx, address("+4520123456")))
	b.wait("td", "the person is asked")
	require.True(t, b.is("window.same === true"), "the page was not loaded again")
	require.Contains(t, th.desk(t, pages).page, "the person is asked")
}

package linkclick

import (
	"maps"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// The tests of this file change what must not matter around words that the other tests know: how a
// page is written, what frames it, and what stands beside an answer.

// outcomeOf is what a page of unknown shape says.
func outcomeOf(body string) Outcome {
	link := &url.URL{Scheme: "https", Host: "login.acme.example", Path: "/x"}
	k := &click{Clicker: &Clicker{}, link: link}
	a := response{request: request{to: link}, status: 200}
	outcome, _ := k.judgePage(a, readPage("<body>"+body))
	return outcome
}

// A fact that is denied stays so, however the page shows the answer beside its name.
func TestDeniedFacts(t *testing.T) {
	for _, fact := range []string{"Email verified", "Account confirmed", "Your email is verified"} {
		for _, answer := range []string{
			"No", "No ❌", "❌ No", "⚠️ no", "No (send again)", "no | ACME", "Not yet!", "No Resend",
			"No <a>Request another mail</a>", "Not verified", "Unverified", "Pending verification",
			"0",
		} {
			for _, body := range []string{
				fact + ": " + answer + ", phone verified: yes",
				"<span>" + fact + " ❌</span><span>Phone verified ✅</span>",
				fact + ": " + answer, fact + " – " + answer, fact + " (" + answer + ")",
				"<dl><dt>" + fact + "</dt><dd>" + answer + "</dd></dl>",
				"<table><tr><th>" + fact + ":</th><td>" + answer + "</td></tr></table>",
				// A style sheet parts them.
				"<div><span>" + fact + "</span><span>" + answer + "</span></div>",
			} {
				require.Equal(t, OutcomeUnknown, outcomeOf(body), body)
			}
		}
		for _, body := range []string{
			fact, fact + ": Yes", fact + "<p>No further steps are needed", fact + "<p>Nothing to do",
			fact + "<p>no-reply@acme.example", fact + "<p>No, you need not do anything",
			"<div><span>" + fact + "</span><span>Yes</span></div>",
		} {
			require.Equal(t, OutcomeConfirmed, outcomeOf(body), body)
		}
	}
	for _, tag := range []string{"del", "s", "strike"} {
		body := "<" + tag + ">Your email is verified.</" + tag + "> Please wait."
		require.Equal(t, OutcomeUnknown, outcomeOf(body), body)
	}
}

// allSayings are the sentences of all languages.
func allSayings() []string {
	var all []string
	for _, said := range append(slices.Collect(maps.Values(sayings)),
		slices.Collect(maps.Values(sayingsOfTheWest))...) {
		all = slices.Concat(all, said.confirmed, said.already, said.failed, said.nothing)
	}
	return all
}

// A sentence means the same with a break in it. Its condition may stand before the break or after.
func TestBrokenLines(t *testing.T) {
	inside := regexp.MustCompile(`([^.!?:;]) (\p{Ll})`)
	broken := 0
	for _, text := range allSayings() {
		want := outcomeOf("<p>" + text + "</p>")
		body := "<p>" + inside.ReplaceAllString(text, "$1<br>$2") + "</p>"
		require.Equal(t, want, outcomeOf(body), body)
		if want != OutcomeUnknown && inside.MatchString(text) {
			broken++
		}
	}
	require.Greater(t, broken, 50)
	anywhere := regexp.MustCompile(`([^.!?:;]) `)
	for _, text := range sayingsOfTheWest["German"].nothing {
		if !hasWord(strings.ToLower(text), germanConditions) {
			continue
		}
		body := anywhere.ReplaceAllString(text, "$1<br>")
		require.False(t, succeeds(outcomeOf(body)), body)
	}
	for body, want := range map[string]Outcome{
		"We will tell you when<br>your email has been verified.":           OutcomeUnknown,
		"Please check that <br/>\n\tyour email is verified.":               OutcomeUnknown,
		"Your email has been verified<br>only after you press the button.": OutcomeUnknown,
		"Your email address<br>&nbsp;has been verified.":                   OutcomeConfirmed,
		"Eventuell haben Sie Ihre<br>E-Mail-Adresse bereits verifiziert.":  OutcomeUnknown,
		"Sobald<br>Ihre Adresse erfolgreich bestätigt ist, geht es los.":   OutcomeUnknown,
		"Wenn nicht, dann so.<br>Ihre Adresse wurde bestätigt.":            OutcomeConfirmed,
		"Hallo Kim<br>Ihre Adresse wurde bestätigt.":                       OutcomeConfirmed,
		"Email verified<br>no": OutcomeUnknown,
		// A line that begins with a capital letter, or after the end of a sentence, is its own.
		"Not yet a member, Kim<br>Your email has been verified.":   OutcomeConfirmed,
		"not now.<br>your email has been verified.":                OutcomeConfirmed,
		"You need not do more:<br>your email has been verified.":   OutcomeConfirmed,
		"We do not mail again<br><br>your email has been verified": OutcomeConfirmed,
	} {
		require.Equal(t, want, outcomeOf(body), body)
	}
}

// A question tells nothing, whatever stands around it.
func TestQuestionsTellNothing(t *testing.T) {
	asked := 0
	for _, text := range allSayings() {
		statement, asks := strings.CutSuffix(text, "?")
		if !asks {
			statement = strings.TrimRight(text, ".!;\u037e")
		}
		if strings.ContainsAny(statement, ".!?:;。！？؟") {
			continue
		}
		asked++
		for _, body := range []string{
			statement + "?", "(" + statement + "?)", "“" + statement + "?”", "«" + statement + "?»",
			`"` + statement + `?"`, statement + "?!", statement + "??",
			statement + "?<a>Log in</a>", statement + "? <a>Log in</a>",
		} {
			require.Equal(t, OutcomeUnknown, outcomeOf(body), body)
		}
	}
	require.Greater(t, asked, 200)
	for body, want := range map[string]Outcome{
		"Already verified?Log in":                                  OutcomeUnknown,
		"Already verified?Log in. Your email is verified.":         OutcomeConfirmed,
		"Your email has been verified (was it you?).":              OutcomeConfirmed,
		"Your email has been verified at acme.example/home?a=b":    OutcomeConfirmed,
		"Your email has been verified: https://acme.example/?home": OutcomeConfirmed,
	} {
		require.Equal(t, want, outcomeOf(body), body)
	}
}

// What a list of conditions holds is no success, in any of its lines.
func TestListsOfConditions(t *testing.T) {
	for _, body := range []string{
		"<p>You can sign in once:</p><ul><li>your email is verified</li><li>you paid</li></ul>",
		"<p>You can sign in once:</p><ul><li>You paid.</li><li>Your email is verified.</li></ul>",
		"<p>Make sure that:<ol><li>You are at home<li>Your account is confirmed</ol>",
		"<p>Sie können weiter, sobald:<ul><li>Ihre E-Mail-Adresse wurde bestätigt</ul>",
		"<p>Du kan logge ind, når:<ul><li>din e-mail er bekræftet</ul>",
		"<p>Vous pouvez continuer si :<ul><li>votre adresse a été vérifiée</ul>",
	} {
		require.Equal(t, OutcomeUnknown, outcomeOf(body), body)
	}
	for _, body := range []string{
		"<p>How it went:<ul><li>Your email has been verified</ul>",
		"<p>Bienvenido otra vez<p>Tu correo ha sido verificado",
		"<p>Once more: thank you.<p>Your email has been verified",
		"<p>If you need help, call us.<p>Your email has been verified",
	} {
		require.Equal(t, OutcomeConfirmed, outcomeOf(body), body)
	}
}

// What frames the words of a page changes nothing of what they say.
func TestFramesSayNothing(t *testing.T) {
	const links = `<a href="/l">Log in</a><a href="/s">Sign up</a><a href="/r">Reset password</a>`
	frames := []string{
		"<header>ACME</header>", "<p>© 2026 Expired Domains. Not liable. All rights reserved</p>",
		"<div>We use cookies. If you go on, you agree. <button>Accept</button>" +
			"<button>Reject</button></div>",
		"<footer>If you have problems, contact support</footer>",
		"<ul><li>English<li>Deutsch<li>Norsk<li>Français<li>日本語<li>Русский<li>العربية</ul>",
		`<form><label>Confirm your e-mail to subscribe</label><input name="email"></form>`,
		"<div hidden>Your session has expired</div>", "<dialog>Invalid link</dialog>",
		"<template><p>Link expired</p></template>",
		"<div popover>Your session has expired</div>",
		"<details><summary>Help</summary>Link expired <p>Invalid link</p></details>",
		`<div class="modal fade" tabindex="-1">Your session has expired</div>`,
		`<div class="modal" tabindex="-1" role="dialog">Your session has expired</div>`,
		"<title>Verified</title>",
		"<svg><title>Error</title><text>Email verified</text></svg>",
		`<script>var ok = "<p>Email verified</p>", no = "Link expired"</script>`,
		"<noscript>You need to enable JavaScript to run this app.</noscript>",
		"<h1>Verified</h1>", "<h1>Error Tracker</h1>", "<p>Hello Success,</p>",
		"<p>Signed in as error@acme.example</p>", "<p>Signed in as confirmed@acme.example</p>",
		"<!-- Link expired -->", `<img alt="Email verified"><input placeholder="Link expired">`,
	}
	for _, name := range strings.Fields("nav main aside address section article header footer " +
		"figure figcaption details summary hgroup menu search center blockquote pre") {
		frames = append(frames, "<"+name+">"+links+"</"+name+">")
	}
	for i, text := range allSayings() {
		want := outcomeOf(text)
		for _, frame := range []string{frames[i%len(frames)], frames[(i*7+3)%len(frames)]} {
			require.Equal(t, want, outcomeOf(frame+text), frame+text)
			require.Equal(t, want, outcomeOf(text+frame), text+frame)
		}
	}
	for _, frame := range frames {
		for text, want := range map[string]Outcome{
			"Email verified": OutcomeConfirmed, "Your account was confirmed": OutcomeConfirmed,
			"Already verified": OutcomeAlready, "Invalid link": OutcomeRefused, "Welcome": OutcomeUnknown,
		} {
			require.Equal(t, want, outcomeOf(frame+text+frame), frame+text+frame)
		}
	}
}

// What a reader opened, or a host opened for the reader, is read.
func TestOpenedWordsAreRead(t *testing.T) {
	for _, body := range []string{
		"<details open><summary>Why</summary>Link expired</details>",
		"<details><summary>Link expired</summary></details>",
		`<div class="modal fade show" tabindex="-1">Link expired</div>`,
		`<div class="modal fade in" tabindex="-1">Link expired</div>`,
		`<div class="modal" tabindex="-1" style="display: block">Link expired</div>`,
		`<div class="modal">Link expired</div>`, `<div class="fade" tabindex="-1">Link expired</div>`,
	} {
		require.Equal(t, OutcomeExpired, outcomeOf(body), body)
	}
}

// A byte order mark before a body is no part of it.
func TestByteOrderMark(t *testing.T) {
	for body, kind := range map[string]string{
		`{"email_verified":true}`:                   "application/json",
		`{"message":"Your email is verified"}`:      "application/problem+json; charset=utf-8",
		"<p>Your email is verified</p>":             "text/html",
		"Your email is verified":                    "text/plain; charset=utf-8",
		"<!doctype html><p>Your email is verified.": "text/html; charset=utf-8",
	} {
		for _, mark := range []string{"", "\ufeff"} {
			p, c := serve(t, func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("Content-Type", kind)
				_, _ = w.Write([]byte(mark + body))
			})
			require.Equal(t, OutcomeConfirmed, open(t, c, p.URL+"/x?t=1").Outcome, body)
		}
	}
}

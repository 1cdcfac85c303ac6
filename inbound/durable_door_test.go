package inbound

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	durable "smsbridge/internal/azuredurable"
	"smsbridge/internal/store/storetest"
)

const (
	systemKey = "key-of-the-durable-door-0123456789"
	newKey    = "key-of-the-durable-door-9876543210"
	asKey     = "code=" + systemKey
	event     = "/raiseEvent/SmsChallengeResponse"
)

// durableClient is an app that uses the HTTP API by hand.
type durableClient struct {
	*bridge
	t testing.TB
}

func eachDurable(t *testing.T, test func(t *testing.T, d durableClient), changes ...string) {
	changes = append([]string{"SMSBRIDGE_DURABLE_CODE=" + newKey + "," + systemKey}, changes...)
	each(t, func(t *testing.T, b *bridge) { test(t, durableClient{b, t}) }, changes...)
}

// onlyDurable opens a door on SQLite, for what does not depend on the database.
func onlyDurable(t *testing.T, test func(t *testing.T, d durableClient)) {
	test(t, durableClient{openBridge(t, storetest.SQLite(t), "SMSBRIDGE_DURABLE_CODE="+newKey+","+systemKey), t})
}

// ask makes a request with a JSON body; path may be one of the bridge's own public URLs.
func (d durableClient) ask(method, path, body string, headers ...string) response {
	d.t.Helper()
	path = strings.TrimPrefix(path, publicURL)
	if !strings.Contains(path, "code=") {
		mark := "?"
		if strings.Contains(path, "?") {
			mark = "&"
		}
		path += mark + asKey
	}
	return d.raw(method, path, body, append([]string{"Content-Type: application/json"}, headers...)...)
}

func (d durableClient) raw(method, path, body string, headers ...string) response {
	d.t.Helper()
	r, err := http.NewRequest(method, d.URL+path, strings.NewReader(body))
	require.NoError(d.t, err)
	for _, header := range headers {
		name, value, _ := strings.Cut(header, ": ")
		r.Header.Set(name, value)
	}
	return d.send(d.t, r)
}

// start starts an instance as the sample's page says.
func (d durableClient) start() (links durableLinks) {
	d.t.Helper()
	r := d.ask("POST", "/orchestrators/"+durable.Function, `"`+phone+`"`)
	require.Equal(d.t, 202, r.status, r.body)
	require.NoError(d.t, json.Unmarshal([]byte(r.body), &links))
	return links
}

// startAs starts an instance with an id.
func (d durableClient) startAs(id string) response {
	d.t.Helper()
	return d.ask("POST", durableBase+"/orchestrators/"+durable.Function+"/"+id, `"`+phone+`"`)
}

func instance(id string) string { return durableBase + "/instances/" + id }

func (d durableClient) raise(id, payload string) response {
	d.t.Helper()
	return d.ask("POST", instance(id)+event, payload)
}

// stands shows how an instance stands.
func (d durableClient) stands(id string, httpStatus int, status durable.Status, output string) durableStatus {
	d.t.Helper()
	r := d.ask("GET", instance(id), "")
	require.Equal(d.t, httpStatus, r.status, r.body)
	var s durableStatus
	require.NoError(d.t, json.Unmarshal([]byte(r.body), &s))
	require.Equal(d.t, status, s.RuntimeStatus)
	require.Equal(d.t, output, string(s.Output))
	return s
}

// pass lets time pass.
func (d durableClient) pass(t time.Duration) { d.bridge.now = d.bridge.now.Add(t) }

// empty shows an answer without a body.
func (d durableClient) empty(r response, status int) {
	d.t.Helper()
	require.Equal(d.t, status, r.status, r.body)
	require.Empty(d.t, r.body)
}

// refused shows an error as ASP.NET writes it.
func (d durableClient) refused(r response, status int, message string) {
	d.t.Helper()
	require.Equal(d.t, status, r.status, r.body)
	var e map[string]string
	require.NoError(d.t, json.Unmarshal([]byte(r.body), &e), r.body)
	require.Equal(d.t, message, e["Message"])
	require.NotContains(d.t, e, "StackTrace")
}

const (
	saysArgument    = "One or more of the arguments submitted is incorrect"
	saysInvalidJSON = "Invalid JSON content"
)

// The sample's page, from the start to the output, with the URLs that the answers give.
func TestDurableStory(t *testing.T) {
	eachDurable(t, func(t *testing.T, d durableClient) {
		r := d.ask("POST", "/orchestrators/E4_SmsPhoneVerification", `"`+phone+`"`)
		require.Equal(t, 202, r.status)
		require.Equal(t, "application/json; charset=utf-8", r.header.Get("Content-Type"))
		require.Equal(t, "10", r.header.Get("Retry-After"))
		var links durableLinks
		require.NoError(t, json.Unmarshal([]byte(r.body), &links))
		require.Regexp(t, "^[0-9a-f]{32}$", links.ID)
		require.Equal(t, links.StatusQueryGetURI, r.header.Get("Location"))
		require.Contains(t, r.body, links.StatusQueryGetURI, "nothing in it is escaped")
		query := "taskHub=DurableFunctionsHub&connection=Storage&code=" + systemKey
		one := publicURL + "/runtime/webhooks/durabletask/instances/" + links.ID
		require.Equal(t, durableLinks{
			links.ID, one + "?" + query, one + "/raiseEvent/{eventName}?" + query, one + "/terminate?reason={text}&" + query, one + "?" + query,
			one + "/restart?" + query, one + "/suspend?reason={text}&" + query, one + "/resume?reason={text}&" + query, one + "/rewind?reason={text}&" + query,
		}, links)

		code, body := d.texted(t)
		require.Equal(t, "Your verification code is "+code, body)
		require.Len(t, code, 4)
		d.pass(time.Second)
		running := d.ask("GET", links.StatusQueryGetURI, "")
		require.Equal(t, 202, running.status)
		require.Equal(t, links.StatusQueryGetURI, running.header.Get("Location"))
		require.Equal(t, "5", running.header.Get("Retry-After"))
		require.Equal(t, `{"name":"E4_SmsPhoneVerification","instanceId":"`+links.ID+`","runtimeStatus":"Running","input":"`+phone+`","customStatus":null,`+
			`"output":null,"createdTime":"2023-11-14T22:13:20Z","lastUpdatedTime":"2023-11-14T22:13:20Z"}`, running.body)

		raise := strings.Replace(links.SendEventPostURI, "{eventName}", durable.Event, 1)
		d.empty(d.ask("POST", raise, otherCode(code)), 202)
		d.stands(links.ID, 202, durable.Running, "null")
		d.pass(time.Second)
		d.empty(d.ask("POST", raise, integer(t, code)+" "), 202)
		done := d.ask("GET", links.StatusQueryGetURI, "")
		require.Equal(t, 200, done.status)
		require.Empty(t, done.header.Get("Location")+done.header.Get("Retry-After"))
		require.Contains(t, done.body, `"runtimeStatus":"Completed","input":"`+phone+`","customStatus":null,"output":true,"createdTime":"2023-11-14T22:13:20Z","lastUpdatedTime":"2023-11-14T22:13:22Z"`)
		d.empty(d.ask("POST", raise, code), 410)
		require.Equal(t, "approved", d.one(t, "SELECT state FROM verification"))
		log := d.log.take()
		for _, secret := range []string{systemKey, phone, code + `"`, links.ID} {
			require.NotContains(t, log, secret)
		}
	})
}

// Four attempts, and ninety seconds from the start; each end is an output of false.
func TestDurableEnds(t *testing.T) {
	eachDurable(t, func(t *testing.T, d durableClient) {
		links := d.start()
		code, _ := d.texted(t)
		for range 4 {
			d.stands(links.ID, 202, durable.Running, "null")
			d.empty(d.raise(links.ID, otherCode(code)), 202)
		}
		d.stands(links.ID, 200, durable.Completed, "false")
		d.empty(d.raise(links.ID, code), 410)

		links = d.start()
		d.pass(90*time.Second - time.Millisecond)
		d.stands(links.ID, 202, durable.Running, "null")
		d.pass(time.Millisecond)
		require.Equal(t, "2023-11-14T22:14:50Z", d.stands(links.ID, 200, durable.Completed, "false").LastUpdatedTime)
		d.empty(d.raise(links.ID, "1234"), 410)

		// By text, as well: the verification is the same.
		links = d.start()
		code, _ = d.texted(t)
		silent(t, d.reply(t, replyForm(1, code)))
		d.stands(links.ID, 200, durable.Completed, "true")
		links = d.start()
		silent(t, d.reply(t, replyForm(2, "STOP")))
		d.stands(links.ID, 200, durable.Canceled, "null")
	})
}

// Who may ask: the key stands in the query, in any spelling, in a header, or before the host; it says which tenant is meant.
func TestDurableKey(t *testing.T) {
	onlyDurable(t, func(t *testing.T, d durableClient) {
		before := app{bridge: d.bridge, t: t}.recorded()
		start, body := "/orchestrators/"+durable.Function, `"`+phone+`"`
		for _, path := range []string{start, start + "?code=", start + "?code=" + systemKey[1:], start + "?key=" + systemKey, durableBase + start, "/api" + start, instance("x"), durableBase + "/nowhere"} {
			d.empty(d.raw("POST", path, body), 401)
		}
		require.Equal(t, before, app{bridge: d.bridge, t: t}.recorded())
		for n, ok := range [][]string{{start + "?code=" + newKey}, {start + "?CODE=" + systemKey}, {durableBase + start, "x-functions-key: " + systemKey}, {"/api" + start, "Authorization: Basic OmtleS1vZi10aGUtZHVyYWJsZS1kb29yLTAxMjM0NTY3ODk="}} {
			r := d.raw("POST", ok[0], body, ok[1:]...)
			require.Equal(t, 202, r.status, ok)
			require.Equal(t, n+1, app{bridge: d.bridge, t: t}.recorded()[0])
			require.Contains(t, r.header.Get("Location"), "&code=key-of-the-durable-door-")
		}
		require.Equal(t, 202, d.raw("POST", "/admin/extensions/DurableTaskExtension"+start+"?"+asKey, body).status)
		require.NotContains(t, d.log.take(), "key-of")
	})
}

// A wrong path or method is a 404 without a body.
func TestDurableRouting(t *testing.T) {
	eachDurable(t, func(t *testing.T, d durableClient) {
		require.Equal(t, 202, d.startAs("abc").status)
		before := app{bridge: d.bridge, t: t}.recorded()
		for _, request := range []string{
			"GET /orchestrators/" + durable.Function, "POST /orchestrators/", "POST /orchestrators/a/b/c", "GET " + durableBase, "POST " + durableBase + "/",
			"GET " + durableBase + "/orchestrators/" + durable.Function, "POST " + durableBase + "/instances", "PUT " + instance("abc"), "POST " + instance("abc"),
			"HEAD " + instance("abc"), "GET " + instance("abc") + "/terminate", "POST " + instance("abc") + "/explode", "GET " + instance("abc") + event,
			"POST " + instance("abc") + "/raiseEvent", "POST " + instance("abc") + event + "/more", "DELETE " + instance("abc") + "/raiseEvent",
			"POST " + durableBase + "/entities/a/b", "GET " + durableBase + "/makeprimary", "GET " + instance("none"), "GET " + instance("a%2fbc"), "GET " + instance("%ff"), "GET " + instance("%00"),
			"POST " + instance("none") + "/terminate", "POST " + instance("none") + "/suspend", "POST " + instance("none") + "/resume", "POST " + instance("none") + "/rewind",
			"POST " + instance("none") + event, "DELETE " + instance("none"),
		} {
			method, path, _ := strings.Cut(request, " ")
			r := d.ask(method, path, "1234")
			require.Equal(t, 404, r.status, request)
			require.Empty(t, r.body, request)
		}
		require.Equal(t, before, app{bridge: d.bridge, t: t}.recorded())
		require.Equal(t, 202, d.ask("GET", durableBase+"/INSTANCES/abc/", "").status, "words of the API in any capitals")
		require.Equal(t, 404, d.ask("GET", instance("ABC"), "").status, "but ids as they are")
	})
}

// Malformed, oversized and unknown input gets the documented error, and records and texts nothing.
func TestDurableMalformed(t *testing.T) {
	eachDurable(t, func(t *testing.T, d durableClient) {
		start := "/orchestrators/" + durable.Function
		before := app{bridge: d.bridge, t: t}.recorded()
		for _, body := range []string{"{", `"`, phone, `"` + phone + `" x`, `"` + strings.Repeat("4", 9000) + `"`, "\xff"} {
			d.refused(d.ask("POST", start, body), 400, saysInvalidJSON)
		}
		for _, body := range []string{"1", "4520123456", "true", "{}", `["` + phone + `"]`, `{"phone":"` + phone + `"}`, `"4520123456"`, `"+45 20123456"`, `"+12065550100"`, `"+999"`, `"\"+1\""`, `"\"+45"`, `" "`} {
			d.refused(d.ask("POST", start, body), 400, saysArgument)
		}
		for _, path := range []string{
			"/orchestrators/Other", durableBase + "/orchestrators/E4_SendSmsChallenge", start + "?timeout=1&pollingInterval=2", start + "?timeout=x&pollingInterval=1", start + "?timeout=NaN&pollingInterval=1",
			start + "?timeout=-1&pollingInterval=-2", durableBase + start + "/@a", durableBase + start + "/a%2fb", durableBase + start + "/a%5cb", durableBase + start + "/a%3fb",
			durableBase + start + "/a%23b", durableBase + start + "/a%0ab", durableBase + start + "/%ff", durableBase + start + "/" + strings.Repeat("a", 101),
		} {
			r := d.ask("POST", path, `"`+phone+`"`)
			d.refused(r, 400, saysArgument)
			require.Contains(t, r.body, "ExceptionMessage", "the Python client reads it")
		}
		require.Equal(t, before, app{bridge: d.bridge, t: t}.recorded())

		require.Equal(t, 202, d.startAs("abc").status)
		before = app{bridge: d.bridge, t: t}.recorded()
		d.refused(d.ask("POST", instance("abc")+event, "1234", "Content-Type: text/plain"), 400, "Only application/json request content is supported")
		d.refused(d.ask("POST", instance("abc")+event, "1234", "Content-Type: "), 400, "Only application/json request content is supported")
		for _, body := range []string{"", "{", "12 34", `"` + strings.Repeat("1", 9000) + `"`} {
			d.refused(d.raise("abc", body), 400, saysInvalidJSON)
		}
		for _, body := range []string{"null", "{}", "true", `"abc"`, `""`, "-1", "1.5", "1e3", "12345678901", `"12 34"`, `[1234]`} {
			d.refused(d.raise("abc", body), 400, saysArgument)
		}
		d.empty(d.ask("POST", instance("abc")+"/raiseEvent/Other", `{"any":"thing"}`), 202) // nobody waits for it
		require.Equal(t, before, app{bridge: d.bridge, t: t}.recorded())

		// Whether the instance is there, and still runs, comes first.
		d.empty(d.ask("POST", instance("none")+event, "{", "Content-Type: text/plain"), 404)
		d.pass(2 * time.Minute)
		d.empty(d.ask("POST", instance("abc")+event, "{", "Content-Type: text/plain"), 410)
	})
}

// Without a phone, or when it cannot be texted, the instance fails; failure is a 500 for those who want that.
func TestDurableFailed(t *testing.T) {
	eachDurable(t, func(t *testing.T, d durableClient) {
		for n, body := range []string{"", "null", `""`, `"null"`, `"\"\""`} {
			r := d.ask("POST", durableBase+"/orchestrators/"+durable.Function+"/empty"+fmt.Sprint(n), body)
			require.Equal(t, 202, r.status, r.body)
			s := d.stands("empty"+fmt.Sprint(n), 200, durable.Failed, `"Orchestrator function 'E4_SmsPhoneVerification' failed: A phone number input is required."`)
			if body != "" {
				require.Equal(t, body, string(s.Input))
			}
		}
		require.Equal(t, 500, d.ask("GET", instance("empty0")+"?returnInternalServerErrorOnFailure=True", "").status)
		waited := d.ask("POST", "/orchestrators/"+durable.Function+"?timeout=5&pollingInterval=1", "")
		require.Equal(t, 500, waited.status)
		require.Contains(t, waited.body, `"runtimeStatus":"Failed"`)
		d.empty(d.raise("empty0", "1234"), 410)
		d.empty(d.ask("POST", instance("empty0")+"/rewind?reason=again", ""), 202)
		d.stands("empty0", 200, durable.Failed, `"Orchestrator function 'E4_SmsPhoneVerification' failed: A phone number input is required."`)
		require.Equal(t, 0, app{bridge: d.bridge, t: t}.recorded()[0])

		// STOP, and rewound after START.
		silent(t, d.reply(t, replyForm(1, "STOP")))
		require.Equal(t, 202, d.startAs("stopped").status)
		d.stands("stopped", 200, durable.Failed, `"The activity function 'E4_SendSmsChallenge' failed: the phone cannot be texted now."`)
		require.Equal(t, 0, app{bridge: d.bridge, t: t}.recorded()[1])
		silent(t, d.reply(t, replyForm(2, "START")))
		d.empty(d.ask("POST", instance("stopped")+"/rewind?reason=again", ""), 202)
		d.stands("stopped", 202, durable.Running, "null")
		require.Equal(t, 412, d.ask("POST", instance("stopped")+"/rewind?reason=again", "").status)
		code, _ := d.texted(t)
		d.empty(d.raise("stopped", `"`+code+`"`), 202)
		d.stands("stopped", 200, durable.Completed, "true")
		d.empty(d.ask("POST", instance("stopped")+"/rewind?reason=again", ""), 410)
	})
}

func TestDurableTerminate(t *testing.T) {
	eachDurable(t, func(t *testing.T, d durableClient) {
		links := d.start()
		code, _ := d.texted(t)
		reason := "børge & \x00" + strings.Repeat("x", 600)
		d.empty(d.ask("POST", strings.Replace(links.TerminatePostURI, "{text}", url.QueryEscape(reason), 1), ""), 202)
		d.stands(links.ID, 200, durable.Terminated, `"børge \u0026 `+strings.Repeat("x", 492)+`"`)
		require.Equal(t, "canceled", d.one(t, "SELECT state FROM verification"))
		for _, step := range []string{"terminate", "suspend", "resume", "rewind"} {
			d.empty(d.ask("POST", instance(links.ID)+"/"+step+"?reason=late", ""), 410)
		}
		d.empty(d.raise(links.ID, code), 410)
	})
}

// A suspended instance keeps the answer to itself. Its deadline runs.
func TestDurableSuspend(t *testing.T) {
	eachDurable(t, func(t *testing.T, d durableClient) {
		steer := func(id, step string) response { return d.ask("POST", instance(id)+"/"+step+"?reason=why", "") }
		d.startAs("right")
		code, _ := d.texted(t)
		for range 2 { // again changes nothing
			d.empty(steer("right", "suspend"), 202)
			r := d.ask("GET", instance("right"), "")
			require.Equal(t, "5", r.header.Get("Retry-After"))
			d.stands("right", 202, durable.Suspended, "null")
		}
		d.empty(d.raise("right", otherCode(code)), 202)
		d.empty(d.raise("right", code), 202)
		d.stands("right", 202, durable.Suspended, "null")
		d.empty(d.raise("right", code), 202) // it has not finished
		d.empty(steer("right", "resume"), 202)
		d.stands("right", 200, durable.Completed, "true")
		d.empty(steer("right", "resume"), 410)

		d.startAs("late")
		d.empty(steer("late", "suspend"), 202)
		d.pass(91 * time.Second)
		d.stands("late", 202, durable.Suspended, "null")
		d.empty(steer("late", "resume"), 202)
		d.stands("late", 200, durable.Completed, "false")

		d.startAs("resumed")
		d.empty(steer("resumed", "suspend"), 202)
		for range 2 {
			d.empty(steer("resumed", "resume"), 202)
			d.stands("resumed", 202, durable.Running, "null")
		}
		d.startAs("over")
		d.empty(steer("over", "suspend"), 202)
		d.pass(91 * time.Second)
		require.Equal(t, 412, d.ask("DELETE", instance("over"), "").status)
		d.empty(steer("over", "terminate"), 202)
		d.stands("over", 200, durable.Terminated, `"why"`)
	})
}

func TestDurableRestart(t *testing.T) {
	onlyDurable(t, func(t *testing.T, d durableClient) {
		d.refused(d.ask("POST", instance("none")+"/restart", ""), 400, "InstanceId does not match a valid orchestration instance.")
		links := d.start()
		r := d.ask("POST", links.RestartPostURI, "")
		require.Equal(t, 202, r.status)
		var again durableLinks
		require.NoError(t, json.Unmarshal([]byte(r.body), &again))
		require.NotEqual(t, links.ID, again.ID)
		require.Equal(t, `"`+phone+`"`, string(d.stands(again.ID, 202, durable.Running, "null").Input))
		require.Equal(t, 409, d.ask("POST", links.RestartPostURI+"&restartWithNewInstanceId=False", "").status)
		d.pass(91 * time.Second)
		d.stands(links.ID, 200, durable.Completed, "false")
		require.Equal(t, 202, d.ask("POST", links.RestartPostURI+"&restartWithNewInstanceId=false", "").status)
		d.stands(links.ID, 202, durable.Running, "null")
		d.refused(d.ask("POST", links.RestartPostURI+"&timeout=1&pollingInterval=5", ""), 400, saysArgument)
	})
}

// One id has one instance that is not finished, whoever races for it.
func TestDurableSameID(t *testing.T) {
	eachDurable(t, func(t *testing.T, d durableClient) {
		for range 3 {
			statuses := map[int]int{}
			answers := make([]int, 8)
			var wait sync.WaitGroup
			for i := range answers {
				wait.Go(func() { answers[i] = d.startAs("same").status })
			}
			wait.Wait()
			for _, status := range answers {
				statuses[status]++
			}
			require.Equal(t, map[int]int{202: 1, 409: 7}, statuses)
			d.pass(91 * time.Second)
			d.stands("same", 200, durable.Completed, "false") // and is replaced by the next
		}
		require.Equal(t, "1", d.one(t, "SELECT COUNT(*) FROM durable_instance"))
		require.Equal(t, "3", d.one(t, "SELECT COUNT(*) FROM text"))
	})
}

// The right code sent 32 times at once succeeds once; 64 wrong ones at once are as few attempts as one by one.
func TestDurableAtOnce(t *testing.T) {
	eachDurable(t, func(t *testing.T, d durableClient) {
		at := func(n int, id, code string) {
			answers := make([]int, n)
			var wait sync.WaitGroup
			for i := range answers {
				wait.Go(func() { answers[i] = d.raise(id, code).status })
			}
			wait.Wait()
			require.Subset(t, []int{202, 410}, answers)
		}
		d.startAs("right")
		code, _ := d.texted(t)
		at(32, "right", code)
		d.stands("right", 200, durable.Completed, "true")
		require.Equal(t, "1", d.one(t, "SELECT COUNT(*) FROM event WHERE name = 'verification.approved'"))
		require.Equal(t, "1", d.one(t, "SELECT COUNT(*) FROM event WHERE name = 'durable.raised'"))

		d.startAs("wrong")
		code, _ = d.texted(t)
		at(64, "wrong", otherCode(code))
		d.stands("wrong", 200, durable.Completed, "false")
		require.Equal(t, "4", d.one(t, "SELECT COUNT(*) FROM event WHERE name = 'verification.wrong'"))

		// A code and the end of the instance: one of them wins, and both say the same.
		for n := range 8 {
			id := fmt.Sprint("race", n)
			d.startAs(id)
			code, _ = d.texted(t)
			var wait sync.WaitGroup
			var raised, terminated int
			wait.Go(func() { raised = d.raise(id, code).status })
			wait.Go(func() { terminated = d.ask("POST", instance(id)+"/terminate?reason=x", "").status })
			wait.Wait()
			s := d.ask("GET", instance(id), "")
			if terminated == 202 {
				require.Contains(t, s.body, `"runtimeStatus":"Terminated"`)
			} else {
				require.Equal(t, []int{202, 410}, []int{raised, terminated})
				require.Contains(t, s.body, `"output":true`)
			}
		}
	})
}

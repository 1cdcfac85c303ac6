package azuredurable_test

import (
	"encoding/json"
	"fmt"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"smsbridge/inbound/inboundtest"
	"smsbridge/internal/azuredurable"
	"smsbridge/internal/store/storetest"
)

const (
	phone       = inboundtest.Phone
	publicURL   = inboundtest.PublicURL
	systemKey   = inboundtest.DurableKey
	newKey      = inboundtest.DurableNewKey
	durableBase = inboundtest.DurableBase
	asKey       = "code=" + systemKey
	event       = "/raiseEvent/SmsChallengeResponse"
)

type durableClient = inboundtest.DurableClient

func instance(id string) string { return inboundtest.DurableInstancePath(id) }

// eachDurable opens a door on each database.
func eachDurable(t *testing.T, test func(t *testing.T, d durableClient), changes ...string) {
	changes = append([]string{"SMSBRIDGE_DURABLE_CODE=" + newKey + "," + systemKey}, changes...)
	inboundtest.Each(
		t,
		func(t *testing.T, b *inboundtest.Bridge) { test(t, durableClient{Bridge: b, T: t}) },
		changes...)
}

// onlyDurable opens a door on SQLite, for what does not depend on the database.
func onlyDurable(t *testing.T, test func(t *testing.T, d durableClient)) {
	b := inboundtest.Open(t, storetest.SQLite(t), "SMSBRIDGE_DURABLE_CODE="+newKey+","+systemKey)
	test(t, durableClient{Bridge: b, T: t})
}

const (
	saysArgument    = "One or more of the arguments submitted is incorrect"
	saysInvalidJSON = "Invalid JSON content"
)

// The sample's page, from the start to the output, with the URLs that the responses give.
func TestDurableStory(t *testing.T) {
	eachDurable(t, func(t *testing.T, d durableClient) {
		r := d.Ask("POST", "/orchestrators/E4_SmsPhoneVerification", `"`+phone+`"`)
		require.Equal(t, 202, r.StatusCode)
		require.Equal(t, "application/json; charset=utf-8", r.Header.Get("Content-Type"))
		require.Equal(t, "10", r.Header.Get("Retry-After"))
		var links inboundtest.DurableLinks
		require.NoError(t, json.Unmarshal([]byte(r.Body), &links))
		require.Regexp(t, "^[0-9a-f]{32}$", links.ID)
		require.Equal(t, links.StatusQueryGetURI, r.Header.Get("Location"))
		require.Contains(t, r.Body, links.StatusQueryGetURI, "nothing in it is escaped")
		query := "taskHub=DurableFunctionsHub&connection=Storage&code=" + systemKey
		one := publicURL + "/runtime/webhooks/durabletask/instances/" + links.ID
		require.Equal(t, inboundtest.DurableLinks{
			ID: links.ID, StatusQueryGetURI: one + "?" + query,
			SendEventPostURI:      one + "/raiseEvent/{eventName}?" + query,
			TerminatePostURI:      one + "/terminate?reason={text}&" + query,
			PurgeHistoryDeleteURI: one + "?" + query, RestartPostURI: one + "/restart?" + query,
			SuspendPostURI: one + "/suspend?reason={text}&" + query,
			ResumePostURI:  one + "/resume?reason={text}&" + query,
			RewindPostURI:  one + "/rewind?reason={text}&" + query,
		}, links)

		code, body := d.Texted(t)
		require.Equal(t, "Your verification code is "+code, body)
		require.Len(t, code, 4)
		d.Pass(time.Second)
		running := d.Ask("GET", links.StatusQueryGetURI, "")
		require.Equal(t, 202, running.StatusCode)
		require.Equal(t, links.StatusQueryGetURI, running.Header.Get("Location"))
		require.Equal(t, "5", running.Header.Get("Retry-After"))
		require.Equal(
			t,
			`{"name":"E4_SmsPhoneVerification",`+
				`"instanceId":"`+links.ID+`","runtimeStatus":"Running",`+
				`"input":"`+phone+`","customStatus":null,`+
				`"output":null,"createdTime":"2023-11-14T22:13:20Z","lastUpdatedTime":"2023-11-14T22:13:20Z"}`,
			running.Body,
		)

		raise := strings.Replace(links.SendEventPostURI, "{eventName}", azuredurable.Event, 1)
		d.Empty(d.Ask("POST", raise, inboundtest.OtherCode(code)), 202)
		d.Stands(links.ID, 202, azuredurable.Running, "null")
		d.Pass(time.Second)
		d.Empty(d.Ask("POST", raise, inboundtest.Integer(t, code)+" "), 202)
		done := d.Ask("GET", links.StatusQueryGetURI, "")
		require.Equal(t, 200, done.StatusCode)
		require.Empty(t, done.Header.Get("Location")+done.Header.Get("Retry-After"))
		require.Contains(
			t,
			done.Body,
			`"runtimeStatus":"Completed","input":"`+phone+`","customStatus":null,"output":true,`+
				`"createdTime":"2023-11-14T22:13:20Z","lastUpdatedTime":"2023-11-14T22:13:22Z"`,
		)
		d.Empty(d.Ask("POST", raise, code), 410)
		require.Equal(t, "approved", d.One(t, "SELECT state FROM verification"))
		log := d.Log.Take()
		for _, secret := range []string{systemKey, phone, code + `"`, links.ID} {
			require.NotContains(t, log, secret)
		}
	})
}

// Four attempts, and ninety seconds from the start; each end is an output of false.
func TestDurableEnds(t *testing.T) {
	eachDurable(t, func(t *testing.T, d durableClient) {
		links := d.Begin()
		code, _ := d.Texted(t)
		for range 4 {
			d.Stands(links.ID, 202, azuredurable.Running, "null")
			d.Empty(d.Raise(links.ID, inboundtest.OtherCode(code)), 202)
		}
		d.Stands(links.ID, 200, azuredurable.Completed, "false")
		d.Empty(d.Raise(links.ID, code), 410)

		links = d.Begin()
		d.Pass(90*time.Second - time.Millisecond)
		d.Stands(links.ID, 202, azuredurable.Running, "null")
		d.Pass(time.Millisecond)
		require.Equal(
			t,
			"2023-11-14T22:14:50Z",
			d.Stands(links.ID, 200, azuredurable.Completed, "false").LastUpdatedTime,
		)
		d.Empty(d.Raise(links.ID, "1234"), 410)

		// By text, as well: the verification is the same.
		links = d.Begin()
		code, _ = d.Texted(t)
		inboundtest.Silent(t, d.Reply(t, inboundtest.ReplyForm(1, code)))
		d.Stands(links.ID, 200, azuredurable.Completed, "true")
		links = d.Begin()
		inboundtest.Silent(t, d.Reply(t, inboundtest.ReplyForm(2, "STOP")))
		d.Stands(links.ID, 200, azuredurable.Canceled, "null")
	})
}

// Who may ask: the key stands in the query, in any spelling, in a header, or before the host; it
// says which tenant is meant.
func TestDurableKey(t *testing.T) {
	onlyDurable(t, func(t *testing.T, d durableClient) {
		before := d.Recorded(t)
		start, body := "/orchestrators/"+azuredurable.Function, `"`+phone+`"`
		for _, path := range []string{
			start, start + "?code=", start + "?code=" + systemKey[1:], start + "?key=" + systemKey,
			durableBase + start, "/api" + start, instance("x"), durableBase + "/nowhere",
		} {
			d.Empty(d.Raw("POST", path, body), 401)
		}
		require.Equal(t, before, d.Recorded(t))
		for n, ok := range [][]string{
			{start + "?code=" + newKey}, {start + "?CODE=" + systemKey},
			{durableBase + start, "x-functions-key: " + systemKey},
			{"/api" + start, "Authorization: Basic OmtleS1vZi10aGUtZHVyYWJsZS1kb29yLTAxMjM0NTY3ODk="},
		} {
			r := d.Raw("POST", ok[0], body, ok[1:]...)
			require.Equal(t, 202, r.StatusCode, ok)
			require.Equal(t, n+1, d.Recorded(t)[0])
			require.Contains(t, r.Header.Get("Location"), "&code=key-of-the-durable-door-")
		}
		require.Equal(
			t,
			202,
			d.Raw("POST", "/admin/extensions/DurableTaskExtension"+start+"?"+asKey, body).StatusCode,
		)
		// Both bases are paths of the door, which asks for the key before it says that it has no such
		// operation.
		for _, base := range []string{durableBase, "/admin/extensions/DurableTaskExtension"} {
			require.Equal(t, 401, d.Raw("GET", base, "").StatusCode, base)
			require.Equal(t, 404, d.Raw("GET", base+"?"+asKey, "").StatusCode, base)
		}
		require.NotContains(t, d.Log.Take(), "key-of")
	})
}

// A wrong path or method is a 404 without a body.
func TestDurableRouting(t *testing.T) {
	eachDurable(t, func(t *testing.T, d durableClient) {
		require.Equal(t, 202, d.BeginAs("abc").StatusCode)
		before := d.Recorded(t)
		for _, request := range []string{
			"GET /orchestrators/" + azuredurable.Function, "POST /orchestrators/",
			"POST /orchestrators/a/b/c",
			"GET " + durableBase, "POST " + durableBase + "/",
			"GET " + durableBase + "/orchestrators/" + azuredurable.Function,
			"POST " + durableBase + "/instances", "PUT " + instance("abc"), "POST " + instance("abc"),
			"HEAD " + instance("abc"), "GET " + instance("abc") + "/terminate",
			"POST " + instance("abc") + "/explode", "GET " + instance("abc") + event,
			"POST " + instance("abc") + "/raiseEvent", "POST " + instance("abc") + event + "/more",
			"DELETE " + instance("abc") + "/raiseEvent",
			"POST " + durableBase + "/entities/a/b", "GET " + durableBase + "/makeprimary",
			"GET " + instance("none"), "GET " + instance("a%2fbc"), "GET " + instance("%ff"),
			"GET " + instance("%00"),
			"POST " + instance("none") + "/terminate", "POST " + instance("none") + "/suspend",
			"POST " + instance("none") + "/resume", "POST " + instance("none") + "/rewind",
			"POST " + instance("none") + event, "DELETE " + instance("none"),
		} {
			method, path, _ := strings.Cut(request, " ")
			r := d.Ask(method, path, "1234")
			require.Equal(t, 404, r.StatusCode, request)
			require.Empty(t, r.Body, request)
		}
		require.Equal(t, before, d.Recorded(t))
		require.Equal(
			t,
			202,
			d.Ask("GET", durableBase+"/INSTANCES/abc/", "").StatusCode,
			"words of the API in any capitals",
		)
		require.Equal(t, 404, d.Ask("GET", instance("ABC"), "").StatusCode, "but ids as they are")
	})
}

// Malformed, oversized and unknown input gets the documented error, and records and texts nothing.
func TestDurableMalformed(t *testing.T) {
	eachDurable(t, func(t *testing.T, d durableClient) {
		start := "/orchestrators/" + azuredurable.Function
		before := d.Recorded(t)
		for _, body := range []string{
			"{", `"`, phone, `"` + phone + `" x`, `"` + strings.Repeat("4", 9000) + `"`, "\xff",
		} {
			d.Refused(d.Ask("POST", start, body), 400, saysInvalidJSON)
		}
		for _, body := range []string{
			"1", "4520123456", "true", "{}", `["` + phone + `"]`, `{"phone":"` + phone + `"}`,
			`"4520123456"`, `"+45 20123456"`, `"+12065550100"`, `"+999"`, `"\"+1\""`, `"\"+45"`, `" "`,
		} {
			d.Refused(d.Ask("POST", start, body), 400, saysArgument)
		}
		for _, path := range []string{
			"/orchestrators/Other", durableBase + "/orchestrators/E4_SendSmsChallenge",
			start + "?timeout=1&pollingInterval=2", start + "?timeout=x&pollingInterval=1",
			start + "?timeout=NaN&pollingInterval=1",
			start + "?timeout=-1&pollingInterval=-2", durableBase + start + "/@a",
			durableBase + start + "/a%2fb", durableBase + start + "/a%5cb", durableBase + start + "/a%3fb",
			durableBase + start + "/a%23b", durableBase + start + "/a%0ab", durableBase + start + "/%ff",
			durableBase + start + "/" + strings.Repeat("a", 101),
		} {
			r := d.Ask("POST", path, `"`+phone+`"`)
			d.Refused(r, 400, saysArgument)
			require.Contains(t, r.Body, "ExceptionMessage", "the Python client reads it")
		}
		require.Equal(t, before, d.Recorded(t))

		require.Equal(t, 202, d.BeginAs("abc").StatusCode)
		before = d.Recorded(t)
		d.Refused(
			d.Ask("POST", instance("abc")+event, "1234", "Content-Type: text/plain"),
			400,
			"Only application/json request content is supported",
		)
		d.Refused(
			d.Ask("POST", instance("abc")+event, "1234", "Content-Type: "),
			400,
			"Only application/json request content is supported",
		)
		for _, body := range []string{"", "{", "12 34", `"` + strings.Repeat("1", 9000) + `"`} {
			d.Refused(d.Raise("abc", body), 400, saysInvalidJSON)
		}
		for _, body := range []string{
			"null", "{}", "true", `"abc"`, `""`, "-1", "1.5", "1e3", "12345678901", `"12 34"`, `[1234]`,
		} {
			d.Refused(d.Raise("abc", body), 400, saysArgument)
		}
		// The orchestrator does not wait for an event of another name.
		d.Empty(d.Ask("POST", instance("abc")+"/raiseEvent/Other", `{"any":"thing"}`), 202)
		require.Equal(t, before, d.Recorded(t))

		// Whether the instance is there, and still runs, comes first.
		d.Empty(d.Ask("POST", instance("none")+event, "{", "Content-Type: text/plain"), 404)
		d.Pass(2 * time.Minute)
		d.Empty(d.Ask("POST", instance("abc")+event, "{", "Content-Type: text/plain"), 410)
	})
}

// Without a phone, or when it cannot be texted, the instance fails; failure is a 500 for those who
// want that.
func TestDurableFailed(t *testing.T) {
	eachDurable(t, func(t *testing.T, d durableClient) {
		for n, body := range []string{"", "null", `""`, `"null"`, `"\"\""`} {
			r := d.Ask(
				"POST",
				durableBase+"/orchestrators/"+azuredurable.Function+"/empty"+fmt.Sprint(n),
				body,
			)
			require.Equal(t, 202, r.StatusCode, r.Body)
			s := d.Stands(
				"empty"+fmt.Sprint(n),
				200,
				azuredurable.Failed,
				`"Orchestrator function 'E4_SmsPhoneVerification' failed: A phone number input is required."`,
			)
			if body != "" {
				require.Equal(t, body, string(s.Input))
			}
		}
		require.Equal(
			t,
			500,
			d.Ask("GET", instance("empty0")+"?returnInternalServerErrorOnFailure=True", "").StatusCode,
		)
		waited := d.Ask(
			"POST",
			"/orchestrators/"+azuredurable.Function+"?timeout=5&pollingInterval=1",
			"",
		)
		require.Equal(t, 500, waited.StatusCode)
		require.Contains(t, waited.Body, `"runtimeStatus":"Failed"`)
		d.Empty(d.Raise("empty0", "1234"), 410)
		d.Empty(d.Ask("POST", instance("empty0")+"/rewind?reason=again", ""), 202)
		d.Stands(
			"empty0",
			200,
			azuredurable.Failed,
			`"Orchestrator function 'E4_SmsPhoneVerification' failed: A phone number input is required."`,
		)
		require.Equal(t, 0, d.Recorded(t)[0])

		// STOP, and rewound after START.
		inboundtest.Silent(t, d.Reply(t, inboundtest.ReplyForm(1, "STOP")))
		require.Equal(t, 202, d.BeginAs("stopped").StatusCode)
		d.Stands(
			"stopped",
			200,
			azuredurable.Failed,
			`"The activity function 'E4_SendSmsChallenge' failed: the phone cannot be texted now."`,
		)
		require.Equal(t, 0, d.Recorded(t)[1])
		inboundtest.Silent(t, d.Reply(t, inboundtest.ReplyForm(2, "START")))
		d.Empty(d.Ask("POST", instance("stopped")+"/rewind?reason=again", ""), 202)
		d.Stands("stopped", 202, azuredurable.Running, "null")
		require.Equal(t, 412, d.Ask("POST", instance("stopped")+"/rewind?reason=again", "").StatusCode)
		code, _ := d.Texted(t)
		d.Empty(d.Raise("stopped", `"`+code+`"`), 202)
		d.Stands("stopped", 200, azuredurable.Completed, "true")
		d.Empty(d.Ask("POST", instance("stopped")+"/rewind?reason=again", ""), 410)
	})
}

func TestDurableTerminate(t *testing.T) {
	eachDurable(t, func(t *testing.T, d durableClient) {
		links := d.Begin()
		code, _ := d.Texted(t)
		reason := "børge & \x00" + strings.Repeat("x", 600)
		d.Empty(
			d.Ask("POST", strings.Replace(links.TerminatePostURI, "{text}", url.QueryEscape(reason), 1), ""),
			202,
		)
		d.Stands(links.ID, 200, azuredurable.Terminated, `"børge \u0026 `+strings.Repeat("x", 492)+`"`)
		require.Equal(t, "canceled", d.One(t, "SELECT state FROM verification"))
		for _, step := range []string{"terminate", "suspend", "resume", "rewind"} {
			d.Empty(d.Ask("POST", instance(links.ID)+"/"+step+"?reason=late", ""), 410)
		}
		d.Empty(d.Raise(links.ID, code), 410)
	})
}

// A suspended instance keeps the result to itself. Its deadline runs.
func TestDurableSuspend(t *testing.T) {
	eachDurable(t, func(t *testing.T, d durableClient) {
		steer := func(id, step string) inboundtest.Response {
			return d.Ask("POST", instance(id)+"/"+step+"?reason=why", "")
		}
		d.BeginAs("right")
		code, _ := d.Texted(t)
		for range 2 { // again changes nothing
			d.Empty(steer("right", "suspend"), 202)
			r := d.Ask("GET", instance("right"), "")
			require.Equal(t, "5", r.Header.Get("Retry-After"))
			d.Stands("right", 202, azuredurable.Suspended, "null")
		}
		d.Empty(d.Raise("right", inboundtest.OtherCode(code)), 202)
		d.Empty(d.Raise("right", code), 202)
		d.Stands("right", 202, azuredurable.Suspended, "null")
		d.Empty(d.Raise("right", code), 202) // it has not finished
		d.Empty(steer("right", "resume"), 202)
		d.Stands("right", 200, azuredurable.Completed, "true")
		d.Empty(steer("right", "resume"), 410)

		d.BeginAs("late")
		d.Empty(steer("late", "suspend"), 202)
		d.Pass(91 * time.Second)
		d.Stands("late", 202, azuredurable.Suspended, "null")
		d.Empty(steer("late", "resume"), 202)
		d.Stands("late", 200, azuredurable.Completed, "false")

		d.BeginAs("resumed")
		d.Empty(steer("resumed", "suspend"), 202)
		for range 2 {
			d.Empty(steer("resumed", "resume"), 202)
			d.Stands("resumed", 202, azuredurable.Running, "null")
		}
		d.BeginAs("over")
		d.Empty(steer("over", "suspend"), 202)
		d.Pass(91 * time.Second)
		require.Equal(t, 412, d.Ask("DELETE", instance("over"), "").StatusCode)
		d.Empty(steer("over", "terminate"), 202)
		d.Stands("over", 200, azuredurable.Terminated, `"why"`)
	})
}

func TestDurableRestart(t *testing.T) {
	onlyDurable(t, func(t *testing.T, d durableClient) {
		d.Refused(
			d.Ask("POST", instance("none")+"/restart", ""),
			400,
			"InstanceId does not match a valid orchestration instance.",
		)
		links := d.Begin()
		r := d.Ask("POST", links.RestartPostURI, "")
		require.Equal(t, 202, r.StatusCode)
		var again inboundtest.DurableLinks
		require.NoError(t, json.Unmarshal([]byte(r.Body), &again))
		require.NotEqual(t, links.ID, again.ID)
		require.Equal(
			t,
			`"`+phone+`"`,
			string(d.Stands(again.ID, 202, azuredurable.Running, "null").Input),
		)
		require.Equal(
			t,
			409,
			d.Ask("POST", links.RestartPostURI+"&restartWithNewInstanceId=False", "").StatusCode,
		)
		d.Pass(91 * time.Second)
		d.Stands(links.ID, 200, azuredurable.Completed, "false")
		require.Equal(
			t,
			202,
			d.Ask("POST", links.RestartPostURI+"&restartWithNewInstanceId=false", "").StatusCode,
		)
		d.Stands(links.ID, 202, azuredurable.Running, "null")
		d.Refused(
			d.Ask("POST", links.RestartPostURI+"&timeout=1&pollingInterval=5", ""),
			400,
			saysArgument,
		)
	})
}

// One id has one unfinished instance, however many requests race for it.
func TestDurableSameID(t *testing.T) {
	eachDurable(t, func(t *testing.T, d durableClient) {
		for range 3 {
			statuses := map[int]int{}
			got := make([]int, 8)
			var wait sync.WaitGroup
			for i := range got {
				wait.Go(func() { got[i] = d.BeginAs("same").StatusCode })
			}
			wait.Wait()
			for _, status := range got {
				statuses[status]++
			}
			require.Equal(t, map[int]int{202: 1, 409: 7}, statuses)
			d.Pass(91 * time.Second)
			d.Stands("same", 200, azuredurable.Completed, "false") // and is replaced by the next
		}
		require.Equal(t, "1", d.One(t, "SELECT COUNT(*) FROM durable_instance"))
		require.Equal(t, "3", d.One(t, "SELECT COUNT(*) FROM text"))
	})
}

// The right code sent 32 times at once succeeds once; 64 wrong ones at once are as few attempts as
// one by one.
func TestDurableAtOnce(t *testing.T) {
	eachDurable(t, func(t *testing.T, d durableClient) {
		at := func(n int, id, code string) {
			got := make([]int, n)
			var wait sync.WaitGroup
			for i := range got {
				wait.Go(func() { got[i] = d.Raise(id, code).StatusCode })
			}
			wait.Wait()
			require.Subset(t, []int{202, 410}, got)
		}
		d.BeginAs("right")
		code, _ := d.Texted(t)
		at(32, "right", code)
		d.Stands("right", 200, azuredurable.Completed, "true")
		require.Equal(t, "1", d.One(t, "SELECT COUNT(*) FROM event WHERE name = 'verification.approved'"))
		require.Equal(t, "1", d.One(t, "SELECT COUNT(*) FROM event WHERE name = 'durable.raised'"))

		d.BeginAs("wrong")
		code, _ = d.Texted(t)
		at(64, "wrong", inboundtest.OtherCode(code))
		d.Stands("wrong", 200, azuredurable.Completed, "false")
		require.Equal(t, "4", d.One(t, "SELECT COUNT(*) FROM event WHERE name = 'verification.wrong'"))

		// A code and the end of the instance: one of them wins, and both say the same.
		for n := range 8 {
			id := fmt.Sprint("race", n)
			d.BeginAs(id)
			code, _ = d.Texted(t)
			var wait sync.WaitGroup
			var raised, terminated int
			wait.Go(func() { raised = d.Raise(id, code).StatusCode })
			wait.Go(func() { terminated = d.Ask("POST", instance(id)+"/terminate?reason=x", "").StatusCode })
			wait.Wait()
			s := d.Ask("GET", instance(id), "")
			if terminated == 202 {
				require.Contains(t, s.Body, `"runtimeStatus":"Terminated"`)
			} else {
				require.Equal(t, []int{202, 410}, []int{raised, terminated})
				require.Contains(t, s.Body, `"output":true`)
			}
		}
	})
}

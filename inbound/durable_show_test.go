package inbound

import (
	"encoding/json"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	durable "smsbridge/internal/azuredurable"
	"smsbridge/internal/store/storetest"
)

// The history has every step and no code, whatever is asked for.
func TestDurableHistory(t *testing.T) {
	onlyDurable(t, func(t *testing.T, d durableClient) {
		history := func(id, query string) (steps []map[string]any, types []string) {
			r := d.ask("GET", instance(id)+"?showHistory=True"+query, "")
			var s struct{ HistoryEvents []map[string]any }
			require.NoError(t, json.Unmarshal([]byte(r.body), &s))
			for _, step := range s.HistoryEvents {
				types = append(types, step["EventType"].(string))
				require.Contains(t, step, "Timestamp")
			}
			return s.HistoryEvents, types
		}
		d.startAs("right")
		code, _ := d.texted(t)
		require.NotContains(t, d.ask("GET", instance("right"), "").body, "historyEvents")
		d.ask("POST", instance("right")+"/suspend?reason=x", "")
		d.raise("right", otherCode(code))
		d.ask("POST", instance("right")+"/resume?reason=x", "")
		d.raise("right", code)
		steps, types := history("right", "&showHistoryOutput=true")
		require.Equal(t, []string{"ExecutionStarted", "TaskCompleted", "TimerCreated", "ExecutionSuspended", "EventRaised", "ExecutionResumed", "EventRaised", "ExecutionCompleted"}, types)
		require.Equal(t, map[string]any{"EventType": "ExecutionStarted", "FunctionName": durable.Function, "Input": phone, "Timestamp": "2023-11-14T22:13:20Z"}, steps[0])
		require.Equal(t, map[string]any{"EventType": "TaskCompleted", "FunctionName": durable.Activity, "ScheduledTime": "2023-11-14T22:13:20Z", "Timestamp": "2023-11-14T22:13:20Z"}, steps[1])
		require.Equal(t, map[string]any{"EventType": "TimerCreated", "FireAt": "2023-11-14T22:14:50Z", "Timestamp": "2023-11-14T22:13:20Z"}, steps[2])
		require.Equal(t, map[string]any{"EventType": "EventRaised", "Name": durable.Event, "Timestamp": "2023-11-14T22:13:20Z"}, steps[4])
		require.Equal(t, map[string]any{"EventType": "ExecutionCompleted", "OrchestrationStatus": "Completed", "Result": true, "Timestamp": "2023-11-14T22:13:20Z"}, steps[7])

		r := d.ask("GET", instance("right")+"?showHistory=true&showInput=false", "")
		require.Contains(t, r.body, `"input":null`)
		require.NotContains(t, r.body, phone)

		d.startAs("late")
		d.pass(91 * time.Second)
		_, types = history("late", "")
		require.Equal(t, []string{"ExecutionStarted", "TaskCompleted", "TimerCreated", "TimerFired", "ExecutionCompleted"}, types)
		d.startAs("ended")
		d.ask("POST", instance("ended")+"/terminate?reason="+phone, "")
		steps, types = history("ended", "")
		require.Equal(t, []string{"ExecutionStarted", "TaskCompleted", "TimerCreated", "ExecutionTerminated"}, types)
		require.NotContains(t, steps[3], "Result")
		d.ask("POST", durableBase+"/orchestrators/"+durable.Function+"/failed", "null")
		d.ask("POST", instance("failed")+"/rewind", "")
		_, types = history("failed", "")
		require.Equal(t, []string{"ExecutionStarted", "ExecutionCompleted", "ExecutionRewound", "ExecutionCompleted"}, types)
		require.Equal(t, "0", d.one(t, "SELECT COUNT(*) FROM event WHERE detail LIKE '%20123456%'"))
	})
}

func TestDurableList(t *testing.T) {
	eachDurable(t, func(t *testing.T, d durableClient) {
		require.Equal(t, "[]", d.ask("GET", durableBase+"/instances", "").body)
		for n := range 7 { // a second apart; 0 and 1 are over when the last has started
			require.Equal(t, 202, d.startAs(fmt.Sprintf("%c-%d", 'a'+n%2, n)).status)
			d.pass(15 * time.Second)
		}
		d.ask("POST", instance("a-6")+"/suspend", "")
		d.ask("POST", instance("b-5")+"/terminate", "")
		list := func(query string) (ids []string) {
			token := ""
			for {
				r := d.ask("GET", durableBase+"/instances/"+query, "", "x-ms-continuation-token: "+token)
				require.Equal(t, 200, r.status, r.body)
				var all []durableStatus
				require.NoError(t, json.Unmarshal([]byte(r.body), &all))
				for _, s := range all {
					ids = append(ids, s.InstanceID)
				}
				if token = r.header.Get("x-ms-continuation-token"); token == "" {
					return ids
				}
			}
		}
		for query, want := range map[string]string{
			"":                                       "a-0 b-1 a-2 b-3 a-4 b-5 a-6",
			"?top=2":                                 "a-0 b-1 a-2 b-3 a-4 b-5 a-6",
			"?top=7":                                 "a-0 b-1 a-2 b-3 a-4 b-5 a-6",
			"?instanceIdPrefix=b-":                   "b-1 b-3 b-5",
			"?instanceIdPrefix=b-&top=1":             "b-1 b-3 b-5",
			"?instanceIdPrefix=%25":                  "",
			"?runtimeStatus=Completed":               "a-0 b-1",
			"?runtimeStatus=running,suspended&top=1": "a-2 b-3 a-4 a-6",
			"?runtimeStatus=Terminated":              "b-5",
			"?runtimeStatus=Pending":                 "",
			"?createdTimeFrom=2023-11-14T22:14:20Z":  "a-4 b-5 a-6",
			"?createdtimefrom=2023-11-14T22:14:20.000000Z&createdTimeTo=2023-11-14T22:14:35": "a-4 b-5",
			"?createdTimeTo=2023-11-14T23:13:35%2B01:00":                                     "a-0 b-1",
			"?createdTimeTo=2023-11-14T23:13:35+01:00":                                       "a-0 b-1",
			"?createdTimeFrom=2023-11-15":                                                    "",
		} {
			require.Equal(t, want, strings.Join(list(query), " "), query)
		}
		first := d.ask("GET", durableBase+"/instances?top=1&showInput=false&taskHub=Hub&connectionName=Storage", "")
		require.Contains(t, first.body, `"input":null`)
		require.NotEmpty(t, first.header.Get("x-ms-continuation-token"))
		for _, query := range []string{"top=0", "top=x", "createdTimeFrom=yesterday", "createdTimeTo=1", "runtimeStatus=Running,Jogging", "runtimeStatus=,", "instanceIdPrefix=%00", "instanceIdPrefix=%ff"} {
			d.refused(d.ask("GET", durableBase+"/instances?"+query, ""), 400, saysArgument)
		}
		d.refused(d.ask("GET", durableBase+"/instances", "", "x-ms-continuation-token: \xff"), 400, saysArgument)
	})
}

func TestDurablePurge(t *testing.T) {
	eachDurable(t, func(t *testing.T, d durableClient) {
		for _, id := range []string{"a", "b", "c"} {
			d.startAs(id)
		}
		require.Equal(t, 412, d.ask("DELETE", instance("a"), "").status)
		d.pass(91 * time.Second)
		d.startAs("running")
		d.ask("POST", instance("c")+"/terminate", "")
		require.Equal(t, `{"instancesDeleted":1}`, d.ask("DELETE", instance("a"), "").body)
		d.empty(d.ask("DELETE", instance("a"), ""), 404)
		d.empty(d.ask("GET", instance("a"), ""), 404)

		all := durableBase + "/instances/"
		r := d.ask("DELETE", all, "")
		require.Equal(t, 400, r.status)
		require.Equal(t, `"Please provide value for 'createdTimeFrom' parameter."`, r.body)
		// What cannot be read must not purge more than was meant.
		for _, query := range []string{"createdTimeFrom=x", "createdTimeFrom=2000-01-01&createdTimeTo=x", "createdTimeFrom=2000-01-01&runtimeStatus=x"} {
			d.refused(d.ask("DELETE", all+"?"+query, ""), 400, saysArgument)
		}
		for _, query := range []string{"createdTimeFrom=2024-01-01", "createdTimeFrom=2000-01-01&runtimeStatus=Running,Failed", "createdTimeFrom=2000-01-01&createdTimeTo=2001-01-01"} {
			d.empty(d.ask("DELETE", all+"?"+query, ""), 404)
		}
		require.Equal(t, `{"instancesDeleted":2}`, d.ask("DELETE", all+"?createdTimeFrom=2000-01-01T00:00:00Z", "").body)
		d.stands("running", 202, durable.Running, "null")
		require.Equal(t, "1", d.one(t, "SELECT COUNT(*) FROM durable_instance"))
	})
}

// A start can wait for the end: for the bare output, for the status of another end, or for nothing.
func TestDurableWait(t *testing.T) {
	onlyDurable(t, func(t *testing.T, d durableClient) {
		path := func(id, query string) string {
			return durableBase + "/orchestrators/" + durable.Function + "/" + id + "?" + query
		}
		began := time.Now()
		r := d.ask("POST", path("short", "timeout=0.2&pollingInterval=0.1"), `"`+phone+`"`)
		require.Equal(t, 202, r.status)
		require.Contains(t, r.body, `"statusQueryGetUri"`)
		require.GreaterOrEqual(t, time.Since(began), 200*time.Millisecond)
		require.Equal(t, 202, d.ask("POST", path("without", "timeout=60"), `"`+phone+`"`).status, "both numbers make it wait")
		require.Equal(t, 202, d.ask("POST", path("none", "timeout=0&pollingInterval=0"), `"`+phone+`"`).status)

		started := func(id string) (answer chan response) {
			answer = make(chan response, 1)
			go func() { answer <- d.ask("POST", path(id, "timeout=30&pollingInterval=0"), `"`+phone+`"`) }()
			require.Eventually(t, func() bool { return d.ask("GET", instance(id), "").status == 202 }, 10*time.Second, 10*time.Millisecond)
			return answer
		}
		done := started("done")
		code, _ := d.texted(t)
		d.raise("done", code)
		r = <-done
		require.Equal(t, 200, r.status)
		require.Equal(t, "true", r.body)
		ended := started("ended")
		d.ask("POST", instance("ended")+"/terminate?reason=why", "")
		r = <-ended
		require.Equal(t, 200, r.status)
		require.Contains(t, r.body, `"runtimeStatus":"Terminated"`)

		// A server that shuts down keeps nobody waiting.
		waiting := started("waiting")
		d.inbound.Drain()
		require.Equal(t, 202, (<-waiting).status)
	})
}

// Another tenant's key opens another tenant's instances.
func TestDurableTenantsAreApart(t *testing.T) {
	onlyDurable(t, func(t *testing.T, d durableClient) {
		require.Equal(t, 202, d.startAs("mine").status)
		d.inbound.Settings = settings(t, "SMSBRIDGE_TENANT=beta", "SMSBRIDGE_DURABLE_CODE="+systemKey)
		for _, r := range []response{d.ask("GET", instance("mine"), ""), d.raise("mine", "1234"), d.ask("DELETE", instance("mine"), ""), d.ask("POST", instance("mine")+"/terminate", "")} {
			d.empty(r, 404)
		}
		require.Equal(t, "[]", d.ask("GET", durableBase+"/instances", "").body)
		require.Equal(t, 202, d.startAs("mine").status)
	})
}

// A door whose database does not answer says so, and nothing of it.
func TestDurableUnavailable(t *testing.T) {
	onlyDurable(t, func(t *testing.T, d durableClient) {
		require.NoError(t, d.store.Close())
		for _, r := range []response{d.startAs("x"), d.ask("GET", instance("x"), ""), d.raise("x", "1234"), d.ask("GET", durableBase+"/instances", ""), d.ask("DELETE", instance("x"), "")} {
			d.refused(r, 500, "Something went wrong while processing your request")
			require.Equal(t, "5", r.header.Get("Retry-After"))
			require.NotContains(t, r.body, "sql")
		}
	})
}

// Without a key in the settings the door is shut.
func TestDurableShut(t *testing.T) {
	d := durableClient{openBridge(t, storetest.SQLite(t)), t}
	d.empty(d.raw("POST", "/orchestrators/"+durable.Function+"?code=", `"`+phone+`"`), 401)
	d.empty(d.raw("GET", durableBase+"/instances?code=", ""), 401)
}

// The Python client's requests, to the letter: JSON in JSON, True, and another word for the connection.
func TestDurablePython(t *testing.T) {
	onlyDurable(t, func(t *testing.T, d durableClient) {
		r := d.ask("POST", durableBase+"/orchestrators/"+durable.Function+"/py", `"\"`+phone+`\""`)
		require.Equal(t, 202, r.status, r.body)
		code, _ := d.texted(t)
		status := d.ask("GET", instance("py")+"?taskHub=Hub&connectionName=Storage&showInput=True&showHistory=True&showHistoryOutput=True", "")
		require.Equal(t, 202, status.status)
		require.Contains(t, status.body, "historyEvents")
		d.empty(d.raise("py", `"`+otherCode(code)+`"`), 202) // json.dumps(1234)
		d.empty(d.raise("py", `"\"`+code+`\""`), 202)        // json.dumps("1234")
		d.stands("py", 200, durable.Completed, "true")
	})
}

func TestDurableManyReads(t *testing.T) {
	onlyDurable(t, func(t *testing.T, d durableClient) {
		d.startAs("read")
		before := app{bridge: d.bridge, t: t}.recorded()
		var wait sync.WaitGroup
		for range 10 {
			wait.Go(func() { d.ask("GET", instance("read")+"?showHistory=true", "") })
		}
		wait.Wait()
		require.Equal(t, before, app{bridge: d.bridge, t: t}.recorded(), "a GET changes nothing")
	})
}

func FuzzDurableQuery(f *testing.F) {
	for _, query := range []string{"timeout=1&pollingInterval=0.5", "createdTimeFrom=2023-11-14T22:13:20Z&runtimeStatus=Running", "timeout=1e999&pollingInterval=-0", "instanceIdPrefix=%00"} {
		f.Add(query)
	}
	f.Fuzz(func(t *testing.T, raw string) {
		values := map[string][]string{}
		for pair := range strings.SplitSeq(raw, "&") {
			name, value, _ := strings.Cut(pair, "=")
			values[name] = append(values[name], value)
		}
		q := newDurableQuery(values)
		if wait, refused := q.wait(); refused == "" && wait != (durableWait{}) {
			require.Positive(t, wait.timeout)
			require.LessOrEqual(t, wait.timeout, maxDurableWait)
			require.GreaterOrEqual(t, wait.interval, minDurableLook)
			require.LessOrEqual(t, wait.interval, maxDurableLook)
		}
		if filter, refused := q.filter(); refused == "" {
			require.True(t, plainText(filter.Prefix))
		}
	})
}

func FuzzUnpack(f *testing.F) {
	for _, body := range []string{"1234", `"0042"`, `"\"42\""`, "null", "1e9", `"\"\\\"1\\\"\""`} {
		f.Add([]byte(body))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		payload := unpack(body)
		if wholeNumber.MatchString(payload) {
			require.Regexp(t, `^[0-9]{4,10}$`, fillUp(payload, 4), "the rule takes it")
		}
	})
}

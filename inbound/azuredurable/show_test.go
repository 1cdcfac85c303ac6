package azuredurable_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"smsbridge/inbound"
	"smsbridge/inbound/inboundtest"
	"smsbridge/internal/azuredurable"
	"smsbridge/internal/longtest"
	"smsbridge/internal/store/storetest"
)

// The history has every step and no code, whatever is asked for.
func TestDurableHistory(t *testing.T) {
	onlyDurable(t, func(t *testing.T, d durableClient) {
		history := func(id, query string) (steps []map[string]any, types []string) {
			r := d.Ask("GET", instance(id)+"?showHistory=True"+query, "")
			var s struct{ HistoryEvents []map[string]any }
			require.NoError(t, json.Unmarshal([]byte(r.Body), &s))
			for _, step := range s.HistoryEvents {
				types = append(types, step["EventType"].(string))
				require.Contains(t, step, "Timestamp")
			}
			return s.HistoryEvents, types
		}
		d.BeginAs("right")
		code, _ := d.Texted(t)
		require.NotContains(t, d.Ask("GET", instance("right"), "").Body, "historyEvents")
		d.Ask("POST", instance("right")+"/suspend?reason=x", "")
		d.Raise("right", inboundtest.OtherCode(code))
		d.Ask("POST", instance("right")+"/resume?reason=x", "")
		d.Raise("right", code)
		steps, types := history("right", "&showHistoryOutput=true")
		require.Equal(
			t,
			[]string{
				"ExecutionStarted",
				"TaskCompleted",
				"TimerCreated",
				"ExecutionSuspended",
				"EventRaised",
				"ExecutionResumed",
				"EventRaised",
				"ExecutionCompleted",
			},
			types,
		)
		require.Equal(
			t,
			map[string]any{
				"EventType":    "ExecutionStarted",
				"FunctionName": azuredurable.Function,
				"Input":        phone,
				"Timestamp":    "2023-11-14T22:13:20Z",
			},
			steps[0],
		)
		require.Equal(
			t,
			map[string]any{
				"EventType":     "TaskCompleted",
				"FunctionName":  azuredurable.Activity,
				"ScheduledTime": "2023-11-14T22:13:20Z",
				"Timestamp":     "2023-11-14T22:13:20Z",
			},
			steps[1],
		)
		require.Equal(
			t,
			map[string]any{
				"EventType": "TimerCreated",
				"FireAt":    "2023-11-14T22:14:50Z",
				"Timestamp": "2023-11-14T22:13:20Z",
			},
			steps[2],
		)
		require.Equal(
			t,
			map[string]any{
				"EventType": "EventRaised",
				"Name":      azuredurable.Event,
				"Timestamp": "2023-11-14T22:13:20Z",
			},
			steps[4],
		)
		require.Equal(
			t,
			map[string]any{
				"EventType":           "ExecutionCompleted",
				"OrchestrationStatus": "Completed",
				"Result":              true,
				"Timestamp":           "2023-11-14T22:13:20Z",
			},
			steps[7],
		)

		r := d.Ask("GET", instance("right")+"?showHistory=true&showInput=false", "")
		require.Contains(t, r.Body, `"input":null`)
		require.NotContains(t, r.Body, phone)

		d.BeginAs("late")
		d.Pass(91 * time.Second)
		_, types = history("late", "")
		require.Equal(
			t,
			[]string{
				"ExecutionStarted",
				"TaskCompleted",
				"TimerCreated",
				"TimerFired",
				"ExecutionCompleted",
			},
			types,
		)
		d.BeginAs("ended")
		d.Ask("POST", instance("ended")+"/terminate?reason="+phone, "")
		steps, types = history("ended", "")
		require.Equal(
			t,
			[]string{"ExecutionStarted", "TaskCompleted", "TimerCreated", "ExecutionTerminated"},
			types,
		)
		require.NotContains(t, steps[3], "Result")
		d.Ask("POST", durableBase+"/orchestrators/"+azuredurable.Function+"/failed", "null")
		d.Ask("POST", instance("failed")+"/rewind", "")
		_, types = history("failed", "")
		require.Equal(
			t,
			[]string{"ExecutionStarted", "ExecutionCompleted", "ExecutionRewound", "ExecutionCompleted"},
			types,
		)
		require.Equal(t, "0", d.One(t, "SELECT COUNT(*) FROM event WHERE detail LIKE '%20123456%'"))
	})
}

func TestDurableList(t *testing.T) {
	eachDurable(t, func(t *testing.T, d durableClient) {
		require.Equal(t, "[]", d.Ask("GET", durableBase+"/instances", "").Body)
		for n := range 7 { // a second apart; 0 and 1 are over when the last has started
			require.Equal(t, 202, d.BeginAs(fmt.Sprintf("%c-%d", 'a'+n%2, n)).StatusCode)
			d.Pass(15 * time.Second)
		}
		d.Ask("POST", instance("a-6")+"/suspend", "")
		d.Ask("POST", instance("b-5")+"/terminate", "")
		list := func(query string) (ids []string) {
			token := ""
			for {
				r := d.Ask("GET", durableBase+"/instances/"+query, "", "x-ms-continuation-token: "+token)
				require.Equal(t, 200, r.StatusCode, r.Body)
				var all []inboundtest.DurableInstance
				require.NoError(t, json.Unmarshal([]byte(r.Body), &all))
				for _, s := range all {
					ids = append(ids, s.InstanceID)
				}
				if token = r.Header.Get("x-ms-continuation-token"); token == "" {
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
		first := d.Ask(
			"GET",
			durableBase+"/instances?top=1&showInput=false&taskHub=Hub&connectionName=Storage",
			"",
		)
		require.Contains(t, first.Body, `"input":null`)
		require.NotEmpty(t, first.Header.Get("x-ms-continuation-token"))
		for _, query := range []string{
			"top=0", "top=x", "createdTimeFrom=yesterday", "createdTimeTo=1",
			"runtimeStatus=Running,Jogging", "runtimeStatus=,", "instanceIdPrefix=%00",
			"instanceIdPrefix=%ff",
		} {
			d.Refused(d.Ask("GET", durableBase+"/instances?"+query, ""), 400, saysArgument)
		}
		token := first.Header.Get("x-ms-continuation-token")
		for _, garbage := range []string{
			"\xff", "garbage", "0", "~", "a-0", token[1:], token + "0", strings.ToUpper(token),
			"{" + token + "}",
		} {
			r := d.Ask("GET", durableBase+"/instances", "", "x-ms-continuation-token: "+garbage)
			d.Refused(r, 400, saysArgument)
		}
	})
}

func TestDurablePurge(t *testing.T) {
	eachDurable(t, func(t *testing.T, d durableClient) {
		for _, id := range []string{"a", "b", "c"} {
			d.BeginAs(id)
		}
		require.Equal(t, 412, d.Ask("DELETE", instance("a"), "").StatusCode)
		d.Pass(91 * time.Second)
		d.BeginAs("running")
		d.Ask("POST", instance("c")+"/terminate", "")
		require.Equal(t, `{"instancesDeleted":1}`, d.Ask("DELETE", instance("a"), "").Body)
		d.Empty(d.Ask("DELETE", instance("a"), ""), 404)
		d.Empty(d.Ask("GET", instance("a"), ""), 404)

		all := durableBase + "/instances/"
		r := d.Ask("DELETE", all, "")
		require.Equal(t, 400, r.StatusCode)
		require.Equal(t, `"Please provide value for 'createdTimeFrom' parameter."`, r.Body)
		// What cannot be read must not purge more than was meant.
		for _, query := range []string{
			"createdTimeFrom=x", "createdTimeFrom=2000-01-01&createdTimeTo=x",
			"createdTimeFrom=2000-01-01&runtimeStatus=x",
		} {
			d.Refused(d.Ask("DELETE", all+"?"+query, ""), 400, saysArgument)
		}
		for _, query := range []string{
			"createdTimeFrom=2024-01-01", "createdTimeFrom=2000-01-01&runtimeStatus=Running,Failed",
			"createdTimeFrom=2000-01-01&createdTimeTo=2001-01-01",
		} {
			d.Empty(d.Ask("DELETE", all+"?"+query, ""), 404)
		}
		require.Equal(
			t,
			`{"instancesDeleted":2}`,
			d.Ask("DELETE", all+"?createdTimeFrom=2000-01-01T00:00:00Z", "").Body,
		)
		d.Stands("running", 202, azuredurable.Running, "null")
		require.Equal(t, "1", d.One(t, "SELECT COUNT(*) FROM durable_instance"))
	})
}

// A start can wait for the end: for the bare output, for the status of another end, or for nothing.
func TestDurableWait(t *testing.T) {
	longtest.Skip(t)
	onlyDurable(t, func(t *testing.T, d durableClient) {
		path := func(id, query string) string {
			return durableBase + "/orchestrators/" + azuredurable.Function + "/" + id + "?" + query
		}
		began := time.Now()
		r := d.Ask("POST", path("short", "timeout=0.2&pollingInterval=0.1"), `"`+phone+`"`)
		require.Equal(t, 202, r.StatusCode)
		require.Contains(t, r.Body, `"statusQueryGetUri"`)
		require.GreaterOrEqual(t, time.Since(began), 200*time.Millisecond)
		require.Equal(
			t,
			202,
			d.Ask("POST", path("without", "timeout=60"), `"`+phone+`"`).StatusCode,
			"both numbers make it wait",
		)
		require.Equal(
			t,
			202,
			d.Ask("POST", path("none", "timeout=0&pollingInterval=0"), `"`+phone+`"`).StatusCode,
		)

		started := func(id string) (done chan inboundtest.Response) {
			done = make(chan inboundtest.Response, 1)
			go func() { done <- d.Ask("POST", path(id, "timeout=30&pollingInterval=0"), `"`+phone+`"`) }()
			require.Eventually(
				t,
				func() bool { return d.Ask("GET", instance(id), "").StatusCode == 202 },
				time.Minute,
				10*time.Millisecond,
			)
			return done
		}
		done := started("done")
		code, _ := d.Texted(t)
		d.Raise("done", code)
		r = <-done
		require.Equal(t, 200, r.StatusCode)
		require.Equal(t, "true", r.Body)
		ended := started("ended")
		d.Ask("POST", instance("ended")+"/terminate?reason=why", "")
		r = <-ended
		require.Equal(t, 200, r.StatusCode)
		require.Contains(t, r.Body, `"runtimeStatus":"Terminated"`)

		// A server that shuts down keeps no client waiting.
		waiting := started("waiting")
		d.Inbound.Draining.Store(true)
		require.Equal(t, 202, (<-waiting).StatusCode)
	})
}

// Another tenant's key opens another tenant's instances.
func TestDurableTenantsAreApart(t *testing.T) {
	onlyDurable(t, func(t *testing.T, d durableClient) {
		require.Equal(t, 202, d.BeginAs("mine").StatusCode)
		d.Change(func(s *inbound.Server) {
			s.Settings = inboundtest.Settings(
				t,
				"SMSBRIDGE_TENANT=beta",
				"SMSBRIDGE_DURABLE_CODE="+systemKey,
			)
		})
		for _, r := range []inboundtest.Response{
			d.Ask("GET", instance("mine"), ""), d.Raise("mine", "1234"),
			d.Ask("DELETE", instance("mine"), ""), d.Ask("POST", instance("mine")+"/terminate", ""),
		} {
			d.Empty(r, 404)
		}
		require.Equal(t, "[]", d.Ask("GET", durableBase+"/instances", "").Body)
		require.Equal(t, 202, d.BeginAs("mine").StatusCode)
	})
}

// A door whose database does not respond says so, and nothing of it.
func TestDurableUnavailable(t *testing.T) {
	onlyDurable(t, func(t *testing.T, d durableClient) {
		require.NoError(t, d.Store.Close())
		for _, r := range []inboundtest.Response{
			d.BeginAs("x"), d.Ask("GET", instance("x"), ""), d.Raise("x", "1234"),
			d.Ask("GET", durableBase+"/instances", ""), d.Ask("DELETE", instance("x"), ""),
		} {
			d.Refused(r, 500, "Something went wrong while processing your request")
			require.Equal(t, "5", r.Header.Get("Retry-After"))
			require.NotContains(t, r.Body, "sql")
		}
	})
}

// Without a key in the settings the door is shut.
func TestDurableShut(t *testing.T) {
	d := durableClient{Bridge: inboundtest.Open(t, storetest.SQLite(t)), T: t}
	d.Empty(d.Raw("POST", "/orchestrators/"+azuredurable.Function+"?code=", `"`+phone+`"`), 401)
	d.Empty(d.Raw("GET", durableBase+"/instances?code=", ""), 401)
}

// The Python client's requests, to the letter: JSON in JSON, True, and another word for the
// connection.
func TestDurablePython(t *testing.T) {
	onlyDurable(t, func(t *testing.T, d durableClient) {
		r := d.Ask("POST", durableBase+"/orchestrators/"+azuredurable.Function+"/py", `"\"`+phone+`\""`)
		require.Equal(t, 202, r.StatusCode, r.Body)
		code, _ := d.Texted(t)
		status := d.Ask("GET", instance("py")+"?taskHub=Hub&connectionName=Storage&showInput=True"+
			"&showHistory=True&showHistoryOutput=True", "")
		require.Equal(t, 202, status.StatusCode)
		require.Contains(t, status.Body, "historyEvents")
		d.Empty(d.Raise("py", `"`+inboundtest.OtherCode(code)+`"`), 202) // json.dumps(1234)
		d.Empty(d.Raise("py", `"\"`+code+`\""`), 202)                    // json.dumps("1234")
		d.Stands("py", 200, azuredurable.Completed, "true")
	})
}

func TestDurableManyReads(t *testing.T) {
	onlyDurable(t, func(t *testing.T, d durableClient) {
		d.BeginAs("read")
		before := d.Recorded(t)
		var wait sync.WaitGroup
		for range 10 {
			wait.Go(func() { d.Ask("GET", instance("read")+"?showHistory=true", "") })
		}
		wait.Wait()
		require.Equal(t, before, d.Recorded(t), "a GET changes nothing")
	})
}

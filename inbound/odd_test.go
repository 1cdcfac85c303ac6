//go:build !race

package inbound_test

import (
	"encoding/json"
	"flag"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"smsbridge/inbound/inboundtest"
	"smsbridge/internal/store/storetest"
)

var (
	oddSeed  = flag.Uint64("odd.seed", 1, "which requests TestOddRequests makes")
	oddCount = flag.Int("odd.requests", 400, "how many TestOddRequests makes at each door")
)

// oddTexts are values that have broken a parser or a database before, beside some that are right.
var oddTexts = []string{
	"", " ", "\x00", "a\x00b", "\xff", "\xed\xa0\x80", "\u202e", "é", "e\u0301", "🦄", "'", "\"",
	"\\", "%", "%00", "_", "..", "/", "a/b", "?", "#", "null", "true", "[]", "{}", "-1", "0", "1",
	"1e309", "9223372036854775808", "NaN", "inf", "0x10", "１２３４", "482913", "000000", "0", "5",
	"200", "201", "60", "86400", "+4520123456", "+4520123457", "+4520123458", "4520123456",
	"+1 202 555 0123", "+00000000", "+45", "+4512345678901234", "2026-03-01T12:00:00Z",
	"2026-03-01", "0001-01-01T00:00:00Z", "9999-12-31T23:59:59-12:00", "-0001-01-01T00:00:00Z",
	"2026-02-29T25:61:61Z", "00000000-0000-0000-0000-000000000000",
	"01890000-0000-7000-8000-000000000000", "~", "g", "mail", "phone", "letter", "en", "da", "xx",
	"zh-Hant-TW", "en_US.UTF-8", "pending", "Running,Completed", "Failed", "application/json",
	"text/plain", "E4_SmsPhoneVerification", "SmsChallengeResponse", strings.Repeat("x", 300),
	strings.Repeat("ö", 5000), strings.Repeat("9", 400), "line\nline", "\t", "\r\nX: y",
}

// oddRequests makes requests of which some values are odd. With one seed they are the same, as long
// as the responses are.
type oddRequests struct {
	*rand.Rand
	app  inboundtest.App
	flow inboundtest.FlowrouteClient
	ids  []string // of what earlier requests made
}

func (o *oddRequests) text() string {
	if len(o.ids) > 0 && o.IntN(4) == 0 {
		return o.ids[o.IntN(len(o.ids))]
	}
	return oddTexts[o.IntN(len(oddTexts))]
}

func (o *oddRequests) id() string {
	if len(o.ids) > 0 && o.IntN(5) > 0 {
		return o.ids[o.IntN(len(o.ids))]
	}
	return o.text()
}

// or is a value, or now and then an odd one.
func (o *oddRequests) or(value string) string {
	if o.IntN(3) == 0 {
		return o.text()
	}
	return value
}

func (o *oddRequests) phone() string {
	return o.or(fmt.Sprintf("+452012%04d", o.IntN(4)))
}

// body is a JSON object of some of the members, whose values are mostly texts.
func (o *oddRequests) body(members map[string]string, names ...string) string {
	if o.IntN(20) == 0 {
		return o.text()
	}
	object := map[string]any{}
	for _, name := range names {
		if o.IntN(8) == 0 {
			continue
		}
		value, ok := members[name]
		if !ok || o.IntN(3) == 0 {
			value = o.text()
		}
		object[name] = value
		switch o.IntN(20) {
		case 0:
			object[name] = nil
		case 1:
			object[name] = o.IntN(1000)
		case 2:
			object[name] = []any{value}
		}
	}
	text, _ := json.Marshal(object)
	return string(text)
}

func (o *oddRequests) query(names ...string) string {
	v := url.Values{}
	for _, name := range names {
		if o.IntN(2) == 0 {
			v.Add(name, o.text())
		}
	}
	if len(v) == 0 {
		return ""
	}
	return "?" + v.Encode()
}

func (o *oddRequests) headers(names ...string) (headers []string) {
	for _, name := range names {
		value := o.text()
		if o.IntN(3) > 0 || strings.ContainsAny(value, "\x00\n\r") {
			continue
		}
		headers = append(headers, name+": "+value)
	}
	return headers
}

// api makes one request to our own API.
func (o *oddRequests) api() (string, int) {
	id := url.PathEscape(o.id())
	members := map[string]string{"phone": o.phone(), "code": "482913", "locale": "en", "via": "mail",
		"since": "2026-02-01T12:00:00Z", "subject": "alice", "reference": "42", "expires_in": "600"}
	once := o.headers("Idempotency-Key")
	type call struct{ method, path, body string }
	calls := []call{
		{"GET", "/v1/verifications" + o.query("limit", "before", "phone", "state", "status"), ""},
		{"POST", "/v1/verifications", o.body(members, "phone", "code", "locale", "subject")},
		{"POST", "/v1/verifications", o.body(members, "phone", "subject")},
		{"GET", "/v1/verifications/" + id, ""},
		{"POST", "/v1/verifications/" + id + "/check", o.body(members, "code")},
		{"POST", "/v1/verifications/" + id + "/resend", ""},
		{"POST", "/v1/verifications/" + id + "/cancel", ""},
		{"POST", "/v1/questions", o.body(members, "phone", "subject", "reference", "locale")},
		{"GET", "/v1/questions/" + id, ""},
		{"POST", "/v1/questions/" + id + "/cancel", ""},
		{"POST", "/v1/opt-outs", o.body(members, "phone", "via", "since")},
		{"POST", "/v1/opt-outs/find", o.body(members, "phone")},
		{"POST", "/v1/opt-outs/remove", o.body(members, "phone")},
	}
	c := calls[o.IntN(len(calls))]
	r := o.app.Call(c.method, c.path, c.body, once...)
	if r.StatusCode == http.StatusCreated {
		o.ids = append(o.ids, r.ID)
	}
	return fmt.Sprintf("%s %q %q %q", c.method, c.path, c.body, once), r.StatusCode
}

// durable makes one request to the door for Durable Functions.
func (o *oddRequests) durable() (string, int) {
	id := o.id()
	if id == "" || o.IntN(6) == 0 {
		id = fmt.Sprintf("instance-%d", len(o.ids))
	}
	escaped, base := url.PathEscape(id), inboundtest.DurableBase
	instance := inboundtest.DurableInstancePath(escaped)
	phone, _ := json.Marshal(o.phone())
	code, _ := json.Marshal(o.or("482913"))
	filter := o.query("createdTimeFrom", "createdTimeTo", "runtimeStatus", "instanceIdPrefix", "top",
		"showInput", "showHistory", "showHistoryOutput", "returnInternalServerErrorOnFailure")
	reason := o.query("reason", "restartWithNewInstanceId")
	name := url.PathEscape(o.or("E4_SmsPhoneVerification"))
	event := url.PathEscape(o.or("SmsChallengeResponse"))
	type call struct{ method, path, body string }
	calls := []call{
		{"POST", base + "/orchestrators/" + name + "/" + escaped, string(phone)},
		{"POST", base + "/orchestrators/" + name + "/" + escaped, o.text()},
		{"POST", "/orchestrators/" + name, string(phone)},
		{"GET", instance + filter, ""},
		{"GET", base + "/instances" + filter, ""},
		{"GET", base + "/instances/" + filter, ""},
		{"POST", instance + "/raiseEvent/" + event, string(code)},
		{"POST", instance + "/terminate" + reason, ""},
		{"POST", instance + "/suspend" + reason, ""},
		{"POST", instance + "/resume" + reason, ""},
		{"POST", instance + "/rewind" + reason, ""},
		{"POST", instance + "/restart" + reason, ""},
		{"DELETE", instance, ""},
		{"DELETE", base + "/instances" + filter, ""},
	}
	c := calls[o.IntN(len(calls))]
	d := inboundtest.DurableClient{Bridge: o.app.Bridge, T: o.app.T}
	headers := o.headers("x-ms-continuation-token")
	r := d.Ask(c.method, c.path, c.body, headers...)
	var links inboundtest.DurableLinks
	if r.StatusCode == http.StatusAccepted && json.Unmarshal([]byte(r.Body), &links) == nil {
		o.ids = append(o.ids, links.ID)
	}
	return fmt.Sprintf("%s %q %q %q: %s", c.method, c.path, c.body, headers, r.Body), r.StatusCode
}

// flowroute makes one request to the door of Flowroute's verification service.
func (o *oddRequests) flowroute() (string, int) {
	id := o.id()
	if o.IntN(6) == 0 {
		id = fmt.Sprintf("auth-%d", len(o.ids))
		o.ids = append(o.ids, id)
	}
	body := o.body(map[string]string{"auth_id": id, "recipient": o.phone(), "code": o.or("4829")},
		"auth_id", "recipient", "code")
	query := url.Values{"auth_id": {id}, "code": {o.or("4829")}}.Encode()
	type call struct{ method, path, body string }
	calls := []call{{"POST", "/", body}, {"POST", "/check", body}, {"GET", "/?" + query, ""}}
	c := calls[o.IntN(len(calls))]
	at := strings.TrimSuffix(o.flow.Endpoint, "/") + c.path
	r, err := http.NewRequest(c.method, at, strings.NewReader(c.body))
	require.NoError(o.app.T, err)
	r.Header.Set("Content-Type", "application/json")
	res := o.flow.SendAs(o.app.T, r)
	return fmt.Sprintf("%s %q %q: %s", c.method, c.path, c.body, res.Body), res.StatusCode
}

var uuids = regexp.MustCompile(`[0-9a-f]{8}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{12}`)

// Ensure that no value that a caller with a key sends has the bridge fail. Both databases must have
// it respond alike.
func TestOddRequests(t *testing.T) {
	for door, ask := range map[string]func(*oddRequests) (string, int){
		"api": (*oddRequests).api, "durable": (*oddRequests).durable,
		"flowroute": (*oddRequests).flowroute,
	} {
		t.Run(door, func(t *testing.T) {
			heard := map[string][]string{}
			for name, address := range map[string]string{
				"sqlite": storetest.SQLite(t), "postgres": storetest.PostgreSQL(t),
			} {
				b := openBridge(t, address, append(inboundtest.APISettings(),
					"SMSBRIDGE_FLOWROUTE_ADDR=127.0.0.1:8000",
					"SMSBRIDGE_DURABLE_CODE="+inboundtest.DurableKey)...)
				o := &oddRequests{rand.New(rand.NewPCG(*oddSeed, 0)), inboundtest.NewApp(t, b.Bridge),
					inboundtest.OpenFlowroute(t, b.Bridge), nil}
				for range *oddCount {
					b.Now = b.Now.Add(time.Duration(o.IntN(40)) * time.Second)
					said, status := ask(o)
					require.Less(t, status, 500, "%s: %s", name, said)
					said = uuids.ReplaceAllString(said, "ID")
					heard[name] = append(heard[name], fmt.Sprint(status, " ", said))
				}
				require.NotContains(t, b.Log.Take(), `"level":"ERROR"`)
			}
			for i, said := range heard["sqlite"] {
				require.Equal(t, said, heard["postgres"][i])
			}
		})
	}
}

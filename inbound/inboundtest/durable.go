package inboundtest

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"smsbridge/internal/azuredurable"
)

// What a client of Azure Durable Functions holds and asks for.
const (
	DurableKey     = "key-of-the-durable-door-0123456789"
	DurableNewKey  = "key-of-the-durable-door-9876543210"
	DurableBase    = "/runtime/webhooks/durabletask"
	durableAsKey   = "code=" + DurableKey
	durableResults = "/raiseEvent/" + azuredurable.Event
)

// DurableClient is an app that uses the HTTP API of Durable Functions by hand.
type DurableClient struct {
	*Bridge
	T testing.TB
}

// DurableLinks are the URLs with which a client goes on.
type DurableLinks struct {
	ID                    string `json:"id"`
	StatusQueryGetURI     string `json:"statusQueryGetUri"`
	SendEventPostURI      string `json:"sendEventPostUri"`
	TerminatePostURI      string `json:"terminatePostUri"`
	PurgeHistoryDeleteURI string `json:"purgeHistoryDeleteUri"`
	RestartPostURI        string `json:"restartPostUri"`
	SuspendPostURI        string `json:"suspendPostUri"`
	ResumePostURI         string `json:"resumePostUri"`
	RewindPostURI         string `json:"rewindPostUri"`
}

// DurableInstance is how an instance is shown.
type DurableInstance struct {
	Name            string              `json:"name"`
	InstanceID      string              `json:"instanceId"`
	RuntimeStatus   azuredurable.Status `json:"runtimeStatus"`
	Input           json.RawMessage     `json:"input"`
	CustomStatus    any                 `json:"customStatus"`
	Output          json.RawMessage     `json:"output"`
	CreatedTime     string              `json:"createdTime"`
	LastUpdatedTime string              `json:"lastUpdatedTime"`
	HistoryEvents   []azuredurable.Step `json:"historyEvents"`
}

// Ask makes a request with the key and a JSON body. The path may be one of the bridge's own public
// URLs.
func (d DurableClient) Ask(method, path, body string, headers ...string) Response {
	d.T.Helper()
	path = strings.TrimPrefix(path, PublicURL)
	if !strings.Contains(path, "code=") {
		mark := "?"
		if strings.Contains(path, "?") {
			mark = "&"
		}
		path += mark + durableAsKey
	}
	return d.Raw(method, path, body, append([]string{"Content-Type: application/json"}, headers...)...)
}

// Raw makes a request as it is given; headers are "Name: value".
func (d DurableClient) Raw(method, path, body string, headers ...string) Response {
	d.T.Helper()
	r, err := http.NewRequest(method, d.URL+path, strings.NewReader(body))
	require.NoError(d.T, err)
	for _, header := range headers {
		name, value, _ := strings.Cut(header, ": ")
		r.Header.Set(name, value)
	}
	return d.Send(d.T, r)
}

// Begin starts an instance as the sample's page says.
func (d DurableClient) Begin() (links DurableLinks) {
	d.T.Helper()
	r := d.Ask("POST", "/orchestrators/"+azuredurable.Function, `"`+Phone+`"`)
	require.Equal(d.T, 202, r.StatusCode, r.Body)
	require.NoError(d.T, json.Unmarshal([]byte(r.Body), &links))
	return links
}

// BeginAs starts an instance with an id.
func (d DurableClient) BeginAs(id string) Response {
	d.T.Helper()
	return d.Ask("POST", DurableBase+"/orchestrators/"+azuredurable.Function+"/"+id, `"`+Phone+`"`)
}

// DurableInstancePath is the path of an instance.
func DurableInstancePath(id string) string { return DurableBase + "/instances/" + id }

// Raise presents a code.
func (d DurableClient) Raise(id, payload string) Response {
	d.T.Helper()
	return d.Ask("POST", DurableInstancePath(id)+durableResults, payload)
}

// Stands shows how an instance stands.
func (d DurableClient) Stands(
	id string, httpStatus int, status azuredurable.Status, output string,
) DurableInstance {
	d.T.Helper()
	r := d.Ask("GET", DurableInstancePath(id), "")
	require.Equal(d.T, httpStatus, r.StatusCode, r.Body)
	var i DurableInstance
	require.NoError(d.T, json.Unmarshal([]byte(r.Body), &i))
	require.Equal(d.T, status, i.RuntimeStatus)
	require.Equal(d.T, output, string(i.Output))
	return i
}

// Pass lets time pass.
func (d DurableClient) Pass(t time.Duration) { d.Bridge.Now = d.Bridge.Now.Add(t) }

// Empty shows a response without a body.
func (d DurableClient) Empty(r Response, status int) {
	d.T.Helper()
	require.Equal(d.T, status, r.StatusCode, r.Body)
	require.Empty(d.T, r.Body)
}

// Refused shows an error as ASP.NET writes it.
func (d DurableClient) Refused(r Response, status int, message string) {
	d.T.Helper()
	require.Equal(d.T, status, r.StatusCode, r.Body)
	var e map[string]string
	require.NoError(d.T, json.Unmarshal([]byte(r.Body), &e), r.Body)
	require.Equal(d.T, message, e["Message"])
	require.NotContains(d.T, e, "StackTrace")
}

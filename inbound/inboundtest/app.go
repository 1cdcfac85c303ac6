package inboundtest

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// What a tenant's app holds and sends.
const (
	APIKey    = "key-of-the-web-app-0123456789abcdef"
	Retiring  = "key-of-the-web-app-fedcba9876543210"
	OwnCode   = "482913"
	StartBody = `{"phone":"` + Phone + `","code":"` + OwnCode + `"}`
)

// problemNames is how the type of every problem starts.
const problemNames = "urn:smsbridge:problem:"

// APISettings are the variables of a tenant whose app uses the API.
func APISettings() []string {
	return []string{
		"SMSBRIDGE_API_KEY=" + APIKey + "," + Retiring,
		"SMSBRIDGE_CODE_DOMAIN=login.acme.example", "SMSBRIDGE_ORG_NAME=Acme Inc",
	}
}

// App is a tenant's app, which holds every response to openapi.yaml.
type App struct {
	*Bridge
	T    testing.TB
	Spec Description
	Key  string
	Seen map[string]bool // types of problems
}

// NewApp is an app at a bridge that was opened with APISettings.
func NewApp(t testing.TB, b *Bridge) App {
	t.Helper()
	return App{b, t, ReadDescription(t, b), APIKey, map[string]bool{}}
}

// Verification is a verification as the API shows it.
type Verification struct {
	ID          string `json:"id"`
	Status      string `json:"status"`
	Phone       string `json:"phone"`
	Door        string `json:"door"`
	ExternalID  string `json:"external_id"`
	Attempts    int    `json:"attempts"`
	MaxAttempts int    `json:"max_attempts"`
	Sends       int    `json:"sends"`
	MaxSends    int    `json:"max_sends"`
	CreatedAt   string `json:"created_at"`
	ExpiresAt   string `json:"expires_at"`
	NextSendAt  string `json:"next_send_at"`
	EndedAt     string `json:"ended_at"`
	Reason      string `json:"reason"`
	Delivery    struct {
		State string `json:"state"`
		At    string `json:"at"`
	} `json:"delivery"`
}

// Problem is a problem as the API shows it.
type Problem struct {
	Type         string        `json:"type"`
	Title        string        `json:"title"`
	Status       int           `json:"status"`
	Detail       string        `json:"detail"`
	Field        string        `json:"field"`
	Verification *Verification `json:"verification"`
}

// APIResponse is a response of the API, read as a verification and as a problem.
type APIResponse struct {
	Response
	Verification
	Problem Problem
}

// Kind is the end of the problem's type, "" for no problem.
func (r APIResponse) Kind() string { return strings.TrimPrefix(r.Problem.Type, problemNames) }

// Call makes a request; headers are "Name: value".
func (a App) Call(method, path, body string, headers ...string) (r APIResponse) {
	a.T.Helper()
	request, err := http.NewRequest(method, a.URL+path, strings.NewReader(body))
	require.NoError(a.T, err)
	if a.Key != "" {
		request.Header.Set("Authorization", "Bearer "+a.Key)
	}
	if body != "" {
		request.Header.Set("Content-Type", "application/json")
	}
	for _, header := range headers {
		name, value, _ := strings.Cut(header, ": ")
		if name == "Content-Type" {
			request.Header.Del(name)
		}
		request.Header.Add(name, value)
	}
	r.Response = a.Send(a.T, request)
	a.Spec.Described(a.T, method, path, r.StatusCode, r.Header, []byte(r.Body))
	var read any = &r.Verification
	if r.StatusCode >= 400 {
		read = &r.Problem
	}
	require.NoError(a.T, json.Unmarshal([]byte(r.Body), read))
	if r.Problem.Type != "" {
		a.Seen[r.Kind()] = true
	}
	return r
}

// Create starts the verification of StartBody.
func (a App) Create() APIResponse {
	a.T.Helper()
	r := a.Call("POST", "/v1/verifications", StartBody)
	require.Equal(a.T, http.StatusCreated, r.StatusCode, r.Body)
	return r
}

// Check presents a code.
func (a App) Check(id, code string) APIResponse {
	a.T.Helper()
	return a.Call("POST", "/v1/verifications/"+id+"/check", `{"code":"`+code+`"}`)
}

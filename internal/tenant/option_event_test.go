//go:build !race

package tenant

import (
	"testing"

	"github.com/stretchr/testify/require"
)

const eventKey = "SMSBRIDGE_EVENTS_SECRET=" + hookSecret

// Ensure that the addresses are read with their types, and that an address wants just those.
func TestEvents(t *testing.T) {
	s, err := FromEnv(oneTenant("SMSBRIDGE_EVENTS=app=https://a.example/h?x=1  question.* text.sent,"+
		" crm=https://b.example", "SMSBRIDGE_EVENTS_SECRET="+hookSecret+","+otherHook))
	require.NoError(t, err)
	events := s.Tenants.All()[0].Events
	require.Equal(t, []Endpoint{
		{"app", "https://a.example/h?x=1", []string{"question.*", "text.sent"}},
		{"crm", "https://b.example", []string{}},
	}, events.To)
	require.Len(t, events.Keys(), 2)
	app, found := events.Endpoint("app")
	require.True(t, found)
	for kind, want := range map[string]bool{
		"question.asked": true, "text.sent": true, "text.failed": false, "limit.reached": false,
	} {
		require.Equal(t, want, app.Wants(kind), kind)
		require.True(t, events.To[1].Wants(kind))
	}
	_, found = events.Endpoint("other")
	require.False(t, found)
}

// Ensure that what is wrong with the settings of events is said with a remedy.
func TestEventMistakes(t *testing.T) {
	many := ""
	for i := range 11 {
		many += string(rune('a'+i)) + "=https://a.example,"
	}
	for to, want := range map[string]string{
		"https://a.example/h":              "does not begin with a name",
		"App=https://a.example/":           "does not begin with a name",
		"app=ftp://a.example/":             "has no web address",
		"app=https://u:p@a.example/":       "has no web address",
		"app=https://a.example/#x":         "has no web address",
		"app=https://a.example/ text.read": "which is no type of an event",
		"app=https://a.example/ [":         "which is no type of an event",
		"a=https://a.example,a=https://b":  "has a name that is there twice",
		many:                               "more than ten addresses",
		"app=http://a.example/":            "has plain http",
		"app=HTTP://a.example/":            "has plain http",
	} {
		_, err := FromEnv(oneTenant("SMSBRIDGE_EVENTS="+to, eventKey))
		require.ErrorContains(t, err, want, to)
	}
	_, err := FromEnv(oneTenant("SMSBRIDGE_EVENTS=app=https://a.example/"))
	require.ErrorContains(t, err, "SMSBRIDGE_EVENTS_SECRET: is missing beside SMSBRIDGE_EVENTS")
	_, err = FromEnv(oneTenant(eventKey))
	require.ErrorContains(t, err, "SMSBRIDGE_EVENTS: is missing beside SMSBRIDGE_EVENTS_SECRET")
	_, err = FromEnv(oneTenant("SMSBRIDGE_EVENTS=app=https://a.example/",
		"SMSBRIDGE_EVENTS_SECRET=whsec_short"))
	require.ErrorContains(t, err, "is not whsec_")
}

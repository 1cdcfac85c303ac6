//go:build !race

package tenant

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"smsbridge/internal/segment"
)

var (
	doorKey  = "k2d8f0a1c95e7b3648f0d2ac"
	otherKey = "o7b1e93d5f08c2a6417d9e0b"
)

// The doors are as the services they stand in for, unless they are told otherwise.
func TestDoorDefaults(t *testing.T) {
	acme := mustTenant(t)
	require.Equal(t, FlowrouteDoor{CodeLength: 4, CodeExpiration: time.Hour, RetriesAllowed: 3},
		acme.Doors.Flowroute)
	require.Equal(t, DurableDoor{CodeLength: 4, ValidFor: 90 * time.Second, Attempts: 4},
		acme.Doors.Durable)
	require.Equal(t, "0042\nWelcome to ACME! Use this one-time code to complete your signup.",
		acme.FlowrouteDoorText("0042"))
	require.Equal(t, 1, segment.Measure(acme.FlowrouteDoorText("0042")).Segments)
	require.Equal(t, acme.FlowrouteDoorText("0042"), (&Tenant{Name: "ACME"}).FlowrouteDoorText("0042"),
		"without loading")
}

func TestDoorSettings(t *testing.T) {
	acme := mustTenant(t, "SMSBRIDGE_FLOWROUTE_ADDR=:8000",
		"SMSBRIDGE_FLOWROUTE_DOOR_KEY="+doorKey+","+otherKey, "SMSBRIDGE_FLOWROUTE_CODE_LENGTH=8",
		"SMSBRIDGE_FLOWROUTE_CODE_EXPIRATION=90s", "SMSBRIDGE_FLOWROUTE_RETRIES_ALLOWED=1",
		"SMSBRIDGE_ORG_NAME=Acme Ltd",
		"SMSBRIDGE_FLOWROUTE_AUTH_MESSAGE={{.Name}}: {{.Code}}", "SMSBRIDGE_DURABLE_CODE=d"+doorKey)
	require.Equal(t, ":8000", acme.Doors.Flowroute.Addr)
	require.Equal(t, 8, acme.Doors.Flowroute.CodeLength)
	require.Equal(t, 90*time.Second, acme.Doors.Flowroute.CodeExpiration)
	require.Equal(t, 1, acme.Doors.Flowroute.RetriesAllowed)
	require.Equal(t, "Acme Ltd: 1234", acme.FlowrouteDoorText("1234"))
	for key, want := range map[string]bool{doorKey: true, otherKey: true, "": false,
		doorKey + "k": false, strings.ToUpper(doorKey): false} {
		require.Equal(t, want, acme.Doors.Flowroute.Allows(key))
	}
	require.True(t, FlowrouteDoor{}.Allows(""), "a door without keys asks for none")
}

func TestByDurableCode(t *testing.T) {
	a := &Tenant{Slug: "a",
		Doors: Doors{Durable: DurableDoor{Codes: []KeyCheck{NewKeyCheck(doorKey)}}}}
	b := &Tenant{Slug: "b", Doors: Doors{Durable: DurableDoor{Codes: []KeyCheck{NewKeyCheck("retired"),
		NewKeyCheck(otherKey)}}}}
	set := Set{[]*Tenant{a, b, {Slug: "c"}}}
	for code, want := range map[string]*Tenant{doorKey: a, otherKey: b, "retired": b} {
		found, ok := set.ByDurableCode(code)
		require.True(t, ok)
		require.Same(t, want, found)
	}
	for _, code := range []string{"", "k", doorKey + " "} {
		_, ok := set.ByDurableCode(code)
		require.False(t, ok)
	}
}

func TestDoorMistakes(t *testing.T) {
	for _, tt := range []struct{ change, where, what, hint string }{
		{"SMSBRIDGE_FLOWROUTE_ADDR=8000", "SMSBRIDGE_FLOWROUTE_ADDR", "not an address to listen on",
			"127.0.0.1:8000"},
		{"SMSBRIDGE_FLOWROUTE_ADDR=:8000", "SMSBRIDGE_FLOWROUTE_DOOR_KEY",
			"not on the loopback interface", "openssl rand"},
		{"SMSBRIDGE_FLOWROUTE_ADDR=0.0.0.0:8000", "SMSBRIDGE_FLOWROUTE_DOOR_KEY",
			"not on the loopback interface", "openssl rand"},
		{"SMSBRIDGE_FLOWROUTE_ADDR=flowroute.acme.example:8000", "SMSBRIDGE_FLOWROUTE_DOOR_KEY",
			"not on the loopback interface", "openssl rand"},
		{"SMSBRIDGE_FLOWROUTE_DOOR_KEY=" + doorKey, "SMSBRIDGE_FLOWROUTE_ADDR", "is missing beside",
			"127.0.0.1:8000"},
		{"SMSBRIDGE_FLOWROUTE_CODE_LENGTH=3", "SMSBRIDGE_FLOWROUTE_CODE_LENGTH",
			"not a number from 4 to 10", "digits only"},
		{"SMSBRIDGE_FLOWROUTE_CODE_EXPIRATION=3600", "SMSBRIDGE_FLOWROUTE_CODE_EXPIRATION",
			"not a duration", "unit"},
		{"SMSBRIDGE_FLOWROUTE_RETRIES_ALLOWED=0", "SMSBRIDGE_FLOWROUTE_RETRIES_ALLOWED",
			"not a number from 1 to 10", "digits only"},
		{"SMSBRIDGE_FLOWROUTE_AUTH_MESSAGE={}", "SMSBRIDGE_FLOWROUTE_AUTH_MESSAGE",
			"does not say the code", "{{.Code}}"},
		{"SMSBRIDGE_FLOWROUTE_AUTH_MESSAGE={{.Code}} x.example", "SMSBRIDGE_FLOWROUTE_AUTH_MESSAGE",
			"as a link", "no links"},
		{"SMSBRIDGE_DURABLE_CODE=short", "SMSBRIDGE_DURABLE_CODE", "too short", "openssl rand"},
	} {
		_, err := FromEnv(oneTenant(tt.change))
		mistakes := mistakesOf(t, err)
		require.Len(t, mistakes, 1, tt.change)
		require.Equal(t, tt.where, mistakes[0].Where)
		require.Contains(t, mistakes[0].What, tt.what)
		require.Contains(t, mistakes[0].Hint, tt.hint)
	}
	_, err := FromEnv(oneTenant("SMSBRIDGE_ADDR=127.0.0.1:8000",
		"SMSBRIDGE_FLOWROUTE_ADDR=127.0.0.1:8000"))
	require.Contains(t, mistakesOf(t, err)[0].What, "where the bridge itself listens")

	beta := strings.NewReplacer("slug: acme", "slug: beta", "name: ACME", "name: Beta", "sms.acme",
		"sms.beta").Replace(minimal)
	_, tenants, _ := strings.Cut(beta, "tenants:\n")
	doors := "    flowroute_door: {addr: \"localhost:8000\"}\n    durable_door: {code: env:DURABLE}\n"
	_, err = load(t, minimal+doors+tenants+doors, "DURABLE="+doorKey)
	mistakes := mistakesOf(t, err)
	require.Len(t, mistakes, 2, "%v", err)
	require.Contains(t, mistakes[0].What, "another tenant's")
	require.Contains(t, mistakes[1].What, "another tenant's")
}

// Four digits are what the doors' clients expect, and too few by our own measure: that is said.
func TestDoorWarnings(t *testing.T) {
	for _, change := range []string{"SMSBRIDGE_FLOWROUTE_ADDR=[::1]:8000",
		"SMSBRIDGE_DURABLE_CODE=" + doorKey} {
		s, err := FromEnv(oneTenant(change))
		require.NoError(t, err)
		require.Len(t, otherWarnings(s), 1, change)
		require.Contains(t, otherWarnings(s)[0], "10 guesses a day at codes of 4 digits")
	}
	s, err := FromEnv(oneTenant("SMSBRIDGE_FLOWROUTE_ADDR=localhost:8000",
		"SMSBRIDGE_FLOWROUTE_CODE_LENGTH=6"))
	require.NoError(t, err)
	require.Empty(t, otherWarnings(s))
}

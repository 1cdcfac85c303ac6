package main

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// Ensure that the name of who recorded an opt-out cannot make the list look otherwise. It may come
// from the file of another bridge.
func TestOptOutListPrintsNoControls(t *testing.T) {
	i := openInsider(t)
	status, said := i.says(t, "+4520123456,all,,,,mail,\"ann\x1b[2K\n+45******57  all\",2026-01-31\n",
		"optout", "import", "-")
	require.Zero(t, status, said)
	status, said = i.says(t, "", "optout", "list")
	require.Zero(t, status, said)
	require.NotContains(t, said, "\x1b")
	require.Len(t, strings.Split(strings.TrimSpace(said), "\n"), 2, "the head and one opt-out")
}

// Ensure that an opt-out does not begin in the future, as little as one of /v1 does. A date may be
// tomorrow's in UTC.
func TestOptOutSinceTheFuture(t *testing.T) {
	i := openInsider(t)
	add := func(phone string, since time.Time) (int, string) {
		return i.says(t, "", "optout", "add", phone, "--by", "ann", "--since",
			since.UTC().Format(time.DateOnly))
	}
	status, said := add("+4520123456", time.Now().AddDate(1, 0, 0))
	require.Equal(t, exitMistake, status, said)
	require.Contains(t, said, "error: the time is in the future")
	status, said = add("+4520123456", time.Now().Add(14*time.Hour))
	require.Zero(t, status, said)
	require.Contains(t, said, "recorded")
	status, said = i.says(t, "+4520123457,all,,,,mail,ann,"+
		time.Now().AddDate(1, 0, 0).UTC().Format(time.DateOnly)+"\n", "optout", "import", "-")
	require.Equal(t, exitMistake, status, said)
	require.Contains(t, said, "error: line 1: the time is in the future")
}

package main

import (
	"strings"
	"testing"

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

//go:build !race

package main

import (
	"io"
	"testing"

	"github.com/alecthomas/kong"
	"github.com/stretchr/testify/require"
)

// Ensure that a tag gets the help that it names, in commands, arguments and flags. One without a
// help is refused.
func TestHelpsOfTags(t *testing.T) {
	var c struct {
		Go struct {
			Where string `arg:"" help:"${where}"`
			Fast  bool   `help:"${fast}"`
			Plain bool   `help:"as it is"`
		} `cmd:"" help:"${go}"`
	}
	helps := kong.Vars{"go": "goes", "where": "to ${nowhere}", "fast": "quickly"}
	_, err := kong.New(&c, withHelps(helps))
	require.ErrorContains(t, err, "undefined variable ${nowhere}")
	helps["where"] = "there"
	parser, err := kong.New(&c, withHelps(helps), withHelps())
	require.NoError(t, err)
	node := parser.Model.Children[0]
	require.Equal(t, "goes", node.Help)
	require.Equal(t, "there", node.Positional[0].Help)
	require.Equal(t, "quickly", node.Flags[0].Help)
	require.Equal(t, "as it is", node.Flags[1].Help)
	delete(helps, "fast")
	_, err = kong.New(&c, withHelps(helps))
	require.ErrorContains(t, err, "undefined variable ${fast}")
}

// Ensure that what each command does first costs little: helps that kong expands for every flag
// cost three times as much.
func TestStartAllocatesLittle(t *testing.T) {
	start := func() {
		w := world{stdout: io.Discard, stderr: io.Discard}
		require.Zero(t, run(t.Context(), []string{"--version"}, w))
	}
	require.Less(t, testing.AllocsPerRun(3, start), 16_000.0)
}

package main

import (
	"bytes"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// Ensure that arguments that cannot be read are explained in our words, with a hint that leads to
// the help of their command.
func TestMisuse(t *testing.T) {
	const all = "smsbridge --help lists the commands"
	for _, tt := range []struct{ args, what, hint string }{
		{"chek", `unexpected argument chek, did you mean "check"?`, all},
		{"--confg x", "unknown flag --confg", all},
		{"check --confg x", "unknown flag --confg, did you mean", "smsbridge check --help says"},
		{"check --config", "--config has no value", "smsbridge check --help says"},
		{"optout add +4512345678 --by", "--by has no value", "smsbridge optout add --help says"},
		{"optout add --by --config +4512345678", "--by has no value", "smsbridge optout add --help"},
		{"show", "<phone> is missing", "smsbridge show --help says"},
		{"show +45 12345678", "unexpected argument 12345678", "without blanks, such as +4512345678"},
		{"jobs drop 12 13", "unexpected argument 13", "smsbridge jobs drop --help says"},
		{"jobs retry abc", `<id> is "abc", which is not a whole number`, "smsbridge jobs retry --help"},
		{"usage --since yesterday", `--since is "yesterday", which is not a duration such as 90m`,
			"smsbridge usage --help says"},
		{"jobs lst", "unexpected argument lst", "smsbridge jobs list --help says"},
		{"help chek", "unexpected argument chek", all},
	} {
		var stderr bytes.Buffer
		w := world{stdout: &bytes.Buffer{}, stderr: &stderr}
		require.Equal(t, exitMistake, run(t.Context(), strings.Fields(tt.args), w), tt.args)
		said := strings.Split(strings.TrimSpace(stderr.String()), "\n")
		require.Len(t, said, 2, tt.args)
		require.Contains(t, said[0], "smsbridge: error: "+tt.what, tt.args)
		require.Contains(t, said[1], tt.hint, tt.args)
	}
}

// Ensure that help and version are understood as commands: kong took help for a misspelled hold,
// which stops all texts.
func TestHelpAsCommand(t *testing.T) {
	for args, want := range map[string]string{
		"": "Usage: smsbridge <command>", "help": "Usage: smsbridge <command>",
		"help hold": "Usage: smsbridge hold", "version": "smsbridge ",
	} {
		var stdout, stderr bytes.Buffer
		w := world{stdout: &stdout, stderr: &stderr}
		require.Zero(t, run(t.Context(), strings.Fields(args), w), args)
		require.Contains(t, stdout.String(), want, args)
		require.Empty(t, stderr.String(), args)
	}
}

package main

import (
	"errors"
	"regexp"
	"slices"
	"strings"

	"github.com/alecthomas/kong"
)

// This file tells what is wrong with the arguments in our words: those of kong speak of its tokens.

// misuse explains why arguments cannot be read. The hint names the command that they began with.
func misuse(args []string, err error) mistake {
	what, hint := err.Error(), "smsbridge --help lists the commands and what they take"
	var parsed *kong.ParseError
	if errors.As(err, &parsed) && parsed.Context.Command() != "" {
		hint = "smsbridge " + nameOf(parsed.Context) + " --help says what the command takes"
	}
	begun := func(arg string) bool { return strings.HasPrefix(arg, "+") }
	digits, _ := regexp.MatchString(`^unexpected argument [0-9]+$`, what)
	if digits && slices.ContainsFunc(args, begun) {
		hint = "write a phone number without blanks, such as +4512345678"
	}
	return mistake{inOurWords(what), hint}
}

// inOurWords says what kong says of an argument that it could not read: its name, what kong
// expected, and what was there. The patterns are made here, since a right start needs none.
func inOurWords(what string) string {
	for _, said := range []struct{ pattern, ours string }{
		{`(\S+): expected \S+ value but got .*`, "$1 has no value"},
		{`(\S+): expected a valid \d+ bit int but got ("[^"]*").*`,
			"$1 is $2, which is not a whole number"},
		{`(\S+): expected duration but got ("[^"]*").*`,
			"$1 is $2, which is not a duration such as 90m or 24h"},
		{`expected "(<[^"]*)"`, "$1 is missing"},
	} {
		whole := regexp.MustCompile(`(?s)^` + said.pattern + `$`)
		what = whole.ReplaceAllString(what, said.ours)
	}
	return what
}

// asFlags turns the words help and version, as other programs have them for commands, into flags.
func asFlags(args []string) []string {
	switch {
	case len(args) == 0:
		return []string{"--help"}
	case args[0] == "help":
		return append(slices.Clone(args[1:]), "--help")
	case len(args) == 1 && args[0] == "version":
		return []string{"--version"}
	}
	return args
}

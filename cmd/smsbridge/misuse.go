package main

import (
	"errors"
	"regexp"
	"slices"
	"strings"

	"github.com/alecthomas/kong"
)

// This file tells what is wrong with the arguments in our words: those of kong speak of its tokens.

// An argument that kong could not read: its name, what kong expected, and what was there.
var (
	noValue  = regexp.MustCompile(`^(\S+): expected \S+ value but got `)
	noNumber = regexp.MustCompile(`^(\S+): expected a valid \d+ bit int but got ("[^"]*")`)
	noTime   = regexp.MustCompile(`^(\S+): expected duration but got ("[^"]*")`)
	missing  = regexp.MustCompile(`^expected "(<[^"]*)"$`)
	// A part of a number behind a blank.
	unexpectedDigits = regexp.MustCompile(`^unexpected argument [0-9]+$`)
)

// misuse explains why arguments cannot be read. The hint names the command that they began with.
func misuse(args []string, err error) mistake {
	what, hint := err.Error(), "smsbridge --help lists the commands and what they take"
	var parsed *kong.ParseError
	if errors.As(err, &parsed) && parsed.Context.Command() != "" {
		name, _, _ := strings.Cut(parsed.Context.Command(), " <")
		hint = "smsbridge " + name + " --help says what the command takes"
	}
	begun := func(arg string) bool { return strings.HasPrefix(arg, "+") }
	if unexpectedDigits.MatchString(what) && slices.ContainsFunc(args, begun) {
		hint = "write a phone number without blanks, such as +4512345678"
	}
	if found := noValue.FindStringSubmatch(what); found != nil {
		return mistake{found[1] + " has no value", hint}
	}
	if found := noNumber.FindStringSubmatch(what); found != nil {
		return mistake{found[1] + " is " + found[2] + ", which is not a whole number", hint}
	}
	if found := noTime.FindStringSubmatch(what); found != nil {
		what = found[1] + " is " + found[2] + ", which is not a duration such as 90m or 24h"
		return mistake{what, hint}
	}
	if found := missing.FindStringSubmatch(what); found != nil {
		return mistake{found[1] + " is missing", hint}
	}
	return mistake{what, hint}
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

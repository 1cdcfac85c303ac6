// Package linkpath reads the entries with which an operator allows paths of links, as in
// "reset:/account/*/password?token".
//
// It is for linkclick, which holds links against them, and for the settings, which say at its own
// line what is wrong with one. Both have this one judgment, so no entry is taken that no link is
// ever held against. It knows values alone: a room that reads the settings must not reach what
// opens links. What an entry means is said at linkclick's Rule.
package linkpath

import (
	"errors"
	"slices"
	"strings"
)

// Why an entry is refused.
var (
	// ErrForm: it is not written as a path with at most one kind before it.
	ErrForm = errors.New("linkpath: not a path")
	// ErrEvery: it names nothing, so that every link of a host would fit.
	ErrEvery = errors.New("linkpath: a path that every link has")
	// ErrNever: no link is opened that fits.
	ErrNever = errors.New("linkpath: a path of links that are never opened")
)

// kinds are what may stand before the slash, with a colon.
var kinds = [...]string{"verify", "reset", "login"}

// Entry is an entry that was read.
type Entry struct {
	Kind     string   // what its links do; empty if the operator does not say
	Segments []string // of the path; "*" stands for any one
	Route    []string // of the fragment, if it may have one
	// Exact says that the path ends here, and that the link has these parameters and no others but
	// those of a campaign. Without it, whatever begins like the path fits.
	Exact bool
	Query []string // "name" or "name=value"
}

// Parse reads an entry, or returns ErrForm, ErrEvery or ErrNever.
func Parse(text string) (Entry, error) {
	var e Entry
	rest := text
	for _, kind := range kinds {
		if after, found := strings.CutPrefix(text, kind+":"); found {
			e.Kind, rest = kind, after
		}
	}
	if !strings.HasPrefix(rest, "/") {
		return Entry{}, ErrForm
	}
	rest, query, asks := strings.Cut(rest, "?")
	rest, route, routed := strings.Cut(rest, "#")
	if !isPlain(rest) || !isPlain(route) || strings.ContainsAny(query, ";%") {
		return Entry{}, ErrNever
	}
	e.Exact = asks || routed
	e.Segments = Segments(rest)
	if routed {
		e.Route = Segments(route)
	}
	named := map[string]bool{}
	for parameter := range strings.SplitSeq(query, "&") {
		if parameter == "" {
			continue
		}
		name, _, _ := strings.Cut(parameter, "=")
		if named[name] {
			return Entry{}, ErrNever // a link that has one twice
		}
		named[name] = true
		e.Query = append(e.Query, parameter)
	}
	if len(e.Query) == 0 && !slices.ContainsFunc(slices.Concat(e.Segments, e.Route), IsLiteral) {
		return Entry{}, ErrEvery
	}
	return e, nil
}

// isPlain reports whether links are opened that have this part. One that hides letters, leads
// upwards, or could be read in two ways is none, whatever an operator allows. An entry is held
// against what the escapes of a link stand for, so one with an escape fits none.
func isPlain(part string) bool {
	return !HasDots(part) && !strings.ContainsFunc(part, func(r rune) bool {
		return r <= ' ' || r >= 0x7f || strings.ContainsRune(`;\%`, r)
	})
}

// HasDots reports whether a path has a segment . or .., which servers and proxies take away.
func HasDots(path string) bool {
	for segment := range strings.SplitSeq(path, "/") {
		if segment == "." || segment == ".." {
			return true
		}
	}
	return false
}

// IsLiteral reports whether a segment of an entry stands for itself.
func IsLiteral(segment string) bool { return segment != "" && segment != "*" }

// Segments returns the segments of a path without those before the first slash and after the last.
func Segments(path string) []string {
	if path = strings.Trim(path, "/"); path == "" {
		return nil
	}
	return strings.Split(path, "/")
}

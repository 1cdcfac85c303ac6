package linkclick

import (
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// This file leaves the name of the application out of what a mail says. Most mails have it, and it
// says nothing about a link: "Welcome to TransferGo" transfers nothing.

// anyName stands for the application's own name. It says nothing in any language.
const anyName = "ACME"

// withoutName returns what takes the application's name out of words. The name counts as it is
// written, and as a whole. A name that is itself a word of the tables, such as "Block", stays: it
// may be meant as one.
func (r Rule) withoutName() func(string) string {
	name := strings.TrimSpace(r.Name)
	if name == "" || isTableWord(plain(name)) {
		return func(s string) string { return s }
	}
	return func(s string) string {
		var b strings.Builder
		done := 0
		for from := 0; ; {
			n := strings.Index(s[from:], name)
			if n < 0 {
				break
			}
			at := from + n
			from = at + len(name)
			if isApart(s[:at], s[from:]) {
				b.WriteString(s[done:at] + anyName)
				done = from
			}
		}
		return b.String() + s[done:]
	}
}

// without takes the application's name out of the words around a link.
func (l *link) without(name func(string) string) {
	l.label, l.head, l.tail, l.before = name(l.label), name(l.head), name(l.tail), name(l.before)
}

// isApart reports whether what stands between two texts belongs to no longer word. Japanese and
// Chinese words follow a name without a blank.
func isApart(before, after string) bool {
	last, _ := utf8.DecodeLastRuneInString(before)
	next, _ := utf8.DecodeRuneInString(after)
	goesOn := func(r rune) bool { return unicode.IsLetter(r) && !hasNoBlanks(r) }
	return !goesOn(last) && !goesOn(next)
}

// isTableWord reports whether a table has a word in plain form. Those of the vocabulary are parts
// of words, which may lack the last letter.
func isTableWord(word string) bool {
	_, last := utf8.DecodeLastRuneInString(word)
	is := func(part string) bool {
		part = strings.TrimSpace(part)
		return part == word || part == word[:len(word)-last]
	}
	for _, row := range vocabulary {
		if slices.ContainsFunc(row.words, is) {
			return true
		}
	}
	return slices.Contains(codeWords, word) || slices.Contains(otherWords, word)
}

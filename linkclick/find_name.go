package linkclick

import (
	"slices"
	"strings"
	"sync"
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
				if done == 0 {
					b.Grow(len(s)) // most names are no shorter than anyName
				}
				b.WriteString(s[done:at])
				b.WriteString(anyName)
				done = from
			}
		}
		if done == 0 {
			return s
		}
		b.WriteString(s[done:])
		return b.String()
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
	t := tableWords()
	return t.parts[word] || t.parts[word[:len(word)-last]] || t.words[word]
}

// tableWords has the words of all tables, whole ones apart from parts of words.
var tableWords = sync.OnceValue(func() (t struct{ parts, words map[string]bool }) {
	t.parts, t.words = map[string]bool{}, map[string]bool{}
	for _, row := range vocabulary {
		for _, part := range row.words {
			t.parts[strings.TrimSpace(part)] = true
		}
	}
	for _, word := range slices.Concat(codeWords, otherWords) {
		t.words[word] = true
	}
	return t
})

package settings

import (
	"slices"
	"strconv"
	"strings"
)

// Mistake is one thing that is wrong with the settings. It contains no secret and no phone number.
type Mistake struct {
	Where string // the variable, or file, line and key: "smsbridge.yaml:12: tenants[0].name"
	What  string // what is wrong there
	Hint  string // what to do about it
}

// Mistakes is everything that is wrong with the settings. As an error it prints two lines for each,
// one that starts with "error:" and one with "hint:".
type Mistakes []Mistake

// Error implements error.
func (m Mistakes) Error() string {
	var b strings.Builder
	for i, one := range m {
		if i > 0 {
			b.WriteByte('\n')
		}
		b.WriteString("error: " + one.Where + ": " + one.What + "\nhint: " + one.Hint)
	}
	return b.String()
}

// Wrong is a mistake whose place the caller knows.
func Wrong(what, hint string) *Mistake { return &Mistake{What: what, Hint: hint} }

// maxQuoted bounds what a mistake repeats of a value.
const maxQuoted = 40

// Quote returns a value as mistakes repeat it: in quotes, on one line, and cut when it is long.
// It is not for secrets.
func Quote(v string) string {
	if runes := []rune(v); len(runes) > maxQuoted {
		v = string(runes[:maxQuoted]) + "…"
	}
	return strconv.Quote(v)
}

// didYouMean suggests the known name that is closest to a misspelled one, or lists them all when
// none is close.
func didYouMean(name string, known []string) string {
	if best := closest(name, known, max(2, len(name)/4)); best != "" {
		return "did you mean " + best + "?"
	}
	return "known here: " + strings.Join(slices.Sorted(slices.Values(known)), ", ")
}

// closest returns the known name within an edit distance of a misspelled one that is closest to it,
// or "" for none.
func closest(name string, known []string, distance int) (best string) {
	for _, k := range known {
		if d := editDistance(name, k); d <= distance && (best == "" || d < distance) {
			best, distance = k, d
		}
	}
	return best
}

// editDistance counts the insertions, deletions and substitutions of bytes that turn a into b
// (Levenshtein).
func editDistance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			cost := diagonal
			if a[i] != b[j] {
				cost++
			}
			diagonal = row[j+1]
			row[j+1] = min(cost, row[j]+1, row[j+1]+1)
		}
	}
	return row[len(b)]
}

package tenant

import (
	"slices"
	"strings"
)

// Mistake is one thing that is wrong with the settings. It contains no secret
// and no phone number.
type Mistake struct {
	Where string // the variable, or file, line and key: "smsbridge.yaml:12: tenants[0].name"
	What  string // what is wrong there
	Hint  string // what to do about it
}

// Mistakes is everything that is wrong with the settings. As an error it prints
// two lines for each, one that starts with "error:" and one with "hint:".
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

// wrong is a mistake whose place the caller knows.
func wrong(what, hint string) *Mistake { return &Mistake{What: what, Hint: hint} }

// didYouMean suggests the known name that is closest to a misspelled one, or
// lists them all when none is close.
func didYouMean(name string, known []string) string {
	best, distance := "", max(2, len(name)/4)
	for _, k := range known {
		if d := editDistance(name, k); d <= distance && (best == "" || d < distance) {
			best, distance = k, d
		}
	}
	if best != "" {
		return "did you mean " + best + "?"
	}
	return "known here: " + strings.Join(slices.Sorted(slices.Values(known)), ", ")
}

// editDistance counts the insertions, deletions and substitutions of bytes that
// turn a into b (Levenshtein).
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

package country

import (
	_ "embed"
	"strings"
)

//go:embed fiction.txt
var fiction string

// Fictional reports whether a number in the E.164 form belongs to no person, because a regulator
// keeps it for films and books.
func Fictional(e164 string) bool {
	for line := range strings.Lines(fiction) {
		part := strings.Split(line, "|")
		if strings.HasPrefix(line, "+") && within(e164, part[0], part[1]) {
			return true
		}
	}
	return false
}

// within reports whether a number is from first to last. All three have the same length, and an x
// in the first stands for any digit.
func within(e164, first, last string) bool {
	if len(e164) != len(first) {
		return false
	}
	given := []byte(e164)
	for i := range given {
		if first[i] == 'x' {
			given[i] = 'x'
		}
	}
	return first <= string(given) && string(given) <= last
}

package verification

import (
	"strconv"
	"strings"
	"time"
)

// GuessMemory is how long a wrong code counts against its phone.
const GuessMemory = 24 * time.Hour

// guesses are the times of a phone's wrong codes in the last GuessMemory, oldest first.
type guesses []time.Time

// parseGuesses reads what String wrote, and forgets what is too old.
func parseGuesses(kept string, now time.Time) guesses {
	var all guesses
	for field := range strings.FieldsSeq(kept) {
		millis, err := strconv.ParseInt(field, 10, 64)
		if at := time.UnixMilli(millis).UTC(); err == nil && now.Sub(at) < GuessMemory {
			all = append(all, at)
		}
	}
	return all
}

// String writes the times as the database keeps them.
func (g guesses) String() string {
	fields := make([]string, len(g))
	for i, at := range g {
		fields[i] = strconv.FormatInt(at.UnixMilli(), 10)
	}
	return strings.Join(fields, " ")
}

// blocked reports whether a phone that may have most wrong codes, from 1, must wait, and until when.
func (g guesses) blocked(most int) (until time.Time, blocked bool) {
	if len(g) < most {
		return time.Time{}, false
	}
	return g[len(g)-most].Add(GuessMemory), true
}

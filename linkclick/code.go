package linkclick

import (
	"slices"
	"strings"
	"unicode"
)

// Lengths of the one-time codes that identity providers send, in digits.
const (
	minCode = 4
	maxCode = 8
)

// findCode returns the one-time code of a mail if there is exactly one: a
// number that shares its line with a word for code, or stands alone on a line
// of a mail that speaks of a code. Spaces and a hyphen inside are dropped.
func findCode(subject string, bodies ...string) string {
	spoken := namesCode(subject) || slices.ContainsFunc(bodies, namesCode)
	if !spoken {
		return ""
	}
	code := ""
	for _, body := range append(bodies, subject) {
		for line := range strings.SplitSeq(body, "\n") {
			if !strings.ContainsAny(line, "0123456789") {
				continue
			}
			for _, c := range codesIn(line) {
				if code != "" && code != c {
					return ""
				}
				code = c
			}
		}
	}
	return code
}

// codesIn returns the numbers of a line that may be codes.
func codesIn(line string) []string {
	line = strings.ReplaceAll(strings.TrimSpace(line), "\u00a0", " ")
	if alone := joinHalves(line); isCode(alone) {
		return []string{alone}
	}
	if !namesCode(line) {
		return nil
	}
	fields := strings.FieldsFunc(line, func(r rune) bool {
		return unicode.IsSpace(r) || strings.ContainsRune(",:;!?\"'()[]<>*«»“”„。：", r)
	})
	var codes []string
	for i, w := range fields {
		w = joinHalves(strings.TrimSuffix(w, "."))
		if i > 0 && len(w) == 3 {
			w = joinHalves(fields[i-1] + " " + w)
		}
		if isCode(w) {
			codes = append(codes, w)
		}
	}
	return codes
}

// joinHalves returns "123456" for "123 456" and "123-456", else s.
func joinHalves(s string) string {
	if len(s) == 7 && (s[3] == ' ' || s[3] == '-') && isCode(s[:3]+s[4:]) {
		return s[:3] + s[4:]
	}
	return s
}

// namesCode reports whether a word for code is in s, alone or within a
// compound such as "Bestätigungscode".
func namesCode(s string) bool {
	for w := range strings.FieldsFuncSeq(s, func(r rune) bool { return !unicode.IsLetter(r) }) {
		w = strings.ToLower(w)
		if slices.ContainsFunc(codeWords, func(c string) bool {
			return w == c || (len(c) > len("pin") && strings.Contains(w, c))
		}) {
			return true
		}
	}
	return false
}

func isCode(s string) bool {
	return len(s) >= minCode && len(s) <= maxCode && strings.Trim(s, "0123456789") == ""
}

package linkclick

import (
	"cmp"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Lengths of the one-time codes that identity providers send, in characters.
const (
	minCode = 4
	maxCode = 10
)

// maxNumbers is how many tokens of a body that are written like a code are judged. A mail with
// more carries no code.
const maxNumbers = 200

// How sure it is that something is a code.
const (
	sureNot  = iota
	sureWord // letters only, such as KXWPQR, where a code is announced
	sureLine // alone on its line, in a mail that speaks of a code
	sureSaid // beside a word for code
)

// codeHit is something that may be the code of a mail.
type codeHit struct {
	code    string
	sure    int
	context string // the words beside it
	above   string // the line above
}

// findCode returns the one-time code of a mail if there is exactly one, and the words around it.
// A code has 4 to 10 digits, or letters and digits, or capital letters after "code:". A year, a
// date, a price, a phone number or a part of a URL is no code. Nor is a number that is announced
// as something else, such as an order. A space or hyphen between digits is dropped.
func findCode(subject string, bodies ...string) (code, context string) {
	var hits []codeHit
	for _, body := range append(bodies, subject) {
		hits = appendCodes(hits, body)
	}
	if len(hits) == 0 {
		return "", ""
	}
	best := slices.MaxFunc(hits, func(a, b codeHit) int { return cmp.Compare(a.sure, b.sure) })
	for _, h := range hits {
		if h.sure == best.sure && h.code != best.code {
			return "", ""
		}
	}
	if best.sure == sureLine && !slices.ContainsFunc(append(bodies, subject), namesCode) {
		return "", ""
	}
	return best.code, best.above[max(0, len(best.above)-maxContext):] + " " + best.context
}

// appendCodes adds what may be a code in a body.
func appendCodes(hits []codeHit, body string) []codeHit {
	judged := 0
	above, boxes := "", "" // the line above; digits that each have a line of their own
	for line := range strings.SplitSeq(body, "\n") {
		line = strings.TrimSpace(withoutURLs(line))
		if line == "" {
			continue
		}
		if len(line) == 1 && isDigit(line[0]) {
			boxes += line
			continue
		}
		hits = appendBoxes(hits, boxes, above)
		boxes = ""
		found := len(hits)
		if strings.ContainsAny(line, "0123456789:(（：") || isCode(line) {
			for _, t := range codesIn(line) {
				if judged++; judged > maxNumbers {
					return nil
				}
				if sure := t.judge(line, above); sure != sureNot {
					near := line[max(0, t.start-maxContext):min(len(line), t.end+maxContext)]
					hits = append(hits, codeHit{t.code, sure, near, above})
				}
			}
		}
		if above = line; len(hits) > found {
			above = "" // it announces no second code
		}
	}
	return appendBoxes(hits, boxes, above)
}

func appendBoxes(hits []codeHit, digits, above string) []codeHit {
	if !isCode(digits) {
		return hits
	}
	if sure := (codeToken{code: digits}).alone(above); sure != sureNot {
		return append(hits, codeHit{digits, sure, digits, above})
	}
	return hits
}

// withoutURLs replaces each URL and mail address in a line by a bar.
func withoutURLs(line string) string {
	if !hasURL(line) {
		return line
	}
	fields := strings.Fields(line)
	for i, f := range fields {
		if hasURL(f) {
			fields[i] = "|"
		}
	}
	return strings.Join(fields, " ")
}

func hasURL(s string) bool {
	return strings.Contains(s, "://") || strings.Contains(s, "www.") || strings.Contains(s, "@")
}

// codeToken is a piece of a line that is written like a code.
type codeToken struct {
	code       string
	start, end int // its place in the line
}

// around holds the characters that may stand beside a code that is alone on its line.
const around = " \t\u00a0.:;*_-|\"'()[]<>«»“”„「」【】："

// judge says how sure it is that t, in a line, is a code.
func (t codeToken) judge(line, above string) int {
	before, after := line[:t.start], line[t.end:]
	isCodeWord := strings.Trim(t.code, "ABCDEFGHIJKLMNOPQRSTUVWXYZ") == ""
	if strings.Trim(before, around) == "" && strings.Trim(after, around) == "" {
		sure := t.alone(above)
		if isCodeWord && (sure != sureSaid || !endsInColon(above)) {
			return sureNot
		}
		if isCodeWord {
			return sureWord
		}
		return sure
	}
	said := nearest(before)
	switch {
	case isCodeWord:
		lead := strings.TrimRight(before, " ")
		closes := strings.HasPrefix(after, ")") || strings.HasPrefix(after, "）")
		if said == nearCode && (endsInColon(lead) || closes) {
			return sureWord
		}
		return sureNot
	case said == nearOther || isUnit(after) || isMarked(before, after):
		return sureNot
	case said == nearCode:
		return sureSaid
	}
	switch first(after) {
	case nearCode:
		return sureSaid
	case nearNothing:
		if strings.TrimSpace(before) == "" && nearest(above) == nearCode {
			return sureLine
		}
	}
	return sureNot
}

func endsInColon(s string) bool { return strings.HasSuffix(s, ":") || strings.HasSuffix(s, "：") }

// alone judges a token that has a line of its own, by the line above.
func (t codeToken) alone(above string) int {
	switch nearest(above) {
	case nearCode:
		return sureSaid
	case nearOther:
		return sureNot
	}
	return sureLine
}

// isMarked reports whether the characters next to a number make it an amount, a phone number or
// part of something longer.
func isMarked(before, after string) bool {
	last, _ := utf8.DecodeLastRuneInString(strings.TrimRight(before, " "))
	next, _ := utf8.DecodeRuneInString(after)
	return strings.ContainsRune("+$€£¥©#№@/=_", last) || strings.ContainsRune("%/=_@°", next)
}

// isUnit reports whether the word after a number makes it an amount.
func isUnit(after string) bool {
	near := strings.ToLower(after[:min(len(after), 40)])
	word, _, _ := strings.Cut(strings.TrimLeft(near, " \u00a0"), " ")
	return slices.Contains(units, strings.TrimRight(word, ".,;:)"))
}

// codesIn returns the tokens of a line that are written like a code.
func codesIn(line string) []codeToken {
	var tokens []codeToken
	atoms := atomsOf(line)
	for i := 0; i < len(atoms); {
		n := 1 // atoms that belong together
		for i+n < len(atoms) && joined(line, atoms[i+n-1], atoms[i+n]) {
			n++
		}
		group := atoms[i : i+n]
		t := codeToken{start: group[0].start, end: group[n-1].end}
		if t.code = codeOf(line, group); t.code != "" && !continues(line[:t.start], line[t.end:]) {
			tokens = append(tokens, t)
		}
		i += n
	}
	return tokens
}

// atomsOf returns the runs of ASCII letters and digits of a line that may be part of a code:
// those with a digit or in capitals.
func atomsOf(line string) []codeToken {
	var atoms []codeToken
	for i := 0; i < len(line); i++ {
		if !isAlnum(line[i]) {
			continue
		}
		start := i
		for i < len(line) && isAlnum(line[i]) {
			i++
		}
		if w := line[start:i]; strings.ContainsAny(w, "0123456789") || strings.ToUpper(w) == w {
			atoms = append(atoms, codeToken{code: w, start: start, end: i})
		}
	}
	return atoms
}

// joined reports whether two atoms stand so close that they are one number, such as a phone
// number, a date or a code in halves.
func joined(line string, a, b codeToken) bool {
	switch gap := line[a.end:b.start]; gap {
	case "-", "‑", "–":
		return true
	case " ", "\u00a0", ".", ",", "/", ":", ") ", " (", " - ", ")":
		return isNumber(a.code) && isNumber(b.code)
	}
	return false
}

// codeOf returns the code that a group of joined atoms spells, or "".
func codeOf(line string, group []codeToken) string {
	if len(group) == 1 {
		if isCode(group[0].code) {
			return group[0].code
		}
		return ""
	}
	code := ""
	for i, a := range group {
		apart := i == 0 || strings.ContainsAny(line[group[i-1].end:a.start], " -\u00a0‑")
		if len(a.code) != len(group[0].code) || !apart {
			return ""
		}
		code += a.code
	}
	switch {
	case len(group) > 2 && len(group[0].code) > 1, !isCode(code):
		return ""
	case isNumber(code):
		return code
	case len(group) == 2 && line[group[0].end:group[1].start] == "-":
		return line[group[0].start:group[1].end] // to be typed as it is written
	}
	return ""
}

// continues reports whether what touches a token makes it part of a word or of a dotted name.
func continues(before, after string) bool {
	last, _ := utf8.DecodeLastRuneInString(before)
	next, _ := utf8.DecodeRuneInString(after)
	dotted := len(after) > 1 && strings.IndexByte(".-'", after[0]) >= 0 && isAlnum(after[1])
	return isWordRune(last) || isWordRune(next) || dotted || last == '.' || last == '-' || last == '\''
}

func isWordRune(r rune) bool {
	return unicode.In(r, unicode.Latin, unicode.Cyrillic, unicode.Greek) || r == '_'
}

// isCode reports whether s is written like a code: digits that are no year, letters of one case
// with digits, or capital letters.
func isCode(s string) bool {
	switch {
	case len(s) < minCode || len(s) > maxCode:
		return false
	case isNumber(s):
		return len(s) != 4 || s[:2] != "19" && s[:2] != "20"
	case strings.Trim(s, "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789") == "":
		return true
	}
	return strings.ContainsAny(s, "0123456789") &&
		strings.Trim(s, "abcdefghijklmnopqrstuvwxyz0123456789") == ""
}

func isNumber(s string) bool { return strings.Trim(s, "0123456789") == "" }

func isDigit(c byte) bool { return '0' <= c && c <= '9' }

func isAlnum(c byte) bool { return isDigit(c) || c|0x20 >= 'a' && c|0x20 <= 'z' }

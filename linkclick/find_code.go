package linkclick

import (
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Lengths of the one-time codes that identity providers send, in characters.
const (
	minCode = 4
	maxCode = 8
)

// maxNumbers is how many tokens of a body that are written like a code are judged. A mail with
// more carries no code.
const maxNumbers = 200

// What is looked at in search of a code. A body with more lines, or a line with more words that
// have a digit, carries none.
const (
	maxLines = 20_000
	maxAtoms = 2_000
)

// How sure it is that something is a code.
const (
	sureNot   = iota
	sureAlone // six to eight digits alone on a line or in an element
	sureLine  // alone on its line, in a mail that speaks of a code
	sureSaid  // beside a word for code
)

// codeHit is something that may be the code of a mail.
type codeHit struct {
	code    string
	sure    int
	context string // the words beside it
	above   string // the line above
}

// codeSearch looks for the code of one mail.
//
// A code goes into a text as it is written. So it has digits and nothing else: an author who
// chooses the words of a mail, or of a name in it, could put any word there otherwise. Letters
// count only in mails of a provider that draws such codes. A code that stands alone under the line
// that announces it may have any: no name stands there. In a line, letters must not spell a word.
type codeSearch struct {
	// length of the codes with letters that the provider draws; 0 if it draws none
	letters     int
	anyLanguage bool     // the mail has no link, so a number alone is a code in any language
	elements    []string // digits that have an element of the HTML body to themselves
}

// find returns the one-time code of a mail if there is exactly one, and the words around it. A code
// has 4 to 8 digits. A year, a date, a price, a phone number or a part of a URL is no code. Nor is
// a number that is announced as something else, such as an order. A space or hyphen between digits
// is dropped, and digits of any script are written as in ASCII.
func (s codeSearch) find(subject string, bodies ...string) (code, context string) {
	var hits []codeHit
	for i, body := range bodies {
		bodies[i] = asciiDigits(body)
	}
	subject = asciiDigits(subject)
	for _, body := range append(bodies, subject) {
		var ok bool
		if hits, ok = s.appendCodes(hits, body); !ok {
			return "", ""
		}
	}
	best := sureNot
	for _, h := range hits {
		best = max(best, h.sure)
	}
	if best == sureLine && !slices.ContainsFunc(append(bodies, subject), namesCode) {
		best = sureAlone
	}
	if best == sureNot || best == sureAlone {
		return s.onlyNumber(hits), ""
	}
	var found codeHit
	for _, h := range hits {
		switch {
		case h.sure != best:
		case found.code != "" && found.code != h.code:
			return "", ""
		case found.code == "":
			found = h
		}
	}
	if !isNumber(found.code) && !s.inEach(bodies, found.code) {
		return "", ""
	}
	return found.code, found.above[max(0, len(found.above)-maxContext):] + " " + found.context
}

// inEach reports whether each body that is there has the code. A name with line ends can look like
// a code in the plain text, and not in the markup.
func (s codeSearch) inEach(bodies []string, code string) bool {
	return !slices.ContainsFunc(bodies, func(body string) bool {
		hits, _ := s.appendCodes(nil, body)
		return strings.TrimSpace(body) != "" &&
			!slices.ContainsFunc(hits, func(h codeHit) bool { return h.code == code })
	})
}

// onlyNumber returns the only six to eight digits that stand alone. It is asked about a mail whose
// words say nothing to us.
func (s codeSearch) onlyNumber(hits []codeHit) string {
	if !s.anyLanguage {
		return ""
	}
	only := ""
	take := func(digits string) bool {
		if len(digits) < 6 || !isNumber(digits) || isDate(digits) {
			return true
		}
		same := only == "" || only == digits
		only = digits
		return same
	}
	for _, h := range hits {
		if h.sure == sureLine && !take(h.code) {
			return ""
		}
	}
	for _, e := range s.elements {
		if !take(asciiDigits(e)) {
			return ""
		}
	}
	return only
}

// numbers returns the digits that have an element to themselves. Those that are announced as
// something else, or are an amount, are left out.
func (d *document) numbers() []string {
	var all []string
	text := d.text.String()
	for _, s := range d.alone {
		before := strings.TrimSpace(text[max(0, s.start-maxContext):s.start])
		before = before[strings.LastIndexByte(before, '\n')+1:]
		after, _, _ := strings.Cut(text[s.end:min(len(text), s.end+maxContext)], "\n")
		if nearest(before) != nearOther && !isUnit(after) && !isMarked(before, after) {
			all = append(all, strings.TrimSpace(text[s.start:s.end]))
		}
	}
	return all
}

// appendCodes adds what may be a code in a body. It is false if there is too much of it.
func (s codeSearch) appendCodes(hits []codeHit, body string) ([]codeHit, bool) {
	judged, lines := 0, 0
	above, boxes := "", "" // the line above; digits that each have a line of their own
	for line := range strings.SplitSeq(body, "\n") {
		line = strings.TrimSpace(withoutURLs(line))
		if strings.Trim(line, "-_=*") == "" { // a drawn rule is no line above
			continue
		}
		if lines++; lines > maxLines {
			return nil, false
		}
		if len(line) == 1 && isDigit(line[0]) {
			if len(boxes) <= maxCode { // more are no code
				boxes += line
			}
			continue
		}
		hits = appendBoxes(hits, boxes, above)
		boxes = ""
		found := len(hits)
		if code := s.lettersIn(line); code != "" && nearest(above) == nearCode {
			hits = append(hits, codeHit{code, sureSaid, line, above})
		} else if hasDigit(line) {
			tokens, ok := s.codesIn(line)
			if !ok {
				return nil, false
			}
			for _, t := range tokens {
				if judged++; judged > maxNumbers {
					return nil, false
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
	return appendBoxes(hits, boxes, above), true
}

// lettersIn returns the code with letters that a line consists of, or "".
func (s codeSearch) lettersIn(line string) string {
	if s.letters == 0 || len(line) > s.letters+2*len(around) {
		return ""
	}
	code := strings.Trim(line, around)
	if len(code) != s.letters || isNumber(code) || strings.Trim(code, drawnFrom) != "" {
		return ""
	}
	return code
}

func appendBoxes(hits []codeHit, digits, above string) []codeHit {
	if !isDigitCode(digits) {
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
	var b strings.Builder
	for f := range strings.FieldsSeq(line) {
		if hasURL(f) {
			f = "|"
		}
		b.WriteString(f)
		b.WriteByte(' ')
	}
	return b.String()
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
	if isAround(before) && isAround(after) {
		return t.alone(above)
	}
	said := nearest(before)
	switch {
	case said == nearOther || isUnit(after) || isMarked(before, after) || isListNumber(before, after):
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

// isAround reports whether s leaves what it surrounds alone on its line.
func isAround(s string) bool { return len(s) <= 40 && strings.Trim(s, around) == "" }

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
	return strings.ContainsRune("+$€£¥₹₩₽©#№§¶@/=_", last) || strings.ContainsRune("%/=_@°", next)
}

// isListNumber reports whether a number begins a line and counts what follows, as a paragraph's.
func isListNumber(before, after string) bool {
	return before == "" && (strings.HasPrefix(after, ". ") || strings.HasPrefix(after, ") "))
}

// isUnit reports whether the word after a number makes it an amount.
func isUnit(after string) bool {
	near := strings.ToLower(after[:min(len(after), 40)])
	word, _, _ := strings.Cut(strings.TrimLeft(near, " \u00a0"), " ")
	return slices.Contains(units, strings.TrimRight(word, ".,;:)"))
}

// codesIn returns the tokens of a line that are written like a code. It is false if there is too
// much in the line.
func (s codeSearch) codesIn(line string) ([]codeToken, bool) {
	var tokens []codeToken
	var few [8]codeToken // as most lines have
	atoms := appendAtoms(few[:0], line)
	if len(atoms) > maxAtoms {
		return nil, false
	}
	for i := 0; i < len(atoms); {
		n := 1 // atoms that belong together
		for i+n < len(atoms) && joined(line, atoms[i+n-1], atoms[i+n]) {
			n++
		}
		group := atoms[i : i+n]
		t := codeToken{start: group[0].start, end: group[n-1].end}
		if t.code = s.codeOf(line, group); t.code != "" && !continues(line[:t.start], line[t.end:]) {
			tokens = append(tokens, t)
		}
		i += n
	}
	return tokens, true
}

// appendAtoms adds the runs of ASCII letters and digits of a line that may be part of a code:
// those with a digit.
func appendAtoms(atoms []codeToken, line string) []codeToken {
	for i := 0; i < len(line) && len(atoms) <= maxAtoms; i++ {
		if !isAlnum(line[i]) {
			continue
		}
		start := i
		for i < len(line) && isAlnum(line[i]) {
			i++
		}
		if w := line[start:i]; hasDigit(w) {
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
func (s codeSearch) codeOf(line string, group []codeToken) string {
	if len(group) == 1 {
		if code := group[0].code; isDigitCode(code) || s.letters > 0 && len(code) == s.letters &&
			isDrawn(code) {
			return code
		}
		return ""
	}
	if len(group) > maxCode || len(group) > 2 && len(group[0].code) > 1 {
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
	if !isDigitCode(code) {
		return ""
	}
	return code
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

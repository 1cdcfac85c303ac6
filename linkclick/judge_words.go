package linkclick

import (
	"slices"
	"strings"
	"unicode"
)

// This file judges the words of a page.

// judged is the order in which outcomes are looked for. So "has been verified already" is not
// read as "has been verified", nor a page that explains a failure as a success.
var judged = []Outcome{
	OutcomeUsed, OutcomeAlready, OutcomeExpired, OutcomeRefused, OutcomeConfirmed, outcomeChanged,
}

// judgeWords looks for what text says about a verification. A success counts only if
// successPossible, which an error status rules out.
func judgeWords(text string, successPossible bool) Outcome {
	if said := readWords(known.languages, text, successPossible); said != outcomeChanged {
		return said
	}
	return OutcomeUnknown
}

// hear looks for what text says about what the click is for. It also knows the words with which
// only the provider of the link tells of success.
func (k *click) hear(text string, successPossible bool) Outcome {
	languages := append(slices.Clip(known.languages), known.praise[k.shape.provider])
	said := readWords(languages, text, successPossible)
	switch reset := k.Kind == KindReset; {
	case reset && said == outcomeChanged:
		return OutcomeConfirmed
	case succeeds(said) && reset != (said == outcomeChanged):
		return OutcomeUnknown
	}
	return said
}

// readWords looks for what text says in some languages.
func readWords(languages []language, text string, successPossible bool) Outcome {
	said := statements(text)
	whole := strings.Join(said, "\n")
	for _, outcome := range judged {
		if outcome == OutcomeConfirmed && !successPossible {
			break
		}
		for _, l := range languages {
			for _, phrase := range l.phrases[outcome] {
				if strings.Contains(whole, phrase) && l.states(said, phrase) {
					return outcome
				}
			}
		}
	}
	return OutcomeUnknown
}

// states reports whether a statement holds phrase and no condition before it.
func (l language) states(statements []string, phrase string) bool {
	for _, s := range statements {
		at := strings.Index(s, phrase)
		if at < 0 {
			continue
		}
		words := strings.FieldsFunc(s[:at], func(r rune) bool { return !unicode.IsLetter(r) })
		rest := s[at+len(phrase):]
		continued := slices.ContainsFunc(l.after, func(condition string) bool {
			return strings.HasPrefix(rest, condition)
		})
		if !continued && !anyOf(words, l.unless) {
			return true
		}
	}
	return false
}

func anyOf(words, wanted []string) bool {
	return slices.ContainsFunc(words, func(w string) bool { return slices.Contains(wanted, w) })
}

// statements splits text into sentences in plain form and drops questions.
func statements(text string) []string {
	var out []string
	for line := range strings.SplitSeq(text, "\n") {
		rest := plain(sentenceMarks.Replace(line))
		for rest != "" {
			end := sentenceEnd(rest)
			s := rest[:end]
			rest = strings.TrimLeft(rest[end:], " .!?")
			if !strings.HasSuffix(s, "?") {
				out = append(out, s)
			}
		}
	}
	return out
}

// sentenceMarks are those of scripts without spaces.
var sentenceMarks = strings.NewReplacer("。", ". ", "！", "! ", "？", "? ")

// sentenceEnd returns the length of the first sentence of s with its mark. A point inside a word,
// as in an address, ends nothing.
func sentenceEnd(s string) int {
	for i := range len(s) {
		if strings.IndexByte(".!?", s[i]) >= 0 && (i+1 == len(s) || s[i+1] == ' ') {
			return i + 1
		}
	}
	return len(s)
}

package reply

import (
	"slices"
	"strings"
	"sync"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/cases"
	"golang.org/x/text/unicode/norm"

	"smsbridge/internal/store/db"
	"smsbridge/internal/wording"
	"smsbridge/phonemail"
)

// Word is what a reply says.
type Word = db.ReplyWord

// The words of a reply.
const (
	Yes   Word = "yes"
	No    Word = "no"
	Stop  Word = "stop"
	Start Word = "start"
	Help  Word = "help"
	Code  Word = "code"
	Other Word = "other"
)

// Reading is a reply, read.
type Reading struct {
	Word Word
	Code string // the digits: of a code, or those after a yes or a no that say which question is meant
}

// Words are the replies that mean yes and no, in any case: a tenant's own, and those of the
// language in which it asked. The words that mean the same in every language count with any.
type Words struct {
	Yes, No  []string
	Language string
}

// everywhere has the words that mean yes and no whatever language asked, normalized.
var everywhere = sync.OnceValue(func() map[string]Word {
	all, answers := map[string]Word{}, wording.AnswersEverywhere()
	for _, word := range answers.Yes {
		all[normalize(word)] = Yes
	}
	for _, word := range answers.No {
		all[normalize(word)] = No
	}
	return all
})

// answer says what a normalized reply means. Words that carriers act upon come before this.
func (w Words) answer(s string) Word {
	switch {
	case among(w.Yes, s):
		return Yes
	case among(w.No, s):
		return No
	case among(wording.OtherWords(w.Language), s):
		return Other
	}
	if word, ok := everywhere()[s]; ok {
		return word
	}
	switch here := wording.AnswersHere(w.Language); {
	case among(here.No, s):
		return No
	case among(here.Yes, s):
		return Yes
	}
	return Other
}

const (
	maxRunes     = 32 // no answer is longer
	codeDigits   = 4  // of the code that tells questions apart
	longestDigit = 10 // of a one-time code

	punctuation = ".,!?¡¿。؟"
	separators  = " :،、" + punctuation // between an answer and the digits that say which question
)

// Read says what a reply means. Case, white space around and within, quotes, apostrophes, final
// punctuation and invisible characters are forgiven. Beyond that the whole reply must be one of the
// words: neither "YES please stop" nor a quotation of the question is a yes.
func Read(body string, words Words) Reading {
	s := normalize(body)
	// What carriers act upon comes before any word of a tenant's.
	switch wording.KeywordOf(s) {
	case wording.StopKeyword:
		return Reading{Word: Stop}
	case wording.StartKeyword:
		return Reading{Word: Start}
	case wording.HelpKeyword:
		return Reading{Word: Help}
	}
	if s == "" {
		return Reading{Word: Other}
	}
	if word := words.answer(s); word != Other {
		return Reading{Word: word}
	}
	digits := strings.ReplaceAll(s, " ", "")
	if isDigits(digits) && len(digits) >= codeDigits && len(digits) <= longestDigit {
		return Reading{Word: Code, Code: digits}
	}
	if i := len(s) - codeDigits; i > 0 && isDigits(s[i:]) && ends(s[:i]) {
		word := words.answer(strings.Trim(s[:i], separators))
		if word != Other {
			return Reading{Word: word, Code: s[i:]}
		}
	}
	return Reading{Word: Other}
}

// ends reports whether a word ends where s does: at a blank, or at a character of a script that has
// no blanks.
func ends(s string) bool {
	last, _ := utf8.DecodeLastRuneInString(s)
	return last == ' ' || unicode.In(last, unicode.Han, unicode.Hiragana, unicode.Katakana)
}

func among(words []string, s string) bool {
	return s != "" && slices.ContainsFunc(words, func(w string) bool { return normalize(w) == s })
}

// normalize brings a reply to the one form in which words are compared; "" when it is too long to
// be one.
func normalize(body string) string {
	if len(body) > 8*maxRunes {
		return ""
	}
	// An accent by itself is typed for an apostrophe. NFKC would take it for one on a blank.
	s := phonemail.PlainDigits(norm.NFKC.String(strings.ReplaceAll(body, "´", "'")))
	s = strings.Map(func(r rune) rune {
		switch {
		case unicode.IsSpace(r), strings.ContainsRune(",،、", r):
			return ' '
		case strings.ContainsRune("'’‘ʼ`", r): // many leave it out, and words of ours have it
			return -1
		case unicode.Is(unicode.Cf, r), unicode.Is(unicode.Variation_Selector, r), unicode.IsControl(r):
			return -1
		}
		return r
	}, s)
	s = wording.Undotted(cases.Fold().String(s))
	s = strings.Trim(s, " "+punctuation+"\"«»“”„‚")
	s = strings.Join(strings.Fields(s), " ")
	if len([]rune(s)) > maxRunes {
		return ""
	}
	return s
}

func isDigits(s string) bool {
	for _, c := range []byte(s) {
		if c < '0' || c > '9' {
			return false
		}
	}
	return s != ""
}

package reply

import (
	"slices"
	"strings"
	"unicode"

	"golang.org/x/text/cases"
	"golang.org/x/text/unicode/norm"

	"smsbridge/internal/store/db"
	"smsbridge/internal/wording"
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

// Words are the replies that mean yes and no, in any case.
type Words struct{ Yes, No []string }

const (
	maxRunes     = 32 // no answer is longer
	codeDigits   = 4  // of the code that tells questions apart
	longestDigit = 10 // of a one-time code
)

// Read says what a reply means. Case, white space around and within, quotes, final punctuation
// and invisible characters are forgiven. Beyond that the whole reply must be one of the words:
// neither "YES please stop" nor a quotation of the question is a yes.
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
	switch {
	case s == "":
		return Reading{Word: Other}
	case among(words.Yes, s):
		return Reading{Word: Yes}
	case among(words.No, s):
		return Reading{Word: No}
	}
	digits := strings.ReplaceAll(s, " ", "")
	if isDigits(digits) && len(digits) >= codeDigits && len(digits) <= longestDigit {
		return Reading{Word: Code, Code: digits}
	}
	if i := strings.LastIndexByte(s, ' '); i > 0 && len(s)-i-1 == codeDigits && isDigits(s[i+1:]) {
		word := strings.Trim(s[:i], " ,.:")
		switch {
		case among(words.Yes, word):
			return Reading{Word: Yes, Code: s[i+1:]}
		case among(words.No, word):
			return Reading{Word: No, Code: s[i+1:]}
		}
	}
	return Reading{Word: Other}
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
	s := norm.NFKC.String(body)
	s = strings.Map(func(r rune) rune {
		switch {
		case unicode.IsSpace(r):
			return ' '
		case unicode.Is(unicode.Cf, r), unicode.Is(unicode.Variation_Selector, r), unicode.IsControl(r):
			return -1
		}
		return r
	}, s)
	s = cases.Fold().String(s)
	s = strings.Trim(s, " .,!?¡¿。\"'`´«»“”„‘’‚")
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

package linkclick

import (
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// This file finds what takes a success back in other lines than its own: the answer beside the name
// of a fact, as in a profile, and the condition above a list.

// refusals are what a page says of a fact that is not so, after its name: "Email verified: no".
var refusals = strings.Split("0,no,not yet,false,never,pending,nein,noch nicht,nej,ikke endnu,nei,"+
	"ikke ennå,inte ännu,nee,nog niet,non,pas encore,aún no,todavía no,non ancora,não,ainda não,"+
	"いいえ,нет,ещё нет,ні,ще ні,ne,zatím ne,ei,ei vielä,όχι,όχι ακόμα,nie,jeszcze nie,nu,încă nu,"+
	"hayır,henüz değil,لا,ليس بعد,không,chưa,否,未,尚未,未验证,未驗證,未确认,未確認,✗,✘,✖,❌,"+
	"unverified,not verified,unconfirmed,not confirmed,pending verification", ",")

// isDenied reports whether a phrase, after which its statement goes on with rest, is the name of a
// fact that is not so. The answer may have a cell of its own, and so be the next statement.
func isDenied(rest string, next []string) bool {
	answer := strings.Trim(rest, answerMarks)
	if answer != "" { // other facts may follow in the same line
		first, _ := utf8.DecodeRuneInString(answer)
		answer, _, _ = strings.Cut(answer, ",")
		return strings.ContainsRune("✗✘✖❌", first) || refuses(answer)
	}
	return len(next) > 0 && refuses(strings.Trim(next[0], answerMarks))
}

// answerMarks are what stands around an answer.
const answerMarks = " .!:;,-–—=|()[]\u2192"

// refuses reports whether an answer is a refusal. A sign may stand before it. After it there may be
// a remark in brackets, or a link that sends another mail. "No further steps are needed" is none.
func refuses(answer string) bool {
	if slices.Contains(refusals, answer) {
		return true
	}
	answer = strings.TrimLeftFunc(answer, func(r rune) bool {
		return unicode.In(r, unicode.So, unicode.Mn) || strings.ContainsRune(answerMarks, r)
	})
	return slices.ContainsFunc(refusals, func(refusal string) bool {
		more, ok := strings.CutPrefix(answer, refusal)
		first, _ := utf8.DecodeRuneInString(more)
		if !ok || isOfWord(first) || strings.ContainsRune("-'@", first) {
			return false
		}
		more = strings.TrimLeft(more, " ")
		first, _ = utf8.DecodeRuneInString(more)
		return !isOfWord(first) && first != ',' ||
			slices.ContainsFunc(again, func(word string) bool { return strings.HasPrefix(more, word) })
	})
}

// maxList is how many statements before a success may begin the list in which it stands.
const maxList = 8

// isListed reports whether the statements before a success begin a list of conditions: "You can
// sign in once:" stands above "your email is verified".
func (l language) isListed(statements []string) bool {
	above := statements[max(0, len(statements)-maxList):]
	return slices.ContainsFunc(above, func(s string) bool {
		return strings.HasSuffix(s, ":") && hasWord(s, l.unless)
	})
}

func isOfWord(r rune) bool { return unicode.IsLetter(r) || unicode.IsDigit(r) }

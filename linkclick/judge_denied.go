package linkclick

import (
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// This file finds what takes a success back in other lines than its own: the answer beside the name
// of a fact, as in a profile, and the condition above a list. It also finds the step of the reader
// from which a success would follow, and what is activated beside an account.

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

// steps are words with which a page asks its reader to do something. A success after one in its
// statement is what follows from that: "press Continue, and your email is verified".
var steps = strings.Fields("click press tap enter follow klicken klicke drücken klik klikk tryk " +
	"trykk klicka tryck druk cliquez appuyez pulsa pulse haz haga clicca cliccate premi clique " +
	"toque нажмите перейдите натисніть перейдіть klikněte klepněte kliknij naciśnij napsauta " +
	"klikkaa paina κάντε πατήστε apăsați apasă انقر اضغط nhấp nhấn bấm")

// means are the beginnings of what, right after a success, says how or when one comes to it: "your
// email is verified by clicking the link".
var means = strings.Split("by clicking,by pressing,by tapping,by entering,by following,by opening,"+
	"as soon as,durch klick,durch einen klick,durch das klicken,durch den klick,mit einem klick,"+
	"ved at,ved å,så snart,så fort,genom att,door te,door op,en cliquant,en suivant,en appuyant,"+
	"par un clic,al hacer clic,haciendo clic,al pulsar,cliccando,facendo clic,premendo,ao clicar,"+
	"clicando,нажатием,при нажатии,натисканням,при натисканні,kliknutím,po kliknutí,kliknięciem,"+
	"przez kliknięcie,napsauttamalla,klikkaamalla,κάνοντας,με ένα κλικ,făcând clic,prin apăsarea,"+
	"بالنقر,عن طريق,bằng cách,in the next,on the next,within,tomorrow,every time,each time", ",")

// notices are stems for what a site mails of its own accord.
var notices = strings.Split("notifica,notifika,newsletter,alert,benachrichtig,varsl,varsel,aviser,"+
	"emailmelding,avvis,уведомлен,рассылк,сповіщен,розсилк,zpravodaj,oznámen,upozorněn,ilmoitu,"+
	"ειδοποίησ,powiadomi,bildirim,إشعار,thông báo,通知", ",")

// activatesNotices reports whether a phrase of success tells that notices were activated. They are
// sent by mail, or to an account: so these words make none an account.
func activatesNotices(before, phrase string) bool {
	return hasStem(phrase, activations) && hasStem(lastClause(before)+phrase, notices)
}

// followsStep reports whether a success, with before and rest beside it, would follow from a step.
func followsStep(before, rest string) bool {
	return hasWord(before, steps) ||
		slices.ContainsFunc(means, func(m string) bool { return strings.HasPrefix(rest, m) })
}

// leaves are words of what the reader can do, and causes begin the reason why.
var (
	leaves = []string{" you can ", " you will ", " we will "}
	causes = []string{" because ", " since ", " now that "}
)

// withoutLeave returns a clause without the "can" of what is so for the reason that follows: "You
// can sign in because your email is verified". All other words of the clause stay.
func withoutLeave(clause string) string {
	clause = " " + strings.TrimLeft(clause, " ")
	for _, leave := range leaves {
		rest, ok := strings.CutPrefix(clause, leave)
		if ok && slices.ContainsFunc(causes, func(c string) bool { return strings.Contains(rest, c) }) {
			return " " + rest
		}
	}
	return clause
}

func isOfWord(r rune) bool { return unicode.IsLetter(r) || unicode.IsDigit(r) }

package wording

import (
	"strings"
	"sync"

	"golang.org/x/text/cases"
	"golang.org/x/text/unicode/norm"
)

// Keyword is what a text means to carriers and to Twilio when nothing else is in it. They act
// upon it before the bridge sees it, so no tenant may give it another meaning.
type Keyword int

// What keywords mean.
const (
	NoKeyword Keyword = iota
	StopKeyword
	StartKeyword
	HelpKeyword
)

// stopWords are the keywords that stop texts, folded as KeywordOf folds. Those of the first line
// are Twilio's; ARRET is what Canadian carriers add. In the US all seven words of 47 CFR
// 64.1200(a)(10) revoke by themselves, "opt out" among them, and so does any clear sentence: the
// usual short ones are here. Words of other languages are those that senders there offer. None is a
// word with which people say yes or no, however it is spelled: a word that only might be one, such
// as the Vietnamese "dung", is left out.
//
// Source: https://help.twilio.com/articles/223134027
func stopWords() []string {
	return []string{
		"stop", "stopall", "unsubscribe", "cancel", "end", "quit", "revoke", "optout",
		"arret", "arrêt",
		"stop all", "opt out", "opt-out", "please stop", "stop please", "stop texting",
		"stop texting me", "stop messages", "unsubscribe me", "remove me", "opt me out",
		"do not text me", "don't text me", "don’t text me", "dont text me",
		"stopp", "stoppen", "stop sms", "stopsms", // several
		"afmeld", "frameld", // da
		"avregistrera", "avsluta", // sv
		"avmeld", "avslutt", // nb
		"lopeta", "peru tilaus", // fi
		"abmelden", "abbestellen", "austragen", "ende", // de
		"afmelden", "uitschrijven", // nl
		"désabonner", "desabonner", "désinscription", "desinscription", // fr
		"baja", "darse de baja", "cancelar suscripción", "cancelar suscripcion", // es
		"sair", "parar", "descadastrar", "cancelar inscrição", "cancelar inscricao", // pt
		"disiscrivi", "disiscrivimi", "cancellami", // it
		"rezygnuję", "rezygnuje", "rezygnacja", "wypisz", "wypisz mnie", "zakończ", "zakoncz", // pl
		"odhlásit", "odhlasit", "zrušit odběr", "zrusit odber", // cs, sk
		"отписка", "отписаться", "стоп", // ru
		"відписка", "відписатися", // uk
		"dezabonare", "dezabonează", "dezaboneaza", // ro
		"ret", "iptal", "abonelikten çik", "abonelikten cik", // tr
		"توقف", "إيقاف", "ايقاف", "إلغاء الاشتراك", "الغاء الاشتراك", // ar
		"jooji",                                                      // so
		"dừng", "ngừng", "hủy đăng ký", "huỷ đăng ký", "huy dang ky", // vi
		"退订", "退訂", "停止", "取消订阅", "取消訂閱", // zh
		"配信停止", "ストップ", // ja, and 停止 above
		"הסר", "수신거부", "leiratkozás", "leiratkozas", // he, ko, hu
		"διακοπή", "διακοπη", "στοπ", "odjava", // el, hr
	}
}

func startWords() []string { return []string{"start", "unstop"} }

func helpWords() []string { return []string{"help", "info"} }

// keywords are all keywords, made at first use and never changed.
var keywords = sync.OnceValue(func() map[string]Keyword {
	all := map[string]Keyword{}
	for meaning, words := range map[Keyword][]string{
		StopKeyword: stopWords(), StartKeyword: startWords(), HelpKeyword: helpWords(),
	} {
		for _, word := range words {
			all[word] = meaning
		}
	}
	return all
})

// KeywordOf returns what a text means to carriers, whatever its case, its width and the way in
// which its accents are written.
func KeywordOf(text string) Keyword { return keywords()[folded(text)] }

func folded(text string) string {
	return Undotted(norm.NFC.String(cases.Fold().String(norm.NFKC.String(text))))
}

// Undotted writes the i of Turkish as that of other languages. There the capital of i is İ, which
// folds to i and a dot, and I is the capital of ı. Phones set to other languages write both as I.
func Undotted(folded string) string {
	return strings.ReplaceAll(strings.ReplaceAll(folded, "i\u0307", "i"), "ı", "i")
}

package linkclick

import (
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
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
	if said := readWords(statements(text), successPossible, known().phrases); said != outcomeChanged {
		return said
	}
	return OutcomeUnknown
}

// hear looks for what text says about what the click is for.
func (k *click) hear(text string, successPossible bool) Outcome {
	return k.hearStatements(k.statements(text), successPossible)
}

// statements are those of a text, without the application's name.
func (k *click) statements(text string) []string { return statements(k.Rule.withoutName()(text)) }

// hearStatements is hear for the statements of a text. It also knows the words with which only the
// provider of the link tells of success.
func (k *click) hearStatements(all []string, successPossible bool) Outcome {
	said := readWords(all, successPossible, known().phrases, known().praise[k.shape.provider])
	switch reset := k.Kind == KindReset; {
	case reset && said == outcomeChanged:
		return OutcomeConfirmed
	case succeeds(said) && reset != (said == outcomeChanged):
		return OutcomeUnknown
	}
	return said
}

// denials are words of a clause after which a phrase of success tells of none: it is not so, or not
// yet, or only will, can or ought to be. They count in every language: a phrase of Portuguese is
// Spanish, too.
var denials = strings.Fields("not nor never cannot must should isn wasn hasn hadn couldn " +
	"didn nicht kein keine nie muss müssen ikke ikkje inte ej niet geen nooit moet moeten ne n " +
	"pas jamais doit nunca debe non deve não jamás не ни нет должен должна должно нужно ні має " +
	"повинен повинна потрібно while soon wait get make keep während mens medan terwijl pendant " +
	"mientras mentre enquanto will would can could need needs almost nobody none neither how " +
	"why wird kann können soll sollen wordt zal zullen kan vil skal ska kommer sera seront va " +
	"peut pourra será serán puede podrá sarà verrà viene può vai pode poderá serão будет будут " +
	"буде будуть będzie")

// restrictions are words that, right after a success, begin what it still depends on: "only when".
var restrictions = strings.Fields("only erst nur først kun bare först bara endast pas alleen " +
	"slechts seulement uniquement solo sólo solamente únicamente soltanto só somente apenas " +
	"только лишь тільки лише")

// states reports whether a statement holds phrase and no condition before it. A success must not be
// taken back either.
func (l *language) states(statements []string, phrase string, outcome Outcome) bool {
	success := succeeds(outcome)
	for i, s := range statements {
		at := strings.Index(s, phrase)
		if success {
			at = indexOfWords(s, phrase)
		}
		if at < 0 {
			continue
		}
		before, rest := s[:at], s[at+len(phrase):]
		if success && !l.fits(before, rest) {
			continue
		}
		continued := slices.ContainsFunc(l.after, func(condition string) bool {
			return strings.HasPrefix(rest, condition)
		})
		if !continued && !hasWord(before, l.unless) && !(success && l.isListed(statements[:i])) &&
			!(success && (namesOther(s) || l.takesBack(before, rest, statements[i+1:]))) &&
			!(success && activatesNotices(before, phrase)) &&
			!(outcome == OutcomeConfirmed && activatesOther(phrase, s[:at+len(phrase)])) &&
			!(success && outcome != outcomeChanged && !l.alone && isOfOther(before, phrase, rest)) {
			return true
		}
	}
	return false
}

// fits reports whether a success stands where this language has it, between before and rest.
func (l *language) fits(before, rest string) bool {
	next, _ := utf8.DecodeRuneInString(rest)
	following, _ := utf8.DecodeRuneInString(strings.TrimLeft(rest, " "))
	return !(l.whole && unicode.IsLetter(next)) &&
		!(l.closes && (unicode.IsLetter(following) || unicode.IsDigit(following) ||
			strings.ContainsRune("/\"'”」』»@", following))) &&
		!(l.opens && strings.ContainsFunc(lastClause(before), unicode.IsLetter))
}

// lastClause returns what stands in s after the last mark between clauses.
func lastClause(s string) string {
	s = s[max(0, len(s)-maxContext):]
	at := strings.LastIndexAny(s, clauseMarks)
	if at < 0 {
		return s
	}
	_, size := utf8.DecodeRuneInString(s[at:])
	return s[at+size:]
}

const clauseMarks = ",;:()–—|،؛"

// indexOfWords returns where phrase begins in s with a word, and -1 if it does nowhere. The Danish
// "kræver bekræftet e-mail" asks for what "er bekræftet" would report. Chinese and Japanese have no
// blanks.
func indexOfWords(s, phrase string) int {
	first, _ := utf8.DecodeRuneInString(phrase)
	for from := 0; ; {
		n := strings.Index(s[from:], phrase)
		if n < 0 {
			return -1
		}
		before, _ := utf8.DecodeLastRuneInString(s[:from+n])
		if !unicode.IsLetter(before) || hasNoBlanks(before) || hasNoBlanks(first) {
			return from + n
		}
		from += n + len(phrase)
	}
}

// others name an account that is not the reader's. allauth refuses an address as "already confirmed
// by a different account", which is no success of this one.
var others = strings.Split("different account,another account,different user,another user,"+
	"someone else,anderes konto,anderen konto,anderen account,anderen benutzer,"+
	"anden konto,annen konto,anden bruger,annen bruker,annat konto,annan användare,"+
	"ander account,andere gebruiker,autre compte,autre utilisateur,otra cuenta,otro usuario,"+
	"altro account,altro utente,outra conta,conta diferente,outro usuário,outro utilizador,"+
	"ほかのアカウント,他のアカウント,別のアカウント,他のユーザー,別のユーザー,"+
	"другой учетной,другой учётной,другим аккаунт,другим пользовател,"+
	"іншим обліковим,іншим акаунт,іншим користувач,"+
	"anderem konto,compte différent,utilisateur différent,cuenta diferente,usuario diferente,"+
	"usuário diferente,utilizador diferente,другого пользовател,іншого користувач,"+
	"cuenta distinta,account diverso,"+
	"jiným účtem,jiného účtu,jiný účet,jiným uživatelem,toiselle tilille,toisella tilillä,"+
	"toinen tili,toinen käyttäjä,toisen käyttäjän,διαφορετικό λογαριασμό,άλλο λογαριασμό,"+
	"άλλον λογαριασμό,άλλον χρήστη,innego konta,inne konto,innym kontem,innego użytkownika,"+
	"alt cont,altui cont,alt utilizator,altui utilizator,başka bir hesap,başka hesap,"+
	"farklı bir hesap,başka bir kullanıcı,حساب مختلف,حساب آخر,مستخدم آخر,tài khoản khác,"+
	"người dùng khác,另一个,其他账,其他帐,其他用户,别的,他人,另一個,其他帳,其他使用者,別的", ",")

// facts name what may be verified or activated beside an address: a phone number, a second factor,
// what a browser permits, a payment and an order.
var facts = strings.Split("phone number,mobile number,telefonnummer,handynummer,mobilnummer,"+
	"telefoonnummer,numéro de téléphone,número de teléfono,número de telefone,"+
	"número de telemóvel,numero di telefono,numer telefonu,număr de telefon,numărul de telefon,"+
	"telefonní číslo,telefonního čísla,puhelinnumero,αριθμός τηλεφώνου,αριθμό τηλεφώνου,"+
	"номер телефона,номер телефону,telefon numara,رقم الهاتف,رقم هاتف,số điện thoại,"+
	"手机号,手機號,电话号码,電話號碼,電話番号,two-factor,two factor,2fa, mfa,authenticator,"+
	"zweistufig,zwei-faktor,deux étapes,deux facteurs,dois fatores,dos factores,due fattori,"+
	"aplicación de autenticación,tofaktor,tvåfaktor,tweestaps,двухфактор,двофактор,"+
	"autentifikátor,autentificare,javascript,cookie,passkey,security key,sicherheitsschlüssel,"+
	"sikkerhedsnøgle,sikkerhetsnøkkel,säkerhetsnyckel,beveiligingssleutel,clé de sécurité,"+
	"llave de seguridad,clave de seguridad,chave de segurança,chiave di sicurezza,"+
	"セキュリティキー,κλειδί ασφαλείας,ключ безопасности,ключ безпеки,klucz bezpieczeństwa,"+
	"klucza bezpieczeństwa,bezpečnostní klíč,cheie de securitate,güvenlik anahtarı,suojausavain,"+
	"khóa bảo mật,安全密钥,安全金鑰,مفتاح الأمان,to-faktor,två-faktor,dos pasos,dois passos,"+
	"due passaggi,kaksivaihei,dvoufázov,dwuetapow,двухэтап,двоетап,iki adım,iki faktör,hai bước,"+
	"二段階,两步,兩步,δύο παραγόντων,payment,zahlung,betaling,betalning,paiement,pago,pagamento,"+
	"支払,決済,платёж,платеж,оплат,платіж,płatnoś,platba,plată,πληρωμ,ödeme,maksu,thanh toán,"+
	"付款,支付,الدفع,your order,bestellung,bestelling,ordren,din order,votre commande,pedido,"+
	"tuo ordine,suo ordine,zamówieni,заказ,замовлен,objednávk,tilaukse,παραγγελί,comanda ta,"+
	"comanda dvs,sipariş,đơn hàng,订单,訂單,注文,two-step,two step,2-step,2-factor,multi-factor,"+
	"multifa,mehrfaktor,mehr-faktor,zwei-schritt,zwei-stufen,2-faktor,double authentification,"+
	"plusieurs facteurs,doble factor,duas etapas,più fattori,totrin,tvåsteg,flerfaktor,tweefactor,"+
	"twee stappen,meerstaps,dwuskładnik,wieloskładnik,vícefaktor,monivaihei,многофактор,"+
	"багатофактор,iki aşamalı,yếu tố,2 bước,段階認証,要素認証,双重验证,雙重驗證,双因素,雙因素", ",")

// namesOther reports whether a statement speaks of another person's account, or of a fact that is
// no address.
func namesOther(statement string) bool {
	return hasStem(statement, others) || hasStem(statement, facts)
}

// activations are stems of "activated". Sites say so of settings, features and access, too. So it
// confirms only after one of accounts: stems for an account, its holder, membership or address.
var (
	activations = strings.Split("activ,aktiv,attivat,ativ,geactiveerd,aktywowan,активирован,"+
		"активован,ενεργοποιήθηκε,ενεργοποιηθεί,etkinleştir,aktifleştir,有効になりました,"+
		"kích hoạt,激活,启用,啟用", ",")
	accounts = strings.Split("account,konto,účet,účtu,compte,cuenta,conta,contul,tili,λογαριασμ,"+
		"аккаунт,акаунт,учетная,учётная,обліков,アカウント,tài khoản,user,bruger,bruker,användar,"+
		"gebruiker,benutzer,nutzer,utilisat,usuari,usuári,utente,utilizador,utilizator,uživatel,"+
		"käyttäjä,χρήστη,użytkownik,пользовател,користувач,ユーザ,người dùng,regist,anmeldung,tilmelding,"+
		"aanmelding,inscri,înscri,iscri,cadastr,rejestrac,rekister,εγγραφ,регистрац,реєстрац,登録,đăng ký,"+
		"member,medlem,mitglied,lidmaatschap,membr,miembro,profil,perfil,mail,addres,epost,adres,"+
		"direcci,indirizzo,endereço,osoit,διεύθυνση,адрес,почт,пошт,メール,correo,correio,courriel,"+
		"posta,hesab,hesap,kaydınız,بريد,حساب,تسجيل,địa chỉ,thư điện tử,邮箱,邮件,账户,账号,帐户,帐号,"+
		"注册,信箱,郵件,郵箱,帳戶,帳號,signup,sign-up,sähköposti", ",")
)

// activatesOther reports whether a phrase of success tells that something was activated which, by
// the words up to its end, is no account.
func activatesOther(phrase, upTo string) bool {
	return hasStem(phrase, activations) && !hasStem(upTo, accounts)
}

// readers are words that begin a clause about the reader: "you are now verified". French "c'est
// confirmé" is about what the reader has just done.
var readers = strings.Fields("you sie du vous je u usted lei você вы ви c")

// isOfOther reports whether a phrase of success says it of something that is no account: a key, a
// domain or a file is verified, too. What is verified is named before the phrase or right after it.
// Where nothing stands before it, the phrase is a heading, or a form shows it beside the address.
func isOfOther(before, phrase, rest string) bool {
	rest = strings.TrimRight(strings.TrimLeftFunc(rest, unicode.IsLetter), " .!") // the end of a stem
	after := strings.Fields(rest)
	near := strings.Join(after[:min(len(after), maxObject)], " ")
	if !namesAny(before) || namesAccount(before+phrase) || namesAccount(near) {
		return false
	}
	clause := strings.FieldsFunc(lastClause(before), isNoLetter)
	return rest != "" || len(clause) == 0 || !slices.Contains(readers, clause[0])
}

// auxiliaries are verbs with which a sentence without a subject begins: "was already confirmed".
var auxiliaries = strings.Fields("was is has been wurde ist er har är a est è stato ha byl byla")

// namesAny reports whether s names anything: a word in it is no auxiliary.
func namesAny(s string) bool {
	return slices.ContainsFunc(strings.FieldsFunc(s, isNoLetter), func(word string) bool {
		return !slices.Contains(auxiliaries, word)
	})
}

// maxObject is how many words after a phrase may name its object: "successfully your mail address".
const maxObject = 3

// namesAccount reports whether s names an account or an address, or holds an address. One with a
// comma behind it greets the reader: "Hi kim@acme.example, your domain was verified".
func namesAccount(s string) bool {
	return strings.Count(s, "@") > strings.Count(s, "@,") || hasStem(s, accounts)
}

// takesBack reports whether a phrase of success is denied in its clause or after it, or a condition
// follows. Next are the statements after that of the phrase.
func (l *language) takesBack(before, rest string, next []string) bool {
	clause := withoutLeave(lastClause(before))
	if l.late {
		end := strings.IndexAny(rest+",", clauseMarks)
		if hasWord(rest, l.unless) || hasWord(rest[:end], l.denies) || hasWord(before, l.denies) {
			return true
		}
	}
	if refuses(rest) { // nothing but its style parts the name of a fact from the answer
		return true
	}
	rest = strings.TrimLeftFunc(rest, unicode.IsLetter) // the end of a stem
	words := strings.TrimLeftFunc(rest, isNoLetter)
	word := words[:len(words)-len(strings.TrimLeftFunc(words, unicode.IsLetter))]
	return hasWord(clause, denials) || hasWord(clause, l.denies) ||
		strings.HasSuffix(" "+clause, " no ") || slices.Contains(l.unless, word) ||
		slices.Contains(restrictions, word) || followsStep(before, words) ||
		isDenied(rest, next)
}

// hasStem reports whether one of stems stands in s, be it as a part of a word.
func hasStem(s string, stems []string) bool {
	return slices.ContainsFunc(stems, func(stem string) bool { return strings.Contains(s, stem) })
}

// hasWord reports whether one of words stands in s, and is no part of a longer word. Where
// words have no blanks between them, nothing tells what a longer word is.
func hasWord(s string, words []string) bool {
	return slices.ContainsFunc(words, func(word string) bool {
		for from := 0; ; {
			n := strings.Index(s[from:], word)
			if n < 0 {
				return false
			}
			first, _ := utf8.DecodeRuneInString(word)
			if isWhole(s, from+n, word) || hasNoBlanks(first) {
				return true
			}
			from += n + len(word)
		}
	})
}

// hasNoBlanks reports whether a letter is of Chinese or Japanese.
func hasNoBlanks(letter rune) bool { return letter >= 0x3000 && letter < 0xac00 }

func isNoLetter(r rune) bool { return !unicode.IsLetter(r) }

// statements splits text into sentences in plain form, without addresses or questions. Arabic may
// be written with marks for vowels, or in the forms that letters have inside words; NFKC makes one
// of these.
func statements(text string) []string {
	var out []string
	for line := range strings.SplitSeq(text, "\n") {
		rest := withoutAddresses(line)
		if !isASCII(rest) {
			rest = sentenceMarks.Replace(rest)
		}
		rest = norm.NFKC.String(plain(rest))
		for rest != "" {
			end, asks := sentenceEnd(rest)
			if !asks {
				out = append(out, rest[:end])
			}
			rest = strings.TrimLeft(rest[end:], " .!?")
		}
	}
	return out
}

// withoutAddresses returns s with only the @ of mail addresses. Their words are none of a sentence:
// "no" and "se" are the domains of countries. A point at the end is that of the sentence.
func withoutAddresses(s string) string {
	var b strings.Builder
	for {
		at := strings.IndexByte(s, '@')
		if at < 0 {
			break
		}
		b.WriteString(strings.TrimRightFunc(s[:at], isOfAddress))
		b.WriteByte('@')
		after := strings.TrimLeftFunc(s[at+1:], isOfAddress)
		domain := strings.TrimRight(s[at+1:len(s)-len(after)], ".-+_")
		s = s[at+1+len(domain):]
	}
	b.WriteString(s)
	return b.String()
}

func isOfAddress(r rune) bool {
	return r < utf8.RuneSelf && (unicode.IsLetter(r) || unicode.IsDigit(r) ||
		strings.ContainsRune(".+-_", r))
}

// sentenceMarks are those of scripts without spaces and of Arabic. Marks for vowels, the long
// stroke and marks for the direction say nothing.
var sentenceMarks = strings.NewReplacer("。", ". ", "！", "! ", "？", "? ", "؟", "? ",
	"\u064b", "", "\u064c", "", "\u064d", "", "\u064e", "", "\u064f", "", "\u0650", "", "\u0651", "",
	"\u0652", "", "\u0670", "", "\u0640", "", "\u200c", "", "\u200d", "", "\u200e", "", "\u200f", "",
	"\u202a", "", "\u202b", "", "\u202c", "", "\u2066", "", "\u2067", "", "\u2068", "", "\u2069", "")

// sentenceEnd returns the length of the first sentence of s with its mark, and whether it asks. A
// point inside a word, as in an address, ends nothing. Greek asks with a semicolon.
func sentenceEnd(s string) (length int, asks bool) {
	greek := false
	for i := range len(s) {
		greek = greek || s[i] == 0xce || s[i] == 0xcf // the first byte of each Greek letter
		mark := strings.IndexByte(".!?", s[i]) >= 0 || greek && s[i] == ';'
		if mark && (i+1 == len(s) || s[i+1] == ' ') {
			return i + 1, s[i] == '?' || s[i] == ';'
		}
		if s[i] == '?' && asksInside(s, i) {
			return i + 1, true
		}
	}
	return len(s), false
}

// asksInside reports whether the question mark at s[i], after which no blank stands, ends a
// question: "(verified?)", "verified?!", and "verified?Log in" with a link that stands apart.
// In a web address it ends none. A bracket that asks beside a statement leaves the statement.
func asksInside(s string, i int) bool {
	next, _ := utf8.DecodeRuneInString(s[i+1:])
	switch {
	case strings.ContainsRune("!?\"'”’»」』", next):
		return true
	case next == ')':
		return s[0] == '('
	}
	word := strings.TrimRight(s[max(0, i-maxContext):i], " ")
	word = word[strings.LastIndexByte(word, ' ')+1:]
	last, _ := utf8.DecodeLastRuneInString(word)
	return unicode.IsLetter(last) && unicode.IsLetter(next) && !strings.ContainsAny(word, "/.:=&#%@")
}

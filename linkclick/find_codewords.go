package linkclick

import (
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// This file knows the words that announce a code, and those that announce another number. All are
// in lower case.

// codeWords announce a one-time code, alone or in a compound such as "Bestätigungscode". A short
// one counts as a whole word only.
var codeWords = []string{
	"code", "passcode", "pin", "otp", "one-time password", "one time password", "kode", "kod",
	"engångslösenord", "einmalpasswort", "einmalkennwort", "koodi", "código", "codigo", "codice",
	"mot de passe à usage unique", "contraseña de un solo uso", "コード", "認証番号",
	"確認番号", "ワンタイムパスワード", "暗証番号", "验证码", "驗證碼",
	"인증번호", "код", "одноразовый пароль",
	"одноразовий пароль", "engangsadgangskode", "engangspassord", "eenmalig wachtwoord", "kertakäyttö",
	"password monouso", "senha de uso único", "palavra-passe de utilização única",
	"hasło jednorazowe", "hasła jednorazowego", "jednorazowe hasło", "kód", "codul", "cod", "codi",
	"kodas", "kods", "kood", "koda", "κωδικός", "κωδικό", "mã", "รหัส", "קוד", "رمز", "الرمز", "كود",
	"کد", "کوڈ", "कोड", "ओटीपी", "কোড", "ওটিপি", "sandi sekali pakai", "tek kullanımlık",
	"인증 번호", "코드", "일회용 비밀번호", "ワンタイムコード", "一次性密码", "一次性密碼", "动态密码",
	"動態密碼", "校验码", "確認碼", "确认码", "认证码", "認證碼", "安全码", "安全碼", "动态码", "動態碼",
	"登录码", "登入碼", "mật khẩu dùng một lần", "sekali guna",
}

// otherWords announce a number that is no one-time code.
var otherWords = []string{
	"order", "invoice", "number", "no.", "nr", "nr.", "ref", "ref.", "reference", "case", "ticket",
	"tel", "tel.", "telephone", "phone", "fax", "call", "ring", "mobile", "zip", "zip code",
	"postal code", "postcode", "area code", "country code", "error code", "status code", "qr code",
	"qr-code", "barcode", "bar code", "discount code", "promo code", "promotion code",
	"promotional code", "promocode", "coupon", "coupon code", "voucher", "voucher code", "gift code",
	"referral code", "booking code", "tracking code", "source code", "ending in", "copyright",
	"version", "build", "since", "suite", "box", "vat", "cvr", "org", "org.", "reg", "id", "street",
	"serial", "flight", "points", "bestell", "rechnung", "nummer", "telefon", "rufnummer", "plz",
	"postleitzahl", "gutschein", "gutscheincode", "rabattcode", "hrb", "ordre", "faktura", "sag",
	"tlf", "tlf.", "postnummer", "rabat", "rabatkode", "rabattkode", "gavekort", "kampagnekode",
	"beställning", "bestilling", "rabattkod", "kampanjkod", "presentkort", "ärende", "commande",
	"facture", "numéro", "téléphone", "tél", "code postal", "code promo", "code de réduction",
	"code promotionnel", "référence", "dossier", "pedido", "factura", "número", "numero",
	"teléfono", "código postal", "código promocional", "código de descuento", "cupón",
	"referencia", "ordine", "fattura", "codice promozionale", "codice postale", "bestelling",
	"factuur", "kortingscode", "zamówien", "faktur", "tilaus", "lasku", "注文", "番号",
	"電話", "クーポン", "クーポンコード", "割引コード", "エラーコード",
	"qrコード", "バーコード", "招待コード", "заказ", "номер", "счет",
	"счёт", "тел", "тел.", "телефон", "индекс", "промокод",
	"скидк", "замовлен", "рахун", "індекс", "знижк",
	"paragraph", "section", "article", "clause", "chapter", "absatz", "abschnitt", "artikel",
	"kapitel",
	"sipariş", "fatura", "رقم", "هاتف", "订单", "訂單", "编号", "編號", "电话", "電話", "手机", "邮编",
	"优惠码", "주문", "전화", "번호", "ऑर्डर", "फ़ोन", "rendelés", "objednávk", "číslo",
	"παραγγελία", "τηλέφωνο", "mã đơn", "đơn hàng", "điện thoại", "mã giảm giá", "pesanan", "nomor",
	"comandă", "užsakym",
	"invitation code", "invite code", "einladungscode", "invitationskode", "invitasjonskode",
	"inbjudningskod", "uitnodigingscode", "code d'invitation", "código de invitación",
	"codice di invito", "codice d'invito", "código de convite", "kod zaproszenia", "kutsukoodi",
	"код приглашения", "код запрошення", "邀请码", "邀請碼",
}

// units after a number make it an amount.
var units = []string{
	"minutes", "minute", "min", "mins", "hours", "hour", "h", "seconds", "second", "sec", "s",
	"days", "day", "kr", "kr.", "usd", "eur", "sek", "dkk", "nok", "gbp", "euro", "euros", "dollars",
	"points", "minuten", "stunden", "sekunden", "tage", "minutter", "timer", "sekunder", "dage",
	"timmar", "dagar", "heures", "secondes", "jours", "minutos", "horas", "segundos", "días",
	"минут", "часов", "секунд", "хвилин", "годин", "分", "円", "分钟", "分鐘", "분", "원", "元", "دقيقة",
	"دقائق", "मिनट", "dakika", "phút", "perc", "minut", "λεπτά", "zł", "₽", "kč", "ft", "lei", "tl",
}

// What the word nearest to a number announces.
const (
	nearNothing = iota
	nearCode
	nearOther
)

// unnumbered takes out what holds a word for a number and announces none: "in order to" speaks of
// no order, nor does the German "angefordert". The Korean word for a password ends in that for a
// number. A one-time one stays.
var unnumbered = strings.NewReplacer("in order to", "", "forder", "",
	"일회용 비밀번호", "일회용 비밀번호", "비밀번호", "")

// maxAnnounce is how far from a number, in bytes, its word may stand.
const maxAnnounce = 120

// nearest tells what the last word for a number in before announces. Of two words that end at one
// place the longer wins, so that a promo code is no code.
func nearest(before string) int {
	before = strings.ToLower(before[max(0, len(before)-maxAnnounce):])
	before = before[strings.LastIndexAny(before, "?？")+1:] // a question announces nothing
	before = unnumbered.Replace(before)
	code, codeLen := lastWord(before, codeWords)
	other, otherLen := lastWord(before, otherWords)
	return nearer(code, other, codeLen > otherLen)
}

// first is nearest for the words after a number.
func first(after string) int {
	after = unnumbered.Replace(strings.ToLower(after[:min(len(after), maxAnnounce)]))
	code, other := firstWord(after, codeWords), firstWord(after, otherWords)
	return nearer(-code, -other, code <= other)
}

// nearer compares two places. The higher one is nearer, and nowhere is far below zero.
func nearer(code, other int, tie bool) int {
	switch {
	case max(code, other) <= -nowhere:
		return nearNothing
	case code > other, code == other && tie:
		return nearCode
	}
	return nearOther
}

// nowhere is further than any place in a line.
const nowhere = 1 << 30

// lastWord returns where the last of words ends in s, and its length.
func lastWord(s string, words []string) (end, length int) {
	end = -nowhere
	for _, w := range words {
		for at := len(s); ; {
			at = strings.LastIndex(s[:at], w)
			if at < 0 {
				break
			}
			if standsAlone(s, at, w) {
				if at+len(w) > end || at+len(w) == end && len(w) > length {
					end, length = at+len(w), len(w)
				}
				break
			}
		}
	}
	return end, length
}

func firstWord(s string, words []string) int {
	at := nowhere
	for _, w := range words {
		if i := strings.Index(s, w); i >= 0 && i < at && standsAlone(s, i, w) {
			at = i
		}
	}
	return at
}

// standsAlone reports whether w, at a place in s, is more than a part of another word. A word of
// five letters or more, or of a script without spaces, may be a part: compounds hold it.
func standsAlone(s string, at int, w string) bool {
	stems := []string{"code", "kode", "kod", "kód", "код", "رمز", "كود", "کد", "קוד"}
	if utf8.RuneCountInString(w) > 4 || slices.Contains(stems, w) || w[0] >= 0xe0 {
		return true
	}
	return isWhole(s, at, w)
}

// isWhole reports whether w, at a place in s, is no part of a longer word.
func isWhole(s string, at int, w string) bool {
	before, _ := utf8.DecodeLastRuneInString(s[:at])
	after, _ := utf8.DecodeRuneInString(s[at+len(w):])
	return !unicode.IsLetter(before) && !unicode.IsLetter(after)
}

// namesCode reports whether some words speak of a one-time code.
func namesCode(s string) bool {
	s = strings.ToLower(s)
	tries := maxNumbers
	for _, w := range codeWords {
		at := 0
		for tries > 0 {
			i := strings.Index(s[at:], w)
			if i < 0 {
				break
			}
			tries--
			if at += i + len(w); nearest(s[:at]) == nearCode {
				return true
			}
		}
	}
	return false
}

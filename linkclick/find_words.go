package linkclick

import (
	"strings"
	"sync"
)

// This file knows the words that senders write around links. All entries are in plain form
// (plain.go).

// speech is what words ask the reader to do. Greater values do more harm.
type speech int

const (
	saysNothing speech = iota
	saysVerify
	saysLogin
	saysInvite
	saysReset
	saysChange
	saysAct   // approve, pay, delete, export: something else is done to the account
	saysNotMe // also unsubscribe
)

// vocabulary lists the parts of words that tell each meaning. The languages are English, German,
// Danish, Norwegian, Swedish, Dutch, French, Spanish, Italian, Portuguese, Polish, Finnish,
// Japanese, Russian, Ukrainian and a little Chinese. A change of address is known in Czech, Korean
// and Turkish, too. Earlier rows win, so words of harm come first.
var vocabulary = []struct {
	says  speech
	words []string
}{
	{saysAct, []string{
		"approve", "approval", "authorize", "authorise", "grant access", "new device",
		"verify device", "verify this device", "confirm device", "confirm this device",
		"recognize this device", "recognise this device", "unrecognized", "unrecognised", "new sign-in",
		"new login", "two-factor", "two factor", "two-step", "2fa", "mfa", "multi-factor",
		"authenticator", "payment", "purchase", "invoice", "payout", "transfer", "ownership", "consent",
		"api token", "api key", "access token", "merge account", "merge your", "merging", "merger",
		"link account", "link your", "linking your", "connect your account", "new phone",
		"phone number", "data export", "export your", "export of your", "download your",
		"close account",
		"close your", "closing your", "closure", "erase", "erasure", "your order", "this order",
		"subscription", "withdraw", "revoke", "disable", "turn off", "switch off", "delete", "deletion",
		"remove my", "remove your", "deactivat", "deaktiv", "cancel", "block",
		"kündigung", "kündigen", "gekündigt", "löschen", "löschung", "neues gerät", "neuen gerät",
		"dieses gerät", "zahlung", "bezahl", "bestellung", "überweis", "freigeben", "freigabe",
		"genehmig", "zwei-faktor", "zwei-schritt", "schließen sie ihr", "einwillig", "zusammenführ",
		"slet ", "slette", "sletning", "opsig", "opsigelse", "ny enhed", "nye enhed", "betaling",
		"godkend",
		"overfør", "tofaktor", "to-faktor", "totrins", "samtykke", "bestilling", "luk din", "lukke din",
		"slett ", "sletting", "oppsig", "ny enhet", "nya enhet", "godkjenn", "radera", "radering",
		"uppsägning", "säga upp",
		"godkänn", "betalning", "beställning", "överför", "tvåfaktor", "tvåstegs", "avsluta",
		"verwijder", "opzeg", "nieuw apparaat", "goedkeur", "overdra", "tweestaps", "toestemming",
		"supprimer", "suppression", "résili", "nouvel appareil", "approuver", "autoriser", "paiement",
		"commande", "virement", "double authentification", "deux facteurs", "deux étapes", "clôtur",
		"fusionn", "consentement",
		"eliminar", "eliminación", "nuevo dispositivo", "aprobar", "autorizar", "pago", "pedido",
		"transferencia", "transferir", "dos pasos", "dos factores", "cerrar tu cuenta",
		"cerrar su cuenta", "consentimiento", "borrar",
		"elimina", "nuovo dispositivo", "approva", "autorizza", "pagamento", "ordine", "trasferi",
		"due fattori", "chiusura", "chiudere", "consenso", "disdetta",
		"excluir", "exclusão", "novo dispositivo", "aprovar", "autorizar", "encomenda",
		"dois fatores", "duas etapas", "encerrar", "cancelar",
		"usuń", "usunięci", "nowe urządzenie", "nowego urządzenia", "zatwierd", "płatnoś",
		"zamówieni", "przelew", "dwuetap", "dwuskładnik", "zamknię",
		"poista", "uusi laite", "uuden laitteen", "hyväksy", "maksu", "tilaukse", "siirto",
		"kaksivaihe", "sulje tili",
		"退会", "削除", "新しいデバイス", "新しい端末", "承認", "支払", "決済", "注文", "送金", "二段階",
		"2段階", "二要素", "解約",
		"удал", "новое устройство", "нового устройства", "одобр", "оплат", "платеж", "платёж",
		"заказ", "перевод", "двухфактор", "двухэтап", "закрыт", "согласие",
		"видал", "новий пристрій", "нового пристрою", "схвал", "платіж", "замовлен", "переказ",
		"двофактор", "двоетап", "закрит",
		"删除", "注销", "新设备", "批准", "授权", "付款", "支付", "订单", "转账", "两步", "双重",
	}},
	{saysNotMe, []string{
		"unsubscribe", "opt out", "opt-out", "not you", "wasn't you", "was not you", "not me",
		"wasn't me", "was not me", "did not", "didn't", "not request", "report this", "abmelden",
		"abbestellen",
		"waren sie nicht", "nicht angefordert", "nicht sie", "afmeld", "ikke dig",
		"ikke bedt", "avmeld", "ikke deg", "avregistrera", "avprenumerera",
		"inte du", "afmelden", "uitschrijven", "niet aangevraagd", "désabonner",
		"désinscrire", "pas vous", "n'avez pas", "darse de baja",
		"cancelar la suscripción", "no has sido", "no fuiste", "no ha solicitado",
		"annulla l'iscrizione",
		"disiscri", "non hai richiesto", "não foi você",
		"não solicit", "descadastr", "wypisz", "to nie ty", "peruuta",
		"et pyytänyt", "配信停止", "登録解除", "心当たり",
		"отпис", "не вы", "не запрашив", "не регистрир",
		"відпис", "не ви ", "не ви,", "не запит", "не реєстр",
	}},
	{saysReset, []string{
		"reset", "forgot", "recover", "password", "passwort", "kennwort", "zurücksetz", "adgangskode",
		"nulstil", "glemt", "passord", "tilbakestill", "lösenord", "återställ", "wachtwoord",
		"herstel", "mot de passe", "réinitialis", "contraseña", "restablec", "reimposta", "senha",
		"palavra-passe", "redefin", "hasł", "salasana", "パスワード", "再設定", "リセット",
		"парол", "сброс", "восстанов", "скинути", "відновл",
		"wiederherstell", "wiederherzustell", "gendan", "gjenopprett", "récupér", "recuper", "odzysk",
		"palauta", "重置", "找回", "恢复", "密码", "密碼", "重設", "重设",
		"mật khẩu", "đặt lại", "รหัสผ่าน", "kata sandi", "kata laluan",
		"κωδικό πρόσβασης", "κωδικός πρόσβασης", "κωδικού πρόσβασης",
	}},
	{saysChange, []string{
		"new email", "new address", "change of email", "change of your email", "change of the email",
		"change of address", "change email", "change your email", "change my email",
		"change the email", "change the address", "change to your email", "changed your email",
		"changeemail", "emailchange", // as paths have them
		"changed the email", "changed their email", "changing your email", "email change",
		"email address change", "address change", "confirm change", "confirm the change",
		"confirm this change", "email update", "email address update", "update your email",
		"update the email", "update of your email", "updated email", "updated your email",
		"neue email", "neuen email", "neuer email", "neue adresse", "neuen adresse",
		"änderung ihrer email", "änderung deiner email", "änderung der email", "email-adresse ändern",
		"email-adresse zu ändern", "email-adresse geändert", "email ändern", "geänderte email",
		"geänderten email", "email-änderung", "adressänderung", "adresse ändern",
		"ny email", "nye email", "ny adresse", "nye adresse", "ændring af email",
		"ændring af din email",
		"ændringen af din email", "ændre din email", "ændret din email", "ændre email",
		"ny epost", "nye epost", "endring av epost", "endringen av epost", "endre epost",
		"endre din epost", "endret epost", "nya email", "nya epost", "nya adress", "ny adress",
		"ändring av epost", "ändring av din epost", "ändringen av din epost", "ändra din epost",
		"ändrat din epost", "byte av epost",
		"nieuw email", "nieuwe email", "wijziging van je email", "wijziging van uw email",
		"wijziging van het email", "emailadres wijzigen", "emailadres te wijzigen", "gewijzigde email",
		"nouvelle adresse", "nouvel email", "changement d'adresse", "changement d'email",
		"changement de votre adresse", "changement de votre email", "changer d'adresse",
		"changer votre adresse", "changer l'adresse", "modification d'adresse",
		"modification de l'adresse", "modification de votre adresse", "modifier votre adresse",
		"modifier l'adresse",
		"nuevo correo", "nuevo email", "nueva dirección", "cambio de correo", "cambio de email",
		"cambio de dirección", "cambio de la dirección", "cambio de tu correo", "cambio de su correo",
		"cambiar tu correo", "cambiar su correo", "cambiar la dirección",
		"nuova email", "nuovo indirizzo", "modifica dell'indirizzo", "modifica del tuo indirizzo",
		"modifica dell'email", "modifica email", "modificare l'indirizzo", "cambio email",
		"cambio di email", "cambio di indirizzo", "cambio dell'indirizzo", "cambiare l'indirizzo",
		"novo email", "novo endereço", "alteração de email", "alteração do email",
		"alteração do seu email", "alteração do endereço", "alteração do seu endereço",
		"mudança de email", "mudança de endereço", "alterar o endereço", "alterar o email",
		"alterar seu email", "alterar o seu email",
		"nowy adres", "nowego adresu", "nowy email", "zmiana adresu", "zmiany adresu", "zmianę adresu",
		"zmienić adres",
		"uusi sähköposti", "uuden sähköposti", "sähköpostiosoitteen vaih", "sähköpostiosoitteen muut",
		"vaihtaa sähköposti",
		"新しいメール", "新しいアドレス", "アドレスの変更", "アドレス変更", "アドレスを変更",
		"новый адрес", "нового адреса", "новый email", "новую почту", "новую электронную",
		"новой электронной", "смен", "изменение адреса", "изменения адреса", "изменить адрес",
		"нову адресу", "нової адреси", "нову електронну", "нової електронної", "зміну адреси",
		"зміна адреси", "зміни адреси", "змінити адресу",
		"新邮箱", "新的邮箱", "新电子邮件", "新的电子邮件", "更改邮箱", "更换邮箱", "修改邮箱", "邮箱变更",
		"邮箱更改", "更改电子邮件",
		"nový email", "nová email", "nové email", "novou email", "změna email", "změnu email",
		"změny email", "změně email", "změnit email", "změna adresy", "změnu adresy", "změny adresy",
		"změnit adresu",
		"새 이메일", "새로운 이메일", "이메일 변경", "이메일을 변경", "이메일 주소 변경",
		"이메일 주소를 변경", "이메일 주소가 변경",
		"yeni eposta", "yeni email", "eposta değiş", "epostanızı değiş", "eposta adresi değiş",
		"eposta adresini değiş", "eposta adresinizi değiş", "eposta adresinizin değiş",
		"email adresi değiş", "email adresinizi değiş",
	}},
	{saysInvite, []string{
		"invite", "invitation", "accept the offer", "einladung", "eingeladen", "invitér", "inviteret",
		"invitasjon", "inbjud", "uitnodig", "invité", "invitación", "invitado", "invito a", "invito d",
		"invito p", "invito:", "l'invito", "un invito", "tuo invito", "invitato", "convite", "convidad",
		"zaprosz", "kutsu", "招待", "приглаш", "запрош",
		"added you to", "wants you to join", "lädt dich", "lädt sie", "bjuder in", "bjudit in",
		"uitgenodigd", "nodigt", "te invitó", "te invita ", "ti invita ", "vi invita ", "convidou",
		"convida ", "zaprasza", "zaprosi", "приглас", "запросив", "запросила", "запрошує", "邀请",
	}},
	{saysLogin, []string{
		"log in", "login", "log-in", "sign in", "sign-in", "signin", "magic link", "anmelden",
		"einloggen", "log ind", "logg inn", "logga in", "inloggen", "se connecter", "connexion",
		"iniciar sesión", "inicio de sesión", "accedi", "iniciar sessão", "entrar", "zaloguj",
		"kirjaudu", "ログイン",
		"サインイン", "войти", "вход", "увійти", "вхід", "log på", "logg på",
		"logga på", "innlogging", "inloggning", "logowani", "kirjautumi",
	}},
	{saysVerify, []string{
		"verif", "confirm", "activat", "validat", "complete your registration", "complete registration",
		"complete your sign", "bestätig", "aktivier", "bekræft", "aktiver", "bekreft", "bekräft",
		"bevestig", "activeer", "valider", "vérifi", "activar", "conferm", "attiva", "ativar",
		"potwierd", "zweryfik", "aktywuj", "vahvist", "確認", "認証", "有効化", "验证",
		"подтверд", "подтвержд", "активир", "верифи", "підтвер",
		"активу", "верифік",
	}},
}

// lexicon finds the words of the vocabulary in one pass, however many there are.
type lexicon struct {
	words []entry
	first [1 << 16]uint16 // by two bytes, one more than the place of the first word; 0 if none
}

// entry is a word. Those that begin with the same two bytes are one chain.
type entry struct {
	word string
	says speech
	next uint16 // as in lexicon.first
}

// spoken is made with the first mail.
var spoken = sync.OnceValue(newLexicon)

func newLexicon() *lexicon {
	l := &lexicon{}
	for _, v := range vocabulary {
		for _, w := range v.words {
			pair := uint16(w[0])<<8 | uint16(w[1])
			l.words = append(l.words, entry{w, v.says, l.first[pair]})
			l.first[pair] = uint16(len(l.words))
		}
	}
	return l
}

// meanings is a set of what words say.
type meanings uint16

func (m meanings) has(s speech) bool { return m&(1<<s) != 0 }

// meaningsOf returns all that words in plain form say.
func meaningsOf(plain string) meanings {
	var all meanings
	l := spoken()
	for i := 0; i+1 < len(plain); i++ {
		at := l.first[uint16(plain[i])<<8|uint16(plain[i+1])]
		for at != 0 {
			e := l.words[at-1]
			if !all.has(e.says) && strings.HasPrefix(plain[i:], e.word) {
				all |= 1 << e.says
			}
			at = e.next
		}
	}
	return all
}

// hear returns what words in plain form say. Of several meanings that of the earliest row wins.
func hear(plain string) speech {
	all := meaningsOf(plain)
	for _, v := range vocabulary {
		if all.has(v.says) {
			return v.says
		}
	}
	return saysNothing
}

// speaksOf reports whether words in plain form say one thing, whatever else they say.
func speaksOf(plain string, what speech) bool { return meaningsOf(plain).has(what) }

package linkclick

import (
	"slices"
	"strings"
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
	saysNotMe // also unsubscribe and delete
)

// vocabulary lists the parts of words that tell each meaning. The languages are English, German,
// Danish, Norwegian, Swedish, Dutch, French, Spanish, Italian, Portuguese, Polish, Finnish,
// Japanese, Russian, Ukrainian and a little Chinese. Earlier rows win, so words of harm come
// first.
var vocabulary = []struct {
	says  speech
	words []string
}{
	{saysNotMe, []string{
		"unsubscribe", "opt out", "opt-out", "not you", "wasn't you", "was not you", "not me",
		"wasn't me", "was not me", "did not", "didn't", "not request", "report this", "delete",
		"deletion", "remove my", "deactivat", "deaktiv", "cancel", "block", "abmelden", "abbestellen",
		"waren sie nicht", "nicht angefordert", "löschen", "nicht sie", "afmeld", "ikke dig",
		"ikke bedt", "slet ", "avmeld", "ikke deg", "slett ", "avregistrera", "avprenumerera",
		"inte du", "radera", "afmelden", "uitschrijven", "niet aangevraagd", "verwijder", "désabonner",
		"désinscrire", "pas vous", "n'avez pas", "supprimer", "darse de baja",
		"cancelar la suscripción", "no has sido", "no fuiste", "no ha solicitado", "eliminar",
		"annulla l'iscrizione", "disiscri", "non hai richiesto", "elimina", "não foi você",
		"não solicit", "excluir", "descadastr", "wypisz", "to nie ty", "usuń", "peruuta",
		"et pyytänyt", "poista", "配信停止", "登録解除", "退会", "心当たり", "削除",
		"отпис", "не вы", "не запрашив", "не регистрир", "удал",
		"відпис", "не ви ", "не ви,", "не запит", "не реєстр",
		"видал",
	}},
	{saysReset, []string{
		"reset", "forgot", "recover", "password", "passwort", "kennwort", "zurücksetz", "adgangskode",
		"nulstil", "glemt", "passord", "tilbakestill", "lösenord", "återställ", "wachtwoord",
		"herstel", "mot de passe", "réinitialis", "contraseña", "restablec", "reimposta", "senha",
		"palavra-passe", "redefin", "hasł", "salasana", "パスワード", "再設定", "リセット",
		"парол", "сброс", "восстанов", "скинути", "відновл",
	}},
	{saysChange, []string{
		"new email", "change of email", "email change", "change your email", "changed your email",
		"change my email", "neue email", "ny email", "nye email", "ny epost", "nieuw email",
		"nieuwe email", "nouvelle adresse", "nuevo correo", "nueva dirección", "nuova email",
		"nuovo indirizzo", "novo email", "nowy adres", "uusi sähköposti", "ny adresse", "nya email",
		"nya adress", "ny adress", "neue adresse", "新しいメール", "アドレスの変更",
		"アドレス変更", "новый адрес", "новую почту",
		"нового адреса", "смен", "нову адресу", "нової адреси",
		"зміну адреси", "зміна адреси", "змінити адресу",
	}},
	{saysInvite, []string{
		"invite", "invitation", "accept the offer", "einladung", "eingeladen", "invitér", "inviteret",
		"invitasjon", "inbjud", "uitnodig", "invité", "invitación", "invitado", "invito", "invitato",
		"convite", "convidad", "zaprosz", "kutsu", "招待", "приглаш", "запрош",
	}},
	{saysLogin, []string{
		"log in", "login", "log-in", "sign in", "sign-in", "signin", "magic link", "anmelden",
		"einloggen", "log ind", "logg inn", "logga in", "inloggen", "se connecter", "connexion",
		"iniciar sesión", "accedi", "iniciar sessão", "entrar", "zaloguj", "kirjaudu", "ログイン",
		"サインイン", "войти", "вход", "увійти", "вхід", "log på", "logg på",
		"logga på",
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

// hear returns what words in plain form say.
func hear(plain string) speech {
	for _, v := range vocabulary {
		if slices.ContainsFunc(v.words, func(w string) bool { return strings.Contains(plain, w) }) {
			return v.says
		}
	}
	return saysNothing
}

// speaksOf reports whether words in plain form say one thing, whatever else they say.
func speaksOf(plain string, what speech) bool {
	for _, v := range vocabulary {
		if v.says == what {
			return slices.ContainsFunc(v.words, func(w string) bool { return strings.Contains(plain, w) })
		}
	}
	return false
}

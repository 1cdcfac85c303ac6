package linkclick

import (
	"strings"
	"unicode/utf8"
)

// This file brings words into the form in which all tables of this package hold theirs.

// words returns s in plain form without its URLs, which are read by their shape and not as words.
func words(s string) string {
	var kept []string
	for _, w := range strings.Fields(plain(s)) {
		if !strings.Contains(w, "://") {
			kept = append(kept, w)
		}
	}
	return strings.Join(kept, " ")
}

// plain returns s in lower case with single spaces, straight quotes and "email" for "e-mail". A
// one-time password is a code and no password, so it is called so.
func plain(s string) string {
	if !isASCII(s) {
		s = typeset.Replace(s)
	}
	s = strings.ToLower(s)
	return spelling.Replace(strings.Join(strings.Fields(s), " "))
}

// isASCII reports whether s has no character beyond ASCII. Most texts are such. A replacer of other
// characters would copy each in vain.
func isASCII(s string) bool {
	for i := range len(s) {
		if s[i] >= utf8.RuneSelf {
			return false
		}
	}
	return true
}

var (
	typeset = strings.NewReplacer(
		"’", "'", "‘", "'", "\u00a0", " ", "\u00ad", "", "\u200b", "", "‑", "-",
	)
	spelling = strings.NewReplacer(spellings()...)
)

// spellings returns pairs of a spelling and the one that the tables have.
func spellings() []string {
	pairs := []string{"e-mail", "email", "e-post", "epost"}
	for _, oneTimePassword := range []string{
		"one-time password", "one time password", "onetime password", "single-use password",
		"einmalpasswort", "einmal-passwort", "einmalkennwort", "engangsadgangskode",
		"engangspassord", "engångslösenord", "eenmalig wachtwoord", "mot de passe à usage unique",
		"mot de passe unique", "contraseña de un solo uso", "contraseña de uso único",
		"password monouso", "password usa e getta", "senha de uso único", "senha descartável",
		"palavra-passe de utilização única", "palavra-passe de uso único", "hasło jednorazowe",
		"hasła jednorazowego", "jednorazowe hasło", "jednorazowego hasła", "kertakäyttöinen salasana",
		"kertakäyttöisen salasana", "ワンタイムパスワード", "一次性密码", "一次性密碼", "动态密码",
		"動態密碼", "一次性パスワード", "одноразовый пароль", "одноразового пароля", "одноразовий пароль",
		"еднократна парола",
		"jednorázové heslo", "jednorazové heslo", "egyszer használatos jelszó", "kata sandi sekali pakai",
		"tek kullanımlık şifre", "tek kullanımlık parola", "일회용 비밀번호", "mật khẩu dùng một lần",
		"كلمة مرور لمرة واحدة", "كلمة المرور لمرة واحدة", "वन-टाइम पासवर्ड", "κωδικός μίας χρήσης",
		"κωδικός πρόσβασης μίας χρήσης", "κωδικό πρόσβασης μίας χρήσης",
		"κωδικός πρόσβασης μιας χρήσης", "κωδικό πρόσβασης μιας χρήσης", "รหัสผ่านแบบใช้ครั้งเดียว",
		"รหัสผ่านครั้งเดียว", "รหัสผ่านใช้ครั้งเดียว", "kata laluan sekali guna",
	} {
		pairs = append(pairs, oneTimePassword, "otp")
	}
	return pairs
}

package linkclick

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestFindCode(t *testing.T) {
	for _, tt := range []struct {
		want  string
		texts []string
	}{
		// Announced, in any language.
		{"583920", []string{
			"Your code is 583920.", "Code: 583920", "583920 is your ACME code",
			"Your one-time password: 583920", "Din kode er 583920", "Din kod är 583920",
			"Ihr Bestätigungscode lautet 583920", "Votre code est 583920", "Tu código es 583920",
			"Il codice è 583920", "認証コードは583920です", "確認番号：583920",
			"您的验证码为583920", "Ваш код: 583920", "583920 — ваш код",
			"Twój kod to 583920", "Your code is 𝟓𝟖𝟑𝟗𝟐𝟎", "Your code is 𝟱𝟴𝟯𝟵𝟮𝟬", "Your code is 𝟻𝟾𝟹𝟿𝟸𝟶",
		}},
		{"5839", []string{"Your PIN is 5839"}},
		{"", []string{"G-583920 is your code"}},
		// Alone on a line.
		{"583920", []string{
			"Code\n\n583920\n", "Type this code:\n*583920*",
			"Your code:\n-----\n583920\n-----", "Your code\n583 920", "Your code\n583-920",
			"Your code\n583920 awaits",
			"Your code\n5 8 3 9 2 0", "Your code\n5\n8\n3\n9\n2\n0\n", "Use the code.\n\nHello\n583920",
		}},
		{"12345678", []string{"Your code\n1234 5678"}},
		{"", []string{"583920"}},
		// In the languages of the world, in a row or with blanks.
		{"583920", []string{
			"您的验证码是583920，请在5分钟内输入。", "【ACME】验证码583920。", "驗證碼：583920", "您的一次性密码为583920",
			"رمز التحقق الخاص بك هو 583920", "رمزك: 583920", "رمز التحقق: ٥٨٣٩٢٠", "کد تایید شما ۵۸۳۹۲۰ است",
			"Twoje hasło jednorazowe to 583920", "Twój jednorazowy kod: 583920", "आपका कोड 583920 है",
			"आपका कोड ५८३९२० है", "আপনার কোড ৫৮৩৯২০", "인증번호는 583920입니다", "Doğrulama kodunuz: 583920",
			"Váš ověřovací kód je 583920", "Az ellenőrző kódja: 583920", "Ο κωδικός σας είναι 583920",
			"Mã xác minh của bạn là 583920", "รหัสของคุณคือ 583920", "קוד האימות שלך: 583920",
			"Kode verifikasi Anda: 583920", "Vaš kod je 583920", "Codul dvs. este 583920",
			"認証コード：５８３９２０", "Code: \u200e583920\u200e",
			"이 코드로 비밀번호를 재설정하세요.\n\n583920", "일회용 비밀번호: 583920",
		}},
		// Letters are words.
		{"", []string{
			"Your code: KXWPQR", "Your code:\nKXWPQR", "(Code K7X2PQ)", "Your code is k7x2pq",
			"Your code is ABCD-2931", "FUCKYOU is your ACME code.", "Code: CALL-4412", "Code: ABCDE-FGHIJ",
			"Your code IS VALID for ten minutes", "Your code is iPhone15", "Your code\nACME",
		}},
		{"583920", []string{"ACME\nYour code: 583920", "Code: HELLO\n583920"}},
		// Lengths.
		{"", []string{
			"Your code: 583", "Your code: 583920114", "Your code: 5839201144", "2025550123 is your code.",
			"Code\n5\n8\n3\n9\n2\n0\n1\n1\n4", "Code 5 8 3 9 2 0 1 1 4",
		}},
		{"5839", []string{"Your code: 5839"}},
		{"58392011", []string{"Your code: 58392011"}},
		// What is none.
		{"", []string{
			"Your code: 2026", "Your code: 1999", "Your code of 12/05/2026", "Your code of 2026-05-12",
			"Code valid 1440 minutes", "Your code costs 1299 kr", "Your code costs $1299",
			"Your code: +4512345678", "Your code? Call 555-0199", "Your code? Tel. 33 12 34 56",
			"Your code? Ring 33123456, telefon 33123456", "Promo code: 583920", "Rabattcode 583920",
			"クーポンコード：583920", "промокод 583920", "Zip code 10587",
			"Error code 5001", "Order 583920", "Your code is in order 583920", "注文番号：583920",
			"https://a.example/code/583920", "code www.a.example/583920", "code a583920@b.example",
			"code file.583920", "code 583920.example", "code x=583920", "Code 583920%",
			"Order number\n583920\nYour code", "Your code\nOrder number\n=====\n583920",
			"The code of conduct\n\n1001. The code says so",
			"Code of law\n\nSection 583920", "Our code: § 583920", "订单号：583920，验证码已发送", "رقم الطلب: 583920",
			"주문번호 583920", "Sipariş 583920", "Your code\nRoom 583920 awaits",
		}},
		{"583920", []string{
			"In order to go on use code 583920", "Use code 583920 in order to go on", "Order code\n583920",
			"Der Code, den Sie angefordert haben: 583920", "583920 (Anforderung Ihres Codes)",
			"Code, falls Sie dazu aufgefordert werden:\n583920", "Code, der erforderlich ist:\n583920",
		}},
		{"", []string{"Angeforderte Bestellnummer 583920, Ihr Code folgt", "Border code order 583920"}},
		// More than one.
		{"", []string{"Code: 583920 or code 111111", "The code\n\nHi\n583920\n\nHi\n111111"}},
		{"583920", []string{"Code: 583920\nCode: 583920", "Code: 583920\n\n111111"}},
	} {
		for _, text := range tt.texts {
			if code, context := (codeSearch{}).find("", text); code != tt.want {
				t.Errorf("%q: found %q in %q, want %q", text, code, context, tt.want)
			}
		}
	}
	many := strings.Repeat("a1 ", maxAtoms-1)
	_, ok := codeSearch{}.codesIn(many + "583920")
	require.True(t, ok)
	_, ok = codeSearch{}.codesIn(many + "a1 583920")
	require.False(t, ok, "too much in a line")
	code, _ := codeSearch{}.find("583920 is your code", "Hello")
	require.Equal(t, "583920", code)
	code, _ = codeSearch{}.find("Your code", "Hello\n583920\nBye", "Hello\n583920\n")
	require.Equal(t, "583920", code)
}

// A number alone is the code in any language, if nothing else can be meant.
func TestOnlyNumber(t *testing.T) {
	search := func(text string, elements ...string) string {
		code, _ := codeSearch{anyLanguage: true, elements: elements}.find("Ĝi estas via", text)
		return code
	}
	for _, text := range []string{
		"Saluton\n\n583920\n\nĜis", "Saluton\n58392011", "Saluton\n*583 920*",
		"Saluton\n583920\nSaluton\n583920",
		"Saluton\n5\n8\n3\n9\n2\n0\nĜis", "2026\n583920\n4711",
	} {
		require.NotEmpty(t, search(text), text)
	}
	for _, text := range []string{
		"Jen 583920", "583920\n111111", "20260112", "12012026", "58392", "583920114", "583920 kr",
		"$583920",
		"+45583920", "№ 583920", "583-920-114", "12.01.2026", "5839,20", "Order:\n583920", "a583920",
		"583920x",
	} {
		require.Empty(t, search(text), text)
	}
	require.Equal(t, "583920", search("Jen 583920.", "583920"))
	require.Equal(t, "583920", search("Jen 583920.", "583920", "1", "Jen"))
	require.Empty(t, search("Jen 583920.", "583920", "111111"))
	require.Empty(t, search("111111\n", "583920"))

	html := `<p>Jen <b>583920</b>, kara.</p>`
	require.Equal(t, "583920", Find(Mail{HTML: html}, acme).Code)
	require.Equal(t, KindCode, Find(Mail{HTML: html}, acme).Kind)
	for _, link := range []string{linkTo("/e?"+aToken, "x"), `<a href="https://a.example/e?` + aToken +
		`">x</a>`} {
		require.Empty(t, Find(Mail{HTML: html + link}, acme).Code)
	}
	require.Equal(t, "583920", Find(Mail{HTML: html + linkTo("/help", "x")}, acme).Code)
	require.Empty(t, Find(Mail{HTML: `<p hidden>Jen <b>583920</b></p>`}, acme).Code)
	for _, html := range []string{
		"<table><tr><td>Invoice number</td><td>583920</td></tr></table>",
		"<table><tr><th>Bestellung</th>\n<td><b> 583920 </b></td></tr></table>",
		"<p>Order <b>583920</b> is on its way.</p>", "<p>Ni ricevis <b>583920</b> kr</p>",
		"<p>Ni ricevis $<b>583920</b></p>", "<p>+<span>45583920</span></p>",
	} {
		f := Find(Mail{Subject: "ACME", HTML: html}, acme)
		require.Equal(t, KindNotice, f.Kind, html)
		require.Empty(t, f.Code, html)
	}
}

// Letters count if the provider draws such codes, and if they spell nothing.
func TestDrawnCodes(t *testing.T) {
	for code, want := range map[string]bool{
		"K7X2PQ": true, "Q8W2E7": true, "3KT9XB": true, "F0O9BA": true, "58X92K": true, "KXWPQR": false,
		"k7x2pq": false, "FUCKU2": false, "DIE123": false, "C4LL44": false, "K1LLER": false,
		"CALL12": false, "L0VE42": false,
		"K7X2P": false, "K7X2PQ9": false, "2HELP2": false, "GOD123": false,
	} {
		got, _ := codeSearch{letters: 6}.find("", "Your code: "+code)
		require.Equal(t, want, got == code, code)
		got, _ = codeSearch{}.find("", "Your code: "+code)
		require.Empty(t, got, code)
	}
	// Alone under the line that announces it, every code counts: a name stands in no such place.
	for code, want := range map[string]bool{
		"K7X2PQ": true, "CALL12": true, "KXWPQR": true, "L0VE42": true, "ADMIRE": true, "583920": true,
		"k7x2pq": false, "K7X2P": false, "K7X2PQ9": false, "K7X 2PQ": false,
	} {
		for _, text := range []string{"Your code:\n%s\n", "Your code is:\n\n \u00a0%s.\nACME 2026"} {
			got, _ := codeSearch{letters: 6}.find("", fmt.Sprintf(text, code))
			require.Equal(t, want, got == code, code)
		}
		got, _ := codeSearch{letters: 6}.find("", "Your order:\n"+code+"\n")
		require.Empty(t, got, code)
	}
	got, _ := codeSearch{}.find("", "Your code:\nK7X2PQ\n")
	require.Empty(t, got, "its provider draws digits")
	got, _ = codeSearch{letters: 6}.find("", "Your code:\nK7X2PQ\nCode:\nL0VE42\n")
	require.Empty(t, got, "two are none")

	// A name with line ends looks like one in the plain text alone.
	footer := "Powered by FusionAuth"
	named := Mail{Text: "Hi Kim\nYour code:\nADMIRE\n" + footer,
		HTML: "<p>Hi Kim Your code: ADMIRE</p><p>Welcome</p>" + footer}
	require.Empty(t, Find(named, acme).Code)
	named.HTML = "<p>Hi Kim</p><p>Welcome</p>" + footer
	require.Empty(t, Find(named, acme).Code)
	named.HTML = "<p>Hi Kim</p><p>Your code:</p><p>ADMIRE</p>" + footer
	require.Equal(t, "ADMIRE", Find(named, acme).Code)

	mail := Mail{Text: "(Code K7X2PQ)\n\n" + atLogin +
		"/ui/login/mail/verification?userID=77&code=K7X2PQ"}
	require.Equal(t, "K7X2PQ", Find(mail, acme).Code)
}

// A one-time password is a code, and no password.
func TestOneTimePasswords(t *testing.T) {
	for _, text := range []string{
		"One-time password", "Your One-Time Password (OTP)", "Ihr Einmalpasswort",
		"Din engangsadgangskode",
		"ワンタイムパスワード", "一次性密码", "Kata sandi sekali pakai", "Hasło jednorazowe", "Одноразовый пароль",
		"Еднократна парола за ACME", "일회용 비밀번호",
		"Mot de passe à usage unique", "Contraseña de un solo uso", "Engångslösenord",
	} {
		require.Less(t, hear(plain(text)), saysReset, text)
		f := Find(Mail{Subject: text, Text: text + ":\n\n583920\n\n" + atLogin +
			"/otp/verify?code=583920&loginName=kim"}, acme)
		require.Equal(t, KindCode, f.Kind, text)
		require.Equal(t, "583920", f.Code, text)
		require.Empty(t, f.URL, text)
	}
	f := Find(Mail{Subject: "Reset your password", Text: "One-time password: 583920"}, acme)
	require.Equal(t, KindReset, f.Kind)
}

// A code for a new password is a reset in the languages that have words for it here.
func TestCodesForANewPassword(t *testing.T) {
	for once, forNew := range map[string]string{
		"您的一次性密码":               "用此验证码设置新密码",
		"您的一次性密碼":               "用此驗證碼設定新密碼",
		"Mật khẩu dùng một lần": "Nhập mã này để đặt mật khẩu mới",
		"รหัสผ่านแบบใช้ครั้งเดียว": "ใช้รหัสนี้เพื่อตั้งรหัสผ่านใหม่",
		"Kata sandi sekali pakai":       "Masukkan kode ini untuk kata sandi baru",
		"Kata laluan sekali guna":       "Masukkan kod ini untuk kata laluan baharu",
		"Κωδικός πρόσβασης μίας χρήσης": "Ο κωδικός για νέο κωδικό πρόσβασης",
	} {
		for text, want := range map[string]Kind{once: KindCode, forNew: KindReset} {
			f := Find(Mail{Subject: "ACME", Text: text + ": 583920"}, acme)
			require.Equal(t, want, f.Kind, text)
			require.Equal(t, "583920", f.Code, text)
		}
	}
}

// An invitation's code joins something. Logto mails such a code for an organization.
func TestInvitationCodes(t *testing.T) {
	for _, text := range []string{
		"Your ACME organization invitation code is 583920.", "Invite code: 583920",
		"Ihr Einladungscode lautet 583920", "Din invitationskode: 583920", "Invitasjonskode: 583920",
		"Inbjudningskod: 583920", "Uitnodigingscode: 583920", "Code d'invitation : 583920",
		"Código de invitación: 583920", "Codice di invito: 583920", "Código de convite: 583920",
		"Kod zaproszenia: 583920", "Kutsukoodi: 583920", "Код приглашения: 583920",
		"Код запрошення: 583920", "邀请码：583920", "邀請碼：583920", "招待コード：583920",
	} {
		f := Find(Mail{Subject: "ACME", Text: text}, acme)
		require.Empty(t, f.Code, text)
		require.Equal(t, KindNotice, f.Kind, text)
	}
}

// A code is never a part of something longer, and has the form of one.
func FuzzFindCode(f *testing.F) {
	f.Add("Your code", "Code: 583920 or\n5\n8\n3\n9\nKXWPQR (Code K7X2PQ) 583-920")
	f.Add("", "認証コード：５８３９20 код: 12345\xff6")
	f.Fuzz(func(t *testing.T, subject, text string) {
		code := ""
		costsLittle(t, func() {
			code, _ = codeSearch{letters: 6, anyLanguage: true}.find(subject, text)
		})
		if code == "" {
			return
		}
		if !isDigitCode(code) && !isDrawn(code) {
			t.Fatalf("%q is no code", code)
		}
		if compact := strings.NewReplacer(" ", "", "-", "", "\n", "", "\u00a0", "", "‑", "", "\r", "",
			"\t", "").Replace(subject + "\n" + text); !strings.Contains(compact, strings.ReplaceAll(code,
			"-", "")) &&
			strings.IndexFunc(subject+text, func(r rune) bool { return r > 0x7f || r < ' ' }) < 0 {
			t.Fatalf("%q is not in the mail", code)
		}
	})
}

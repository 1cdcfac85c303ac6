package linkclick

import (
	"bytes"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// hostileWords are mails at an allowed host that ask for something else than a verification, or
// ask in words that no table here knows: the subject, the line above the link, and its label.
var hostileWords = map[string][3]string{
	// What the words say is an act on the account.
	"device": {"A new device wants in", "Someone opened ACME on a phone in Riga.",
		"Yes, it's me"},
	"device verify": {"Verify it's you",
		"We do not know this browser. Verify this device to let it in.", "Verify device"},
	"MFA off":      {"Switch off two-factor", "You asked us to turn off the second step.", "Confirm"},
	"MFA approval": {"Approve sign-in?", "A log-in waits for your approval.", "Approve"},
	"MFA reset": {"Lost your authenticator?", "We will remove it from your account.",
		"Verify and remove"},
	"payment":       {"Confirm your payment", "1,200.00 kr to Fjord Bikes.", "Confirm"},
	"order":         {"Please confirm your order", "Two lamps and a chair.", "Confirm order"},
	"invoice":       {"Invoice 77", "Release it with one click.", "Verify invoice"},
	"payout":        {"Payout requested", "Confirm the new bank account.", "Confirm"},
	"booking":       {"Your table", "Confirm that you come on Friday.", "Confirm booking"},
	"ownership":     {"Take over the workspace", "Kim makes you its owner.", "Confirm transfer"},
	"OAuth":         {"Connect CalendarThing", "It may read and write all of your data.", "Allow"},
	"consent":       {"We changed our terms", "Give your consent to go on.", "Verify"},
	"API token":     {"A new API token", "Activate it within an hour.", "Activate"},
	"merge":         {"Merge two accounts", "We found one more with your name.", "Confirm"},
	"link accounts": {"Link your ACME account to Bixby", "Both will open with one key.", "Confirm"},
	"new phone":     {"New phone number", "Confirm +45 12 34 56 78.", "Confirm number"},
	"export":        {"Your data export", "Confirm that we may pack everything.", "Verify"},
	"close":         {"Closing your account", "This cannot be undone.", "Confirm"},
	"erase":         {"Erase my data", "Confirm within 24 hours.", "Confirm"},
	"unsubscribe":   {"Sorry to see you go", "Confirm that we stop writing.", "Confirm"},
	"newsletter":    {"Confirm your subscription", "One more step to our letter.", "Confirm"},
	"session":       {"Sign out everywhere?", "Revoke all sessions.", "Verify"},
	"recovery mail": {"Recovery address", "Confirm the address for recovery.", "Verify"},
	"invited":       {"Join Fjord Bikes", "Kim invites you to the team.", "Verify and join"},
	"deletion, de":  {"Kündigung bestätigen", "Ihr Konto endet am Freitag.", "Bestätigen"},
	"payment, de":   {"Zahlung freigeben", "120 Euro an Rad & Tat.", "Bestätigen"},
	"device, fr":    {"Nouvel appareil", "Quelqu'un a ouvert ACME à Lyon.", "Confirmer"},
	"deletion, fr":  {"Suppression du compte", "C'est définitif.", "Confirmer"},
	"order, es":     {"Confirma tu pedido", "Dos lámparas.", "Confirmar"},
	"deletion, da":  {"Vil du slette din konto?", "Det kan ikke fortrydes.", "Bekræft"},
	"payment, ja":   {"お支払いの確認", "一万円です。", "確認する"},
	"device, ru":    {"Новое устройство", "Кто-то вошёл из Риги.", "Подтвердить"},

	// Resets, in languages with a vocabulary and without.
	"reset, en": {"Choose a new password", "Someone asked for it.", "Go on"},
	"reset, tr": {"Şifrenizi sıfırlayın", "Yeni bir şifre istediniz.", "Şifreyi sıfırla"},
	"reset, cs": {"Obnovení hesla", "Požádali jste o nové heslo.", "Potvrdit"},
	"reset, hu": {"Új jelszó", "Új jelszót kértél.", "Megerősítés"},
	"reset, el": {"Νέος κωδικός πρόσβασης", "Ζητήσατε νέο κωδικό.", "Επιβεβαίωση"},
	"reset, ko": {"비밀번호 재설정", "새 비밀번호를 요청하셨습니다.", "확인"},
	"reset, ar": {"إعادة تعيين كلمة المرور", "طلبت كلمة مرور جديدة.", "تأكيد"},
	"reset, vi": {"Đặt lại mật khẩu", "Bạn đã yêu cầu mật khẩu mới.", "Xác nhận"},
	"reset, th": {"ตั้งรหัสผ่านใหม่", "คุณขอรหัสผ่านใหม่", "ยืนยัน"},
	"reset, hi": {"पासवर्ड बदलें", "आपने नया पासवर्ड माँगा।", "पुष्टि करें"},
	"reset, zh": {"重置密码", "您申请了新的密码。", "确认"},
	"reset, et": {"Uus parool", "Palusid uut parooli.", "Kinnita"},
	"reset, lt": {"Naujas slaptažodis", "Prašėte naujo slaptažodžio.", "Patvirtinti"},
	"reset, lv": {"Jauna parole", "Jūs lūdzāt jaunu paroli.", "Apstiprināt"},
	"reset, ro": {"Parolă nouă", "Ai cerut o parolă nouă.", "Confirmă"},
	"reset, bg": {"Нова парола", "Поискахте нова парола.", "Потвърди"},
	"reset, sr": {"Нова лозинка", "Тражили сте нову лозинку.", "Потврди"},
	"reset, sl": {"Novo geslo", "Zahtevali ste novo geslo.", "Potrdi"},
	"reset, sk": {"Nové heslo", "Požiadali ste o nové heslo.", "Potvrdiť"},
	"reset, id": {"Atur ulang kata sandi", "Anda meminta kata sandi baru.", "Konfirmasi"},
	"reset, he": {"איפוס סיסמה", "ביקשת סיסמה חדשה.", "אישור"},
	"reset, fa": {"بازنشانی گذرواژه", "گذرواژه تازه خواستید.", "تأیید"},
	"reset, bn": {"পাসওয়ার্ড রিসেট", "নতুন পাসওয়ার্ড চেয়েছেন।", "নিশ্চিত করুন"},
	"reset, ta": {"கடவுச்சொல் மீட்டமைப்பு", "புதிய கடவுச்சொல் கேட்டீர்கள்.", "உறுதிசெய்"},
	"reset, is": {"Nýtt lykilorð", "Þú baðst um nýtt lykilorð.", "Staðfesta"},
	"reset, ga": {"Pasfhocal nua", "D'iarr tú pasfhocal nua.", "Deimhnigh"},
	"reset, eu": {"Pasahitz berria", "Pasahitz berria eskatu duzu.", "Berretsi"},
	"reset, sw": {"Nenosiri jipya", "Uliomba nenosiri jipya.", "Thibitisha"},
	"reset, ka": {"ახალი პაროლი", "მოითხოვეთ ახალი პაროლი.", "დადასტურება"},

	// Changes of address, and sign-ins.
	"change, ko": {"이메일 주소 변경", "새 주소를 확인하세요.", "확인"},
	"change, zh": {"更改邮箱地址", "请确认新的邮箱。", "确认"},
	"change, tr": {"E-posta adresi değişikliği", "Yeni adresi onaylayın.", "Onayla"},
	"change, cs": {"Změna e-mailu", "Potvrďte novou adresu.", "Potvrdit"},
	"change, el": {"Αλλαγή email", "Επιβεβαιώστε τη νέα διεύθυνση.", "Επιβεβαίωση"},
	"change, en": {"Your new email address", "Confirm that it is yours.", "Verify email"},
	"login, cs":  {"Přihlášení", "Odkaz funguje jednou.", "Přihlásit se"},
	"login, tr":  {"Giriş bağlantınız", "Bir kez geçerlidir.", "Giriş yap"},
	"login, ko":  {"로그인 링크", "한 번만 사용할 수 있습니다.", "로그인"},
	"login, en":  {"Your magic link", "It works once.", "Sign in"},

	// Notices that speak of verification.
	"done":     {"Your email is verified", "Nothing is left to do. See what is new.", "Open ACME"},
	"security": {"We verify every sign-in", "Read how we confirm who you are.", "Read more"},
	"survey":   {"Verified buyers say", "Confirm what you think of us.", "Take the survey"},
	"blank":    {"", "", "Confirm email"},
	"only verb": {"Verify your email address", "Please verify your email address.",
		"Verify email address"},
}

// hostilePaths are links at an allowed host that are of no known shape, whatever stands around
// them: what they do is in their query, in a token or in letters that only look like others.
var hostilePaths = map[string]string{
	"action in the query": "/account?action=reset_password&t=Zk3vQ8mW1xT5",
	"type in the query":   "/confirm?type=change_email&new=a%40evil.example&t=Zk3vQ8mW1xT5",
	"do in the query":     "/confirm?do=delete&t=Zk3vQ8mW1xT5",
	"mode in the query":   "/verify?mode=resetPassword&t=Zk3vQ8mW1xT5",
	"foreign redirect": "/authorize?client_id=evil&redirect_uri=https%3A%2F%2Fevil.example&" +
		"state=Zk3vQ8mW1xT5",
	"log-out":              "/v2/logout?returnTo=https%3A%2F%2Fevil.example&t=Zk3vQ8mW1xT5",
	"Cyrillic path":        "/u/еmail-verification?ticket=Zk3vQ8mW1xT5",
	"Cyrillic, escaped":    "/u/%D0%B5mail-verification?ticket=Zk3vQ8mW1xT5",
	"escaped letter":       "/u/email-verificatio%6e?ticket=Zk3vQ8mW1xT5",
	"escaped slash":        "/u%2femail-verification?ticket=Zk3vQ8mW1xT5",
	"capital path":         "/U/Email-Verification?ticket=Zk3vQ8mW1xT5",
	"dots":                 "/u/x/../email-verification?ticket=Zk3vQ8mW1xT5",
	"escaped dots":         "/delete/%2e%2e/u/email-verification?ticket=Zk3vQ8mW1xT5",
	"semicolon":            "/u/email-verification;x/y?ticket=Zk3vQ8mW1xT5",
	"two tickets":          "/u/email-verification?ticket=Zk3vQ8mW1xT5&ticket=p0Lq7Rt2Xc9V",
	"two cases":            "/u/email-verification?ticket=Zk3vQ8mW1xT5&Ticket=p0Lq7Rt2Xc9V",
	"an array":             "/u/email-verification?ticket=Zk3vQ8mW1xT5&ticket[]=p0Lq7Rt2Xc9V",
	"two types":            "/auth/v1/verify?token=Zk3vQ8mW1xT5&type=signup&type=recovery",
	"two types, reversed":  "/auth/v1/verify?token=Zk3vQ8mW1xT5&type=recovery&type=signup",
	"capital type":         "/auth/v1/verify?token=Zk3vQ8mW1xT5&type=Recovery",
	"capital sign-up":      "/auth/v1/verify?token=Zk3vQ8mW1xT5&type=Signup",
	"shape and action":     "/u/email-verification?ticket=Zk3vQ8mW1xT5&action=delete",
	"shape below a reset":  "/password/reset/u/email-verification?ticket=Zk3vQ8mW1xT5",
	"shape, empty ticket":  "/u/email-verification?ticket=",
	"shape, no ticket":     "/u/email-verification?t=Zk3vQ8mW1xT5",
	"shape in a fragment":  "/x#/u/email-verification?ticket=Zk3vQ8mW1xT5",
	"shape in a parameter": "/go?to=/u/email-verification?ticket=Zk3vQ8mW1xT5",
	"an order's model":     "/orders/confirmation?confirmation_token=Zk3vQ8mW1xT5",
	"a payment's model":    "/payments/confirmation?confirmation_token=Zk3vQ8mW1xT5",
	"a device's model":     "/device/confirmation?confirmation_token=Zk3vQ8mW1xT5",
	"a withdrawal's model": "/withdrawal/confirmation?confirmation_token=Zk3vQ8mW1xT5",
	"a mandate's model":    "/mandate/confirmation?confirmation_token=Zk3vQ8mW1xT5",
	"a change's model":     "/email_changes/confirmation?confirmation_token=Zk3vQ8mW1xT5",
	"an app that deletes":  "/apps/delete-account/verify_email?token=Zk3vQ8mW1xT5",
	"a named secret":       "/email/verify/transfer-ownership?token=Zk3vQ8mW1xT5",
	"a named id":           "/email/verify/approve-payment-now?t=Zk3vQ8mW1xT5",
	"a flow for devices":   "/if/flow/verify-device/?flow_token=Zk3vQ8mW1xT5",
	"a flow that removes":  "/if/flow/default-unenrollment-flow/?flow_token=Zk3vQ8mW1xT5",
	"a flow of no name":    "/if/flow/passkey-enrollment/?flow_token=Zk3vQ8mW1xT5",
	"a closing user": "/email/verify/close-account/7c1e5a90b3d24f68a1c9e07d52b84f36?" +
		"expires=1768212847&signature=Zk3vQ8mW1xT5",
	"deletes too":           "/confirmEmail?userId=1&code=Zk3vQ8mW1xT5&delete=true",
	"changes too":           "/confirmEmail?userId=1&code=Zk3vQ8mW1xT5&newEmail=a%40evil.example",
	"approves too":          "/u/email-verification?ticket=Zk3vQ8mW1xT5&approve=1",
	"Clerk, any purpose":    "/v1/verify?_clerk_js_version=5&token=Zk3vQ8mW1xT5",
	"Authgear, any purpose": "/authflow/v2/verify_login_link?code=k7x2mq9w4tbn8vzr3dcy6hjp5gfs1ael",
	"Okta, any purpose":     "/email/verify/0oaZk3vQ8mW1xT5nB7yR?token=Zk3vQ8mW1xT5",
	"GoTrue, any purpose":   "/auth/v1/verify?token=Zk3vQ8mW1xT5&type=email",
	"its site, any purpose": "/auth/confirm?token_hash=Zk3vQ8mW1xT5&type=email",
	"Keycloak, no purpose":  "/realms/r/login-actions/action-token?key=Zk3vQ8mW1xT5",
	"Directus, other scope": "/users/register/verify-email?token=" +
		encode64("{}") + "." + encode64(`{"scope":"share","k":"Zk3v"}`) + ".c2ln",
	"one-time password": "/otp/verify?code=583920&loginName=kim",
	"second factor":     "/mfa/otp/verify?code=583920&userID=77",
	"a home page":       "/",
	"the log-in page":   "/ui/login?login_hint=kim77",
}

// hostileMails returns all hostile mails by name.
func hostileMails() map[string]Mail {
	all := map[string]Mail{}
	for name, w := range hostileWords {
		all["words, "+name] = Mail{Subject: w[0],
			HTML: "<p>" + w[1] + "</p><p>" + linkTo("/e/a8?t=Zk3vQ8mW1xT5", w[2]) + "</p>"}
		all["plain words, "+name] = Mail{Subject: w[0], Text: w[1] + "\n\n" + w[2] + ":\n" + atLogin +
			"/account/verify/Zk3vQ8mW1xT5B7\n"}
	}
	for name, path := range hostilePaths {
		all["link, "+name] = Mail{Subject: "Verify your email address",
			HTML: "<p>Please verify your email.</p>" + linkTo(path, "Verify email")}
		all["link without words, "+name] = Mail{HTML: linkTo(path, "")}
		all["link in Turkish, "+name] = Mail{Subject: "Hesabınız", HTML: linkTo(path, "Onayla")}
	}
	jwt := func(claims string) string { return encode64("{}") + "." + encode64(claims) + ".c2ln" }
	for _, claims := range []string{
		`{"purpose":"password-reset"}`, `{"typ":"email-change"}`, `{"action":"delete_account"}`,
		`{"scope":"login"}`, `{"newEmail":"a@evil.example"}`, `{"type":"deviceApproval"}`,
	} {
		all["token, "+claims] = Mail{Subject: "Verify your email address",
			HTML: linkTo("/verify-email?token="+jwt(claims)+"&callbackURL=%2F", "Verify email")}
	}
	// A shape that tells by its path alone, in a mail about something else.
	for name, w := range hostileWords {
		if known := hear(plain(w[0])); known == saysAct {
			all["shape, "+name] = Mail{Subject: w[0],
				HTML: "<p>" + w[1] + "</p>" + linkTo(silentShape, w[2])}
		}
	}
	for name, w := range map[string][2]string{ // the subject and the label
		"a label that resets": {"Hello", "Reset your password"},
		"a label that acts":   {"Hello", "Approve the payment"},
		"a subject of change": {"Change your email address", "Go on"},
		"a subject of reset":  {"Reset your password", "Go on"},
	} {
		all["shape, "+name] = Mail{Subject: w[0], HTML: "<p>Hi.</p>" + linkTo(silentShape, w[1])}
	}
	return all
}

// silentShape is a link with the shape of a verification, which has no word of its own for that.
const silentShape = "/confirm-email/Zk3vQ8:1vXyZ0:p0Lq7Rt2Xc9V"

// The links of the hostile mails with a shape are used where the words are harmless.
func TestSilentShapeIsUsed(t *testing.T) {
	for subject, label := range map[string]string{
		"Hello": "Go on", "Verify your email": "Verify email",
	} {
		f := Find(Mail{Subject: subject, HTML: "<p>Hi.</p>" + linkTo(silentShape, label)}, acme)
		require.Equal(t, atLogin+silentShape, f.URL)
		require.Equal(t, KindVerify, f.Kind)
	}
}

// No hostile mail at an allowed host is offered for a click or passed on. The entry that would
// allow its link holds no secret.
func TestHostileMails(t *testing.T) {
	mails := hostileMails()
	require.GreaterOrEqual(t, len(mails), 200)
	rule := Rule{Hosts: acme.Hosts, Wrappers: []string{"track.acme.example"}}
	for name, m := range mails {
		f := Find(m, rule)
		require.Empty(t, f.URL, "%s: %s %+v", name, f.Kind, f.Candidates)
		require.NotEqual(t, KindVerify, f.Kind, name)
		require.NotEmpty(t, f.Reason, name)
		for _, secret := range []string{"Zk3v", "p0Lq", "583920", "evil"} {
			require.NotContains(t, f.Allow, secret, name)
		}
	}
}

// In a mail as the mail's sender writes it, nothing changes.
func TestHostileForms(t *testing.T) {
	for name, w := range hostileWords {
		for form, raw := range map[string]string{
			"flowed": crlf("Subject: "+w[0],
				"Content-Type: text/plain; format=flowed; delsp=yes; charset=utf-8", "",
				w[1], w[2]+":  ", atLogin+"/account/ver ", "ify?t=Zk3vQ8mW1xT5"),
			"marked up": crlf("Subject: "+w[0], "Content-Type: text/html; charset=utf-8", "",
				`<script type="application/ld+json">{"@type":"ConfirmAction","name":"`+w[2]+`","url":"`+atLogin+
					`/e/a8?t=Zk3vQ8mW1xT5"}</script><p>`+w[1]+`</p>`),
			"broken address": crlf("Subject: "+w[0], "Content-Type: text/html; charset=utf-8", "",
				"<p>"+w[1]+"</p><a href=\" "+atLogin+"/e/\r\n a8?t=Zk3v\r\nQ8mW1xT5\">"+w[2]+"</a>"),
			"markdown": crlf("Subject: "+w[0], "Content-Type: text/plain; charset=utf-8", "",
				w[1], "["+w[2]+"]("+atLogin+"/verify?t=Zk3vQ8mW1xT5)"),
		} {
			m, err := ReadMIME(strings.NewReader(raw))
			require.NoError(t, err)
			require.Empty(t, Find(m, acme).URL, "%s, %s", name, form)
		}
	}
}

// A genuine mail of a known shape is found in every form and in every language: what no table
// knows forbids nothing.
func TestGenuineForms(t *testing.T) {
	for name, w := range map[string][3]string{
		"ko": {"이메일 확인", "주소를 확인하세요.", "확인"}, "tr": {"E-postanı doğrula", "Bir adım kaldı.", "Doğrula"},
		"hi": {"ईमेल", "एक कदम बाकी है।", "पुष्टि"},
		"eu": {"Berretsi", "Urrats bat falta da.", "Berretsi"},
		"en": {"Verify your email", "In order to finish, verify it. Your payment data are safe.",
			"Verify email"},
		"de": {"Bitte bestätigen", "Noch ein Schritt.", "E-Mail bestätigen"}, "": {"", "", "x"},
	} {
		for form, m := range map[string]Mail{
			"HTML": {Subject: w[0], HTML: "<p>" + w[1] + "</p>" + `<a href="` + auth0Verify + `">` +
				w[2] + `</a>`},
			"text":     {Subject: w[0], Text: w[1] + "\n\n" + w[2] + ":\n" + auth0Verify + "\n"},
			"markdown": {Subject: w[0], Text: w[1] + " [" + auth0Verify + "](" + auth0Verify + ")"},
			"keycloak": {Subject: w[0], Text: w[1] + "\n" + keycloakLink("verify-email")},
		} {
			f := Find(m, acme)
			require.Equal(t, KindVerify, f.Kind, "%s, %s: %+v", name, form, f.Candidates)
			require.NotEmpty(t, f.URL, "%s, %s", name, form)
		}
	}
	for _, w := range hostileWords { // this token says what it does, and no words change that
		f := Find(Mail{Subject: w[0], Text: w[1] + "\n" + w[2] + "\n" + keycloakLink("verify-email")},
			acme)
		require.Equal(t, KindVerify, f.Kind, w)
	}
}

// A mail of the corpus whose link is held without its rule's paths names the entry that allows it.
// With that entry the same link is found, for the same purpose.
func TestEntriesThatAllow(t *testing.T) {
	files, err := filepath.Glob(corpus)
	require.NoError(t, err)
	held := 0
	for _, file := range files {
		c := readCase(t, file)
		if len(c.rule.Paths) == 0 || c.url == "" {
			continue
		}
		held++
		raw, err := ReadMIME(bytes.NewReader(c.mail))
		require.NoError(t, err)
		c.rule.Paths = nil
		f := Find(raw, c.rule)
		require.Empty(t, f.URL, file)
		require.Equal(t, ReasonUnknownShape, f.Reason, file)
		require.NotEmpty(t, f.Allow, file)
		require.NotContains(t, f.Allow, "Zk3v", file)
		c.rule.Paths = []string{f.Allow}
		require.NoError(t, c.rule.Check(), f.Allow)
		again := Find(raw, c.rule)
		require.Equal(t, c.url, again.URL, "%s: %s", file, f.Allow)
		require.Equal(t, c.kind, again.Kind, "%s: %s", file, f.Allow)
	}
	require.GreaterOrEqual(t, held, 40)
}

package linkclick

import (
	"maps"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/text/unicode/norm"
)

// saying is what pages say in one language, by what it means.
type saying struct {
	confirmed, already, failed []string
	nothing                    []string // denials, conditions, questions, requests, announcements
}

// Products that speak one language only tell of success in it. In every language a page that
// denies, asks, sets a condition, announces or speaks of another account tells of none.
func TestLanguages(t *testing.T) {
	all := maps.Clone(sayings)
	maps.Copy(all, sayingsOfTheWest)
	for name, says := range all {
		for want, texts := range map[Outcome][]string{
			OutcomeConfirmed: says.confirmed, OutcomeAlready: says.already,
		} {
			for _, text := range texts {
				require.Equal(t, want, judgeWords(text, true), "%s: %s", name, text)
				require.Equal(t, want, judgeWords("Acme\n"+text+"\nOK", true), "%s: %s", name, text)
				require.NotEqual(t, OutcomeConfirmed, judgeWords(text, false), "%s: %s", name, text)
				require.Equal(t, want, judgeWords(norm.NFD.String(text), true), "%s: %s", name, text)
			}
		}
		for _, text := range says.failed {
			said := judgeWords(text, true)
			require.False(t, said == OutcomeUnknown || succeeds(said), "%s: %s: %s", name, text, said)
		}
		require.GreaterOrEqual(t, len(says.nothing), 10, name)
		for _, text := range says.nothing {
			said := judgeWords(text, true)
			require.False(t, succeeds(said), "%s: %s: %s", name, text, said)
		}
	}
	for _, l := range known().languages {
		for _, phrases := range l.phrases {
			for _, phrase := range phrases {
				require.True(t, norm.NFKC.IsNormalString(phrase), "%s: %s", l.name, phrase)
			}
		}
	}
}

var sayings = map[string]saying{
	"Czech": {
		confirmed: []string{
			"Vaše e-mailová adresa byla úspěšně potvrzena.", "Děkujeme. Váš email byl ověřen.",
			"Váš email byl potvrzen. Nyní se můžete přihlásit.",
		},
		already: []string{"Email byl již potvrzen, zkuste se přihlásit",
			"Vaše e-mailová adresa již byla ověřena."},
		failed: []string{
			"Je to starý odkaz a již není platný. Možná jste již ověřili svůj e-mail?",
			"Odkaz vypršel.", "Tento odkaz již není platný.", "E-mail nelze ověřit.",
			"Odkaz byl již použit."},
		nothing: []string{
			"Tvůj e-mail, který byl ověřen, není tento.",
			"Skoro je účet byl ověřen",
			"Žádný účet byl ověřen",
			"Potvrďte, že váš účet byl ověřen.",
			"Váš email nebyl potvrzen.", "Váš email ještě nebyl ověřen.",
			"Není pravda, že účet byl ověřen.", "Pokud byl váš email ověřen, přihlaste se.",
			"Jakmile byla vaše adresa potvrzena, dáme vědět.", "Váš email byl ověřen?",
			"Váš email bude potvrzen po kliknutí.", "Váš email byl potvrzen, pokud kliknete na odkaz.",
			"Ujistěte se, že váš email byl ověřen.", "Zkontrolujte, zda byla adresa ověřena.",
			"Možná byl váš email ověřen.", "Email byl ověřen jiným účtem.",
			"Nelze potvrdit x, protože již byl potvrzen jiným účtem.", "Email byl ověřen: ne",
		},
	},
	"Finnish": {
		confirmed: []string{
			"Sähköpostiosoitteesi on nyt vahvistettu.", "Kiitos. Sähköpostiosoitteesi on vahvistettu.",
			"Sähköpostiosoite a@b.example on vahvistettu.",
		},
		already: []string{"Sähköpostiosoite on jo vahvistettu, yritä kirjautua sisään uudelleen"},
		failed: []string{"Linkki on vanhentunut.", "Osoitetta ei voida vahvistaa.",
			"Vahvistus epäonnistui."},
		nothing: []string{
			"Osoitetta jota on vahvistettu",
			"Sähköpostiosoitettasi ei ole vahvistettu.", "Osoite ei vielä on vahvistettu.",
			"Jos osoitteesi on vahvistettu, kirjaudu sisään.", "Kun osoitteesi on vahvistettu, ilmoitamme.",
			"Osoitteesi on vahvistettu, kun napsautat linkkiä.", "Onko osoitteesi vahvistettu?",
			"Varmista, että osoitteesi on vahvistettu.", "Ehkä osoitteesi on vahvistettu.",
			"Osoitteesi on vahvistettava.", "Osoite on jo vahvistettu toiselle tilille.",
			"Tarkista, että tilisi on aktivoitu.", "Osoite on vahvistettu: ei",
			"Osoite on vahvistettu vasta napsautuksen jälkeen.",
		},
	},
	"Greek": {
		confirmed: []string{
			"Η διεύθυνση email σας επιβεβαιώθηκε επιτυχώς", "Το email σας έχει επιβεβαιωθεί.",
			"Το email σας επαληθεύτηκε.",
		},
		already: []string{"Το email σας έχει ήδη επιβεβαιωθεί.",
			"επιβεβαιώθηκε ήδη, παρακαλώ δοκιμάστε να συνδεθείτε"},
		failed: []string{"Ο σύνδεσμος έχει λήξει.", "Ο σύνδεσμος δεν είναι έγκυρος."},
		nothing: []string{
			"Ο λογαριασμός που επιβεβαιώθηκε είναι άλλος",
			"Τι επιβεβαιώθηκε",
			"Παρακαλούμε επιβεβαιώστε ότι το email έχει επαληθευτεί.",
			"Το email σας δεν επιβεβαιώθηκε.", "Το email σας δεν έχει επιβεβαιωθεί ακόμα.",
			"Αν το email σας επιβεβαιώθηκε, συνδεθείτε.", "Όταν το email σας έχει επιβεβαιωθεί, συνδεθείτε.",
			"Το email σας επιβεβαιώθηκε;", "Επιβεβαιώθηκε το email; Πείτε μας.", "Έχει επιβεβαιωθεί\u037e",
			"Βεβαιωθείτε ότι το email σας έχει επιβεβαιωθεί.", "Ίσως το email σας επιβεβαιώθηκε.",
			"Το email πρέπει να έχει επιβεβαιωθεί.", "Αύριο θα έχει επιβεβαιωθεί το email σας.",
			"Επιβεβαιώθηκε ότι το email δεν υπάρχει.", "Το email έχει επιβεβαιωθεί: όχι",
			"Έχει ήδη επιβεβαιωθεί από διαφορετικό λογαριασμό.",
			"Το email σας επιβεβαιώθηκε μόνο αν πατήσετε το κουμπί.",
		},
	},
	"Polish": {
		confirmed: []string{
			"Twój adres e-mail został potwierdzony.", "Dziękujemy. Twój adres email został zweryfikowany.",
			"Twoja rejestracja została zweryfikowana.",
		},
		already: []string{"już został aktywowany, możesz się zalogować",
			"Twój adres został już potwierdzony."},
		failed: []string{"Ten link wygasł.", "Nie można potwierdzić adresu.", "Nieprawidłowy link."},
		nothing: []string{
			"Adres, który został potwierdzony",
			"Żaden adres został potwierdzony",
			"Potwierdź, że adres został zweryfikowany.",
			"Twój adres nie został potwierdzony.", "Adres jeszcze nie został zweryfikowany.",
			"Jeśli adres został potwierdzony, zaloguj się.", "Gdy adres został potwierdzony, zaloguj się.",
			"Twój adres został potwierdzony, jeśli klikniesz link.", "Czy adres został potwierdzony",
			"Adres został potwierdzony dopiero po kliknięciu.", "Adres zostanie potwierdzony po kliknięciu.",
			"Upewnij się, że adres został potwierdzony.", "Sprawdź, że konto zostało aktywowane.",
			"Może adres został potwierdzony.", "Adres został potwierdzony z innego konta.",
			"Adres został potwierdzony: nie",
		},
	},
	"Romanian": {
		confirmed: []string{
			"Contul dvs. a fost confirmat cu succes.", "E-mailul tău a fost confirmat.",
			"Adresa dvs. de e-mail a fost verificată.",
		},
		already: []string{"Contul a fost deja confirmat, vă rugăm să încercaţi"},
		failed:  []string{"Linkul a expirat.", "Adresa nu a putut fi verificată."},
		nothing: []string{
			"Contul care a fost confirmat",
			"E posibil ca adresa a fost confirmată",
			"Nicio adresă a fost confirmată",
			"Vă rugăm confirmați că adresa a fost verificată.",
			"Contul nu a fost confirmat.", "Adresa încă nu a fost verificată.",
			"Dacă adresa a fost confirmată, conectați-vă.", "După ce adresa a fost confirmată, reveniți.",
			"Contul a fost confirmat?", "Contul va fi confirmat după ce apăsați.",
			"Contul a fost confirmat doar dacă apăsați.", "Asigurați-vă că adresa a fost verificată.",
			"Verificați că adresa a fost confirmată.", "Poate contul a fost confirmat.",
			"Adresa a fost confirmată de un alt cont.", "Adresa trebuie confirmată.",
			"Contul a fost confirmat: nu", "Până când contul a fost activat, așteptați.",
		},
	},
	"Turkish": {
		confirmed: []string{
			"Hesabınız başarıyla onaylandı. Şu an giriş yapmış bulunuyorsunuz.",
			"E-posta adresiniz onaylandı.", "Teşekkürler. E-posta adresiniz başarıyla doğrulandı.",
		},
		already: []string{"Hesap zaten onaylanmış, lütfen giriş yapmayı deneyin"},
		failed:  []string{"Bağlantının süresi doldu.", "E-posta adresi doğrulanamadı."},
		nothing: []string{
			"Hesabınız onaylanmadı.", "Hesabınız henüz onaylandı değil.", "Hesabınız onaylandı mı?",
			"Hesabınız onaylandı mı", "Hesabınız onaylandığında haber veririz.",
			"Hesabınız onaylandıktan sonra giriş yapın.", "Hesabınız onaylandıysa giriş yapın.",
			"Hesabınız onaylandı ise giriş yapın.", "E-posta adresiniz doğrulandı olarak görünmüyor.",
			"Eğer hesabınız onaylandı, giriş yapın.", "E-posta adresiniz doğrulanacak.",
			"E-posta adresiniz doğrulandığından emin olun.", "Belki hesabınız onaylandı.",
			"Bu adres başka bir hesap tarafından zaten doğrulandı.", "Hesabınız onaylandı: hayır",
			"Siparişiniz onaylandı.", "HESABINIZ ONAYLANMADI.",
		},
	},
	"Arabic": {
		confirmed: []string{
			"تم التحقق من عنوان البريد الإلكتروني الخاص بك.",

			"تم تأكيد عنوان بريدك الإلكتروني بنجاح.", "شكرا لك. تم التحقق من بريدك الالكتروني.",
			"تم التأكيد من عنوان بريدك الالكتروني.", "لقد تم تأكيد حسابك", "تَمَّ تأكيد بريدك",
			"تـــم تأكيد حسابك", "\u202bتم تأكيد حسابك\u202c", "ﺗﻢ تأكيد حسابك", // forms in the word
		},
		already: []string{"تم تأكيده بالفعل، الرجاء محاولة تسجيل الدخول"},
		failed: []string{
			"هو رابط قديم ولم يعد صالحًا. ربما تكون قد تحققت مسبقًا من بريدك.",
			"انتهت صلاحية هذا الرابط.", "الرابط غير صالح.", "فشل تأكيد البريد"},
		nothing: []string{
			"من المفترض أنه تم تأكيد بريدك",
			"عند تم تأكيد بريدك",
			"من أجل تم تأكيد حسابك",
			"قريبا تم تأكيد حسابك",
			"لم يتم التحقق من عنوان البريد الإلكتروني.",
			"ربما تم التحقق من عنوان البريد.",

			"يرجى التأكيد أنه تم تأكيد حسابك",
			"لم يتم تأكيد بريدك الإلكتروني.", "لَمْ يتم تأكيد حسابك", "لن يتم تأكيد حسابك.",
			"سيتم تأكيد بريدك بعد النقر.", "إذا تم تأكيد بريدك فسجل الدخول.", "هل تم تأكيد بريدك؟",
			"تم تأكيد حسابك؟", "بعد أن تم تأكيد حسابك سجل الدخول.", "عندما تم تأكيد حسابك",
			"تأكد من أنه تم تأكيد بريدك.", "ربما تم تأكيد حسابك.", "ما تم تأكيد حسابك.",
			"تم تأكيد بريدك الإلكتروني بعد النقر على الزر فقط.", "لو تم تأكيد حسابك",
			"غير مؤكد بالفعل", "مؤكد بالفعل في حساب مختلف", "تم تأكيد بريدك: لا",
			"\u200fلم\u200f تم تأكيد حسابك", "تم تأكيد طلبك.", "ﻟﻢ تم تأكيد حسابك",
		},
	},
	"Vietnamese": {
		confirmed: []string{
			"Xác nhận tài khoản thành công! Bạn hiện đang đăng nhập.",
			"Email của bạn đã được xác minh.", "Tài khoản của bạn đã được kích hoạt.",
			"đã được xác nhận, vui lòng đăng nhập để tiếp tục.",
		},
		already: []string{"Email của bạn đã được xác minh trước đó."},
		failed:  []string{"Liên kết đã hết hạn.", "Không thể xác nhận email."},
		nothing: []string{
			"Tài khoản nào đã được xác nhận",
			"Giả sử email đã được xác nhận",
			"Email gần đã được xác nhận",
			"Vui lòng xác nhận rằng email đã được xác minh.",
			"Email của bạn chưa được xác nhận.", "Email không đã được xác nhận.",
			"Nếu email đã được xác nhận, hãy đăng nhập.", "Khi email đã được xác minh, hãy đăng nhập.",
			"Email đã được xác nhận chưa", "Email đã được xác minh hay chưa?",
			"Hãy đảm bảo email đã được xác minh.", "Có thể email đã được xác nhận.",
			"Email đã được xác nhận sau khi bạn nhấp vào nút.", "Email sẽ được xác nhận.",
			"Hướng dẫn xác nhận tài khoản thành công", "Xác nhận tài khoản thành công như thế nào?",
			"Xác nhận tài khoản không thành công.", "Email đã được xác nhận bởi tài khoản khác.",
			"Email đã được xác nhận: chưa",
		},
	},
	"Chinese": {
		confirmed: []string{
			"成功验证您的邮箱。", "您的信箱已通過驗證，現在您已成功登入。", "您的Email已经被确认。",
			"您的電子郵件已確認。", "谢谢。您的电子邮件已通过验证。", "邮箱验证成功！", "您的注册已通过验证。",
		},
		already: []string{"邮箱已经确认，请重新登录。", "您的电子邮件地址已被验证通过。",
			"Email已經驗證，請直接登入。", "您的信箱已經驗證，請直接登入。"},
		failed: []string{
			"您点击的链接是旧的链接，已经不再有效。 也许您的邮箱已经验证。",
			"链接已过期。", "此電子郵件確認連結已過期或無效。", "无法确认您的邮箱。",
			"验证失败"},
		nothing: []string{
			"邮箱已验证（待处理）",
			"邮箱已验证，但已撤销",
			"万一邮箱已验证",
			"取消邮箱已验证",
			"选择邮箱已验证",
			"系统认为邮箱已验证",
			"邮箱验证成功/失败",
			"页面显示“邮箱已验证”即表示完成",
			"邮箱已验证 后登录",
			"您的邮箱未验证。", "您的邮箱尚未已验证", "未能成功验证您的邮箱。", "邮箱没有验证成功。",
			"如果邮箱已验证，请登录。", "邮箱验证成功后即可登录。", "邮箱已验证吗？", "邮箱已验证吗",
			"您的邮箱是否已验证", "请确认邮箱已验证", "请确保您的邮箱已验证。", "已验证邮箱的用户",
			"邮箱已验证的用户可以登录。", "当邮箱已验证时", "可能您的邮箱已验证", "您的邮箱将被验证。",
			"邮箱已验证：否", "邮箱已验证\n否", "无法验证，因为该邮件已由其他帐户验证。",
			"電子郵件已驗證，但由其他帳戶使用", "点击按钮成功验证您的邮箱", "如何成功验证您的邮箱",
			"为了成功验证您的邮箱", "一旦您的郵件已驗證，我們會通知您", "邮箱已验证，才能登录。",
		},
	},
}

// A page may tell of a phone number that was verified, or of a second factor, a setting or a
// payment. That says nothing about the address.
func TestSuccessOfSomethingElse(t *testing.T) {
	for _, text := range []string{
		"Your phone number was successfully verified.", "Mobile number successfully verified",
		"Ihre Telefonnummer wurde erfolgreich bestätigt.", "Ihre Handynummer wurde bestätigt.",
		"Die zweistufige Authentifizierung wurde aktiviert.", "Zwei-Faktor-Anmeldung wurde aktiviert.",
		"L'authentification à deux étapes a été activée", "Votre numéro de téléphone a été vérifié.",
		"A autenticação de dois fatores foi ativada.", "O número de telefone foi confirmado.",
		"La aplicación de autenticación ha sido activada.", "Su número de teléfono ha sido verificado.",
		"Il numero di telefono è stato verificato.", "Autentifikátor byl aktivován.",
		"Telefonní číslo bylo a zařízení byla ověřena.", "Telefonnummeret er bekræftet.",
		"Telefonnummeret er bekreftet.", "Ditt telefonnummer har bekräftats.",
		"Uw telefoonnummer is bevestigd.",
		"Puhelinnumerosi on vahvistettu.", "JavaScript is geactiveerd.",
		"Ο αριθμός τηλεφώνου επιβεβαιώθηκε.", "Η εφαρμογή Authenticator ενεργοποιήθηκε.",
		"Numer telefonu został potwierdzony.", "Numărul de telefon a fost confirmat.",
		"Aplicația de autentificare a fost activată.", "Cookies er aktiveret",
		"Ваш номер телефона успешно подтверждён.", "Номер телефону успішно підтверджено.",
		"Số điện thoại đã được xác minh.", "電話番号が確認されました。", "電話番号が認証されました。",
		"Σημείωση επιλεγμένων διευθύνσεων όπως επαληθεύτηκε",
		"Die Einstellung Proxy wurde aktiviert. Sie dürfen diesen Server nicht erreichen.",
		"Der Virenscanner wurde erfolgreich aktiviert", "Notifications successfully activated",
		"Medaljer er aktiveret", "To-faktor er aktivert for kontoen din.", "Notiser har aktiverats",
		"Deze aanmeldmethode is geactiveerd", "L'accès aux badges a été activé.",
		"Email activated", // of notices
		"Le forum est maintenant actif", "Esta autenticación ha sido activada",
		"L'accesso è stato attivato", "O acesso à medalha foi ativado.", "バッジが有効になりました",
		"あなたのアカウントでセキュリティキーが有効になりました。", "Функция успешно активирована",
		"Функцію успішно активовано", "Modul byl aktivován", "Tämä todennus on aktivoitu",
		"Η πρόσβαση ενεργοποιήθηκε", "Uwierzytelnianie zostało aktywowane", "Urmărirea a fost activată",
		"Máy chủ đã được kích hoạt", "Votre clé de sécurité a été activée pour votre compte.",
		"Din sikkerhedsnøgle er aktiveret for din konto.", "Payment successfully confirmed",
		"Your order was successfully confirmed.", "Ihre Zahlung wurde bestätigt.",
		"Ihre Bestellung wurde bestätigt.", "Din betaling er bekræftet.",
		"Votre commande a été confirmée.",
		"Su pago ha sido confirmado.", "O seu pedido foi confirmado.",
		"Il tuo ordine è stato confermato.",
		"お支払いが確認されました。", "Ваш заказ был подтверждён.", "Płatność została potwierdzona.",
	} {
		require.Equal(t, OutcomeUnknown, judgeWords(text, true), text)
	}
}

// A page may tell of a key, a domain or a file that was verified. A success names an account or an
// address, the reader, or nothing.
func TestSuccessNamesAnAccount(t *testing.T) {
	for _, text := range []string{
		"Der Schlüssel wurde verifiziert.", "Domain acme.example wurde erfolgreich bestätigt.",
		"Klíč byl ověřen tokenem a ověřuje e-mailové adresy.", "Doména byla úspěšně ověřena.",
		"Το κλειδί επαληθεύτηκε.", "La clave ha sido verificada, con tu dirección de correo.",
		"El dominio se ha verificado.", "Avain on vahvistettu.", "Le domaine a été vérifié.",
		"La clé a été vérifiée avec un jeton et peut signer vos courriels.",
		"La chiave è stata verificata.", "O domínio foi verificado.", "A chave está verificada.",
		"Sleutel is geverifieerd met een token.", "Nøglen er verificeret.", "Domenet er bekreftet.",
		"Nyckeln har verifierats.", "Klucz został zweryfikowany.", "Cheia a fost verificată.",
		"Ключ был подтверждён.", "Домен успешно подтверждён.", "Ключ було підтверджено.",
		"ドメインが確認されました。", "Tên miền đã được xác minh.", "Domain successfully verified",
		"You have successfully verified your domain.", "The key you added was successfully verified.",
		"Hi kim@acme.example, your domain was successfully verified.",
		"The theme is already active", "This domain has already been verified.",
		"Der Schlüssel wurde bereits verifiziert.", "Diese Funktion ist bereits aktiviert.",
		"Nøglen er allerede bekræftet.", "Funktionen är redan aktiverat.", "De sleutel is al bevestigd.",
		"Ce module est déjà activé.", "El dominio ya está verificado.", "Il tema è già attivo.",
		"O recurso já está ativado.", "Ключ уже подтверждён.", "Ключ вже підтверджено.",
		"鍵はコードで確認済みです。", "Klíč již byl ověřen.", "Avain on jo vahvistettu.",
		"Le code par e-mail est déjà activé pour MFA.", "機能が有効化されました。", "سيتم تفعيل حسابك.",
		"لم يتم تفعيل حسابك.", "Аккаунт не активирован.", "Если аккаунт активирован, войдите.",
	} {
		require.Equal(t, OutcomeUnknown, judgeWords(text, true), text)
	}
	for _, text := range []string{
		"You have successfully verified your Acme account.", "You have been successfully verified!",
		"Hi kim@acme.example, your email was successfully verified.",
		"Hi Kim, you are successfully verified", "Successfully verified", "Erfolgreich bestätigt!",
		"Acme: se ha verificado tu correo.", "We successfully verified kim@acme.example.",
		"Sie wurden erfolgreich verifiziert.", "Sign-up successfully confirmed", "認証が完了しました。",
		"Sähköpostisi on vahvistettu.", "Ο λογαριασμός έχει ενεργοποιηθεί",
		"Учётная запись активирована", "Обліковий запис активовано", "Hesap etkinleştirildi",
		"Din e-postadress har blivit verifierad.",
		"C'est confirmé !", "Учетная запись подтверждена.", "Ваш аккаунт активирован.",
		"Ваш акаунт активовано.", "Email підтверджено", "アカウントが有効化されました。",
		"تم تفعيل حسابك.",
	} {
		require.Equal(t, OutcomeConfirmed, judgeWords(text, true), text)
	}
	for _, text := range []string{
		"Η λειτουργία έχει ενεργοποιηθεί", "Ο λογαριασμός δεν έχει ενεργοποιηθεί",
		"Учётная запись активирована?", "Когда учётная запись активирована, войдите.",
		"Якщо обліковий запис активовано, увійдіть.", "Hesap etkinleştirildi mi", "Запись активирована",
		"Om din e-postadress har blivit verifierad, logga in.", "Nyckeln har blivit verifierad.",
	} {
		require.Equal(t, OutcomeUnknown, judgeWords(text, true), text)
	}
	for _, text := range []string{
		// A form that shows them beside the address has Devise's sentences without a subject.
		"was already confirmed, please sign in", "wurde bereits bestätigt", "er allerede bekræftet",
		"har allerede blitt bekreftet", "är redan bekräftad", "is reeds bevestigd",
		"a déjà été confirmé(e)", "è stato già confermato", "byl již potvrzen",
		"Already confirmed. Please sign in.", "You have already verified your email address.",
		"You are already verified.", "Bereits bestätigt", "Your account is already active.",
		"Votre adresse est déjà confirmée.", "確認済みです。",
	} {
		require.Equal(t, OutcomeAlready, judgeWords(text, true), text)
	}
	for _, text := range []string{
		"O endereço já está ativo para um usuário diferente.",
		"Адрес уже активирован для другого пользователя.",
	} {
		require.Equal(t, OutcomeUnknown, judgeWords(text, true), text)
	}
}

package linkclick

import (
	"testing"

	"github.com/stretchr/testify/require"
)

var sayingsOfTheWest = map[string]saying{
	"English": {
		nothing: []string{
			"Please confirm that your email is verified.",
			"Check that your email is verified.",
			"Your email is verified only once you click the button below.",
			"Your email is verified only after a check.", "Your email was not confirmed.",
			"If your email was verified, sign in.", "Make sure your email is verified.",
			"Your email will be confirmed after a check.", "Has your email been verified?",
			"Until your email is verified you cannot sign in.", "Maybe your email was verified.",
			"Your email could not be confirmed.",
		},
	},
	"German": {
		confirmed: []string{"Ihre E-Mail-Adresse wurde erfolgreich bestätigt.",
			"Ihre E-Mail wurde bestätigt."},
		already: []string{"Bereits bestätigt. Versuchen Sie, sich anzumelden."},
		nothing: []string{
			"Überprüfen Sie, dass Ihre Adresse erfolgreich bestätigt wurde.",
			"Bitte bestätigen Sie, dass Ihr Konto erfolgreich verifiziert ist.",
			"Ihre Adresse ist jetzt bestätigt nur mit einem Klick.",
			"Ihre Adresse wurde bestätigt erst nach dem Klick.", "Ihre Adresse wurde nicht bestätigt.",
			"Wenn Ihre Adresse bestätigt wurde, melden Sie sich an.", "Wurde Ihre Adresse bestätigt?",
			"Prüfen Sie, ob Ihre Adresse erfolgreich bestätigt wurde.",
			"Stellen Sie sicher, dass Ihre Adresse erfolgreich bestätigt wurde.",
			"Ihre Adresse wird nach dem Klick bestätigt.", "Vielleicht wurde die Adresse verifiziert.",
			"Die Adresse wurde bestätigt von einem anderen Konto.", "Noch nie wurde verifiziert, wer da ist",
		},
	},
	"Danish, Norwegian": {
		confirmed: []string{
			"Din e-mail er nu bekræftet.", "Din email er blevet bekræftet.", "E-posten din er bekreftet.",
			"Din konto har blitt aktivert og du er nå logget inn",
			"Din konto er aktivert og du er nå innlogget.",
		},
		already: []string{"E-postadressen har allerede blitt bekreftet. Prøv å logge inn.",
			"Email er allerede bekræftet, prøv venligst at logge ind"},
		failed: []string{"Kan ikke bekrefte a@x.example.", "Kan ikke bekræfte a@x.example."},
		nothing: []string{
			"Bekræft venligst at kontoen er bekræftet.",
			"Bekreft at kontoen er bekreftet.",
			"Din e-mail er bekræftet først når du klikker.", "E-posten er bekreftet kun hvis du klikker.",
			"E-posten er bekreftet bare hvis du klikker.", "Din e-mail er ikke bekræftet.",
			"Kontoen har ikke blitt aktivert.", "Kontoen din har ennå ikke blitt bekreftet.",
			"Hvis din e-mail er bekræftet, så log ind.", "Er din konto er aktiveret?",
			"Sjekk at kontoen har blitt aktivert.", "Kanskje har kontoen har blitt bekreftet.",
			"Din e-mail vil blive bekræftet efter klik.", "Når kontoen har blitt bekreftet, logg inn.",
			"Adressen har blitt bekreftet av en annen konto.",
		},
	},
	"Swedish": {
		confirmed: []string{"Ditt konto har bekräftats. Du är nu inloggad.",
			"Din epost har bekräftats."},
		already: []string{"Adressen är redan bekräftad, vänligen logga in igen"},
		failed:  []string{"Kan inte bekräfta a@x.example."},
		nothing: []string{
			"Verifiera att kontot har bekräftats.",
			"Kontot är bekräftad först när du klickar.", "Kontot är bekräftad bara om du klickar.",
			"Kontot har bekräftats endast efter klick.", "Kontot har inte bekräftats.",
			"Om kontot har bekräftats, logga in.", "När kontot har bekräftats kan du logga in.",
			"Har kontot har bekräftats?", "Kontrollera att kontot har bekräftats.",
			"Kontot kommer att bekräftas.", "Kontot har bekräftats av ett annat konto.",
			"Kanske har adressen är verifierad.",
		},
	},
	"Dutch": {
		confirmed: []string{"Je account is bevestigd.", "Bedankt. uw email is geverifieerd."},
		already:   []string{"Je account is reeds bevestigd"},
		nothing: []string{
			"Bevestig dat je account is geverifieerd.",
			"Je account is bevestigd pas na een klik.", "Je account is bevestigd alleen na een klik.",
			"Je account is nu bevestigd slechts voor een dag.", "Je account is niet bevestigd.",
			"Je account is nog niet geverifieerd.", "Als je account is bevestigd, log in.",
			"Zodra je account is bevestigd, log in.", "Is je account is bevestigd?",
			"Controleer of je account is bevestigd.", "Je account wordt bevestigd na een klik.",
			"Misschien is je account is bevestigd.", "Het adres is bevestigd door een ander account.",
		},
	},
	"French": {
		confirmed: []string{"Votre compte a bien été confirmé.", "Votre e-mail a été confirmé.",
			"Merci. Votre adresse email a été vérifiée.", "Votre compte a été confirmé avec succès."},
		already: []string{"Votre adresse a déjà été confirmée"},
		failed:  []string{"Impossible de confirmer a@x.example."},
		nothing: []string{
			"Confirmez que votre adresse a été vérifiée.",
			"Votre adresse est confirmée seulement après un clic.", "Votre compte n'a pas été confirmé.",
			"Votre compte est confirmé uniquement après un clic.", "Votre compte n’a jamais été confirmé.",
			"Si votre compte a été confirmé, connectez-vous.", "Votre compte a-t-il a été confirmé ?",
			"Une fois que votre compte a été confirmé, revenez.", "Votre compte sera confirmé après.",
			"Assurez-vous que votre compte a été confirmé.", "Votre compte doit être confirmé.",
			"Peut-être votre compte a été confirmé.", "L'adresse a été confirmée par un autre compte.",
			"L'adresse a été confirmée par un compte différent.",
		},
	},
	"Spanish": {
		confirmed: []string{"Tu cuenta ha sido confirmada satisfactoriamente.",
			"Se ha confirmado la dirección de correo electrónico correctamente.",
			"Su correo electrónico ha sido verificado.", "Gracias. E-mail verificado."},
		already: []string{"Tu correo ya ha sido confirmado, por favor intenta iniciar sesión"},
		nothing: []string{
			"Por favor, confirme que su correo ha sido verificado.",
			"Tu cuenta ha sido verificada solo si pulsas.", "Tu cuenta no ha sido confirmada.",
			"Tu cuenta ha sido confirmada únicamente tras pulsar.", "Se requiere e-mail verificado.",
			"E-mail verificado: no", "E-mail verificado por la empresa", "No hay e-mail verificado",
			"Si tu cuenta ha sido confirmada, entra.", "¿Tu cuenta ha sido confirmada?",
			"Asegúrate de que tu cuenta ha sido confirmada.", "Tu cuenta será confirmada después.",
			"Quizás tu cuenta ha sido confirmada.", "Ha sido confirmado por una cuenta diferente.",
			"Cuando tu cuenta ha sido confirmada, entra.",
		},
	},
	"Italian": {
		confirmed: []string{"Il tuo account è stato correttamente confermato.",
			"La tua mail è stata confermata.", "Grazie. La tua email è stata verificata"},
		already: []string{"L'account è stato già confermato", "L'email è già stata verificata."},
		failed:  []string{"Impossibile confermare a@x.example."},
		nothing: []string{
			"Verifica che la tua email è stata verificata.",
			"Controlla che l'account è stato confermato.",
			"L'email è stata verificata solo se clicchi.", "L'email non è stata verificata.",
			"L'account non è stato correttamente confermato.", "Se l'email è stata confermata, accedi.",
			"Quando l'account è stato correttamente confermato, accedi.", "L'email è stata confermata?",
			"Assicurati che l'account è stato confermato.", "L'account sarà confermato dopo il clic.",
			"Forse l'account è stato confermato.", "L'account deve essere confermato.",
			"Già stata confermata da un account diverso.", "L'account è stato confermato soltanto dopo.",
		},
	},
	"Portuguese": {
		confirmed: []string{"A sua conta foi confirmada com sucesso.", "Seu e-mail foi confirmado.",
			"Obrigado. Seu email foi verificado."},
		already: []string{"O email já foi confirmado, por favor tente efetuar a autenticação"},
		nothing: []string{
			"Por favor, confirme que o e-mail foi verificado.",
			"A conta foi confirmada só depois do clique.", "A sua conta não foi confirmada.",
			"A conta foi confirmada somente se clicar.", "A conta foi ativada apenas após o clique.",
			"Se a sua conta foi confirmada, entre.", "A sua conta foi confirmada?",
			"Certifique-se de que a conta foi confirmada.", "A conta será confirmada após o clique.",
			"Talvez a conta foi confirmada.", "Já foi confirmado por uma conta diferente.",
			"Quando a conta foi confirmada, entre.", "A sua conta nunca foi confirmada.",
		},
	},
	"Japanese": {
		confirmed: []string{"メールアドレスが確認できました。", "あなたのメールアドレスを確認しました。",
			"ありがとうございました。メールアドレスが認証されました。"},
		nothing: []string{
			"メールが確認されましたことを確かめてください。",
			"あなたのメールアドレスを確認しましたが、有効ではありません。", "もしメールが確認されました",
			"あなたのメールアドレスを確認しましたら、お知らせします。", "メールが確認されましたか",
			"メールアドレスが認証されました場合", "メールアドレスが確認されました後",
			"メールアドレスが確認されていません。", "メールアドレスは確認できませんでした。",
			"メールアドレスを確認してください。", "おそらくメールアドレスが確認されました。",
			"すでにほかのアカウントで確認済みです。", "あなたのメールアドレスを確認しました？",
		},
	},
	"Russian": {
		confirmed: []string{"Ваш адрес эл. почты успешно подтвержден.",
			"Ваш адрес электронной почты был подтвержден.", "Адрес электронной почты подтверждён.",
			"Благодарим Вас. Ваша регистрация была подтверждена."},
		already: []string{"Адрес уже подтверждён. Пожалуйста, попробуйте войти в систему"},
		nothing: []string{
			"Подтвердите, что адрес подтверждён.",
			"Для адреса электронной почты подтверждение не получено.",
			"На адрес электронной почты подтверждение отправлено.", "Адрес подтверждения: a@x.example",
			"Ваш адрес подтверждается.", "Ваш адрес не подтверждён.", "Адрес подтверждён только частично.",
			"Если адрес подтверждён, войдите.", "Адрес подтверждён?", "Адрес будет подтверждён после.",
			"Убедитесь, что адрес подтверждён.", "Возможно, адрес подтверждён.",
			"Адрес подтверждён лишь после щелчка.", "Адрес был подтверждён другим пользователем.",
		},
	},
	"Ukrainian": {
		confirmed: []string{
			"Вашу адресу електронної пошти було перевірено.",
			"Ваш обліковий запис підтверджено. Ви увійшли в систему.",
			"Ваша електронна пошта підтверджена.", "Дякуємо. Ваша електронна пошта була підтверджена."},
		already: []string{
			"Вашу адресу електронної пошти вже перевірено.",
			"Адресу вже підтверджено. Будь ласка, спробуйте увійти в систему"},
		nothing: []string{
			"Вашу адресу електронної пошти не було перевірено.",
			"Якщо адресу електронної пошти вже перевірено",
			"Адресу електронної пошти було перевірено?",

			"Підтвердіть, що пошта підтверджена.",
			"На вашу адресу підтвердження надіслано.", "На вашу пошту підтвердження не надійшло.",
			"Вашу адресу не підтверджено.", "Ваша пошта не була підтверджена.",
			"Якщо обліковий запис підтверджено, увійдіть.", "Обліковий запис підтверджено?",
			"Переконайтеся, що обліковий запис підтверджено.", "Обліковий запис буде підтверджено.",
			"Можливо, обліковий запис підтверджено.", "Адресу підтверджено лише після натискання.",
			"Пошта підтверджена іншим обліковим записом.", "Адресу підтверджено тільки частково.",
		},
	},
}

// What a page says of its reader's next step, and of what will come of it, reports nothing.
func TestSuccessThatFollowsFromAStep(t *testing.T) {
	for _, text := range []string{
		"Your email address is verified by clicking the link below.",
		"Your account is confirmed by entering the code.",
		"Your account is confirmed as soon as you click.",
		"Press Continue and your email is verified.",
		"Press Continue, and your email is verified.",
		"One step is left: click below and your email is verified.",
		"Follow the link and your account has been confirmed.",
		"Ihre Adresse ist jetzt bestätigt durch Klick auf den Link.",
		"Klicken Sie, und Ihre Adresse ist jetzt bestätigt.",
		"Din konto er bekræftet ved at klikke.", "Klik, og din konto er bekræftet.",
		"Kontoen din er bekreftet ved å klikke.", "Kontoen din er bekreftet så snart du klikker.",
		"Din adress är bekräftad genom att klicka.", "Klicka, och kontot har bekräftats.",
		"Uw account is bevestigd door te klikken.", "Klik en uw account is bevestigd.",
		"Votre compte est confirmé en cliquant sur le lien.", "Cliquez et votre compte est confirmé.",
		"Tu cuenta ha sido verificada al hacer clic.", "Pulsa y tu cuenta ha sido verificada.",
		"L'account è stato verificato cliccando.", "Clicca e l'account è stato verificato.",
		"A conta está confirmada ao clicar no link.", "Clique e a conta está confirmada.",
		"Аккаунт подтверждён нажатием кнопки.", "Нажмите, и аккаунт подтверждён.",
		"Обліковий запис підтверджено натисканням.", "Натисніть, і пошту підтверджено.",
		"Účet byl ověřen kliknutím na odkaz.", "Klikněte a účet byl ověřen.",
		"Konto zostało aktywowane kliknięciem.", "Kliknij i konto zostało aktywowane.",
		"Tilisi on vahvistettu napsauttamalla.", "Napsauta, niin tilisi on vahvistettu.",
		"Ο λογαριασμός επιβεβαιώθηκε κάνοντας κλικ.", "Πατήστε και το email επιβεβαιώθηκε.",
		"Contul a fost confirmat făcând clic.", "Apăsați și contul a fost confirmat.",
		"تم تأكيد حسابك بالنقر على الرابط.", "Email đã được xác nhận bằng cách nhấp vào liên kết.",
	} {
		require.Equal(t, OutcomeUnknown, judgeWords(text, true), text)
	}
	for _, text := range []string{
		"Your email address has been verified. Click here to go on.",
		"Your email address has been verified, click here to go on.",
		"Ihre Adresse wurde bestätigt. Klicken Sie hier.", "Din konto er bekræftet. Klik her.",
		"Votre compte a été vérifié. Cliquez ici.", "A conta foi confirmada. Clique aqui.",
	} {
		require.Equal(t, OutcomeConfirmed, judgeWords(text, true), text)
	}
}

// What a page says of a link that was used, is too old or is none.
func TestLinkThatIsNoLongerGood(t *testing.T) {
	for want, texts := range map[Outcome][]string{
		OutcomeUsed: {
			"Tokenet er ugyldig eller har allerede blitt brukt.", "De link is reeds gebruikt.",
			"Der Link wurde schon verwendet.", "Der Token wurde bereits eingelöst.",
			"El enlace ya ha sido usado.", "El enlace ya se ha usado.", "Ce lien a déjà servi.",
			"Ο σύνδεσμος χρησιμοποιήθηκε ήδη.", "Link został już wykorzystany.",
			"Token jest nieprawidłowy lub został wykorzystany.",
			"Bu bağlantı zaten kullanıldı.", "Bu bağlantı daha önce kullanılmış.",
		},
		OutcomeExpired: {
			"Ce lien n’est plus valable.", "Le lien est périmé.", "El enlace está caducado.",
			"Link scaduto", "O link já não é válido.", "Link expirado",
			"Din bekräftelsekod har upphört att gälla.", "リンクの期限が切れています。",
			"確認用コードが期限切れまたは無効です。", "Ссылка больше не действует.",
			"Ваш код подтверждения истек.",
		},
		OutcomeRefused: {
			"Dieser Link ist nicht gültig.", "Ungültiger Token", "Linket er ikke gyldigt.",
			"Lenken er ikke gyldig.", "Ce lien est invalide.", "El enlace es inválido.",
			"El enlace no es valido.", "リンクが無効です。", "トークンが無効です。",
			"Токен недействителен.", "Ο σύνδεσμος είναι άκυρος.",
		},
		OutcomeUnknown: {
			"Wenn der Link ist nicht gültig, fragen Sie uns.", "Falls der Link wurde schon verwendet?",
			"Hvis linket er ikke gyldigt, så skriv.", "Si ce lien est invalide, écrivez.",
			"Si el enlace es inválido, escribe.", "Als de link is reeds gebruikt, vraag het.",
			"Se il link scaduto è questo, scrivi.", "Se o link expirado for este, escreva.",
			"Если ссылка больше не действует, напишите.", "Αν ο σύνδεσμος είναι άκυρος, γράψτε.",
			"Jeśli link został już wykorzystany, napisz.", "リンクの期限が切れている場合",
			"Om koden har upphört att gälla, skriv.", "Cette adresse est invalide.",
			"Ditt abonnemang gäller.", "Carta de crédito caducada",
		},
	} {
		for _, text := range texts {
			require.Equal(t, want, judgeWords(text, true), text)
		}
	}
}

// An account is activated in more forms than one, and a mail is confirmed by a noun.
func TestSuccessInOtherForms(t *testing.T) {
	for _, text := range []string{
		"Congrats kim, your account is now activated.", "Your account was activated.",
		"Email confirmation successful", "Ihr Konto ist jetzt aktiviert.",
		"Ihr Konto ist nun aktiviert.", "Ihr Konto ist jetzt verifiziert.",
		"Die E-Mail Bestätigung war erfolgreich.", "Die E-Mail-Bestätigung war erfolgreich.",
		"Din bruger er blevet aktiveret.", "Din konto blev aktiveret.", "Din e-mail blev verificeret.",
		"Kontoen din er blitt aktivert.", "Kontoen din ble aktivert.", "E-posten din ble verifisert.",
		"Ditt konto har blivit aktiverat.", "Ditt konto är aktiverat.", "Kontot är bekräftat.",
		"Din e-postadress har blivit bekräftad.", "Uw gebruiker werd geactiveerd.",
		"Uw account is nu geactiveerd.", "Uw e-mailadres werd bevestigd.",
		"Je account is succesvol geactiveerd.", "Votre compte a bien été activé.",
		"Votre compte est désormais activé.", "Votre adresse est désormais vérifiée.",
		"Votre adresse est maintenant confirmée.", "Tu cuenta está ahora confirmada.",
		"Tu cuenta fue activada.", "Tu cuenta se ha activado.", "Il tuo account è confermato.",
		"Il tuo account è ora attivo.", "Utilizador ativado com sucesso.", "Conta ativada com sucesso",
		"Ваш аккаунт был активирован.", "Ваша учётная запись была активирована.",
		"Ваш обліковий запис був активований.", "Обліковий запис було активовано.",
		"Ваш аккаунт підтверджено.", "Váš účet je nyní aktivní.",
		"Konto zostało pomyślnie aktywowane.", "Hesabınız şu anda aktifleştirildi.",
		"kim，恭喜你，你的帐户已启用！", "您的账号已启用. 请", "您的帳號已成功啟用。",
	} {
		require.Equal(t, OutcomeConfirmed, judgeWords(text, true), text)
		require.NotEqual(t, OutcomeConfirmed, judgeWords(text, false), text)
	}
	for _, text := range []string{
		"Once your account is now activated, sign in.", "Your account is now activated only if paid.",
		"Make sure your account was activated.", "Was your account was activated?",
		"The plugin was activated.", "Two-factor was activated for your account: 2FA is on.",
		"If email confirmation successful, go on.", "Payment confirmation successful",
		"Sobald Ihr Konto ist jetzt aktiviert, schreiben wir.", "Ihr Konto ist jetzt aktiviert: nein",
		"Das Modul ist jetzt aktiviert.", "Der Schlüssel ist jetzt verifiziert.",
		"Wenn die E-Mail-Bestätigung war erfolgreich, weiter.",
		"Din konto blev ikke aktiveret.", "Hvis din konto blev aktiveret, så log ind.",
		"Temaet er blevet aktiveret.", "Når kontoen ble aktivert, logg inn.", "Temaet ble aktivert.",
		"Om kontot är aktiverat, logga in.", "Kontot är inte aktiverat.", "Temat är aktiverat.",
		"När kontot är bekräftat, logga in.", "Ordern är bekräftat.", "Kontot är aktiverat: nej",
		"Als uw account werd geactiveerd, log in.", "Het thema werd geactiveerd.",
		"Uw account is nu geactiveerd zodra u klikt.", "De bestelling werd bevestigd.",
		"Si votre compte a bien été activé, entrez.", "Le thème est désormais activé.",
		"Votre compte est désormais activé après validation.", "La clé est désormais vérifiée.",
		"Cuando tu cuenta fue activada, entra.", "Tu cuenta no fue activada.", "El tema se ha activado.",
		"Se il tuo account è confermato, entra.", "Il tuo account non è confermato.",
		"Il modulo è ora attivo.", "Il tuo account è ora attivo solo se paghi.",
		"Se a conta ativada com sucesso, entre.", "Tema ativado com sucesso",
		"Conta não ativada com sucesso",
		"Если аккаунт был активирован, войдите.", "Модуль был активирован.",
		"Аккаунт не был активирован.", "Якщо запис був активований, увійдіть.",
		"Модуль було активовано.", "Якщо аккаунт підтверджено, увійдіть.",
		"Pokud účet je nyní aktivní, přihlaste se.", "Účet je nyní aktivní až po platbě.",
		"Jeśli konto zostało pomyślnie aktywowane, wejdź.", "Konto nie zostało pomyślnie aktywowane.",
		"Hesabınız şu anda aktifleştirildi mi", "Tema aktifleştirildi.", "Hesabınız aktifleştirildiğinde",
		"如果您的账号已启用", "您的账号已启用两步验证", "邮箱已启用", "您的账号未启用。", "账号已启用：否",
		"若您的帳號已成功啟用", "您的帳號未成功啟用。",
	} {
		require.False(t, succeeds(judgeWords(text, true)), text)
	}
}

// Notices by mail are activated, too. Their name holds the word for mail, or the account has them.
func TestSuccessOfNotices(t *testing.T) {
	for _, text := range []string{
		"Email notifications successfully activated", "Email alerts are already active.",
		"Notifications by mail for your account has been activated.",
		"Die E-Mail-Benachrichtigung wurde aktiviert.", "Der E-Mail-Newsletter wurde aktiviert.",
		"Die E-Mail-Benachrichtigung ist bereits aktiviert.",
		"E-mailnotifikation er aktiveret.", "E-postvarsling er aktivert.",
		"E-postvarsel er allerede aktivert.", "Avisering via e-post har aktiverats.",
		"E-mailmelding is geactiveerd.", "De e-mailnotificatie is al geactiveerd.",
		"La notification par e-mail a été activée.", "L'alerte e-mail est désormais active.",
		"La notificación por correo ha sido activada.", "L'avviso email è stato attivato",
		"A notificação por e-mail foi ativada.", "Рассылка на почту успешно активирована",
		"Уведомление по почте уже активирована.", "Сповіщення на пошту було активовано.",
		"E-mailový zpravodaj byl aktivován.", "Sähköposti-ilmoitus on aktivoitu.",
		"Η ειδοποίηση email ενεργοποιήθηκε.", "Powiadomienie e-mail zostało aktywowane.",
		"Notificarea prin e-mail a fost activată", "メール通知が有効になりました。",
		"Thông báo qua email đã được kích hoạt.",
	} {
		require.Equal(t, OutcomeUnknown, judgeWords(text, true), text)
	}
	for _, text := range []string{
		"Notification: your account has been activated.", "Thông báo: tài khoản đã được kích hoạt.",
		"Ihr Konto wurde aktiviert, die Benachrichtigung folgt.", "通知：您的账户已激活。",
		"Vous avez une notification : votre compte a été activé.",
	} {
		require.Equal(t, OutcomeConfirmed, judgeWords(text, true), text)
	}
}

// A success that will be, can be or nearly is one reports nothing. Where its words hold no verb of
// their own, the verb before them says so.
func TestSuccessToCome(t *testing.T) {
	for _, text := range []string{
		"Your email will be successfully verified.", "Your email would be verified successfully.",
		"Your email needs to be successfully verified.", "Your email is to be successfully verified.",
		"Your email can be successfully verified.", "Your email could be successfully verified.",
		"Your email is almost successfully verified.", "Nobody's email address was verified.",
		"None of your email has been verified.", "How your email is verified.",
		"Your email is verified in the next step.", "Your email is verified on the next page.",
		"Your account is verified within 24 hours.", "Your account is verified tomorrow.",
		"Your email address is verified every time you sign in.",
		"Ihr Konto wird morgen erfolgreich bestätigt.", "Ihr Konto kann erfolgreich verifiziert werden.",
		"Ihr Konto soll erfolgreich bestätigt werden.", "Uw e-mail wordt succesvol bevestigd.",
		"Uw e-mail kan succesvol bevestigd worden.", "Uw e-mail zal succesvol bevestigd worden.",
		"Din konto vil er bekræftet.", "Din konto skal er bekræftet.", "Kontot ska har bekräftats.",
		"Votre adresse sera confirmée avec succès.", "L'adresse peut être confirmée avec succès.",
		"Votre adresse va être confirmée avec succès.", "Tu cuenta será verificada correctamente.",
		"Tu cuenta puede ser verificada correctamente.", "Il tuo account sarà verificato con successo.",
		"L'email viene verificata con successo.", "L'email può essere verificata con successo.",
		"O e-mail será verificado com sucesso.", "O e-mail vai ser confirmado com sucesso.",
		"O e-mail pode ser confirmado com sucesso.", "Адрес будет успешно подтвержден.",
		"Адресу буде успішно підтверджено.", "Adres będzie został potwierdzony.",
		"メールが認証されましたと表示されます。",
	} {
		require.Equal(t, OutcomeUnknown, judgeWords(text, true), text)
	}
	for _, text := range []string{
		"Your email has been verified and you can sign in.", "You can sign in: your email was verified.",
		"Ihr Konto wurde bestätigt und kann benutzt werden.", "Din konto er bekræftet, du kan logge ind.",
		"Votre compte a été vérifié, vous serez redirigé.", "A conta foi confirmada e pode ser usada.",
	} {
		require.Equal(t, OutcomeConfirmed, judgeWords(text, true), text)
	}
}

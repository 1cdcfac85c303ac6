package linkclick

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// In Chinese and Turkish the word for a mailbox stands right before the verb, also where it is that
// of notices.
func TestMailboxOfNotices(t *testing.T) {
	for _, text := range []string{
		"电子邮件通知邮箱已激活", "通知邮箱激活成功。", "邮件通知账户已启用。", "郵件通知信箱已啟用",
		"Bildirim e-posta adresiniz etkinleştirildi.", "Bildirim hesabınız aktifleştirildi.",
	} {
		require.Equal(t, OutcomeUnknown, judgeWords(text, true), text)
	}
	for _, text := range []string{
		"您的邮箱已激活", "注册激活成功。", "您的電子郵件已啟用。", "您的email已啟用。", "通知：您的邮箱已激活。",
		"E-posta adresiniz etkinleştirildi.", "Kaydınız aktifleştirildi.",
	} {
		require.Equal(t, OutcomeConfirmed, judgeWords(text, true), text)
	}
}

// What the reader can do for the reason of a success takes nothing back, unless its words do.
func TestSuccessAsAReason(t *testing.T) {
	for _, text := range []string{
		"You can sign in because your email has been verified.",
		"Hello Kim, you can now sign in since your account was confirmed.",
		"You will be redirected now that your email address is verified.",
		"Because your email has been verified you can sign in.",
		"We will sign you in now because your account has been activated.",
	} {
		require.Equal(t, OutcomeConfirmed, judgeWords(text, true), text)
	}
	require.Equal(t, OutcomeAlready,
		judgeWords("You can sign in because your email is already verified.", true))
	for _, text := range []string{
		"You can sign in because no email has been verified.",
		"You can not sign in because your email was verified.",
		"You cannot sign in because your email has been verified by someone.",
		"You can sign in, but not because your email has been verified.",
		"You can sign in not because your email has been verified.",
		"You can sign in because your email will be successfully verified.",
		"You can sign in once your email has been verified.",
		"You can sign in when your email is verified, because you must.",
		"You can have your email verified because we ask.",
		"You will get your email verified.", "You can only wait because soon your email is verified.",
		"You can sign in because your email is verified once you press the button.",
		"You can sign in because another account has been verified.",
		"Can you sign in because your email has been verified?",
	} {
		require.Equal(t, OutcomeUnknown, judgeWords(text, true), text)
	}
}

// ZITADEL, Logto, Casdoor and Gitea say of a code what others say of a link.
func TestCodeThatIsNotGood(t *testing.T) {
	for want, texts := range map[Outcome][]string{
		OutcomeUsed: {
			"Code konnte nicht gefunden werden", "Koden hittades inte", "Kon code niet vinden",
			"Impossible de trouver le code", "No pude encontrar el código", "コードが見つかりません",
			"Não foi possível encontrar o código", "Код не найден", "Kód nebyl nalezen",
		},
		OutcomeExpired: {
			"Code ist abgelaufen", "Koden är för gammal", "有効期限切れのコードです", "Код истёк",
			"Dein Code ist ungültig oder abgelaufen.", "Le code est expiré",
		},
		OutcomeRefused: {
			"Wrong verification code!", "Code ist ungültig", "Der Bestätigungscode ist ungültig.",
			"Ungültiger Code", "Falscher Bestätigungscode!", "Koden är felaktig", "Ogiltig kod",
			"Code is ongeldig", "Ongeldige code", "Le code n’est pas valide", "Code invalide",
			"Le code est invalide.", "Mauvais code de vérification !", "El código no es válido",
			"Código no válido", "El código de verificación no es válido.",
			"¡Código de verificación incorrecto!", "Il codice di verifica non è valido.",
			"Il codice non è valido", "Codice non valido", "O código é inválido", "Código inválido",
			"O código de verificação é inválido.", "Código de verificação incorreto!",
			"無効なコードです", "検証コードが無効です。", "誤った検証コードです！", "Неверный код",
			"Неправильный код подтверждения.", "Недійсний код підтвердження.",
			"Неправильний код підтвердження!", "Kód je neplatný", "Neplatný kód",
			"Nieprawidłowy kod weryfikacyjny.", "Zły kod weryfikacyjny!", "Doğrulama kodu geçersiz.",
			"Yanlış doğrulama kodu!", "رمز التحقق غير صالح.", "Mã xác thực sai!", "无效的验证码。",
			"無效的驗證碼。", "验证码错误!",
		},
		OutcomeUnknown: {
			"Wenn der Code ist ungültig, fragen Sie uns.", "Om koden är felaktig, skriv.",
			"Si le code est invalide, écrivez.", "Als code is ongeldig, vraag een nieuwe.",
			"Se il codice non è valido, scrivi.", "Si el código no es válido, escribe.",
			"Если неверный код, напишите.", "Якщо недійсний код, напишіть.", "Pokud kód je neplatný",
			"Ungültiger Code?", "Geben Sie den Code ein.", "Der Code ist gültig.", "Entrez le code.",
			"Diese Adresse ist ungültig.", "Mot de passe invalide", "Contraseña no válida",
			"请输入验证码", "確認コードを入力してください", "Введите код", "如果验证码错误",
		},
	} {
		for _, text := range texts {
			require.Equal(t, want, judgeWords(text, true), text)
		}
	}
}

// allauth, Keycloak and Discourse have words of their own for a link that came too late.
func TestLinkThatCameTooLate(t *testing.T) {
	for want, texts := range map[Outcome][]string{
		OutcomeExpired: {
			"Denne e-postbekreftelseslenken er utgått eller ugyldig.", "Action expirée.",
			"Länken för att verifiera epost-adressen har förfallit eller är ogiltig.",
			"Det är en gammal länk som inte längre är giltig.", "Acción expirada.",
			"Acción caducada. Continúe.", "Azione scaduta.", "Ação expirada.", "Toiminto vanhentui.",
			"確認用のリンクが不正か、期限が切れています。", "このリンクはもう有効ではありません。",
			"Ссылка некорректна или срок её действия истёк.", "Ссылка устарела и больше не действует.",
			"Эта ссылка больше недействительна.", "Код подтверждения недействителен или истек.",
			"Bu bağlantı artık geçerli değil.", "هذا الرابط انتهت فترة صلاحيته.", "انتهى الإجراء.",
			"此連結已經失效", "動作逾時。",
		},
		OutcomeUnknown: {
			"Om länken har förfallit, skriv.", "Hvis lenken er utgått, skriv.",
			"Si action expirée, recommencez.", "Si es una acción caducada, escribe.",
			"Se è un'azione scaduta, scrivi.", "Se for ação expirada, escreva.",
			"Если ссылка больше не действует, напишите.", "Ссылка действует один час.",
			"Artık geçerli değil mi?", "Eğer artık geçerli değil ise yazın.", "動作進行中",
			"このリンクは有効です。", "Länken är giltig en timme.",
		},
	} {
		for _, text := range texts {
			require.Equal(t, want, judgeWords(text, true), text)
		}
	}
}

// An account that is active now has been confirmed, as phpBB and WordPress say. FusionAuth alone
// says so of a registration that was verified.
func TestAccountThatIsActiveNow(t *testing.T) {
	for _, text := range []string{
		"Your account has now been activated. Thank you.", "Dein Benutzerkonto wurde nun aktiviert.",
		"Dein Konto ist jetzt aktiv!", "Ihr Konto ist nun aktiv.", "Din konto er nu aktiv!",
		"Kontoen din er nå aktiv.", "Ditt konto är nu aktivt!", "Je account is nu actief!",
		"Votre compte est à présent activé.", "Votre compte est maintenant actif !",
		"Votre compte est désormais actif.", "Tu cuenta está ahora activa.",
		"Twoje konto jest teraz aktywne!",
	} {
		require.Equal(t, OutcomeConfirmed, judgeWords(text, true), text)
		require.Equal(t, OutcomeUnknown, judgeWords(text, false), text)
	}
	for _, text := range []string{
		"Once your account has now been activated, sign in.", "Your plugin has now been activated.",
		"Wenn dein Konto ist jetzt aktiv, melde dich an.", "Dein Konto ist jetzt aktiv: nein",
		"Das Modul wurde nun aktiviert.", "Dein Konto ist jetzt aktiv, sobald du klickst.",
		"Din konto er nu aktiv, når du trykker.", "Hvis kontoen din er nå aktiv, logg inn.",
		"Om ditt konto är nu aktivt, logga in.", "Ditt konto är nu aktivt först när du betalar.",
		"Zodra je account is nu actief, log in.", "Je account is nu actief zodra je klikt.",
		"Si votre compte est maintenant actif, entrez.", "Le thème est à présent activé.",
		"Votre compte est désormais actif seulement après un clic.",
		"Cuando tu cuenta está ahora activa, entra.", "Si tu cuenta está ahora activa, entra.",
		"Jeśli konto jest teraz aktywne, wejdź.", "Konto jest teraz aktywne?",
	} {
		require.False(t, succeeds(judgeWords(text, true)), text)
	}
	const verified = "Thank you. Your registration has been verified."
	for p, want := range map[*provider]Outcome{
		&fusionauth: OutcomeConfirmed, &auth0: OutcomeUnknown,
	} {
		k := &click{Clicker: &Clicker{Kind: KindVerify}, shape: shape{provider: p}}
		require.Equal(t, want, k.hear(verified, true), p.name)
		require.Equal(t, OutcomeUnknown, k.hear("Once your registration has been verified", true))
	}
}

// A second factor has many names. That it was activated for an account activated no account.
func TestSecondFactorIsNoAccount(t *testing.T) {
	for _, text := range []string{
		"Your account's two-step verification was successfully activated.",
		"For your account multi-factor authentication was successfully activated.",
		"On your account, 2-step verification was successfully verified.",
		"Für Ihr Konto wurde die Zwei-Schritt-Verifizierung erfolgreich aktiviert.",
		"In Ihrem Konto: Die Mehr-Faktor-Anmeldung wurde aktiviert.",
		"Sur votre compte, l'authentification multifacteur a été activée.",
		"Sur votre compte la double authentification a été activée.",
		"En tu cuenta, la autenticación multifactor ha sido activada.",
		"En tu cuenta la autenticación de doble factor ha sido activada.",
		"Na sua conta a verificação em duas etapas foi ativada.",
		"På din konto er nu aktiveret totrinsbekræftelse.",
		"For kontoen din: totrinnsbekreftelse er aktivert.",
		"Ditt konto: Tvåstegsverifieringen har aktiverats.",
		"Je account: verificatie in twee stappen is geactiveerd.",
		"Uw account: meerstapsverificatie is geactiveerd.",
		"Konto: uwierzytelnianie dwuskładnikowe zostało aktywowane.",
		"アカウントの2段階認証が有効になりました。", "アカウントで多要素認証が有効化されました。",
		"双重验证：您的账户已启用", "Tài khoản: xác minh 2 bước đã được kích hoạt",
		"Tài khoản của bạn: Xác thực hai yếu tố đã được kích hoạt",
	} {
		require.Equal(t, OutcomeUnknown, judgeWords(text, true), text)
	}
	for _, text := range []string{
		"Your account was activated. Two-step verification is off.",
		"Ihr Konto wurde aktiviert. Als Nächstes: Zwei-Schritt-Verifizierung",
		"アカウントが有効になりました。\n2段階認証",
	} {
		require.Equal(t, OutcomeConfirmed, judgeWords(text, true), text)
	}
}

// In Dutch the word for "expired" is that for "expire", and "zal" ends in the word for "already".
func TestDutchThatIsToCome(t *testing.T) {
	for want, texts := range map[Outcome][]string{
		OutcomeUnknown: {
			"Deze link zal over een uur verlopen.", "De codes zullen snel verlopen.",
			"Uw e-mailadres zal gebruikt worden voor berichten.",
		},
		OutcomeExpired: {"De link is verlopen.", "Ongeldige of verlopen sleutel."},
		OutcomeUsed:    {"Deze link is al gebruikt.", "De code werd al gebruikt, vraag een nieuwe."},
		OutcomeConfirmed: {
			"Uw e-mailadres is bevestigd. Deze pagina zal over een minuut verlopen.",
			"Je account is geactiveerd. Je adres zal gebruikt worden voor berichten.",
		},
	} {
		for _, text := range texts {
			require.Equal(t, want, judgeWords(text, true), text)
		}
	}
}

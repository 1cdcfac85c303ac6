package linkclick

import "maps"

// This file goes on with sentences of failure: those with which frameworks and products refuse a
// link in the language of the site. They name the link, its token, its code or the confirmation,
// since a page says of other things, too, that they are invalid.
//
// Sources: devise-i18n 1.13, rails/locales, "confirmation_token" and "confirmation_period_expired";
// rails-i18n 8, rails/locale, "errors.messages.invalid"; mastodon/mastodon 4,
// config/locales/devise.*.yml; SymfonyCasts/verify-email-bundle 1.17, src/Resources/translations;
// ory/elements 1, locales, "identities.messages.4070001"; gogs/gogs 0.13, conf/locale,
// "invalid_code"; zitadel/zitadel 2 and 3, internal/api/ui/login/static/i18n, "Errors.User.Code";
// logto-io/logto 1, packages/phrases-experience, "invalid_passcode"; casdoor/casdoor 2,
// i18n/locales, "verification"; django-allauth 65, allauth/locale; Keycloak, login theme messages,
// "expiredActionTokenNoSessionMessage" and "staleEmailVerificationLink".

// failures holds such sentences by the name of a language.
var failures = map[string]map[Outcome][]string{
	"German": {
		OutcomeUsed: {
			"link wurde schon verwendet", "token wurde bereits eingelöst",
			"code konnte nicht gefunden werden",
		},
		OutcomeExpired: {"bestätigt werden, bitte fordere einen neuen link"},
		OutcomeRefused: {
			"token ist nicht gültig", "token ist ungültig",
			"überprüfung ihrer email-adresse ist ungültig", "scheint für ein anderes konto",
			"link ist nicht gültig", "ungültiger token", "code ist ungültig", "ungültiger code",
			"falscher bestätigungscode",
		},
	},
	"Danish, Norwegian": {
		OutcomeUsed:    {"allerede blitt brukt"},
		OutcomeExpired: {"skal bekræftes inden", "må bekreftes innen", "lenken er utgått"},
		OutcomeRefused: {
			"bekræftelsesnøgle er ikke gyldig", "token er ikke gyldig", "bekreftelseskode er ugyldig",
			"token er ugyldig", "bekræfte din email er ugyldig",
			"ser ud til at være til en anden konto", "linket er ikke gyldig", "lenken er ikke gyldig",
		},
	},
	"Swedish": {
		OutcomeUsed: {"koden hittades inte"},
		OutcomeExpired: {
			"måste bekräftas inom", "behöver bekräftas inom", "upphört att gälla",
			"koden är för gammal", "inte längre är giltig", "verifiera epost-adressen har förfallit",
		},
		OutcomeRefused: {
			"token har fel format", "token är ogiltig", "koden är felaktig", "ogiltig kod",
		},
	},
	"Dutch": {
		OutcomeUsed: {"reeds gebruikt", "kon code niet vinden"},
		OutcomeExpired: {
			"worden bevestigd binnen", "dagen worden bevestigd, plaats", "uur worden bevestigd, plaats",
		},
		OutcomeRefused: {
			"token is ongeldig", "emailadres te verifiëren is ongeldig",
			"te verifiëren is voor een andere gebruiker", "code is ongeldig", "ongeldige code",
		},
	},
	"French": {
		OutcomeUsed: {"lien a déjà servi", "impossible de trouver le code"},
		OutcomeExpired: {
			"doit être confirmé(e) en", "à confirmer dans les", "lien n'est plus valable",
			"lien est périmé", "action expirée",
		},
		OutcomeRefused: {
			"confirmation du mot de passe n'est pas valide", "token n'est pas valide",
			"jeton n'est pas valide", "vérifier votre adresse email est invalide",
			"semble correspondre à un autre compte", "lien est invalide", "code n'est pas valide",
			"code invalide", "code est invalide", "mauvais code de vérification",
		},
	},
	"Spanish": {
		OutcomeUsed: {
			"enlace ya ha sido usado", "enlace ya se ha usado", "token ya ha sido usado",
			"no pude encontrar el código",
		},
		OutcomeExpired: {
			"necesita confirmarse dentro de", "necesita ser confirmado dentro de",
			"enlace está caducado", "enlace caducado", "acción expirada", "acción caducada",
		},
		OutcomeRefused: {
			"código de confirmación no es válido", "token no es válido",
			"verificar tu correo es inválido", "es para una cuenta o correo diferente",
			"enlace es inválido", "enlace no es valido", "código no es válido", "código no válido",
			"código de verificación no es válido", "código de verificación incorrecto",
		},
	},
	"Italian": {
		OutcomeExpired: {
			"deve essere confermato entro", "deve essere confermata entro", "link scaduto",
			"azione scaduta",
		},
		OutcomeRefused: {
			"token di conferma non è valido", "token non è valido", "codice non è valido",
			"codice non valido", "codice di verifica non è valido",
		},
	},
	"Portuguese": {
		OutcomeUsed: {"não foi possível encontrar o código"},
		OutcomeExpired: {
			"necessário ser confirmado dentro do período", "precisa ser confirmada em até",
			"necessitava de confirmação até", "tem de ser confirmado durante", "link já não é válido",
			"link expirado", "ação expirada",
		},
		OutcomeRefused: {
			"token de confirmação não é válido", "código de confirmação é inválido",
			"token não é válido", "token é inválido", "código é inválido", "código inválido",
			"código de verificação é inválido", "código de verificação incorreto",
		},
	},
	"Japanese": {
		OutcomeUsed: {"コードが見つかりません"},
		OutcomeExpired: {
			"期限が切れました", "以内に確認が必要です", "リンクの期限が切れています", "期限切れまたは無効です", "期限切れのコードです",
			"リンクが不正か、期限が切れています", "もう有効ではありません",
		},
		OutcomeRefused: {
			"トークンは不正な値です", "tokenは不正な値です", "リンクが無効です", "トークンが無効です", "無効なコードです", "コードが無効です",
			"誤った検証コードです",
		},
	},
	"Russian": {
		OutcomeUsed: {"код не найден"},
		OutcomeExpired: {
			"должен быть подтвержден в течение", "не был подтверждён в течение",
			"электронной почты истек", "код подтверждения истек",
			"код истек", "код истёк", "срок её действия ист", "срок ее действия ист",
			"больше не действует", "больше недействительна", "недействителен или ист",
		},
		OutcomeRefused: {
			"токен подтверждения имеет неверное значение", "token имеет неверное значение",
			"электронной почты недействительна", "предназначена для другой учетной записи",
			"токен недействителен", "неверный код", "неправильный код",
		},
	},
	"Ukrainian": {
		OutcomeExpired: {
			"має бути підтверджено протягом", "повинен бути підтверджений за",
			"електронної пошти закінчився",
		},
		OutcomeRefused: {
			"код підтвердження недійсний", "token недійсний", "електронної пошти недійсне",
			"стосується іншого облікового запису", "недійсний код", "неправильний код",
		},
	},
	"Czech": {
		OutcomeUsed:    {"kód nebyl nalezen"},
		OutcomeExpired: {"je potřeba potvrdit do", "musí být potvrzen do"},
		OutcomeRefused: {"token není platn", "kód je neplatný", "neplatný kód"},
	},
	"Finnish": {
		OutcomeExpired: {"kuluessa, ole hyvä ja pyydä uusi", "toiminto vanhentui"},
		OutcomeRefused: {"vahvistuskoodi on virheellinen", "token on virheellinen"},
	},
	"Greek": {
		OutcomeUsed:    {"σύνδεσμος χρησιμοποιήθηκε ήδη"},
		OutcomeExpired: {"πρέπει να επιβεβαιωθεί εντός"},
		OutcomeRefused: {
			"τεκμήριο επιβεβαίωσης είναι άκυρο", "token είναι άκυρο",
			"ταχυδρομείου σας δεν είναι έγκυρος", "φαίνεται να είναι για διαφορετικό λογαριασμό",
			"σύνδεσμος είναι άκυρος",
		},
	},
	"Polish": {
		OutcomeUsed:    {"już wykorzystan", "lub został wykorzystany"},
		OutcomeExpired: {"musi być potwierdzone w ciągu", "musi być potwierdzony w ciągu"},
		OutcomeRefused: {
			"token potwierdzający jest nieprawidłow", "token jest nieprawidłow",
			"weryfikacji adresu email jest nieprawidłowy",
			"weryfikacji adresu email dotyczy innego konta", "nieprawidłowy kod",
			"zły kod weryfikacyjny",
		},
	},
	"Romanian": {
		OutcomeExpired: {"trebuie să fie confirmat în"},
		OutcomeRefused: {
			"cod de confirmare este invalid", "token este invalid",
			"verificarea adresei de email este invalid", "pare să fie pentru un alt cont",
		},
	},
	"Turkish": {
		OutcomeUsed: {"bağlantı zaten kullanıldı", "bağlantı daha önce kullanıl"},
		OutcomeExpired: {
			"içinde onaylanması gerek", "süresi geçti, lütfen yeni", "artık geçerli değil",
		},
		OutcomeRefused: {
			"onaylama jetonu geçersiz", "token geçersiz", "doğrulama kodu geçersiz",
			"yanlış doğrulama kodu",
		},
	},
	"Arabic": {
		OutcomeExpired: {
			"يحتاج إلى التأكيد في غضون", "يجب التأكد منه قبل انقضاء", "انتهت مدة صلاحيته",
			"نتهت فترة صلاحيته", "انتهى الإجراء",
		},
		OutcomeRefused: {"رمز التوكن للتأكيد غير صالح", "token غير صالح", "رمز التحقق غير صالح"},
	},
	"Vietnamese": {
		OutcomeExpired: {"cần được xác nhận trong", "cần phải xác minh trong vòng"},
		OutcomeRefused: {"mã xác nhận không hợp lệ", "token không hợp lệ", "mã xác thực sai"},
	},
	"Chinese": {
		OutcomeExpired: {"已經失效", "動作逾時"},
		OutcomeRefused: {"令牌是无效的", "token是无效的", "令牌是無效的", "token是無效的", "无效的验证码", "無效的驗證碼", "验证码错误"},
	},
}

// withFailures returns l with what failures holds of its language.
func (l language) withFailures() language {
	l.phrases = maps.Clone(l.phrases)
	for outcome, phrases := range failures[l.name] {
		l.phrases[outcome] = append(phrases[:len(phrases):len(phrases)], l.phrases[outcome]...)
	}
	return l
}

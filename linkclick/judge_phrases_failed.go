package linkclick

import "maps"

// This file goes on with sentences of failure: those with which frameworks and products refuse a
// link in the language of the site. They name the link, its token or the confirmation, since a page
// says of other things, too, that they are invalid.
//
// Sources: devise-i18n 1.13, rails/locales, "confirmation_token" and "confirmation_period_expired";
// rails-i18n 8, rails/locale, "errors.messages.invalid"; mastodon/mastodon 4,
// config/locales/devise.*.yml; SymfonyCasts/verify-email-bundle 1.17, src/Resources/translations;
// ory/elements 1, locales, "identities.messages.4070001"; gogs/gogs 0.13, conf/locale,
// "invalid_code".

// failures holds such sentences by the name of a language.
var failures = map[string]map[Outcome][]string{
	"German": {
		OutcomeUsed:    {"link wurde schon verwendet", "token wurde bereits eingelöst"},
		OutcomeExpired: {"bestätigt werden, bitte fordere einen neuen link"},
		OutcomeRefused: {
			"token ist nicht gültig", "token ist ungültig",
			"überprüfung ihrer email-adresse ist ungültig", "scheint für ein anderes konto",
			"link ist nicht gültig", "ungültiger token",
		},
	},
	"Danish, Norwegian": {
		OutcomeUsed:    {"allerede blitt brukt"},
		OutcomeExpired: {"skal bekræftes inden", "må bekreftes innen"},
		OutcomeRefused: {
			"bekræftelsesnøgle er ikke gyldig", "token er ikke gyldig", "bekreftelseskode er ugyldig",
			"token er ugyldig", "bekræfte din email er ugyldig",
			"ser ud til at være til en anden konto", "linket er ikke gyldig", "lenken er ikke gyldig",
		},
	},
	"Swedish": {
		OutcomeExpired: {"måste bekräftas inom", "behöver bekräftas inom", "upphört att gälla"},
		OutcomeRefused: {"token har fel format", "token är ogiltig"},
	},
	"Dutch": {
		OutcomeUsed: {"reeds gebruikt"},
		OutcomeExpired: {
			"worden bevestigd binnen", "dagen worden bevestigd, plaats", "uur worden bevestigd, plaats",
		},
		OutcomeRefused: {
			"token is ongeldig", "emailadres te verifiëren is ongeldig",
			"te verifiëren is voor een andere gebruiker",
		},
	},
	"French": {
		OutcomeUsed: {"lien a déjà servi"},
		OutcomeExpired: {
			"doit être confirmé(e) en", "à confirmer dans les", "lien n'est plus valable",
			"lien est périmé",
		},
		OutcomeRefused: {
			"confirmation du mot de passe n'est pas valide", "token n'est pas valide",
			"jeton n'est pas valide", "vérifier votre adresse email est invalide",
			"semble correspondre à un autre compte", "lien est invalide",
		},
	},
	"Spanish": {
		OutcomeUsed: {"enlace ya ha sido usado", "enlace ya se ha usado", "token ya ha sido usado"},
		OutcomeExpired: {
			"necesita confirmarse dentro de", "necesita ser confirmado dentro de",
			"enlace está caducado", "enlace caducado",
		},
		OutcomeRefused: {
			"código de confirmación no es válido", "token no es válido",
			"verificar tu correo es inválido", "es para una cuenta o correo diferente",
			"enlace es inválido", "enlace no es valido",
		},
	},
	"Italian": {
		OutcomeExpired: {
			"deve essere confermato entro", "deve essere confermata entro", "link scaduto",
		},
		OutcomeRefused: {"token di conferma non è valido", "token non è valido"},
	},
	"Portuguese": {
		OutcomeExpired: {
			"necessário ser confirmado dentro do período", "precisa ser confirmada em até",
			"necessitava de confirmação até", "tem de ser confirmado durante", "link já não é válido",
			"link expirado",
		},
		OutcomeRefused: {
			"token de confirmação não é válido", "código de confirmação é inválido",
			"token não é válido", "token é inválido",
		},
	},
	"Japanese": {
		OutcomeExpired: {"期限が切れました", "以内に確認が必要です", "リンクの期限が切れています", "期限切れまたは無効です"},
		OutcomeRefused: {"トークンは不正な値です", "tokenは不正な値です", "リンクが無効です", "トークンが無効です"},
	},
	"Russian": {
		OutcomeExpired: {
			"должен быть подтвержден в течение", "не был подтверждён в течение",
			"электронной почты истек", "ссылка больше не действует", "код подтверждения истек",
		},
		OutcomeRefused: {
			"токен подтверждения имеет неверное значение", "token имеет неверное значение",
			"электронной почты недействительна", "предназначена для другой учетной записи",
			"токен недействителен",
		},
	},
	"Ukrainian": {
		OutcomeExpired: {
			"має бути підтверджено протягом", "повинен бути підтверджений за",
			"електронної пошти закінчився",
		},
		OutcomeRefused: {
			"код підтвердження недійсний", "token недійсний", "електронної пошти недійсне",
			"стосується іншого облікового запису",
		},
	},
	"Czech": {
		OutcomeExpired: {"je potřeba potvrdit do", "musí být potvrzen do"},
		OutcomeRefused: {"token není platn"},
	},
	"Finnish": {
		OutcomeExpired: {"kuluessa, ole hyvä ja pyydä uusi"},
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
			"weryfikacji adresu email dotyczy innego konta",
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
		OutcomeUsed:    {"bağlantı zaten kullanıldı", "bağlantı daha önce kullanıl"},
		OutcomeExpired: {"içinde onaylanması gerek", "süresi geçti, lütfen yeni"},
		OutcomeRefused: {"onaylama jetonu geçersiz", "token geçersiz"},
	},
	"Arabic": {
		OutcomeExpired: {
			"يحتاج إلى التأكيد في غضون", "يجب التأكد منه قبل انقضاء", "انتهت مدة صلاحيته",
		},
		OutcomeRefused: {"رمز التوكن للتأكيد غير صالح", "token غير صالح"},
	},
	"Vietnamese": {
		OutcomeExpired: {"cần được xác nhận trong", "cần phải xác minh trong vòng"},
		OutcomeRefused: {"mã xác nhận không hợp lệ", "token không hợp lệ"},
	},
	"Chinese": {
		OutcomeRefused: {"令牌是无效的", "token是无效的", "令牌是無效的", "token是無效的"},
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

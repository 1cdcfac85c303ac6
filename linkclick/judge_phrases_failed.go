package linkclick

import "maps"

// This file goes on with sentences of failure: those with which frameworks refuse a link in the
// language of the site. Each names the link or its token. A page says of many things that they are
// invalid or must be confirmed.
//
// Sources: devise-i18n 1.13, rails/locales, "confirmation_token" and "confirmation_period_expired";
// rails-i18n 8, rails/locale, "errors.messages.invalid"; mastodon/mastodon 4,
// config/locales/devise.*.yml; SymfonyCasts/verify-email-bundle 1.17, src/Resources/translations.

// failures holds such sentences by the name of a language.
var failures = map[string]map[Outcome][]string{
	"German": {
		OutcomeExpired: {"bestätigt werden, bitte fordere einen neuen link"},
		OutcomeRefused: {
			"token ist nicht gültig", "token ist ungültig",
			"überprüfung ihrer email-adresse ist ungültig", "scheint für ein anderes konto",
		},
	},
	"Danish, Norwegian": {
		OutcomeExpired: {"skal bekræftes inden", "må bekreftes innen"},
		OutcomeRefused: {
			"bekræftelsesnøgle er ikke gyldig", "token er ikke gyldig", "bekreftelseskode er ugyldig",
			"token er ugyldig", "bekræfte din email er ugyldig",
			"ser ud til at være til en anden konto",
		},
	},
	"Swedish": {
		OutcomeExpired: {"måste bekräftas inom", "behöver bekräftas inom"},
		OutcomeRefused: {"token har fel format", "token är ogiltig"},
	},
	"Dutch": {
		OutcomeExpired: {
			"worden bevestigd binnen", "dagen worden bevestigd, plaats", "uur worden bevestigd, plaats",
		},
		OutcomeRefused: {
			"token is ongeldig", "emailadres te verifiëren is ongeldig",
			"te verifiëren is voor een andere gebruiker",
		},
	},
	"French": {
		OutcomeExpired: {"doit être confirmé(e) en", "à confirmer dans les"},
		OutcomeRefused: {
			"confirmation du mot de passe n'est pas valide", "token n'est pas valide",
			"jeton n'est pas valide", "vérifier votre adresse email est invalide",
			"semble correspondre à un autre compte",
		},
	},
	"Spanish": {
		OutcomeExpired: {"necesita confirmarse dentro de", "necesita ser confirmado dentro de"},
		OutcomeRefused: {
			"código de confirmación no es válido", "token no es válido",
			"verificar tu correo es inválido", "es para una cuenta o correo diferente",
		},
	},
	"Italian": {
		OutcomeExpired: {"deve essere confermato entro", "deve essere confermata entro"},
		OutcomeRefused: {"token di conferma non è valido", "token non è valido"},
	},
	"Portuguese": {
		OutcomeExpired: {
			"necessário ser confirmado dentro do período", "precisa ser confirmada em até",
			"necessitava de confirmação até", "tem de ser confirmado durante",
		},
		OutcomeRefused: {
			"token de confirmação não é válido", "código de confirmação é inválido",
			"token não é válido", "token é inválido",
		},
	},
	"Japanese": {
		OutcomeExpired: {"期限が切れました", "以内に確認が必要です"},
		OutcomeRefused: {"トークンは不正な値です", "tokenは不正な値です"},
	},
	"Russian": {
		OutcomeExpired: {
			"должен быть подтвержден в течение", "не был подтверждён в течение",
			"электронной почты истек",
		},
		OutcomeRefused: {
			"токен подтверждения имеет неверное значение", "token имеет неверное значение",
			"электронной почты недействительна", "предназначена для другой учетной записи",
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
		OutcomeExpired: {"πρέπει να επιβεβαιωθεί εντός"},
		OutcomeRefused: {
			"τεκμήριο επιβεβαίωσης είναι άκυρο", "token είναι άκυρο",
			"ταχυδρομείου σας δεν είναι έγκυρος", "φαίνεται να είναι για διαφορετικό λογαριασμό",
		},
	},
	"Polish": {
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

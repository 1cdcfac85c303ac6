package linkclick

import (
	"slices"
	"strings"
)

// This file holds the sentences of success and failure in every language.

// language holds the words in which identity providers tell the end of a verification. All are in
// plain form (plain.go).
type language struct {
	name string
	// unless holds words that make a phrase after them in the same sentence a condition: "once your
	// email has been verified" reports nothing.
	unless []string
	// denies holds denials of this language alone, since some mean something else in another: "no" is
	// "in the" in Portuguese. There it denies only the word right after it. What "I" have done is the
	// label of a button.
	denies []string
	// after holds what makes a phrase a condition if it follows at once.
	after []string
	// late tells that a denial may stand anywhere before a success or in its clause, and a condition
	// anywhere after it.
	late bool
	// whole tells that a success ends with its word: the stem of "confirmed" is that of the noun.
	whole bool
	// opens and closes tell that a success stands at the beginning or the end of its clause.
	opens, closes bool
	// alone tells that a success needs no subject: only one provider says it.
	alone bool
	// phrases are looked for in the order of judged.
	phrases map[Outcome][]string
}

// genericLanguages holds what is usual in each language and belongs to no single provider.
// English comes first, and learn adds the providers' own phrases to it. Sources of the English:
// Auth0, customize-text-elements, "email-verification-result"; Keycloak, login theme messages.
var genericLanguages = slices.Concat([]language{
	{name: "English", unless: englishConditions, denies: englishDenials,
		phrases: map[Outcome][]string{
			OutcomeUsed: {
				"can only be used once", "was already used", "already been used", "has been used already",
				"already used",
			},
			OutcomeAlready: {
				"already verified", "verified already", "already been verified", "already confirmed",
				"already been confirmed", "confirmed already", "already active", "already activated",
				"already been activated",
			},
			OutcomeExpired: {
				"has expired", "is expired", "was expired", "have expired", "link expired", "token expired",
				"no longer valid", "invalid or expired",
			},
			OutcomeRefused: {
				"could not be verified", "could not be confirmed", "could not verify", "couldn't verify",
				"couldn't be verified", "cannot be verified", "can't verify", "unable to verify",
				"unable to confirm", "verification failed", "failed to verify", "confirmation failed",
				"link is invalid", "token is invalid", "link is not valid", "invalid link", "invalid token",
				"invalid verification", "invalid code", "not a valid link", "verification was unsuccessful",
				"wrong verification code",
			},
			OutcomeConfirmed: {
				"email was verified", "email was successfully verified", "email has been verified",
				"email has been successfully verified", "email address was verified",
				"email address was successfully verified", "email address has been verified",
				"email address has been successfully verified", "email is verified",
				"email is now verified",
				"email address is verified", "email address is now verified",
				"successfully verified", "verified successfully",
				"successfully confirmed", "confirmed successfully", "email was confirmed",
				"email has been confirmed", "email address has been confirmed", "email is confirmed",
				"email is now confirmed", "email address was confirmed", "email address is confirmed",
				"email address is now confirmed", "account was confirmed", "account is confirmed",
				"account is now confirmed",
				"account has been verified", "account is verified", "account is now verified",
				"account has been confirmed", "account has been activated", "account is now active",
				"verification successful", "verification complete",
				"verification was successful", "successfully activated", "account is now activated",
				"account was activated", "email confirmation successful",
				"account has now been activated",
			},
			outcomeChanged: {
				"password has been changed", "password was changed", "password has been reset",
			},
		}},
	{name: "German", unless: germanConditions,
		phrases: map[Outcome][]string{
			OutcomeUsed: {"bereits verwendet", "bereits benutzt", "nur einmal verwendet"},
			OutcomeAlready: {
				"bereits bestätigt", "bereits verifiziert", "schon bestätigt", "bereits aktiviert",
			},
			OutcomeExpired: {"abgelaufen", "nicht mehr gültig"},
			OutcomeRefused: {
				"konnte nicht bestätigt", "konnte nicht verifiziert", "nicht bestätigt werden",
				"nicht verifiziert werden", "ungültiger link", "link ist ungültig", "fehlgeschlagen",
			},
			OutcomeConfirmed: {
				"wurde bestätigt", "wurde erfolgreich bestätigt", "erfolgreich bestätigt",
				"wurde verifiziert", "erfolgreich verifiziert", "ist jetzt bestätigt", "ist nun bestätigt",
				"wurde aktiviert", "erfolgreich aktiviert", "ist jetzt aktiviert", "ist nun aktiviert",
				"ist jetzt verifiziert", "ist nun verifiziert", "email bestätigung war erfolgreich",
				"email-bestätigung war erfolgreich", "konto ist jetzt aktiv", "konto ist nun aktiv",
				"wurde nun aktiviert",
			},
		}},
	{name: "Danish, Norwegian", unless: strings.Fields("bekræft bekreft " +
		"hvis når efter etter indtil før dersom " +
		"medmindre sørg sikre kontroller kontrollér tjek sjekk " +
		"måske kanskje muligvis muligens"),
		phrases: map[Outcome][]string{
			OutcomeUsed: {
				"allerede brugt", "allerede brukt", "allerede blevet brugt", "kun bruges én gang",
				"kun brukes én gang",
			},
			OutcomeAlready: {
				"allerede bekræftet", "allerede bekreftet", "allerede verificeret", "allerede verifisert",
				"allerede aktiveret", "allerede aktivert",
				"allerede blitt bekreftet", "allerede blevet bekræftet",
			},
			OutcomeExpired: {"udløbet", "utløpt", "ikke længere gyldig", "ikke lenger gyldig"},
			OutcomeRefused: {
				"kunne ikke bekræftes", "kunne ikke bekreftes", "kunne ikke verificeres",
				"kunne ikke verifiseres", "kan ikke bekræfte", "kan ikke bekrefte", "linket er ugyldigt",
				"ugyldigt link", "lenken er ugyldig",
				"ugyldig lenke",
			},
			OutcomeConfirmed: {
				"er blevet bekræftet", "er bekræftet", "er nu bekræftet", "blev bekræftet",
				"er blevet verificeret", "er verificeret", "er nu verificeret", "er bekreftet",
				"er nå bekreftet", "ble bekreftet", "er blitt bekreftet", "er verifisert",
				"er nå verifisert", "er blitt verifisert", "er aktiveret", "er nu aktiveret", "er aktivert",
				"er nå aktivert", "har blitt bekreftet", "har blitt verifisert", "har blitt aktivert",
				"er blevet aktiveret", "blev aktiveret", "blev verificeret", "er blitt aktivert",
				"ble aktivert", "ble verifisert", "konto er nu aktiv", "kontoen din er nå aktiv",
			},
		}},
	{name: "Swedish", unless: append(strings.Fields("bekräfta verifiera "+
		"om när efter tills innan såvida "+
		"kontrollera säkerställ kanske möjligen"), "se till"),
		phrases: map[Outcome][]string{
			OutcomeUsed: {"redan använts", "redan använd", "bara användas en gång"},
			OutcomeAlready: {
				"redan bekräftad", "redan bekräftats", "redan verifierad", "redan verifierats",
				"redan aktiverat",
			},
			OutcomeExpired: {"har gått ut", "har löpt ut", "inte längre giltig"},
			OutcomeRefused: {
				"kan inte bekräfta", "kunde inte bekräftas", "kunde inte verifieras", "länken är ogiltig",
				"ogiltig länk",
			},
			OutcomeConfirmed: {
				"har bekräftats", "är bekräftad", "är nu bekräftad", "har verifierats", "är verifierad",
				"är nu verifierad", "har aktiverats", "är nu aktiverat", "har blivit verifierad",
				"har blivit aktiverat", "har blivit bekräftad", "är aktiverat", "är bekräftat",
				"konto är nu aktivt",
			},
		}},
	{name: "Dutch", unless: strings.Fields("bevestig " +
		"als zodra nadat wanneer totdat voordat indien tenzij " +
		"zorg controleer wellicht misschien mogelijk zal zullen"),
		phrases: map[Outcome][]string{
			OutcomeUsed: { // "al gebruikt" alone is in "zal gebruikt worden", too
				"is al gebruikt", "werd al gebruikt", "al gebruikt is", "al gebruikt werd",
				"link al gebruikt", "token al gebruikt", "code al gebruikt",
				"maar één keer worden gebruikt",
			},
			OutcomeAlready: {
				"al bevestigd", "al geverifieerd", "reeds bevestigd", "reeds geverifieerd",
				"al geactiveerd",
			},
			OutcomeExpired: {"verlopen", "niet meer geldig", "niet langer geldig"},
			OutcomeRefused: {
				"kon niet worden bevestigd", "kon niet worden geverifieerd", "link is ongeldig",
				"ongeldige link",
			},
			OutcomeConfirmed: {
				"is bevestigd", "is nu bevestigd", "is geverifieerd", "is nu geverifieerd",
				"succesvol bevestigd", "succesvol geverifieerd", "is geactiveerd", "is nu geactiveerd",
				"werd geactiveerd", "werd bevestigd", "werd geverifieerd", "succesvol geactiveerd",
				"account is nu actief",
			},
		}},
	{name: "French", unless: strings.Fields("confirmez " +
		"si lorsque quand après dès avant fois sauf moins " +
		"assurez vérifiez peut-être"),
		phrases: map[Outcome][]string{
			OutcomeUsed: {"déjà été utilisé", "déjà utilisé", "utilisé qu'une seule fois"},
			OutcomeAlready: {
				"déjà été vérifié", "déjà vérifié", "déjà été confirmé", "déjà confirmé",
				"déjà activé",
			},
			OutcomeExpired: {"a expiré", "est expiré", "n'est plus valide"},
			OutcomeRefused: {"n'a pas pu être vérifié", "n'a pas pu être confirmé",
				"impossible de confirmer", "lien invalide",
				"lien n'est pas valide", "lien non valide"},
			OutcomeConfirmed: {
				"a été vérifié", "a bien été vérifié", "a été confirmé", "a bien été confirmé",
				"est vérifié", "est confirmé", "vérifiée avec succès", "confirmée avec succès",
				"a été activé", "a bien été activé", "est maintenant activ", "est maintenant confirmé",
				"est maintenant vérifié", "est désormais activ", "est désormais confirmé",
				"est désormais vérifié", "est à présent activé", "compte est maintenant actif",
				"compte est désormais actif",
			},
		}},
	{name: "Spanish", unless: strings.Fields("confirma confirme verifique " +
		"si cuando vez hasta antes después salvo menos " +
		"asegúrate asegúrese comprueba compruebe quizá quizás"),
		denies: []string{"no"},
		phrases: map[Outcome][]string{
			OutcomeUsed: {
				"ya se ha utilizado", "ya ha sido utilizado", "ya fue utilizado", "usarse una sola vez",
			},
			OutcomeAlready: {
				"ya está verificad", "ya ha sido verificad", "ya fue verificad", "ya está confirmad",
				"ya ha sido confirmad", "ya fue confirmad", "ya está activ",
			},
			OutcomeExpired: {"ha caducado", "ha expirado", "ha vencido", "ya no es válido"},
			OutcomeRefused: {
				"no se pudo verificar", "no se ha podido verificar", "no se pudo confirmar",
				"enlace no es válido", "enlace no válido", "enlace inválido",
			},
			OutcomeConfirmed: {
				"ha sido verificad", "fue verificad", "se ha verificado", "ha sido confirmad",
				"fue confirmad", "se ha confirmado", "verificada correctamente", "verificado correctamente",
				"verificado con éxito", "ha sido activad", "fue activad", "se ha activado",
				"está ahora confirmad", "cuenta está ahora activa",
			},
		}},
	{name: "Italian", unless: strings.Fields("se quando dopo volta finché prima salvo meno " +
		"assicurati assicurarsi forse"),
		denies: strings.Fields("verifica verificate conferma confermate controlla"),
		phrases: map[Outcome][]string{
			OutcomeUsed: {"già stato utilizzato", "già stato usato", "una sola volta"},
			OutcomeAlready: {
				"già stato verificato", "già verificat", "già stato confermato", "già confermat",
				"già stata verificata", "già stata confermata",
				"già attivo",
			},
			OutcomeExpired: {"è scaduto", "non è più valido"},
			OutcomeRefused: {
				"non è stato possibile verificare", "impossibile verificare", "impossibile confermare",
				"link non è valido",
				"link non valido",
			},
			OutcomeConfirmed: {
				"è stato verificato", "è stata verificata", "è stato confermato", "è stata confermata",
				"verificato con successo", "verificata con successo", "è stato attivato",
				"è stato correttamente confermato", "è stata correttamente confermata",
				"è stato correttamente verificato", "è stata correttamente verificata",
				"account è confermato", "account è ora attivo",
			},
		}},
	{name: "Portuguese", unless: strings.Fields("confirme confira " +
		"se quando após vez até antes salvo menos " +
		"certifique assegure verifique talvez"),
		phrases: map[Outcome][]string{
			OutcomeUsed: {"já foi utilizado", "já foi usado", "usado apenas uma vez"},
			OutcomeAlready: {
				"já foi verificad", "já está verificad", "já foi confirmad", "já está confirmad",
				"já está ativ",
			},
			OutcomeExpired: {"expirou", "está expirado", "não é mais válido"},
			OutcomeRefused: {
				"não foi possível verificar", "não pôde ser verificado", "link é inválido",
				"link inválido",
			},
			OutcomeConfirmed: {
				"foi verificad", "foi confirmad", "verificado com sucesso", "confirmado com sucesso",
				"está verificad", "está confirmad", "foi ativad", "ativado com sucesso",
				"ativada com sucesso",
			},
		}},
	{name: "Japanese", unless: []string{"もし", "おそらく"},
		after: []string{"ら", "後", "場合", "か", "こと", "と"},
		phrases: map[Outcome][]string{
			OutcomeUsed: {
				"すでに使用されています", "既に使用されています", "使用済みです",
			},
			OutcomeAlready: {
				"すでに確認されています", "既に確認されています",
				"すでに認証されています", "既に認証されています", "確認済みです",
				"認証済みです",
			},
			OutcomeExpired: {
				"有効期限が切れています", "有効期限が切れました", "期限切れです",
			},
			OutcomeRefused: {
				"確認できませんでした", "認証できませんでした",
				"リンクは無効です", "無効なリンクです",
			},
			OutcomeConfirmed: {
				"確認されました", "認証されました", "確認が完了しました",
				"認証が完了しました", "確認できました", "認証できました",
				"有効になりました", "有効化されました",
			},
		}},
	{name: "Russian", whole: true,
		unless: strings.Fields("подтвердите " +
			"если когда после пока чтобы убедитесь проверьте " +
			"возможно может"),
		phrases: map[Outcome][]string{
			OutcomeUsed: {
				"уже использован", "уже была использован",
				"можно использовать только один раз",
			},
			OutcomeAlready: {
				"уже подтвержден", "уже подтверждён", "уже подтверждена", "уже подтверждено",
				"уже был подтвержден", "уже был подтверждён", "уже была подтверждена",
				"уже активирован", "уже активирована",
			},
			OutcomeExpired: {
				"срок действия истек", "срок действия истёк",
				"ссылки истек", "ссылки истёк", "ссылка устарела",
				"больше не действительна",
			},
			OutcomeRefused: {
				"не удалось подтвердить", "ссылка недействительна",
				"недействительная ссылка", "неверная ссылка",
			},
			OutcomeConfirmed: {
				"успешно подтвержден", "успешно подтверждён", "успешно подтверждена",
				"успешно подтверждено", "был подтвержден", "был подтверждён", "была подтверждена",
				"адрес подтвержден", "адрес подтверждён", "почта подтверждена", "почты подтвержден",
				"почты подтверждён", "успешно активирован", "успешно активирована",
				"запись активирована", "запись подтверждена", "аккаунт активирован",
				"аккаунт подтвержден", "аккаунт подтверждён", "был активирован", "была активирована",
			},
		}},
	{name: "Ukrainian", whole: true,
		unless: strings.Fields("підтвердіть " +
			"якщо коли після поки щоб переконайтеся перевірте " +
			"можливо може"),
		phrases: map[Outcome][]string{
			OutcomeUsed: {
				"вже використан", "вже було використан",
				"можна використати лише один раз",
			},
			OutcomeAlready: {
				"вже підтверджено", "вже підтверджена", "вже підтверджений", "вже було підтверджено",
				"вже була підтверджена", "пошти вже перевірено", "вже активовано", "вже активований",
			},
			OutcomeExpired: {
				"термін дії минув", "термін дії закінчився",
				"посилання минув", "посилання закінчився",
				"посилання застаріло", "є застарілим", "більше не дійсне",
			},
			OutcomeRefused: {
				"не вдалося підтвердити", "посилання недійсне",
				"недійсне посилання", "неправильне посилання",
			},
			OutcomeConfirmed: {
				"успішно підтверджено", "успішно підтверджена", "успішно підтверджений",
				"було підтверджено", "була підтверджена", "пошти було перевірено", "адресу підтверджено",
				"пошту підтверджено",
				"пошта підтверджена", "обліковий запис підтверджено", "успішно активовано",
				"успішно активований", "запис активовано", "акаунт активовано", "акаунт підтверджено",
				"email підтверджено", "аккаунт підтверджено", "був активований", "було активовано",
			},
		}},
}, furtherLanguages)

package cases

import (
	"strings"

	"smsbridge/internal/limit"
	"smsbridge/internal/store/db"
	"smsbridge/internal/text"
	"smsbridge/internal/verification"
	"smsbridge/phonemail"
)

// unreached says why a text has not reached its phone, and what to do; "" when it has, or may have.
func unreached(t db.Text) (why, then string) {
	switch t.State {
	case text.Suppressed:
		return t.Error, remedy(t.Error)
	case text.Undelivered, text.Failed:
		return explained(t.Error), remedy(t.Error)
	case text.Due:
		return textWaits, "the log says what the providers respond"
	case text.Sending:
		return "the text is on its way to the provider", ""
	case text.Unclear:
		return "the provider's response got lost; the bridge asks it within a minute", ""
	}
	return "", ""
}

// explained adds to a provider's code what it means.
func explained(reason string) string {
	if meaning := text.Meaning(reason); meaning != "" {
		return reason + " (" + meaning + ")"
	}
	return reason
}

// remedy is what an operator can do about a reason, "" when it says so itself or nothing can be
// done.
func remedy(reason string) string {
	const (
		ofCountry = "smsbridge compliance COUNTRY says what is wanted there, and how texts go"
		ofSender  = "register the sender: smsbridge compliance COUNTRY"
	)
	remedies := []struct{ part, then string }{
		{text.OptedOutReason, "the person texts START to the sender, or you lift it: " +
			"smsbridge optout remove"},
		{string(limit.Held), "smsbridge release lets them go again"},
		{string(limit.Unanswered), "smsbridge limits shows the country; smsbridge release closes the " +
			"breaker"},
		{"limit:",
			"smsbridge limits shows what is full, and docs/SETTINGS.md has the settings of limits; " +
				"ask the person to start again later"},
		{phonemail.ErrCountry.Error(), "add the country to countries (SMSBRIDGE_COUNTRIES), and ask " +
			"the person to start again"},
		{phonemail.ErrType.Error(), "the number is not a mobile's: the person needs another one"},
		{"20003", "mend the credentials, restart, and ask the person to start again"},
		{"21610", "the person texts START to the sender"},
		{"21408", "allow the country in Twilio's console: Messaging, Settings, Geo permissions"},
		{"60605", "allow the country in Twilio's console: Verify, Settings, Geo permissions"},
		{"60223", "switch on texts in the Verify service, in Twilio's console"},
		{"30007", "register the sender or the content: smsbridge compliance COUNTRY"},
		{"30018", ofSender},
		{"30024", ofSender},
		{"30032", "have the number verified in Twilio's console"},
		{"30034", "register a campaign: smsbridge compliance US"},
		{string(verification.OptedOut), "the person texts START to the sender"},
		{"signed by",
			"smsbridge link FILE.eml says who signed a mail; add it to sender.domains if it is yours"},
		{"DKIM", "switch on DKIM at the identity provider, or at the service that sends its mails"},
		{"no question can be asked", ofCountry},
		{"cannot be passed on", ofCountry},
		{"link", "smsbridge link FILE.eml says which links a mail has, and what would allow one"},
	}
	for _, r := range remedies {
		if strings.Contains(reason, r.part) {
			return r.then
		}
	}
	return remedyAtTwilio(reason)
}

// remedyAtTwilio is what an operator can do at Twilio about what several of its codes say.
func remedyAtTwilio(reason string) string {
	for _, r := range []struct{ codes, then string }{
		{"10001 20005 20403 90010 30002",
			"Twilio's console says what it wants, such as funds; then ask the person to start again"},
		{"21212 21606 21659 21660 21661 21701 21705", "set TWILIO_FROM to a sender of the account, " +
			"restart, and ask the person to start again"},
		{"21702 21703 21704", "add a sender that texts the country to the Messaging Service, in " +
			"Twilio's console"},
		{"21608 30044 30454 63038", "upgrade the account in Twilio's console"},
		{"21611 30001 30036", "more senders send more at once: set TWILIO_FROM to a Messaging Service " +
			"with several of them; ask the person to start again"},
		{"30450 60410", "the block ends by itself, so ask the person to start again later; Twilio's " +
			"Global Safe List spares a number"},
		{"30453", "put the number on Twilio's Global Safe List if it is a person's"},
	} {
		for code := range strings.FieldsSeq(r.codes) {
			if strings.Contains(reason, code) {
				return r.then
			}
		}
	}
	return ""
}

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
	const ofCountry = "smsbridge compliance COUNTRY says what is wanted there, and how texts go"
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
		{"30007", "register the sender or the content: smsbridge compliance COUNTRY"},
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
	return ""
}

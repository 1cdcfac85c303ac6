package text

import (
	"maps"
	"strings"
)

// Meaning says in words what a reason with a provider's code means, "" when it has none that is
// known.
//
// Source: https://www.twilio.com/docs/api/errors
func Meaning(reason string) string {
	const (
		inactive = "the account is suspended, or has no funds: Twilio's console says which"
		sender   = "the sender (TWILIO_FROM) is not the account's, or cannot text this number"
		service  = "the account has no such Messaging Service (TWILIO_FROM)"
		closed   = "the account may not text this country"
	)
	meanings := map[string]string{
		"10001": inactive, "20005": inactive, "20403": inactive, "90010": inactive,
		"20003": "the account SID and the auth token do not fit (TWILIO_ACCOUNT_SID, " +
			"TWILIO_AUTH_TOKEN), or the account is suspended",
		"20404": "Twilio does not know the account or its Verify service (TWILIO_VERIFY_SERVICE_SID)",
		"21211": "Twilio takes the number for none",
		"20429": "too many requests at once, or a rate limit of the Verify service",
		"21212": sender, "21606": sender, "21659": sender, "21660": sender, "21661": sender,
		"21701": service, "21705": service,
		"21408": closed, "60605": closed,
		"21608": "a trial account texts only numbers that were verified",
		"21610": "Twilio says that the phone has sent STOP to this sender",
		"21612": "this sender cannot reach the number",
		"21614": "the number is not a mobile",
		"21635": "the number is a landline",
		"21702": "the Messaging Service cannot send now",
		"21703": "no sender of the Messaging Service reaches the number",
		"21704": "the Messaging Service has no sender",
		"60203": "Verify has sent five codes that nobody entered: it sends another ten minutes later",
		"60205": "the number is a landline",
		"60220": "Verify texts China only for accounts that Twilio vetted for it",
		"60223": "the Verify service does not send texts",
		"60238": "Verify does not text there, or Twilio reviews the account",
		"60410": "Verify's Fraud Guard blocks numbers that begin like this one, for twelve hours",
	}
	maps.Copy(meanings, undelivered())
	for code, meaning := range meanings {
		if strings.Contains(reason, code) {
			return meaning
		}
	}
	return ""
}

// undelivered are the codes of Twilio's reports on texts that it had taken.
func undelivered() map[string]string {
	const trial = "a trial account sends no text so long, or no more of them"
	return map[string]string{
		"30001": "Twilio's queue overflowed",
		"30002": "the account is suspended",
		"30003": "the phone is off, or out of reach",
		"30004": "the phone's operator, or the person, blocks these texts",
		"30005": "the number is not in use",
		"30006": "the number is a landline, or its operator cannot be reached",
		"30007": "the operator filtered the text as unwanted",
		"30008": "the operator gave no reason",
		"30018": "the country wants senders to be registered",
		"30022": "too many texts at once for the campaign (10DLC), or for the phone",
		"30023": "the operator takes no more texts of the campaign today (10DLC)",
		"30024": "the operator does not know the sender",
		"30032": "the toll-free number is not verified",
		"30033": "the campaign is suspended (10DLC)",
		"30034": "the number is not registered for texts to the US (10DLC)",
		"30035": "the number's registration for texts to the US (10DLC) is under way",
		"30036": "the text waited at Twilio until its time was over",
		"30044": trial, "30454": trial, "63038": trial,
		"30410": "the operator did not respond in time",
		"30450": "Twilio's guard against SMS pumping blocks the number for half an hour",
		"30453": "Twilio takes texts to the number for a fraud",
		"30500": "Twilio had a failure of its own",
	}
}

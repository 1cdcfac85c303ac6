package text

import "strings"

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
		"20003": "the account SID and the auth token do not fit (TWILIO_ACCOUNT_SID, TWILIO_AUTH_TOKEN)",
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
		"30001": "Twilio's queue overflowed",
		"30002": "the account is suspended",
		"30003": "the phone is off, or out of reach",
		"30004": "the phone's operator, or the person, blocks these texts",
		"30005": "the number is not in use",
		"30006": "the number is a landline, or its operator cannot be reached",
		"30007": "the operator filtered the text as unwanted",
		"30008": "the operator gave no reason",
		"30034": "the number is not registered for texts to the US (10DLC)",
		"60203": "Verify has sent five codes that nobody entered: it sends another ten minutes later",
		"60410": "Verify's Fraud Guard blocks numbers that begin like this one, for twelve hours",
	}
	for code, meaning := range meanings {
		if strings.Contains(reason, code) {
			return meaning
		}
	}
	return ""
}

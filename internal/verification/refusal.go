package verification

// TwilioReason is why Twilio sends no text, by its code
// (https://www.twilio.com/docs/api/errors).
func TwilioReason(code string) Reason {
	switch code {
	case "21211", "21217":
		return NumberInvalid
	// No route, no mobile phone, landline, no sender of the Messaging Service reaches the number.
	case "21612", "21614", "21635", "21703":
		return NumberUnreachable
	// Region not enabled, premium rate, guard against SMS pumping, guard against fraud
	// (https://www.twilio.com/docs/usage/global-safe-list).
	case "21408", "21268", "30450", "30453":
		return NotPermitted
	case "21610":
		return OptedOut
	}
	return ProviderRefused
}

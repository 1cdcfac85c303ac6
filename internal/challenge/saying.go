package challenge

import "smsbridge/internal/wording"

// Saying is what a phone is told about the outcome of a click, by linkclick's word for it. Whatever is not clearly something else is told as
// unknown.
func Saying(p Purpose, outcome string) wording.Saying {
	switch outcome {
	case "confirmed":
		if p == Password {
			return wording.ConfirmedPassword
		}
		return wording.ConfirmedRegistration
	case "already":
		return wording.Already
	case "used":
		return wording.Used
	case "expired":
		return wording.LinkExpired
	case "needs_user":
		return wording.NeedsUser
	case "refused":
		return wording.Refused
	case "unreachable":
		return wording.Unreachable
	}
	return wording.Unknown
}

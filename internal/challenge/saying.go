package challenge

import "smsbridge/internal/tenant"

// Saying is what a phone is told about the outcome of a click, by linkclick's word for it. Whatever is not clearly something else is told as
// unknown.
func Saying(p Purpose, outcome string) tenant.Saying {
	switch outcome {
	case "confirmed":
		if p == Password {
			return tenant.ConfirmedPassword
		}
		return tenant.ConfirmedRegistration
	case "already":
		return tenant.Already
	case "used":
		return tenant.Used
	case "expired":
		return tenant.LinkExpired
	case "needs_user":
		return tenant.NeedsUser
	case "refused":
		return tenant.Refused
	case "unreachable":
		return tenant.Unreachable
	}
	return tenant.Unknown
}

package challenge

import "smsbridge/internal/tenant"

// Outcome is what the click on a challenge's link came to. The words are linkclick's, which a rule
// must not import; a test in outbound fails when linkclick has one that is missing here.
type Outcome string

// The outcomes of a click.
const (
	OutcomeConfirmed   Outcome = "confirmed"   // this click did it
	OutcomeAlready     Outcome = "already"     // it had been done before
	OutcomeUsed        Outcome = "used"        // the link had been used before; by whom is not said
	OutcomeExpired     Outcome = "expired"     // the link is too old
	OutcomeNeedsUser   Outcome = "needs_user"  // the page wants something only a person can give
	OutcomeRefused     Outcome = "refused"     // the identity provider does not accept the link
	OutcomeUnreachable Outcome = "unreachable" // no request was sent
	OutcomeUnknown     Outcome = "unknown"     // a request may have been sent; its result is unclear
)

// Saying is what a phone is told about an outcome. An outcome that is not here is told as unknown.
func Saying(p Purpose, o Outcome) tenant.Saying {
	switch o {
	case OutcomeConfirmed:
		if p == Password {
			return tenant.ConfirmedPassword
		}
		return tenant.ConfirmedRegistration
	case OutcomeAlready:
		return tenant.Already
	case OutcomeUsed:
		return tenant.Used
	case OutcomeExpired:
		return tenant.LinkExpired
	case OutcomeNeedsUser:
		return tenant.NeedsUser
	case OutcomeRefused:
		return tenant.Refused
	case OutcomeUnreachable:
		return tenant.Unreachable
	}
	return tenant.Unknown
}

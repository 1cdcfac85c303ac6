package linkclick

// This file names how a click may end, and why. Judging reads what a host answered and connects
// to nothing.

// Outcome is how a click ended, as far as the identity provider said.
type Outcome string

// The outcomes. Only confirmed, unapproved and already mean that the address is verified.
const (
	OutcomeConfirmed   Outcome = "confirmed"   // this click did it
	OutcomeUnapproved  Outcome = "unapproved"  // it did it, but the account may need approval
	OutcomeAlready     Outcome = "already"     // it had been done before
	OutcomeUsed        Outcome = "used"        // the link had been used before; by whom is not said
	OutcomeExpired     Outcome = "expired"     // the link is too old
	OutcomeNeedsUser   Outcome = "needs_user"  // the page wants something only a person can give
	OutcomeRefused     Outcome = "refused"     // the provider does not accept the link
	OutcomeUnreachable Outcome = "unreachable" // no request was sent
	OutcomeUnknown     Outcome = "unknown"     // perhaps sent, and nothing clear came back
)

// outcomeChanged is what words say of a password that was changed. A click for a reset mail takes
// it for confirmed, and any other click learns nothing from it.
const outcomeChanged = Outcome("changed")

// succeeds reports whether an outcome says that what the mail asked for is done.
func succeeds(o Outcome) bool {
	switch o {
	case OutcomeConfirmed, OutcomeUnapproved, OutcomeAlready, outcomeChanged:
		return true
	}
	return false
}

// Why a click ended as it did. These are the only values of Result.Reason.
const (
	ReasonRedirect       = "the redirect said so"
	ReasonPage           = "the page said so"
	ReasonStatus         = "the status said so"
	ReasonWantsInput     = "the page asks for input"
	ReasonWantsBrowser   = "the page needs a browser"
	ReasonLinkForbidden  = "the link rule forbids the link"
	ReasonAddress        = "the host has an address that is not allowed"
	ReasonConnect        = "the host could not be reached"
	ReasonNoAnswer       = "the connection broke before the response was complete"
	ReasonTimeout        = "the response took too long"
	ReasonLeft           = "a redirect left the link rule and said nothing"
	ReasonBadRedirect    = "a redirect could not be followed"
	ReasonLoop           = "redirects went in a circle"
	ReasonTooManySteps   = "too many steps"
	ReasonServerError    = "the host reported an error of its own"
	ReasonNothingClear   = "the page said nothing clear"
	ReasonUnreadable     = "the page is too large or not text"
	ReasonSubmitRefused  = "submitting the form was not permitted"
	ReasonSecondQuestion = "the page asked again after its form was submitted"
	ReasonAPI            = "the response of the API said so"
	ReasonRecipe         = "the link cannot be redeemed by the recipe"
	ReasonTracking       = "the tracking link led nowhere"
)

// Result is what a click came to. It holds nothing secret but GoOn, which is for the person alone.
type Result struct {
	Outcome Outcome
	Reason  string // one of the Reason constants above, or ReasonOtherKind
	// Sent reports that a connection to the host was made, so a request may have reached it and
	// clicking again is not free.
	Sent  bool
	Steps []Step
	// GoOn is the link that the person may be given to finish what the click did not, "" if there is
	// none. It is not always the link that was clicked, and never one that only tracks. Secret.
	GoOn string
}

// Succeeded reports whether the address is verified.
func (r Result) Succeeded() bool { return succeeds(r.Outcome) }

// Step is one request of a click.
type Step struct {
	Method string // GET or POST
	Host   string // with the port if it is not the scheme's own
	Status int    // 0 if no response came
}

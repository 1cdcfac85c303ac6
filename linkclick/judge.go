package linkclick

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
)

// This file judges how a click ended, from the parameters of a redirect and
// from the words, ids and status of a page.

// Outcome is how a click ended, as far as the identity provider said.
type Outcome string

// The outcomes. Only confirmed and already mean that the address is verified.
const (
	OutcomeConfirmed   Outcome = "confirmed"   // this click did it
	OutcomeAlready     Outcome = "already"     // it had been done before
	OutcomeUsed        Outcome = "used"        // the link had been used before; by whom is not said
	OutcomeExpired     Outcome = "expired"     // the link is too old
	OutcomeNeedsUser   Outcome = "needs_user"  // the page wants something only a person can give
	OutcomeRefused     Outcome = "refused"     // the provider does not accept the link
	OutcomeUnreachable Outcome = "unreachable" // no request was sent
	OutcomeUnknown     Outcome = "unknown"     // a request may have been sent and nothing clear came back
)

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
	ReasonNoAnswer       = "the connection broke before the answer was complete"
	ReasonTimeout        = "the answer took too long"
	ReasonLeft           = "a redirect left the link rule and said nothing"
	ReasonBadRedirect    = "a redirect could not be followed"
	ReasonLoop           = "redirects went in a circle"
	ReasonTooManySteps   = "too many steps"
	ReasonServerError    = "the host reported an error of its own"
	ReasonNothingClear   = "the page said nothing clear"
	ReasonUnreadable     = "the page is too large or not text"
	ReasonSubmitRefused  = "submitting the form was not permitted"
	ReasonSecondQuestion = "the page asked again after its form was submitted"
	ReasonAPI            = "the answer of the API said so"
	ReasonRecipe         = "the link cannot be redeemed by the recipe"
	ReasonTracking       = "the tracking link led nowhere"
)

// Result is what a click came to. It holds nothing secret.
type Result struct {
	Outcome Outcome
	Reason  string // one of the Reason constants above, or ReasonOtherKind
	// Sent reports that a connection to the host was made, so a request may
	// have reached it and clicking again is not free.
	Sent  bool
	Steps []Step
}

// Step is one request of a click.
type Step struct {
	Method string // GET or POST
	Host   string // with the port if it is not the scheme's own
	Status int    // 0 if no answer came
}

// verdict is a query or fragment parameter of a redirect that tells the end.
type verdict struct {
	provider string // only for links of this provider's shape; empty for all
	name     string
	value    string // compared without case; "*" for any
	outcome  Outcome
	offRule  bool // means this only on a redirect out of the link rule
}

// verdicts is read from the top, so a failure outweighs a success: the
// address redirected to may have brought parameters of its own. Sources:
// Auth0, customize-email-templates, "Redirect To"; supabase/auth and
// nhost/hasura-auth redirect errors; Clerk, "email links"; Better Auth, email
// verification; RFC 6749 section 4.1.2.1 for "error".
var verdicts = []verdict{
	{"", "error_code", "otp_expired", OutcomeExpired, false},
	{"", "error", "token_expired", OutcomeExpired, false},
	{"", "error", "invalid_token", OutcomeRefused, false},
	{"", "error", "user_not_found", OutcomeRefused, false},
	{"", "success", "false", OutcomeRefused, false},
	{"", "__clerk_status", "expired", OutcomeExpired, false},
	{"", "__clerk_status", "failed", OutcomeRefused, false},
	{"", "__clerk_status", "client_mismatch", OutcomeNeedsUser, false},
	{"gotrue", "error", "*", OutcomeRefused, false},
	{"hasura", "error", "*", OutcomeRefused, false},
	{"betterauth", "error", "*", OutcomeRefused, false},
	{"", "error_code", "*", OutcomeRefused, true},
	{"", "error", "*", OutcomeRefused, true},
	{"", "success", "true", OutcomeConfirmed, false},
	{"", "__clerk_status", "verified", OutcomeConfirmed, false},
	{"", "code", "success", OutcomeConfirmed, false},
	{"gotrue", "access_token", "*", OutcomeConfirmed, false},
	{"gotrue", "code", "*", OutcomeConfirmed, false},
	{"hasura", "refreshToken", "*", OutcomeConfirmed, false},
}

// sentences are the parameters that carry words for the reader.
var sentences = []string{"message", "error_description", "errorDescription"}

// judgeRedirect judges by the parameters of the address redirected to, of
// which it keeps nothing.
func judgeRedirect(to *url.URL, provider string, inRule bool) Outcome {
	params := to.Query()
	fragment := to.EscapedFragment()
	fragment = fragment[strings.IndexByte(fragment, '?')+1:] // "#/route?success=true"
	if more, err := url.ParseQuery(fragment); err == nil {
		for name, values := range more {
			params[name] = append(params[name], values...)
		}
	}
	outcome := OutcomeUnknown
	for _, v := range verdicts {
		if (v.provider == "" || v.provider == provider) && !(v.offRule && inRule) && v.in(params) {
			outcome = v.outcome
			break
		}
	}
	for _, name := range sentences {
		if said := judgeWords(strings.Join(params[name], "\n"), true); said != OutcomeUnknown {
			return soften(outcome, said)
		}
	}
	return outcome
}

// signedIn reports whether a redirect that carries no word of its own is how a
// provider ends a verification, by where it leads or by the name of the cookie
// that comes with it.
func (k *click) signedIn(a answer, to *url.URL) bool {
	switch {
	case k.posted || a.to.String() != k.link.String():
		return false
	case k.shape.provider == "betterauth":
		// Redirects to callbackURL, with an error parameter if it failed.
		back, err := a.to.Parse(k.link.Query().Get("callbackURL"))
		return err == nil && sameOrigin(back, to) && strings.TrimSuffix(back.Path, "/") == strings.TrimSuffix(to.Path, "/")
	case k.shape.provider == "gotrue":
		// A server-side site keeps its session in sb-PROJECT-auth-token, in pieces
		// ".0", ".1" if it is long (github.com/supabase/ssr).
		return slices.ContainsFunc(a.cookies, func(name string) bool {
			name, _, _ = strings.Cut(name, ".")
			return strings.HasPrefix(name, "sb-") && strings.HasSuffix(name, "-auth-token")
		})
	}
	return false
}

func (v verdict) in(params url.Values) bool {
	for _, value := range params[v.name] {
		if value != "" && (v.value == "*" || strings.EqualFold(v.value, value)) {
			return true
		}
	}
	return false
}

// soften makes the outcome of a parameter more exact by the words beside it.
// Words alone do not turn a failure into a success or back.
func soften(outcome, said Outcome) Outcome {
	switch {
	case outcome == OutcomeUnknown, said == OutcomeAlready, said == OutcomeUsed && outcome == OutcomeRefused,
		said == OutcomeExpired && outcome == OutcomeRefused:
		return said
	}
	return outcome
}

// judgePage judges an answer that is not a redirect. A page that says nothing
// is unknown, whatever its status.
func judgePage(p page, status int, proceeded bool) (Outcome, string) {
	good := status >= 200 && status < 300
	if said := judgeWords(p.text, good); said != OutcomeUnknown {
		return said, ReasonPage
	}
	// Keycloak's theme, whose words depend on the realm's language: an info
	// page after "proceed" reports success, an error page is marked as such.
	if p.ids["kc-error-message"] {
		return OutcomeRefused, ReasonPage
	}
	if good && proceeded && p.ids["kc-info-message"] {
		return OutcomeConfirmed, ReasonPage
	}
	switch {
	case status == http.StatusNotFound, status == http.StatusGone, status == http.StatusBadRequest:
		return OutcomeRefused, ReasonStatus
	case status >= 500:
		return OutcomeUnknown, ReasonServerError
	}
	return OutcomeUnknown, ReasonNothingClear
}

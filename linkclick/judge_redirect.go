package linkclick

import (
	"net/url"
	"strings"
)

// This file judges a redirect by its parameters.

// verdict is a query or fragment parameter of a redirect that tells the end.
type verdict struct {
	turn     turn
	name     string
	value    string // compared without case; "*" for any
	outcome  Outcome
	own      bool      // counts only for links of the provider, else for every link
	provider *provider // set by learn; nil for a generic verdict
}

// turn is when a verdict is looked for. A failure outweighs a success, since the address
// redirected to may have brought parameters of its own. Providers that share a turn say the same
// outcome in it, so their order does not matter.
type turn int

const (
	turnWhy     turn = iota // says why it failed
	turnFailed              // says that it failed
	turnStatus              // a status by a name of the provider's own
	turnError               // any error, for links of the provider
	turnLeaving             // any error, on a redirect out of the link rule
	turnSuccess
)

// genericVerdicts belong to no provider (RFC 6749 section 4.1.2.1).
var genericVerdicts = []verdict{
	{turn: turnLeaving, name: "error_code", value: "*", outcome: OutcomeRefused},
	{turn: turnLeaving, name: "error", value: "*", outcome: OutcomeRefused},
}

// sentences are the parameters that carry words for the reader.
var sentences = []string{"message", "error_description", "errorDescription"}

// judgeRedirect judges by the parameters of the address redirected to, of which it keeps nothing.
// The provider is that of the link; nil if it is not known.
func judgeRedirect(to *url.URL, of *provider, inRule bool) Outcome {
	params := to.Query()
	fragment := to.EscapedFragment()
	fragment = fragment[strings.IndexByte(fragment, '?')+1:] // "#/route?success=true"
	if more, err := url.ParseQuery(fragment); err == nil {
		for name, values := range more {
			params[name] = append(params[name], values...)
		}
	}
	outcome := OutcomeUnknown
	for _, v := range known.verdicts {
		if (v.turn != turnLeaving || !inRule) && (!v.own || v.provider == of) && v.in(params) {
			outcome = v.outcome
			break
		}
	}
	for _, name := range sentences {
		said := judgeWords(strings.Join(params[name], "\n"), true)
		if said != OutcomeUnknown {
			return soften(outcome, said)
		}
	}
	return outcome
}

func (v verdict) in(params url.Values) bool {
	for _, value := range params[v.name] {
		if value != "" && (v.value == "*" || strings.EqualFold(v.value, value)) {
			return true
		}
	}
	return false
}

// soften makes the outcome of a parameter more exact by the words beside it. Words alone do not
// turn a failure into a success or back.
func soften(outcome, said Outcome) Outcome {
	switch {
	case outcome == OutcomeUnknown, said == OutcomeAlready:
		return said
	case outcome == OutcomeRefused && (said == OutcomeUsed || said == OutcomeExpired):
		return said
	}
	return outcome
}

// provesSuccess reports whether a redirect that carries no word of its own is how the provider of
// the link ends a verification.
func (k *click) provesSuccess(a response, to *url.URL) bool {
	if k.posted || a.to.String() != k.link.String() {
		return false
	}
	p := k.shape.provider
	return p != nil && p.proves != nil && p.proves(k.link, a, to)
}

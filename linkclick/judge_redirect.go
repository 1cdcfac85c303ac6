package linkclick

import (
	"net/url"
	"slices"
	"strings"
)

// This file judges a redirect by its parameters.

// verdict is a query or fragment parameter of a redirect that tells the end.
type verdict struct {
	turn    turn
	name    string
	value   string // compared without case; "*" for any
	outcome Outcome
	// own is a failure that counts only for links of the provider. A success always does.
	own      bool
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

// judgeRedirect judges the redirect to an address by its parameters, of which it keeps nothing.
//
// A redirect tells of success only as the response to the link itself or to a step of its recipe.
// Only the parameters of the link's own provider count. It must lead where that provider sends
// people: to a host of the rule, or to the address that the link names in the provider's own
// parameter. If the link names none, the operator has set the address at the provider, and it may
// be on any host; then the sentence counts, if the provider has one. A parameter that stands in
// the link already is an echo, and a host that the link names elsewhere was chosen by its author.
func (k *click) judgeRedirect(a response, to *url.URL, inRule bool) Outcome {
	said := judgeRedirect(to, k.shape.provider, inRule)
	if !succeeds(said) {
		return said
	}
	if !a.own || !k.leadsHome(to, inRule) {
		return OutcomeUnknown
	}
	if k.Kind == KindReset { // the parameters do not tell whether a password was changed
		return k.hear(sentence(parameters(to)), true)
	}
	return unlessAwaited(said, k.statements(sentence(parameters(to))))
}

// leadsHome reports whether a redirect leads where the provider of the link sends people.
func (k *click) leadsHome(to *url.URL, inRule bool) bool {
	p := k.shape.provider
	link, params := parameters(k.link), parameters(to)
	for name, values := range link {
		for _, value := range values {
			if p.echoes(value, params) || name != p.back && namesHost(value, to) {
				return false
			}
		}
	}
	if named := link.Get(p.back); p.back != "" && named != "" && !inRule {
		back, err := k.link.Parse(named)
		return err == nil && sameOrigin(back, to)
	}
	return inRule || !p.worded || succeeds(k.hear(sentence(params), true))
}

// echoes reports whether a value of the link writes one of the provider's parameters of success
// that a redirect has.
func (p *provider) echoes(value string, params url.Values) bool {
	value = unescaped(value)
	return slices.ContainsFunc(p.verdicts, func(v verdict) bool {
		return v.turn == turnSuccess && v.in(params) && strings.Contains(value, v.name+"=")
	})
}

func namesHost(value string, to *url.URL) bool {
	host := strings.ToLower(to.Hostname())
	return host != "" && strings.Contains(strings.ToLower(unescaped(value)), host)
}

// unescaped undoes what a parameter inside a parameter is wrapped in.
func unescaped(value string) string {
	for range 3 {
		plain, err := url.QueryUnescape(value)
		if err != nil || plain == value {
			break
		}
		value = plain
	}
	return value
}

// parameters returns those of the query and of the fragment of an address. Behind a fragment with a
// route there may be a second one: "#/route#access_token=t".
func parameters(u *url.URL) url.Values {
	params := u.Query()
	fragment := u.EscapedFragment()
	parts := []string{fragment[strings.IndexByte(fragment, '?')+1:]} // "#/route?success=true"
	for _, part := range append(parts, strings.Split(u.RawFragment, "#")[1:]...) {
		if more, err := url.ParseQuery(part); err == nil {
			for name, values := range more {
				params[name] = append(params[name], values...)
			}
		}
	}
	return params
}

// sentence returns what parameters say to the reader.
func sentence(params url.Values) string {
	var said []string
	for _, name := range sentences {
		said = append(said, params[name]...)
	}
	return strings.Join(said, "\n")
}

// judgeRedirect reads the parameters of a redirect as the provider of the link means them. The
// provider is nil if it is not known; then nothing tells of success.
func judgeRedirect(to *url.URL, of *provider, inRule bool) Outcome {
	params := parameters(to)
	outcome, own := OutcomeUnknown, false
	for _, v := range known().verdicts {
		mine := v.provider == of && of != nil
		foreign := v.own || succeeds(v.outcome)
		if (v.turn != turnLeaving || !inRule) && (mine || !foreign) && v.in(params) {
			outcome, own = v.outcome, mine
			break
		}
	}
	return outcome.beside(judgeWords(sentence(params), true), own)
}

func (v verdict) in(params url.Values) bool {
	for _, value := range params[v.name] {
		if value != "" && (v.value == "*" || strings.EqualFold(v.value, value)) {
			return true
		}
	}
	return false
}

// beside makes the outcome of a parameter more exact by the words beside it. Words alone tell of
// no success. Only a provider's own failure may be explained as a success of before.
func (o Outcome) beside(said Outcome, own bool) Outcome {
	switch {
	case said == OutcomeUnknown, said == OutcomeConfirmed:
	case said == OutcomeAlready:
		if own {
			return said
		}
	case o == OutcomeConfirmed:
		return OutcomeUnknown // they contradict each other
	case o == OutcomeUnknown, o == OutcomeRefused:
		return said
	}
	return o
}

// provesSuccess reports whether a redirect that carries no word of its own is how the provider of
// the link ends a verification. After a reset link it proves nothing: it leads to the page where
// the password is chosen.
func (k *click) provesSuccess(a response, to *url.URL) bool {
	if k.Kind == KindReset || k.posted || a.to.String() != k.link.String() {
		return false
	}
	p := k.shape.provider
	return p != nil && p.proves != nil && p.proves(k.link, a, to)
}

package linkclick

import (
	"cmp"
	"context"
	"errors"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// Clicker redeems links for one tenant. Rule must be set; the zero value of every other field
// means a default. A Clicker keeps nothing between clicks, and several goroutines may use it.
type Clicker struct {
	Rule Rule
	// Kind is that of the mail: KindVerify, or KindReset for a link that activates a password which
	// was chosen before. Empty means KindVerify. A page that speaks of the one proves nothing about
	// the other.
	Kind    Kind
	Timeout time.Duration // for a whole click; 10 s if zero
	// HeaderTimeout is for connecting, for TLS and for the header of each response, one after
	// another; 5 s if zero.
	HeaderTimeout time.Duration
	MaxSteps      int   // requests in a click; 6 if zero
	MaxBody       int64 // bytes read of a response; 256 KiB if zero
	// UserAgent is that of a current browser if empty: some providers turn away programs.
	UserAgent string

	testOnly testOnly
}

// click is one click in progress.
type click struct {
	*Clicker
	submit    func() error
	link      *url.URL // the provider's, not the tracking link that led to it
	shape     shape    // of link
	recipe    string
	take      func(response) request // what the recipe makes of the next response
	jars      jars
	visited   map[string]bool // GETs since the last POST
	posted    bool
	proceeded bool
	result    Result
}

// request is what a click does next. response is what the host answered.
type request struct {
	to     *url.URL
	form   url.Values // posted the way a browser sends a form
	json   []byte     // posted as JSON
	api    bool       // a program asks: JSON is wanted
	own    bool       // of the link itself, or of a form or "proceed" link on its page
	header http.Header
}

func (r request) isPost() bool { return r.form != nil || r.json != nil }

type response struct {
	request
	status   int
	location string
	cookies  []string // names of those that were set to something
	body     string
	isHTML   bool
	isJSON   bool
	whole    bool // the body was read to its end
}

func (a response) isRedirect() bool { return a.status >= 300 && a.status < 400 && a.location != "" }

// Click redeems link as the person's browser would and says how it ended. The rule or the shape
// of the link decides on the recipe. Click sends GET and never HEAD, and follows redirects inside
// the rule. It makes at most one POST: the form of hidden fields that a known shape leads to, the
// call of an API or the step of a flow. It follows at most one "proceed" anchor. It retries
// nothing; the caller may click again as long as Result.Sent is false. Cookies live as long as the
// click and go back only to the origin that set them.
//
// Click calls submit once, right before it posts. If submit returns an error, Click posts nothing
// and the outcome is unknown. submit may be nil.
//
// Click does not open a link whose shape says that it signs in, invites or changes an address. Nor
// does it open one on whose page the person must do something, whatever the rule says. Both end as
// needs_user. Click returns when the outcome is clear, when the timeout or a limit is reached, or
// when ctx is done.
func (c *Clicker) Click(ctx context.Context, link string, submit func() error) Result {
	to, wrapped, why := c.Rule.judgeLink(link)
	if why != "" {
		return Result{Outcome: OutcomeUnreachable, Reason: ReasonLinkForbidden}
	}
	ctx, cancel := context.WithTimeout(ctx, cmp.Or(c.Timeout, 10*time.Second))
	defer cancel()
	k := &click{Clicker: c, submit: submit, jars: jars{}, visited: map[string]bool{}}
	next := request{to: to}
	if wrapped {
		k.take = k.unwrap
	} else {
		next = k.begin(to)
	}
	if k.result.Outcome == "" {
		k.run(ctx, next)
	}
	return k.result
}

// begin starts the recipe of a link.
func (k *click) begin(link *url.URL) request {
	k.link, k.shape = link, shapeOf(link)
	k.recipe = k.Rule.recipe(k.shape)
	k.result.GoOn = k.goOn()
	k.take = k.browse
	switch {
	case !k.mayOpen():
		return k.end(OutcomeNeedsUser, ReasonOtherKind)
	case k.recipe == RecipeUser:
		return k.end(OutcomeNeedsUser, ReasonWantsInput)
	case k.recipe == RecipeScript:
		return k.end(OutcomeNeedsUser, ReasonWantsBrowser)
	}
	next, ok := request{to: link, own: true}, true
	if own := known().recipe(k.recipe).redeemer; own != nil {
		next, ok = own.start(k)
	}
	if !ok {
		return k.end(OutcomeNeedsUser, ReasonRecipe)
	}
	return next
}

// mayOpen reports whether the link's shape is of the kind of the mail. A password is activated
// only by a link of unknown shape, which the operator allowed, or by one that needs no page.
func (k *click) mayOpen() bool {
	if k.Kind == KindReset {
		return k.shape.provider == nil || k.shape.activatesPassword()
	}
	return k.shape.kind == KindVerify || k.shape.kind == ""
}

// unwrap follows a tracking link to the link for which it stands. That one must be a link that
// could have been in the mail itself. What the tracker says is not the identity provider's word.
func (k *click) unwrap(a response) request {
	if !a.isRedirect() {
		return k.end(OutcomeUnknown, ReasonTracking)
	}
	to, err := a.to.Parse(a.location)
	if err != nil {
		return k.end(OutcomeUnknown, ReasonBadRedirect)
	}
	next, wrapped, why := k.Rule.judgeLink(to.String())
	switch {
	case why != "" || hasBrowserTricks(a.location):
		return k.end(OutcomeUnknown, ReasonLeft)
	case wrapped && k.visited[next.String()]:
		return k.end(OutcomeUnknown, ReasonLoop)
	case wrapped:
		return request{to: next}
	case !k.Rule.mayBegin(next):
		return k.end(OutcomeUnknown, ReasonOtherKind)
	}
	return k.begin(next)
}

// hasBrowserTricks reports whether a browser reads a location otherwise than we do. To a browser
// a backslash is a slash, and a tab is nothing.
func hasBrowserTricks(location string) bool { return strings.ContainsAny(location, "\\\t") }

// run makes requests until one of them ends the click.
func (k *click) run(ctx context.Context, next request) {
	for range cmp.Or(k.MaxSteps, 6) {
		if next.isPost() {
			clear(k.visited) // after its form a page may lead back to itself
		} else {
			k.visited[next.to.String()] = true
		}
		a, err := k.send(ctx, next)
		if err != nil {
			k.fail(ctx, err)
			return
		}
		if next = k.take(a); k.result.Outcome != "" {
			return
		}
	}
	k.end(OutcomeUnknown, ReasonTooManySteps)
}

func (k *click) end(outcome Outcome, reason string) request {
	k.result.Outcome, k.result.Reason = outcome, reason
	return request{}
}

// fail ends the click on a failed request.
func (k *click) fail(ctx context.Context, err error) {
	outcome := OutcomeUnknown
	if !k.result.Sent {
		outcome = OutcomeUnreachable
	}
	var timeout interface{ Timeout() bool }
	switch {
	case errors.Is(err, errAddressNotAllowed):
		k.end(outcome, ReasonAddress)
	case errors.Is(err, errNotPermitted):
		k.end(OutcomeUnknown, ReasonSubmitRefused) // perhaps it was posted by an earlier click
	case ctx.Err() != nil, errors.As(err, &timeout) && timeout.Timeout():
		k.end(outcome, ReasonTimeout)
	case !k.result.Sent:
		k.end(outcome, ReasonConnect)
	default:
		k.end(outcome, ReasonNoAnswer)
	}
}

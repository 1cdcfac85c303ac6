package linkclick

import (
	"net/http"
	"net/url"
	"strings"
)

// This file redeems a link by what the host shows: redirects, forms and "proceed" links.

// browse goes by what the host shows, as the person would.
func (k *click) browse(a response) request {
	if a.isRedirect() {
		return k.redirected(a)
	}
	return k.shown(a)
}

// redirected judges a redirect. It follows one only if it says nothing and stays inside the rule.
func (k *click) redirected(a response) request {
	to, err := a.to.Parse(a.location)
	if err != nil {
		return k.end(OutcomeUnknown, ReasonBadRedirect)
	}
	next, why := k.Rule.judge(to.String())
	inRule := why == "" && !hasBrowserTricks(a.location)
	said := k.judgeRedirect(a, to, inRule)
	if said == OutcomeUnknown && k.provesSuccess(a, to) {
		said = OutcomeConfirmed
	}
	if said != OutcomeUnknown {
		return k.end(said, ReasonRedirect)
	}
	switch {
	case !inRule:
		return k.end(OutcomeUnknown, ReasonLeft)
	case a.isPost() && repeatsPost(a.status):
		return k.end(OutcomeUnknown, ReasonBadRedirect)
	case k.visited[next.String()] && len(a.cookies) == 0:
		return k.end(OutcomeUnknown, ReasonLoop)
	}
	return request{to: next, own: a.own && next.String() == k.link.String()}
}

// repeatsPost reports whether a redirect of this status wants the form to be posted again.
func repeatsPost(status int) bool {
	return status == http.StatusTemporaryRedirect || status == http.StatusPermanentRedirect
}

// shown judges a page. Words come before forms. A page that explains a failure often has a form
// that sends another mail, and a page that tells of success one for signing in.
func (k *click) shown(a response) request {
	var p page
	switch {
	case a.isHTML:
		p = readPage(a.body)
	case a.isJSON:
		fields := readFields(a)
		if k.Kind != KindReset && k.ownPage(a) && fields.confirms(k.shape.provider) {
			return k.end(unlessAwaited(OutcomeConfirmed, k.statements(fields.words())), ReasonPage)
		}
		p.text = fields.words()
	default:
		p.text = a.body
	}
	outcome, reason := k.judgePage(a, p)
	if outcome != OutcomeUnknown {
		return k.end(outcome, reason)
	}
	switch {
	case a.status != http.StatusOK:
		return k.end(outcome, reason)
	case !a.whole:
		return k.end(outcome, ReasonUnreadable)
	}
	if next, ok := k.formStep(a, p); ok {
		return next
	}
	if k.recipe == RecipeProceed && !k.proceeded {
		if to := p.proceed(a.to, strings.Fields(k.shape.query)); to != "" {
			if next, why := k.Rule.judge(to); why == "" {
				k.proceeded = true
				return request{to: next, own: a.own}
			}
		}
	}
	return k.end(outcome, reason)
}

// formStep decides what the POST forms of a page mean. ok is false if it has none. A form is
// posted only if the shape of the link has one, which must be the only one of the page. It must
// lead back to the link, or to the link without its secret. On a page of unknown shape a form of
// hidden fields may do anything, from a consent to the end of the account.
func (k *click) formStep(a response, p page) (next request, ok bool) {
	for _, f := range p.forms {
		if f.asks {
			return k.end(OutcomeNeedsUser, ReasonWantsInput), true
		}
	}
	switch {
	case len(p.forms) == 0:
		return request{}, false
	case k.shape.provider == nil || k.recipe != RecipeForm:
		return k.end(OutcomeNeedsUser, ReasonWantsInput), true
	case k.posted:
		return k.end(OutcomeUnknown, ReasonSecondQuestion), true
	case len(p.forms) > 1:
		return k.end(OutcomeNeedsUser, ReasonWantsInput), true
	}
	fields, simple := p.forms[0].submission()
	to, err := a.to.Parse(p.forms[0].action)
	if err != nil || !simple || !sameOrigin(to, a.to) || !k.leadsBack(to) {
		return k.end(OutcomeNeedsUser, ReasonWantsInput), true
	}
	target, why := k.Rule.judge(to.String())
	if why != "" {
		return k.end(OutcomeNeedsUser, ReasonWantsInput), true
	}
	return request{to: target, form: fields, own: a.own}, true
}

// leadsBack reports whether a form leads to the link, or to the link without its secret.
func (k *click) leadsBack(to *url.URL) bool {
	if !sameOrigin(to, k.link) {
		return false
	}
	path, action := strings.Trim(k.link.Path, "/"), strings.Trim(to.Path, "/")
	secret := k.shape.path[strings.LastIndexByte(k.shape.path, '/')+1:]
	if strings.HasPrefix(secret, "{") && action != "" &&
		action == path[:max(strings.LastIndexByte(path, '/'), 0)] {
		return true
	}
	return action == path
}

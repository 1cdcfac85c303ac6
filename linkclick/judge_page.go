package linkclick

import (
	"net/http"
	"net/url"
	"strings"
)

// This file judges a response that is not a redirect.
//
// Words of success are believed on the host of the link only. Another host of the rule may welcome
// every visitor with them. They are believed only if the address of the page does not hold them:
// many pages repeat a parameter, and the author of the mail chose those of the link.
//
// A link of unknown shape is believed on the same terms, since the operator named its host and its
// path. What stays is a page of that path that tells every visitor of a success. It ends as
// confirmed; only a known shape, or the proof of the provider's API, would know better.

// mark is an element of a page that tells the end, whatever language the page is in.
type mark struct {
	id        string // of the element
	outcome   Outcome
	proceeded bool      // counts only after the click followed a "proceed" link
	provider  *provider // set by learn
}

// judgePage judges by the words of a page, by its marks and by its status, in this order. A page
// that says nothing is unknown, whatever its status.
func (k *click) judgePage(a response, p page) (Outcome, string) {
	good := a.status >= 200 && a.status < 300
	statements := k.statements(p.text)
	if said := k.hearStatements(statements, good); said != OutcomeUnknown {
		if succeeds(said) && !k.ownPage(a) {
			return OutcomeUnknown, ReasonNothingClear
		}
		if succeeds(said) && k.Kind != KindReset {
			said = unlessAwaited(said, statements)
		}
		return said, ReasonPage
	}
	for _, m := range known().marks {
		possible := !succeeds(m.outcome) || good && k.Kind != KindReset && k.ownPage(a) &&
			m.provider == k.shape.provider
		if p.ids[m.id] && possible && (k.proceeded || !m.proceeded) {
			return m.outcome, ReasonPage
		}
	}
	switch {
	case a.status == http.StatusNotFound, a.status == http.StatusGone,
		a.status == http.StatusBadRequest,
		k.shape.provider != nil && k.shape.provider.refusal == a.status && sameOrigin(a.to, k.link):
		return OutcomeRefused, ReasonStatus
	case a.status >= 500:
		return OutcomeUnknown, ReasonServerError
	}
	return OutcomeUnknown, ReasonNothingClear
}

// ownPage reports whether a page is of the host of the link, and says what it says by itself.
func (k *click) ownPage(a response) bool {
	good := a.status >= 200 && a.status < 300
	return sameOrigin(a.to, k.link) && (good || k.shape.provider != nil) &&
		!k.tellsSuccess(a.to) && !k.tellsSuccess(k.link)
}

// tellsSuccess reports whether an address holds words of success.
func (k *click) tellsSuccess(u *url.URL) bool {
	lines := []string{u.Path, u.Fragment}
	for _, values := range parameters(u) {
		lines = append(lines, values...)
	}
	return succeeds(k.hear(strings.Join(lines, "\n"), true))
}

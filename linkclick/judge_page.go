package linkclick

import "net/http"

// This file judges a response that is not a redirect.

// mark is an element of a page that tells the end, whatever language the page is in.
type mark struct {
	id        string // of the element
	outcome   Outcome
	proceeded bool // counts only after the click followed a "proceed" link
}

// judgePage judges by the words of a page, by its marks and by its status, in this order. A page
// that says nothing is unknown, whatever its status.
func judgePage(p page, status int, proceeded bool) (Outcome, string) {
	good := status >= 200 && status < 300
	if said := judgeWords(p.text, good); said != OutcomeUnknown {
		return said, ReasonPage
	}
	for _, m := range known.marks {
		possible := good || m.outcome != OutcomeConfirmed
		if p.ids[m.id] && possible && (proceeded || !m.proceeded) {
			return m.outcome, ReasonPage
		}
	}
	switch {
	case status == http.StatusNotFound, status == http.StatusGone,
		status == http.StatusBadRequest:
		return OutcomeRefused, ReasonStatus
	case status >= 500:
		return OutcomeUnknown, ReasonServerError
	}
	return OutcomeUnknown, ReasonNothingClear
}

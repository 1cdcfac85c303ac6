package idp

import (
	"net/http"
	"strings"
)

// getRedirect returns what serves a link that a GET redeems and whose response is a redirect.
// The function target is given the application's address. It returns where to redirect, and the
// name of a session cookie to set, or "".
func getRedirect(
	status int, target func(app string, k *ticket, o outcome) (to, cookie string),
) linkHandler {
	return func(i *Server, w http.ResponseWriter, r *http.Request, k *ticket) {
		i.mu.Lock()
		app, o := i.app(), i.redeem(k)
		i.mu.Unlock()
		to, cookie := target(app, k, o)
		if cookie != "" {
			http.SetCookie(w, newCookie(cookie, randomText(64)))
		}
		http.Redirect(w, r, to, status)
	}
}

// addQuery adds parameters to a URL that may have a query and a fragment.
func addQuery(to, query string) string {
	to, fragment, hasFragment := strings.Cut(to, "#")
	separator := "?"
	if strings.Contains(to, "?") {
		separator = "&"
	}
	to += separator + query
	if hasFragment {
		to += "#" + fragment
	}
	return to
}

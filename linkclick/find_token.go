package linkclick

import (
	"net/url"
	"slices"
	"strings"
	"unicode"
)

// This file tells whether a link carries a secret. Without one it is the same in every
// mail, so that it does nothing for the reader of this one.

// minSecret is the length, in bytes, from which a parameter with a digit may be a secret.
const minSecret = 6

// carriesSecret reports whether u holds anything that could be the secret of one mail: in a
// parameter, in a segment of its path, or in its fragment.
func carriesSecret(u *url.URL) bool {
	for _, p := range parametersOf(u) {
		if !isCampaign(p.name) && !namesKnown(p.name) && looksDrawn(p.value, minSecret) {
			return true
		}
	}
	route, _, _ := strings.Cut(u.Fragment, "?")
	return slices.ContainsFunc(segmentsOf(u.Path+"/"+route), func(segment string) bool {
		return looksDrawn(segment, minID)
	})
}

// looksSecret reports whether s could have been drawn: it has a digit, or letters of both cases,
// and at least least bytes.
func looksSecret(s string, least int) bool {
	if len(s) < least || strings.ContainsAny(s, " /@") {
		return false
	}
	return strings.ContainsAny(s, "0123456789") || len(s) >= 2*least && hasLower(s) && hasUpper(s)
}

// How many letters a secret without a digit has at least: of letters of both cases, or of capitals
// alone. Of those with 12 letters and digits, one in seven has no digit.
const (
	drawnLetters  = 12
	drawnCapitals = 20
)

// looksDrawn reports whether s looks like a secret, or has letters alone that are no name.
func looksDrawn(s string, least int) bool {
	if looksSecret(s, least) {
		return true
	}
	enough := drawnLetters
	if !hasLower(s) {
		enough = drawnCapitals
	}
	return len(s) >= max(least, enough) && hasUpper(s) && !strings.ContainsAny(s, " /@") && !isNamed(s)
}

func hasLower(s string) bool { return strings.ContainsFunc(s, unicode.IsLower) }

func hasUpper(s string) bool { return strings.ContainsFunc(s, unicode.IsUpper) }

// isCampaign names the parameters that tell where a visitor came from or in which language, and
// nothing about the visitor.
func isCampaign(name string) bool {
	switch name {
	case "lang", "locale", "ui_locales", "hl", "ref", "source", "l", "theme":
		return true
	}
	return strings.HasPrefix(name, "utm_")
}

// namesKnown names the parameters whose values are known to others than the reader of the mail.
func namesKnown(name string) bool {
	switch bareName(name) {
	case "client_id", "clientid", "app", "app_id", "email", "login_hint", "loginname", "login_name",
		"org", "orgid", "org_id", "organization", "project", "realm", "tenant", "tenantid",
		"tenant_id", "redirect", "redirect_to", "redirect_uri", "redirect_url", "redirecturl",
		"return", "returnto", "return_to", "return_url", "callback", "callbackurl", "callback_url",
		"continue", "continueurl", "continue_url", "next", "state", "nonce", "scope", "response_type",
		"user", "userid", "user_id", "user_name", "username", "uid", "version", "v", "apikey":
		return true
	}
	return false
}

package linkclick

import (
	"net/url"
	"slices"
	"strings"

	"smsbridge/linkclick/linkpath"
)

// This file reads the paths that an operator allows, and writes the line that would allow a link.

// maxEntry bounds an entry that a mail teaches, in bytes. It is recorded and shown, and the mail's
// author chose its words.
const maxEntry = 200

// pathRule is one entry of [Rule].Paths.
type pathRule struct{ linkpath.Entry }

// readPath reads an entry of Rule.Paths. ok is false if it is not written like one, or if it would
// allow every link of a host.
func readPath(entry string) (p pathRule, ok bool) {
	e, err := linkpath.Parse(entry)
	return pathRule{e}, err == nil
}

func isLiteral(segment string) bool { return linkpath.IsLiteral(segment) }

func segmentsOf(path string) []string { return linkpath.Segments(path) }

// allowedBy returns the entry of Rule.Paths that u fits. A link that is not written plainly fits
// none.
func (r Rule) allowedBy(u *url.URL) (p pathRule, ok bool) {
	if !isPlainlyWritten(u) {
		return pathRule{}, false
	}
	for _, entry := range r.Paths {
		if p, ok := readPath(entry); ok && p.fits(u) {
			return p, true
		}
	}
	return pathRule{}, false
}

func (p pathRule) fits(u *url.URL) bool {
	have := segmentsOf(u.Path)
	if !p.Exact {
		return u.Fragment == "" && fitSegments(p.Segments, have[:min(len(have), len(p.Segments))])
	}
	route, _, _ := strings.Cut(u.Fragment, "?")
	if strings.Contains(route, "=") {
		route = "" // a fragment of parameters
	}
	return fitSegments(p.Segments, have) && fitSegments(p.Route, segmentsOf(route)) && p.fitsQuery(u)
}

// fitSegments reports whether have is want, where "*" stands for any one segment.
func fitSegments(want, have []string) bool {
	return slices.EqualFunc(want, have, func(w, h string) bool {
		return w == h || w == "*" &&
			h != ""
	})
}

func (p pathRule) fitsQuery(u *url.URL) bool {
	seen := 0
	for _, have := range parametersOf(u) {
		switch {
		case strings.Contains(have.name, "="):
			return false // as in /?type%3Dmagic=x, which has no type
		case slices.Contains(p.Query, have.name) && have.value != "",
			slices.Contains(p.Query, have.name+"="+have.value):
			seen++
		case !isCampaign(have.name):
			return false
		}
	}
	return seen == len(p.Query)
}

// lineToAllow returns the entry of Rule.Paths that allows u and as little else as one link can
// teach: this path with its secret segments as wildcards, and these parameters. It is empty if no
// entry can allow u. It holds no secret: of a value only a word of a parameter that names an
// action is kept.
func lineToAllow(u *url.URL, kind Kind) string {
	if !isPlainlyWritten(u) {
		return ""
	}
	line := ""
	if kind == KindReset || kind == KindLogin {
		line = string(kind) + ":"
	}
	line += wildcards(u.Path)
	if route, _, _ := strings.Cut(u.Fragment, "?"); u.Fragment != "" {
		if line += "#"; !strings.Contains(route, "=") {
			line += wildcards(route)
		}
	}
	line += "?"
	for i, p := range parametersOf(u) {
		switch {
		case looksSecret(p.name, minID), p.value == "" && !isWordy(p.name):
			return "" // as in /confirm?SECRET=
		case isCampaign(p.name):
			continue
		case i > 0 && !strings.HasSuffix(line, "?"):
			line += "&"
		}
		line += p.name
		if p.value == "" || isSelector(p.name) && isWordy(p.value) {
			line += "=" + p.value
		}
	}
	p, ok := readPath(line)
	if !ok || !isWritable(line) || !p.fits(u) {
		return ""
	}
	return line
}

// isWritable reports whether an entry can stand in a list of settings, in a log and in a database.
// The name of a parameter may be anything, as in /confirm?t[%00]=SECRET.
func isWritable(entry string) bool {
	return len(entry) <= maxEntry && !strings.ContainsFunc(entry, func(r rune) bool {
		return r <= ' ' || r > '~' || strings.ContainsRune(`,"'%`, r)
	})
}

// wildcards returns a path with a wildcard in place of each segment that is no plain word. A secret
// stands at the end, and may be a word by its letters. So the last segment stays only if it is
// too short for a secret, or if each of its words is one of links.
func wildcards(path string) string {
	segments := segmentsOf(path)
	for i, s := range segments {
		if last := i == len(segments)-1; !isWordy(s) || last && len(s) >= minWordy && !isActionName(s) {
			segments[i] = "*"
		}
	}
	return "/" + strings.Join(segments, "/")
}

// minWordy is the length from which letters alone may be a secret. A shorter segment is guessed.
const minWordy = 8

// actionWords are words that end the paths of links, beside those of linkWords.
var actionWords = []string{
	"accept", "account", "action", "activate", "activation", "address", "auth", "callback", "check",
	"complete", "completion", "confirm", "confirmation", "confirmed", "continue", "create",
	"customer", "do", "email", "emails", "enroll", "enrollment", "finish", "finalize", "for", "form",
	"id", "key", "link", "mail", "me", "member", "my", "new", "onboarding", "page", "profile",
	"redeem", "register", "registration", "sign", "signup", "start", "step", "token", "up", "user",
	"users", "validate", "validation", "verified", "verify", "verification", "welcome", "your",
}

// isActionName reports whether each word of a segment is one of those with which links name what
// they do.
func isActionName(s string) bool {
	if dot := strings.LastIndexByte(s, '.'); dot >= 0 {
		s = s[:dot] // isWordy knows what may follow
	}
	for word := range strings.FieldsSeq(separated(s)) {
		word = strings.TrimRight(word, "0123456789")
		said := len(word) < minID && hearLink(word) != saysNothing
		if !said && !slices.Contains(actionWords, word) {
			return false
		}
	}
	return true
}

// isWordy reports whether s is written like the name of a page or an action, and not like a
// secret: "confirm-email", "ConfirmEmail", "oauth2", "confirm.php".
func isWordy(s string) bool {
	if len(s) == 0 || len(s) > 32 {
		return false
	}
	stem := s
	if dot := strings.LastIndexByte(s, '.'); dot >= 0 {
		if !slices.Contains([]string{"php", "html", "htm", "aspx", "jsp", "do", "cgi"}, s[dot+1:]) {
			return false
		}
		stem = s[:dot]
	}
	word := strings.TrimRight(stem, "0123456789")
	if len(stem)-len(word) > 2 || strings.Contains(word, ".") {
		return false
	}
	stem = word
	for part := range strings.FieldsSeq(separated(stem)) {
		if len(part) > 16 || strings.Trim(part, "abcdefghijklmnopqrstuvwxyz") != "" {
			return false
		}
		if len(part) < 3 && stem != strings.ToLower(stem) {
			return false // letters of both cases by turns
		}
	}
	return stem != "" && (stem == strings.ToLower(stem) || len(stem) > 3)
}

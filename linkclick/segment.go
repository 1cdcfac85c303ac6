package linkclick

import (
	"math"
	"net/url"
	"regexp"
	"slices"
	"strings"
)

// This file says what a segment of a path may be in the shape of a provider. The narrower the form
// of a provider's secret, the less else fits its shape. A segment "*" or "{id}" alone would take a
// path such as /reset/device/approve-login for Django's reset link. What a wildcard took is heard
// too: the same server may write /payments/confirmation for a payment and /users/confirmation for
// an account.

// minID is the length, in bytes, from which a path segment may be a secret. The shortest secret
// that an identity provider sends has 15.
const minID = 12

// segmentForm is what a segment is made of, and how many bytes it has at least and at most. Lengths
// in the expressions would make them long: a program of theirs has an instruction for each byte.
type segmentForm struct {
	of          *regexp.Regexp
	least, most int
}

func (f segmentForm) fits(segment string) bool {
	return len(segment) >= f.least && len(segment) <= f.most && f.of.MatchString(segment)
}

// segmentForms are the forms of a segment that a shape may name, beside a literal, "*", "{id}" and
// "{name}". The last is a name that an operator or a person chose. It says nothing, because the
// rest of the link tells what it does.
var segmentForms = map[string]segmentForm{
	// The models for which applications use Devise. For others the operator says that the link
	// verifies an address, and not an order.
	"{scope}": {regexp.MustCompile(`^(users?|accounts?|members?|customers?|auth)$`), 4, 9},
	"{num}":   {regexp.MustCompile(`^[0-9]+$`), 1, 20},
	"{hex}":   {regexp.MustCompile(`^[0-9a-f]+$`), 32, 128},
	"{uuid}":  {regexp.MustCompile(`^[0-9A-Fa-f]+(-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}$`), 36, 36},
	"{alnum}": {regexp.MustCompile(`^[0-9A-Za-z]+$`), 20, 128},
	"{b64}":   {regexp.MustCompile(`^[0-9A-Za-z_-]+$`), 20, 256},
	// A value that Django has signed, or the key of a row as before that.
	"{signed}": {regexp.MustCompile(`^([\w-]+:[\w-]+:[\w-]+|[0-9a-z]{64})$`), 5, math.MaxInt},
	// A message that Rails has signed: base64, two dashes and a digest.
	"{message}": {regexp.MustCompile(`^[0-9A-Za-z_-]+={0,2}--[0-9a-f]{40,64}$`), 43, math.MaxInt},
	// Django's token: a time in base 36, a dash and a digest.
	"{stamped}": {regexp.MustCompile(`^[0-9a-z]{1,13}-[0-9A-Za-z]{20,64}$`), 22, 78},
}

// fitsSegment reports whether a segment of a path is what a shape wants there.
func fitsSegment(want, have string) bool {
	switch want {
	case "*", "{name}":
		return have != ""
	case "{id}":
		return len(have) >= minID && !isNamed(have)
	case "{alnum}", "{b64}":
		return segmentForms[want].fits(have) && !isNamed(have)
	}
	if form, is := segmentForms[want]; is {
		return form.fits(have)
	}
	return want == have
}

// isHeard reports whether a segment that fits want may hold the name of an action.
func isHeard(want string) bool {
	return want == "*" || want == "{id}" || want == "{alnum}" || want == "{b64}"
}

// twoCapitals is what letters drawn by chance nearly always have, and the name of a page seldom.
var twoCapitals = regexp.MustCompile(`[A-Z]{2}`)

// isNamed reports whether a segment is the name of a page or an action, such as "approve-payment",
// and no secret.
func isNamed(segment string) bool { return isWordy(segment) && !twoCapitals.MatchString(segment) }

// surelySaid is how long a stem must be to count in letters drawn by chance. A shorter one is
// spelled by chance in one of some hundred secrets.
const surelySaid = 5

// hearSegment returns what a segment says that may be a secret. In a secret a short word counts
// only if it stands between two marks, as in "pay-17f3". What a JWT says is in its claims.
func hearSegment(segment string) speech {
	if isNamed(segment) {
		return hearLink(segment)
	}
	if payloadOf(segment) != nil {
		return saysNothing
	}
	said := hearStems(segment, surelySaid)
	for _, part := range strings.FieldsFunc(strings.ToLower(segment), isMark) {
		if len(part) < surelySaid && isLinkWord(part) {
			said = max(said, hearLink(part))
		}
	}
	return said
}

// spokenPath returns the path and the fragment of u, without what may be drawn in them: "2fa" is
// spelled by chance in one of two hundred secrets of 24 hexadecimal digits. A part of a secret that
// is a name stays.
func spokenPath(u *url.URL) string {
	var said []string
	for segment := range strings.FieldsFuncSeq(u.Path+"/"+u.Fragment, isPathMark) {
		if !looksDrawn(segment, minID) || isNamed(segment) || hearSegment(segment) != saysNothing {
			said = append(said, segment)
			continue
		}
		for part := range strings.FieldsFuncSeq(segment, isMark) {
			if len(part) >= surelySaid && isNamed(part) {
				said = append(said, part)
			}
		}
	}
	return strings.Join(said, "/")
}

// isPathMark reports whether a character parts what a path, or a query in a fragment, is made of.
func isPathMark(r rune) bool { return strings.ContainsRune("/?&=", r) }

// strays reports whether a segment of u's path that is no word of the shape names something else
// than a link of the shape does. It is in the folder before the shape, or a wildcard took it. Such
// a link belongs to another part of the site.
func (s shape) strays(u *url.URL) bool {
	path := u.Path
	if strings.Contains(s.path, "#") {
		path += "#" + u.Fragment
	}
	have, want := segmentsOf(path), segmentsOf(s.path)
	own := max(0, len(have)-len(want))
	said := []speech{hearLink(strings.Join(have[:own], "/"))}
	for i, form := range want {
		if isHeard(form) && own+i < len(have) {
			said = append(said, hearSegment(have[own+i]))
		}
	}
	return slices.ContainsFunc(said, func(said speech) bool {
		return said >= saysReset && said.kind() != s.kind || said == saysAct
	})
}

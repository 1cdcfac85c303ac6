package linkclick

import "regexp"

// This file says what a segment of a path may be in the shape of a provider. The narrower the form
// of a provider's secret, the less else fits its shape. A segment "*" or "{id}" alone would take a
// path such as /reset/device/approve-login for Django's reset link.

// minID is the length, in bytes, from which a path segment may be a secret. The shortest secret
// that an identity provider sends has 15.
const minID = 12

// segmentForms are the forms of a segment that a shape may name, beside a literal and "*".
var segmentForms = map[string]*regexp.Regexp{
	"{num}":   regexp.MustCompile(`^[0-9]{1,20}$`),
	"{hex}":   regexp.MustCompile(`^[0-9a-f]{32,128}$`),
	"{uuid}":  regexp.MustCompile(`^[0-9A-Fa-f]{8}(-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}$`),
	"{alnum}": regexp.MustCompile(`^[0-9A-Za-z]{20,128}$`),
	"{b64}":   regexp.MustCompile(`^[0-9A-Za-z_-]{20,256}$`),
	// A value that Django has signed, or the key of a row as before that.
	"{signed}": regexp.MustCompile(`^([\w-]+:[\w-]+:[\w-]+|[0-9a-z]{64})$`),
	// Django's token: a time in base 36, a dash and a digest.
	"{stamped}": regexp.MustCompile(`^[0-9a-z]{1,13}-[0-9A-Za-z]{20,64}$`),
}

// fitsSegment reports whether a segment of a path is what a shape wants there.
func fitsSegment(want, have string) bool {
	switch want {
	case "*":
		return have != ""
	case "{id}":
		return len(have) >= minID
	}
	if form := segmentForms[want]; form != nil {
		return form.MatchString(have)
	}
	return want == have
}

package linkclick

import (
	"net/url"
	"strings"
)

// This file says where a link leads without telling what is secret in it.

// longestPlain is the length from which a segment of a path is masked. It is not when each of its
// words is one with which links name what they do.
const longestPlain = 6

// mostPlace bounds a place, in bytes: the author of a mail chose its words.
const mostPlace = 120

// Place returns the host and the path of the link, for an operator to read. A segment that may be
// secret is "*", and so is such a label of a host that is not allowed. Parameters and fragments are
// left out.
func (c Candidate) Place() string {
	u, err := url.Parse(c.URL)
	if err != nil || u.Hostname() == "" {
		return "a link that cannot be read"
	}
	place := u.Host
	if c.Score < 0 { // no host of the operator's, so that anything may stand there
		labels := strings.Split(place, ".")
		for i := range max(0, len(labels)-2) {
			if looksSecret(labels[i], minID) {
				labels[i] = "*"
			}
		}
		place = strings.Join(labels, ".")
	}
	for _, segment := range segmentsOf(u.Path) {
		place += "/" + masked(segment)
	}
	if len(place) > mostPlace {
		return strings.ToValidUTF8(place[:mostPlace], "") + "…"
	}
	return place
}

// masked is a part of a link as it may be shown.
func masked(part string) string {
	plain := isWordy(part) && (len(part) < longestPlain || isActionName(part))
	if plain || part == "" {
		return part
	}
	return "*"
}

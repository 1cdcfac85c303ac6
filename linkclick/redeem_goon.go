package linkclick

import (
	"cmp"
	"net/url"
)

// This file decides which link a person may be given to finish what a click did not.
//
// A person who gets a link from the bridge trusts it. So it must have what a click itself needs: a
// shape of the kind of the mail, or a path that the operator allowed for it. The words of a mail
// let a tracking link be followed, and it may lead anywhere: out of the rule, to the end of an
// account, to a page that signs in another device. So a tracking link is never given. The link
// behind it is, if that one could have been in the mail, and its shape alone tells what it does.

// GoOn returns link in normal form if a person may be given it to finish what a click on it did
// not, and "" otherwise. It is for a click whose result is lost. A tracking link has none: only
// Result.GoOn of the click that followed it knows the link behind it.
func (c *Clicker) GoOn(link string) string {
	to, wrapped, why := c.Rule.judgeLink(link)
	if why != "" || wrapped || !c.mayGive(to) {
		return ""
	}
	return to.String()
}

// goOn is GoOn for the link that a click begins, which may be the one behind a tracking link.
func (k *click) goOn() string {
	if !k.mayGive(k.link) {
		return ""
	}
	return k.link.String()
}

// mayGive reports whether a link of the rule has the shape or an allowed path of a link of the
// kind of the mail. A shape that several purposes share has no kind, and then the path decides.
func (c *Clicker) mayGive(u *url.URL) bool {
	kind := cmp.Or(c.Kind, KindVerify)
	if s := shapeOf(u); s.kind != "" {
		return s.kind == kind
	}
	p, ok := c.Rule.allowedBy(u)
	if !ok || contradicts(u, kind, p.Query) {
		return false
	}
	if p.Kind != "" {
		return Kind(p.Kind) == kind
	}
	said := hearPath(spokenPath(u))
	return said < saysReset || said == saysReset && kind == KindReset
}

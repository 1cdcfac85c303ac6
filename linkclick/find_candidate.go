package linkclick

import (
	"cmp"
	"net/url"
	"strings"
)

// This file judges each link of a mail by itself.

// The values of Candidate.Score, by what tells the kind of the link.
const (
	scoreShape   = 100
	scoreRule    = 90
	scoreAction  = 80
	scorePath    = 70
	scoreLabel   = 60
	scoreLine    = 40
	scoreBefore  = 30
	scoreSubject = 20
)

// leave says what lets a link be used. Words never do.
type leave int

const (
	leaveNone    leave = iota
	leaveTracker       // a tracking link that hides its target: the click judges where it leads
	leaveRule          // its path is one that the operator allowed
	leaveShape         // a provider writes such links
)

// found is a candidate in the making.
type found struct {
	Candidate
	shape   shape
	kind    Kind // what it does; beside leaveNone it is what words say, and opens nothing
	leave   leave
	allowed bool
	token   bool   // carries something that could be a secret
	vetoed  bool   // words around it speak of something that a link of its kind does not do
	line    string // the entry of Rule.Paths that would allow it
	u       *url.URL
}

// collect judges every occurrence of a link and merges those of one URL, which is the first of
// them as written.
func collect(links []link, rule Rule, about topic) []*found {
	var all []*found
	index := map[string]*found{}
	for _, l := range links {
		c := examine(l, rule, about)
		if c == nil {
			continue
		}
		key := sameForAll(c.URL)
		if old := index[key]; old != nil {
			old.merge(c)
			continue
		}
		index[key] = c
		all = append(all, c)
	}
	return all
}

// examine judges one occurrence. It returns nil for a link that is not of the web, such as
// mailto, and for a home page: it holds nothing that could be about one mail.
func examine(l link, rule Rule, about topic) *found {
	u, wrapped, why := rule.judgeLink(l.raw)
	if u == nil && !hasWebScheme(l.raw) || u != nil && isHomePage(u) {
		return nil
	}
	c := &found{Candidate: Candidate{URL: l.raw, Score: -1, Reasons: []string{why}}}
	if u != nil {
		c.URL, c.token = u.String(), carriesSecret(u)
	}
	if why != "" {
		return c
	}
	c.allowed, c.Score, c.Reasons = true, 0, nil
	if wrapped {
		c.Reasons = append(c.Reasons, "a tracking link")
		if target := rule.unwrap(u); target != nil {
			u, wrapped = target, false
			c.URL, c.token = u.String(), carriesSecret(u)
		}
	}
	c.u = u
	if wrapped {
		c.track(l.says("", about), about)
	} else {
		c.judge(l, rule, about)
	}
	return c
}

func hasWebScheme(raw string) bool {
	return len(raw) >= len("http") && strings.EqualFold(raw[:len("http")], "http")
}

// isHomePage reports whether u has no path, no query and no fragment.
func isHomePage(u *url.URL) bool {
	return strings.Trim(u.Path, "/") == "" && u.RawQuery == "" && u.Fragment == ""
}

// judge gives an allowed link its kind, and leave to be used if its shape or its path has it.
func (c *found) judge(l link, rule Rule, about topic) {
	c.shape = shapeOf(c.u)
	p, fits := rule.allowedBy(c.u)
	switch {
	case c.shape.kind != "":
		c.leave = leaveShape
		c.is(c.shape.kind, scoreShape, "has the shape of a link of "+c.shape.name())
		c.vetoed = c.kind == KindVerify && !c.shape.tells() && l.says("", about).sharply(about)
	case fits:
		c.byPath(p, l, about)
	default:
		c.take(l.says(spokenPath(c.u), about))
		c.vetoed = c.vetoed || c.kind == KindVerify && about.warns()
		c.line = c.entry()
		c.Reasons = append(c.Reasons, c.held())
		switch {
		case c.token:
		case c.kind == KindVerify, c.kind == KindReset, c.kind == KindLogin, c.kind == "":
			c.kind, c.Score, c.Reasons = "", 0, []string{"unknown shape, and no secret in it"}
		}
	}
	if c.vetoed {
		c.Reasons = append(c.Reasons, "the words around it speak of something else")
	}
}

// entry returns the entry of the rule's paths that would allow the link for what words say, or for
// what the link says against them. It is empty if no entry could: none is for anything else.
func (c *found) entry() string {
	for _, kind := range []Kind{cmp.Or(c.kind, KindVerify), KindLogin, KindReset} {
		if !contradicts(c.u, kind, nil) {
			return lineToAllow(c.u, kind)
		}
	}
	return ""
}

// held says why no shape gives the link leave to be used.
func (c *found) held() string {
	if c.shape.provider != nil {
		return "links of " + c.shape.name() +
			" with this shape do different things, and words open nothing"
	}
	return "its shape is unknown, and words open nothing"
}

// take gives the link the kind that words say.
func (c *found) take(said heard) {
	if c.vetoed = said.speech == saysAct; said.kind() == KindUnknown {
		c.Reasons = append(c.Reasons, "neither shape nor words tell what it does")
		return
	}
	c.is(said.kind(), said.score, said.reason+" says "+string(said.kind()))
}

// byPath judges a link whose path the operator allowed. The operator says what such links do, which
// a password in the text does not contradict: mails of forums repeat the name and password of who
// signs up. In a path without a kind words may choose between verifying, resetting and signing in.
func (c *found) byPath(p pathRule, l link, about topic) {
	said, kind := l.says("", about), Kind(p.Kind)
	if kind == "" {
		said = l.says(spokenPath(c.u), about)
		switch kind = KindVerify; said.speech {
		case saysReset, saysLogin:
			kind = said.kind()
		}
	}
	c.leave = leaveRule
	c.is(kind, scoreRule, "the path is one of the link rule")
	c.vetoed = said.forbids(kind) || contradicts(c.u, kind, p.Query) ||
		kind == KindVerify && p.Kind == "" && about.warns()
	if !c.token {
		c.is("", 0, "carries no token")
	}
}

// track judges a tracking link that does not say where it leads. The operator named its host, and
// the click opens nothing but a known shape or an allowed path behind it. So words may say that it
// verifies. It is never passed on, since then nothing looks where it leads.
func (c *found) track(said heard, about topic) {
	c.take(said)
	if c.kind == KindVerify && c.token && !about.warns() {
		c.leave = leaveTracker
	}
}

func (c *found) is(kind Kind, score int, reason string) {
	c.kind, c.Score, c.Reasons = kind, score, append(c.Reasons, reason)
}

// merge adds another occurrence of the same URL. What speaks against a link in one place speaks
// against it everywhere.
func (c *found) merge(other *found) {
	c.vetoed = c.vetoed || other.vetoed
	if other.Score <= 0 || c.Score == scoreShape {
		return
	}
	if c.kind == other.kind {
		if other.Score > c.Score {
			c.is(c.kind, other.Score, other.Reasons[0])
		}
		return
	}
	if c.kind == "" || c.kind == KindVerify {
		c.kind, c.Score, c.leave, c.line = other.kind, other.Score, other.leave, other.line
		c.Reasons = append(c.Reasons, other.Reasons...)
	}
}

// mayBegin reports whether a click may go on to u, to which a tracking link led: a provider writes
// such links for anything but a reset, or the operator allowed its path for verifications. The
// click itself knows the shapes that it does not open.
func (r Rule) mayBegin(u *url.URL) bool {
	if s := shapeOf(u); s.kind != "" {
		return s.kind != KindReset
	}
	p, ok := r.allowedBy(u)
	if !ok || contradicts(u, KindVerify, p.Query) {
		return false
	}
	said := hearPath(spokenPath(u))
	return Kind(p.Kind) == KindVerify || p.Kind == "" && said < saysReset
}

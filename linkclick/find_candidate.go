package linkclick

import (
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

// found is a candidate in the making.
type found struct {
	Candidate
	shape   shape
	kind    Kind
	allowed bool
	token   bool // carries something that could be a secret
	barred  bool // is no verification, whatever the words say
}

// collect judges every occurrence of a link and merges those of one URL.
func collect(links []link, rule Rule, about topic) []*found {
	var all []*found
	index := map[string]*found{}
	for _, l := range links {
		c := examine(l, rule, about)
		if c == nil {
			continue
		}
		if old := index[c.URL]; old != nil {
			old.merge(c)
			continue
		}
		index[c.URL] = c
		all = append(all, c)
	}
	lone(all, about.subject)
	return all
}

// examine judges one occurrence. It returns nil for a link that is not of the web, such as
// mailto.
func examine(l link, rule Rule, about topic) *found {
	u, wrapped, why := rule.judgeLink(l.raw)
	if u == nil && !hasWebScheme(l.raw) {
		return nil
	}
	c := &found{Candidate: Candidate{URL: l.raw, Score: -1, Reasons: []string{why}}}
	if u != nil {
		c.URL, c.token = u.String(), carriesToken(u)
	}
	if why != "" {
		return c
	}
	c.allowed, c.Score, c.Reasons = true, 0, nil
	if wrapped {
		c.Reasons = append(c.Reasons, "a tracking link")
		if target := rule.unwrap(u); target != nil {
			u, wrapped = target, false
			c.URL, c.token = u.String(), carriesToken(u)
		}
	}
	if !wrapped {
		c.shape = shapeOf(u)
	}
	c.judge(l, u, about)
	if fits, asked := rule.fitsPaths(u); asked && !wrapped {
		c.byPath(fits)
	}
	return c
}

func hasWebScheme(raw string) bool {
	return len(raw) >= len("http") && strings.EqualFold(raw[:len("http")], "http")
}

// judge gives an allowed link its kind.
func (c *found) judge(l link, u *url.URL, about topic) {
	if c.shape.kind != "" {
		c.is(c.shape.kind, scoreShape, "has the shape of a link of "+c.shape.name())
		return
	}
	ours := c.shape.provider != nil // but several kinds of its links have this shape
	said, score, reason := l.says(u, !ours)
	if l.confirms && (said == saysNothing || said == saysVerify) {
		said, score, reason = saysVerify, scoreAction, "the markup"
	}
	contradicted := said == saysVerify && about.subject > saysVerify && !about.verifies
	if said == saysNothing && ours || contradicted {
		said, score, reason = about.subject, scoreSubject, "the subject"
	}
	switch kind := said.kind(); {
	case kind == KindUnknown:
		c.Reasons = append(c.Reasons, "neither shape nor words tell what it does")
	case kind == KindVerify && about.subject == saysNothing && about.resets():
		c.Reasons = append(c.Reasons, "says verify in a mail about a password")
	case !c.token && (kind == KindVerify || kind == KindLogin):
		c.Reasons = append(c.Reasons, "carries no token")
	default:
		c.is(kind, score, reason+" says "+string(kind))
	}
}

// byPath applies the rule's paths, which concern verification links only.
func (c *found) byPath(fits bool) {
	switch {
	case fits && c.kind == "" && c.token:
		c.is(KindVerify, scoreRule, "the path is one of the link rule")
	case fits && c.kind == KindVerify:
		c.is(KindVerify, max(c.Score, scoreRule), "the path is one of the link rule")
	case !fits:
		c.barred = true
		if c.kind == KindVerify {
			c.is("", 0, "the path is none of the link rule")
		}
	}
}

func (c *found) is(kind Kind, score int, reason string) {
	c.kind, c.Score, c.Reasons = kind, score, append(c.Reasons, reason)
}

// merge adds another occurrence of the same URL. What speaks against a link in one place speaks
// against it everywhere.
func (c *found) merge(other *found) {
	if other.Score <= 0 || c.Score == scoreShape {
		return
	}
	if c.kind == other.kind {
		if other.Score > c.Score {
			c.is(c.kind, other.Score, other.Reasons[len(other.Reasons)-1])
		}
		return
	}
	if c.kind == "" || c.kind == KindVerify {
		c.kind, c.Score = other.kind, other.Score
		c.Reasons = append(c.Reasons, other.Reasons...)
	}
}

// lone lets the subject speak for a link that is the only one on an allowed host and about which
// nothing else is known.
func lone(all []*found, subject speech) {
	var only *found
	for _, c := range all {
		if c.allowed && only != nil {
			return
		}
		if c.allowed {
			only = c
		}
	}
	if only == nil || only.kind != "" || !only.token {
		return
	}
	kind := subject.kind()
	if kind == KindVerify && !only.barred || kind == KindReset || kind == KindLogin {
		only.is(kind, scoreSubject, "the only allowed link, and the subject says "+string(kind))
	}
}

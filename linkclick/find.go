package linkclick

import (
	"net/url"
	"strings"
	"sync"
)

// Why a finding has no URL. These are the only values of Finding.Reason.
const (
	ReasonNoLink       = "the mail has no link and no code"
	ReasonNotAllowed   = "no link is allowed by the link rule"
	ReasonNoMeaning    = "no link says that it verifies, resets or signs in"
	ReasonCodeOnly     = "the mail has a code and no usable link"
	ReasonOtherKind    = "the link is of a kind that is never opened for a person"
	ReasonSeveralLinks = "several different links of the same kind"
	ReasonSeveralKinds = "links that verify and links that do something else"
	ReasonTooMany      = "more links or markup than can be looked at"
)

// Candidate is one distinct link of a mail and what speaks for it.
type Candidate struct {
	URL     string   // in normal form, or as written if it cannot be parsed; secret
	Score   int      // 100 known shape, below that how near the telling words are, 0 nothing, -1 not allowed
	Reasons []string // fixed words
}

// Finding is what a mail wants and the one link or code that does it.
type Finding struct {
	Kind     Kind
	Provider string // whose mail it is, such as "auth0", by its links or its sender; empty if that is not known
	// URL is the one link of the mail's kind. It is set only if Kind is
	// verify, reset or login and there is exactly one. Only that of a verify
	// mail is for clicking; the others are for the reader alone. Secret.
	URL    string
	Code   string // the only one-time code of the mail; secret
	Recipe string // one of the Recipe constants: what redeeming URL takes
	// Candidates are all distinct links in the order of the mail, HTML first.
	Candidates []Candidate
	Reason     string // why URL is empty, one of the Reason constants; empty if it is not
}

// What a candidate's score is made of.
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

// topic is what a mail as a whole is about.
type topic struct {
	subject  speech
	verifies bool        // the subject speaks of verifying, whatever else it says
	resets   func() bool // the bodies speak of a password
}

// Find looks for the one link or code that does what the mail is about. It
// trusts the shape of a URL first, then the rule's paths and the mail's
// markup, then the words on and around it, then the subject. The caller has
// made sure that the mail is the identity provider's. Find keeps nothing and
// connects to nothing.
func Find(m Mail, rule Rule) Finding {
	markup, text := readHTML(m.HTML), readText(m.Text)
	words, plainWords := markup.text.String(), text.text.String()
	about := topic{subject: hear(plain(m.Subject)), verifies: speaksOf(plain(m.Subject), saysVerify)}
	about.resets = sync.OnceValue(func() bool { return speaksOf(plain(words+"\n"+plainWords), saysReset) })
	all := collect(append(markup.links(), text.links()...), rule, about)

	code, context := findCode(m.Subject, words, plainWords)
	f := Finding{Kind: KindUnknown, Code: code}
	for _, c := range all {
		f.Candidates = append(f.Candidates, c.Candidate)
	}
	if markup.full || text.full {
		f.Reason = ReasonTooMany
	} else {
		f.decide(all, about.subject, rule)
	}
	if f.Kind == KindUnknown && code != "" {
		f.Kind, f.Reason = KindCode, ReasonCodeOnly
		// A code that opens the way to a new password is a reset.
		if about.subject == saysReset || about.subject == saysNothing && hear(plain(context)) == saysReset {
			f.Kind = KindReset
		}
	}
	if f.Provider == "" {
		f.Provider = signedBy(m, words+"\n"+plainWords)
	}
	return f
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

// examine judges one occurrence. It returns nil for links that are not of the
// web, such as mailto.
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
	ours := c.shape.provider != nil // and a path that several kinds of its links have
	said, score, reason := l.says(u, !ours)
	if l.confirms && (said == saysNothing || said == saysVerify) {
		said, score, reason = saysVerify, scoreAction, "the markup"
	}
	if said == saysNothing && ours || said == saysVerify && about.subject > saysVerify && !about.verifies {
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

// byPath applies the rule's paths, which speak of verification links only.
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

// merge adds another occurrence of the same URL. What speaks against a link
// in one place speaks against it everywhere.
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

// lone lets the subject speak for a link that is the only one on an allowed
// host and about which nothing else is known.
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
	if kind := subject.kind(); kind == KindVerify && !only.barred || kind == KindReset || kind == KindLogin {
		only.is(kind, scoreSubject, "the only allowed link, and the subject says "+string(kind))
	}
}

package linkclick

import (
	"net/url"
	"strings"
)

// Why a finding has no URL. These are the only values of Finding.Reason.
const (
	ReasonNoLink       = "the mail has no link and no code"
	ReasonNotAllowed   = "no link is allowed by the link rule"
	ReasonNoMeaning    = "no link says that it verifies or resets"
	ReasonCodeOnly     = "the mail has a code and no usable link"
	ReasonOtherKind    = "the link is of a kind that is never opened for a person"
	ReasonSeveralLinks = "several different links of the same kind"
	ReasonSeveralKinds = "links that verify and links that reset"
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
	Provider string // whose shape the link has, such as "auth0"; empty if of none
	URL      string // set only if Kind is verify or reset and exactly one link is usable; secret
	Code     string // the only one-time code of the mail; digits; secret
	Recipe   string // get, form, proceed, script or user: what redeeming URL takes
	// Candidates are all distinct links in the order of the mail, HTML first.
	Candidates []Candidate
	Reason     string // why URL is empty, one of the Reason constants; empty if it is not
}

// What a candidate's score is made of.
const (
	scoreShape   = 100
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
}

// Find looks for the one link that does what the mail is about. It trusts the
// shape of a URL first, then the words on and around it, then the subject.
// The caller has made sure that the mail is the identity provider's. Find
// keeps nothing and connects to nothing.
func Find(m Mail, rule Rule) Finding {
	markup, text := readHTML(m.HTML), readText(m.Text)
	subject := hear(words(m.Subject))
	all := collect(append(markup.links(), text.links()...), rule, subject)

	f := Finding{Kind: KindUnknown, Code: findCode(m.Subject, markup.text.String(), text.text.String())}
	for _, c := range all {
		f.Candidates = append(f.Candidates, c.Candidate)
	}
	switch {
	case markup.full || text.full:
		f.Reason = ReasonTooMany
	default:
		f.decide(all, subject)
	}
	if f.URL == "" && f.Code != "" && f.Kind == KindUnknown {
		f.Kind, f.Reason = KindCode, ReasonCodeOnly
	}
	return f
}

// collect judges every occurrence of a link and merges those of one URL.
func collect(links []link, rule Rule, subject speech) []*found {
	var all []*found
	index := map[string]*found{}
	for _, l := range links {
		c := examine(l, rule, subject)
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
	lone(all, subject)
	return all
}

// examine judges one occurrence. It returns nil for links that are not of the
// web, such as mailto.
func examine(l link, rule Rule, subject speech) *found {
	u, why := rule.judge(l.raw)
	if u == nil && !strings.HasPrefix(strings.ToLower(l.raw), "http") {
		return nil
	}
	c := &found{Candidate: Candidate{URL: l.raw, Score: -1, Reasons: []string{why}}}
	if u != nil {
		c.URL = u.String()
	}
	if why != "" {
		return c
	}
	c.allowed, c.token, c.shape = true, carriesToken(u), shapeOf(u)
	c.Score, c.Reasons = 0, nil
	if c.shape.kind != "" {
		c.is(c.shape.kind, scoreShape, "has the shape of a "+c.shape.provider+" "+string(c.shape.kind)+" link")
		return c
	}
	said, score, reason := l.says(u)
	if said == saysNothing && c.shape.provider != "" {
		said, score, reason = subject, scoreSubject, "the subject"
	}
	switch kind := said.kind(); {
	case kind == KindUnknown:
		c.Reasons = []string{"neither shape nor words tell what it does"}
	case kind == KindVerify && !c.token:
		c.Reasons = []string{"carries no token"}
	default:
		c.is(kind, score, reason+" says "+string(kind))
	}
	return c
}

func (c *found) is(kind Kind, score int, reason string) {
	c.kind, c.Score, c.Reasons = kind, score, append(c.Reasons, reason)
}

// merge adds another occurrence of the same URL. What speaks against a link
// in one place speaks against it everywhere.
func (c *found) merge(other *found) {
	if other.Score <= 0 || c.kind == other.kind || c.Score == scoreShape {
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
	if kind := subject.kind(); kind == KindVerify || kind == KindReset {
		only.is(kind, scoreSubject, "the only allowed link, and the subject says "+string(kind))
	}
}

// says tells what a link of unknown shape is for: first what could do harm, in
// its path, label and line; then what the label says, the path, the line and
// the line above.
func (l link) says(u *url.URL) (said speech, score int, reason string) {
	path := hear(words(strings.NewReplacer("/", " ", "-", " ", "_", " ").Replace(u.Path + " " + u.Fragment)))
	label, line := hear(l.label), hear(l.line)
	heard := []struct {
		speech
		score  int
		reason string
	}{
		{path, scorePath, "the path"}, {label, scoreLabel, "the label"},
		{line, scoreLine, "the line"}, {hear(l.before), scoreBefore, "the line above"},
	}
	for _, h := range heard[:3] {
		if h.speech >= saysReset {
			return h.speech, h.score, h.reason
		}
	}
	// A label is a promise to the reader; a path may hold "login" for any reason.
	for _, i := range []int{1, 0, 2, 3} {
		if h := heard[i]; h.speech == saysVerify || (i != 0 && h.speech != saysNothing) {
			return h.speech, h.score, h.reason
		}
	}
	return saysNothing, 0, ""
}

func (s speech) kind() Kind {
	switch s {
	case saysVerify:
		return KindVerify
	case saysLogin:
		return KindLogin
	case saysInvite:
		return KindInvite
	case saysReset:
		return KindReset
	case saysChange:
		return KindChange
	case saysNotMe:
		return KindNotice
	}
	return KindUnknown
}

// carriesToken reports whether u holds anything that could identify one mail:
// a query beyond campaign parameters, a fragment or a long path segment.
func carriesToken(u *url.URL) bool {
	for name := range u.Query() {
		if !strings.HasPrefix(name, "utm_") {
			return true
		}
	}
	for segment := range strings.SplitSeq(u.Path, "/") {
		if len(segment) >= 16 && strings.ContainsAny(segment, "0123456789") {
			return true
		}
	}
	return len(u.Fragment) >= 16
}

// decide picks the kind and the link. Links of known shape are looked at
// alone if there are any: words are a guess beside them.
func (f *Finding) decide(all []*found, subject speech) {
	byKind := map[Kind][]*found{}
	known, allowed := false, 0
	for _, c := range all {
		if c.allowed {
			allowed++
		}
		if c.shape.provider != "" && c.kind != "" && !known {
			known = true
			clear(byKind)
		}
		if c.kind != "" && (!known || c.shape.provider != "") {
			byKind[c.kind] = append(byKind[c.kind], c)
		}
	}
	verify, reset := byKind[KindVerify], byKind[KindReset]
	switch {
	case len(verify) > 0 && len(reset) > 0 && !known && subject == saysVerify:
		f.take(KindVerify, verify)
	case len(verify) > 0 && len(reset) > 0 && !known && subject == saysReset:
		f.take(KindReset, reset)
	case len(verify) > 0 && len(reset) > 0:
		f.Reason = ReasonSeveralKinds
	case len(verify) > 0:
		f.take(KindVerify, verify)
	case len(reset) > 0:
		f.take(KindReset, reset)
	case len(all) == 0:
		f.Reason = ReasonNoLink
		if f.Code == "" {
			f.Kind = KindNotice
		}
	case allowed == 0:
		f.Reason = ReasonNotAllowed
	default:
		f.Reason = ReasonNoMeaning
		for _, kind := range []Kind{KindInvite, KindChange, KindLogin} {
			if len(byKind[kind]) > 0 && f.Code == "" {
				f.Kind, f.Reason = kind, ReasonOtherKind
				break
			}
		}
	}
}

func (f *Finding) take(kind Kind, links []*found) {
	f.Kind = kind
	if len(links) > 1 {
		f.Reason = ReasonSeveralLinks
		return
	}
	c := links[0]
	f.URL, f.Provider, f.Recipe = c.URL, c.shape.provider, c.shape.recipe
	if f.Recipe == "" {
		f.Recipe = recipeGet
	}
}

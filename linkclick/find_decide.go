package linkclick

import (
	"net/url"
	"slices"
	"strings"
)

// This file chooses the one link of a mail.

// says tells what a link of unknown shape is for. First come words of harm in its path, label and
// line. Then come the label, the line, the line above and, if byPath, the path. A path with words
// of harm counts in any case.
func (l link) says(u *url.URL, byPath bool) (said speech, score int, reason string) {
	path := hear(plain(pathWords.Replace(u.Path + " " + u.Fragment)))
	label := hear(words(l.label))
	line := hear(words(l.head + " " + l.label + " " + l.tail))
	heard := []struct {
		speech
		score  int
		reason string
	}{
		{path, scorePath, "the path"}, {label, scoreLabel, "the label"},
		{line, scoreLine, "the line"}, {hear(words(l.before)), scoreBefore, "the line above"},
	}
	for _, h := range heard[:3] {
		if h.speech >= saysReset {
			return h.speech, h.score, h.reason
		}
	}
	// A label is a promise to the reader. A path may hold "login" for any reason, and "verify" for
	// signing in.
	for _, h := range []int{1, 2, 3} {
		if heard[h].speech != saysNothing {
			return heard[h].speech, heard[h].score, heard[h].reason
		}
	}
	if byPath && path == saysVerify {
		return path, scorePath, "the path"
	}
	return saysNothing, 0, ""
}

var pathWords = strings.NewReplacer("/", " ", "-", " ", "_", " ")

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

// decide chooses the kind and the link. If there are links of known shape, it looks at no others:
// words are a guess beside a shape.
func (f *Finding) decide(all []*found, subject speech, rule Rule) {
	shaped := slices.ContainsFunc(all, func(c *found) bool {
		return c.shape.provider != nil && c.kind != ""
	})
	byKind := map[Kind][]*found{}
	for _, c := range all {
		if c.kind != "" && (!shaped || c.shape.provider != nil) {
			byKind[c.kind] = append(byKind[c.kind], c)
		}
	}
	verify, reset, login := byKind[KindVerify], byKind[KindReset], byKind[KindLogin]
	switch {
	case len(verify) > 0 && len(reset) > 0 && !shaped && subject == saysVerify:
		f.take(KindVerify, verify, rule)
	case len(verify) > 0 && len(reset) > 0 && !shaped && subject == saysReset:
		f.take(KindReset, reset, rule)
	case len(verify) > 0 && len(reset) > 0, shaped && len(verify) > 0 && len(verify) < count(byKind):
		f.Reason = ReasonSeveralKinds
	case len(verify) > 0:
		f.take(KindVerify, verify, rule)
	case len(reset) > 0:
		f.take(KindReset, reset, rule)
	case len(login) > 0:
		f.take(KindLogin, login, rule)
	default:
		f.giveUp(all, byKind, subject)
	}
}

func count(byKind map[Kind][]*found) int {
	n := 0
	for _, links := range byKind {
		n += len(links)
	}
	return n
}

func (f *Finding) take(kind Kind, links []*found, rule Rule) {
	f.Kind = kind
	if f.Provider = links[0].shape.name(); len(links) > 1 {
		f.Reason = ReasonSeveralLinks
		return
	}
	f.URL, f.Recipe = links[0].URL, RecipeUser
	if kind == KindVerify {
		f.Recipe = rule.recipe(links[0].shape)
	}
}

// giveUp says why no link is usable, and what the mail is all the same.
func (f *Finding) giveUp(all []*found, byKind map[Kind][]*found, subject speech) {
	if len(all) == 0 {
		f.Reason = ReasonNoLink
		if f.Code == "" {
			f.Kind = KindNotice
		}
		return
	}
	if !slices.ContainsFunc(all, func(c *found) bool { return c.allowed }) {
		f.Reason = ReasonNotAllowed
		return
	}
	f.Reason = ReasonNoMeaning
	for _, kind := range []Kind{KindInvite, KindChange} {
		if links := byKind[kind]; len(links) > 0 {
			f.Provider = links[0].shape.name()
			if f.Code == "" {
				f.Kind, f.Reason = kind, ReasonOtherKind
			}
			return
		}
	}
	asks := slices.ContainsFunc(all, func(c *found) bool { return c.token })
	if !asks && f.Code == "" && (subject == saysNothing || subject == saysNotMe) {
		f.Kind = KindNotice
	}
}

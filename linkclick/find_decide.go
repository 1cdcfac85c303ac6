package linkclick

import (
	"slices"
	"strings"
)

// This file hears what is said around a link, and chooses the one link of a mail.

// heard is what words say of a link, and where they stand.
type heard struct {
	speech
	score  int
	reason string
	label  speech // what the clicked words say
}

// says tells what the words around a link, and in its path, ask for. First come words of harm in
// the path, the label, the line and the line above. Then come the label, the sentence, the line
// above, the path and the subject.
func (l link) says(path string, about topic) heard {
	said := l.saysNear(path)
	if l.confirms && said.speech <= saysVerify {
		said.speech, said.score, said.reason = saysVerify, scoreAction, "the markup"
	}
	signsIn := about.subject == saysLogin && about.verifies // "verify your address to sign in"
	contradicted := said.speech == saysVerify && about.subject > saysVerify && !signsIn
	if said.speech == saysNothing || contradicted {
		said.speech, said.score, said.reason = about.subject, scoreSubject, "the subject"
	}
	return said
}

func (l link) saysNear(path string) heard {
	inPath := hearPath(path)
	label := hear(words(l.label))
	before, line := words(l.before), words(l.head+" "+l.label+" "+l.tail)
	sentence := hear(words(lastSentence(l.head) + " " + l.label + " " + firstSentence(l.tail)))
	acts := saysNothing
	if speaksOf(line, saysAct) || speaksOf(before, saysAct) {
		acts = saysAct
	}
	all := []heard{
		{inPath, scorePath, "the path", label}, {label, scoreLabel, "the label", label},
		{acts, scoreLine, "the line", label}, {sentence, scoreLine, "the line", label},
		{hear(before), scoreBefore, "the line above", label},
	}
	for _, h := range all {
		if h.speech >= saysReset {
			return h
		}
	}
	// A label is a promise to the reader. A path may hold "login" for any reason, and "verify" for
	// signing in.
	for _, h := range all[1:] {
		if h.speech != saysNothing {
			return h
		}
	}
	if inPath == saysVerify {
		return all[0]
	}
	return heard{label: label}
}

// hearPath returns what a path says, also where capitals alone part the words of its names, as in
// "ConfirmEmailChange".
func hearPath(path string) speech {
	return max(hear(plain(pathWords.Replace(path))), hear(plain(separated(path))))
}

var pathWords = strings.NewReplacer("/", " ", "-", " ", "_", " ")

// sentenceEnds are what ends a sentence inside a line.
var sentenceEnds = []string{". ", "! ", "? ", "。", "！", "？", "। "}

// lastSentence returns what stands after the last whole sentence of s.
func lastSentence(s string) string {
	at := 0
	for _, end := range sentenceEnds {
		if i := strings.LastIndex(s, end); i >= 0 {
			at = max(at, i+len(end))
		}
	}
	return s[at:]
}

// firstSentence returns s up to the end of its first sentence.
func firstSentence(s string) string {
	at := len(s)
	for _, end := range sentenceEnds {
		if i := strings.Index(s, end); i >= 0 {
			at = min(at, i)
		}
	}
	return s[:at]
}

// forbids reports whether words speak of something that a link of a kind does not do.
func (h heard) forbids(kind Kind) bool {
	if kind == KindVerify {
		return h.speech > saysVerify
	}
	return h.speech > saysReset || h.speech == saysInvite
}

// sharply reports whether the label or the subject speak of something that a link with the shape
// of a verification does not do. A shape says more than the lines around it.
func (h heard) sharply(about topic) bool {
	return h.label >= saysReset || about.subject >= saysChange ||
		about.subject == saysReset && !about.verifies
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
	case saysAct, saysNotMe:
		return KindNotice
	}
	return KindUnknown
}

// decide chooses the kind and the link. If there are links of known shape, it looks at no others:
// an operator's path may cover a help page too.
func (f *Finding) decide(all []*found, subject speech, rule Rule) {
	best := leaveNone
	for _, c := range all {
		if c.kind != "" {
			best = max(best, c.leave)
		}
	}
	byKind, total := map[Kind][]*found{}, 0
	for _, c := range all {
		if best != leaveNone && c.leave == best && c.kind != "" && !c.vetoed {
			byKind[c.kind] = append(byKind[c.kind], c)
			total++
		}
	}
	verify, reset, login := byKind[KindVerify], byKind[KindReset], byKind[KindLogin]
	switch {
	case len(verify) > 0 && len(verify) < total:
		f.Reason = ReasonSeveralKinds
	case len(verify) > 0:
		f.take(KindVerify, verify, rule)
	case len(reset) > 0:
		f.take(KindReset, reset, rule)
	case len(login) > 0:
		f.take(KindLogin, login, rule)
	default:
		f.giveUp(all, subject)
	}
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
func (f *Finding) giveUp(all []*found, subject speech) {
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
	for _, kind := range []Kind{KindInvite, KindChange} {
		if c := strongest(all, kind); c != nil && (c.leave == leaveShape || f.Code == "") {
			f.Kind, f.Provider, f.Reason = kind, c.shape.name(), ReasonOtherKind
			return
		}
	}
	f.hold(all)
	asks := slices.ContainsFunc(all, func(c *found) bool { return c.token })
	if !asks && f.Code == "" && (subject == saysNothing || subject == saysNotMe) {
		f.Kind = KindNotice
	}
}

// strongest returns the link of a kind with the highest score; nil if there is none.
func strongest(all []*found, kind Kind) *found {
	var best *found
	for _, c := range all {
		if c.kind == kind && (best == nil || c.Score > best.Score) {
			best = c
		}
	}
	return best
}

// hold says that no link has leave to be used, and which entry of the rule would give it. There is
// such an entry only if one link is meant more than all others, and no words forbid it. Where words
// forbid a link that has leave, no entry helps.
func (f *Finding) hold(all []*found) {
	f.Reason = ReasonNoSecret
	top, lines := -1, map[string]bool{}
	for _, c := range all {
		if !c.allowed || !c.token {
			continue
		}
		if f.Reason = ReasonUnknownShape; c.vetoed && c.leave != leaveNone {
			f.Reason = ReasonForbidden
			return
		}
		if c.vetoed || c.leave != leaveNone || c.kind == KindNotice {
			continue
		}
		if c.Score > top {
			top = c.Score
			clear(lines)
		}
		if c.Score == top {
			lines[c.line] = true
		}
	}
	if len(lines) == 1 {
		for line := range lines {
			f.Allow = line
		}
	}
}

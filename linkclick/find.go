package linkclick

import (
	"cmp"
	"strings"
	"sync"
)

// Why a finding has no URL. These are the only values of Finding.Reason.
const (
	ReasonNoLink       = "the mail has no link and no code"
	ReasonNotAllowed   = "no link is allowed by the link rule"
	ReasonUnknownShape = "no link has a known shape or an allowed path"
	ReasonForbidden    = "the words around a link that may be used, or in it, speak of something else"
	ReasonNoSecret     = "no link carries a secret"
	ReasonCodeOnly     = "the mail has a code and no usable link"
	ReasonOtherKind    = "the link is of a kind that is never opened for a person"
	ReasonSeveralLinks = "several different links of the same kind"
	ReasonSeveralKinds = "links that verify and links that do something else"
	ReasonTooMany      = "more links or markup than can be looked at"
)

// Candidate is one distinct link of a mail and what speaks for it.
type Candidate struct {
	URL string // in normal form, or as written if it cannot be parsed; secret
	// Score is 100 for a known shape, and less the further away the telling words are. It is 0 if
	// nothing tells, and -1 if the link is not allowed.
	Score   int
	Reasons []string // fixed words
}

// Finding is what a mail wants and the one link or code that does it.
type Finding struct {
	Kind Kind
	// Provider is whose mail it is, such as "auth0", by its links, its sender or its footer. It is
	// empty if that is not known.
	Provider string
	// URL is the one link of the mail's kind. It is set only if Kind is verify, reset or login and
	// there is exactly one. Only the link of a verify mail is for clicking. The others are for the
	// reader alone. Secret.
	URL    string
	Code   string // the only one-time code of the mail; secret
	Recipe string // one of the Recipe constants: what redeeming URL takes
	// Candidates are all distinct links in the order of the mail, HTML first.
	Candidates []Candidate
	Reason     string // why URL is empty, one of the Reason constants; empty if it is not
	// Allow is the entry of Rule.Paths that would allow the mail's link, if Reason is
	// ReasonUnknownShape and one link can be meant. It holds no secret. The operator who adds it
	// decides what such links may do; words did not.
	Allow string
}

// maxField bounds what is read of a header field, in bytes.
const maxField = 2 << 10

func beginOf(field string) string {
	return strings.ToValidUTF8(field[:min(len(field), maxField)],
		"")
}

// Why returns the reason why there is no URL, for the operator to read. A held mail's names the
// exact entry that would allow its link. It holds no secret.
func (f Finding) Why() string {
	if f.Allow == "" {
		return f.Reason
	}
	return f.Reason +
		"; if it may be used, this entry of links.paths (SMSBRIDGE_LINK_PATHS) allows it: " +
		f.Allow
}

// topic is what a mail as a whole is about.
type topic struct {
	subject  speech
	verifies bool          // the subject speaks of verifying, whatever else it says
	body     func() speech // the worst of what the bodies speak of: a password or an act
}

// warns reports whether a mail with a silent subject speaks of a password or of an act on the
// account anywhere.
func (t topic) warns() bool { return t.subject == saysNothing && t.body() >= saysReset }

// Find looks for the one link or code that does what the mail is about. A link is found only if it
// has a shape that a provider writes, or a path that the operator allowed. The mail's markup, the
// words on and around the link, and the subject can forbid a link. They never allow one, since the
// author of a mail chooses its words, and no table of words knows all languages. The caller must
// have proved that the mail is the identity provider's. Find keeps nothing and connects to nothing.
func Find(m Mail, rule Rule) Finding {
	m.Subject, m.From = beginOf(m.Subject), beginOf(m.From)
	markup, text := readHTML(m.HTML), readText(m.Text)
	words, plainWords := markup.text.String(), text.text.String()
	signed := signedBy(m, words+"\n"+plainWords)
	without := rule.withoutName()
	m.Subject, words, plainWords = without(m.Subject), without(words), without(plainWords)
	subject := plain(m.Subject)
	about := topic{subject: hear(subject), verifies: speaksOf(subject, saysVerify)}
	about.body = sync.OnceValue(func() speech {
		switch all := meaningsOf(plain(words + "\n" + plainWords)); {
		case all.has(saysAct):
			return saysAct
		case all.has(saysReset):
			return saysReset
		}
		return saysNothing
	})
	links := append(markup.links(), text.links()...)
	for i := range links {
		links[i].without(without)
	}
	all := collect(links, rule, about)

	f := Finding{Kind: KindUnknown}
	search := codeSearch{letters: lettersOf(signed), anyLanguage: true, elements: markup.numbers()}
	for _, c := range all {
		f.Candidates = append(f.Candidates, c.Candidate)
		search.anyLanguage = search.anyLanguage && !c.token
		search.letters = cmp.Or(search.letters, lettersOf(c.shape.name()))
	}
	if markup.full || text.full {
		f.Provider, f.Reason = signed, ReasonTooMany
		return f // what was not read may contradict what was
	}
	code, context := search.find(m.Subject, words, plainWords)
	f.Code = code
	f.decide(all, about.subject, rule)
	if f.Kind == KindUnknown && code != "" {
		f.Kind, f.Reason, f.Allow = KindCode, ReasonCodeOnly, ""
		// A code that opens the way to a new password is a reset.
		silent := about.subject == saysNothing
		if about.subject == saysReset || silent && hear(plain(context)) == saysReset {
			f.Kind = KindReset
		}
	}
	f.Provider = cmp.Or(f.Provider, signed)
	return f
}

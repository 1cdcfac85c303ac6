package tenant

import (
	"slices"

	"smsbridge/internal/country"
	"smsbridge/phonemail"
)

// Use is what a text is for. Its sender follows from that.
type Use string

// The uses of a text that begins something. What follows a question comes from its sender.
const (
	ForQuestion Use = "question" // asks, and wants an answer
	ForLink     Use = "link"     // says a short link that the person opens
	ForCode     Use = "code"     // says a code, or other words without a link
)

// Works lists the countries of which the operator says more than the table of internal/country.
// It may have phonemail.AnyCountry.
type Works struct {
	Replies []string // phones there can text back to the tenant's number
	Names   []string // the tenant's name is registered there as a sender
	Links   []string // the tenant's short links are registered there
}

// Way is how a text goes to a phone.
type Way struct {
	Line    phonemail.Line // whom it comes from
	Answer  Answer         // how a question asks to be answered, "" for other uses
	Refusal string         // why no such text may go there, "" when it may
}

// Way decides how a text for a use goes to a phone: in the form that the settings ask for, else in
// the form that works in the phone's country, else not at all. Unknown links and names count as
// what needs to be registered. A reply is tried where it is unknown whether phones can text back:
// no form is safer.
func (t *Tenant) Way(phone phonemail.Number, use Use) Way { return t.WayTo(phone.Country(), use) }

// WayTo is Way for the phones of a country.
func (t *Tenant) WayTo(code string, use Use) Way {
	p := t.place(code)
	if use == ForQuestion {
		return p.ask(t.Question.Answer)
	}
	why := p.links.name
	switch {
	case use == ForLink && why == nothing:
		why = p.links.link
	case use == ForCode && slices.Contains(t.Sending.Providers, ByVerify):
		why = nothing // Verify has senders of its own
	}
	return Way{Line: p.links.Line, Refusal: why.in(code)}
}

// place is what a tenant can do in one country.
type place struct {
	code             string
	questions, links ability // of the sender of questions, and of that of links and codes
}

// ability is a sender with what keeps it from something.
type ability struct {
	phonemail.Line
	name  obstacle // from being seen
	reply obstacle // from getting replies
	link  obstacle // from saying a link
}

// obstacle is why a sender cannot do something in a country.
type obstacle int

const (
	nothing obstacle = iota
	ownSender
	nameGetsNoReply
	noReplies
	namesBlocked
	namesRegistered
	namesUnknown
	linksFiltered
	linksRegistered
	linksUnknown
	linksFromAbroad
)

// in says the obstacle of a country, with the setting that removes it, if one does.
func (o obstacle) in(code string) string {
	switch o {
	case ownSender:
		return "your own sender brings no replies"
	case nameGetsNoReply:
		return "a phone cannot reply to a name"
	case noReplies:
		return "phones of " + code + " cannot text back (replies_work)"
	case namesBlocked:
		return "operators of " + code + " block names as senders"
	case namesRegistered:
		return "operators of " + code + " take only registered names as senders (names_work)"
	case namesUnknown:
		return "it is not known whether operators of " + code + " take names as senders (names_work)"
	case linksFiltered:
		return "operators of " + code + " filter texts with links"
	case linksRegistered:
		return "operators of " + code + " filter texts with links that are not registered (links_work)"
	case linksUnknown:
		return "it is not known whether operators of " + code + " filter texts with links (links_work)"
	case linksFromAbroad:
		return "operators of " + code + " filter texts with links from a number of " + code +
			" (twilio.links_senders)"
	}
	return ""
}

func (t *Tenant) place(code string) place {
	facts := country.Of(code)
	return place{
		code:      code,
		questions: t.ability(code, facts, t.questionLine(code)),
		links:     t.ability(code, facts, t.linkLine(code)),
	}
}

// ask is how a question is put, when the settings ask for an answer in the way a.
func (p place) ask(a Answer) Way {
	canReply := p.questions.name == nothing && p.questions.reply == nothing
	canTap := p.links.name == nothing && p.links.link == nothing
	switch {
	case a == ByBoth && canReply && p.questions.link == nothing:
		return Way{Line: p.questions.Line, Answer: ByBoth}
	case canTap && (a == ByTap || !canReply):
		return Way{Line: p.links.Line, Answer: ByTap}
	case canReply:
		return Way{Line: p.questions.Line, Answer: ByReply}
	}
	reply, tap := max(p.questions.name, p.questions.reply), p.links.link
	if p.links.name != nothing {
		tap = p.links.name
	}
	w := Way{Line: p.questions.Line, Answer: a, Refusal: reply.in(p.code)}
	if tap != reply {
		w.Refusal += "; " + tap.in(p.code)
	}
	return w
}

// ability says what a sender can do in a country.
func (t *Tenant) ability(code string, facts country.Facts, line phonemail.Line) ability {
	a := ability{Line: line, link: t.linkObstacle(code, facts, line)}
	switch {
	case t.isOwn(line): // it may be anything, and its texts are another program's
		a.reply = ownSender
	case isAlphanumericSender(line.Sender):
		a.reply, a.name = nameGetsNoReply, t.nameObstacle(code, facts)
	case facts.Replies == country.No && !has(t.Works.Replies, code):
		a.reply = noReplies
	}
	return a
}

// nameObstacle is why a name is no sender in a country.
func (t *Tenant) nameObstacle(code string, facts country.Facts) obstacle {
	switch {
	case facts.Names == country.Blocked:
		return namesBlocked
	case facts.Names == country.Allowed || has(t.Works.Names, code):
		return nothing
	case facts.Names == country.Registered:
		return namesRegistered
	}
	return namesUnknown
}

// linkObstacle is why a text from a line cannot have a link in a country.
func (t *Tenant) linkObstacle(
	code string, facts country.Facts, line phonemail.Line,
) obstacle {
	switch works := has(t.Works.Links, code); {
	case facts.Links == country.Filtered:
		return linksFiltered
	case facts.Links == country.Registered && !works:
		return linksRegistered
	case facts.Links == country.Unknown && !works:
		return linksUnknown
	case facts.Abroad && isLocal(line.Sender, code):
		return linksFromAbroad
	}
	return nothing
}

// isLocal reports whether a sender is a number of a country.
func isLocal(sender, code string) bool {
	number, err := phonemail.ParseNumber(sender)
	return err == nil && number.Country() == code
}

// has reports whether a list has a country.
func has(countries []string, code string) bool {
	return slices.Contains(countries, code) || slices.Contains(countries, phonemail.AnyCountry)
}

// CodeWording is CodeText for a phone. Where a text must have no link it goes without the line of
// the site, which operators may take for one.
func (t *Tenant) CodeWording(phone phonemail.Number) func(code, locale string) string {
	if t.Codes.Domain == "" || t.Way(phone, ForLink).Refusal == "" {
		return t.CodeText
	}
	bare := *t
	bare.Codes.Domain = ""
	return bare.CodeText
}

// FormCodeWording is FormCodeText for a phone, likewise.
func (t *Tenant) FormCodeWording(phone phonemail.Number) func(code, locale string) string {
	if t.Way(phone, ForLink).Refusal == "" {
		return t.FormCodeText
	}
	bare := *t
	bare.public = ""
	return bare.FormCodeText
}

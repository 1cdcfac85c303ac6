package tenant

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"smsbridge/internal/country"
	"smsbridge/internal/settings"
	"smsbridge/phonemail"
)

// checkCountries finds what works in none of the tenant's countries, and warns once of each matter
// that works in some of them only.
func (l *loader) checkCountries(t *Tenant, given settings.Given) {
	codes := t.Policy.Countries
	if len(codes) == 0 || !t.asksSomehow() {
		return // that has been reported
	}
	everywhere := slices.Contains(codes, phonemail.AnyCountry)
	if everywhere {
		codes = allCountries()
	} else if l.refuseCountries(t, given, codes) {
		return
	}
	l.checkSendersOf(t, given)
	l.warnOfCountries(t, codes)
}

// asksSomehow reports whether the tenant has a sender that suits its way of asking anywhere.
func (t *Tenant) asksSomehow() bool {
	s := t.Sending
	switch {
	case slices.Contains(s.Providers, ByTwilio) && s.Twilio.From == "":
		return false
	case s.Twilio.From == "" && slices.Contains(s.Providers, ByFlowroute) && s.Flowroute.Number == "":
		return false
	case t.Question.Answer == ByTap:
		return true
	}
	line := t.questionLine("")
	return t.Question.Answer != "" && !t.isOwn(line) && !isAlphanumericSender(line.Sender)
}

// allCountries are the codes of all countries.
func allCountries() (codes []string) {
	for line := range strings.Lines(countryTable) {
		code, _, _ := strings.Cut(line, " ")
		codes = append(codes, code)
	}
	return codes
}

// refuseCountries reports what can be done in none of the countries.
func (l *loader) refuseCountries(t *Tenant, given settings.Given, codes []string) bool {
	always := func(is func(code string) bool) bool {
		return !slices.ContainsFunc(codes, func(code string) bool { return !is(code) })
	}
	first := codes[0]
	ask := t.WayTo(first, ForQuestion)
	switch {
	case always(func(code string) bool { return t.WayTo(code, ForQuestion).Refusal != "" }):
		l.Add(given.Place("answer"), settings.Wrong(
			"cannot be had in any of the countries: "+ask.Refusal, hintCompliance(first)))
	case always(
		func(code string) bool { return t.WayTo(code, ForQuestion).Answer != t.Question.Answer }):
		l.Add(given.Place("answer"), settings.Wrong("is "+string(t.Question.Answer)+
			", which works in none of the countries: "+t.missing(first),
			fmt.Sprintf("write answer = %s, or %s", ask.Answer, hintCompliance(first))))
	case always(func(code string) bool { return t.WayTo(code, ForCode).Refusal != "" }):
		l.Add(given.Place("twilio.from"), settings.Wrong("can text no code to any of the countries: "+
			t.WayTo(first, ForCode).Refusal, hintCompliance(first)))
	default:
		return false
	}
	return true
}

// missing is what keeps a question from being asked as the settings say.
func (t *Tenant) missing(code string) string {
	p := t.place(code)
	switch {
	case t.Question.Answer == ByReply:
		return max(p.questions.name, p.questions.reply).in(code)
	case t.Question.Answer == ByTap:
		return max(p.links.name, p.links.link).in(code)
	case p.questions.link != nothing:
		return p.questions.link.in(code)
	}
	return max(p.questions.name, p.questions.reply).in(code)
}

func hintCompliance(code string) string {
	return "register what is missing and say so in the setting that the message names; " +
		"smsbridge compliance " + code + " says where"
}

// checkSendersOf finds senders of one country that it does not take.
func (l *loader) checkSendersOf(t *Tenant, given settings.Given) {
	for _, of := range []struct {
		key     string
		senders map[string]string
	}{
		{"twilio.senders", t.Sending.Senders}, {"twilio.links_senders", t.Sending.LinksSenders},
	} {
		for _, code := range slices.Sorted(maps.Keys(of.senders)) {
			sender := of.senders[code]
			if !isAlphanumericSender(sender) {
				continue
			}
			if why := t.nameObstacle(code, country.Of(code)); why != nothing {
				l.Add(given.Place(of.key), settings.Wrong("has a name for "+code+": "+why.in(code),
					hintCompliance(code)))
			}
		}
	}
	for _, code := range t.Works.Links {
		if t.place(code).links.link == linksFromAbroad {
			l.Add(given.Place("links_work"), settings.Wrong("has "+code+", and "+
				linksFromAbroad.in(code), "name a sender that works in twilio.links_senders: a number "+
				"of another country, or a name"))
		}
	}
}

// warnOfCountries says once which texts will not go where.
func (l *loader) warnOfCountries(t *Tenant, codes []string) {
	where := func(is func(code string) bool) string {
		return enumerate(slices.DeleteFunc(slices.Clone(codes),
			func(code string) bool { return !is(code) }))
	}
	matter := func(countries, what, remedy string) {
		if countries != "" {
			l.Warn("tenant %s: %s: %s; %s", t.Slug, countries, what, remedy)
		}
	}
	matter(where(func(code string) bool { return t.place(code).links.link != nothing }),
		"no links are texted there, because operators filter those that are not registered: "+
			"questions ask for a reply, and mails are refused whose link would be passed on",
		"once yours are registered, add the country to links_work")
	matter(where(func(code string) bool { return t.WayTo(code, ForQuestion).Refusal != "" }),
		"no questions are asked there: their phones cannot text back, or operators refuse the sender",
		"smsbridge compliance says what each country needs")
	matter(where(func(code string) bool { return t.place(code).links.name != nothing }),
		"the name as sender of links and codes is not known to work there",
		"register it and add the country to names_work, or name a number in twilio.links_senders")
	matter(where(func(code string) bool {
		return country.Of(code).Replies == country.Unknown && !has(t.Works.Replies, code) &&
			t.WayTo(code, ForQuestion).Answer != ByTap
	}), "it is not known whether phones there can text back, and questions ask for it",
		"try it, and add the country to replies_work")
}

// enumerate lists countries, the first few by their codes.
func enumerate(codes []string) string {
	const most = 12
	if len(codes) > most {
		return fmt.Sprintf("%s and %d more countries", strings.Join(codes[:most], ", "),
			len(codes)-most)
	}
	return strings.Join(codes, ", ")
}

package tenant

import (
	"net"
	"net/netip"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"smsbridge/internal/segment"
	"smsbridge/internal/settings"
	"smsbridge/internal/wording"
	"smsbridge/phonemail"
)

// loader reads the settings of tenants, and checks what is wrong with them together.
type loader struct {
	*settings.Loader
	process settings.Given
	given   map[*Tenant]settings.Given
}

func newLoader(environ []string) *loader {
	return &loader{
		Loader: settings.NewLoader(environ), given: map[*Tenant]settings.Given{},
	}
}

// addTenant adds a tenant of what was given, and reports its mistakes.
func (l *loader) addTenant(s *Settings, given settings.Given) {
	t := &Tenant{texts: wording.Texts{}}
	settings.Fill(l.Loader, t, tenantOptions(), given)
	if t.Address.Prefix == "" {
		t.Address.Prefix = t.Slug
	}
	l.given[t] = given
	l.checkProviders(t, given)
	l.checkHosts(t, given)
	l.checkSender(t, given)
	l.checkWords(t, given)
	l.checkTexts(t, given)
	l.checkCodes(t, given)
	l.checkLimits(t, given)
	l.checkAPI(t, given)
	l.checkEvents(t, given)
	l.checkDoors(t, given)
	l.checkAuth0(t, given)
	l.checkAnswer(t, given)
	l.checkProof(t, given)
	l.checkCountries(t, given)
	l.warnOf(t)
	s.Tenants.all = append(s.Tenants.all, t)
}

// checkHosts keeps ports and addresses for those who allow unsafe networks.
func (l *loader) checkHosts(t *Tenant, given settings.Given) {
	for _, host := range t.Links.IdPHosts {
		name, _, err := net.SplitHostPort(host)
		if err != nil {
			name = host
		}
		_, notIP := netip.ParseAddr(strings.Trim(name, "[]"))
		if (err == nil || notIP == nil) && len(t.Links.UnsafeAllow) == 0 {
			l.Add(given.Place("idp_hosts"), settings.Wrong("has a port or an IP address",
				"links lead to host names on port 443; for a test set-up see unsafe_allow"))
			return
		}
	}
}

// checkWords finds words that mean yes and no. A tenant that gave none has those of its language.
func (l *loader) checkWords(t *Tenant, given settings.Given) {
	if own := t.ownLanguage(); own != wording.English {
		if !given.Has("accept") {
			t.Question.Accept = []string{wording.Answer(own)}
		}
		if !given.Has("deny") {
			t.Question.Deny = []string{wording.Denial(own)}
		}
	}
	for _, word := range t.Question.Accept {
		denies := func(no string) bool { return strings.EqualFold(word, no) }
		if slices.ContainsFunc(t.Question.Deny, denies) {
			l.Add(given.Place("accept"), settings.Wrong(
				"has "+strconv.Quote(word)+", which also denies", "take it out of accept or of deny"))
		}
	}
}

// checkTexts fills every text once, in the languages in which the tenant is most likely to text, as
// it would be at its longest.
func (l *loader) checkTexts(t *Tenant, given settings.Given) {
	if _, twice := t.textsBy[t.ownLanguage()]; twice {
		l.Add(given.Place("wordings"), settings.Wrong("has texts in "+t.ownLanguage()+
			", which is the language of the tenant", "write them under texts"))
	}
	for _, language := range t.Languages() {
		for _, s := range wording.Sayings() {
			l.checkText(t, given, language, s)
		}
	}
}

// checkText fills one text. A mistake in a text of the tenant's own is shown where that was given.
// One in a shipped text of another language is shown at the name, which makes it too long.
func (l *loader) checkText(
	t *Tenant, given settings.Given, language string, s wording.Saying,
) {
	_, own := t.textsIn(language)[s]
	place := "name"
	switch {
	case own && language != t.ownLanguage():
		place = "wordings"
	case language == t.ownLanguage():
		place = textKey(s)
	}
	text := t.Say(language, s, t.Sample(language))
	// Of a shipped text in another language only the name is the tenant's, and that has been judged.
	if own || language == t.ownLanguage() {
		if fault := wording.JudgeSaying(s, text); fault != nil {
			l.Add(given.Place(place), mistake(fault))
			return
		}
	}
	n := segment.Measure(text).Segments
	switch {
	case n > s.MostSegments(language) && !t.LongTexts:
		l.Add(given.Place(place), settings.Wrong(
			"makes the text "+string(s)+" in "+language+" take "+strconv.Itoa(n)+" segments",
			"shorten it, or allow it: long_texts; smsbridge texts shows what each text takes"))
	case n > s.MostSegments(language):
		l.Warn("tenant %s: the text %s in %s takes %d segments and costs as many", t.Slug, s, language, n)
	}
	asks := s == wording.AskRegistration || s == wording.AskPassword || s == wording.Wrong
	says := func(word string) bool { return wording.HasWord(text, word) }
	if asks && language == t.ownLanguage() && !slices.ContainsFunc(t.Question.Accept, says) {
		l.Warn("tenant %s: the text %s does not say which word to reply; use {{.Answer}}", t.Slug, s)
	}
}

// Sample is what the tenant's texts in a language are filled with to be measured.
func (t *Tenant) Sample(language string) wording.Fill {
	word, choice := t.AskedAnswer(language), wording.Choice(language, t.Name, false)
	return wording.Fill{
		Choices: word + " 4821 " + choice + ", " + word + " 7730 " + choice, Count: 2,
		Code: wording.SampleCode, Link: wording.SampleLink, Life: t.Question.ValidFor,
		About: wording.About(language, true), Contact: wording.SampleContact,
		Subject: wording.SampleSubject,
	}
}

// checkAnswer finds a sender that cannot receive what the tenant asks for.
func (l *loader) checkAnswer(t *Tenant, given settings.Given) {
	if isAlphanumericSender(t.Sending.Twilio.From) && t.Question.Answer != ByTap {
		l.Add(given.Place("twilio.from"), settings.Wrong("is a name, to which nobody can reply",
			"use a number that can receive texts (+…), or a Messaging Service of such numbers (MG…), "+
				"or let people tap instead: answer = tap"))
	}
	password, code := textKey(wording.AskPassword), textKey(wording.AskPasswordCode)
	if t.Mails.Reset == Ask && !t.Question.UnsafeBareYes && given.Has(password) && !given.Has(code) {
		l.Add(given.Place(password), settings.Wrong(
			"is not said: a reply about a password must repeat the code of the question",
			"say it with {{.Code}} in "+given.Place(code)+" instead, or take a bare yes: "+
				given.Place("unsafe_bare_yes")))
	}
	for _, said := range []struct{ alone, beside wording.Saying }{
		{wording.AskRegistration, wording.AskRegistrationCode},
		{wording.BothRegistration, wording.BothRegistrationCode},
	} {
		if given.Has(textKey(said.alone)) && !given.Has(textKey(said.beside)) {
			l.Warn("tenant %s: the text %s is yours and %s is not: beside another open question the "+
				"phone gets the shipped words", t.Slug, said.alone, said.beside)
		}
	}
	if t.Mails.Keep == KeepMailgun && (t.Mails.Login == Relay || t.Mails.Reset == Relay) {
		l.Warn("tenant %s: a link that is relayed is kept here, sealed, for as long as its short "+
			"link leads there, although keep is mailgun", t.Slug)
	}
	if t.Mails.Reset == Ask && t.Question.UnsafeBareYes {
		l.Warn("tenant %s: UNSAFE: a bare yes changes a password; whoever can fake a text's sender "+
			"can take over accounts (unsafe_bare_yes)", t.Slug)
	}
}

// checkProof finds half an access to the identity provider's API.
func (l *loader) checkProof(t *Tenant, given settings.Given) {
	const kind, address, id, secret = "proof.kind", "proof.url", "proof.client_id", "proof.secret"
	if !slices.ContainsFunc([]string{kind, address, id, secret}, given.Has) {
		return
	}
	p := t.Proof
	switch {
	case given.Has(kind) && p.Kind == "": // reported already
	case !given.Has(kind):
		l.Add(given.Place(kind), settings.Wrong("is missing beside the other proof settings",
			"write auth0, keycloak or gotrue, or leave all of them out"))
	case !given.Has(address):
		l.Add(given.Place(address), settings.Wrong("is missing",
			"write the address of the identity provider's API"))
	case !given.Has(secret):
		l.Add(given.Place(secret), settings.Wrong("is missing",
			"refer to the secret of a client that may read users"))
	case !given.Has(id) && (p.Kind == ProofAuth0 || p.Kind == ProofKeycloak):
		l.Add(given.Place(id), settings.Wrong("is missing",
			"write the id of a client that may read users"))
	case p.Kind == ProofKeycloak && p.URL != "" && !strings.Contains(p.URL, "/realms/"):
		l.Add(given.Place(address), settings.Wrong("does not name a realm",
			"write it as https://id.acme.example/realms/acme"))
	}
}

// warnOf says loudly what is unsafe although it is allowed.
func (l *loader) warnOf(t *Tenant) {
	if len(t.Links.UnsafeAllow) > 0 {
		l.Warn("tenant %s: UNSAFE: links may lead into private networks, also over plain http "+
			"(unsafe_allow)", t.Slug)
	}
	if slices.Contains(t.Policy.Countries, phonemail.AnyCountry) {
		l.Warn("tenant %s: texts go to ALL countries, also where they are costly and fraud is "+
			"common (countries)", t.Slug)
	}
	if t.Question.ValidFor > defaultLife {
		l.Warn("tenant %s: a question stays open for %s; more than 10m gives a stolen phone more "+
			"time (valid_for)", t.Slug, settings.Span(t.Question.ValidFor))
	}
}

// hasOpenPassword reports whether the password in a URL has a sign that stands for something else
// there: one that ends the password, or a % that begins no escape. The clients of PostgreSQL take
// the first @ for its end.
func hasOpenPassword(address string) bool {
	_, rest, is := strings.Cut(address, "://")
	if !is {
		return false
	}
	authority := rest
	if end := strings.IndexAny(rest, "/?#"); end >= 0 {
		authority = rest[:end]
	}
	if user, _, found := strings.Cut(authority, "@"); found {
		_, err := url.PathUnescape(user)
		return err != nil || strings.Count(authority, "@") > 1
	}
	_, port, _ := strings.Cut(authority, ":")
	return strings.Trim(port, "0123456789") != "" && strings.Contains(rest, "@")
}

func isDatabase(s string) bool {
	if path, ok := strings.CutPrefix(s, "sqlite:"); ok {
		return path != "" && !strings.HasPrefix(path, ":") // :memory: is no file
	}
	u, err := url.Parse(s)
	return err == nil && (u.Scheme == "postgres" || u.Scheme == "postgresql") && u.Path != ""
}

package tenant

import (
	"encoding/base64"
	"encoding/hex"
	"net"
	"net/netip"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"text/template"
	"time"
	"unicode"
	"unicode/utf8"

	"smsbridge/internal/segment"
	"smsbridge/phonemail"
)

// Twilio's client library refuses credentials that are not alphanumeric before
// it asks Twilio (errors 21222 and 21224).
var (
	accountSID   = regexp.MustCompile(`^AC[0-9a-zA-Z]{32}$`)
	serviceSID   = regexp.MustCompile(`^MG[0-9a-zA-Z]{32}$`)
	alphanumeric = regexp.MustCompile(`^[0-9a-zA-Z]+$`)

	alphanumericSender = regexp.MustCompile(`^[0-9A-Za-z +_&-]{1,11}$`)
)

// addTenant adds a tenant of what was given, and reports its mistakes.
func (l *loader) addTenant(s *Settings, given map[string]value, place placer) {
	t := defaultTenant()
	t.texts = map[Saying]*template.Template{}
	fill(l, t, tenantOptions(), given, place)
	if t.Address.Prefix == "" {
		t.Address.Prefix = t.Slug
	}
	l.places[t] = place
	l.checkProviders(t, given, place)
	l.checkHosts(t, place)
	l.checkWords(t, place)
	l.checkTexts(t, place)
	l.checkCodes(t, place)
	l.checkAPI(t, place)
	l.checkDoors(t, place)
	l.checkAuth0(t, given, place)
	l.checkAnswer(t, place)
	l.checkProof(t, place)
	l.warnOf(t)
	s.Tenants.all = append(s.Tenants.all, t)
}

// checkHosts keeps ports and addresses for those who allow unsafe networks.
func (l *loader) checkHosts(t *Tenant, place placer) {
	for _, host := range t.IdPHosts {
		name, _, err := net.SplitHostPort(host)
		if err != nil {
			name = host
		}
		_, notIP := netip.ParseAddr(strings.Trim(name, "[]"))
		if (err == nil || notIP == nil) && len(t.UnsafeAllow) == 0 {
			l.add(place("idp_hosts"), wrong("has a port or an IP address", "links lead to host names on port 443; for a test set-up see unsafe_allow"))
			return
		}
	}
}

// checkWords finds words that mean yes and no.
func (l *loader) checkWords(t *Tenant, place placer) {
	for _, word := range t.Accept {
		if slices.ContainsFunc(t.Deny, func(no string) bool { return strings.EqualFold(word, no) }) {
			l.add(place("accept"), wrong("has "+strconv.Quote(word)+", which also denies", "take it out of accept or of deny"))
		}
	}
}

// checkTexts renders every text once, as it would be at its longest.
func (l *loader) checkTexts(t *Tenant, place placer) {
	word := first(t.Accept)
	choices := "Reply " + word + " 4821 for " + t.Name + " or " + word + " 7730 for " + t.Name
	for _, s := range Sayings() {
		text := t.Say(s, Fill{Choices: choices, Count: 2, Code: longestCode, Link: linkSample})
		if m := judgeText(text); m != nil {
			l.add(place(textKey(s)), m)
			continue
		}
		if m := judgeFields(s, text); m != nil {
			l.add(place(textKey(s)), m)
			continue
		}
		if n := segment.Measure(text).Segments; n > 1 {
			l.warn("tenant %s: the text %s takes %d segments and costs as many", t.Slug, s, n)
		}
		asks := s == AskRegistration || s == AskPassword || s == Wrong
		if asks && !slices.ContainsFunc(t.Accept, func(word string) bool { return hasWord(text, word) }) {
			l.warn("tenant %s: the text %s does not say which word to reply; use {{.Answer}}", t.Slug, s)
		}
	}
}

// What texts are checked with in place of a code and of a short link: as long, and nothing that phones show as a link.
const (
	longestCode = "4821482148"
	linkSample  = "SHORT-LINK-OF-THE-BRIDGE-OF-SOME-FIFTY-CHARACTERS-"
)

// judgeFields keeps the code and the link in the texts that are about them, and out of all others.
func judgeFields(s Saying, text string) *Mistake {
	if has := strings.Contains(text, longestCode); has != s.hasCode() {
		if has {
			return wrong("has {{.Code}}, which is empty there", "leave it out")
		}
		return wrong("does not tell the code", "put {{.Code}} into it")
	}
	if has := strings.Contains(text, linkSample); has != s.hasLink() {
		if has {
			return wrong("has {{.Link}}, which is empty there", "leave it out")
		}
		return wrong("does not have the link", "put {{.Link}} into it, with white space around it")
	}
	return nil
}

// checkAnswer finds a sender that cannot receive what the tenant asks for.
func (l *loader) checkAnswer(t *Tenant, place placer) {
	if isAlphanumericSender(t.Twilio.From) && t.Answer != ByTap {
		l.add(place("twilio.from"), wrong("is a name, to which nobody can reply",
			"use a number that can receive texts (+…), or a Messaging Service of such numbers (MG…), or let people tap instead: answer = tap"))
	}
	if t.Reset == Ask && !t.UnsafeBareYes && t.texts[AskPassword] != nil && t.texts[AskPasswordCode] == nil {
		l.add(place(textKey(AskPassword)), wrong("is not said: a reply about a password must repeat the code of the question",
			"say it with {{.Code}} in "+place(textKey(AskPasswordCode))+" instead, or take a bare yes: "+place("unsafe_bare_yes")))
	}
	if t.Keep == KeepMailgun && (t.Login == Relay || t.Reset == Relay) {
		l.warn("tenant %s: a link that is relayed is kept here, sealed, for as long as its short link leads there, although keep is mailgun", t.Slug)
	}
	if t.Reset == Ask && t.UnsafeBareYes {
		l.warn("tenant %s: UNSAFE: a bare yes changes a password; whoever can fake a text's sender can take over accounts (unsafe_bare_yes)", t.Slug)
	}
}

// checkProof finds half an access to the identity provider's API.
func (l *loader) checkProof(t *Tenant, place placer) {
	p := t.Proof
	if p == (Proof{}) {
		return
	}
	switch {
	case p.Kind == "":
		l.add(place("proof.kind"), wrong("is missing beside the other proof settings", "write auth0, keycloak or gotrue, or leave all of them out"))
	case p.URL == "":
		l.add(place("proof.url"), wrong("is missing", "write the address of the identity provider's API"))
	case p.Secret.Reveal() == "":
		l.add(place("proof.secret"), wrong("is missing", "refer to the secret of a client that may read users"))
	case p.ClientID == "" && p.Kind != ProofGoTrue:
		l.add(place("proof.client_id"), wrong("is missing", "write the id of a client that may read users"))
	case p.Kind == ProofKeycloak && !strings.Contains(p.URL, "/realms/"):
		l.add(place("proof.url"), wrong("does not name a realm", "write it as https://id.acme.example/realms/acme"))
	}
}

// isAlphanumericSender reports whether a sender is a name: https://www.twilio.com/docs/glossary/what-alphanumeric-sender-id
func isAlphanumericSender(s string) bool {
	return alphanumericSender.MatchString(s) && strings.ContainsFunc(s, unicode.IsLetter) && !serviceSID.MatchString(s)
}

// hasWord reports whether a text has a word, or several in a row, without regard
// to capitals and punctuation.
func hasWord(text, word string) bool {
	plain := func(s string) string {
		return " " + strings.Join(strings.FieldsFunc(strings.ToLower(s), func(r rune) bool {
			return !unicode.IsLetter(r) && !unicode.IsMark(r) && !unicode.IsNumber(r)
		}), " ") + " "
	}
	return strings.Contains(plain(text), plain(word))
}

// How long a question may be open. The default is what NIST SP 800-63B, 5.1.3.2
// allows a code sent by text; longer is riskier, but people read texts late.
const (
	minLife     = time.Minute
	defaultLife = 10 * time.Minute
	maxLife     = 24 * time.Hour
)

// warnOf says loudly what is unsafe although it is allowed.
func (l *loader) warnOf(t *Tenant) {
	if len(t.UnsafeAllow) > 0 {
		l.warn("tenant %s: UNSAFE: links may lead into private networks, also over plain http (unsafe_allow)", t.Slug)
	}
	if slices.Contains(t.Policy.Countries, phonemail.AnyCountry) {
		l.warn("tenant %s: texts go to ALL countries, also where they are costly and fraud is common (countries)", t.Slug)
	}
	if t.ValidFor > defaultLife {
		l.warn("tenant %s: a question stays open for %s; more than 10m gives a stolen phone more time (valid_for)", t.Slug, t.ValidFor)
	}
}

// baseURL checks the address of a web service, and returns it without a slash at
// the end. It is https, except on the loopback interface.
func baseURL(s string) (string, *Mistake) {
	u, err := url.Parse(s)
	switch {
	case err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http":
		return "", wrong("is not a web address", "write it as https://host")
	case u.User != nil || u.RawQuery != "" || u.ForceQuery || u.Fragment != "":
		return "", wrong("has a user, a query or a fragment", "write it as https://host or https://host/path")
	case u.Scheme == "http" && !isLoopbackURL(s):
		return "", wrong("is plain http", "use https; http is for localhost only")
	}
	return strings.TrimRight(s, "/"), nil
}

func isLoopbackURL(s string) bool {
	u, err := url.Parse(s)
	if err != nil {
		return false
	}
	ip, err := netip.ParseAddr(u.Hostname())
	return u.Hostname() == "localhost" || err == nil && ip.IsLoopback()
}

func isDatabase(s string) bool {
	if path, ok := strings.CutPrefix(s, "sqlite:"); ok {
		return path != ""
	}
	u, err := url.Parse(s)
	return err == nil && (u.Scheme == "postgres" || u.Scheme == "postgresql") && u.Path != ""
}

// sealingKey takes 32 bytes as people write them.
func sealingKey(s string) (Secret, *Mistake) {
	for _, decode := range []func(string) ([]byte, error){
		hex.DecodeString, base64.StdEncoding.DecodeString, base64.RawStdEncoding.DecodeString,
		base64.URLEncoding.DecodeString, base64.RawURLEncoding.DecodeString,
	} {
		if key, err := decode(s); err == nil && len(key) == 32 {
			return NewSecret(s), nil
		}
	}
	return Secret{}, wrong("is not a key of 32 bytes in hex or base64", "make one with: openssl rand -hex 32")
}

func countries(codes []string) ([]string, *Mistake) {
	var all []string
	for _, code := range codes {
		code = strings.ToUpper(code)
		switch {
		case code == phonemail.AnyCountry && len(codes) > 1:
			return nil, wrong("has * beside countries", "write either * or the countries")
		case code != phonemail.AnyCountry && !phonemail.IsCountry(code):
			return nil, wrong("has an unknown country "+strconv.Quote(code), "use codes of two letters (ISO 3166-1), such as DK, SE or GB")
		}
		all = append(all, code)
	}
	return all, nil
}

// hosts checks names, or IP addresses, with or without a port.
func hosts(names []string) ([]string, *Mistake) {
	var all []string
	for _, host := range names {
		host = strings.ToLower(host)
		u, err := url.Parse("https://" + host)
		if err != nil || u.Host != host || strings.ContainsAny(host, "*_") || strings.HasSuffix(host, ":") || !isHost(u.Hostname()) {
			return nil, wrong("has something that is not a host", "write hosts alone, such as login.acme.example, without https:// and without a path")
		}
		all = append(all, host)
	}
	return all, nil
}

func isHost(name string) bool {
	_, err := netip.ParseAddr(name)
	return err == nil || name == "localhost" || phonemail.ValidDomain(name)
}

func prefixes(texts []string) ([]netip.Prefix, *Mistake) {
	var all []netip.Prefix
	for _, text := range texts {
		p, err := netip.ParsePrefix(text)
		if err != nil || p.Bits() == 0 {
			return nil, wrong("has something that is not a network", "write a prefix, such as 127.0.0.0/8, longer than /0")
		}
		all = append(all, p.Masked())
	}
	return all, nil
}

func life(s string) (time.Duration, *Mistake) {
	d, err := time.ParseDuration(s)
	switch {
	case err != nil:
		return defaultLife, wrong("is not a duration", "write a number with its unit, such as 10m or 8h")
	case d < minLife || d > maxLife:
		return defaultLife, wrong("is not from 1m to 24h", "10m is recommended")
	}
	return d, nil
}

// choice reports a word that is none of the allowed ones.
func choice(word string, allowed ...string) *Mistake {
	if slices.Contains(allowed, word) {
		return nil
	}
	return wrong("is not "+strings.Join(allowed, " or "), "write one of these words, in small letters")
}

// maxName keeps a name from taking over the texts it is put into.
const maxName = 40

// judgeName keeps what phones would make a link or a code of out of the texts.
func judgeName(name string) *Mistake {
	switch {
	case hasHidden(name):
		return wrong("has control or invisible characters", "retype it")
	case looksLikeLink(name) || looksLikeBoundCode(name):
		return wrong("looks like a link or a code", "write the name alone, without a dot before letters, and without @ and #")
	case utf8.RuneCountInString(name) > maxName:
		return wrong("is longer than "+strconv.Itoa(maxName)+" characters", "use the short name")
	}
	return nil
}

// providerWords lists what Twilio, and laws, take for stop, start and help when
// it is the whole text. Such a reply never gets to be read as an answer.
//
// Source: https://help.twilio.com/articles/223134027
func providerWords() []string {
	return []string{
		"STOP", "STOPALL", "UNSUBSCRIBE", "CANCEL", "END", "QUIT", "REVOKE", "OPTOUT", "ARRET", "ARRÊT",
		"START", "UNSTOP", "HELP", "INFO",
	}
}

const maxWord = 32

func judgeWords(words []string) *Mistake {
	for _, word := range words {
		switch {
		case slices.ContainsFunc(providerWords(), func(w string) bool { return strings.EqualFold(w, word) }):
			return wrong("has "+strconv.Quote(word)+", which stops, starts or explains texts at Twilio", "choose another word")
		case utf8.RuneCountInString(word) > maxWord || hasHidden(word):
			return wrong("has a word of more than 32 characters, or with invisible ones", "choose short words")
		}
	}
	return nil
}

// judgeSecret finds what no provider's key has, but a bad copy often does.
func judgeSecret(s string) *Mistake {
	if strings.ContainsFunc(s, func(r rune) bool { return r <= ' ' || r > '~' || strings.ContainsRune("\"'<>", r) }) {
		return wrong("has spaces, quotes or other characters that no key has", "copy it again, without quotes around it")
	}
	return nil
}

// judgeSender wants a sender that can be replied to.
//
// Source: https://www.twilio.com/docs/glossary/what-alphanumeric-sender-id
func judgeSender(s string) *Mistake {
	if _, err := phonemail.ParseNumber(s); err == nil || serviceSID.MatchString(s) || isAlphanumericSender(s) {
		return nil // checkAnswer says whether a name will do
	}
	if strings.HasPrefix(s, "MG") && len(s) > 11 {
		return wrong("is not a Messaging Service SID", "it is MG and 32 letters and digits")
	}
	if strings.Trim(s, "+0123456789 ()-.") == "" {
		return wrong("is not a number in international form", "write + and digits only, such as +15005550006; put a short code into a Messaging Service (MG…)")
	}
	return wrong("is not a sender", "write a number that can receive texts (+…), the SID of a Messaging Service of such numbers (MG…), or a name of up to 11 letters and digits with answer = tap")
}

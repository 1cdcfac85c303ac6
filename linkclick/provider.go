package linkclick

import (
	"encoding/base64"
	"encoding/json"
	"net/url"
	"slices"
	"strings"
	"sync"
)

// This file says what a provider is and lists them all. What is known of one provider is in
// provider_<name>.go and nowhere else. What several providers share is in the files of the part
// that uses it: the recipes in redeem_recipe.go, the verdicts in judge_redirect.go and the
// phrases in judge_phrases.go.

// provider is all that this package knows of one identity provider. The name must be set, and
// either shapes or noLink. The package comment says how to add a provider.
type provider struct {
	// name is the value of Finding.Provider, and NAME in testdata/mail/NAME-*.eml.
	name string

	// Finding.

	shapes []shape // how its links look; the first that fits is taken
	noLink string  // why it has no shape; empty if it has one
	// tell returns the kind of a link that has a shape of this provider, given the kind of that
	// shape. It is nil if the shape tells all.
	tell    func(kind Kind, path string, query url.Values) Kind
	letters int      // length of its codes if they hold letters; 0 if they are digits
	senders []string // domains from which it mails for tenants that have no mail server
	footers []string // its names in the footer of a mail, after one of credits; lower case

	// Redeeming.

	recipe recipe // a recipe that no other provider has; the zero value if it has none
	// menu holds the parameters with which its language menu repeats the page's own address.
	menu []string

	// Judging.

	verdicts []verdict // parameters of a redirect that tell the end
	marks    []mark    // elements of a page that tell the end
	// phrases are sentences of its pages that no other provider has, by outcome. They are in plain
	// form. Those of success may be of any language, and count for its own links only. The others are
	// English.
	phrases map[Outcome][]string
	// proves reports whether a redirect that carries no word tells of success. It is asked about the
	// response to the link itself, before anything was posted; nil means no.
	proves func(link *url.URL, a response, to *url.URL) bool
	// provesBody is true if proves needs the body of the redirect, which is not read otherwise.
	provesBody bool
	truth      string // member of a JSON response of status 2xx that is true after success
	refusal    int    // status with which it refuses its links beside 400, 404 and 410; 0 for none
	// back is the parameter of its link that names where it sends the person afterwards. It is empty
	// if the link does not say it.
	back string
	// worded is true if its redirects have a sentence beside their parameters. To a host outside the
	// rule such a redirect tells of success only if the sentence does.
	worded bool
}

// providers are all identity providers, in the order in which their shapes are compared.
var providers = []*provider{
	&auth0, &keycloak, &gotrue, &hasura, &kratos, &zitadel, &authentik, &okta, &fusionauth,
	&cognito, &firebase, &betterauth, &supertokens, &clerk, &pocketbase, &rauthy, &phoenix,
	&allauth, &authelia, &authgear, &casdoor, &entra, &hanko, &logto,
	// Mastodon and GitLab stand above Devise, whose shapes are more general.
	&mastodon, &gitlab, &devise, &rails, &authjs, &django, &laravel, &symfony, &aspnet, &jhipster,
	&discourse, &mattermost, &nextcloud, &ghost, &strapi, &directus, &appwrite, &parse, &meteor,
	&wordpress, &woocommerce, &drupal, &moodle, &odoo, &gitea,
}

// shape is a link as one provider writes it.
type shape struct {
	// path holds the last segments of the path. "*" is any one segment, "{id}" one that may be a
	// secret, "{name}" one that says nothing, and the other forms are those of segmentForms. With a
	// "#" in it, the fragment belongs to the path.
	path string
	// query holds the parameters that must be there, as "name" or "name=value".
	query string
	// kind is empty if links of another kind have this shape too, and only the words of a mail tell
	// them apart. Words never decide. So such a link needs a path that the operator allowed.
	kind     Kind
	recipe   string
	provider *provider // set by indexShapes
}

// knowledge is what the providers and the generic tables say.
type knowledge struct {
	verdicts  []verdict // in the order in which they are looked for
	marks     []mark
	menu      []string
	languages []language
	phrases   phraseTable               // of all languages, in their order
	praise    map[*provider]phraseTable // what each provider alone says of success
	recipes   []recipe
	shapes    shapeIndex
	footer    int // bytes of the longest footer
}

// known is put together once, with the first mail: most starts of the program read none.
var known = sync.OnceValue(func() *knowledge { return learn(providers) })

// learn puts together what the providers and the generic tables say.
func learn(all []*provider) *knowledge {
	k := &knowledge{
		verdicts:  slices.Clone(genericVerdicts),
		languages: slices.Clone(genericLanguages),
		praise:    map[*provider]phraseTable{},
		recipes:   slices.Clone(genericRecipes),
		shapes:    indexShapes(all),
	}
	var every language // a phrase of a provider may be in each
	for _, l := range genericLanguages {
		every.unless = append(every.unless, l.unless...)
		every.denies, every.after = append(every.denies, l.denies...), append(every.after, l.after...)
	}
	for i, l := range k.languages {
		k.languages[i] = l.withFailures()
	}
	english := &k.languages[0]
	for _, p := range all {
		for _, v := range p.verdicts {
			v.provider = p
			k.verdicts = append(k.verdicts, v)
		}
		for _, m := range p.marks {
			m.provider = p
			k.marks = append(k.marks, m)
		}
		k.menu = append(k.menu, p.menu...)
		own := language{name: p.name, unless: every.unless, denies: every.denies, after: every.after,
			late: true, alone: true, phrases: map[Outcome][]string{}}
		for outcome, phrases := range p.phrases {
			if succeeds(outcome) {
				own.phrases[outcome] = phrases
				continue
			}
			english.phrases[outcome] = slices.Concat(english.phrases[outcome], phrases)
		}
		k.praise[p] = tableOf(own)
		if p.recipe.name != "" {
			k.recipes = append(k.recipes, p.recipe)
		}
		for _, name := range p.footers {
			k.footer = max(k.footer, len(name))
		}
	}
	k.phrases = tableOf(k.languages...)
	slices.SortStableFunc(k.verdicts, func(a, b verdict) int { return int(a.turn - b.turn) })
	return k
}

// recipe returns the recipe of a name; the zero value if there is none.
func (k *knowledge) recipe(name string) recipe {
	for _, r := range k.recipes {
		if r.name == name {
			return r
		}
	}
	return recipe{}
}

// shapeOf returns the shape that u has, with its provider and with its kind as far as the link
// tells it. It returns the zero value if no provider writes such a link. It does so too if u can be
// read in two ways, or if another part of u speaks of something else than the shape: then u is not
// the provider's, or not what it seems.
func shapeOf(u *url.URL) shape {
	if !isPlainlyWritten(u) {
		return shape{}
	}
	query := u.Query()
	for _, s := range known().shapes.near(u, query) {
		if !s.fitsPath(u) || !s.fitsQuery(query) {
			continue
		}
		if s.provider.tell != nil {
			s.kind = s.provider.tell(s.kind, u.Path, query)
		}
		if s.strays(u) || contradicts(u, s.kind, strings.Fields(s.query)) {
			return shape{}
		}
		return s
	}
	return shape{}
}

// tells reports whether the link names its own purpose, in a parameter or in a token. Then no word
// around it is needed or heard. Another framework may use a path alone for something else.
func (s shape) tells() bool {
	return strings.Contains(s.query, "=") ||
		slices.ContainsFunc(s.provider.shapes, func(row shape) bool {
			return row.path == s.path && row.query == s.query && row.kind == ""
		})
}

// name returns the name of the shape's provider; empty for the zero value.
func (s shape) name() string {
	if s.provider == nil {
		return ""
	}
	return s.provider.name
}

func (s shape) fitsPath(u *url.URL) bool {
	if s.path == "" {
		return true
	}
	path := strings.TrimSuffix(u.Path, "/")
	if strings.Contains(s.path, "#") {
		path = u.Path + "#" + u.Fragment
	}
	want, have := strings.Split(s.path, "/")[1:], strings.Split(path, "/")
	if len(have) <= len(want) { // have begins with the empty segment before the first slash
		return false
	}
	for i, w := range want {
		if !fitsSegment(w, have[len(have)-len(want)+i]) {
			return false
		}
	}
	return true
}

func (s shape) fitsQuery(query url.Values) bool {
	for p := range strings.FieldsSeq(s.query) {
		name, value, exact := strings.Cut(p, "=")
		if got := query.Get(name); got == "" || (exact && got != value) {
			return false
		}
	}
	return true
}

// payloadOf returns the claims of a JWT (RFC 7519); nil if it is none. They are read, not
// verified. They only tell what a link is for, and a sender who forged them could have forged the
// link.
func payloadOf(jwt string) map[string]any {
	parts := strings.Split(jwt, ".")
	if len(parts) != 3 {
		return nil
	}
	raw, err := base64.RawURLEncoding.DecodeString(strings.TrimRight(parts[1], "="))
	if err != nil {
		return nil
	}
	var claims map[string]any
	if json.Unmarshal(raw, &claims) != nil {
		return nil
	}
	return claims
}

// lettersOf returns how long the codes with letters are that a provider draws; 0 if it draws none.
func lettersOf(name string) int {
	for _, p := range providers {
		if p.name == name {
			return p.letters
		}
	}
	return 0
}

// credits are the words before a provider's name in a footer.
var credits = []string{"powered by ", "secured by ", "protected by ", "sent by "}

// signedBy names the provider of a mail whose links do not, by its sender or its footer. The name
// explains the mail and decides nothing.
func signedBy(m Mail, text string) string {
	domain := strings.TrimRight(strings.ToLower(m.From), "> \t")
	domain = domain[strings.LastIndexByte(domain, '@')+1:] // the name before it may hold one, too
	for _, p := range providers {
		for _, sender := range p.senders {
			if domain == sender || strings.HasSuffix(domain, "."+sender) {
				return p.name
			}
		}
	}
	text = strings.ToLower(text)
	for _, credit := range credits {
		for at := 0; ; {
			n := strings.Index(text[at:], credit)
			if n < 0 {
				break
			}
			at += n + len(credit)
			if name := credited(text[at : at+min(len(text)-at, known().footer)]); name != "" {
				return name
			}
		}
	}
	return ""
}

// credited returns the name of the provider whose footer text begins with.
func credited(text string) string {
	for _, p := range providers {
		for _, footer := range p.footers {
			rest, ok := strings.CutPrefix(text, footer)
			if ok && (rest == "" || !isLetter(rest[0])) {
				return p.name
			}
		}
	}
	return ""
}

func isLetter(c byte) bool { return c|0x20 >= 'a' && c|0x20 <= 'z' || c == '-' }

package linkclick

import (
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"
)

// This file learns an entry of [Rule].Paths from samples: two or more mails whose links have one
// unknown shape. One link can only guess which of its parts are secret. Several show which parts
// vary, so the entry can be narrower than the line that one mail teaches.

// Lesson is what samples teach. It holds nothing that differs between the samples.
type Lesson struct {
	Entry string // of Rule.Paths; it fits the link of each sample
	Kind  Kind   // what the links that fit it will be taken for: verify, reset or login
	// Sure says that the words of each sample speak of Kind. Without it nothing but the operator
	// says that such links verify.
	Sure bool
	Host string // of the samples' links
	// Lets says what else the entry would let through, and Example is the path and query of such a
	// link. It is empty if only values of parameters can differ.
	Lets, Example string
	// Kept are segments that do not look like words and are the same in all samples. They may name
	// one account, and then the entry fits no other.
	Kept []string
}

// Why samples teach nothing. No sentence holds a part of a mail, but for an entry that was refused.
var (
	errFewSamples = errors.New("one mail cannot show which parts of its link vary: give two or more")
	errSameMail   = errors.New(
		"two samples have the same link: give mails to two people, or of two days")
	errHosts = errors.New(
		"the samples' links are on different hosts: learn from each host by itself")
	errLengths = errors.New(
		"the samples' links have paths of different lengths: they have no path in common")
	errWildcards = errors.New("nothing in the paths is the same in all samples: " +
		"the rule would let every link through")
	errUnwritable = errors.New(
		"the links cannot be written as a rule: they can be read in two ways, " +
			"are too long, or hold a character that separates settings")
)

// Learn returns the narrowest entry of Rule.Paths that fits the link of every sample: what is the
// same in all stays, and what differs becomes a wildcard. The link of a sample is the one that
// carries a secret, is on an allowed host and has a shape that no provider has. Learn returns an
// error that says why, if the samples have no such entry, or if it would open nothing.
func Learn(samples []Mail, rule Rule) (Lesson, error) {
	if len(samples) < 2 {
		return Lesson{}, errFewSamples
	}
	links, err := linksToLearn(samples, rule)
	if err != nil {
		return Lesson{}, err
	}
	entry, kept, err := entryFor(links)
	if err != nil {
		return Lesson{}, err
	}
	lesson := Lesson{Entry: entry, Host: links[0].Host, Kept: kept}
	if err := lesson.try(samples, links, rule); err != nil {
		return Lesson{}, err
	}
	lesson.warn(links[0])
	return lesson, nil
}

// linksToLearn returns the link of each sample.
func linksToLearn(samples []Mail, rule Rule) ([]*url.URL, error) {
	var all [][]*url.URL
	for i, m := range samples {
		f := Find(m, rule)
		if f.URL != "" && f.Provider != "" {
			return nil, fmt.Errorf("sample %d needs no rule: its link has the shape of a link of %s",
				i+1, f.Provider)
		}
		var links []*url.URL
		for _, c := range f.Candidates {
			u, err := url.Parse(c.URL)
			if err != nil || c.Score < 0 || !carriesSecret(u) {
				continue
			}
			if shapeOf(u).kind == "" {
				links = append(links, u)
			}
		}
		if len(links) == 0 {
			return nil, fmt.Errorf("sample %d has no link of unknown shape that carries a secret "+
				"on an allowed host", i+1)
		}
		all = append(all, links)
	}
	return alike(all)
}

// alike chooses the link of each sample: the only one whose host, length and parameters are found
// in all samples, or else the only one whose host and length are.
func alike(all [][]*url.URL) ([]*url.URL, error) {
	count := map[string]int{}
	for _, links := range all {
		for _, u := range links {
			count[u.String()]++
		}
	}
	for i, links := range all { // a link that is in two samples is about no mail
		all[i] = slices.DeleteFunc(links, func(u *url.URL) bool { return count[u.String()] > 1 })
		if len(all[i]) == 0 {
			return nil, errSameMail
		}
	}
	for _, outline := range []func(*url.URL) string{withParameters, withoutParameters} {
		families := common(all, outline)
		if len(families) == 1 {
			return families[0], nil
		}
		if len(families) > 1 {
			return nil, ambiguous(families)
		}
	}
	hosts := func(links []*url.URL) string { return links[0].Host }
	if slices.ContainsFunc(all, func(links []*url.URL) bool { return hosts(links) != hosts(all[0]) }) {
		return nil, errHosts
	}
	return nil, errLengths
}

func withoutParameters(u *url.URL) string {
	return fmt.Sprint(u.Host, len(segmentsOf(u.Path)), len(segmentsOf(routeOf(u))))
}

func withParameters(u *url.URL) string {
	names := []string{withoutParameters(u)}
	for _, p := range parametersOf(u) {
		if !isCampaign(p.name) {
			names = append(names, p.name)
		}
	}
	slices.Sort(names[1:])
	return strings.Join(names, "\x00")
}

// routeOf returns the path in the fragment; empty if the fragment holds parameters.
func routeOf(u *url.URL) string {
	route, _, _ := strings.Cut(u.Fragment, "?")
	if strings.Contains(route, "=") {
		return ""
	}
	return route
}

// common returns the families of links that have exactly one member in each sample.
func common(all [][]*url.URL, outline func(*url.URL) string) [][]*url.URL {
	var families [][]*url.URL
	for _, first := range all[0] {
		family := []*url.URL{}
		for _, links := range all {
			same := slices.DeleteFunc(slices.Clone(links), func(u *url.URL) bool {
				return outline(u) != outline(first)
			})
			if len(same) != 1 {
				break
			}
			family = append(family, same[0])
		}
		if len(family) == len(all) {
			families = append(families, family)
		}
	}
	return families
}

// ambiguous names the entries among which only the operator can choose.
func ambiguous(families [][]*url.URL) error {
	var entries []string
	for _, family := range families {
		if entry, _, err := entryFor(family); err == nil {
			entries = append(entries, entry)
		}
	}
	return fmt.Errorf("the samples have %d links each that could be meant; their rules would be: %s",
		len(families), strings.Join(entries, "  "))
}

// entryFor returns the narrowest entry without a kind that fits all links, and the literals in it
// that do not look like words.
func entryFor(links []*url.URL) (entry string, kept []string, err error) {
	var paths, routes [][]string
	same := true
	for _, u := range links {
		if !isPlainlyWritten(u) {
			return "", nil, errUnwritable
		}
		paths, routes = append(paths, segmentsOf(u.Path)), append(routes, segmentsOf(routeOf(u)))
		same = same && withParameters(u) == withParameters(links[0])
	}
	path, route := merge(paths), merge(routes)
	entry = "/" + strings.Join(path, "/")
	for _, s := range slices.Concat(path, route) {
		if s != "*" && !isWordy(s) {
			kept = append(kept, s)
		}
	}
	switch {
	case same && links[0].Fragment != "":
		entry += "#"
		if len(route) > 0 {
			entry += "/" + strings.Join(route, "/")
		}
		fallthrough
	case same:
		entry += "?" + mergeParameters(links)
	}
	wild := slices.Contains(path, "*") || slices.Contains(route, "*")
	if wild && !slices.ContainsFunc(slices.Concat(path, route), isLiteral) || entry == "/" {
		return "", nil, errWildcards
	}
	p, ok := readPath(entry)
	if !ok || !isWritable(entry) {
		return "", nil, errUnwritable
	}
	if slices.ContainsFunc(links, func(u *url.URL) bool { return !p.fits(u) }) {
		return "", nil, errUnwritable
	}
	return entry, kept, nil
}

// merge returns the segments that are the same in all paths of one length, and "*" for the others.
func merge(paths [][]string) []string {
	merged := slices.Clone(paths[0])
	for _, path := range paths[1:] {
		for i, segment := range path {
			if segment != merged[i] {
				merged[i] = "*"
			}
		}
	}
	return merged
}

// mergeParameters returns the names of the parameters of all links. A value stays if it is a word
// or empty, and the same in all.
func mergeParameters(links []*url.URL) string {
	var merged []string
	for _, p := range parametersOf(links[0]) {
		if isCampaign(p.name) {
			continue
		}
		everywhere := !slices.ContainsFunc(links, func(u *url.URL) bool {
			return !slices.Contains(parametersOf(u), p)
		})
		if everywhere && (p.value == "" || isWordy(p.value)) {
			merged = append(merged, p.name+"="+p.value)
		} else {
			merged = append(merged, p.name)
		}
	}
	return strings.Join(merged, "&")
}

// try lets the rule with the entry judge every sample again. The words around a link may still
// forbid it, and only this tells what the entry would do. It sets the kind, in the entry too, so
// that words in another mail do not choose another one.
func (l *Lesson) try(samples []Mail, links []*url.URL, rule Rule) error {
	open := rule
	open.Paths = []string{l.Entry}
	l.Sure = true
	for i, m := range samples {
		f := Find(m, open)
		if f.URL != links[i].String() {
			return fmt.Errorf("no rule would open the link of sample %d: %s", i+1, f.whyNot(links[i]))
		}
		if l.Kind != "" && f.Kind != l.Kind {
			return fmt.Errorf("the samples do different things: one is a mail to %s and one to %s",
				l.Kind, f.Kind)
		}
		l.Kind = f.Kind
		l.Sure = l.Sure && wordsSay(Find(m, rule), links[i], f.Kind)
	}
	l.Entry = string(l.Kind) + ":" + l.Entry
	return nil
}

// whyNot says why a finding has another link than this, or none.
func (f Finding) whyNot(link *url.URL) string {
	for _, c := range f.Candidates {
		if c.URL == link.String() && len(c.Reasons) > 0 {
			return strings.Join(c.Reasons, "; ")
		}
	}
	if f.Reason != "" {
		return f.Reason
	}
	return "the mail has another link that is used"
}

// wordsSay reports whether words around a link say that it is of a kind.
func wordsSay(f Finding, link *url.URL, kind Kind) bool {
	return slices.ContainsFunc(f.Candidates, func(c Candidate) bool {
		return c.URL == link.String() && slices.ContainsFunc(c.Reasons, func(reason string) bool {
			return strings.HasSuffix(reason, " says "+string(kind))
		})
	})
}

// warn says what else the entry lets through.
func (l *Lesson) warn(link *url.URL) {
	p, _ := readPath(l.Entry)
	wild := slices.Contains(p.Segments, "*") || slices.Contains(p.Route, "*")
	var names []string
	for _, name := range p.Query {
		if !strings.Contains(name, "=") {
			names = append(names, name)
		}
	}
	switch {
	case !p.Exact:
		l.Lets = "every link whose path begins like this, with anything below it and with any parameters"
		l.Example = strings.ReplaceAll("/"+strings.Join(p.Segments, "/"), "*", "delete") +
			"/delete?any=value"
		return
	case wild:
		l.Lets = "every link of this form, whatever stands in the place of *"
		l.Example = strings.ReplaceAll(strings.TrimPrefix(l.Entry, string(l.Kind)+":"), "*", "delete")
	default:
		l.Lets = "every link with exactly this path"
	}
	if len(names) > 0 {
		l.Lets += ", with any value of " + strings.Join(names, ", ")
	}
	if link.Fragment == "" && len(p.Query) == 0 {
		l.Lets += ", without parameters"
	}
	l.Example = strings.TrimSuffix(l.Example, "?")
}

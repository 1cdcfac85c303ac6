package linkclick

import (
	"net/url"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/net/html"
	"golang.org/x/net/html/atom"
)

// page is what a click needs to know of an HTML page.
type page struct {
	text    string          // visible words, blocks as lines
	ids     map[string]bool // of visible elements
	forms   []form          // with method POST, also hidden ones: a script may submit them
	anchors []anchor        // visible ones
}

// form is a POST form.
type form struct {
	action  string // as written; empty means the page itself
	fields  url.Values
	buttons []button
	asks    bool // has a field for a person to fill in
	odd     bool // wants more than we send: multipart, or a button with a target of its own
}

type button struct{ name, value, label string }

type anchor struct{ href, label string }

// readPage parses an HTML page of bounded size. It returns the zero page for markup that nests
// too deep for the parser.
func readPage(body string) page {
	// Without scripting, so that noscript is read as by a browser without scripts. Providers put the
	// button there that their script presses.
	root, err := html.ParseWithOptions(strings.NewReader(body), html.ParseOptionEnableScripting(false))
	if err != nil {
		return page{}
	}
	r := pageReader{page: page{ids: map[string]bool{}}, sheet: readSheet(root)}
	r.read(root, false)
	r.page.text = joinBroken(r.text.String())
	return r.page
}

type pageReader struct {
	page  page
	sheet sheet
	text  strings.Builder
	form  *form // the POST form being read
}

// read takes in n and what is below it. Recursion is bounded by the parser, which nests no deeper
// than 512.
func (r *pageReader) read(n *html.Node, hidden bool) {
	switch n.Type {
	case html.TextNode:
		if !hidden {
			r.text.WriteString(oneLine.Replace(n.Data))
		}
		return
	case html.ElementNode:
		hidden = hidden || r.sheet.hides(n)
		if id := attr(n, "id"); id != "" && !hidden {
			r.page.ids[id] = true
		}
		switch {
		case hidden:
		case n.DataAtom == atom.Br:
			r.text.WriteByte(lineBreak)
		case isBlock(n.DataAtom), n.DataAtom == atom.Noscript:
			r.text.WriteByte('\n')
			defer r.text.WriteByte('\n')
		}
		switch n.DataAtom {
		case atom.A:
			if href := strings.TrimSpace(attr(n, "href")); href != "" && !hidden {
				r.page.anchors = append(r.page.anchors, anchor{href, words(nodeText(n))})
			}
		case atom.Form:
			r.readForm(n, hidden)
			return
		case atom.Input, atom.Button, atom.Select, atom.Textarea:
			r.readField(n)
		}
	}
	closed := n.DataAtom == atom.Details && !hasAttr(n, "open")
	for c := n.FirstChild; c != nil; c = c.NextSibling {
		r.read(c, hidden || closed && c.DataAtom != atom.Summary)
	}
}

// lineBreak stands for a <br> until joinBroken decides what it is.
const lineBreak = '\v'

// joinBroken makes a space of a break inside a sentence, and a line end of any other. A sentence
// goes on after a break if the next line begins with a small letter: "We will tell you when<br>your
// email has been verified". Without that its condition would be lost. A German one may go on with a
// capital letter.
func joinBroken(text string) string {
	var b strings.Builder
	line := "" // the end of the line so far
	for before, after, found := strings.Cut(text, string(lineBreak)); ; {
		b.WriteString(before)
		if !found {
			return b.String()
		}
		line += before
		line = line[max(0, len(line)-maxContext):]
		next, _ := utf8.DecodeRuneInString(strings.TrimLeft(after, " \u00a0"))
		if goesOn(line, next) {
			b.WriteByte(' ')
			line += " "
		} else {
			b.WriteByte('\n')
			line = ""
		}
		before, after, found = strings.Cut(after, string(lineBreak))
	}
}

// goesOn reports whether the sentence at the end of a line goes on with the letter after a break.
func goesOn(line string, next rune) bool {
	line = strings.TrimRight(line, " \u00a0")
	last, _ := utf8.DecodeLastRuneInString(line)
	if strings.ContainsRune(".!?:;\n", last) {
		return false
	}
	line = line[strings.LastIndexAny(line, ".!?\n")+1:]
	return unicode.IsLower(next) ||
		unicode.IsUpper(next) && hasWord(strings.ToLower(line), germanConditions)
}

func (r *pageReader) readForm(n *html.Node, hidden bool) {
	outer := r.form
	r.form = nil
	if strings.EqualFold(attr(n, "method"), "post") {
		enctype := attr(n, "enctype")
		r.form = &form{
			action: strings.TrimSpace(attr(n, "action")), fields: url.Values{},
			odd: enctype != "" && !strings.EqualFold(enctype, "application/x-www-form-urlencoded"),
		}
	}
	for c := n.FirstChild; c != nil; c = c.NextSibling {
		r.read(c, hidden)
	}
	if r.form != nil {
		r.page.forms = append(r.page.forms, *r.form)
	}
	r.form = outer
}

// readField adds a field or button to the form being read (HTML Standard, "constructing the entry
// list").
func (r *pageReader) readField(n *html.Node) {
	if r.form == nil || hasAttr(n, "disabled") {
		return
	}
	kind := strings.ToLower(attr(n, "type"))
	if n.DataAtom == atom.Button && kind == "" {
		kind = "submit"
	}
	name, value := attr(n, "name"), attr(n, "value")
	switch {
	case kind == "hidden" && n.DataAtom == atom.Input:
		if name != "" {
			r.form.fields.Add(name, value)
		}
	case kind == "submit" || kind == "image":
		r.form.odd = r.form.odd || hasAttr(n, "formaction") || hasAttr(n, "formmethod") ||
			kind == "image" && name != ""
		r.form.buttons = append(r.form.buttons, button{name, value, words(value + " " + nodeText(n))})
	case kind == "button" || kind == "reset":
	default:
		r.form.asks = true
	}
}

// submission returns what a browser would send for f, and whether a click may submit f by itself.
// That is a form of hidden fields with at most one button, which only means going on.
func (f form) submission() (url.Values, bool) {
	if f.asks || f.odd || len(f.buttons) > 1 {
		return nil, false
	}
	for _, b := range f.buttons {
		if !isGoingOn(b.label) {
			return nil, false
		}
		if b.name != "" {
			f.fields.Add(b.name, b.value)
		}
	}
	return f.fields, true
}

// isGoingOn reports whether a click may press a button or anchor for a person who wants to be
// verified. It may press nothing that signs in, deletes or sends another mail.
func isGoingOn(label string) bool {
	said := hear(label)
	if said != saysNothing && said != saysVerify {
		return false
	}
	return !hasStem(" "+label, again)
}

// again are words for asking for another mail, and for leaving. The Danish "igen" begins a word:
// the German "bestätigen" ends in it.
var again = []string{
	"resend", "re-send", "send", "request", "new link", "log out", "logout", "sign out", "try again",
	"back", "erneut", "neuen link", "abbrechen", " igen", "igjen", "annuller", "avbryt", "opnieuw",
	"annuleer", "renvoyer", "annuler", "reenviar", "nuevo enlace", "rispedi", "invia", "novo link",
}

// proceed returns the target of the one anchor that leads to the page's own path again and has
// the named parameters. It is empty if there is none or more than one.
func (p page) proceed(at *url.URL, params []string) string {
	found := ""
	for _, a := range p.anchors {
		to, err := at.Parse(a.href)
		if err != nil || strings.HasPrefix(a.href, "#") || !isGoingOn(a.label) {
			continue
		}
		if !sameOrigin(to, at) || to.Path != at.Path {
			continue
		}
		query := to.Query()
		// A language menu repeats the page's own address.
		if slices.ContainsFunc(known().menu, query.Has) ||
			slices.ContainsFunc(params, func(name string) bool { return query.Get(name) == "" }) {
			continue
		}
		if to.Fragment = ""; found != "" && found != to.String() {
			return ""
		}
		found = to.String()
	}
	return found
}

func sameOrigin(a, b *url.URL) bool {
	return a.Scheme == b.Scheme && strings.EqualFold(a.Host, b.Host)
}

func nodeText(n *html.Node) string {
	var b strings.Builder
	for c := range n.Descendants() {
		if c.Type == html.TextNode {
			b.WriteString(c.Data)
		}
	}
	return b.String()
}

func attr(n *html.Node, name string) string {
	for _, a := range n.Attr {
		if a.Key == name {
			return a.Val
		}
	}
	return ""
}

func hasAttr(n *html.Node, name string) bool {
	return slices.ContainsFunc(n.Attr, func(a html.Attribute) bool { return a.Key == name })
}

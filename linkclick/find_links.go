package linkclick

import (
	"bytes"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/net/html"
	"golang.org/x/net/html/atom"
)

// This file turns the bodies of a mail into links with the words around them.

// Bounds of one extraction. A tokenizer does not nest, so depth costs nothing.
const (
	maxTokens  = 100_000
	maxLinks   = 200
	maxContext = 300 // bytes of words looked at on either side of a link
)

// link is one occurrence of a URL in a mail, with the words around it.
type link struct {
	raw        string // the URL as written, character references decoded
	label      string // words that are clicked
	head, tail string // what shares the label's line
	before     string // the line above, if it has no link of its own
	confirms   bool   // is marked up as a schema.org ConfirmAction
}

// document is a body as text with its links. Blocks of HTML become lines.
type document struct {
	text    strings.Builder
	spans   []span // in order, not overlapping
	actions []link // marked up for programs
	alone   []span // digits that have an element to themselves
	full    bool   // a bound was reached, so there may be more links
}

// span is the place of a link or a number in the text.
type span struct {
	href       string
	start, end int
}

// readText finds the URLs of a plain text body.
func readText(body string) *document {
	d := &document{}
	if d.full = len(body) > maxBody; d.full {
		body = body[:strings.LastIndexAny(body[:maxBody], " \n")+1]
	}
	d.text.WriteString(strings.ReplaceAll(body, "\r", ""))
	d.spans = appendURLs(nil, d.text.String(), 0)
	d.bound()
	return d
}

// readHTML finds a[href] and the URLs that stand in the visible text. A relative link means
// nothing in a mail and is judged like any other.
func readHTML(body string) *document {
	d := &document{full: len(body) > maxBody}
	z := html.NewTokenizer(strings.NewReader(body[:min(len(body), maxBody)]))
	z.SetMaxBuf(maxBody)
	d.text.Grow(min(len(body), maxBody) / 4) // most of a mail's HTML is markup
	r := htmlReader{document: d, open: -1}
	for n := 0; ; n++ {
		if n == maxTokens || r.nesting.full || len(d.spans) > maxLinks || len(d.actions) > maxLinks {
			d.full = true
			break
		}
		kind := z.Next()
		if kind == html.ErrorToken {
			break
		}
		switch kind {
		case html.TextToken:
			r.words(z.Text())
		case html.StartTagToken, html.SelfClosingTagToken:
			tag, unknown := tagOf(z)
			a := attributes(z)
			r.at = d.text.Len()
			r.sight = r.start(tag, unknown, a, kind == html.SelfClosingTagToken)
			r.startTag(tag, a)
		case html.EndTagToken:
			tag, unknown := tagOf(z)
			r.endTag(tag)
			if at, ok := r.end(tag, unknown); ok {
				r.standsAlone(at)
			}
			r.sight = r.nesting.sight()
		}
	}
	r.closeSpan()
	d.addVisibleURLs()
	d.bound()
	return d
}

// tagOf returns the tag that a tokenizer has come to, or its name if it is none of HTML. Nearly all
// are written in small letters, and are known without the copy that TagName makes.
func tagOf(z *html.Tokenizer) (tag atom.Atom, unknown string) {
	name := bytes.TrimPrefix(bytes.TrimPrefix(z.Raw(), []byte("<")), []byte("/"))
	end := 0
	for end < len(name) && isAlnum(name[end]) {
		end++
	}
	if end < len(name) && strings.IndexByte(" \t\n\f\r/>", name[end]) >= 0 {
		tag = atom.Lookup(name[:end])
	}
	if tag == 0 {
		name, _ = z.TagName()
		tag = atom.Lookup(name)
	}
	if tag == 0 {
		return 0, string(name)
	}
	return tag, ""
}

// htmlReader is where a tokenizer stands in a document.
type htmlReader struct {
	*document
	nesting
	sight  sight // of what comes next
	open   int   // the anchor being read, -1 outside
	shown  bool  // it has something that can be seen and clicked
	raw    bool  // inside script, style, title
	linked bool  // inside a script of JSON-LD
	action actionScope
}

func (r *htmlReader) words(text []byte) {
	switch {
	case r.linked:
		r.actions = append(r.actions, linkedActions(text)...)
	case !r.raw && !r.sight.hidden() && !r.sight.tiny:
		for i, c := range text { // line ends of the source mean spaces
			if c == '\n' || c == '\r' || c == '\t' {
				text[i] = ' '
			}
		}
		r.text.Write(text)
		r.shown = r.shown || bytes.ContainsFunc(text, isVisible)
	}
}

// isVisible reports whether a letter leaves something to be clicked.
func isVisible(c rune) bool { return !unicode.IsSpace(c) && !unicode.Is(unicode.Cf, c) }

func (r *htmlReader) startTag(tag atom.Atom, a attrs) {
	r.raw = isRaw(tag)
	r.linked = tag == atom.Script && strings.EqualFold(a.kind, "application/ld+json")
	r.action.start(r.document, tag, a)
	switch {
	case tag == atom.A:
		r.closeSpan()
		if a.href != "" && !r.sight.hidden() {
			r.open, r.shown = len(r.spans), strings.Contains(a.style, "background")
			r.spans = append(r.spans, span{href: a.href, start: r.text.Len()})
		}
	case r.sight.hidden():
	case tag == atom.Img:
		r.text.WriteString(" " + oneLine.Replace(a.alt) + " ")
		r.shown = true
	case tag == atom.Svg, tag == atom.Picture, tag == atom.Input, tag == atom.Button:
		r.shown = true
	case isBlock(tag) && r.open >= 0:
		r.text.WriteByte(' ') // a table as a button does not end its link
	case isBlock(tag):
		r.text.WriteByte('\n')
	}
}

func (r *htmlReader) endTag(tag atom.Atom) {
	r.raw, r.linked = false, false
	r.action.end(r.document, tag)
	if tag == atom.A {
		r.closeSpan()
	} else if isBlock(tag) {
		r.text.WriteByte('\n')
	}
}

// standsAlone keeps the text since a place, where an element began that ends now, if it is a number
// like a code.
func (r *htmlReader) standsAlone(at int) {
	if r.text.Len()-at > 40 || len(r.alone) > maxNumbers {
		return
	}
	digits := strings.TrimSpace(r.text.String()[at:])
	if digits != "" && !isPlainLetter(digits[0]) && isNumber(asciiDigits(digits)) {
		r.alone = append(r.alone, span{start: at, end: r.text.Len()})
	}
}

// isPlainLetter reports whether a byte begins no number: it is in ASCII, and no digit.
func isPlainLetter(c byte) bool { return c < utf8.RuneSelf && !isDigit(c) }

// closeSpan ends the anchor being read. One in which the reader saw nothing is no link.
func (r *htmlReader) closeSpan() {
	switch {
	case r.open < 0:
		return
	case r.shown:
		r.spans[r.open].end = r.text.Len()
	default:
		r.spans = r.spans[:r.open]
	}
	r.open = -1
}

// addVisibleURLs adds the URLs outside anchors; mail programs make links of them.
func (d *document) addVisibleURLs() {
	text, anchors, at := d.text.String(), d.spans, 0
	d.spans = nil
	for _, a := range anchors {
		d.spans = append(appendURLs(d.spans, text[at:a.start], at), a)
		at = a.end
	}
	d.spans = appendURLs(d.spans, text[at:], at)
}

func (d *document) bound() {
	if len(d.spans) > maxLinks {
		d.spans, d.full = d.spans[:maxLinks], true
	}
	if len(d.actions) > maxLinks {
		d.actions, d.full = d.actions[:maxLinks], true
	}
}

// links returns every link with its words.
func (d *document) links() []link {
	text := d.text.String()
	links := make([]link, 0, len(d.spans))
	for i, s := range d.spans {
		// Words beyond a neighboring link belong to that one.
		from, to := max(0, s.start-maxContext), min(len(text), s.end+maxContext)
		if i > 0 {
			from = max(from, d.spans[i-1].end)
		}
		if i+1 < len(d.spans) {
			to = min(to, d.spans[i+1].start)
		}
		head, tail := text[from:s.start], text[s.end:to]
		above := ""
		if n := strings.LastIndexByte(head, '\n'); n >= 0 {
			above, head = strings.TrimRight(head[:n], " \n"), head[n+1:]
			above = above[strings.LastIndexByte(above, '\n')+1:]
		}
		tail, _, _ = strings.Cut(tail, "\n")
		label := text[s.start:min(s.end, s.start+maxContext)]
		links = append(links, link{raw: s.href, label: label, head: head, tail: tail, before: above})
	}
	return append(links, d.actions...)
}

// appendURLs adds the http and https URLs of text, which starts at offset.
func appendURLs(spans []span, text string, offset int) []span {
	for at := 0; ; {
		n := strings.Index(text[at:], "://")
		if n < 0 || len(spans) > maxLinks {
			return spans
		}
		colon := at + n
		at = colon + len("://")
		start := colon - len("https")
		if start < 0 || !strings.EqualFold(text[start:colon], "https") {
			if start = colon - len("http"); start < 0 || !strings.EqualFold(text[start:colon], "http") {
				continue
			}
		}
		// RFC 3986 appendix C: angle brackets delimit a URL exactly. Without them the punctuation of
		// the sentence may stand at its end, and what is around it may end it.
		raw := text[start:endOfURL(text, at, start == 0 || text[start-1] != '<')]
		end := start + len(raw)
		at = max(at, end)
		// Some senders put an HTML URL in the text part unchanged.
		spans = append(spans, span{strings.ReplaceAll(raw, "&amp;", "&"), offset + start, offset + end})
	}
}

// endOfURL returns where a URL in running text ends, of which the scheme ends at a place. A loose
// one ends before a bracket that was opened before it, as in "(see https://…)" or
// "[https://…](https://…)", and before the punctuation of its sentence.
func endOfURL(text string, at int, loose bool) int {
	end, round, square := at, 0, 0
	for end < len(text) && isURLByte(text[end]) {
		switch c := text[end]; {
		case !loose:
		case c == '(':
			round++
		case c == '[':
			square++
		case c == ')':
			round--
		case c == ']':
			square--
		}
		if round < 0 || square < 0 {
			break
		}
		end++
	}
	for loose && end > at && strings.IndexByte(".,;:!?'*", text[end-1]) >= 0 {
		end--
	}
	return end
}

// isURLByte reports whether c may be part of a URL in running text: a character of RFC 3986
// section 2, or a backslash. A URL with a backslash is refused whole and not cut to an innocent
// one.
func isURLByte(c byte) bool {
	return c > ' ' && c < 0x7f && !strings.ContainsRune("<>\"`{}|^", rune(c))
}

// attrs are the attributes of a start tag that matter in a mail.
type attrs struct {
	href, alt, kind, itemType, itemProp, content, style string
	hidden, isOpen                                      bool
}

// attributes reads them. Of several with one name the first counts, as in browsers.
func attributes(z *html.Tokenizer) attrs {
	var a attrs
	for more := true; more; {
		var key, val []byte
		key, val, more = z.TagAttr()
		var to *string
		switch string(key) {
		case "href":
			to = &a.href
		case "alt":
			to = &a.alt
		case "type":
			to = &a.kind
		case "itemtype":
			to = &a.itemType
		case "itemprop":
			to = &a.itemProp
		case "content":
			to = &a.content
		case "style":
			to = &a.style
		case "hidden":
			a.hidden = true
		case "aria-hidden":
			a.hidden = a.hidden || strings.EqualFold(string(val), "true")
		case "open":
			a.isOpen = true
		}
		if to != nil && *to == "" {
			*to = strings.TrimSpace(string(val))
		}
	}
	a.href = unfold(a.href)
	return a
}

// unfold removes the line breaks and tabs of an address (URL Standard, "basic URL parser"). Some
// senders put blanks around a break; these go too. Other blanks stay and are refused.
func unfold(address string) string {
	if !strings.ContainsAny(address, "\n\r\t") {
		return address
	}
	lines := strings.FieldsFunc(address, func(c rune) bool { return c == '\n' || c == '\r' })
	for i, l := range lines {
		lines[i] = strings.ReplaceAll(strings.Trim(l, " \t"), "\t", "")
	}
	return strings.Join(lines, "")
}

// oneLine replaces line ends of the source by spaces, which is what they mean in HTML.
var oneLine = strings.NewReplacer("\n", " ", "\r", " ", "\t", " ")

// isRaw names the elements whose content the reader does not see as text. The tokenizer returns
// it as one text token.
func isRaw(tag atom.Atom) bool {
	switch tag {
	case atom.Script, atom.Style, atom.Title, atom.Textarea, atom.Iframe, atom.Noembed,
		atom.Noframes, atom.Noscript, atom.Xmp:
		return true
	}
	return false
}

// isBlock names the elements that begin a new line.
func isBlock(tag atom.Atom) bool {
	switch tag {
	case atom.P, atom.Div, atom.Br, atom.Hr, atom.Table, atom.Tr, atom.Td, atom.Th, atom.Ul,
		atom.Ol, atom.Li, atom.H1, atom.H2, atom.H3, atom.H4, atom.H5, atom.H6, atom.Section,
		atom.Article, atom.Header, atom.Footer, atom.Center, atom.Blockquote, atom.Pre, atom.Form,
		atom.Fieldset, atom.Dl, atom.Dt, atom.Dd, atom.Main, atom.Nav, atom.Aside, atom.Address,
		atom.Details, atom.Summary, atom.Dialog, atom.Figure, atom.Figcaption, atom.Hgroup, atom.Menu,
		atom.Search, atom.Legend, atom.Caption:
		return true
	}
	return false
}

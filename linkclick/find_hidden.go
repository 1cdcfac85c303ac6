package linkclick

import (
	"slices"
	"strconv"
	"strings"

	"golang.org/x/net/html/atom"
)

// This file tells what of a mail's markup the reader does not see. A link there was put for
// programs and not for the reader, so it never counts; nor do words there.

// maxNesting is how deep elements may lie inside each other. Real mails stay far below.
const maxNesting = 256

// sight is what hides an element. Its children inherit it.
type sight struct {
	gone   bool // no style of a child brings it back
	unseen bool // visibility, which a child may set anew
	tiny   bool // a font without size; an image shows all the same
}

func (s sight) hidden() bool { return s.gone || s.unseen }

// element is one that has begun and not ended.
type element struct {
	tag   atom.Atom
	name  string // if the tag has no atom
	sight sight
	at    int // where in the text it begins
}

// maxSteps bounds the elements that are passed in search of the one that a tag ends. Where tags
// match, a search ends at once.
const maxSteps = 500_000

// nesting is where a tokenizer stands among the elements of a page.
type nesting struct {
	open  []element
	at    int  // where in the text the tokenizer is
	steps int  // taken in searches
	full  bool // a bound was reached
}

func (n *nesting) sight() sight {
	if len(n.open) == 0 {
		return sight{}
	}
	return n.open[len(n.open)-1].sight
}

// start begins an element, after those that end where it begins (HTML Standard, "optional tags").
func (n *nesting) start(tag atom.Atom, name string, a attrs, selfClosing bool) sight {
	switch {
	case tag == atom.Li:
		n.pop(in(atom.Li), in(atom.Ul, atom.Ol, atom.Table))
	case tag == atom.Dt, tag == atom.Dd:
		n.pop(in(atom.Dt, atom.Dd), in(atom.Dl, atom.Table))
	case tag == atom.Td, tag == atom.Th:
		n.pop(in(atom.Td, atom.Th), in(atom.Table))
	case tag == atom.Tr:
		n.pop(in(atom.Tr), in(atom.Table))
	case isBlock(tag) && tag != atom.Br:
		n.pop(in(atom.P), in(atom.Td, atom.Th, atom.Table, atom.Button))
	}
	seen := a.sightIn(n.sight(), tag)
	switch {
	case isVoid(tag), tag == 0 && selfClosing:
	case len(n.open) >= maxNesting:
		n.full = true
	case tag != 0:
		n.open = append(n.open, element{tag: tag, sight: seen, at: n.at})
	default:
		n.open = append(n.open, element{name: name, sight: seen, at: n.at})
	}
	return seen
}

// end ends an element and those inside it. An end tag in a cell does not end what is around the
// table. It returns where in the text the element began.
func (n *nesting) end(tag atom.Atom, name string) (at int, ok bool) {
	walls := in(atom.Td, atom.Th, atom.Table)
	switch tag {
	case atom.Td, atom.Th, atom.Tr, atom.Tbody, atom.Thead, atom.Tfoot:
		walls = in(atom.Table)
	case atom.Table, atom.Body, atom.Html:
		walls = in()
	}
	return n.pop(func(e element) bool { return e.tag == tag && e.name == name }, walls)
}

func in(tags ...atom.Atom) func(element) bool {
	return func(e element) bool { return slices.Contains(tags, e.tag) }
}

// pop ends the innermost element that is meant and all inside it, unless a wall is around those.
func (n *nesting) pop(meant, wall func(element) bool) (at int, ok bool) {
	if n.steps > maxSteps {
		n.full = true
		return 0, false
	}
	for i := len(n.open) - 1; i >= 0; i-- {
		n.steps++
		if meant(n.open[i]) {
			at = n.open[i].at
			n.open = n.open[:i]
			return at, true
		}
		if wall(n.open[i]) {
			break
		}
	}
	return 0, false
}

// sightIn returns how an element with these attributes is seen inside another.
func (a attrs) sightIn(outer sight, tag atom.Atom) sight {
	s := outer
	s.gone = s.gone || a.hidden || tag == atom.Template || tag == atom.Dialog && !a.isOpen
	if a.style == "" {
		return s
	}
	style := readStyle(a.style)
	switch style[visibility] {
	case "hidden", "collapse":
		s.unseen = true
	case "visible":
		s.unseen = false
	}
	if size, unit, ok := lengthOf(style[fontSize]); ok {
		if size < 1 && unit != "em" && unit != "rem" || size == 0 {
			s.tiny = true
		} else if unit != "em" && unit != "%" {
			s.tiny = false
		}
	} else if style[fontSize] != "" && style[fontSize] != "inherit" {
		s.tiny = false // a word such as "medium"
	}
	s.gone = s.gone || style.leavesPage()
	return s
}

// maxStyle bounds a style, in bytes. A longer one hides its element, since it hides what it says.
const maxStyle = 4 << 10

// property is one that can hide an element.
type property int

const (
	display property = iota
	visibility
	opacity
	fontSize
	overflow
	overflowY
	height
	maxHeight
	width
	maxWidth
	textIndent
	left
	top
	marginLeft
	properties // how many there are
)

// propertyNames are the names of the properties, in their order.
var propertyNames = [properties]string{"display", "visibility", "opacity", "font-size", "overflow",
	"overflow-y", "height", "max-height", "width", "max-width", "text-indent", "left", "top",
	"margin-left"}

func propertyOf(name string) (property, bool) {
	p := slices.Index(propertyNames[:], name)
	return property(p), p >= 0
}

// style holds what a style attribute says of each property.
type style [properties]string

// leavesPage reports whether a style takes an element with all that is in it off the page.
func (s style) leavesPage() bool {
	zero := func(all ...property) bool {
		return slices.ContainsFunc(all, func(p property) bool {
			size, _, ok := lengthOf(s[p])
			return ok && size == 0
		})
	}
	far := func(p property) bool {
		size, _, ok := lengthOf(s[p])
		return ok && size <= -500
	}
	clips := s[overflow] == "hidden" || s[overflowY] == "hidden"
	return s[display] == "none" || zero(opacity) || clips &&
		zero(height, maxHeight, width, maxWidth) ||
		slices.ContainsFunc([]property{textIndent, left, top, marginLeft}, far)
}

// readStyle reads a style attribute. Of several declarations of one property the last counts,
// unless an earlier one is important.
func readStyle(text string) style {
	var s style
	var fixed [properties]bool
	if len(text) > maxStyle {
		s[display] = "none"
		return s
	}
	for declaration := range strings.SplitSeq(strings.ToLower(unescapeStyle(text)), ";") {
		name, value, _ := strings.Cut(declaration, ":")
		p, ok := propertyOf(strings.TrimSpace(name))
		value, important := strings.CutSuffix(strings.TrimSpace(value), "important")
		if ok && (important || !fixed[p]) {
			s[p], fixed[p] = strings.TrimRight(value, " !"), important
		}
	}
	return s
}

// unescapeStyle removes the comments of a style, and the escapes of its letters.
func unescapeStyle(text string) string {
	if !strings.Contains(text, "/*") && !strings.Contains(text, `\`) {
		return text
	}
	var b strings.Builder
	for text != "" {
		if comment, ok := strings.CutPrefix(text, "/*"); ok {
			_, text, _ = strings.Cut(comment, "*/")
			continue
		}
		escape, ok := strings.CutPrefix(text, `\`)
		if !ok {
			b.WriteByte(text[0])
			text = text[1:]
			continue
		}
		digits := escape[:min(len(escape), 6)]
		digits = digits[:len(digits)-len(strings.TrimLeft(digits, "0123456789abcdefABCDEF"))]
		if code, err := strconv.ParseInt(digits, 16, 32); err == nil {
			b.WriteRune(rune(code))
		}
		text = strings.TrimPrefix(escape[len(digits):], " ")
	}
	return b.String()
}

// lengthOf reads a length such as "0", "0.0px" or "-9999px", with its unit.
func lengthOf(value string) (size float64, unit string, ok bool) {
	end := 0
	for end < len(value) && strings.IndexByte("+-.0123456789", value[end]) >= 0 {
		end++
	}
	if end == 0 {
		return 0, "", false
	}
	size, err := strconv.ParseFloat(value[:end], 64)
	return size, strings.TrimSpace(value[end:]), err == nil
}

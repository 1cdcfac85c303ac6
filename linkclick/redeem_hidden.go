package linkclick

import (
	"regexp"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/net/html"
	"golang.org/x/net/html/atom"
)

// This file tells what a reader of a page does not see. A page often holds the words of every end,
// of which its script shows one; the hidden ones say nothing. In doubt an element is hidden, since
// an outcome that was not read is told as unknown.

// sheet holds the classes and ids that the style sheets inside a page hide, as ".name" and "#name".
// The sheets of other files are not fetched.
type sheet map[string]bool

var (
	// styleRule is one rule of a style sheet: its selectors and its declarations. Inside an at-rule
	// it counts as well.
	styleRule = regexp.MustCompile(`([^{};]+)\{([^{}]*)\}`)
	// simpleSelector names a class or id and nothing around it.
	simpleSelector = regexp.MustCompile(`^[a-z0-9]*([.#][\w-]+)$`)
)

func readSheet(root *html.Node) sheet {
	hidden := sheet{}
	for n := range root.Descendants() {
		if n.DataAtom != atom.Style {
			continue
		}
		for _, rule := range styleRule.FindAllStringSubmatch(nodeText(n), -1) {
			if !styleHides(rule[2]) {
				continue
			}
			for selector := range strings.SplitSeq(rule[1], ",") {
				if m := simpleSelector.FindStringSubmatch(strings.TrimSpace(selector)); m != nil {
					hidden[m[1]] = true
				}
			}
		}
	}
	return hidden
}

// hides reports whether a reader does not see what is in n. A title may stand outside of the head
// of a broken page (HTML Standard, "hidden elements").
func (s sheet) hides(n *html.Node) bool {
	switch n.DataAtom {
	case atom.Title, atom.Script, atom.Style, atom.Template, atom.Iframe, atom.Object, atom.Svg,
		atom.Canvas, atom.Audio, atom.Video, atom.Datalist, atom.Noembed, atom.Noframes,
		atom.Del, atom.S, atom.Strike: // what is struck out is taken back
		return true
	case atom.Dialog:
		if !hasAttr(n, "open") {
			return true
		}
	}
	classes := strings.Fields(attr(n, "class"))
	named := func(class string) bool {
		return s["."+class] || slices.Contains(hidingClasses, strings.ToLower(class))
	}
	return hasAttr(n, "hidden") || hasAttr(n, "inert") || hasAttr(n, "popover") ||
		isClosedModal(n, classes) || strings.EqualFold(attr(n, "aria-hidden"), "true") ||
		s["#"+attr(n, "id")] || slices.ContainsFunc(classes, named) || styleHides(attr(n, "style"))
}

// hidingClasses are what usual style sheets (Bootstrap, Tailwind, Bulma, Foundation, WordPress)
// call what no reader sees.
var hidingClasses = []string{
	"d-none", "hidden", "hide", "is-hidden", "invisible", "is-invisible", "opacity-0", "sr-only",
	"visually-hidden", "is-sr-only", "show-for-sr", "screen-reader-text", "display-none",
}

// isClosedModal reports whether an element is a dialog as Bootstrap writes it, which waits for its
// script: "modal", and neither "show" (before version 4 "in") nor an own style that displays it.
func isClosedModal(n *html.Node, classes []string) bool {
	has := func(class string) bool { return slices.Contains(classes, class) }
	return has("modal") && (has("fade") || attr(n, "tabindex") == "-1") && !has("show") &&
		!has("in") && !strings.Contains(attr(n, "style"), "display")
}

// styleHides reports whether declarations of style hide an element.
func styleHides(style string) bool {
	if style == "" {
		return false
	}
	is := map[string]string{}
	for declaration := range strings.SplitSeq(strings.ToLower(style), ";") {
		name, value, _ := strings.Cut(declaration, ":")
		value, _, _ = strings.Cut(value, "!") // important
		is[strings.TrimSpace(name)] = strings.Join(strings.Fields(value), "")
	}
	switch {
	case is["display"] == "none", is["visibility"] == "hidden", is["visibility"] == "collapse",
		is["content-visibility"] == "hidden", is["color"] == "transparent",
		strings.HasPrefix(is["clip"], "rect("), strings.HasPrefix(is["clip-path"], "inset("),
		is["transform"] == "scale(0)", isTiny(is["font-size"]):
		return true
	}
	if opacity, ok := leadingNumber(is["opacity"]); ok && opacity <= 0.05 {
		return true
	}
	has := func(test func(string) bool, names ...string) bool {
		return slices.ContainsFunc(names, func(name string) bool { return test(is[name]) })
	}
	clipped := is["overflow"] == "hidden" || is["overflow"] == "clip"
	return clipped && has(isTiny, "width", "height", "max-width", "max-height") ||
		has(isOffScreen, "left", "right", "top", "bottom", "text-indent", "margin-left", "margin-top")
}

// isTiny reports whether a length is too small to be seen: zero in any unit, or a pixel.
func isTiny(length string) bool {
	n, ok := leadingNumber(length)
	absolute := strings.HasSuffix(length, "px") || strings.HasSuffix(length, "pt")
	return ok && (n == 0 || n <= 1 && absolute)
}

// isOffScreen reports whether a length moves an element out of sight.
func isOffScreen(length string) bool {
	n, ok := leadingNumber(length)
	return ok && (n <= -500 || n <= -99 && !strings.HasSuffix(length, "px"))
}

// leadingNumber returns the number with which a value begins.
func leadingNumber(value string) (float64, bool) {
	end := strings.IndexFunc(value,
		func(r rune) bool { return !strings.ContainsRune("+-.0123456789", r) })
	if end < 0 {
		end = len(value)
	}
	n, err := strconv.ParseFloat(value[:end], 64)
	return n, err == nil
}

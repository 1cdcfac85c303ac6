package settings

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"sync"
	"unicode"
	"unicode/utf8"

	"go.yaml.in/yaml/v3"
)

// YAML's own words about a broken file help few people, and its lines are often those before the
// mistake. This file finds what people really write wrong, in the lines as they stand.

// patterns find what is wrong in a file.
type patterns struct {
	keyLine, itemLine, joined, settled, settledItem, hashValue, loneStar, unknownAnchor *regexp.Regexp
}

// broken makes them with first use: a right start needs none.
var broken = sync.OnceValue(func() patterns {
	return patterns{
		// A key with what follows it on its line, be it below a hyphen.
		keyLine: regexp.MustCompile(`^[ \t]*(?:- +)*([A-Za-z0-9_.]+):[ \t]+(\S.*)$`),
		// An item of a list, with what follows the hyphen.
		itemLine: regexp.MustCompile(`^[ \t]*(?:- +)+(\S.*)$`),
		// A key whose value follows its colon at once.
		joined: regexp.MustCompile(`^[ \t]*(?:- +)*([A-Za-z0-9_.]+):[^\s:]`),
		// A section, or a setting that ends on its line. And an item of a list that does.
		settled: regexp.MustCompile(
			`^[\w.]+:(?: +(?:[^|>&*!"'\[{].*|"[^"]*"|'[^']*'|\[[^\]]*\]|\{[^}]*\}))?$`),
		settledItem: regexp.MustCompile(`^[^|>&*!"'\[{:][^:]*$`),
		// A value that begins with #, so that YAML takes it for a comment.
		hashValue: regexp.MustCompile(`:[ \t]+(#[^\s,#}\]]+)`),
		// A * alone, in a list on one line.
		loneStar: regexp.MustCompile(`[\[,][ \t]*\*[ \t]*[\],]`),
		// What the library says of a value that begins with *. It repeats the value.
		unknownAnchor: regexp.MustCompile(`unknown anchor '(.*)' referenced`),
	}
})

const (
	bracesWhat = "begins with {{, which YAML takes for a group of settings"
	bracesHint = `put the whole text in quotes: "{{.Name}} …"`
	hashWhat   = "has a value that begins with #, which YAML takes for a comment"
	starWhat   = "begins with *, which YAML takes for the name of another value"
	quoteHint  = "put the value in quotes"
)

// explain reports why a file is no YAML: in our words where a line has one of the usual mistakes,
// else in the library's.
func (w walker) explain(err error, form Form) {
	bad := misplaced(w.lines)
	for i, line := range w.lines {
		key, m := judgeLine(line)
		found := broken().joined.FindStringSubmatch(line)
		if m == nil && found != nil && w.knows(found[1]) {
			key, m = found[1], Wrong("has no blank behind its colon", "write "+found[1]+": and the value")
		}
		if m == nil && i == bad {
			m = Wrong("begins in a column where nothing else of its section does",
				"indent it like the other settings beside it, with blanks")
		}
		if m != nil {
			where := fmt.Sprintf("%s:%d", w.path, i+1)
			if key != "" {
				where += ": " + key
			}
			w.Add(where, m)
			return
		}
	}
	if found := broken().unknownAnchor.FindStringSubmatch(err.Error()); found != nil {
		named := func(line string) bool { return strings.Contains(line, "*"+found[1]) }
		w.Add(fmt.Sprintf("%s:%d", w.path, slices.IndexFunc(w.lines, named)+1),
			Wrong("has a value that "+starWhat, quoteHint))
		return
	}
	w.Add(w.path, Wrong("is not valid YAML: "+strings.TrimPrefix(err.Error(), "yaml: "),
		"compare it with "+form.Sample))
}

// judgeLine finds what keeps a line of a broken file from being YAML, and the key it is about.
func judgeLine(line string) (key string, m *Mistake) {
	indent := line[:len(line)-len(strings.TrimLeft(line, " \t"))]
	if strings.HasPrefix(line[len(indent):], "#") {
		return "", nil
	}
	if strings.Contains(indent, "\t") {
		return "", Wrong("is indented with a tab", "YAML wants spaces: replace each tab by two of them")
	}
	if first, _ := utf8.DecodeRuneInString(line[len(indent):]); first > '~' && unicode.IsSpace(first) {
		return "", Wrong("is indented with a character that only looks like a blank",
			"delete what is before the text, and type blanks")
	}
	text := ""
	if found := broken().keyLine.FindStringSubmatch(line); found != nil {
		key, text = found[1], found[2]
	} else if found := broken().itemLine.FindStringSubmatch(line); found != nil {
		text = found[1]
	}
	switch {
	case text == "":
		return "", nil
	case strings.HasPrefix(text, "{{"):
		return key, Wrong(bracesWhat, bracesHint)
	case text[0] == '"' || text[0] == '\'':
		return key, judgeQuoted(text)
	case text[0] == '{' || text[0] == '[':
		switch {
		case broken().hashValue.MatchString(text):
			return key, Wrong(hashWhat, quoteHint)
		case broken().loneStar.MatchString(text):
			return key, Wrong("has a value that "+starWhat, quoteHint)
		}
	case strings.TrimSpace(uncommented(text)) == "*":
		return key, Wrong(starWhat, quoteHint)
	case strings.ContainsAny(text[:1], "@`%"):
		return key, Wrong("begins with "+text[:1]+", which YAML keeps for itself",
			quoteHint)
	case strings.HasPrefix(text, "env: ") || strings.HasPrefix(text, "file: "):
		scheme, _, _ := strings.Cut(text, " ")
		return key, Wrong("has a blank behind "+scheme, "write "+scheme+" and the rest in one word")
	case strings.Contains(uncommented(text), ": "):
		return key, Wrong("has a colon and a space in its value, which YAML takes for another setting",
			quoteHint)
	}
	return key, nil
}

// knows reports whether a name is that of a setting, of a group, or of the list.
func (w walker) knows(name string) bool {
	named := func(r Row) bool { return slices.Contains(strings.Split(r.Key, "."), name) }
	return name == w.form.List || slices.ContainsFunc(w.form.Top, named) ||
		slices.ContainsFunc(w.form.Item, named)
}

// misplaced finds the first line of a broken file that begins in a column where no section above it
// has its settings. It returns -1 when there is none, or when a value of several lines may hide it.
func misplaced(lines []string) int {
	columns, opened := []int{}, true
	for i, line := range lines {
		text := strings.TrimLeft(line, " ")
		column := len(line) - len(text)
		text = strings.TrimRight(uncommented(text), " \r")
		if text == "" || text[0] == '#' {
			continue
		}
		for len(columns) > 0 && columns[len(columns)-1] > column {
			columns, opened = columns[:len(columns)-1], false
		}
		known, item := slices.Contains(columns, column), false
		if !known {
			columns = append(columns, column)
		}
		for strings.HasPrefix(text, "- ") {
			rest := strings.TrimLeft(text[2:], " ")
			column, text, item = column+len(text)-len(rest), rest, true
			columns = append(columns, column)
		}
		switch isSetting := broken().settled.MatchString(text); {
		case !isSetting && !(item && broken().settledItem.MatchString(text)):
			return -1
		case !known && !opened:
			return i
		}
		opened = strings.HasSuffix(text, ":")
	}
	return -1
}

// uncommented returns a value without the comment behind it.
func uncommented(text string) string {
	before, _, _ := strings.Cut(text, " #")
	return before
}

// judgeQuoted judges a value that begins with a quote. A text in quotes may go over several lines,
// but nothing else can be wrong with a line of a file that is.
func judgeQuoted(text string) *Mistake {
	quote, end := text[0], -1
	for i := 1; i < len(text); i++ {
		switch {
		case quote == '"' && text[i] == '\\':
			i++
		case quote == '\'' && text[i] == '\'' && i+1 < len(text) && text[i+1] == '\'':
			i++
		case text[i] == quote && end < 0:
			end = i
		}
	}
	if end < 0 {
		return Wrong("has a quote that is not closed",
			"write "+string(quote)+" at the end of the value, too")
	}
	rest := strings.TrimSpace(text[end+1:])
	if rest == "" || strings.HasPrefix(rest, "#") {
		return nil
	}
	return Wrong("has something after the closing quote",
		`put the whole value between the quotes; inside "…" write \" for a quote`)
}

// braces explains a value that was meant as a text and begins with a field of it.
func (w walker) braces(n *yaml.Node) *Mistake {
	if n.Line < 1 || n.Line > len(w.lines) || n.Column < 1 {
		return nil
	}
	line := []rune(w.lines[n.Line-1])
	if n.Column > len(line) || !strings.HasPrefix(string(line[n.Column-1:]), "{{") {
		return nil
	}
	return Wrong(bracesWhat, bracesHint)
}

// empty explains a setting without a value: YAML takes one that begins with # for a comment.
func (w walker) empty(key *yaml.Node, r Row) *Mistake {
	if key.Line < 1 || key.Line > len(w.lines) {
		return Wrong("has no value", "write one, or remove the line")
	}
	line := w.lines[key.Line-1]
	i := strings.Index(line, key.Value+":")
	if i < 0 {
		return Wrong("has no value", "write one, or remove the line")
	}
	found := broken().hashValue.FindStringSubmatchIndex(line[i+len(key.Value):])
	if found == nil || found[0] != 0 {
		return Wrong("has no value", "write one, or remove the line")
	}
	if r.Kind.Hidden() {
		return Wrong(hashWhat, quoteHint)
	}
	v := line[i+len(key.Value):][found[2]:found[3]]
	return Wrong(hashWhat, "quote it: "+key.Value+`: "`+v+`"`)
}

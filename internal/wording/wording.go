// Package wording holds what the bridge says, in each language: the sayings, the texts of codes,
// the words of its pages and those that mean yes and no. All stand in the files below catalogue. It
// also says which language a tag or a country means, and how a tenant's own wording is judged.
// Package internal/tenant gives every tenant its wording, and the rules name what is to be said.
//
// It promises:
//
//   - A wording is taken apart once, when it is loaded. Saying it joins the parts and cannot fail.
//   - Of the template language a wording may use plain fields only, such as {{.Name}}. The fields
//     are filled by our rules, from the tenant's settings and by its app, never from a mail.
//   - No text has what phones show as a link, but for the short link that stands there on purpose.
package wording

import (
	"slices"
	"strconv"
	"strings"
	"text/template"
	"text/template/parse"
)

// Fault is what is wrong with a wording, and what to do about it.
type Fault struct{ What, Hint string }

// Fields are the values that a wording may show.
type Fields struct {
	Name    string // the tenant's name, or its name in the texts of codes
	Answer  string // the first accepted word
	Denial  string // the first denying word
	Choices string
	Count   int
	Code    string
	Link    string
	Life    string // how long an answer counts
	About   string // what the question is about
	Contact string // whom people ask
	Subject string // what an app asks
}

// value returns the field of a name as it is shown.
func (f Fields) value(name string) string {
	switch name {
	case "Name":
		return f.Name
	case "Answer":
		return f.Answer
	case "Denial":
		return f.Denial
	case "Choices":
		return f.Choices
	case "Count":
		return strconv.Itoa(f.Count)
	case "Code":
		return f.Code
	case "Link":
		return f.Link
	case "Life":
		return f.Life
	case "About":
		return f.About
	case "Contact":
		return f.Contact
	case "Subject":
		return f.Subject
	}
	return ""
}

// sayingFields and codeFields are the names of the fields that the two kinds of texts may use.
func sayingFields() []string {
	return []string{
		"Name", "Answer", "Denial", "Choices", "Count", "Code", "Link", "Life", "About", "Contact",
		"Subject",
	}
}

func codeFields() []string { return []string{"Code", "Name"} }

// Text is a wording that was taken apart. The zero value says nothing.
type Text struct{ parts []part }

// part is words, or a field.
type part struct {
	words string
	field string // its name, "" for words
}

// IsZero reports whether there is no wording.
func (t Text) IsZero() bool { return len(t.parts) == 0 }

// Fill returns the text with its fields filled.
func (t Text) Fill(f Fields) string {
	var b strings.Builder
	b.Grow(160)
	for _, p := range t.parts {
		if p.field == "" {
			b.WriteString(p.words)
		} else {
			b.WriteString(f.value(p.field))
		}
	}
	return b.String()
}

// ParseSaying takes apart the wording of a saying.
func ParseSaying(s string) (Text, *Fault) { return parseText(s, sayingFields()) }

// ParseCode takes apart the wording of a code.
func ParseCode(s string) (Text, *Fault) { return parseText(s, codeFields()) }

// parseText takes a wording with the given fields apart. Of the template language it takes plain
// fields only: they can neither fail nor depend on anything.
func parseText(s string, fields []string) (Text, *Fault) {
	hint := "a text may use {{." + strings.Join(fields, "}} {{.") +
		"}} and nothing else in double braces"
	t, err := template.New("").Parse(s)
	if err != nil {
		return Text{}, &Fault{"is not a valid template", hint}
	}
	if t.Tree == nil || len(t.Root.Nodes) == 0 { // nothing, or definitions only
		return Text{}, &Fault{"is empty", "leave it out to get the shipped wording"}
	}
	var text Text
	for _, node := range t.Root.Nodes {
		if words, ok := node.(*parse.TextNode); ok {
			text.parts = append(text.parts, part{words: string(words.Text)})
			continue
		}
		field, ok := fieldOf(node)
		if !ok || !slices.Contains(fields, field) {
			return Text{}, &Fault{"uses an unknown field or a template command", hint}
		}
		text.parts = append(text.parts, part{field: field})
	}
	if len(t.Templates()) > 1 {
		return Text{}, &Fault{"defines a template", hint}
	}
	return text, nil
}

// fieldOf returns the name of the field that a node shows, when it does nothing else.
func fieldOf(node parse.Node) (string, bool) {
	action, ok := node.(*parse.ActionNode)
	if !ok || len(action.Pipe.Decl) != 0 || len(action.Pipe.Cmds) != 1 ||
		len(action.Pipe.Cmds[0].Args) != 1 {
		return "", false
	}
	field, ok := action.Pipe.Cmds[0].Args[0].(*parse.FieldNode)
	if !ok || len(field.Ident) != 1 {
		return "", false
	}
	return field.Ident[0], true
}

// mustParse takes apart a shipped wording; a test parses them all.
func mustParse(s string, fields []string) Text {
	text, fault := parseText(s, fields)
	if fault != nil {
		panic("wording: a shipped text " + fault.What)
	}
	return text
}

package settings

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"maps"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"
)

// maxFile bounds the configuration file, in bytes; a thousand tenants fit.
const maxFile = 4 << 20

// Form says how a file is laid out: settings at the top, and a list of items that have settings of
// their own.
type Form struct {
	Top    []Row
	List   string // the key of the list: "tenants"
	Noun   string // what an item is: "tenant"
	Item   []Row
	Sample string // a file that shows how it is done
}

// File is a configuration file, taken apart.
type File struct {
	Top   Given
	Items []Given
}

// ReadFile reads a configuration file, and reports all that is wrong with its form. It returns
// false when there is nothing to go on with.
func (l *Loader) ReadFile(path string, form Form) (File, bool) {
	text, err := ReadLimited(path, maxFile)
	if err != nil {
		l.Add(path, Wrong("cannot be read", unreadable(path, err)))
		return File{}, false
	}
	return l.ParseFile(path, text, form)
}

// ParseFile is [Loader.ReadFile] for a text that has been read. It walks the YAML nodes itself
// instead of decoding into a struct. So every mistake has its line, and a word is taken as it
// stands, be it YES, NO (the answer, or Norway) or 0.
func (l *Loader) ParseFile(path string, text []byte, form Form) (File, bool) {
	w := walker{l, path, strings.Split(string(text), "\n"), form}
	decoder := yaml.NewDecoder(bytes.NewReader(text))
	var root, rest yaml.Node
	if err := decoder.Decode(&root); err != nil && !errors.Is(err, io.EOF) {
		w.explain(err, form)
		return File{}, false
	}
	if err := decoder.Decode(&rest); !errors.Is(err, io.EOF) {
		l.Add(path, Wrong("has more than one document", "remove the line ---"))
		return File{}, false
	}
	if len(root.Content) == 0 || root.Content[0].Kind != yaml.MappingNode {
		l.Add(path, Wrong("has no settings", "start from "+form.Sample))
		return File{}, false
	}
	top := root.Content[0]
	rows := append([]Row{{Key: form.List}}, form.Top...)
	file := File{Top: given(path+": ", w.flatten(top, "", "", rows, form.List))}
	file.Items = w.items(top, form)
	return file, true
}

// given returns settings whose missing ones have their place at the start of the section.
func given(start string, values map[string]value) Given {
	return Given{values, func(key string) string { return start + key }}
}

// walker turns YAML nodes into settings.
type walker struct {
	*Loader
	path  string
	lines []string // of the file
	form  Form
}

func (w walker) at(n *yaml.Node, key string) string {
	return fmt.Sprintf("%s:%d: %s", w.path, n.Line, key)
}

// items collects the items of the file's list.
func (w walker) items(top *yaml.Node, form Form) []Given {
	list := &yaml.Node{Kind: yaml.SequenceNode}
	for i := 0; i+1 < len(top.Content); i += 2 {
		if top.Content[i].Value == form.List {
			list = target(top.Content[i+1])
		}
	}
	if list.Kind != yaml.SequenceNode {
		w.Add(w.at(list, form.List), Wrong("is not a list", "start each "+form.Noun+" with a hyphen"))
		return nil
	}
	if len(list.Content) == 0 {
		w.Add(w.path+": "+form.List,
			Wrong("there is no "+form.Noun, "add one, as in "+form.Sample))
	}
	var all []Given
	for i, item := range list.Content {
		path := fmt.Sprintf("%s[%d].", form.List, i)
		if item = target(item); item.Kind != yaml.MappingNode {
			w.Add(w.at(item, strings.TrimSuffix(path, ".")), Wrong("is not a "+form.Noun,
				"write settings as key: value below the hyphen"))
			continue
		}
		all = append(all, given(w.at(item, path), w.flatten(item, path, "", form.Item, "")))
	}
	return all
}

// nameOfSetting is what names of settings and of variables look like, also misspelled ones: short
// words of one case. Keys and tokens have many digits, both cases, or no words.
var nameOfSetting = regexp.MustCompile(
	`^(?:[A-Za-z][a-z]{0,15}|[A-Z]{1,16})[0-9]?(?:[._-](?:[A-Za-z][a-z]{0,15}|[A-Z]{1,16})[0-9]?)*$`)

// flatten collects the settings of a mapping: those of the group "mailgun" get keys such as
// "mailgun.api_key". The path is what stands before the key in mistakes. The key of the list is
// left to items.
func (w walker) flatten(
	n *yaml.Node, path, group string, rows []Row, list string,
) map[string]value {
	given := map[string]value{}
	seen := map[string]bool{}
	for i := 0; i+1 < len(n.Content); i += 2 {
		name := n.Content[i].Value
		key, node := group+name, target(n.Content[i+1])
		where := w.at(n.Content[i], path+group+shownName(name))
		if seen[key] {
			w.Add(where, Wrong("is there twice", "keep one of the two"))
			continue
		}
		seen[key] = true
		row, ok := find(rows, key)
		switch {
		case ok && key == list:
		case ok:
			joined := row.Kind == List && node.Kind == yaml.ScalarNode && strings.Contains(node.Value, ",")
			given[key] = value{where, w.setting(n.Content[i], node, where, row), joined}
		case isGroup(rows, key) && node.Kind == yaml.MappingNode:
			below := w.flatten(node, path, key+".", rows, list)
			for _, k := range slices.Sorted(maps.Keys(below)) {
				if seen[k] { // as group.key beside the group
					w.Add(below[k].where, Wrong("is there twice", "keep one of the two"))
					continue
				}
				seen[k], given[k] = true, below[k]
			}
		case isGroup(rows, key):
			w.Add(where, Wrong("is not a group of settings",
				"write its settings as key: value, indented, below it"))
		default:
			w.Add(where, w.unknown(key, path == "", keysBelow(rows, group)))
		}
	}
	return given
}

// unknown says what may be meant by a key that its section does not know: first of all the setting
// of that name in the other section.
func (w walker) unknown(key string, atTop bool, known []string) *Mistake {
	other, remedy := w.form.Top, "it is a setting of the whole file: write it above "+w.form.List+
		", without indentation"
	if atTop {
		other, remedy = w.form.Item, "it is a setting of a "+w.form.Noun+": write it below "+
			w.form.List+", beside the others of its "+w.form.Noun
	}
	if _, ok := find(other, key); ok || isGroup(other, key) {
		return Wrong("is in the wrong place", remedy)
	}
	return Wrong("is not a known setting", didYouMean(key, known))
}

// shownName is a name in the file as mistakes repeat it. What does not look like the name of a
// setting may be a secret in the wrong place, and is left out: the line says where it is.
func shownName(name string) string {
	if len(name) > maxQuoted || !nameOfSetting.MatchString(name) {
		return "…"
	}
	return name
}

// setting reads one setting, or reports why it cannot. A setting without a value is a mistake, so
// that a forgotten word does not become a default.
func (w walker) setting(key, n *yaml.Node, where string, r Row) []string {
	hint, nodes, names := "write one value", []*yaml.Node{n}, []string{""}
	shape := func(bad *yaml.Node) *Mistake {
		if m := w.braces(bad); m != nil {
			return m
		}
		if isTagged(bad) {
			return Wrong("has a tag before its value: what begins with ! is not done here",
				"write the value itself; a secret may be env:NAME or file:PATH")
		}
		return Wrong("is not written as this setting is", hint)
	}
	switch {
	case isTagged(n): // told below
	case r.Kind == NamedSecrets || r.Kind == Named:
		hint, nodes, names = "write name: env:NAME, indented, for each", nil, nil
		if r.Kind == Named {
			hint = "write name: value, indented, for each"
		}
		if n.Kind != yaml.MappingNode {
			w.Add(where, shape(n))
			return nil
		}
		for i := 0; i+1 < len(n.Content); i += 2 {
			name := target(n.Content[i])
			if !isName(name) {
				w.Add(where, shape(name))
				return nil
			}
			if r.Kind == Named && slices.Contains(names, name.Value+"=") {
				w.Add(where, Wrong("has a name that is there twice", "keep one of the two"))
				return nil
			}
			names = append(names, name.Value+"=")
			nodes = append(nodes, n.Content[i+1])
		}
	case r.Kind.Many():
		hint = "write a list of values"
		if n.Kind == yaml.SequenceNode {
			nodes, names = n.Content, make([]string, len(n.Content))
		}
	}
	var items []string
	for i, item := range nodes {
		item = target(item)
		if item.Kind != yaml.ScalarNode || isTagged(item) {
			w.Add(where, shape(item))
			return nil
		}
		text := strings.TrimSpace(item.Value)
		if text == "" || item.Tag == "!!null" {
			w.Add(where, w.empty(key, r))
			return nil
		}
		items = append(items, names[i]+text)
	}
	if len(items) == 0 {
		w.Add(where, w.empty(key, r))
	}
	return w.reveal(source{where, filepath.Dir(w.path), false}, r.Kind, items)
}

// isName reports whether a node can be the name of a value: an item has the name, then =.
func isName(n *yaml.Node) bool {
	return n.Kind == yaml.ScalarNode && strings.TrimSpace(n.Value) != "" && n.Tag != "!!null" &&
		!strings.Contains(n.Value, "=")
}

// isTagged reports whether a node asks for more than to be read, as !ENV NAME does to other
// programs. To take NAME for the value would be something else without a word.
func isTagged(n *yaml.Node) bool {
	return n.Tag == "!!binary" || strings.HasPrefix(n.Tag, "!") && !strings.HasPrefix(n.Tag, "!!")
}

// target follows an alias (*name) to what it stands for.
func target(n *yaml.Node) *yaml.Node {
	if n.Kind == yaml.AliasNode {
		return n.Alias
	}
	return n
}

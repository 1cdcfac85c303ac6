package tenant

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"strings"

	"go.yaml.in/yaml/v3"
)

// maxFile bounds the configuration file; a thousand tenants fit.
const maxFile = 4 << 20

// document is a configuration file, taken apart.
type document struct {
	process section
	tenants []section
}

// section is one mapping of the file with all that is below it.
type section struct {
	start  string // where it starts: "smsbridge.yaml:7: tenants[0]."
	values map[string]value
}

// place points at a key of the section. Where the file could leave the key to a
// variable, otherwise names it.
func (s section) place(otherwise placer) placer {
	return func(key string) string {
		if v, ok := s.values[key]; ok {
			return v.where
		}
		if otherwise != nil {
			return otherwise(key)
		}
		return s.start + key
	}
}

// readFile reads the configuration file.
func (l *loader) readFile(path string) (document, bool) {
	text, err := readLimited(path, maxFile)
	if err != nil {
		l.add(path, wrong("cannot be read", err.Error()))
		return document{}, false
	}
	return l.parseFile(path, text)
}

// parseFile finds all that is wrong with the form of a configuration file. It
// walks the nodes itself instead of decoding into a struct: so every mistake has
// its line, and a word is taken as it stands, be it YES, NO (the answer, or
// Norway) or 0.
func (l *loader) parseFile(path string, text []byte) (document, bool) {
	decoder := yaml.NewDecoder(bytes.NewReader(text))
	var root, rest yaml.Node
	if err := decoder.Decode(&root); err != nil && !errors.Is(err, io.EOF) {
		l.add(path, wrong("is not valid YAML: "+strings.TrimPrefix(err.Error(), "yaml: "), "compare it with deploy/smsbridge.yaml"))
		return document{}, false
	}
	if err := decoder.Decode(&rest); !errors.Is(err, io.EOF) {
		l.add(path, wrong("has more than one document", "remove the line ---"))
		return document{}, false
	}
	if len(root.Content) == 0 || root.Content[0].Kind != yaml.MappingNode {
		l.add(path, wrong("has no settings", "start from deploy/smsbridge.yaml"))
		return document{}, false
	}

	w := walker{l, path}
	top := root.Content[0]
	doc := document{process: section{start: path + ": "}}
	doc.process.values = w.flatten(top, "", "", append(entries(processOptions()), entry{key: tenantsKey}))
	doc.tenants = w.tenants(top)
	return doc, true
}

const tenantsKey = "tenants"

// walker turns YAML nodes into settings.
type walker struct {
	*loader
	path string
}

func (w walker) at(n *yaml.Node, key string) string {
	return fmt.Sprintf("%s:%d: %s", w.path, n.Line, key)
}

// tenants collects the tenants of the file's top mapping.
func (w walker) tenants(top *yaml.Node) []section {
	list := &yaml.Node{Kind: yaml.SequenceNode}
	for i := 0; i+1 < len(top.Content); i += 2 {
		if top.Content[i].Value == tenantsKey {
			list = target(top.Content[i+1])
		}
	}
	if list.Kind != yaml.SequenceNode {
		w.add(w.at(list, tenantsKey), wrong("is not a list", "start each tenant with a hyphen"))
		return nil
	}
	if len(list.Content) == 0 {
		w.add(w.path+": "+tenantsKey, wrong("there is no tenant", "add one, as in deploy/smsbridge.yaml"))
	}
	var all []section
	for i, item := range list.Content {
		path := fmt.Sprintf("%s[%d].", tenantsKey, i)
		if item = target(item); item.Kind != yaml.MappingNode {
			w.add(w.at(item, strings.TrimSuffix(path, ".")), wrong("is not a tenant", "write settings as key: value below the hyphen"))
			continue
		}
		all = append(all, section{w.at(item, path), w.flatten(item, path, "", entries(tenantOptions()))})
	}
	return all
}

// flatten collects the settings of a mapping: those of the group "mailgun" get
// keys such as "mailgun.api_key". The path is what stands before the key in
// mistakes.
func (w walker) flatten(n *yaml.Node, path, group string, options []entry) map[string]value {
	given := map[string]value{}
	seen := map[string]bool{}
	for i := 0; i+1 < len(n.Content); i += 2 {
		key, node := group+n.Content[i].Value, target(n.Content[i+1])
		where := w.at(n.Content[i], path+key)
		if seen[key] {
			w.add(where, wrong("is there twice", "keep one of the two"))
			continue
		}
		seen[key] = true
		option, ok := find(options, key)
		switch {
		case key == tenantsKey && group == "" && ok:
		case ok:
			given[key] = value{where, w.items(node, where, option.kind)}
		case isGroup(options, key) && node.Kind == yaml.MappingNode:
			for k, v := range w.flatten(node, path, key+".", options) {
				given[k] = v
			}
		case isGroup(options, key):
			w.add(where, wrong("is not a group of settings", "write its settings as key: value, indented, below it"))
		default:
			w.add(where, wrong("is not a known setting", didYouMean(key, keysBelow(options, group))))
		}
	}
	return given
}

// items reads one setting, or reports why it cannot. A setting without a value is
// a mistake, so that a forgotten word does not become a default.
func (w walker) items(n *yaml.Node, where string, k kind) []string {
	hint, nodes, names := "write one value", []*yaml.Node{n}, []string{""}
	switch {
	case k == namedSecrets || k == named:
		hint, nodes, names = "write name: env:NAME, indented, for each", nil, nil
		if k == named {
			hint = "write name: value, indented, for each"
		}
		if n.Kind != yaml.MappingNode {
			w.add(where, wrong("is not written as this setting is", hint))
			return nil
		}
		for i := 0; i+1 < len(n.Content); i += 2 {
			names = append(names, n.Content[i].Value+"=")
			nodes = append(nodes, n.Content[i+1])
		}
	case k.many():
		hint = "write a list of values"
		if n.Kind == yaml.SequenceNode {
			nodes, names = n.Content, make([]string, len(n.Content))
		}
	}
	var items []string
	for i, item := range nodes {
		item = target(item)
		if item.Kind != yaml.ScalarNode {
			w.add(where, wrong("is not written as this setting is", hint))
			return nil
		}
		text := strings.TrimSpace(item.Value)
		if text == "" || item.Tag == "!!null" {
			w.add(where, wrong("has no value", "write one, or remove the line"))
			return nil
		}
		items = append(items, names[i]+text)
	}
	if len(items) == 0 {
		w.add(where, wrong("has no value", "write one, or remove the line"))
	}
	return w.reveal(source{where, filepath.Dir(w.path), false}, k, items)
}

// target follows an alias (*name) to what it stands for.
func target(n *yaml.Node) *yaml.Node {
	if n.Kind == yaml.AliasNode {
		return n.Alias
	}
	return n
}

func find(options []entry, key string) (entry, bool) {
	for _, o := range options {
		if o.key == key {
			return o, true
		}
	}
	return entry{}, false
}

func isGroup(options []entry, key string) bool {
	return len(keysBelow(options, key+".")) > 0
}

func keysBelow(options []entry, group string) []string {
	var keys []string
	for _, o := range options {
		if strings.HasPrefix(o.key, group) {
			keys = append(keys, o.key)
		}
	}
	return keys
}

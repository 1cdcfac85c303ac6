package linkclick

import (
	"encoding/json"
	"maps"
	"slices"
	"strings"

	"golang.org/x/net/html/atom"
)

// This file reads schema.org's ConfirmAction, with which a mail is marked up for mail programs,
// as JSON-LD or as microdata
// (developers.google.com/workspace/gmail/markup/reference/one-click-action). A link so marked
// confirms something, unless its words say that it does something else.

// confirmAction is the type that is looked for, with or without its URL.
const confirmAction = "ConfirmAction"

// linkedActions returns the links of the ConfirmActions in a JSON-LD script. A script that is not
// JSON has none.
func linkedActions(script []byte) []link {
	var root any
	if json.Unmarshal(script, &root) != nil {
		return nil
	}
	return appendActions(nil, root)
}

// appendActions looks for actions in a JSON value. The decoder limits its depth.
func appendActions(links []link, value any) []link {
	switch v := value.(type) {
	case []any:
		for _, item := range v {
			links = appendActions(links, item)
		}
	case map[string]any:
		if slices.ContainsFunc(stringsIn(v["@type"]), isConfirmAction) {
			name, _ := v["name"].(string)
			urls := slices.Concat(stringsIn(v["url"]), targets(v["target"]), targets(v["handler"]))
			for _, target := range urls {
				links = append(links, link{raw: unfold(target), label: name, confirms: true})
			}
			return links
		}
		for _, key := range slices.Sorted(maps.Keys(v)) {
			links = appendActions(links, v[key])
		}
	}
	return links
}

// targets returns the URLs of an EntryPoint or HttpActionHandler, of a list of them, or of a
// plain URL.
func targets(value any) []string {
	switch v := value.(type) {
	case map[string]any:
		return slices.Concat(stringsIn(v["url"]), stringsIn(v["urlTemplate"]))
	case []any:
		var all []string
		for _, item := range v {
			all = append(all, targets(item)...)
		}
		return all
	}
	return stringsIn(value)
}

func stringsIn(value any) []string {
	switch v := value.(type) {
	case string:
		return []string{strings.TrimSpace(v)}
	case []any:
		var all []string
		for _, item := range v {
			if s, ok := item.(string); ok {
				all = append(all, strings.TrimSpace(s))
			}
		}
		return all
	}
	return nil
}

func isConfirmAction(itemType string) bool {
	return itemType[strings.LastIndexByte(itemType, '/')+1:] == confirmAction
}

// actionScope is the element of a ConfirmAction in microdata that is being read.
type actionScope struct {
	depth int    // open elements since it began, itself included; 0 outside
	name  string // of the action
	first int    // its first link in document.actions
}

func (s *actionScope) start(d *document, tag atom.Atom, a attrs) {
	switch {
	case s.depth == 0 && isConfirmAction(a.itemType):
		*s = actionScope{depth: 1, first: len(d.actions)}
		return
	case s.depth == 0:
		return
	case a.itemProp == "name":
		s.name = a.content
	case a.itemProp == "url" || a.itemProp == "target":
		if target := a.href + unfold(a.content); target != "" {
			d.actions = append(d.actions, link{raw: target, confirms: true})
		}
	}
	if !isVoid(tag) {
		s.depth++
	}
}

func (s *actionScope) end(d *document, tag atom.Atom) {
	if s.depth == 0 || isVoid(tag) {
		return
	}
	if s.depth--; s.depth == 0 {
		for i := s.first; i < len(d.actions); i++ {
			d.actions[i].label = s.name
		}
	}
}

// isVoid names the elements that have no end tag.
func isVoid(tag atom.Atom) bool {
	switch tag {
	case atom.Meta, atom.Link, atom.Img, atom.Br, atom.Hr, atom.Input, atom.Col, atom.Area,
		atom.Base, atom.Embed, atom.Source, atom.Wbr:
		return true
	}
	return false
}

package settings

import (
	"slices"
	"strings"
)

// Written is one setting as it is in use, fit to be shown: a secret is not repeated.
type Written struct {
	Key   string `json:"key"`
	Value string `json:"value"` // "set" for a secret
	// the variable, or the file, line and key; "" for a default
	Where   string `json:"where,omitempty"`
	Default bool   `json:"default,omitempty"` // nothing was written, or the default itself
}

// Written returns the settings of rows, in their order. What is neither written nor has a default
// is left out.
func (g Given) Written(rows []Row) (all []Written) {
	for _, r := range rows {
		v, given := g.values[r.Key]
		switch {
		case r.Key == "":
		case given && len(v.items) > 0:
			text := strings.Join(v.items, ", ")
			w := Written{Key: r.Key, Value: text, Where: v.where, Default: text == r.standard()}
			if r.Kind.Hidden() {
				w.Value, w.Default = shown(r.Kind, v.items), false
			}
			all = append(all, w)
		case r.Default != "":
			all = append(all, Written{Key: r.Key, Value: r.standard(), Default: true})
		}
	}
	return all
}

// standard is the default as a value of its kind is shown, "" for none.
func (r Row) standard() string {
	if r.Default == "" {
		return ""
	}
	return strings.Join(r.Items(r.Default), ", ")
}

// shown is what may be told of a secret: that it is there, and the names of those that have some.
func shown(k Kind, items []string) string {
	switch {
	case k == SecretURL && !hasPassword(items[0]):
		return items[0]
	case k == NamedSecrets:
		var names []string
		for _, item := range items {
			name, _, _ := strings.Cut(item, "=")
			names = append(names, name)
		}
		return "set: " + strings.Join(names, ", ")
	case len(items) > 1:
		return "set, several"
	}
	return "set"
}

// Fingerprint adds what is in use, secrets included, to a digest. Two processes with the same
// settings add the same, wherever these were written, or left to their defaults.
func (g Given) Fingerprint(rows []Row, add func(string)) {
	for _, r := range rows {
		value := r.standard()
		if v, ok := g.values[r.Key]; ok && len(v.items) > 0 {
			items := slices.Clone(v.items)
			if r.Kind == Named || r.Kind == NamedSecrets { // a mapping has no order
				slices.Sort(items)
			}
			value = strings.Join(items, ", ")
		}
		if r.Key != "" && value != "" {
			add(r.Key + "=" + value)
		}
	}
}

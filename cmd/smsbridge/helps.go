package main

import (
	"maps"
	"strings"

	"github.com/alecthomas/kong"
)

// withHelps writes the helps into the commands, arguments and flags whose tags name them, as
// help:"${name}". As variables of kong, all of them would be expanded again for every flag. That
// takes longer than the rest of most commands. A name without a help stays, and kong refuses it.
func withHelps(helps ...kong.Vars) kong.Option {
	all := kong.Vars{}
	for _, some := range helps {
		maps.Copy(all, some)
	}
	write := func(help *string) {
		name, opened := strings.CutPrefix(*help, "${")
		name, closed := strings.CutSuffix(name, "}")
		if text, ok := all[name]; ok && opened && closed {
			*help = text
		}
	}
	return kong.PostBuild(func(k *kong.Kong) error {
		return kong.Visit(k.Model.Node, func(node kong.Visitable, next kong.Next) error {
			switch node := node.(type) {
			case *kong.Node:
				write(&node.Help)
			case *kong.Value:
				write(&node.Help)
			}
			return next(nil)
		})
	})
}

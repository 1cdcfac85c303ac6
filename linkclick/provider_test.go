package linkclick

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// allShapes returns the shapes of all providers in the order in which they are compared.
func allShapes() []shape {
	var all []shape
	for _, p := range providers {
		for _, s := range p.shapes {
			s.provider = p
			all = append(all, s)
		}
	}
	return all
}

// exampleLink returns a link of a shape.
func exampleLink(s shape) string {
	link := "https://login.acme.example/base" + strings.NewReplacer("*", "a1b2c3", "{id}", "a1b2c3d4e5f6").Replace(s.path)
	if strings.HasPrefix(s.path, "/#/") {
		link = strings.Replace(link, "/#/", "/_/#/", 1)
	}
	sep := "?"
	for p := range strings.FieldsSeq(s.query) {
		if !strings.Contains(p, "=") {
			p += "=a1b2c3"
		}
		link, sep = link+sep+p, "&"
	}
	return link
}

// Every row of the table must be reachable: a row above must not hide it.
func TestShapes(t *testing.T) {
	for _, s := range allShapes() {
		link := exampleLink(s)
		u, why := acme.judge(link)
		require.Empty(t, why, link)
		require.Equal(t, s, shapeOf(u), link)
		require.NotEmpty(t, known.recipe(s.recipe).name, link)
	}
}

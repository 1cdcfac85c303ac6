package linkclick

import (
	"net/url"
	"testing"

	"github.com/stretchr/testify/require"
)

// The index leaves out no shape that fits: for each example link, and for each with a foreign
// fragment or parameter, it gives the same shape as a comparison with all of them.
func TestShapeIndexLeavesOutNothing(t *testing.T) {
	all := allShapes()
	for _, s := range all {
		link := exampleLink(s)
		for _, variant := range []string{link, link + "&x=1", link + "/", link + "#x/y", "/"} {
			u, err := url.Parse(variant)
			require.NoError(t, err)
			var first shape
			for _, other := range all {
				if other.fitsPath(u) && other.fitsQuery(u.Query()) {
					first = other
					break
				}
			}
			if first.provider != nil && first.provider.tell != nil {
				first.kind = first.provider.tell(first.kind, u.Path, u.Query())
			}
			require.Equal(t, first, shapeOf(u), variant)
		}
	}
}

// BenchmarkShapeOf shows that a link is not compared with all shapes.
func BenchmarkShapeOf(b *testing.B) {
	for name, link := range map[string]string{
		"the last shape":   "https://login.acme.example/-/org/invite/Az4Az4Az4Az4Az4Az4Az4Az4",
		"an unknown shape": "https://login.acme.example/account/t/confirm?token=Zk3vQ8mW1xT5&next=%2F",
	} {
		u, err := url.Parse(link)
		require.NoError(b, err)
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				shapeOf(u)
			}
		})
	}
}

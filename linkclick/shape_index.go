package linkclick

import (
	"net/url"
	"slices"
	"strings"
)

// This file finds the few shapes that a link may have among those of all providers. A mail may hold
// hundreds of links, and there are more than a hundred shapes, so they are not all compared.

// shapeIndex holds the shapes by a literal segment of their path. A shape without a path is filed
// under the first parameter of its query.
type shapeIndex struct {
	byPlace map[place][]ranked
	byName  map[string][]ranked
	deepest int // the greatest place.fromEnd
}

// place is where a literal segment stands in a path.
type place struct {
	fromEnd int // segments after it
	segment string
}

// ranked is a shape with its place in the order of comparison.
type ranked struct {
	rank  int
	shape shape
}

// indexShapes files the shapes of all providers, each with its provider.
func indexShapes(all []*provider) shapeIndex {
	x := shapeIndex{byPlace: map[place][]ranked{}, byName: map[string][]ranked{}}
	rank := 0
	for _, p := range all {
		for _, s := range p.shapes {
			rank++
			s.provider = p
			r := ranked{rank, s}
			if at, ok := s.landmark(); ok {
				x.byPlace[at] = append(x.byPlace[at], r)
				x.deepest = max(x.deepest, at.fromEnd)
				continue
			}
			name, _, _ := strings.Cut(s.query, " ")
			name, _, _ = strings.Cut(name, "=")
			x.byName[name] = append(x.byName[name], r)
		}
	}
	return x
}

// landmark returns the last literal segment of the path. ok is false if there is none.
func (s shape) landmark() (at place, ok bool) {
	segments := strings.Split(s.path, "/")
	for i := len(segments) - 1; i > 0; i-- {
		if segments[i] != "*" && !strings.HasPrefix(segments[i], "{") {
			return place{len(segments) - 1 - i, segments[i]}, true
		}
	}
	return place{}, false
}

// near returns the shapes that u may have, in the order in which they are compared. A shape that is
// not among them does not fit u.
func (x shapeIndex) near(u *url.URL, query url.Values) []shape {
	var found []ranked
	for name := range query {
		found = append(found, x.byName[name]...)
	}
	found = x.along(found, strings.TrimSuffix(u.Path, "/"))
	if u.Fragment != "" {
		found = x.along(found, u.Path+"#"+u.Fragment)
	}
	slices.SortFunc(found, func(a, b ranked) int { return a.rank - b.rank })
	shapes := make([]shape, 0, len(found))
	for i, r := range found {
		if i == 0 || r.rank != found[i-1].rank {
			shapes = append(shapes, r.shape)
		}
	}
	return shapes
}

// along adds the shapes whose landmark is in the last segments of a path.
func (x shapeIndex) along(found []ranked, path string) []ranked {
	for depth := 0; depth <= x.deepest; depth++ {
		slash := strings.LastIndexByte(path, '/')
		if slash < 0 {
			break
		}
		found = append(found, x.byPlace[place{depth, path[slash+1:]}]...)
		path = path[:slash]
	}
	return found
}

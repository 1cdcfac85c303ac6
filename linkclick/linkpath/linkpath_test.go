//go:build !race

package linkpath

import (
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestParse(t *testing.T) {
	for text, want := range map[string]Entry{
		"/account/confirm": {Segments: []string{"account", "confirm"}},
		"verify:/t/*/go/":  {Kind: "verify", Segments: []string{"t", "*", "go"}},
		"reset:/*?token": {Kind: "reset", Segments: []string{"*"}, Exact: true,
			Query: []string{"token"}},
		"login:/?a=1&&b": {Kind: "login", Exact: true, Query: []string{"a=1", "b"}},
		"/#/confirm/*?":  {Route: []string{"confirm", "*"}, Exact: true},
		"/x#/~go":        {Segments: []string{"x"}, Route: []string{"~go"}, Exact: true},
		"/confirm?":      {Segments: []string{"confirm"}, Exact: true},
		"/reset:/x":      {Segments: []string{"reset:", "x"}},
		"/app#confirm?t=a?": {Segments: []string{"app"}, Route: []string{"confirm"}, Exact: true,
			Query: []string{"t=a?"}},
	} {
		e, err := Parse(text)
		require.NoError(t, err, text)
		require.Equal(t, want, e, text)
	}
	for text, want := range map[string]error{
		"": ErrForm, "account": ErrForm, "verify:": ErrForm, "Reset:/x": ErrForm, "delete:/x": ErrForm,
		"verify:reset:/x": ErrForm, "login:verify:/x": ErrForm, "verify:verify:/x": ErrForm,
		"/bekræft/konto": ErrNever, "/bekr%C3%A6ft/konto": ErrNever, "/a;b": ErrNever, `/a\b`: ErrNever,
		"/../x": ErrNever, "/x/.": ErrNever, "/confirm?a&a": ErrNever, "/confirm?a=1&a=2": ErrNever,
		"/confirm?a;b": ErrNever, "/#/x/..": ErrNever, "/a%": ErrNever, "/a%2Bb": ErrNever,
		"/#/a%2Fb": ErrNever, "/a?next=%2Fhome&t": ErrNever, "/a b": ErrNever, "/a\x7fb": ErrNever,
		"https://login.acme.example/confirm": ErrForm, " /confirm": ErrForm, "?token": ErrForm,
		"/": ErrEvery, "//": ErrEvery, "/*": ErrEvery, "/*/*/": ErrEvery, "reset:/": ErrEvery,
		"/*//*": ErrEvery, "/?": ErrEvery, "/#": ErrEvery, "/?&": ErrEvery, "/*?": ErrEvery,
		"/#/*?": ErrEvery,
		"/#?":   ErrEvery, "login:/*#*": ErrEvery,
	} {
		_, err := Parse(text)
		require.ErrorIs(t, err, want, text)
	}
}

// FuzzParse ensures that an entry which is taken names something that a link must have.
func FuzzParse(f *testing.F) {
	for _, text := range []string{"/", "/a/*?b=c&d", "reset:/#/x?", "verify:reset:/x", "/*#",
		"login:/?t"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		e, err := Parse(text)
		if err != nil {
			require.Zero(t, e)
			return
		}
		require.True(t, len(e.Query) > 0 || slices.ContainsFunc(e.Segments, IsLiteral) ||
			slices.ContainsFunc(e.Route, IsLiteral))
		require.True(t, e.Exact || e.Query == nil && e.Route == nil)
	})
}

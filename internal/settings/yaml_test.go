//go:build !race

package settings

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// Ensure that a line that is right is not taken for the mistake of a broken file, however it is
// quoted. The operator would look for it in vain.
func TestRightLinesOfBrokenYAML(t *testing.T) {
	for _, right := range []string{
		`"say \"hi\" there"`, `"a \\"`, `'Bob''s Shop'`, `'x'`, `'it''s' # why`, `"x" # it's`,
		`"" # none`, `''`, `"{{.Name}} …"`,
	} {
		for _, wrong := range []string{`'x' y`, `"x" y`, `"\"x" y`, `'''x' y`} {
			_, l := fromText("shops:\n  - name: " + right + "\n    mode: " + wrong + "\n")
			require.Len(t, l.Mistakes(), 1, right)
			require.Equal(t, "s.yaml:3: mode", l.Mistakes()[0].Where, right)
			require.Equal(t, "has something after the closing quote", l.Mistakes()[0].What, wrong)
		}
	}
	for _, open := range []string{`'Bob''s`, `"a\"`, `'`, `"\\\"`} {
		_, l := fromText("shops:\n  - name: " + open + "\n")
		require.Len(t, l.Mistakes(), 1, open)
		require.Equal(t, "has a quote that is not closed", l.Mistakes()[0].What, open)
	}
}

// Ensure that a key whose colon has no blank behind it is named, and a line in the wrong column.
// YAML's own words speak of neither.
func TestColumnsOfBrokenYAML(t *testing.T) {
	const joined, column = "has no blank behind its colon", "begins in a column"
	const only = "is indented with a character that only looks like a blank"
	for text, want := range map[string][2]string{
		"shops:\n  - name:Corner\n    mode: fast\n":                   {"s.yaml:2: name", joined},
		"shops:\n  - name: x\n    mode:fast\n    seats: 3\n":          {"s.yaml:3: mode", joined},
		"shops:\n  - name: x\n   mode: fast\n":                        {"s.yaml:3: mode", column},
		"shops:\n  - name: x\n     mode: fast\n":                      {"s.yaml:3: mode", column},
		"shops:\n  - name: x\n    hosts: [a]\n  mode: fast\n":         {"s.yaml", "is not valid YAML"},
		"title: x\n  shops:\n  - name: x\n":                           {"s.yaml:2", column},
		"shops:\n- name: x\n  hosts:\n  - a.example\n   mode: slow\n": {"s.yaml:5: mode", column},
		"shops:\n  - name: \"x\" # y\n    look:\n      color: red\n     page: x\n": {
			"s.yaml:5: page", column},
		"shops:\n  - name: |\n      a\n       b\n    mode: 'x' y\n": {
			"s.yaml:5: mode", "has something after"},
		"shops:\n  - name: x\n     y\n    mode: 'x' y\n": {
			"s.yaml:4: mode", "has something after"},
		"shops:\n  - name: &n x\n    mode: 'x' y\n": {
			"s.yaml:3: mode", "has something after"},
		"shops:\n  - name: x\n\u00a0mode: fast\n    seats: 3\n":   {"s.yaml:3", only},
		"shops:\n  - name: x\n    hosts:\n    - a:1\n  }: fast\n": {"s.yaml", "is not valid YAML"},
	} {
		_, l := fromText(text)
		require.Len(t, l.Mistakes(), 1, text)
		require.Equal(t, want[0], l.Mistakes()[0].Where, text)
		require.Contains(t, l.Mistakes()[0].What, want[1], text)
	}
}

// Ensure that a value that begins with * is explained, and not repeated: it may be a secret. An
// alias that names a value is right.
func TestStars(t *testing.T) {
	const shops = "title: &n x\nshops:\n  - name: *n\n"
	for text, want := range map[string]Mistake{
		"    mode: *\n":               {"s.yaml:4: mode", starWhat, quoteHint},
		"    mode: *  # all\n":        {"s.yaml:4: mode", starWhat, quoteHint},
		"    hosts: [*]\n":            {"s.yaml:4: hosts", "has a value that " + starWhat, quoteHint},
		"    hosts: [a.example, *]\n": {"s.yaml:4: hosts", "has a value that " + starWhat, quoteHint},
		"    hosts:\n      - *\n":     {"s.yaml:5", starWhat, quoteHint},
		"    token: *s3cret\n":        {"s.yaml:4", "has a value that " + starWhat, quoteHint},
		"    hosts: [*n, *s3cret]\n":  {"s.yaml:4", "has a value that " + starWhat, quoteHint},
	} {
		_, l := fromText(shops + text)
		require.Equal(t, Mistakes{want}, l.Mistakes(), "%q", text)
	}
	_, l := fromText(shops + "    hosts: [*n]\n    mode: \"x\" y\n")
	require.Equal(t, "s.yaml:5: mode", l.Mistakes()[0].Where)
}

// Ensure that a mistake is explained on the first line and on the last. YAML also counts line ends
// that other programs do not.
func TestFirstAndLastLine(t *testing.T) {
	const shops = "\nshops:\n  - name: x\n"
	for text, want := range map[string]Mistake{
		"title: {{.Name}}" + shops: {"s.yaml:1: title", bracesWhat, bracesHint},
		"title: #0b5" + shops:      {"s.yaml:1: title", hashWhat, `quote it: title: "#0b5"`},
		"title: x" + shops + "    mode: {{.Name}}": {
			"s.yaml:4: shops[0].mode", bracesWhat, bracesHint,
		},
		"title: x" + shops + "    mode: #0b5": {
			"s.yaml:4: shops[0].mode", hashWhat, `quote it: mode: "#0b5"`,
		},
		"title: x\rshops:\r  - name: x\r    mode: {{.Name}}\r": {
			"s.yaml:4: shops[0].mode", "is not written as this setting is", "write one value",
		},
		"title: x\rshops:\r  - name: x\r    mode:\r": {
			"s.yaml:4: shops[0].mode", "has no value", "write one, or remove the line",
		},
	} {
		_, l := fromText(text)
		require.Equal(t, Mistakes{want}, l.Mistakes(), "%q", text)
	}
}

// Ensure that the ends of a span are in it, and that a variable without a name sets nothing. Of two
// names that are equally close the first is meant.
func TestBounds(t *testing.T) {
	var s shop
	wait := Duration(time.Second, 24*time.Hour, "5m", func(s *shop) *time.Duration { return &s.Wait })
	for given, taken := range map[string]bool{
		"1s": true, "24h": true, "999ms": false, "24h1ms": false, "-1s": false,
	} {
		require.Equal(t, taken, wait(&s, []string{given}) == nil, given)
	}
	s, l := fromVariables("SHOP_NAME=Corner", "=2h")
	require.Empty(t, l.Mistakes())
	require.Equal(t, 90*time.Second, s.Wait, "Windows has such variables")
	require.Equal(t, "did you mean mode?", didYouMean("mide", []string{"mode", "made"}))
}

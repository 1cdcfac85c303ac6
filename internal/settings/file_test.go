//go:build !race

package settings

import (
	"encoding/json"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// Ensure that each way in which a file has no usable form has a mistake of its own, at its place.
func TestFormOfFile(t *testing.T) {
	const shops = "shops:\n  - name: x\n"
	for _, tt := range []struct{ text, where, what, hint string }{
		{"", "s.yaml", "has no settings", "start from shop.yaml"},
		{"# later\n", "s.yaml", "has no settings", "start from shop.yaml"},
		{"- name: x\n", "s.yaml", "has no settings", "start from shop.yaml"},
		{"word\n", "s.yaml", "has no settings", "start from shop.yaml"},
		{shops + "---\ntitle: y\n", "s.yaml", "has more than one document", "---"},
		{shops + "---\n}\n", "s.yaml", "has more than one document", "---"},
		{"title: x\n", "s.yaml: shops", "there is no shop", "as in shop.yaml"},
		{"shops: []\n", "s.yaml: shops", "there is no shop", "as in shop.yaml"},
		{"title: x\nshops:\n  name: x\n", "s.yaml:3: shops", "is not a list", "start each shop"},
		{"shops:\n  - x\n", "s.yaml:2: shops[0]", "is not a shop", "key: value below the hyphen"},
		{shops + "  - [x]\n", "s.yaml:3: shops[1]", "is not a shop", "key: value below the hyphen"},
		{shops + "    name: y\n", "s.yaml:3: shops[0].name", "is there twice", "keep one of the two"},
		{shops + "shops:\n  - name: y\n", "s.yaml:3: shops", "is there twice", "keep one of the two"},
		{shops + "    look: {color: '#0b5'}\n    look.color: '#fff'\n", "s.yaml:4: shops[0].look.color",
			"is there twice", "keep one of the two"},
		{shops + "    look.color: '#0b5'\n    look: {color: '#fff'}\n", "s.yaml:4: shops[0].look.color",
			"is there twice", "keep one of the two"},
		{shops + "nope: y\n", "s.yaml:3: nope", "is not a known setting", "known here: shops, title"},
		{shops + "mode: slow\n", "s.yaml:3: mode", "is in the wrong place",
			"a setting of a shop: write it below shops"},
		{shops + "look: {color: red}\n", "s.yaml:3: look", "is in the wrong place",
			"a setting of a shop: write it below shops"},
		{shops + "    title: x\n", "s.yaml:3: shops[0].title", "is in the wrong place",
			"write it above shops"},
		{shops + "    look: {title: x}\n", "s.yaml:3: shops[0].look.title", "is not a known setting",
			"known here: look.color"},
		{shops + "    look: {colour: red}\n", "s.yaml:3: shops[0].look.colour",
			"is not a known setting", "did you mean look.color?"},
		{shops + "    look: {key-7d2f61c09be84a53f1e6c8b20d94a7e3: }\n", "s.yaml:3: shops[0].look.…",
			"is not a known setting", "known here: look.color"},
		{shops + "    look: {fedcbaabcdeffedcbaabcdef}\n", "s.yaml:3: shops[0].look.…",
			"is not a known setting", "known here: look.color"},
		{shops + "    look: {Zk3QpLx}\n", "s.yaml:3: shops[0].look.…",
			"is not a known setting", "known here: look.color"},
		{shops + "    LOOK_COLOR: red\n", "s.yaml:3: shops[0].LOOK_COLOR",
			"is not a known setting", "known here"},
		{shops + "    name.x: y\n", "s.yaml:3: shops[0].name.x", "is not a known setting", "name"},
		{shops + "    tags: x\n", "s.yaml:3: shops[0].tags", "is not written as this setting is",
			"write name: value, indented, for each"},
		{shops + "    keys: [x]\n", "s.yaml:3: shops[0].keys", "is not written as this setting is",
			"write name: env:NAME, indented, for each"},
		{shops + "    mode: [slow]\n", "s.yaml:3: shops[0].mode", "is not written as this setting is",
			"write one value"},
		{shops + "    hosts: {a: b}\n", "s.yaml:3: shops[0].hosts",
			"is not written as this setting is", "write a list of values"},
		{shops + "    hosts: [[a.example]]\n", "s.yaml:3: shops[0].hosts",
			"is not written as this setting is", "write a list of values"},
		{shops + "    hosts: []\n", "s.yaml:3: shops[0].hosts", "has no value", "remove the line"},
		{shops + "    hosts: [~]\n", "s.yaml:3: shops[0].hosts", "has no value", "remove the line"},
		{shops + "    tags: {}\n", "s.yaml:3: shops[0].tags", "has no value", "remove the line"},
		{shops + "    mode: ''\n", "s.yaml:3: shops[0].mode", "has no value", "remove the line"},
		{shops + "    mode: ' '\n", "s.yaml:3: shops[0].mode", "has no value", "remove the line"},
		{shops + "    ? mode\n    :\n", "s.yaml:3: shops[0].mode", "has no value", "remove the line"},
	} {
		_, l := fromText(tt.text)
		require.Len(t, l.Mistakes(), 1, "%q: %v", tt.text, l.Mistakes())
		m := l.Mistakes()[0]
		require.Equal(t, tt.where, m.Where, tt.text)
		require.Contains(t, m.What, tt.what, tt.text)
		require.Contains(t, m.Hint, tt.hint, tt.text)
	}
	// What is missing has its place at the start of its item.
	_, l := fromText("shops:\n  - mode: fast\n  - name: x\n")
	require.Equal(t, Mistakes{{"s.yaml:2: shops[0].name", "is missing", "say it"}}, l.Mistakes())
}

// Ensure that a name in a mapping has one value and is taken as it stands. The second of two would
// replace the first one without a word.
func TestNamesInFile(t *testing.T) {
	const shops = "title: &n size\nshops:\n  - name: x\n"
	for tags, what := range map[string]string{
		"{size: small, size: large}":   "has a name that is there twice",
		"{size: small, *n : large}":    "has a name that is there twice",
		"{size: small, 'size': small}": "has a name that is there twice",
		"{~: small}":                   "is not written as this setting is",
		"{'': small}":                  "is not written as this setting is",
		"{' ': small}":                 "is not written as this setting is",
		"{[size]: small}":              "is not written as this setting is",
		"{'size=small': large}":        "is not written as this setting is",
	} {
		_, l := fromText(shops + "    tags: " + tags + "\n")
		require.Len(t, l.Mistakes(), 1, tags)
		require.Equal(t, "s.yaml:4: shops[0].tags", l.Mistakes()[0].Where, tags)
		require.Equal(t, what, l.Mistakes()[0].What, tags)
	}
	s, l := fromText(shops + "    tags: {*n : small, hue: large}\n")
	require.Empty(t, l.Mistakes())
	require.Equal(t, map[string]string{"size": "small", "hue": "large"}, s.Tags)
	_, l = fromText(shops+"    keys: {'~': env:KEY, 'a=b': env:KEY}\n", "KEY=x")
	require.Len(t, l.Mistakes(), 1)
	require.Equal(t, "is not written as this setting is", l.Mistakes()[0].What)
}

// Ensure that a tag that asks for more than to be read is a mistake: its value would be something
// else without a word. A tag that says what a value is anyway changes nothing.
func TestTags(t *testing.T) {
	const shops = "shops:\n  - name: x\n"
	for _, tagged := range []string{
		"mode: !ENV MODE", "look.color: !!binary I2ZmZg==", "hosts: !ENV [a.example]",
		"hosts: [!ENV HOST]", "hosts: !HOSTS a.example", "tags: !x {size: small}",
		"tags: {size: !ENV small}", "token: !secret env:KEY", "keys: {app: !vault env:KEY}",
	} {
		key, _, _ := strings.Cut(tagged, ":")
		_, l := fromText(shops+"    "+tagged+"\n", "KEY=x")
		require.Len(t, l.Mistakes(), 1, tagged)
		require.Equal(t, "s.yaml:3: shops[0]."+key, l.Mistakes()[0].Where)
		require.Contains(t, l.Mistakes()[0].What, "has a tag", tagged)
	}
	s, l := fromText(shops + "    seats: !!str 08\n    hosts: !!seq [a.example]\n")
	require.Empty(t, l.Mistakes())
	require.Equal(t, 8, s.Seats)
}

// Ensure that an alias stands for what it names, in every place.
func TestAliases(t *testing.T) {
	s, l := fromText("title: &n Corner\nshops: &s\n  - &i\n    name: *n\n    hosts: &h [c.example]\n")
	require.Empty(t, l.Mistakes())
	require.Equal(t, "Corner", s.Name)
	s, l = fromText(
		"title: &h d.example\nshops:\n  - name: x\n    hosts: [*h]\n    tags: {size: small}\n")
	require.Empty(t, l.Mistakes())
	require.Equal(t, []string{"d.example"}, s.Hosts)
	_, l = fromText("title: x\nshops: &s\n  - name: x\n  - &i {name: y}\n  - *i\n")
	require.Empty(t, l.Mistakes())
}

// Ensure that a file is read up to its limit, and that one that is not there says so.
func TestReadFile(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "s.yaml")
	shops := "shops:\n  - name: x\n    token: file:token\n#"
	write := func(name, text string) {
		require.NoError(t, os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600))
	}
	read := func() (shop, bool, *Loader) {
		l := NewLoader(nil)
		var s shop
		file, ok := l.ReadFile(path, shopForm())
		for _, item := range file.Items {
			Fill(l, &s, options(), item)
		}
		return s, ok, l
	}
	_, ok, l := read()
	require.False(t, ok)
	require.Len(t, l.Mistakes(), 1)
	require.Equal(t, path, l.Mistakes()[0].Where)
	require.Equal(t, "cannot be read", l.Mistakes()[0].What)

	write("token", "\n hidden \n")
	write("s.yaml", shops+strings.Repeat("x", maxFile-len(shops)))
	s, ok, l := read()
	require.True(t, ok)
	require.Empty(t, l.Mistakes())
	require.Equal(t, "hidden", s.Token.Reveal(), "a path is relative to the file's folder")

	write("s.yaml", shops+strings.Repeat("x", maxFile-len(shops)+1))
	_, ok, l = read()
	require.False(t, ok)
	require.Contains(t, l.Mistakes().Error(), "is larger than 4194304 bytes")

	write("s.yaml", shops)
	for text, what := range map[string]string{
		"": "refers to an empty file", " \n": "refers to an empty file",
		"PARTNER_TOKEN=hidden":               "refers to a file that has a name and = before the secret",
		"export SHOP_KEY_2='hidden'\n":       "refers to a file that has a name and = before the secret",
		strings.Repeat("x", maxSecretFile+1): "refers to a file that cannot be read",
	} {
		write("token", text)
		_, _, l = read()
		require.Len(t, l.Mistakes(), 1)
		require.Equal(t, "s.yaml:3: shops[0].token", filepath.Base(l.Mistakes()[0].Where))
		require.Equal(t, what, l.Mistakes()[0].What)
	}
	for _, text := range []string{strings.Repeat("x", maxSecretFile), "AB_CD=", "ab_cd=ef", "ABCD=x"} {
		write("token", text)
		_, _, l = read()
		require.Empty(t, l.Mistakes())
	}
}

// Ensure that a secret is found where a reference leads, and that a file tells none. In a variable
// a secret may be written out.
func TestReferences(t *testing.T) {
	file := filepath.Join(t.TempDir(), "key")
	require.NoError(t, os.WriteFile(file, []byte("of-a-file"), 0o600))
	for _, tt := range []struct {
		kind        Kind
		plain       bool
		item, want  string
		what        string // of the mistake
		environment []string
	}{
		{SecretOne, true, "written-out", "written-out", "", nil},
		{SecretOne, false, "written-out", "", "has a secret written out", nil},
		{SecretOne, false, "env:KEY", "of-a-variable", "", []string{"KEY= of-a-variable\n"}},
		{SecretOne, true, "env:KEY", "", "refers to a variable that is not set", nil},
		{SecretOne, true, "env:KEY", "", "refers to a variable that is not set", []string{"KEY= "}},
		{SecretOne, true, "file:" + file, "of-a-file", "", nil},
		{SecretFile, true, file, "of-a-file", "", nil},
		{SecretFile, false, file, "of-a-file", "", nil},
		{SecretFile, false, file + "x", "", "refers to a file that cannot be read", nil},
		{NamedSecrets, false, "app=env:KEY", "app=of-a-variable", "", []string{"KEY=of-a-variable"}},
		{NamedSecrets, false, "app=written-out", "", "has a secret written out", nil},
		{SecretURL, false, "sqlite:/x?password=p", "sqlite:/x?password=p", "", nil},
		{SecretURL, false, "postgres://u@h/d", "postgres://u@h/d", "", nil},
		{SecretURL, false, "postgres://u:p@h/d", "", "has a secret written out", nil},
		{SecretURL, false, "postgres://h/d?user=u&password=p", "", "has a secret written out", nil},
		{SecretURL, false, "postgres://u@h/d?sslpassword=p", "", "has a secret written out", nil},
		{SecretURL, false, "postgres://u:%zz@h/d", "", "has a secret written out", nil},
		{SecretURL, true, "postgres://u:p@h/d", "postgres://u:p@h/d", "", nil},
		{One, false, "env:KEY", "env:KEY", "", nil},
	} {
		l := NewLoader(tt.environment)
		got := l.reveal(source{"here", "/", tt.plain}, tt.kind, []string{tt.item})
		if tt.what == "" {
			require.Empty(t, l.Mistakes(), tt.item)
			require.Equal(t, []string{tt.want}, got, tt.item)
			continue
		}
		require.Len(t, l.Mistakes(), 1, tt.item)
		require.Equal(t, "here", l.Mistakes()[0].Where)
		require.Equal(t, tt.what, l.Mistakes()[0].What, tt.item)
		require.Empty(t, got, tt.item)
		require.NotContains(t, l.Mistakes().Error(), "written-out")
	}
	// A variable that something refers to is no unknown one, and none beside a file.
	l := NewLoader([]string{"SHOP_NAME=x", "SHOP_SECRET=x"})
	l.reveal(source{"here", "/", false}, SecretOne, []string{"env:SHOP_SECRET"})
	l.reveal(source{"here", "/", false}, SecretOne, []string{"env:SHOP_NAME"})
	l.RefuseUnknown([]Family{{Prefix: "SHOP_", Own: true}}, Rows(options()))
	l.RefuseBeside(Rows(options()))
	require.Empty(t, l.Mistakes())
}

// Ensure that a secret shows in no form in which a program prints a value.
func TestSecretStaysIn(t *testing.T) {
	const text = "9c4be1f072a8d635"
	s := struct{ Key, None Secret }{NewSecret(text), NewSecret("")}
	marshaled, err := json.Marshal(s)
	require.NoError(t, err)
	require.Equal(t, `{"Key":"[redacted]","None":""}`, string(marshaled))
	var logged strings.Builder
	slog.New(slog.NewTextHandler(&logged, nil)).Info("loaded", "key", s.Key, "none", s.None)
	require.Contains(t, logged.String(), "key=[redacted]")
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%d"} {
		shown := fmt.Sprintf(verb, s.Key) + fmt.Sprintf(verb, s)
		require.NotContains(t, shown, text, verb)
		require.NotContains(t, shown, fmt.Sprintf("%x", text), verb)
		require.Contains(t, fmt.Sprintf(verb, s.Key), "[redacted]", verb)
	}
	require.NotContains(t, logged.String(), text)
	require.Equal(t, text, s.Key.Reveal())
	require.Empty(t, s.None.Reveal())
	require.Empty(t, s.None.String())
	require.Equal(t, NewSecret(text), s.Key, "equal secrets are equal")
}

// Ensure that the hint for a web address with a password says that this goes.
func TestBaseURLWithAUser(t *testing.T) {
	_, m := ParseBaseURL("https://user:password@h.example")
	require.Equal(t, "leave that out: write https://host or https://host/path alone", m.Hint)
}

// Ensure that no address is taken that leads elsewhere than it seems to, or over plain http off
// this machine.
func TestBaseURL(t *testing.T) {
	for given, want := range map[string]string{
		"https://h.example":          "https://h.example",
		"https://h.example/":         "https://h.example",
		"https://h.example/a//":      "https://h.example/a",
		"https://h.example:8443":     "https://h.example:8443",
		"http://localhost:8080/":     "http://localhost:8080",
		"HTTPS://H.example/":         "https://H.example",
		"Http://h.example":           "is plain http",
		"http://127.0.0.1":           "http://127.0.0.1",
		"http://[::1]:80":            "http://[::1]:80",
		"h.example":                  "is not a web address",
		"//h.example":                "is not a web address",
		"https://":                   "is not a web address",
		"https:///path":              "is not a web address",
		"ftp://h.example":            "is not a web address",
		"https://h.example:x":        "is not a web address",
		"https://u@h.example":        "has a user, a query or a fragment",
		"https://h.example?a=b":      "has a user, a query or a fragment",
		"https://h.example/?":        "has a user, a query or a fragment",
		"https://h.example/#a":       "has a user, a query or a fragment",
		"http://h.example":           "is plain http",
		"http://localhost.example":   "is plain http",
		"http://10.0.0.1":            "is plain http",
		"http://127.0.0.1.h.example": "is plain http",
	} {
		got, m := ParseBaseURL(given)
		if m != nil {
			require.Empty(t, got)
			got = m.What
			require.Contains(t, m.Hint, "http", given)
		}
		require.Equal(t, want, got, given)
	}
	for addr, want := range map[string]bool{
		"127.0.0.1:80": true, "[::1]:80": true, "localhost:80": true, "127.9.9.9:1": true,
		":80": false, "0.0.0.0:80": false, "10.0.0.1:80": false, "localhost.example:80": false,
		"127.0.0.1": false,
	} {
		require.Equal(t, want, IsLoopbackAddr(addr), addr)
	}
	require.False(t, IsLoopbackURL("http://localhost:x"))
}

// Ensure where each setter draws its line, and that a refused value changes nothing.
func TestSetters(t *testing.T) {
	var s shop
	try := func(set Setter[shop], items ...string) bool { return set(&s, items) == nil }
	seats := Count(1, 10, func(s *shop) *int { return &s.Seats })
	require.True(t, try(seats, "1") && try(seats, "10"))
	require.False(t, try(seats, "0") || try(seats, "11") || try(seats, "1.5"))
	require.Equal(t, 10, s.Seats)

	addr := ListenAddr("", func(s *shop) *string { return &s.Addr })
	require.True(t, try(addr, ":0") && try(addr, "[::]:65535"))
	require.False(t, try(addr, ":65536") || try(addr, "host") || try(addr, ":http"))
	require.Equal(t, "[::]:65535", s.Addr)

	hosts := Hosts(func(s *shop) *[]string { return &s.Hosts })
	require.True(t, try(hosts, "localhost:8080", "10.0.0.1", "[::1]:1", "A.example"))
	for _, bad := range []string{
		"", "*.example", "a_b.example", "a.example:", "u@a.example", "a.example/x", "a", "%zz",
	} {
		require.False(t, try(hosts, "b.example", bad), bad)
	}
	require.Equal(t, []string{"localhost:8080", "10.0.0.1", "[::1]:1", "a.example"}, s.Hosts)

	color := Pattern(regexp.MustCompile("^#[0-9a-f]{3}$"), Wrong("is no color", "as #0b5"),
		func(s *shop) *string { return &s.Color })
	require.True(t, try(color, "#0b5"))
	require.Equal(t, "is no color", color(&s, []string{"blue"}).What)
	require.Equal(t, "#0b5", s.Color)

	token := Key(func(s *shop) *Secret { return &s.Token })
	require.True(t, try(token, "~!key"))
	for _, bad := range []string{"a b", "a\x7f", `"a"`, "'a'", "<a>", "é", "a\n"} {
		require.False(t, try(token, bad), bad)
	}
	require.Equal(t, "~!key", s.Token.Reveal())
	tokens := Keys(func(s *shop) *[]Secret { return &s.Tokens }, JudgeKey)
	require.True(t, try(tokens, "a", "b"))
	require.False(t, try(tokens, "a", "b c"))
	require.Len(t, s.Tokens, 2)
}

// Ensure that a name is suggested when it is close, and that the closest is.
func TestDidYouMean(t *testing.T) {
	known := []string{"mode", "model", "name"}
	for name, want := range map[string]string{
		"mod": "did you mean mode?", "modle": "did you mean mode?", "modell": "did you mean model?",
		"nmae": "did you mean name?", "m": "known here: mode, model, name",
		"xxxe": "known here: mode, model, name", "xxme": "did you mean name?",
		"name-of-the-shop": "known here: mode, model, name",
	} {
		require.Equal(t, want, didYouMean(name, known), name)
	}
	require.Equal(t, "did you mean configuration-path?",
		didYouMean("konfigurazion-bath", []string{"configuration-path"}), "long names may have more")
	for _, tt := range []struct {
		a, b string
		want int
	}{{"", "", 0}, {"", "abc", 3}, {"abc", "", 3}, {"abc", "abc", 0}, {"kitten", "sitting", 3}} {
		require.Equal(t, tt.want, editDistance(tt.a, tt.b))
	}
	require.Equal(t, `"`+strings.Repeat("é", 40)+`"`, Quote(strings.Repeat("é", 40)))
	require.Equal(t, `"`+strings.Repeat("é", 40)+`…"`, Quote(strings.Repeat("é", 41)))
	require.Equal(t, "error: a: b\nhint: c\nerror: d: e\nhint: f",
		Mistakes{{"a", "b", "c"}, {"d", "e", "f"}}.Error())
}

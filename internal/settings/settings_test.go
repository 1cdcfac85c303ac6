//go:build !race

package settings

import (
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// shop is what these tests have settings of: nothing that the engine could know.
type shop struct {
	Name, Mode, Color, Page, Addr string
	Open                          bool
	Seats                         int
	Wait                          time.Duration
	Token                         Secret
	Tokens                        []Secret
	Hosts, Words                  []string
	Nets                          []netip.Prefix
	Tags                          map[string]string
	Named                         []string
}

func options() []Option[shop] {
	anyPair := func(_, v string) *Mistake { return JudgeChoice(v, "small", "large") }
	return []Option[shop]{
		{Row{Key: "name", Variable: "SHOP_NAME", Need: Required, Missing: "say it"},
			Text(func(s *shop) *string { return &s.Name })},
		{Row{Key: "mode", Variable: "SHOP_MODE", Default: "slow"},
			Choice(func(s *shop) *string { return &s.Mode }, "slow", "fast")},
		{Row{Key: "open", Default: "true"}, Switch(func(s *shop) *bool { return &s.Open })},
		{Row{Key: "seats", Variable: "SHOP_SEATS", Default: "4"},
			Count(1, 10, func(s *shop) *int { return &s.Seats })},
		{Row{Key: "wait", Default: "90s"}, Duration(time.Second, 24*time.Hour, "5m",
			func(s *shop) *time.Duration { return &s.Wait })},
		{Row{Key: "look.color"}, Text(func(s *shop) *string { return &s.Color })},
		{Row{Key: "look.page"}, BaseURL(func(s *shop) *string { return &s.Page })},
		{Row{Key: "addr"}, ListenAddr("write host:port", func(s *shop) *string { return &s.Addr })},
		{Row{Key: "token", Variable: "PARTNER_TOKEN", Kind: SecretOne},
			Key(func(s *shop) *Secret { return &s.Token })},
		{Row{Key: "tokens", Kind: Secrets},
			Keys(func(s *shop) *[]Secret { return &s.Tokens }, JudgeKey)},
		{Row{Key: "hosts", Variable: "SHOP_HOSTS", Kind: List, Default: "a.example,b.example"},
			Hosts(func(s *shop) *[]string { return &s.Hosts })},
		{Row{Key: "words", Kind: List},
			func(s *shop, items []string) *Mistake { s.Words = items; return nil }},
		{Row{Key: "nets", Kind: List}, Prefixes(func(s *shop) *[]netip.Prefix { return &s.Nets })},
		{Row{Key: "tags", Kind: Named},
			Pairs(func(s *shop) *map[string]string { return &s.Tags }, anyPair)},
		{Row{Key: "keys", Variable: "SHOP_KEYS", Kind: NamedSecrets},
			func(s *shop, items []string) *Mistake { s.Named = items; return nil }},
	}
}

func shopForm() Form {
	rows := Rows(options())
	return Form{
		Top: []Row{{Key: "title"}}, List: "shops", Noun: "shop", Item: rows, Sample: "shop.yaml",
	}
}

func fromVariables(environ ...string) (shop, *Loader) {
	l := NewLoader(environ)
	families := []Family{{Prefix: "SHOP_", Own: true, Allowed: Kubernetes}, {Prefix: "PARTNER_"}}
	l.RefuseUnknown(families, Rows(options()))
	var s shop
	Fill(l, &s, options(), l.Variables(Rows(options())))
	return s, l
}

func fromText(text string, environ ...string) (shop, *Loader) {
	l := NewLoader(environ)
	var s shop
	if file, ok := l.ParseFile("s.yaml", []byte(text), shopForm()); ok {
		for _, item := range file.Items {
			Fill(l, &s, options(), item)
		}
	}
	return s, l
}

// What is not given has its default, from the row and nowhere else.
func TestDefaults(t *testing.T) {
	s, l := fromVariables("SHOP_NAME=Corner")
	require.Empty(t, l.Mistakes())
	require.Equal(t, shop{
		Name: "Corner", Mode: "slow", Open: true, Seats: 4, Wait: 90 * time.Second,
		Hosts: []string{"a.example", "b.example"},
	}, s)
}

func TestFromVariables(t *testing.T) {
	file := filepath.Join(t.TempDir(), "token")
	require.NoError(t, os.WriteFile(file, []byte("hidden\n"), 0o600))
	s, l := fromVariables("SHOP_NAME= Corner ", "SHOP_SEATS=7", "SHOP_HOSTS=C.example, d.example:81,",
		"PARTNER_TOKEN=file:"+file, "SHOP_KEYS=one,two", "SHOP_SERVICE_HOST=10.0.0.1", "SHOP_MODE=")
	require.Empty(t, l.Mistakes())
	require.Equal(t, "Corner", s.Name)
	require.Equal(t, "slow", s.Mode)
	require.Equal(t, 7, s.Seats)
	require.Equal(t, []string{"c.example", "d.example:81"}, s.Hosts)
	require.Equal(t, "hidden", s.Token.Reveal())
	require.Equal(t, []string{"key-1=one", "key-2=two"}, s.Named)
}

func TestMistakesOfVariables(t *testing.T) {
	for _, tt := range []struct{ change, where, what, hint string }{
		{"SHOP_NAME=", "SHOP_NAME", "is missing", "say it"},
		{"SHOP_MODE=quick", "SHOP_MODE", `"quick" is not slow or fast`, "one of these words"},
		{"SHOP_MODE=" + strings.Repeat("x", 50), "SHOP_MODE", "xxx…\" is not slow", "one of these"},
		{"SHOP_SEATS=many", "SHOP_SEATS", `"many" is not a number from 1 to 10`, "digits only"},
		{"SHOP_HOSTS=a.example b.example", "SHOP_HOSTS", "not a host", "by commas"},
		{"SHOP_HOSTS=https://a.example", "SHOP_HOSTS", "not a host", "without https://"},
		{"PARTNER_TOKEN=file:/nowhere", "PARTNER_TOKEN", "cannot be read", "/nowhere"},
		{"PARTNER_TOKEN=has blank", "PARTNER_TOKEN", "has spaces", "copy it again"},
		// A name of our own family is refused; of a family that others share, a likely misspelling.
		{"SHOP_NAMES=x", "SHOP_NAMES", "not a variable", "did you mean SHOP_NAME?"},
		{"SHOP_ZZZZZZZZZZZ=x", "SHOP_ZZZZZZZZZZZ", "not a variable", "known here: SHOP_HOSTS"},
		{"PARTNER_TOKN=x", "PARTNER_TOKN", "not a variable", "did you mean PARTNER_TOKEN?"},
		// What a shell would have understood, and what other programs understand.
		{"shop_mode=fast", "shop_mode", "not a variable", "write SHOP_MODE, in capitals"},
		{"export SHOP_MODE=fast", "export SHOP_MODE", "not a variable", "write SHOP_MODE, in"},
		{"set shop_mode=fast", "set shop_mode", "not a variable", "write SHOP_MODE, in"},
		{"\ufeffSHOP_MODE=fast", "\ufeffSHOP_MODE", "not a variable", "write SHOP_MODE, in"},
		{"SHOP_MODE =fast", "SHOP_MODE ", "not a variable", "write SHOP_MODE, in"},
		{"Partner_Token=x", "Partner_Token", "not a variable", "write PARTNER_TOKEN, in capitals"},
		{"PARTNER_TOKEN_FILE=x", "PARTNER_TOKEN_FILE", "not a variable", "PARTNER_TOKEN=file:PATH"},
		{"SHOP_KEYS_FILE=x", "SHOP_KEYS_FILE", "not a variable", "write SHOP_KEYS=file:PATH"},
		{`SHOP_MODE="fast"`, "SHOP_MODE", "has quotes around", "remove them"},
		{"SHOP_MODE='fast' ", "SHOP_MODE", "has quotes around", "remove them"},
		{`SHOP_HOSTS="a.example,b.example"`, "SHOP_HOSTS", "has quotes around", "remove them"},
		{"SHOP_MODE=fast # as always", "SHOP_MODE", "has a comment", "a line of its own"},
		{"SHOP_MODE=fast #", "SHOP_MODE", "has a comment", "a line of its own"},
	} {
		_, l := fromVariables("SHOP_NAME=Corner", tt.change)
		require.Len(t, l.Mistakes(), 1, tt.change)
		m := l.Mistakes()[0]
		require.Equal(t, tt.where, m.Where)
		require.Contains(t, m.What, tt.what)
		require.Contains(t, m.Hint, tt.hint)
		require.NotContains(t, l.Mistakes().Error(), "has blank")
	}
	for _, other := range []string{
		"PARTNER_REGION=x", "PARTNER_TOKN=", "PARTNERTOKEN=x", "SHOP_PORT_80_TCP=x", "PATH=x",
		"partner_token=", "PARTNER_TOKEN_FILE=", "shop_zzz=x", `SHOP_NAME="Corner" of "Main"`,
		"SHOP_NAME=Corner #1", "SHOP_NAME={{.Brand}} # {{.Code}}", `SHOP_NAME="`,
	} {
		_, l := fromVariables("SHOP_NAME=Corner", other)
		require.Empty(t, l.Mistakes(), other)
	}
	_, l := fromVariables("SHOP_NAME=Corner", "PARTNER_TOKEN=set", "PARTNER_TOKEM=x")
	require.Empty(t, l.Mistakes(), "nothing is missing that it could have been meant for")
	_, l = fromVariables("SHOP_NAME=Corner", "PARTNER_TOKEN=set", "partner_token=x",
		"PARTNER_TOKEN_FILE=x")
	require.Empty(t, l.Mistakes(), "another program may use these")
}

// A broken file is explained in our words, at the line where the mistake is.
func TestBrokenYAML(t *testing.T) {
	for _, tt := range []struct{ name, text, where, what, hint string }{
		{"open double quote", "shops:\n  - name: \"Corner\n    mode: fast\n", "s.yaml:2: name",
			"a quote that is not closed", `write " at the end`},
		{"open single quote", "shops:\n  - name: 'Corner\n", "s.yaml:2: name",
			"a quote that is not closed", "write ' at the end"},
		{"open quote in a list", "shops:\n  - hosts:\n    - \"a.example\n    - b.example\n",
			"s.yaml:3", "a quote that is not closed", `write " at the end`},
		{"closed by the next quote", "shops:\n  - name: \"Corner\n    mode: \"fast\"\n",
			"s.yaml:2: name", "a quote that is not closed", `write " at the end`},
		{"apostrophe", "shops:\n  - name: 'Bob's Shop'\n", "s.yaml:2: name",
			"something after the closing quote", "between the quotes"},
		{"braces", "shops:\n  - name: {{.Name}} says\n", "s.yaml:2: name", "begins with {{",
			`in quotes: "{{.Name}} …"`},
		{"braces and no more", "shops:\n  - name: {{.Name}}\n", "s.yaml:2: shops[0].name",
			"begins with {{", "in quotes"},
		{"braces in a list", "shops:\n  - name: x\n    hosts: [{{.A}}]\n",
			"s.yaml:3: shops[0].hosts", "begins with {{", "in quotes"},
		{"comment", "shops:\n  - name: x\n    look:\n      color: #0b57d0\n",
			"s.yaml:4: shops[0].look.color", "begins with #", `quote it: color: "#0b57d0"`},
		{"comment in braces", "shops:\n  - name: x\n    look: {color: #0b57d0}\n",
			"s.yaml:3: look", "begins with #", "in quotes"},
		{"a comment and no value", "shops:\n  - name: x\n    addr: # later\n",
			"s.yaml:3: shops[0].addr", "has no value", "remove the line"},
		{"a secret as comment", "shops:\n  - name: x\n    token: #secret\n",
			"s.yaml:3: shops[0].token", "begins with #", "in quotes"},
		{"tab", "shops:\n\t- name: x\n", "s.yaml:2", "indented with a tab", "spaces"},
		{"colon", "shops:\n  - name: Corner: the shop\n", "s.yaml:2: name", "a colon and a space",
			"in quotes"},
		{"blank behind env:", "shops:\n  - name: x\n    token: env: KEY\n", "s.yaml:3: token",
			"has a blank behind env:", "in one word"},
		{"blank behind file:", "shops:\n  - token: file: key\n", "s.yaml:2: token",
			"has a blank behind file:", "in one word"},
		{"at sign", "shops:\n  - name: @corner\n", "s.yaml:2: name", "begins with @", "in quotes"},
		{"anything else", "shops: [", "s.yaml", "not valid YAML", "compare it with shop.yaml"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, l := fromText(tt.text)
			require.Len(t, l.Mistakes(), 1, l.Mistakes())
			m := l.Mistakes()[0]
			require.Equal(t, tt.where, m.Where)
			require.Contains(t, m.What, tt.what)
			require.Contains(t, m.Hint, tt.hint)
			require.NotContains(t, l.Mistakes().Error(), "#secret")
		})
	}
}

func TestFile(t *testing.T) {
	s, l := fromText(`title: Shops
shops:
  - name: NO
    open: false
    wait: 2h
    look: {page: "https://shop.example/x/", color: "#fff"}
    addr: ":80"
    token: env:T
    tokens: [env:T, env:U]
    nets: [10.0.0.0/8]
    tags: {size: small}
    keys: {till: env:T}
`, "T=one", "U=two")
	require.Empty(t, l.Mistakes())
	require.Equal(t, shop{
		Name: "NO", Mode: "slow", Seats: 4, Wait: 2 * time.Hour, Color: "#fff",
		Page: "https://shop.example/x", Addr: ":80", Token: NewSecret("one"),
		Tokens: []Secret{NewSecret("one"), NewSecret("two")},
		Hosts:  []string{"a.example", "b.example"},
		Nets:   []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8")},
		Tags:   map[string]string{"size": "small"}, Named: []string{"till=one"},
	}, s)
	for text, what := range map[string]string{
		"wait: 2x":                "is not a duration",
		"wait: 25h":               `"25h" is not from 1s to 24h`,
		"open: yes":               `"yes" is not true or false`,
		"addr: '80'":              "not an address to listen on",
		"nets: [0.0.0.0/0]":       "not a network",
		"look: {page: x.example}": "not a web address",
		"tags: {size: huge}":      `"huge" is not small or large`,
		"token: written-out":      "has a secret written out",
		"keys: {till: out}":       "has a secret written out",
		"look: x":                 "is not a group",
		"nam: x":                  "is not a known setting",
	} {
		_, l := fromText("shops:\n  - name: x\n    " + text + "\n")
		require.Len(t, l.Mistakes(), 1, text)
		require.Contains(t, l.Mistakes()[0].What, what)
		require.True(t, strings.HasPrefix(l.Mistakes()[0].Where, "s.yaml:3: shops[0]."))
		require.NotContains(t, l.Mistakes().Error(), "written-out")
	}
}

// A file and variables go together where they do not say the same.
func TestJoin(t *testing.T) {
	l := NewLoader([]string{"SHOP_SEATS=3", "SHOP_NAME=x"})
	place := func(key string) string { return "s.yaml: " + key }
	file := Given{map[string]value{"name": {"s.yaml:1: name", []string{"y"}, false}}, place}
	joined := l.Join(file, l.Variables(Rows(options())))
	require.Equal(t, Mistakes{
		{"s.yaml:1: name", "is also set by SHOP_NAME", "keep one of the two"},
	}, l.Mistakes())
	require.True(t, joined.Has("seats") && joined.Has("name") && !joined.Has("mode"))
	require.Equal(t, "SHOP_MODE", joined.Place("mode"))
	require.Equal(t, "open", joined.Place("open"))

	l = NewLoader([]string{"SHOP_SEATS=3", "SHOP_KEYS="})
	l.RefuseBeside(Rows(options()))
	require.Equal(t, Mistakes{{"SHOP_SEATS", "is set beside a configuration file",
		"unset it and write seats into the file, or do without the file"}}, l.Mistakes())
}

func TestSpan(t *testing.T) {
	for d, want := range map[time.Duration]string{
		time.Minute: "1m", 24 * time.Hour: "24h", 90 * time.Second: "1m30s", 0: "0s",
		90 * time.Minute: "1h30m", 10 * time.Second: "10s",
	} {
		require.Equal(t, want, Span(d))
	}
}

// No file makes the reader panic or say a secret, and every mistake has a hint.
func FuzzParseFile(f *testing.F) {
	f.Add([]byte("title: x\nshops:\n  - name: x\n    keys: {a: env:T}\n"))
	f.Add([]byte("a: &a {a: *a}\nshops: [*a, {look: *a, tags: {wrong: *a}}]\n"))
	f.Add([]byte("shops:\n  - hosts: [*x, ~]\n    name: \"{{\n"))
	f.Add([]byte("<<: {a: 1}\n? [a]\n: b\n"))
	f.Add([]byte("shops:\n\t- {{.Name}}\n  - color: #fff\n"))
	f.Fuzz(func(t *testing.T, text []byte) {
		_, l := fromText(string(text), "T=verysecret", "U=verysecret")
		for _, m := range l.Mistakes() {
			require.NotEmpty(t, m.Where+m.What)
			require.NotEmpty(t, m.Hint)
		}
		require.NotContains(t, l.Mistakes().Error(), "verysecret")
	})
}

// Ensure that a reference is followed or is a mistake, and never the value: people write one where
// no secret belongs, too.
func TestReferencesElsewhere(t *testing.T) {
	const what = "refers to a variable or a file, which only a secret may"
	for _, reference := range []string{"env:SHOP", "file:/run/secrets/shop", "file:shop.txt"} {
		_, l := fromVariables("SHOP_NAME="+reference, "SHOP=x")
		require.Equal(t, Mistakes{{"SHOP_NAME", what, "write the value itself"}}, l.Mistakes())
		for text, key := range map[string]string{
			"look.color: ": "look.color", "hosts: [a.example, ": "hosts", "tags: {size: ": "tags",
		} {
			closing := map[string]string{"hosts": "]", "tags": "}"}[key]
			_, l = fromText("shops:\n  - name: x\n    "+text+reference+closing+"\n", "SHOP=x")
			require.Equal(t, Mistakes{{"s.yaml:3: shops[0]." + key, what, "write the value itself"}},
				l.Mistakes(), text+reference)
		}
	}
	s, l := fromVariables("SHOP_NAME=file: a shop")
	require.Empty(t, l.Mistakes())
	require.Equal(t, "file: a shop", s.Name)
}

// Ensure that several values in the place of one are a mistake. In a variable commas separate them,
// so people write them so in a file, and behind a reference.
func TestSeveralInOne(t *testing.T) {
	const shops = "shops:\n  - name: x\n"
	for _, words := range []string{"YES,Y", "'YES, Y'", "YES,"} {
		_, l := fromText(shops + "    words: " + words + "\n")
		require.Equal(t, Mistakes{{"s.yaml:3: shops[0].words", "is one value with a comma in it",
			"write a list of values: [a, b]"}}, l.Mistakes(), words)
	}
	_, l := fromText(shops + "    hosts: c.example,d.example\n")
	require.Len(t, l.Mistakes(), 1)
	require.Contains(t, l.Mistakes()[0].Hint, "in a file as a list: [a.example, b.example]")
	for _, keys := range []string{"new,old", "new, old", "new\nold"} {
		for _, tokens := range []string{"env:KEYS", "[env:KEY, env:KEYS]"} {
			_, l := fromText(shops+"    tokens: "+tokens+"\n", "KEY=x", "KEYS="+keys)
			require.Equal(t, Mistakes{{"s.yaml:3: shops[0].tokens",
				"has several secrets in the place of one", severalHint}}, l.Mistakes(), keys)
		}
	}
	var s shop
	s, l = fromText(shops+"    tokens: [env:KEY, env:KEYS]\n    words: ['YES,Y']\n",
		"KEY=new", "KEYS=old\n")
	require.Empty(t, l.Mistakes())
	require.Equal(t, []Secret{NewSecret("new"), NewSecret("old")}, s.Tokens)
	require.Equal(t, []string{"YES,Y"}, s.Words)
}

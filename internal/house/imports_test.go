package house

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

const module = "smsbridge"

// What the rules speak of, as import-path prefixes. A prefix stands for the package and everything below it.
var (
	anythingOfOurs = []string{module}
	echo           = []string{"github.com/labstack/echo"}
	sdks           = []string{"github.com/twilio/twilio-go", "github.com/mailgun/mailgun-go"}
	edges          = ours("inbound", "outbound")
	rules          = ours("internal/mail", "internal/reply", "internal/challenge", "internal/durable", "internal/verification", "internal/shortlink", "internal/text")
	// Every rule decides and records. What it would need for an effect is out of its reach.
	effects = slices.Concat(edges, echo, sdks, ours("linkclick"), []string{"net/http"})
)

// houseRules is the "must never import" column of the table of rooms, and the direction of calls between the rules.
func houseRules() []rule {
	return []rule{
		{room: "phonemail", never: anythingOfOurs, why: "it is the vocabulary that every room shares"},
		{room: "phonemail", only: []string{"github.com/nyaruka/phonenumbers"}, why: "a phone number needs no more than the numbering plan"},
		{room: "internal/segment", never: anythingOfOurs, why: "counting needs nobody"},
		{room: "linkclick", never: slices.Concat(anythingOfOurs, echo, sdks), why: "it can be used and judged by itself"},
		{room: "internal/mail", never: effects, why: "a rule decides and records; outbound acts"},
		{room: "internal/reply", never: effects, why: "a rule decides and records; outbound acts"},
		{room: "internal/challenge", never: effects, why: "a rule decides and records; outbound acts"},
		{room: "internal/verification", never: effects, why: "a rule decides and records; outbound acts"},
		{room: "internal/durable", never: effects, why: "a rule decides and records; outbound acts"},
		{room: "internal/shortlink", never: effects, why: "a rule decides and records; outbound acts"},
		{room: "internal/text", never: effects, why: "a rule decides and records; outbound acts"},
		{room: "internal/challenge", never: ours("internal/mail", "internal/reply"), why: "rules call downwards only"},
		{room: "internal/verification", never: ours("internal/mail", "internal/reply"), why: "rules call downwards only"},
		{room: "internal/verification", never: ours("internal/durable"), why: "the doors stand on it, not it on a door"},
		{room: "internal/shortlink", never: rules, why: "it stands for what others decide"},
		{room: "internal/text", never: rules, why: "every rule is above it, and rules call downwards only"},
		{room: "internal/tenant", never: slices.Concat(ours("internal/store"), rules, edges), why: "settings are values that rules are given"},
		{room: "internal/settings", never: anythingOfOurs, but: ours("phonemail"), why: "the engine knows no tenant"},
		{room: "internal/wording", never: anythingOfOurs, but: ours("phonemail", "internal/segment"), why: "words know no rule"},
		{room: "internal/store", never: anythingOfOurs, but: ours("phonemail"), why: "the database knows no rule"},
		{room: "inbound", never: ours("outbound", "internal/simulator"), why: "what arrives causes no outside effect by itself"},
		{room: "outbound", never: slices.Concat(ours("inbound"), echo), why: "what leaves does not listen"},
		{room: "internal/simulator", never: anythingOfOurs, tests: true, why: "code shared with what it tests would share its mistakes"},
	}
}

func ours(rooms ...string) []string {
	var paths []string
	for _, room := range rooms {
		paths = append(paths, module+"/"+room)
	}
	return paths
}

// A rule says what the packages of one room must never import: directly, or through other packages of ours, in their
// program code; with tests, in their test files as well. Packages of the room itself are always allowed.
type rule struct {
	room  string
	never []string
	but   []string // exceptions to never
	only  []string // when set: besides the standard library nothing else may be imported
	tests bool
	why   string
}

// pkg is the part of `go list -json` that the rules are about.
type pkg struct {
	ImportPath   string
	Imports      []string
	TestImports  []string
	XTestImports []string
}

// judge returns one sentence for every import that breaks r, and how many packages the rule was about.
func (r rule) judge(graph map[string]pkg) (broken []string, judged int) {
	for _, path := range sortedKeys(graph) {
		if !within(path, ours(r.room)) {
			continue
		}
		judged++
		for imported, by := range reach(graph, path, r.tests) {
			if within(imported, ours(r.room)) || r.allows(imported) {
				continue
			}
			broken = append(broken, fmt.Sprintf("%s must never import %s (imported by %s): %s", r.room, imported, by, r.why))
		}
	}
	slices.Sort(broken)
	return broken, judged
}

func (r rule) allows(path string) bool {
	if r.only != nil {
		return standard(path) || within(path, r.only)
	}
	return !within(path, r.never) || within(path, r.but)
}

// reach returns what the package start imports, directly or through packages of ours, each with the package that imports
// it. Of the standard library only direct imports count: the store's database drivers may well need what a rule must not.
func reach(graph map[string]pkg, start string, tests bool) map[string]string {
	found := map[string]string{}
	var visit func(path string, imports []string)
	visit = func(path string, imports []string) {
		for _, imported := range imports {
			if _, seen := found[imported]; seen || standard(imported) && path != start {
				continue
			}
			found[imported] = path
			visit(imported, graph[imported].Imports)
		}
	}
	visit(start, graph[start].Imports)
	if tests {
		visit(start, slices.Concat(graph[start].TestImports, graph[start].XTestImports))
	}
	return found
}

// standard tells the standard library by Go's own convention: the first element of any other path has a dot, or is ours.
func standard(path string) bool {
	first, _, _ := strings.Cut(path, "/")
	return first != module && !strings.Contains(first, ".")
}

func within(path string, prefixes []string) bool {
	return slices.ContainsFunc(prefixes, func(prefix string) bool {
		return path == prefix || strings.HasPrefix(path, prefix+"/")
	})
}

// listPackages reads the import graph of the working tree. A package that does not compile is judged by the imports it has.
func listPackages(t *testing.T) map[string]pkg {
	t.Helper()
	list := exec.Command("go", "list", "-e", "-json=ImportPath,Imports,TestImports,XTestImports", "./...")
	list.Dir = root
	var stderr bytes.Buffer
	list.Stderr = &stderr
	out, err := list.Output()
	require.NoError(t, err, stderr.String())

	graph := map[string]pkg{}
	for decoder := json.NewDecoder(bytes.NewReader(out)); ; {
		var p pkg
		if err := decoder.Decode(&p); errors.Is(err, io.EOF) {
			return graph
		} else {
			require.NoError(t, err)
		}
		graph[p.ImportPath] = p
	}
}

func TestImports(t *testing.T) {
	graph := listPackages(t)
	judged := 0
	for _, r := range houseRules() {
		broken, packages := r.judge(graph)
		judged += packages
		for _, sentence := range broken {
			t.Error(sentence)
		}
	}
	require.NotZero(t, judged, "no room was found, so nothing was judged")
}

// Only outbound and cmd may open links; a rule gets the finding as a value.
func TestLinkclickImporters(t *testing.T) {
	for path, p := range listPackages(t) {
		if within(path, ours("outbound", "cmd", "linkclick")) {
			continue
		}
		require.False(t, slices.ContainsFunc(p.Imports, func(imported string) bool { return within(imported, ours("linkclick")) }),
			"%s imports linkclick; only outbound and cmd may", path)
	}
}

// A program that held it would carry the testing package, its flags, and a sealing key that everybody knows.
func TestStoretestIsForTests(t *testing.T) {
	for path, p := range listPackages(t) {
		require.NotContains(t, p.Imports, module+"/internal/store/storetest", "%s imports it in its program code; only tests may", path)
	}
}

// twilio-go's root package imports sixty product packages, which triples the time of a build and its memory.
func TestTwilioRootIsNotImported(t *testing.T) {
	for path, p := range listPackages(t) {
		for _, imported := range slices.Concat(p.Imports, p.TestImports, p.XTestImports) {
			require.NotEqual(t, "github.com/twilio/twilio-go", imported, "in %s: import client and rest/… instead", path)
		}
	}
}

func TestRulesNoticeABreak(t *testing.T) {
	tests := map[string]struct {
		graph  []pkg
		broken string // part of a sentence; "" when the graph is good
	}{
		"the room itself and the standard library": {
			[]pkg{{ImportPath: "smsbridge/internal/store", Imports: []string{"smsbridge/internal/store/db", "smsbridge/phonemail", "net/http"}},
				{ImportPath: "smsbridge/internal/store/db"}, {ImportPath: "smsbridge/phonemail", Imports: []string{"fmt", "github.com/nyaruka/phonenumbers"}}}, ""},
		"direct": {
			[]pkg{{ImportPath: "smsbridge/inbound", Imports: []string{"smsbridge/outbound"}}, {ImportPath: "smsbridge/outbound"}},
			"inbound must never import smsbridge/outbound (imported by smsbridge/inbound)"},
		"through another of ours": {
			[]pkg{{ImportPath: "smsbridge/internal/mail", Imports: []string{"smsbridge/internal/challenge"}},
				{ImportPath: "smsbridge/internal/challenge", Imports: []string{"github.com/twilio/twilio-go/client"}}},
			"internal/mail must never import github.com/twilio/twilio-go/client (imported by smsbridge/internal/challenge)"},
		"by a package below the room": {
			[]pkg{{ImportPath: "smsbridge/outbound/twilio", Imports: []string{"github.com/labstack/echo/v4"}}},
			"outbound must never import github.com/labstack/echo/v4"},
		"a rule with net/http": {
			[]pkg{{ImportPath: "smsbridge/internal/text", Imports: []string{"net/http"}}}, "internal/text must never import net/http"},
		"the store's net/http is not the rule's": {
			[]pkg{{ImportPath: "smsbridge/internal/text", Imports: []string{"smsbridge/internal/store"}},
				{ImportPath: "smsbridge/internal/store", Imports: []string{"net/http"}}}, ""},
		"upwards": {
			[]pkg{{ImportPath: "smsbridge/internal/text", Imports: []string{"smsbridge/internal/challenge"}}, {ImportPath: "smsbridge/internal/challenge"}},
			"internal/text must never import smsbridge/internal/challenge"},
		"a foreign module in phonemail": {
			[]pkg{{ImportPath: "smsbridge/phonemail", Imports: []string{"golang.org/x/text/cases"}}}, "phonemail must never import golang.org/x/text/cases"},
		"the simulator's tests": {
			[]pkg{{ImportPath: "smsbridge/internal/simulator", XTestImports: []string{"smsbridge/phonemail"}}, {ImportPath: "smsbridge/phonemail"}},
			"internal/simulator must never import smsbridge/phonemail"},
		"another room's tests": {
			[]pkg{{ImportPath: "smsbridge/outbound", TestImports: []string{"smsbridge/inbound"}}}, ""},
		"a name that only begins like a room's": {
			[]pkg{{ImportPath: "smsbridge/inbound", Imports: []string{"smsbridge/outbounds"}}, {ImportPath: "smsbridge/outbounds"}}, ""},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			graph := map[string]pkg{}
			for _, p := range test.graph {
				graph[p.ImportPath] = p
			}
			var broken []string
			for _, r := range houseRules() {
				sentences, _ := r.judge(graph)
				broken = append(broken, sentences...)
			}
			if test.broken == "" {
				require.Empty(t, broken)
			} else {
				require.Contains(t, strings.Join(broken, "\n"), test.broken)
			}
		})
	}
}

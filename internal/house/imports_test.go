//go:build !race

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
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
)

const module = "smsbridge"

// A room is a package, with the packages below it, and what it must never import: directly or
// through other packages of ours. Packages of the room itself are always allowed.
type room struct {
	path  string
	never []ban
	only  *only // when set: besides the standard library nothing else may be imported
	tests bool  // the test files obey the bans too
}

// A ban names imports by prefix, and gives the reason that the reader of a failed test needs.
// A prefix stands for the package and everything below it.
type ban struct {
	paths []string
	but   []string
	why   string
}

// only names the sole imports of a room beyond the standard library.
type only struct {
	paths []string
	why   string
}

func ours(rooms ...string) []string {
	var paths []string
	for _, room := range rooms {
		paths = append(paths, module+"/"+room)
	}
	return paths
}

// rules are the rooms that decide and record. The doors' rooms under inbound call them.
func rules() []string {
	return ours("internal/auth0", "internal/azuredurable", "internal/callback", "internal/challenge",
		"internal/limit", "internal/cases", "internal/mail", "internal/operator", "internal/optout",
		"internal/rehearsal", "internal/reply", "internal/shortlink", "internal/text",
		"internal/verification")
}

// effects are the bans that every rule obeys: what it needs for an effect is out of its reach.
func effects() []ban {
	return []ban{
		{paths: ours("inbound"), why: "the edges call the rules; a rule never calls back"},
		{paths: ours("outbound"), why: "a rule records what is due; a worker does it"},
		{paths: ours("linkclick"), but: ours("linkclick/linkpath"),
			why: "it connects to hosts; a rule gets its finding as a value"},
		{paths: ours("internal/simulator"), why: "it plays the providers for tests and the demo"},
		{paths: echoPaths, why: "a rule does not know that it was asked over HTTP"},
		{paths: sdkPaths, why: "only a worker speaks to a provider"},
		{paths: []string{"net/http"}, why: "a rule has no network"},
	}
}

// except is ours without some rooms.
func except(why string, but ...string) ban {
	return ban{paths: []string{module}, but: ours(but...), why: why}
}

var (
	echoPaths = []string{"github.com/labstack/echo"}
	sdkPaths  = []string{"github.com/twilio/twilio-go", "github.com/mailgun/mailgun-go"}
)

// houseRules has a row for every room. TestEveryRoomHasARow fails for a package without one.
func houseRules() []room {
	return slices.Concat(vocabulary(), ruleRooms(), edges())
}

// vocabulary is what every other room may use: values, settings, and the database.
func vocabulary() []room {
	plan := only{nil, "a number needs the tables of numbering plans alone"}
	return []room{
		{path: "phonemail", only: &plan,
			never: []ban{except("every room shares its words, so it knows none of them")}},
		{path: "internal/segment", never: []ban{except("counting characters needs no other room")}},
		{path: "internal/sender", never: []ban{
			except("who sent a mail follows from the mail and a key alone", "phonemail"),
			{paths: echoPaths, why: "it does not know how the mail arrived"},
			{paths: sdkPaths, why: "it judges a mail, wherever that was kept"},
			{paths: []string{"net/http"}, why: "it has no network: keys are looked up for it"},
		}},
		{path: "internal/price", never: []ban{except("what a text costs is a table", "phonemail")}},
		{path: "internal/settings",
			never: []ban{except("the engine reads any settings; it knows no tenant", "phonemail")}},
		{path: "internal/country", only: &only{nil, "its facts are in one file beside it"},
			never: []ban{except("what a country wants is the same for every tenant")}},
		{path: "internal/wording",
			never: []ban{except("texts are values; they know no rule", "phonemail", "internal/segment")}},
		{path: "internal/tenant", never: []ban{
			{paths: rules(), why: "settings are values that rules are given"},
			{paths: ours("internal/store"), why: "settings come from a file or from variables"},
			{paths: ours("inbound", "outbound"), why: "an edge is given its settings"},
		}},
		{path: "internal/store", never: []ban{except("the database knows no rule", "phonemail")}},
		{path: "internal/store/fact", never: []ban{
			except("who counts what the store tells needs no database"),
		}},
		{path: "internal/health", never: []ban{
			except("it hears what goes well; it asks no room"),
			{paths: []string{"net/http"}, why: "it has no network"},
		}},
		{path: "internal/meter", never: []ban{
			except("both edges count with it, so it decides nothing", "internal/health",
				"internal/store/fact", "phonemail"),
		}},
		{path: "internal/trace", never: []ban{
			except("both edges say with it what they do, so it decides nothing", "internal/store/fact",
				"phonemail"),
			{paths: []string{"google.golang.org/grpc"}, why: "a collector takes spans over HTTP too"},
		}},
		{path: "linkclick", never: []ban{
			except("it can be used and judged by itself"),
			{paths: echoPaths, why: "it opens links and listens to no one"},
			{paths: sdkPaths, why: "it speaks to identity providers alone"},
		}},
		{path: "linkclick/linkpath", only: &only{nil, "it is the part of linkclick that settings share"},
			never: []ban{
				except("the settings import it, so it opens no link"),
				{paths: []string{"net/http"}, why: "it has no network"},
			}},
		{path: "internal/simulator", tests: true, never: []ban{
			except("code shared with what it tests would share its mistakes"),
		}},
		{path: "internal/nodetest", never: []ban{
			except("it hands files to tests, whatever they test"),
		}},
		{path: "internal/longtest", never: []ban{
			except("it serves tests, whatever they test"),
		}},
		{path: "internal/house"},
	}
}

// ruleRooms lists the rules from the highest to the lowest: calls go downwards only.
func ruleRooms() []room {
	downwards := func(higher ...string) ban {
		return ban{paths: ours(higher...), why: "rules call downwards only"}
	}
	rule := func(name string, bans ...ban) room {
		return room{path: "internal/" + name, never: append(effects(), bans...)}
	}
	return []room{
		rule("mail", downwards("internal/reply")),
		rule("callback", downwards("internal/mail", "internal/reply", "internal/cases")),
		rule("cases"),
		rule("rehearsal", ban{paths: rules(), why: "its mail meets the rules as any mail does"}),
		rule("operator", ban{paths: rules(), why: "it knows who acts, and not on what"}),
		rule("reply", downwards("internal/mail")),
		rule("auth0", downwards("internal/mail", "internal/reply", "internal/challenge")),
		rule("azuredurable", downwards("internal/mail", "internal/reply", "internal/challenge")),
		rule("optout", downwards("internal/mail", "internal/reply", "internal/auth0",
			"internal/azuredurable")),
		rule("challenge", downwards("internal/mail", "internal/reply")),
		rule("verification", downwards("internal/mail", "internal/reply"),
			ban{paths: ours("internal/auth0", "internal/azuredurable"),
				why: "a door's rule stands on it; it knows no door"}),
		rule("shortlink", ban{paths: rules(), why: "it stands for what other rules decide"}),
		rule("text", ban{paths: rules(), but: ours("internal/limit"),
			why: "every other rule is above it, and calls go downwards"}),
		rule("limit", ban{paths: rules(), why: "every rule is above it, and calls go downwards"}),
	}
}

// edges are the rooms that speak to the world, and the program that wires them.
func edges() []room {
	list := []room{
		{path: "inbound", never: []ban{
			{paths: ours("outbound"), why: "what arrives causes no outside effect by itself"},
			{paths: ours("linkclick"), but: ours("linkclick/linkpath"),
				why: "a request opens no link; a worker does"},
			{paths: ours("internal/simulator"), why: "it plays the providers for tests and the demo"},
			{
				paths: sdkPaths, but: []string{"github.com/twilio/twilio-go/client"},
				why: "a request is answered from the database alone; client judges signatures",
			},
		}},
		{path: "outbound", never: []ban{
			{paths: ours("inbound"), why: "what leaves does not listen"},
			{paths: ours("internal/simulator"), why: "it plays the providers for tests and the demo"},
			{paths: echoPaths, why: "what leaves does not listen"},
		}},
		{path: "internal/gauge", never: []ban{
			{paths: ours("inbound", "outbound"), why: "it reads rows, and no edge"},
		}},
		{path: "cmd/smsbridge"}, // wires all rooms, and may import each
		{path: "cmd/smsbridge/socket", never: []ban{except("it carries commands and knows none")}},
		{path: "cmd/bench", never: []ban{
			except("it measures programs from outside, and so also those of older commits",
				"internal/simulator", "linkclick", "phonemail"),
		}},
	}
	for _, door := range doors {
		others := slices.DeleteFunc(slices.Clone(doors), func(d string) bool { return d == door })
		list = append(list, room{path: door, never: []ban{
			{paths: ours(others...), why: "a door can be read, changed and removed by itself"},
		}})
	}
	return append(list, room{path: "inbound/web", never: []ban{
		{paths: ours(doors...), why: "the doors share it, so it knows none of them"},
		{paths: rules(), why: "what all doors share decides nothing"},
	}})
}

// doors are the rooms of inbound that serve one kind of caller each.
var doors = []string{
	"inbound/api", "inbound/auth0", "inbound/azuredurable", "inbound/flowroutedoor",
	"inbound/operator", "inbound/watchdoor",
}

// pkg is the part of `go list -json` that the bans are about.
type pkg struct {
	ImportPath   string
	Imports      []string
	TestImports  []string
	XTestImports []string
}

// judge returns one sentence for every import that breaks a ban of the room, and how many
// packages the room has.
func (r room) judge(graph map[string]pkg) (broken []string, judged int) {
	for _, path := range sortedKeys(graph) {
		if !within(path, ours(r.path)) {
			continue
		}
		judged++
		for imported, by := range reach(graph, path, r.tests) {
			if within(imported, ours(r.path)) {
				continue
			}
			if why, banned := r.bans(imported); banned {
				broken = append(broken, fmt.Sprintf("%s must never import %s (imported by %s): %s",
					r.path, imported, by, why))
			}
		}
	}
	slices.Sort(broken)
	return broken, judged
}

// bans reports whether the room must not import a path, and why.
func (r room) bans(path string) (why string, banned bool) {
	for _, b := range r.never {
		if within(path, b.paths) && !within(path, b.but) {
			return b.why, true
		}
	}
	if r.only != nil && !standard(path) && !within(path, r.only.paths) {
		return r.only.why, true
	}
	return "", false
}

// reach returns what the package start imports, directly or through packages of ours, each with
// the package that imports it. Of the standard library only direct imports count: the store's
// database drivers may well need what a rule must not.
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

// standard tells the standard library by Go's own convention: the first element of any other
// path has a dot, or is ours.
func standard(path string) bool {
	first, _, _ := strings.Cut(path, "/")
	return first != module && !strings.Contains(first, ".")
}

func within(path string, prefixes []string) bool {
	return slices.ContainsFunc(prefixes, func(prefix string) bool {
		return path == prefix || strings.HasPrefix(path, prefix+"/")
	})
}

// listPackages is the import graph of the working tree, which is read once. A package that does not
// compile is judged by the imports it has.
func listPackages(t *testing.T) map[string]pkg {
	t.Helper()
	graph, err := importGraph()
	require.NoError(t, err)
	return graph
}

var importGraph = sync.OnceValues(func() (map[string]pkg, error) {
	list := exec.Command("go", "list", "-e",
		"-json=ImportPath,Imports,TestImports,XTestImports", "./...")
	list.Dir = root
	var stderr bytes.Buffer
	list.Stderr = &stderr
	out, err := list.Output()
	if err != nil {
		return nil, fmt.Errorf("%w: %s", err, stderr.String())
	}
	graph := map[string]pkg{}
	for decoder := json.NewDecoder(bytes.NewReader(out)); ; {
		var p pkg
		if err := decoder.Decode(&p); errors.Is(err, io.EOF) {
			return graph, nil
		} else if err != nil {
			return nil, err
		}
		graph[p.ImportPath] = p
	}
})

func TestImports(t *testing.T) {
	graph := listPackages(t)
	for _, r := range houseRules() {
		broken, packages := r.judge(graph)
		require.NotZero(t, packages, "there is no %s; take its row out of this table", r.path)
		for _, sentence := range broken {
			t.Error(sentence)
		}
	}
}

// A package that no row covers could import anything.
func TestEveryRoomHasARow(t *testing.T) {
	var rows []string
	for _, r := range houseRules() {
		rows = append(rows, ours(r.path)...)
	}
	for path := range listPackages(t) {
		require.True(t, within(path, rows), "%s has no row in houseRules: say what it must never "+
			"import, and why", path)
	}
}

// onlyIn fails for every package outside of the rooms whose program code imports path directly.
func onlyIn(t *testing.T, imported, why string, rooms ...string) {
	t.Helper()
	for path, p := range listPackages(t) {
		if !within(path, ours(rooms...)) {
			require.NotContains(t, p.Imports, imported, "%s imports it: %s", path, why)
		}
	}
}

func TestLinkclickImporters(t *testing.T) {
	onlyIn(t, module+"/linkclick", "a worker opens links, and a rule gets the finding as a value",
		"outbound", "cmd", "linkclick")
}

// The generated rows are the rules' own: an edge that reads one would have to know what its
// states and times mean, and that is a rule's knowledge.
func TestRowsStayInTheRules(t *testing.T) {
	rooms := []string{"internal/store"}
	for _, rule := range rules() {
		rooms = append(rooms, strings.TrimPrefix(rule, module+"/"))
	}
	onlyIn(t, module+"/internal/store/db", "call a rule, which hands out a type of its own", rooms...)
}

// A program that held them would carry the testing package, its flags, and a well-known sealing
// key.
func TestTestSupportIsForTests(t *testing.T) {
	onlyIn(t, module+"/internal/store/storetest", "only tests may", "inbound/inboundtest")
	onlyIn(t, module+"/inbound/inboundtest", "only tests may")
	onlyIn(t, module+"/internal/nodetest", "only tests may")
	onlyIn(t, module+"/internal/longtest", "only tests may")
}

// twilio-go's root package imports sixty product packages, which triples the time of a build and
// its memory.
func TestTwilioRootIsNotImported(t *testing.T) {
	for path, p := range listPackages(t) {
		for _, imported := range slices.Concat(p.Imports, p.TestImports, p.XTestImports) {
			require.NotEqual(t, "github.com/twilio/twilio-go", imported,
				"in %s: import client and rest/… instead", path)
		}
	}
}

// imports returns one of our packages with its imports.
func imports(path string, imported ...string) pkg {
	return pkg{ImportPath: ours(path)[0], Imports: imported}
}

func TestRulesNoticeABreak(t *testing.T) {
	phonemail := imports("phonemail", "fmt")
	tests := map[string]struct {
		graph  []pkg
		broken string // part of a sentence; "" when the graph is good
	}{
		"the room itself and the standard library": {
			[]pkg{imports("internal/store", "smsbridge/internal/store/db", "smsbridge/phonemail",
				"net/http"), imports("internal/store/db"), phonemail}, ""},
		"direct": {
			[]pkg{imports("inbound", "smsbridge/outbound"), imports("outbound")},
			"inbound must never import smsbridge/outbound (imported by smsbridge/inbound)"},
		"through another of ours": {
			[]pkg{imports("internal/mail", "smsbridge/internal/challenge"),
				imports("internal/challenge", "github.com/twilio/twilio-go/client")},
			"internal/mail must never import github.com/twilio/twilio-go/client " +
				"(imported by smsbridge/internal/challenge)"},
		"by a package below the room": {
			[]pkg{imports("outbound/twilio", "github.com/labstack/echo/v4")},
			"outbound must never import github.com/labstack/echo/v4"},
		"a rule with net/http": {
			[]pkg{imports("internal/text", "net/http")}, "internal/text must never import net/http"},
		"the store's net/http is not the rule's": {
			[]pkg{imports("internal/text", "smsbridge/internal/store"),
				imports("internal/store", "net/http")}, ""},
		"upwards": {
			[]pkg{imports("internal/text", "smsbridge/internal/challenge"),
				imports("internal/challenge")},
			"internal/text must never import smsbridge/internal/challenge"},
		"a door that uses another door": {
			[]pkg{imports("inbound/auth0", "smsbridge/inbound/api"), imports("inbound/api")},
			"inbound/auth0 must never import smsbridge/inbound/api"},
		"what the doors share, with a rule": {
			[]pkg{imports("inbound/web", "smsbridge/internal/text"), imports("internal/text")},
			"inbound/web must never import smsbridge/internal/text"},
		"an exception": {
			[]pkg{imports("internal/settings", "smsbridge/phonemail"), phonemail}, ""},
		"beside the exception": {
			[]pkg{imports("internal/settings", "smsbridge/internal/tenant"),
				imports("internal/tenant")},
			"internal/settings must never import smsbridge/internal/tenant"},
		"a foreign module in phonemail": {
			[]pkg{imports("phonemail", "golang.org/x/text/cases")},
			"phonemail must never import golang.org/x/text/cases"},
		"the simulator's tests": {
			[]pkg{{ImportPath: "smsbridge/internal/simulator",
				XTestImports: []string{"smsbridge/phonemail"}}, phonemail},
			"internal/simulator must never import smsbridge/phonemail"},
		"another room's tests": {
			[]pkg{{ImportPath: "smsbridge/outbound", TestImports: []string{"smsbridge/inbound"}}}, ""},
		"a name that only begins like a room's": {
			[]pkg{imports("inbound", "smsbridge/outbounds"), imports("outbounds")}, ""},
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

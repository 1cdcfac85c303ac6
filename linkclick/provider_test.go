package linkclick

import (
	"bytes"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// evidence is what is looked for beside a provider's value.
type evidence struct {
	source string          // the text of provider_<name>.go
	tested bool            // provider_<name>_test.go exists
	mails  int             // files testdata/mail/<name>-*.eml
	shapes map[string]bool // the example links of all shapes that the mails have
}

// missing says what a provider lacks.
func (p *provider) missing(e evidence) []string {
	var lacks []string
	want := func(ok bool, what string) {
		if !ok {
			lacks = append(lacks, what)
		}
	}
	letters := "abcdefghijklmnopqrstuvwxyz0123456789"
	want(p.name != "" && strings.Trim(p.name, letters) == "", "a name of small letters")
	want((p.noLink == "") == (len(p.shapes) > 0), "shapes, or else a noLink that says why")
	want(strings.Contains(e.source, "// Source"), "a file provider_<name>.go that names its source")
	want(e.mails > 0, "a mail testdata/mail/<name>-*.eml")
	for _, s := range p.shapes {
		want(s.path != "" || s.query != "", "a path or a query in each shape")
		want(p.recipe.name == s.recipe && s.recipe != "" || isGeneric(s.recipe),
			"a recipe of its own or a generic one in each shape")
		want(e.shapes[exampleLink(s)], "a mail with a link "+s.path+" "+s.query)
	}
	own := p.recipe
	uses := func(s shape) bool { return s.recipe == own.name }
	want((own.name == "") == (own.redeemer == nil), "a name and a redeemer of its recipe")
	want(own.name == "" || slices.ContainsFunc(p.shapes, uses), "a shape that uses its recipe")
	want(!isGeneric(own.name), "a name of its recipe that is not taken")
	want((own.needs == needsNothing) == (own.instead == "") && (own.instead == "" ||
		isGeneric(own.instead)), "a generic recipe for a rule without what its recipe needs")
	special := own.redeemer != nil || p.proves != nil || p.truth != "" ||
		p.refusal != 0 || len(p.verdicts)+len(p.marks)+len(p.menu) > 0
	want(e.tested || !special, "a file provider_<name>_test.go for what only it does")
	for _, v := range p.verdicts {
		want(v.name != "" && v.value != "" && v.outcome != "" && v.outcome != OutcomeUnknown,
			"a name, a value and an outcome in each verdict")
		want(v.own == (v.value == "*"), "own in a verdict of any value, and only there")
		want((v.turn == turnSuccess) == (v.outcome == OutcomeConfirmed), "success in its turn")
		want(v.turn != turnLeaving, "no generic verdict")
	}
	for _, m := range p.marks {
		want(m.id != "" && m.outcome != "", "an id and an outcome in each mark")
	}
	for outcome, phrases := range p.phrases {
		want(slices.Contains(judged, outcome) && len(phrases) > 0, "phrases for each outcome")
	}
	return lacks
}

func isGeneric(name string) bool {
	return slices.ContainsFunc(genericRecipes, func(r recipe) bool { return r.name == name })
}

// shapesOfMails returns the example links of the shapes that the links of the corpus have.
func shapesOfMails(t *testing.T) map[string]bool {
	t.Helper()
	files, err := filepath.Glob(corpus)
	require.NoError(t, err)
	have := map[string]bool{}
	for _, file := range files {
		c := readCase(t, file)
		m, err := ReadMIME(bytes.NewReader(c.mail))
		require.NoError(t, err)
		for _, candidate := range Find(m, c.rule).Candidates {
			if u, why := c.rule.judge(candidate.URL); why == "" {
				have[exampleLink(shapeOf(u))] = true
			}
		}
	}
	return have
}

// Every provider is whole: shapes or a reason, a source, a mail for each shape, and a test of
// what only it does.
func TestProvidersAreComplete(t *testing.T) {
	shapes := shapesOfMails(t)
	for _, p := range providers {
		e := evidence{shapes: shapes}
		source, _ := os.ReadFile("provider_" + p.name + ".go") // missing complains if it is empty
		e.source = string(source)
		_, err := os.Stat("provider_" + p.name + "_test.go")
		e.tested = err == nil
		mails, err := filepath.Glob("testdata/mail/" + p.name + "-*.eml")
		require.NoError(t, err)
		e.mails = len(mails)
		require.Empty(t, p.missing(e), p.name)
	}
}

// Half a provider is noticed.
func TestHalfAProviderIsNoticed(t *testing.T) {
	verify := shape{path: "/acme", query: "token", kind: KindVerify, recipe: RecipeGet}
	whole := provider{name: "acme", shapes: []shape{verify}}
	proof := evidence{source: "// Source: acme.example/docs", mails: 1, tested: true,
		shapes: map[string]bool{exampleLink(verify): true}}
	require.Empty(t, whole.missing(proof))
	for what, half := range map[string]func(p *provider, e *evidence){
		"a name":          func(p *provider, _ *evidence) { p.name = "" },
		"shapes, or":      func(p *provider, _ *evidence) { p.shapes = nil },
		"shapes, or else": func(p *provider, _ *evidence) { p.noLink = "codes" },
		"a file":          func(_ *provider, e *evidence) { e.source = "" },
		"a mail testdata": func(_ *provider, e *evidence) { e.mails = 0 },
		"a mail with":     func(_ *provider, e *evidence) { e.shapes = nil },
		"a path or":       func(p *provider, _ *evidence) { p.shapes = []shape{{recipe: RecipeGet}} },
		"a recipe of":     func(p *provider, _ *evidence) { p.shapes = []shape{{path: "/acme"}} },
		"a name and":      func(p *provider, _ *evidence) { p.recipe.name = "acme" },
		"a shape that":    func(p *provider, _ *evidence) { p.recipe.name = "acme" },
		"a name of its":   func(p *provider, _ *evidence) { p.recipe.name = RecipeUser },
		"a generic":       func(p *provider, _ *evidence) { p.recipe.needs = needsAPI },
		"a file provider_<name>_test": func(p *provider, e *evidence) {
			p.truth, e.tested = "ok", false
		},
		"a name, a value": func(p *provider, _ *evidence) { p.verdicts = []verdict{{}} },
		"own in":          func(p *provider, _ *evidence) { p.verdicts = []verdict{{own: true}} },
		"success":         func(p *provider, _ *evidence) { p.verdicts = []verdict{{turn: turnSuccess}} },
		"no generic":      func(p *provider, _ *evidence) { p.verdicts = []verdict{{turn: turnLeaving}} },
		"an id":           func(p *provider, _ *evidence) { p.marks = []mark{{}} },
		"phrases": func(p *provider, _ *evidence) {
			p.phrases = map[Outcome][]string{OutcomeUnknown: nil}
		},
	} {
		p, e := whole, proof
		half(&p, &e)
		require.True(t, slices.ContainsFunc(p.missing(e), func(lack string) bool {
			return strings.HasPrefix(lack, what)
		}), "%s: %v", what, p.missing(e))
	}
}

// Each provider is in the list once, and so is each file.
func TestListOfProviders(t *testing.T) {
	files, err := filepath.Glob("provider_*.go")
	require.NoError(t, err)
	var names, listed []string
	for _, file := range files {
		if name, ok := strings.CutSuffix(file, "_test.go"); !ok {
			names = append(names, strings.TrimSuffix(strings.TrimPrefix(name, "provider_"), ".go"))
		}
	}
	for _, p := range providers {
		listed = append(listed, p.name)
	}
	require.ElementsMatch(t, names, listed)
}

// Ensure that the README says how many providers are known.
func TestReadmeCountsProviders(t *testing.T) {
	readme, err := os.ReadFile(filepath.Join("..", "README.md"))
	require.NoError(t, err)
	require.Contains(t, strings.Join(strings.Fields(string(readme)), " "),
		fmt.Sprint(len(providers), " identity providers and frameworks are known"))
}

// No two providers claim one link, one sender, one footer, one recipe or one phrase.
func TestProvidersClaimNothingTwice(t *testing.T) {
	fits := func(s shape, link string) bool {
		u, err := url.Parse(link)
		require.NoError(t, err)
		return s.fitsPath(u) && s.fitsQuery(u.Query())
	}
	shapes := allShapes()
	for i, a := range shapes {
		for _, b := range shapes[i+1:] {
			// If only one fits the other's links it says more, and stands above: see TestShapes.
			both := fits(a, exampleLink(b)) && fits(b, exampleLink(a))
			require.False(t, both, "%s %q and %s %q", a.name(), a.path, b.name(), b.path)
		}
	}
	var claims []string
	for _, l := range genericLanguages {
		for outcome := range l.phrases {
			claims = append(claims, l.phrases[outcome]...)
		}
	}
	for _, p := range providers {
		for outcome := range p.phrases {
			claims = append(claims, p.phrases[outcome]...)
		}
		for _, sender := range p.senders {
			require.Equal(t, p.name, signedBy(Mail{From: "ACME <a@mail." + sender + ">"}, ""))
			named := Mail{From: `"ACME (help@acme.example)" <a@` + sender + ">"}
			require.Equal(t, p.name, signedBy(named, ""), "the name of the sender holds an address")
			require.Empty(t, signedBy(Mail{From: `"a@` + sender + `" <a@acme.example>`}, ""))
		}
		for _, footer := range p.footers {
			require.Equal(t, p.name, signedBy(Mail{}, "Hi. Powered by "+strings.ToUpper(footer)+"."))
		}
	}
	for _, r := range known().recipes {
		claims = append(claims, "recipe "+r.name)
	}
	require.Len(t, distinct(claims), len(claims))
}

// Each verdict can be reached, and providers that share a turn say one outcome in it.
func TestVerdicts(t *testing.T) {
	said := map[turn]Outcome{}
	for _, v := range known().verdicts {
		to := &url.URL{Scheme: "https", Host: "a.example"}
		to.RawQuery = url.Values{v.name: {strings.Replace(v.value, "*", "x1", 1)}}.Encode()
		require.Equal(t, v.outcome, judgeRedirect(to, v.provider, false), v.name)
		if v.turn == turnStatus { // the names are the provider's own
			require.Equal(t, &clerk, v.provider)
			continue
		}
		if said[v.turn] == "" {
			said[v.turn] = v.outcome
		}
		require.Equal(t, said[v.turn], v.outcome, v.name)
	}
}

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

// exampleSegments has a segment for each form that a shape may name.
var exampleSegments = strings.NewReplacer("*", "a1b2c3", "{id}", "a1b2c3d4e5f6", "{num}", "17",
	"{scope}", "users", "{name}", "kim", "{hex}", strings.Repeat("a1", 20), "{signed}",
	"MQ:1vXyZ0:Zk3vQ8",
	"{stamped}", "c1d2e3-"+strings.Repeat("b2", 16), "{alnum}", strings.Repeat("Az4", 14),
	"{b64}", strings.Repeat("A-z_4", 8), "{message}", "eyJfcmFpbHMifQ==--"+strings.Repeat("a1", 32))

// exampleLink returns a link of a shape.
func exampleLink(s shape) string {
	link := "https://login.acme.example/base" + exampleSegments.Replace(s.path)
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
		require.NotEmpty(t, known().recipe(s.recipe).name, link)
	}
}

package linkclick

import (
	"bufio"
	"bytes"
	"io"
	"net/textproto"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// A corpus mail is a file testdata/mail/NAME.eml: what is expected, as header lines; an empty
// line; the mail. The lines are those of corpusCase; adding a case needs nothing but the file.
const corpus = "testdata/mail/*.eml"

// What the corpus must have at least.
const (
	corpusFiles   = 80
	corpusPerPair = 3 // mails of each provider and kind
)

// corpusCase is a corpus mail with what is expected of it.
type corpusCase struct {
	kind     Kind   // Expect-Kind, required
	provider string // Expect-Provider
	url      string // Expect-URL
	code     string // Expect-Code
	recipe   string // Expect-Recipe, judged only if given
	reason   string // Expect-Reason, required if there is no Expect-URL
	allow    string // Expect-Allow, required if a rule's path could allow a link
	rule     Rule   // Rule-Host, Rule-Path, Rule-Wrapper, Rule-Recipe
	mail     []byte
}

func readCase(t *testing.T, file string) corpusCase {
	t.Helper()
	raw, err := os.ReadFile(file)
	require.NoError(t, err)
	r := bufio.NewReader(bytes.NewReader(raw))
	head, err := textproto.NewReader(r).ReadMIMEHeader()
	require.NoError(t, err, file)
	mail, err := io.ReadAll(r)
	require.NoError(t, err)
	for name := range head {
		require.Contains(t, []string{
			"Expect-Kind", "Expect-Provider", "Expect-Url", "Expect-Code", "Expect-Recipe",
			"Expect-Reason", "Expect-Allow", "Rule-Host", "Rule-Path", "Rule-Wrapper", "Rule-Recipe",
		}, name, file)
	}
	hosts := head.Values("Rule-Host")
	if len(hosts) == 0 {
		hosts = acme.Hosts
	}
	return corpusCase{
		kind: Kind(head.Get("Expect-Kind")), provider: head.Get("Expect-Provider"),
		url: head.Get("Expect-Url"), code: head.Get("Expect-Code"),
		recipe: head.Get("Expect-Recipe"), reason: head.Get("Expect-Reason"),
		allow: head.Get("Expect-Allow"), mail: mail,
		rule: Rule{Hosts: hosts, Paths: head.Values("Rule-Path"), Wrappers: head.Values("Rule-Wrapper"),
			Recipe: head.Get("Rule-Recipe")},
	}
}

// Every mail of the corpus is understood: its kind, its provider, and its one link or code or the
// reason why it has none.
func TestCorpus(t *testing.T) {
	files, err := filepath.Glob(corpus)
	require.NoError(t, err)
	require.GreaterOrEqual(t, len(files), corpusFiles)
	type pair struct {
		provider string
		kind     Kind
	}
	pairs := map[pair]int{}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".eml"), func(t *testing.T) {
			c := readCase(t, file)
			pairs[pair{c.provider, c.kind}]++
			m, err := ReadMIME(bytes.NewReader(c.mail))
			require.NoError(t, err)
			f := Find(m, c.rule)
			if c.recipe == "" {
				c.recipe = f.Recipe
			}
			want := Finding{Kind: c.kind, Provider: c.provider, URL: c.url, Code: c.code, Recipe: c.recipe,
				Reason: c.reason, Allow: c.allow}
			got := Finding{Kind: f.Kind, Provider: f.Provider, URL: f.URL, Code: f.Code, Recipe: f.Recipe,
				Reason: f.Reason, Allow: f.Allow}
			require.Equal(t, want, got, "%+v", f.Candidates)
			require.Equal(t, f.URL == "", f.Reason != "")
		})
	}
	for p, n := range pairs {
		if p.provider != "" {
			require.GreaterOrEqual(t, n, corpusPerPair, "mails of %s, %s", p.provider, p.kind)
		}
	}
	for _, p := range providers {
		for _, s := range p.shapes {
			if s.kind != "" {
				require.Contains(t, pairs, pair{p.name, s.kind}, "no mail has this shape")
			}
		}
	}
}

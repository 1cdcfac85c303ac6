//go:build !race

package main

import (
	"crypto/sha256"
	"encoding/hex"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"smsbridge/internal/settings"
	"smsbridge/internal/tenant"
)

// The documents are what the rows say.
func TestDocumentsAreGenerated(t *testing.T) {
	for path, want := range documents() {
		got, err := os.ReadFile(filepath.Join("../"+root, path))
		require.NoError(t, err)
		require.Equal(t, want, string(got), "%s: run go generate ./internal/tenant", path)
	}
}

func rows() (all []settings.Row) {
	command, process, sections := tenant.Reference()
	for _, s := range append([]settings.Section{command, process}, sections...) {
		all = append(all, s.Rows...)
	}
	return all
}

// Every row says what the setting is and why it matters, and mentions only settings that exist.
func TestRowsAreComplete(t *testing.T) {
	keys, names := []string{}, []string{}
	for _, r := range rows() {
		require.NotContains(t, keys, r.Key)
		if r.Key != "" {
			keys = append(keys, r.Key)
		}
		if r.Variable != "" {
			require.NotContains(t, names, r.Variable)
			names = append(names, r.Variable)
		}
	}
	command, process, sections := tenant.Reference()
	texts := []string{}
	for _, s := range append([]settings.Section{command, process}, sections...) {
		texts = append(texts, s.Doc)
	}
	for _, r := range rows() {
		at := r.Key + r.Variable
		for _, text := range []string{r.Doc, r.Prevents} {
			require.Regexp(t, `^\S.*[.)?]$`, text, at)
			texts = append(texts, text)
		}
		require.True(t, r.Default != "" || r.Example != "" || r.Kind.Hidden(), "%s shows nothing", at)
		require.False(t, r.Need == settings.Required && (r.Missing == "" || r.Default != ""), at)
	}
	for _, text := range texts {
		for _, found := range mention.FindAllStringSubmatch(text, -1) {
			require.Contains(t, keys, found[1], text)
		}
	}
}

// lines returns the lines of env.example that set a variable, and those that show one.
func lines() (open, shown []string) {
	for line := range strings.SplitSeq(environment(tenant.Reference()), "\n") {
		switch off, isComment := strings.CutPrefix(line, "#"); {
		case !isComment && line != "":
			open = append(open, line)
		case isComment && assigned.MatchString(off):
			shown = append(shown, off)
		}
	}
	return open, shown
}

var assigned = regexp.MustCompile(`^[A-Z0-9_]+=`)

// fill gives a variable without a value the example that its comment tells, or a secret of its own.
func fill(line string) string {
	name, v, _ := strings.Cut(line, "=")
	for _, r := range rows() {
		if r.Variable == name && v == "" {
			v = r.Example
		}
	}
	if v == "" || strings.HasPrefix(v, "env:") {
		sum := sha256.Sum256([]byte(name))
		v = hex.EncodeToString(sum[:16])
	}
	if name == "SMSBRIDGE_OPERATORS" {
		v = "anna:act:2a:12:" + v + v[:21] // the form of a hash
	}
	if name == "SMSBRIDGE_EVENTS_SECRET" {
		v = "whsec_" + v
	}
	if name == "SMSBRIDGE_OTLP_HEADERS" {
		v = "Authorization=" + v
	}
	if name == "SMSBRIDGE_KEY" {
		v += strings.ToUpper(v)
	}
	return name + "=" + v
}

// filledIn is env.example as an operator would fill it in.
func filledIn(more ...string) (environ []string) {
	open, _ := lines()
	for _, line := range open {
		environ = append(environ, fill(line))
	}
	return append(environ, more...)
}

// No example stays by mistake: env.example as it is says what is missing, all of it, and no more.
func TestEnvExampleIsEmpty(t *testing.T) {
	open, shown := lines()
	var names []string
	for _, line := range open {
		name, v, _ := strings.Cut(line, "=")
		require.Empty(t, v, name)
		names = append(names, name)
	}
	_, err := tenant.FromEnv(open)
	var mistakes settings.Mistakes
	require.ErrorAs(t, err, &mistakes)
	var missing []string
	for _, m := range mistakes {
		require.Regexp(t, "^is missing", m.What, m.Where)
		missing = append(missing, m.Where)
	}
	require.ElementsMatch(t, names, missing)
	var required, variables []string
	for _, r := range rows() {
		if r.Need != settings.Optional && r.Variable != "" {
			required = append(required, r.Variable)
		}
		if r.Variable != "" {
			variables = append(variables, r.Variable)
		}
	}
	require.Equal(t, required, names)
	require.Len(t, variables, len(open)+len(shown), "each variable has its line")
}

// A document that is copied about holds no secret, not even an example's.
func TestNoExampleIsASecret(t *testing.T) {
	for _, r := range rows() {
		if !r.Kind.Hidden() || r.Kind == settings.SecretURL || r.Kind == settings.SecretFile {
			continue
		}
		require.Empty(t, r.Default, r.Key)
		for item := range strings.SplitSeq(r.Example, ",") {
			_, named, ok := strings.Cut(item, "=")
			if ok {
				item = named
			}
			require.Regexp(t, `^(env:[A-Z_]+)?$`, item, r.Key)
		}
		line := assignment(r)
		require.True(t, strings.HasSuffix(line, "="), line)
	}
	for _, r := range rows() {
		if r.Kind == settings.SecretURL {
			require.NotContains(t, r.Default+r.Example, "@", r.Key)
		}
	}
}

// An operator who fills in the open lines is done. The lines that are commented out as defaults
// change nothing when they are set.
func TestEnvExampleShowsTheDefaults(t *testing.T) {
	plain, err := tenant.FromEnv(filledIn())
	require.NoError(t, err)
	// What works in no country until it is registered is said at once.
	require.Len(t, plain.Warnings, 1)
	require.Contains(t, plain.Warnings[0], "DK, SE, NO: no links are texted there")

	var defaults []string
	for _, r := range rows() {
		if r.Variable != "" && r.Default != "" && !strings.Contains(r.Default, "\n") {
			defaults = append(defaults, strings.TrimPrefix(assignment(r), "#"))
		}
	}
	require.Greater(t, len(defaults), 20)
	spelled, err := tenant.FromEnv(filledIn(defaults...))
	require.NoError(t, err)
	require.Equal(t, plain.Fingerprint, spelled.Fingerprint)
	plain.Written, spelled.Written = nil, nil // which say where a value was written
	require.Equal(t, plain, spelled)
	text := environment(tenant.Reference())
	for _, line := range defaults {
		require.Contains(t, text, "\n#"+line+"\n")
	}
}

// A line that shows an example can be taken as it is: no operator should have to look for what is
// wrong with it. Secrets have no example, and are given.
func TestEnvExamplesAreAccepted(t *testing.T) {
	_, shown := lines()
	var examples []string
	for _, line := range shown {
		stands := strings.HasPrefix(line, "SMSBRIDGE_KEY_FILE=")      // for SMSBRIDGE_KEY
		if !stands && !strings.HasPrefix(line, "SMSBRIDGE_PRICES=") { // the file is the operator's
			examples = append(examples, fill(line))
		}
	}
	require.Greater(t, len(examples), 50)
	all, err := tenant.FromEnv(filledIn(examples...))
	require.NoError(t, err)
	acme, _ := all.Tenants.Tenant("acme")
	require.Equal(t, []tenant.Provider{tenant.ByVerify, tenant.ByTwilio, tenant.ByFlowroute},
		acme.Sending.Providers)
}

func TestScalar(t *testing.T) {
	for v, want := range map[string]string{
		"plain": "plain", "a b": "a b", "6": "6", "+45": `"+45"`, ":8080": `":8080"`, "*": `"*"`,
		"12345678": `"12345678"`, "#fff": `"#fff"`, "{{.Name}} x": `"{{.Name}} x"`,
		"a: b": `"a: b"`, "a #b": `"a #b"`, "a\nb c": `"a\nb c"`,
		"https://a.example":                 "https://a.example",
		"Reply {{.Answer}}, or {{.Denial}}": "Reply {{.Answer}}, or {{.Denial}}", "off": "off",
	} {
		require.Equal(t, want, scalar(v))
	}
}

func TestWrap(t *testing.T) {
	require.Equal(t, "# a b\n", wrap("# ", " a  b "))
	long := strings.Repeat("x", 60)
	require.Equal(t, "# "+long+"\n# `a b`"+long+"\n", wrap("# ", long+" `a b`"+long))
}

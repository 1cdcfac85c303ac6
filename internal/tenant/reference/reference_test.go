package main

import (
	"os"
	"path/filepath"
	"slices"
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

// assignments returns the lines of env.example that set a variable or show one, as variables.
func assignments(lines func(row settings.Row) bool) (environ []string) {
	for _, r := range rows() {
		if r.Variable != "" && lines(r) {
			environ = append(environ, strings.TrimPrefix(assignment(r), "#"))
		}
	}
	return environ
}

// filledIn is env.example as an operator would fill it in.
func filledIn(more ...string) []string {
	environ := assignments(func(r settings.Row) bool { return r.Need != settings.Optional })
	for i, line := range environ {
		switch name, _, _ := strings.Cut(line, "="); name {
		case "TWILIO_ACCOUNT_SID":
			environ[i] = name + "=AC0123456789abcdef0123456789abcdef"
		case "SMSBRIDGE_SENDER_DOMAINS":
			environ[i] = name + "=acme.example"
		case "TWILIO_FROM":
			environ[i] = name + "=+15005550006"
		case "MAILGUN_API_KEY", "MAILGUN_WEBHOOK_SIGNING_KEY", "TWILIO_AUTH_TOKEN":
			environ[i] = name + "=0123456789abcdef0123456789abcdef"
		}
	}
	return append(environ, more...)
}

// An operator who fills in the open lines is done. The lines that are commented out as defaults
// change nothing when they are set.
func TestEnvExampleShowsTheDefaults(t *testing.T) {
	plain, err := tenant.FromEnv(filledIn())
	require.NoError(t, err)
	require.Empty(t, plain.Warnings)

	defaults := assignments(func(r settings.Row) bool {
		return r.Default != "" && !strings.Contains(r.Default, "\n")
	})
	require.Greater(t, len(defaults), 20)
	spelled, err := tenant.FromEnv(filledIn(defaults...))
	require.NoError(t, err)
	require.Equal(t, plain, spelled)
	text := environment(tenantReference())
	for _, line := range defaults {
		require.Contains(t, text, "\n#"+line+"\n")
	}
}

func tenantReference() (command, process settings.Section, sections []settings.Section) {
	return tenant.Reference()
}

// A line that shows an example can be taken as it is: no operator should have to look for what is
// wrong with it.
func TestEnvExamplesAreAccepted(t *testing.T) {
	examples := assignments(func(r settings.Row) bool {
		return r.Default == "" && !r.Kind.Hidden() && r.Key != ""
	})
	examples = slices.DeleteFunc(examples, func(line string) bool {
		name, v, _ := strings.Cut(line, "=")
		// These need secrets beside them, which have no example.
		return v == "" || strings.HasPrefix(name, "SMSBRIDGE_PROOF") || name == "SMSBRIDGE_PROVIDERS" ||
			strings.HasPrefix(name, "FLOWROUTE_") || strings.HasPrefix(name, "TWILIO_") ||
			strings.HasPrefix(name, "MAILGUN_")
	})
	require.Greater(t, len(examples), 10)
	_, err := tenant.FromEnv(filledIn(examples...))
	require.NoError(t, err)
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

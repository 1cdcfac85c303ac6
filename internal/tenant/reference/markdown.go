package main

import (
	"strconv"
	"strings"

	"smsbridge/internal/settings"
)

const mdHead = `# Settings

A bridge with one tenant takes its settings from variables: copy
[deploy/env.example](../deploy/env.example). A bridge with several tenants takes them from a file:
copy [deploy/smsbridge.yaml](../deploy/smsbridge.yaml). This page has every setting: its name in the
file, its variable, its default, what it is, and why it matters.

`

const mdUse = "A setting such as `mailgun.api_key` is `api_key` below `mailgun:` in the file. " +
	"In a variable, several values have commas between them. In a file, a secret is a reference: " +
	"`env:NAME` or `file:PATH`. A variable may hold the secret itself, or a reference to a file. " +
	"A secret has 16 characters or more, and stands in one place only: the bridge refuses weak ones."

// reference returns docs/SETTINGS.md.
func reference(command, process settings.Section, tenant []settings.Section) string {
	var b strings.Builder
	b.WriteString(mdHead + wrap("", mdUse) + "\n<!-- " + generated + " -->\n")
	for _, s := range append([]settings.Section{command, process}, tenant...) {
		b.WriteString("\n## " + s.Title + "\n")
		if s.Doc != "" {
			b.WriteString("\n" + wrap("", explain(s.Doc, mdName)))
		}
		for _, r := range s.Rows {
			b.WriteString("\n" + mdFacts(r) + "\n" + wrap("", explain(r.Doc, mdName)) +
				wrap("", "<br>*Why it matters:* "+explain(r.Prevents, mdName)))
		}
	}
	return b.String()
}

func mdName(key, value string) string { return "`" + fileName(key, value) + "`" }

// widestInline is the length in bytes of the longest default that stays in the line of its setting.
// A longer one, such as the wording of a text, gets a block of its own.
const widestInline = 40

// mdFacts is the line that starts a setting: its names, how it is written, and its default.
func mdFacts(r settings.Row) string {
	var facts []string
	if r.Key != "" {
		facts = append(facts, "**`"+r.Key+"`**")
	}
	if r.Variable != "" {
		facts = append(facts, "`"+r.Variable+"`")
	}
	if r.Key != "" && r.Variable == "" {
		facts = append(facts, "in a file only")
	}
	if kind := mdKind(r.Kind); kind != "" {
		facts = append(facts, kind)
	}
	if r.Restart {
		facts = append(facts, "a change needs a restart")
	}
	if r.Local {
		facts = append(facts, "replicas may differ")
	}
	v := r.Default
	if strings.Contains(v, "\n") {
		v = strconv.Quote(v)
	}
	switch {
	case r.Need == settings.Required:
		facts = append(facts, "required")
	case len(v) > widestInline:
		facts = append(facts, "default:\n\n    "+v)
	case v != "":
		facts = append(facts, "default `"+v+"`")
	}
	return strings.Join(facts, " · ") + "\n"
}

func mdKind(k settings.Kind) string {
	switch k {
	case settings.List:
		return "a list"
	case settings.SecretOne:
		return "a secret"
	case settings.Secrets:
		return "one secret or several"
	case settings.NamedSecrets:
		return "secrets by name"
	case settings.Named:
		return "values by name"
	case settings.SecretFile:
		return "the name of a file"
	}
	return ""
}

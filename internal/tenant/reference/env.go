package main

import (
	"strconv"
	"strings"

	"smsbridge/internal/settings"
)

const envHead = "Settings of a bridge with one tenant: your identity provider, your mail domain, " +
	"your number. For several tenants use a file instead (smsbridge.yaml beside this one, " +
	"`smsbridge serve --config`); then of these variables only the first two parts may be set."

const envUse = "Copy this file, chmod 600, and fill in every line that is not a comment. " +
	"They are empty, so that no example can stay by mistake. " +
	"`smsbridge serve` checks all of them before it starts, and tells every mistake with a hint. " +
	"A line that begins with # and a name shows the default, or an example where there is none. " +
	"Write values without quotes: Docker, Compose and systemd read this file and disagree about " +
	"them. Several values have commas between them. PROVIDERS.md says where " +
	"each value is found; docs/SETTINGS.md has all settings, also those that only a file can have."

const generated = "Generated from the rows in internal/tenant by " +
	"`go generate ./internal/tenant`: change them there."

// environment returns deploy/env.example.
func environment(command, process settings.Section, tenant []settings.Section) string {
	sections := append([]settings.Section{command, process}, tenant...)
	names := map[string]string{}
	for _, s := range sections {
		for _, r := range s.Rows {
			names[r.Key] = r.Variable
		}
	}
	name := func(key, value string) string {
		switch {
		case names[key] == "":
			return "`" + key + "` of a file"
		case value != "":
			return names[key] + "=" + value
		}
		return names[key]
	}
	var b strings.Builder
	b.WriteString(wrap("# ", envHead) + "#\n" + wrap("# ", envUse) + "#\n" + wrap("# ", generated))
	for _, s := range sections {
		rows := variables(s)
		if len(rows) == 0 {
			continue
		}
		b.WriteString("\n\n# ---- " + s.Title + " ----\n")
		if s.Doc != "" {
			b.WriteString("\n" + wrap("# ", explain(s.Doc, name)))
		}
		for _, r := range rows {
			b.WriteString("\n" + wrap("# ", explain(r.Doc+" "+r.Prevents, name)+envDefault(r)))
			b.WriteString(assignment(r) + "\n")
		}
	}
	return b.String()
}

// envDefault says what the line itself does not show: an example of what must be filled in, or what
// holds when the line stays commented out.
func envDefault(r settings.Row) string {
	switch {
	case r.Need != settings.Optional && r.Example != "":
		return " For example: " + r.Example
	case strings.Contains(r.Default, "\n"):
		return " An example; the default is " + strconv.Quote(r.Default) + "."
	case r.Default == "" && r.Need == settings.Optional:
		return " No default."
	}
	return ""
}

// assignment is the line of a variable. What must be filled in is open and empty: a bridge with the
// example of another host or tenant would start.
func assignment(r settings.Row) string {
	if r.Need != settings.Optional {
		return r.Variable + "="
	}
	v := r.Default
	if v == "" || strings.Contains(v, "\n") {
		v = r.Example
	}
	if r.Kind.Hidden() && r.Kind != settings.SecretFile && r.Kind != settings.SecretURL {
		v = "" // no example is a secret
	}
	return "#" + r.Variable + "=" + v
}

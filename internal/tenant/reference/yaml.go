package main

import (
	"strconv"
	"strings"

	"smsbridge/internal/settings"
)

const fileHead = "The configuration of smsbridge with every setting there is, for two tenants: " +
	"ACME with all settings spelled out, Beta with no more than it needs."

const fileUse = "With one tenant you can do without a file: the variable in brackets sets the " +
	"same as the key below it. With a file, a tenant's variables must not be set, except " +
	"where the file refers to them. What is commented out shows an example, or the default."

const fileSecrets = "Unknown keys are refused. Secrets are references: env:NAME is a variable, " +
	"file:PATH a file, relative to this one. YES, NO and the like need no quotes. A value that " +
	"begins with # or {{ does."

const beta = `
  - slug: beta
    name: Beta Bank
    countries: [DK]
    mail_domain: sms.beta.example
    idp_hosts: [login.beta.example]
    sender:
      domains: [beta.example]
    mailgun:
      api_key: file:secrets/beta-mailgun-api-key
      signing_key: file:secrets/beta-mailgun-signing-key
    twilio:
      account_sid: AC00000000000000000000000000000002
      auth_token: file:secrets/beta-twilio-auth-token
      from: MG00000000000000000000000000000002
`

// file returns deploy/smsbridge.yaml.
func file(process settings.Section, tenant []settings.Section) string {
	var b strings.Builder
	b.WriteString(wrap("# ", fileHead) + "#\n#   smsbridge serve --config smsbridge.yaml\n#\n" +
		wrap("# ", fileUse) + "#\n" + wrap("# ", fileSecrets) + "#\n" + wrap("# ", generated))
	for _, r := range process.Rows {
		b.WriteString("\n" + comment("", r) + entry("", r))
	}
	b.WriteString("\ntenants:\n")
	for i, s := range tenant {
		b.WriteString(fileSection(s, i == 0))
	}
	return b.String() + beta
}

// fileSection returns the settings of one matter of the first tenant; of the first section, with
// the hyphen that starts the tenant.
func fileSection(s settings.Section, first bool) string {
	var b strings.Builder
	indent, dash := "    ", "    "
	if first {
		dash = "  - "
	}
	b.WriteString(dash + "# ---- " + s.Title + " ----\n")
	if s.Doc != "" {
		b.WriteString(indent + "#\n" + wrap(indent+"# ", explain(s.Doc, fileName)))
	}
	if name := group(s); name != "" {
		off := ""
		if s.Rows[0].Off {
			off = "# "
		}
		b.WriteString(indent + off + name + ":\n")
		indent += "  "
	}
	for i, r := range s.Rows {
		if i > 0 || group(s) == "" {
			b.WriteString("\n")
		}
		b.WriteString(comment(indent, r) + entry(indent, r))
	}
	if !first {
		return "\n" + b.String()
	}
	return b.String()
}

func fileName(key, value string) string {
	if value != "" {
		return key + ": " + value
	}
	return key
}

// comment explains a setting, and says what holds without it where the entry does not show that.
func comment(indent string, r settings.Row) string {
	text := explain(r.Doc+" "+r.Prevents, fileName)
	if r.Need == settings.Required {
		text += " Required."
	}
	if r.Example != "" && r.Default != "" {
		text += " Default: " + strings.TrimSpace(fileValue(r, r.Default)) + "."
	}
	if r.Variable != "" {
		text += " [" + r.Variable + "]"
	}
	return wrap(indent+"# ", text)
}

// entry is the setting itself.
func entry(indent string, r settings.Row) string {
	key := r.Key[strings.LastIndexByte(r.Key, '.')+1:]
	v := r.Example
	if v == "" {
		v = r.Default
	}
	off := ""
	if r.Off {
		off = "# "
	}
	if r.Kind != settings.Named && r.Kind != settings.NamedSecrets {
		return indent + off + key + ":" + fileValue(r, v) + "\n"
	}
	lines := indent + off + key + ":\n"
	for item := range strings.SplitSeq(v, ",") {
		name, v, _ := strings.Cut(item, "=")
		lines += indent + off + "  " + scalar(name) + ": " + scalar(v) + "\n"
	}
	return lines
}

// fileValue is a value as the file writes it, with a blank before it.
func fileValue(r settings.Row, v string) string {
	secret := r.Kind == settings.SecretOne || r.Kind == settings.Secrets
	switch {
	case secret && v == "":
		return " env:ACME_" + strings.ToUpper(strings.ReplaceAll(r.Key, ".", "_"))
	case r.Kind == settings.List:
		var items []string
		for _, item := range r.Items(v) {
			items = append(items, scalar(item))
		}
		return " [" + strings.Join(items, ", ") + "]"
	}
	return " " + scalar(v)
}

// scalar is one word or line, in quotes where YAML would not read it as it stands.
func scalar(v string) string {
	special := strings.ContainsAny(v[:1], "{}[]&*#?|-<>=!%@`\"',:+") || strings.Contains(v, ": ") ||
		strings.Contains(v, " #") || strings.ContainsAny(v, "\n,]}\"") && !strings.Contains(v, " ")
	_, err := strconv.Atoi(v)
	if special || strings.Contains(v, "\n") || err == nil && len(v) > 7 {
		return strconv.Quote(v)
	}
	return v
}

package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/url"
	"slices"
	"strings"
	"unicode"

	"github.com/alecthomas/kong"

	"smsbridge/cmd/smsbridge/demo"
	"smsbridge/internal/sender"
	"smsbridge/linkclick"
)

// The helps are in linkHelps, since a tag cannot be broken into lines.
type linkCommand struct {
	Files []string `arg:"" name:"file" help:"${link_file}"`
	Host  []string `help:"${link_host}" placeholder:"HOST" sep:"none"`
	Path  []string `help:"${link_path}" placeholder:"PATH" sep:"none"`
	Learn bool     `help:"${link_learn}"`
	Demo  bool     `help:"${link_demo}"`
	JSON  bool     `help:"Print one JSON object for programs." name:"json"`
}

// linkHelps returns the helps of the argument and the flags, by the names that their tags have.
func linkHelps() kong.Vars {
	return kong.Vars{
		"link_file": `A raw mail, as "Show original" of a mail program saves it; - reads standard input.`,
		"link_host": "A host that links may name, such as login.acme.example. Repeat it for several.",
		"link_path": "An entry of links.paths (SMSBRIDGE_LINK_PATHS) to try. Repeat it for several.",
		"link_learn": "Print the narrowest entry of links.paths that fits the links of two or more " +
			"mails, " +
			"ready to paste.",
		"link_demo": "Judge as the demo does: links over http, with a port or an address of this " +
			"machine are allowed too.",
	}
}

// Help is shown by smsbridge link --help.
func (linkCommand) Help() string {
	return "Nothing is opened and nothing leaves this machine. " +
		"What is printed contains the mail's link or code: keep it to yourself.\n\n" +
		"  $ smsbridge link sign-up.eml --host login.acme.example\n" +
		"  kind      verify\n" +
		"  provider  auth0\n" +
		"  link      https://login.acme.example/u/email-verification?ticket=…\n" +
		"  recipe    form\n" +
		"  signed by acme.example\n\n" +
		"A link of a shape that the bridge does not know is held. One mail shows the entry of " +
		"links.paths that would allow it; two or more show a narrower one:\n\n" +
		"  $ smsbridge link --learn kim.eml lea.eml --host login.acme.example\n" +
		"  kind      verify\n" +
		"  rule      verify:/account/*/confirm?t\n\n" +
		"The exit status is 0 if there is a link, a code or a rule to use, 1 if there is none, " +
		"and 2 if a mail cannot be read."
}

// explanation is what --json prints.
type explanation struct {
	Kind       linkclick.Kind `json:"kind"`
	Provider   string         `json:"provider"`
	URL        string         `json:"url"`
	Code       string         `json:"code"`
	Recipe     string         `json:"recipe"`
	Candidates []candidate    `json:"candidates"`
	Reason     string         `json:"reason"`
	Allow      string         `json:"allow"`
	// Signers are the domains that the mail says it was signed by, for sender.domains.
	Signers []string `json:"signers,omitempty"`
}

type candidate struct {
	URL     string   `json:"url"`
	Score   int      `json:"score"`
	Reasons []string `json:"reasons"`
}

// Run explains which link or code of a mail would be chosen, and why, or learns a rule from
// several.
func (c linkCommand) Run(ctx context.Context, w world) error {
	rule, err := c.rule()
	if err != nil {
		return err
	}
	if len(c.Files) > 1 && !c.Learn {
		return mistake{"several mails without --learn",
			"give one mail to explain, or add --learn to learn a rule from them"}
	}
	var (
		mails   []linkclick.Mail
		signers []string
	)
	for _, file := range c.Files {
		m, by, err := w.read(ctx, file)
		if err != nil {
			return err
		}
		mails, signers = append(mails, m), by
	}
	if len(c.Host) == 0 {
		rule.Hosts = hostsOf(mails, rule)
		of := "every https host"
		if c.Demo {
			of = "every host"
		}
		fmt.Fprintf(w.stderr,
			"smsbridge: note: without --host, %s in the mail is judged as if it were allowed\n", of)
	}
	if c.Learn {
		return c.teach(w, mails, rule)
	}
	return c.explain(w, mails[0], signers, rule)
}

// rule returns the rule that the flags make, without the hosts that only the mail tells.
func (c linkCommand) rule() (linkclick.Rule, error) {
	rule := linkclick.Rule{Hosts: c.Host}
	if rule.Check() != nil {
		return rule, mistake{"a --host is not a host name",
			"give the name alone, such as login.acme.example"}
	}
	rule.Paths = c.Path
	if rule.Check() != nil {
		return rule, mistake{"a --path is no entry of links.paths, or would allow every link",
			"write it as --learn does, such as verify:/account/*/confirm?t"}
	}
	if c.Demo {
		rule.UnsafeAllow = demo.Reachable()
	}
	return rule, nil
}

func (c linkCommand) explain(
	w world, m linkclick.Mail, signers []string, rule linkclick.Rule,
) error {
	f := linkclick.Find(m, rule)
	e := explanation{
		f.Kind, f.Provider, f.URL, f.Code, f.Recipe, []candidate{}, f.Reason, f.Allow, signers,
	}
	for _, c := range f.Candidates {
		e.Candidates = append(e.Candidates, candidate(c))
	}
	if err := c.print(w, e, e.text()); err != nil {
		return err
	}
	if f.URL == "" && f.Code == "" {
		return errors.New("there is nothing to use in this mail: " + f.Reason)
	}
	return nil
}

// print prints an object for programs, or the text for a person.
func (c linkCommand) print(w world, object any, text string) error {
	if !c.JSON {
		_, err := io.WriteString(w.stdout, text)
		return err
	}
	out := json.NewEncoder(w.stdout)
	out.SetEscapeHTML(false)
	return out.Encode(object)
}

// read reads a mail, and the domains that it says it was signed by. Whatever is wrong with it is a
// mistake of the person who gave it.
func (w world) read(ctx context.Context, name string) (linkclick.Mail, []string, error) {
	in, err := w.input(ctx, name, "give the path of a raw mail, or - for standard input")
	if err != nil {
		return linkclick.Mail{}, nil, err
	}
	defer in.Close()
	var raw strings.Builder
	m, err := linkclick.ReadMIME(io.TeeReader(in, &raw))
	if err != nil && ctx.Err() == nil {
		err = mistake{err.Error(), "it must be a raw mail with its header, of at most 2 MiB"}
	}
	if err != nil {
		return linkclick.Mail{}, nil, err
	}
	return m, sender.Signers(raw.String()), nil
}

// hostsOf returns the hosts of the links of mails, each once: those of https, and all if the rule
// has unsafe allowances.
func hostsOf(mails []linkclick.Mail, rule linkclick.Rule) []string {
	var hosts []string
	for _, m := range mails {
		for _, c := range linkclick.Find(m, rule).Candidates {
			u, err := url.Parse(c.URL)
			if err == nil && (u.Scheme == "https" || len(rule.UnsafeAllow) > 0) &&
				!slices.Contains(hosts, u.Host) {
				hosts = append(hosts, u.Host)
			}
		}
	}
	return hosts
}

// text is the explanation for a person.
func (e explanation) text() string {
	var b strings.Builder
	for _, line := range []struct{ name, value string }{
		{"kind", string(e.Kind)}, {"provider", e.Provider}, {"link", e.URL},
		{"code", e.Code}, {"recipe", e.Recipe}, {"reason", e.Reason},
		{"signed by", strings.Join(e.Signers, ", ")},
	} {
		if line.value != "" {
			fmt.Fprintf(&b, "%-9s %s\n", line.name, printable(line.value))
		}
	}
	if e.Allow != "" {
		b.WriteString("\nIf such links may be used, add this to the entries that you have:\n" +
			pasteable(e.Allow) + "Two mails or more teach a narrower entry: smsbridge link --learn\n")
	}
	for i, c := range e.Candidates {
		if i == 0 {
			b.WriteString("\nscore  candidate\n")
		}
		fmt.Fprintf(&b, "%5d  %s\n       %s\n", c.Score, printable(c.URL), strings.Join(c.Reasons, "; "))
	}
	return b.String()
}

// printable replaces what a terminal might obey.
func printable(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsPrint(r) {
			return r
		}
		return unicode.ReplacementChar
	}, s)
}

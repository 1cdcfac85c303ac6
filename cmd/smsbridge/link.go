package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/url"
	"os"
	"slices"
	"strings"
	"unicode"

	"github.com/alecthomas/kong"

	"smsbridge/internal/sender"
	"smsbridge/linkclick"
)

// The helps are in linkHelps, since a tag cannot be broken into lines.
type linkCommand struct {
	File string   `arg:"" help:"${link_file}"`
	Host []string `help:"${link_host}" placeholder:"HOST" sep:"none"`
	JSON bool     `help:"Print one JSON object for programs." name:"json"`
}

// linkHelps returns the helps of the argument and the flags, by the names that their tags have.
func linkHelps() kong.Vars {
	return kong.Vars{
		"link_file": `A raw mail, as "Show original" of a mail program saves it; - reads standard input.`,
		"link_host": "A host that links may name, such as login.acme.example. Repeat it for several.",
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
		"The exit status is 0 if there is a link or a code to use, 1 if there is none, " +
		"and 2 if the mail cannot be read."
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
	// Signers are the domains that the mail says it was signed by, for sender.domains.
	Signers []string `json:"signers,omitempty"`
}

type candidate struct {
	URL     string   `json:"url"`
	Score   int      `json:"score"`
	Reasons []string `json:"reasons"`
}

// Run explains which link or code of a mail would be chosen, and why.
func (c linkCommand) Run(w world) error {
	rule := linkclick.Rule{Hosts: c.Host}
	if rule.Check() != nil {
		return mistake{"a --host is not a host name", "give the name alone, such as login.acme.example"}
	}
	m, signers, err := c.read(w.stdin)
	if err != nil {
		return err
	}
	if len(c.Host) == 0 {
		rule.Hosts = httpsHosts(linkclick.Find(m, rule))
		fmt.Fprintln(w.stderr,
			"smsbridge: note: without --host, every https host in the mail is judged as if it were allowed")
	}
	f := linkclick.Find(m, rule)
	e := explanation{f.Kind, f.Provider, f.URL, f.Code, f.Recipe, []candidate{}, f.Reason, signers}
	for _, c := range f.Candidates {
		e.Candidates = append(e.Candidates, candidate(c))
	}
	if c.JSON {
		out := json.NewEncoder(w.stdout)
		out.SetEscapeHTML(false)
		err = out.Encode(e)
	} else {
		_, err = io.WriteString(w.stdout, e.text())
	}
	if err == nil && f.URL == "" && f.Code == "" {
		err = errors.New("there is nothing to use in this mail: " + f.Reason)
	}
	return err
}

// read reads the mail, and the domains that it says it was signed by. Whatever is wrong with it
// is a mistake of the person who gave it.
func (c linkCommand) read(stdin io.Reader) (linkclick.Mail, []string, error) {
	in := stdin
	if c.File != "-" {
		file, err := os.Open(c.File)
		if err != nil {
			return linkclick.Mail{}, nil,
				mistake{err.Error(), "give the path of a raw mail, or - for standard input"}
		}
		defer file.Close()
		in = file
	}
	var raw strings.Builder
	m, err := linkclick.ReadMIME(io.TeeReader(in, &raw))
	if err != nil {
		return linkclick.Mail{}, nil,
			mistake{err.Error(), "it must be a raw mail with its header, of at most 2 MiB"}
	}
	return m, sender.Signers(raw.String()), nil
}

// httpsHosts returns the hosts of the https links of a mail, each once.
func httpsHosts(f linkclick.Finding) []string {
	var hosts []string
	for _, c := range f.Candidates {
		if u, err := url.Parse(c.URL); err == nil && u.Scheme == "https" &&
			!slices.Contains(hosts, u.Host) {
			hosts = append(hosts, u.Host)
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

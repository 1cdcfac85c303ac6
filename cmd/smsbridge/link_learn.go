package main

import (
	"errors"
	"fmt"
	"strings"

	"smsbridge/linkclick"
)

// learned is what --learn prints with --json.
type learned struct {
	Kind    linkclick.Kind `json:"kind"`
	Rule    string         `json:"rule"`
	Host    string         `json:"host"`
	Sure    bool           `json:"sure"`
	Lets    string         `json:"lets"`
	Example string         `json:"example"`
	Kept    []string       `json:"kept"`
}

// teach prints the rule that several mails teach.
func (c linkCommand) teach(w world, mails []linkclick.Mail, rule linkclick.Rule) error {
	l, err := linkclick.Learn(mails, rule)
	if err != nil {
		return errors.New("nothing can be learned: " + printable(err.Error()))
	}
	object := learned{l.Kind, l.Entry, l.Host, l.Sure, l.Lets, l.Example,
		append([]string{}, l.Kept...)}
	return c.print(w, object, object.text())
}

// text is the rule for a person to paste, and what there is to know before.
func (l learned) text() string {
	var b strings.Builder
	fmt.Fprintf(&b, "kind      %s\nrule      %s\nhost      %s\n\n", l.Kind, printable(l.Rule),
		printable(l.Host))
	b.WriteString("Add it to the entries that you have:\n" + pasteable(l.Rule))
	fmt.Fprintf(&b, "\nIt lets through %s, on every host of idp_hosts (SMSBRIDGE_IDP_HOSTS).\n",
		l.Lets)
	if l.Example != "" {
		fmt.Fprintf(&b, "For example, it would let this through: %s\n", printable(l.Example))
	}
	switch l.Kind {
	case linkclick.KindVerify:
		b.WriteString("Such a link is opened when the phone says YES.\n")
	default:
		b.WriteString("Such a link is not opened, but sent on to the phone.\n")
	}
	if !l.Sure {
		b.WriteString(
			"No word in the mails says what the link does. If it resets a password or signs in,\n" +
				"write reset: or login: in place of verify:.\n")
	}
	for _, kept := range l.Kept {
		fmt.Fprintf(&b, "%s is the same in all mails, and no word. If it names one person's account,\n"+
			"learn from mails to two people.\n", printable(kept))
	}
	return b.String()
}

// pasteable shows an entry of links.paths as a variable and in the file.
func pasteable(entry string) string {
	entry = printable(entry)
	return "  variable  SMSBRIDGE_LINK_PATHS=" + entry + "\n" +
		"  in a file, below the tenant:\n" +
		"            links:\n" +
		"              paths: [\"" + entry + "\"]\n"
}

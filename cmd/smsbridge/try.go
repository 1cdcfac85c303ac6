package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/alecthomas/kong"

	"smsbridge/internal/mail"
)

// The helps are in tryHelps, since a tag cannot be broken into lines.
type tryCommand struct {
	Mail tryMailCommand `cmd:"" help:"${try_mail}"`
}

type tryMailCommand struct {
	File   string `arg:"" help:"${link_file}"`
	Config string `help:"${bridge_config}" env:"SMSBRIDGE_CONFIG" placeholder:"FILE"`
	To     string `help:"${try_to}" placeholder:"ADDRESS"`
	Tenant string `help:"${try_tenant}" placeholder:"SLUG"`
	JSON   bool   `help:"Print one JSON object for programs." name:"json"`
}

// tryHelps returns the helps of the commands and flags, by the names of their tags.
func tryHelps() kong.Vars {
	return kong.Vars{
		"try":        "Say what would come of a mail, by the rules of the running bridge.",
		"try_mail":   "A mail in a file.",
		"try_to":     "The phone's address to which it was delivered, when its header does not say.",
		"try_tenant": "Only this tenant's addresses.",
	}
}

// Help is shown by smsbridge try mail --help.
func (tryMailCommand) Help() string {
	return "It asks every rule that a real mail meets, with the bridge's settings and its database: " +
		"opt-outs, limits, what the phone is being asked. Nothing is kept, texted or opened. The keys " +
		"of the mail's signatures are looked up in the DNS. A saved mail is judged as if it had come " +
		"at the time of its own Date.\n\n" +
		"  $ smsbridge try mail sign-up.eml\n" +
		"  Sender (sender.verify)           proved by DKIM: no-reply@acme.example\n" +
		"  So                               the phone is asked\n\n" +
		"smsbridge link judges a mail without any settings. The exit status is 0 if a text would be " +
		"sent, and 1 if not."
}

// triedMail is what --json prints.
type triedMail struct {
	Tenant   string        `json:"tenant"`
	Phone    string        `json:"phone"` // masked
	Rulings  []mail.Ruling `json:"rulings"`
	Links    []mail.Link   `json:"links"`
	Language string        `json:"language"`
	Because  string        `json:"because"`
	Texts    []triedText   `json:"texts"`
}

type triedText struct {
	Text     string `json:"text"`
	Wording  string `json:"wording"`
	Segments int    `json:"segments"`
	GSM      bool   `json:"gsm"`
	Price    string `json:"price"` // in dollars
	Sender   string `json:"sender"`
	NotSent  string `json:"not_sent,omitempty"` // why
}

// Run says what would come of a mail.
func (c tryMailCommand) Run(ctx context.Context, w world) (err error) {
	mime, err := c.read(ctx, w)
	if err != nil {
		return err
	}
	st, settings, err := w.beside(ctx, c.Config)
	if err != nil {
		return err
	}
	defer closing(st, &err)
	tried, err := workerBeside(st, settings).TryMail(ctx,
		mail.File{MIME: mime, Address: c.To, Tenant: c.Tenant})
	switch {
	case errors.Is(err, mail.ErrNoMail):
		return mistake{"that is no raw mail", "it must be a raw mail with its header, of at most 2 MiB"}
	case errors.Is(err, mail.ErrBadID):
		return mistake{"no bridge takes a mail with that Message-Id",
			"Mailgun is told 406: the id is too long, or has bytes that are no text"}
	case errors.Is(err, mail.ErrNoAddress):
		return mistake{"no address of that mail is a phone's address of a tenant",
			"name the one to which it was delivered: --to acme+4512345678@sms.acme.example"}
	case err != nil:
		return err
	}
	shown := shownTrial(tried, w)
	if err := c.print(w.stdout, shown); err != nil {
		return err
	}
	for _, t := range shown.Texts {
		if t.NotSent == "" && tried.Unproved == "" {
			return nil
		}
	}
	return errors.New("no text would be sent")
}

func (c tryMailCommand) read(ctx context.Context, w world) (string, error) {
	in, err := w.input(ctx, c.File, "give the path of a raw mail, or - for standard input")
	if err != nil {
		return "", err
	}
	defer in.Close()
	raw, err := whole(in, 2<<20, mistake{"that is no raw mail",
		"it must be a raw mail with its header, of at most 2 MiB"})
	return string(raw), err
}

func shownTrial(tried mail.Trial, w world) triedMail {
	shown := triedMail{
		Tenant: tried.Tenant.Slug, Phone: tried.To.Phone.String(), Rulings: tried.Rulings(w.clock()),
		Links: append([]mail.Link{}, tried.Finding.Links...), Language: tried.Language,
		Because: tried.Because, Texts: []triedText{},
	}
	for _, made := range tried.Texts {
		size := made.Size()
		shown.Texts = append(shown.Texts, triedText{
			made.Body, made.Wording, size.Segments, size.GSM, made.Price().String(), made.Line.Sender,
			made.Reason,
		})
	}
	return shown
}

func (c tryMailCommand) print(out io.Writer, shown triedMail) error {
	if c.JSON {
		encoder := json.NewEncoder(out)
		encoder.SetEscapeHTML(false)
		return encoder.Encode(shown)
	}
	var b strings.Builder
	for _, r := range shown.Rulings {
		said := r.Said
		if r.Against {
			said = "NO: " + said
		}
		if r.Case != "" {
			said += " (" + r.Case + ")"
		}
		fmt.Fprintf(&b, "%-32s %s\n", r.Rule, printable(said))
	}
	for _, l := range shown.Links {
		chosen := "not chosen"
		if l.Chosen {
			chosen = "chosen"
		}
		fmt.Fprintf(&b, "\n%s: %s\n  %s\n", chosen, printable(l.Place),
			printable(strings.Join(l.Why, "; ")))
	}
	for _, t := range shown.Texts {
		segments := "segments"
		if t.Segments == 1 {
			segments = "segment"
		}
		fmt.Fprintf(&b, "\n%s\n  %s in %s, because %s\n  %d %s, $%s, from %s\n", printable(t.Text),
			t.Wording, shown.Language, shown.Because, t.Segments, segments, t.Price, t.Sender)
		if t.NotSent != "" {
			fmt.Fprintf(&b, "  NOT SENT: %s\n", t.NotSent)
		}
	}
	_, err := io.WriteString(out, b.String())
	return err
}

package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/alecthomas/kong"

	"smsbridge/internal/cases"
	"smsbridge/internal/limit"
	"smsbridge/internal/optout"
	"smsbridge/internal/store"
	"smsbridge/internal/tenant"
	"smsbridge/phonemail"
)

// The helps are in personHelps, since a tag cannot be broken into lines.
type forgetCommand struct {
	Phone string `arg:"" help:"${person_phone}"`
	bridgeFlag
}

type showCommand struct {
	Phone  string `arg:"" help:"${show_phone}" placeholder:"PHONE|ID"`
	Export bool   `help:"${show_export}"`
	JSON   bool   `help:"${check_json}" name:"json"`
	bridgeFlag
}

// personHelps returns the helps of the commands and flags, by the names that their tags have.
func personHelps() kong.Vars {
	return kong.Vars{
		"forget":       "Erase all that is held about a phone, and print a receipt.",
		"show":         "Tell what happened to a phone's mails, questions, texts and codes.",
		"person_phone": "The phone number, such as +4512345678.",
		"show_phone": "The phone number, such as +4512345678; or an id: of a mail, text, reply or " +
			"verification, as the log, /v1 or the provider has it.",
		"show_export": "Write every row as JSON, for the person who asks what is held.",
	}
}

// Help is shown by smsbridge forget --help.
func (forgetCommand) Help() string {
	return "It deletes every row about the phone, and prints how many of each table. What the phone " +
		"is being asked ends first. The bridge may be running.\n\n" +
		"  smsbridge forget +4512345678\n\n" +
		"Two things stay, with a keyed digest in the place of the number. An opt-out stays, or the " +
		"person would be texted for having been forgotten. Of a reply the provider's id stays: " +
		"without it an old YES could be taken again. Backups, Mailgun and the providers of texts keep " +
		"what they have: see to them yourself."
}

// Help is shown by smsbridge show --help.
func (showCommand) Help() string {
	return "It tells every mail, question, text, reply and code of the phone in sentences, the " +
		"oldest first, and then how many rows of each table are held. smsbridge why says in one " +
		"sentence why the last text did not come.\n\n" +
		"  smsbridge show +4512345678\n\n" +
		"With --export it writes all rows as JSON: what a person may ask for. Links, codes and texts " +
		"on their way are sealed, and it only says that they are there. It changes nothing, and the " +
		"bridge may be running.\n\n" +
		"  smsbridge show +4512345678 --export > person.json"
}

// Run erases a phone.
func (f forgetCommand) Run(ctx context.Context, w world) error {
	phone, err := number(f.Phone)
	if err != nil {
		return err
	}
	return f.at(ctx, w, func(ctx context.Context, d database) error { return f.erase(ctx, d, phone) })
}

func (f forgetCommand) erase(ctx context.Context, d database, phone phonemail.Number) error {
	if err := optout.Adopt(ctx, d.store); err != nil {
		return err
	}
	tenants := d.settings.Tenants
	var counts int64
	err := d.store.Do(ctx, func(ctx context.Context, tx *store.Tx) (err error) {
		if err = optout.CancelAll(ctx, tx, tenants, phone, "erased"); err != nil {
			return err
		}
		if counts, err = limit.Forget(ctx, tx, accountsOf(tenants, phone), phone); err != nil {
			return err
		}
		return d.audit(ctx, tx, "forget", phone.String(), "")
	})
	if err != nil {
		return err
	}
	erased, err := d.store.ErasePhone(ctx, phone)
	if err != nil {
		return err
	}
	if counts > 0 {
		erased.Gone = append(erased.Gone, store.TableRows{Table: "tally", Rows: counts})
	}
	return d.receipt(phone, erased)
}

// accountsOf are the accounts at providers from which a phone may have been texted, each once.
func accountsOf(tenants tenant.Set, phone phonemail.Number) (accounts []string) {
	for _, t := range tenants.All() {
		for _, line := range t.Lines(phone) {
			accounts = append(accounts, line.Account)
		}
	}
	slices.Sort(accounts)
	return slices.Compact(accounts)
}

// nothingHeld is the row of a phone that is in no table.
const nothingHeld = "nothing is held\t0"

// receipt prints what became of the rows about a phone.
func (w world) receipt(phone phonemail.Number, e store.Erased) error {
	reasons := map[string]string{
		"opt_out": "a digest: the phone must not be texted again",
		"reply":   "a digest and the provider's id: an old reply must not count again",
	}
	table := tabwriter.NewWriter(w.stdout, 0, 0, 2, ' ', 0)
	fmt.Fprintf(table, "%s\tROWS\t\n", phone)
	for _, t := range e.Gone {
		fmt.Fprintf(table, "%s\t%d\terased\n", t.Table, t.Rows)
	}
	for _, t := range e.Kept {
		fmt.Fprintf(table, "%s\t%d\tkept as %s\n", t.Table, t.Rows, reasons[t.Table])
	}
	for _, t := range e.Busy {
		fmt.Fprintf(table, "%s\t%d\tNOT ERASED: a worker has it in hand\n", t.Table, t.Rows)
	}
	if len(e.Gone)+len(e.Kept)+len(e.Busy) == 0 {
		fmt.Fprintln(table, nothingHeld+"\t")
	}
	if err := table.Flush(); err != nil {
		return err
	}
	if len(e.Busy) > 0 {
		return failure{fmt.Errorf("not all was erased"), "run the command again in a few minutes"}
	}
	return nil
}

// person is what a subject is given.
type person struct {
	Phone  string            `json:"phone"`
	At     time.Time         `json:"at"`
	Tables []store.HeldTable `json:"tables"`
}

// Run tells what happened to a phone, or exports what is held about it.
func (s showCommand) Run(ctx context.Context, w world) error { return s.at(ctx, w, s.tell) }

func (s showCommand) tell(ctx context.Context, d database) error {
	phone, err := whose(ctx, d.store, s.Phone)
	if err != nil {
		return err
	}
	p, story := person{Phone: phone.E164()}, told{Phone: phone.E164(), Cases: []cases.Case{}}
	if p.Tables, err = d.store.HeldOn(ctx, phone); err != nil {
		return err
	}
	err = d.store.Read(ctx, func(ctx context.Context, view store.View) error {
		p.At = view.Now().UTC()
		all, err := cases.Of(ctx, view, phone)
		story.Cases = append(story.Cases, all...)
		return err
	})
	if err != nil {
		return err
	}
	switch {
	case s.Export:
		return indented(d.world, p)
	case s.JSON:
		return indented(d.world, story)
	}
	if _, err := io.WriteString(d.stdout, story.text()); err != nil {
		return err
	}
	table := tabwriter.NewWriter(d.stdout, 0, 0, 2, ' ', 0)
	fmt.Fprintf(table, "%s\tROWS\n", phone)
	for _, t := range p.Tables {
		fmt.Fprintf(table, "%s\t%d\n", t.Table, len(t.Rows))
	}
	if len(p.Tables) == 0 {
		fmt.Fprintln(table, nothingHeld)
	}
	return table.Flush()
}

// whose is the phone that is meant by a number or by an id.
func whose(ctx context.Context, st *store.Store, given string) (phone phonemail.Number, err error) {
	if strings.HasPrefix(given, "+") {
		return number(given)
	}
	err = st.Read(ctx, func(ctx context.Context, view store.View) error {
		phone, err = cases.Whose(ctx, view, strings.Trim(given, "<>"))
		return err
	})
	switch {
	case errors.Is(err, cases.ErrUnknown):
		return phone, mistake{"nothing here has that id",
			"write a phone as +4512345678, or an id from the log, from /v1 or from the provider"}
	case errors.Is(err, cases.ErrSeveral):
		return phone, mistake{"that id belongs to several phones", "write one of the phones: +4512345678"}
	}
	return phone, err
}

func indented(w world, value any) error {
	out := json.NewEncoder(w.stdout)
	out.SetEscapeHTML(false)
	out.SetIndent("", "  ")
	return out.Encode(value)
}

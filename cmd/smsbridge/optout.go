package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/alecthomas/kong"

	"smsbridge/internal/optout"
	"smsbridge/internal/store"
	"smsbridge/internal/tenant"
	"smsbridge/internal/text"
	"smsbridge/phonemail"
)

// The helps are in optoutHelps, since a tag cannot be broken into lines.
type optoutCommand struct {
	Add    optoutAdd    `cmd:"" help:"${optout_add}"`
	Remove optoutRemove `cmd:"" help:"${optout_remove}"`
	List   optoutList   `cmd:"" help:"${optout_list}"`
	Import optoutImport `cmd:"" help:"${optout_import}"`
	Export optoutExport `cmd:"" help:"${optout_export}"`
}

type optoutAdd struct {
	Phone  string `arg:"" help:"${optout_phone}"`
	Tenant string `help:"${optout_tenant}" placeholder:"SLUG"`
	All    bool   `help:"${optout_all}"`
	Sender string `help:"${optout_sender}" placeholder:"SENDER"`
	Via    string `help:"${optout_via}" enum:"mail,phone,letter,other" default:"other"`
	By     string `help:"${optout_by}" required:"" placeholder:"NAME"`
	Since  string `help:"${optout_since}" placeholder:"TIME"`
	bridgeFlag
}

type optoutRemove struct {
	Phone  string `arg:"" help:"${optout_phone}"`
	Tenant string `help:"${optout_only}" placeholder:"SLUG"`
	bridgeFlag
}

type optoutList struct {
	Phone string `arg:"" optional:"" help:"${optout_one}"`
	bridgeFlag
}

type optoutImport struct {
	File string `arg:"" help:"${optout_file}"`
	bridgeFlag
}

type optoutExport struct {
	bridgeFlag
}

// optoutHelps returns the helps of the commands and flags, by the names that their tags have.
func optoutHelps() kong.Vars {
	return kong.Vars{
		"optout":        "Record, end, list, import or export who wants no more texts.",
		"optout_add":    "Record that a phone must not be texted: its person wrote or called.",
		"optout_remove": "End the opt-outs of a phone.",
		"optout_list":   "List who wants no more texts, with masked numbers.",
		"optout_import": "Record the opt-outs of a CSV file as optout export writes it.",
		"optout_export": "Write all opt-outs as CSV, with whole numbers, to standard output.",
		"optout_phone":  "The phone number, such as +4512345678.",
		"optout_one":    "Only the opt-outs of this phone.",
		"optout_file":   "The CSV file; - is standard input.",
		"optout_tenant": "The tenant that must not text it. It may be left out if there is one alone.",
		"optout_only":   "Only what holds for this tenant, or for a sender that it has.",
		"optout_all":    "No tenant may text it.",
		"optout_sender": "Only this sender of the tenant must not text it: its number, name or service.",
		"optout_via":    "How the person said so: mail, phone, letter or other.",
		"optout_by":     "Who records it: your name or that of the case.",
		"optout_since":  "When the person said so, as 2026-01-31 or 2026-01-31T12:00:00Z; else now.",
	}
}

// Help is shown by smsbridge optout --help.
func (optoutCommand) Help() string {
	return "A person who replies STOP is opted out at once. This is for those who say so by mail, " +
		"phone or letter, and for moving opt-outs between bridges. The bridge may be running.\n\n" +
		"  smsbridge optout add +4512345678 --via=mail --by=ann\n" +
		"  smsbridge optout export > opt-outs.csv\n\n" +
		"What a phone is being asked ends with its opt-out. An opt-out that a provider keeps, as " +
		"Twilio does after a STOP, ends there only when the phone texts START."
}

// number reads a phone that was given on the command line. The mistake does not repeat it.
func number(given string) (phonemail.Number, error) {
	phone, err := phonemail.ParseNumber(given)
	if err != nil {
		return phone, mistake{"the phone is " + err.Error(), "write it as +4512345678"}
	}
	return phone, nil
}

// Run records an opt-out.
func (a optoutAdd) Run(ctx context.Context, w world) error {
	phone, err := number(a.Phone)
	if err != nil {
		return err
	}
	return a.at(ctx, w, func(ctx context.Context, d database) error { return a.add(ctx, d, phone) })
}

func (a optoutAdd) add(ctx context.Context, d database, phone phonemail.Number) (err error) {
	said := text.Said{
		Phone: phone, Via: text.Via(a.Via), Recorder: a.By,
	}
	if said.Reach, err = a.reach(d.settings.Tenants, phone); err != nil {
		return err
	}
	if said.Since, err = when(a.Since); err != nil {
		return err
	}
	var first bool
	err = d.store.Do(ctx, func(ctx context.Context, tx *store.Tx) (err error) {
		first, err = optout.Record(ctx, tx, d.settings.Tenants, said)
		if errors.Is(err, optout.ErrFuture) {
			return mistake{"the time is in the future", "write when the person said so, or leave it out"}
		}
		if err != nil {
			return err
		}
		return d.audit(ctx, tx, "optout.add", phone.String(), holdsFor(said.Reach))
	})
	if err != nil {
		return err
	}
	word := "recorded"
	if !first {
		word = "known already"
	}
	_, err = fmt.Fprintf(d.stdout, "%s: %s is not texted any more\n", word, phone)
	return err
}

// reach is what the opt-out holds for: all, one sender of a tenant, or the tenant.
func (a optoutAdd) reach(
	tenants tenant.Set, phone phonemail.Number,
) (text.Reach, error) {
	if a.All {
		if a.Sender != "" || a.Tenant != "" {
			return text.Reach{}, mistake{"--all beside --tenant or --sender", "write one of them"}
		}
		return text.Reach{All: true}, nil
	}
	t, err := oneOf(tenants, a.Tenant, "write --all, or --tenant")
	if err != nil {
		return text.Reach{}, err
	}
	if a.Sender == "" {
		return text.Reach{Tenant: t.Slug}, nil
	}
	var senders []string
	for _, line := range t.Lines(phone) {
		if line.Sender == a.Sender {
			return text.Reach{Line: line}, nil
		}
		senders = append(senders, line.Sender)
	}
	return text.Reach{}, mistake{"the tenant " + t.Slug + " does not text this phone from that sender",
		"write one of: " + strings.Join(senders, ", ")}
}

// holdsFor names whom an opt-out holds for.
func holdsFor(r text.Reach) string { return cmp.Or(r.Tenant, r.Line.Sender, "all tenants") }

// oneOf is the tenant that was named, or the only one. Otherwise the hint is followed by the names.
func oneOf(tenants tenant.Set, slug, hint string) (*tenant.Tenant, error) {
	all := tenants.All()
	if slug == "" && len(all) == 1 {
		return all[0], nil
	}
	t, known := tenants.Tenant(slug)
	if !known {
		return nil, mistake{"it is not clear which tenant is meant",
			hint + " with one of: " + strings.Join(slugsOf(tenants), ", ")}
	}
	return t, nil
}

// slugsOf are the names of all tenants, for a hint.
func slugsOf(tenants tenant.Set) (slugs []string) {
	for _, t := range tenants.All() {
		slugs = append(slugs, t.Slug)
	}
	return slugs
}

// when reads a time that was given on the command line; zero for none.
func when(given string) (time.Time, error) {
	at, known := optout.ParseTime(given)
	if !known {
		return at, mistake{"the time is none", "write it as 2026-01-31 or 2026-01-31T12:00:00Z"}
	}
	return at, nil
}

// Run ends opt-outs.
func (r optoutRemove) Run(ctx context.Context, w world) error {
	phone, err := number(r.Phone)
	if err != nil {
		return err
	}
	return r.at(ctx, w, func(ctx context.Context, d database) error { return r.remove(ctx, d, phone) })
}

func (r optoutRemove) remove(ctx context.Context, d database, phone phonemail.Number) error {
	if err := knownTenant(d.settings.Tenants, r.Tenant); err != nil {
		return err
	}
	var lines []phonemail.Line
	if t, named := d.settings.Tenants.Tenant(r.Tenant); named {
		lines = t.Lines(phone)
	}
	var ended int
	err := d.store.Do(ctx, func(ctx context.Context, tx *store.Tx) (err error) {
		ended, err = text.ClearOptOuts(ctx, tx, phone, func(o text.KnownOptOut) bool {
			return r.Tenant == "" || o.Reach.Tenant == r.Tenant || slices.Contains(lines, o.Reach.Line)
		})
		if err != nil {
			return err
		}
		return d.audit(ctx, tx, "optout.remove", phone.String(), fmt.Sprintf("%d ended", ended))
	})
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(d.stdout, "%d opt-outs of %s were ended\n", ended, phone)
	return err
}

// Run lists opt-outs.
func (l optoutList) Run(ctx context.Context, w world) (err error) {
	var only phonemail.Number
	if l.Phone != "" {
		if only, err = number(l.Phone); err != nil {
			return err
		}
	}
	return l.at(ctx, w, func(ctx context.Context, d database) error { return l.list(ctx, d, only) })
}

func (l optoutList) list(ctx context.Context, d database, only phonemail.Number) error {
	table := tabwriter.NewWriter(d.stdout, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "PHONE\tHOLDS FOR\tSINCE\tVIA\tBY")
	err := optout.Each(ctx, d.store, func(o text.KnownOptOut) error {
		if only != (phonemail.Number{}) && o.Phone != only {
			return nil
		}
		_, err := fmt.Fprintf(table, "%s\t%s\t%s\t%s\t%s\n", o.Phone, holdsFor(o.Reach),
			o.Since.UTC().Format(time.RFC3339), o.Via, printable(o.Recorder))
		return err
	})
	if err != nil {
		return err
	}
	return table.Flush()
}

// Run imports opt-outs. The file is opened here, and never by the bridge: that reads its content.
func (i optoutImport) Run(ctx context.Context, w world) (err error) {
	if w.inside != nil {
		i.File = "-"
	}
	in, err := w.input(ctx, i.File, "name a CSV file, or - for standard input")
	if err != nil {
		return err
	}
	defer in.Close()
	return i.reading(ctx, w, in, i.read)
}

// read imports what standard input has. A mistake in it changes nothing.
func (i optoutImport) read(ctx context.Context, d database) error {
	all, err := optout.ReadCSV(d.stdin, d.settings.Tenants, d.clock())
	var bad *optout.Bad
	if errors.As(err, &bad) {
		return mistake{bad.What, bad.Hint}
	}
	if err != nil {
		return err
	}
	// First, since the opt-outs are recorded one by one: other writers need their turns, too.
	err = d.store.Do(ctx, func(ctx context.Context, tx *store.Tx) error {
		return d.audit(ctx, tx, "optout.import", "", fmt.Sprintf("%d read", len(all)))
	})
	added := 0
	for n := 0; n < len(all) && err == nil; n++ {
		var first bool
		err = d.store.Do(ctx, func(ctx context.Context, tx *store.Tx) (err error) {
			first, err = optout.Record(ctx, tx, d.settings.Tenants, all[n])
			return err
		})
		if first && err == nil {
			added++
		}
	}
	if err != nil {
		return fmt.Errorf("importing, after %d new ones: %w", added, err)
	}
	_, err = fmt.Fprintf(d.stdout, "%d opt-outs read, %d of them new\n", len(all), added)
	return err
}

// Run exports opt-outs.
func (e optoutExport) Run(ctx context.Context, w world) error { return e.at(ctx, w, e.write) }

func (e optoutExport) write(ctx context.Context, d database) error {
	err := d.store.Do(ctx, func(ctx context.Context, tx *store.Tx) error {
		return d.audit(ctx, tx, "optout.export", "", "")
	})
	if err != nil {
		return err
	}
	gone := 0
	out := optout.NewCSVWriter(d.stdout)
	err = optout.Each(ctx, d.store, func(o text.KnownOptOut) error {
		if o.Phone.Erased() {
			gone++
			return nil
		}
		return out.Write(o)
	})
	if err == nil {
		err = out.Flush()
	}
	if gone > 0 {
		fmt.Fprintf(d.stderr, "smsbridge: warning: %d opt-outs of erased phones are left out: "+
			"only this database recognizes them\n", gone)
	}
	return err
}

package main

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/alecthomas/kong"

	"smsbridge/internal/cases"
	"smsbridge/internal/store"
	"smsbridge/internal/tenant"
	"smsbridge/phonemail"
)

// told is what show --json prints.
type told struct {
	Phone string       `json:"phone"`
	Cases []cases.Case `json:"cases"`
}

// text is what a person reads: a paragraph for each case.
func (t told) text() string {
	var b strings.Builder
	for _, c := range t.Cases {
		fmt.Fprintf(&b, "%s %s", c.Kind, c.ID)
		if c.Tenant != "" {
			fmt.Fprintf(&b, " of the tenant %s", c.Tenant)
		}
		fmt.Fprintf(&b, ", %s UTC\n", c.Began.UTC().Format(time.DateOnly))
		for _, s := range c.Steps {
			fmt.Fprintf(&b, "  %s  %s\n", s.At.UTC().Format("15:04:05.000"), s.Said)
		}
		if c.NoText != "" {
			fmt.Fprintf(&b, "  no text: %s\n", c.NoText)
		}
		if c.Remedy != "" {
			fmt.Fprintf(&b, "  what to do: %s\n", c.Remedy)
		}
		b.WriteString("\n")
	}
	return b.String()
}

// The helps are in whyHelps, since a tag cannot be broken into lines.
type whyCommand struct {
	Phone string `arg:"" help:"${show_phone}" placeholder:"PHONE|ID"`
	bridgeFlag
	JSON bool `help:"${check_json}" name:"json"`
}

// whyHelps returns the helps of the command, by the names that its tags have.
func whyHelps() kong.Vars {
	return kong.Vars{"why": "Say why the last text to a phone did not come, and what to do."}
}

// Help is shown by smsbridge why --help.
func (whyCommand) Help() string {
	return "It looks at the last mail or code for the phone. When its text came, it says when, and " +
		"how far the person is. It changes nothing, and the bridge may be running.\n\n" +
		"  $ smsbridge why +4512345678\n" +
		"  no text: country not allowed\n" +
		"  what to do: add the country to countries (SMSBRIDGE_COUNTRIES), and ask the person to start " +
		"again\n\n" +
		"smsbridge show tells the whole story."
}

// reasons are what why --json prints.
type reasons struct {
	Phone  string `json:"phone"`
	Case   string `json:"case,omitempty"` // the id of the mail or verification
	NoText string `json:"no_text,omitempty"`
	Remedy string `json:"remedy,omitempty"`
	Last   string `json:"last,omitempty"` // what happened last, when the text came
}

// Run says why there was no text.
func (y whyCommand) Run(ctx context.Context, w world) error { return y.at(ctx, w, y.say) }

func (y whyCommand) say(ctx context.Context, d database) error {
	phone, err := whose(ctx, d.store, y.Phone)
	if err != nil {
		return err
	}
	var all []cases.Case
	err = d.store.Read(ctx, func(ctx context.Context, view store.View) error {
		all, err = cases.Of(ctx, view, phone)
		return err
	})
	if err != nil {
		return err
	}
	r := why(all, phone, d.settings)
	if y.JSON {
		return indented(d.world, r)
	}
	if r.NoText == "" {
		_, err = fmt.Fprintf(d.stdout, "the text left; last, %s\n", r.Last)
		return err
	}
	if _, err := fmt.Fprintf(d.stdout, "no text: %s\n", r.NoText); err != nil || r.Remedy == "" {
		return err
	}
	_, err = fmt.Fprintf(d.stdout, "what to do: %s\n", r.Remedy)
	return err
}

// why says it of the last case that is about a mail or a code.
func why(all []cases.Case, phone phonemail.Number, settings tenant.Settings) reasons {
	r := reasons{Phone: phone.E164()}
	for _, c := range all {
		if c.Kind == cases.OfReply {
			continue
		}
		last := c.Steps[len(c.Steps)-1]
		r.Case, r.NoText, r.Remedy = c.ID, c.NoText, c.Remedy
		r.Last = fmt.Sprintf("at %s UTC: %s", last.At.UTC().Format(time.DateTime), last.Said)
	}
	if r.Case == "" {
		var addresses []string
		for _, t := range settings.Tenants.All() {
			addresses = append(addresses, t.Address.Address(phone))
		}
		r.NoText = "no mail and no code for this phone is known here"
		r.Remedy = "look in Mailgun's log for a mail to " + strings.Join(addresses, " or ") +
			"; if it is there, look at the route that posts it"
	}
	return r
}

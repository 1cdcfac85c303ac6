package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/alecthomas/kong"

	"smsbridge/internal/country"
	"smsbridge/internal/tenant"
	"smsbridge/phonemail"
)

// The helps are in complianceHelps, since a tag cannot be broken into lines.
type complianceCommand struct {
	Country string `arg:"" help:"${compliance_country}"`
	Config  string `help:"${compliance_config}" env:"SMSBRIDGE_CONFIG" placeholder:"FILE"`
	Tenant  string `help:"${compliance_tenant}" placeholder:"SLUG"`
	Contact string `help:"${compliance_contact}" placeholder:"WHERE"`
	JSON    bool   `help:"Print one JSON object for programs." name:"json"`
}

// complianceHelps returns the helps of the command, the argument and the flags, by the names of
// their tags.
func complianceHelps() kong.Vars {
	return kong.Vars{
		"compliance":         "Say what the operators of a country want, and print what you file there.",
		"compliance_country": "The country, as a code of two letters (ISO 3166-1), such as DK or US.",
		"compliance_config":  "The file of settings that the bridge is started with, if it has one.",
		"compliance_tenant":  "Whose texts are filed, when the settings have several tenants.",
		"compliance_contact": "Where people get help, for the text that HELP gets: an address or a " +
			"number.",
	}
}

// Help is shown by smsbridge compliance --help.
func (complianceCommand) Help() string {
	return "Operators of many countries deliver links and names only after they were registered. " +
		"This prints what the bridge knows of a country, each fact with its source and the day on " +
		"which that was read. Nothing of it is legal advice, and the source may have changed since.\n\n" +
		"  $ smsbridge compliance DK\n" +
		"  links     registered\n" +
		"            Operators filter web addresses. The provider registers the content first.\n" +
		"            Twilio's guidelines for the country\n" +
		"            https://www.twilio.com/en-us/guidelines/dk/sms, read 2026-11-27\n\n" +
		"With the bridge's settings, in variables or in --config, it says how the tenant's texts go " +
		"there. For the US it also prints what a 10DLC campaign asks for, to paste: the use case, " +
		"sample messages in the tenant's own words, the texts for START, HELP and STOP, and the " +
		"consent for the sign-up form.\n\n" +
		"What has been registered is said in the settings links_work and names_work. Nothing leaves " +
		"this machine."
}

// compliance is what --json prints.
type compliance struct {
	Country  string        `json:"country"`
	Facts    []countryFact `json:"facts"`
	Tenant   string        `json:"tenant,omitempty"`
	Ways     []way         `json:"ways,omitempty"`
	Campaign *campaign     `json:"campaign,omitempty"`
}

type countryFact struct {
	About     country.Topic `json:"about"`
	Value     string        `json:"value"`
	Note      string        `json:"note,omitempty"`
	Source    string        `json:"source"`
	URL       string        `json:"url"`
	Read      string        `json:"read"`
	FirstHand bool          `json:"first_hand"`
}

// way is how the tenant's texts for a use go to the country.
type way struct {
	For     tenant.Use    `json:"for"`
	Sender  string        `json:"sender"`
	Answer  tenant.Answer `json:"answer,omitempty"`
	Refusal string        `json:"refusal,omitempty"`
	Words   string        `json:"words,omitempty"` // what carriers make of the answers
}

// Run prints what the operator has to know, and to file, for a country.
func (c complianceCommand) Run(ctx context.Context, w world) error {
	code := strings.ToUpper(c.Country)
	if !phonemail.IsCountry(code) {
		return mistake{"there is no country with the code " + printable(c.Country),
			"write a code of two letters (ISO 3166-1), such as DK, SE or GB"}
	}
	found := compliance{Country: code, Facts: []countryFact{}}
	for _, f := range country.About(code) {
		found.Facts = append(found.Facts, countryFact{
			f.Topic, f.Value, f.Note, f.Source.Name, f.Source.URL, f.Source.Read.Format(time.DateOnly),
			f.Source.FirstHand,
		})
	}
	t, err := c.chosen(ctx, w)
	if err != nil {
		return err
	}
	if t != nil {
		c.describe(&found, t)
	}
	if !c.JSON {
		_, err = io.WriteString(w.stdout, found.text())
		return err
	}
	out := json.NewEncoder(w.stdout)
	out.SetEscapeHTML(false)
	return out.Encode(found)
}

// chosen is the tenant whose texts are shown; nil when there are no settings at all.
func (c complianceCommand) chosen(ctx context.Context, w world) (*tenant.Tenant, error) {
	hasTenant := func() bool {
		for _, variable := range w.environ {
			if name, v, _ := strings.Cut(variable, "="); name == "SMSBRIDGE_TENANT" && v != "" {
				return true
			}
		}
		return false
	}
	if c.Config == "" && !hasTenant() {
		if c.Tenant != "" {
			return nil, mistake{"there are no settings that could have the tenant " + printable(c.Tenant),
				"name the file of settings: --config FILE"}
		}
		fmt.Fprintln(w.stderr, "smsbridge: note: without the bridge's settings, nothing is said of "+
			"your texts; name their file with --config, or set the variables that serve reads")
		return nil, nil
	}
	s, err := serveCommand{Config: c.Config}.load(ctx, w.environ)
	if err != nil {
		return nil, err
	}
	if all := s.Tenants.All(); c.Tenant == "" && len(all) == 1 {
		return all[0], nil
	}
	t, ok := s.Tenants.Tenant(c.Tenant)
	if !ok {
		return nil, mistake{"it is not clear whose texts are meant",
			"choose one: --tenant " + strings.Join(slugsOf(s.Tenants), ", --tenant ")}
	}
	return t, nil
}

// describe adds how a tenant's texts go to the country.
func (c complianceCommand) describe(found *compliance, t *tenant.Tenant) {
	found.Tenant = t.Slug
	for _, use := range []tenant.Use{tenant.ForQuestion, tenant.ForLink, tenant.ForCode} {
		w := t.WayTo(found.Country, use)
		words := ""
		if w.Refusal == "" && (w.Answer == tenant.ByReply || w.Answer == tenant.ByBoth) {
			words = answersAtTwilio(t, found.Country)
		}
		found.Ways = append(found.Ways, way{use, w.Line.Sender, w.Answer, w.Refusal, words})
	}
	if found.Country == "US" {
		found.Campaign = campaignOf(t, c.Contact)
	}
}

// answersAtTwilio says what else the answers mean to Twilio that texts to a country ask for.
//
// Source: https://help.twilio.com/articles/223134027
func answersAtTwilio(t *tenant.Tenant, code string) string {
	if !slices.Contains(t.Sending.Providers, tenant.ByTwilio) {
		return ""
	}
	language, said := t.LanguageIn(code), ""
	if strings.EqualFold(t.AskedAnswer(language), "yes") {
		said = "YES also ends a STOP at Twilio."
	}
	if strings.EqualFold(t.AskedDenial(language), "no") {
		said = strings.TrimSpace(
			said + " Some accounts have NO among the words that stop texts: take it " +
				"out of the opt-out words of your Messaging Service.")
	}
	return said
}

// text is what a person reads.
func (c compliance) text() string {
	var b strings.Builder
	fmt.Fprintf(&b, "What is known of texts to %s. None of it is legal advice.\n\n", c.Country)
	for _, f := range c.Facts {
		hand := ""
		if !f.FirstHand {
			hand = ", second-hand"
		}
		fmt.Fprintf(&b, "%-9s %s\n", f.About, f.Value)
		if f.Note != "" {
			fmt.Fprintf(&b, "          %s\n", f.Note)
		}
		fmt.Fprintf(&b, "          %s%s\n          %s, read %s\n", f.Source, hand, f.URL, f.Read)
	}
	if len(c.Facts) == 0 {
		b.WriteString("Nothing. Links and names count as what has to be registered.\n")
	}
	if c.Tenant == "" {
		return b.String()
	}
	fmt.Fprintf(&b, "\nHow the texts of the tenant %s go there:\n\n", c.Tenant)
	for _, w := range c.Ways {
		switch {
		case w.Refusal != "":
			fmt.Fprintf(&b, "%-9s not at all: %s\n", w.For, w.Refusal)
		case w.Answer != "":
			fmt.Fprintf(&b, "%-9s from %s, answered by %s\n", w.For, w.Sender, w.Answer)
			if w.Words != "" {
				fmt.Fprintf(&b, "          %s\n", w.Words)
			}
		default:
			fmt.Fprintf(&b, "%-9s from %s\n", w.For, w.Sender)
		}
	}
	if c.Campaign != nil {
		b.WriteString(c.Campaign.text())
	}
	return b.String()
}

package main

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/alecthomas/kong"

	"smsbridge/internal/cases"
	"smsbridge/internal/store"
	"smsbridge/internal/text"
)

// mostUsageDays is how far back usage reads: rows go after a year.
const mostUsageDays = 366

// The helps are in usageHelps, since a tag cannot be broken into lines.
type usageCommand struct {
	bridgeFlag
	Days   int    `help:"${usage_days}" default:"1" placeholder:"N"`
	Tenant string `help:"${usage_tenant}" placeholder:"NAME"`
	JSON   bool   `help:"${limits_json}" name:"json"`

	Funnel bool          `help:"${usage_funnel}"`
	By     cases.By      `help:"${usage_by}" enum:"each,tenant,country,provider" default:"each"`
	Since  time.Duration `help:"${usage_since}" placeholder:"1h"`
}

// usageHelps returns the helps of the command and its flags, by the names that their tags have.
func usageHelps() kong.Vars {
	return kong.Vars{
		"usage":        "Show how many texts and segments were sent, and what they cost.",
		"usage_days":   "Today and the days before it, as many in all (UTC).",
		"usage_tenant": "Only this tenant.",
		"usage_funnel": "Instead, show how far the mails came: how many persons were asked, and how " +
			"each question ended.",
		"usage_by":    "With --funnel, what is counted apart: each, tenant, country or provider.",
		"usage_since": "With --funnel, since when instead of --days, such as 1h.",
	}
}

// Help is shown by smsbridge usage --help.
func (usageCommand) Help() string {
	return "One line for each day, tenant and country. SENT texts are with a provider; some of them " +
		"were delivered, and some certainly not. NOT SENT are those that a limit, an opt-out or a " +
		"hold kept back, and those that no provider took. CHARGED is what the daily budgets were " +
		"charged, in US dollars, by the table of prices. TOLD is what providers said afterwards: " +
		"Twilio and Flowroute within a day, others never.\n\n" +
		"  $ smsbridge usage --days 7 --tenant acme\n" +
		"  $ smsbridge usage --funnel --since 1h --by provider\n\n" +
		"With --funnel a share is that of the step before. ASKED are those of SEEN whose text a " +
		"provider has. DELIVERED, YES, NO and EXPIRED are of ASKED. CONFIRMED and FAILED are of YES. " +
		"PROVIDER is the identity provider.\n\n" +
		"A number that the retention has erased has no country any more; its line says \"-\". It " +
		"reads the same settings as serve and changes nothing, and the bridge may be running."
}

// Run shows what texts used.
func (u usageCommand) Run(ctx context.Context, w world) error {
	if u.Days < 1 || u.Days > mostUsageDays {
		return mistake{fmt.Sprintf("--days is %d", u.Days),
			fmt.Sprintf("use 1 for today, and at most %d: older rows are gone", mostUsageDays)}
	}
	if !u.Funnel && (u.By != cases.ByEach || u.Since != 0) {
		return mistake{"--by and --since say which mails are counted", "write --funnel, too"}
	}
	if u.Since < 0 || u.Since > mostUsageDays*24*time.Hour {
		return mistake{fmt.Sprintf("--since is %s", u.Since),
			fmt.Sprintf("write a time such as 1h or 24h, and at most %d days", mostUsageDays)}
	}
	return u.at(ctx, w, u.show)
}

func (u usageCommand) show(ctx context.Context, d database) error {
	if err := knownTenant(d.settings.Tenants, u.Tenant); err != nil {
		return err
	}
	if u.Funnel {
		return u.funnel(ctx, d)
	}
	var used []text.Usage
	err := d.store.Read(ctx, func(ctx context.Context, view store.View) (err error) {
		used, err = text.UsedLately(ctx, view, u.Days)
		return err
	})
	if err != nil {
		return err
	}
	used = slices.DeleteFunc(used, func(one text.Usage) bool {
		return u.Tenant != "" && one.Tenant != u.Tenant
	})
	if u.JSON {
		return indented(d.world, used)
	}
	if len(used) == 0 {
		_, err := fmt.Fprintln(d.stdout, "no text was due in that time")
		return err
	}
	table := tabwriter.NewWriter(d.stdout, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table,
		"DAY\tTENANT\tCOUNTRY\tSENT\tDELIVERED\tUNDELIVERED\tNOT SENT\tSEGMENTS\tCHARGED\tTOLD")
	if len(used) > 1 {
		sum := text.Sum(used)
		sum.Day, sum.Tenant = "in all", "-"
		used = append(used, sum)
	}
	for _, one := range used {
		fmt.Fprintf(table, "%s\t%s\t%s\t%d\t%d\t%d\t%d\t%d\t%s\t%s\n", one.Day, one.Tenant,
			dash(one.Country), one.Sent, one.Delivered, one.Undelivered, one.Suppressed+one.Failed,
			one.Segments, one.Charged, toldPrices(one))
	}
	return table.Flush()
}

// toldPrices is what providers said that texts cost, in each currency.
func toldPrices(u text.Usage) string {
	var amounts []string
	for _, currency := range u.Currencies() {
		amounts = append(amounts, u.Told[currency].String()+" "+currency)
	}
	return dash(strings.Join(amounts, ", "))
}

// dash stands for nothing in a table, so that each row has all its columns.
func dash(value string) string {
	if value == "" {
		return "-"
	}
	return value
}

package main

import (
	"context"
	"fmt"
	"strconv"
	"text/tabwriter"
	"time"

	"smsbridge/internal/cases"
	"smsbridge/internal/store"
)

// funnelUsage is the funnel as the command shows it.
type funnelUsage struct {
	Since time.Time      `json:"since"`
	Rows  []cases.Funnel `json:"rows"`
	All   cases.Funnel   `json:"all"`
}

// funnel shows how far the mails came.
func (u usageCommand) funnel(ctx context.Context, d database) error {
	shown := funnelUsage{Rows: []cases.Funnel{}}
	err := d.store.Read(ctx, func(ctx context.Context, view store.View) error {
		shown.Since = view.Now().UTC().Truncate(24*time.Hour).AddDate(0, 0, 1-u.Days)
		if u.Since > 0 {
			shown.Since = view.Now().UTC().Add(-u.Since)
		}
		rows, all, err := cases.Funnels(ctx, view, shown.Since, u.Tenant, u.By)
		shown.Rows, shown.All = append(shown.Rows, rows...), all
		return err
	})
	if err != nil {
		return err
	}
	if u.JSON {
		return indented(d.world, shown)
	}
	if len(shown.Rows) == 0 {
		_, err := fmt.Fprintln(d.stdout, "no mail came in that time")
		return err
	}
	table := tabwriter.NewWriter(d.stdout, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "TENANT\tCOUNTRY\tPROVIDER\tSEEN\tASKED\tDELIVERED\tYES\tNO\tEXPIRED\t"+
		"CONFIRMED\tFAILED")
	if len(shown.Rows) > 1 {
		shown.All.Tenant = "in all"
		shown.Rows = append(shown.Rows, shown.All)
	}
	for _, f := range shown.Rows {
		fmt.Fprintf(table, "%s\t%s\t%s\t%d\t%s\t%s\t%s\t%s\t%s\t%s\t%s\n", dash(f.Tenant),
			dash(f.Country), dash(f.Provider), f.Seen, counted(f.Asked, f.Seen),
			counted(f.Delivered, f.Asked), counted(f.Yes, f.Asked), counted(f.No, f.Asked),
			counted(f.Expired, f.Asked), counted(f.Confirmed, f.Yes), counted(f.Failed, f.Yes))
	}
	return table.Flush()
}

// counted is a number with its share of a whole, if there is one.
func counted(part, of int64) string {
	if share := cases.Share(part, of); share != "" {
		return fmt.Sprintf("%d (%s)", part, share)
	}
	return strconv.FormatInt(part, 10)
}

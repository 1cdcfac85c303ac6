package main

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"text/tabwriter"

	"github.com/alecthomas/kong"

	"smsbridge/internal/limit"
	"smsbridge/internal/store"
	"smsbridge/internal/tenant"
	"smsbridge/phonemail"
)

// The helps are in limitHelps, since a tag cannot be broken into lines.
type limitsCommand struct {
	bridgeFlag
	All  bool `help:"${limits_all}"`
	JSON bool `help:"${limits_json}" name:"json"`
}

// scopeFlags say what is held or released.
type scopeFlags struct {
	bridgeFlag
	Tenant  string `help:"${limits_tenant}" placeholder:"NAME"`
	Country string `help:"${limits_country}" placeholder:"DK"`
}

type (
	holdCommand    struct{ scopeFlags }
	releaseCommand struct{ scopeFlags }
)

// limitHelps returns the helps of the flags, by the names that their tags have.
func limitHelps() kong.Vars {
	return kong.Vars{
		"limits_all":     "Show everything that is counted, and not only what is near its limit.",
		"limits_json":    "Print JSON.",
		"limits_tenant":  "Only the texts of this tenant.",
		"limits_country": "Only texts to this country (ISO 3166-1).",
	}
}

// Help is shown by smsbridge limits --help.
func (limitsCommand) Help() string {
	return "It shows what has used half of its limit or more, what an operator holds, and where too " +
		"many questions go unanswered. Phones, ranges of numbers and those who ask are shown by a " +
		"digest, which tells nothing about them. It reads the same settings as serve and changes " +
		"nothing, and the bridge may be running.\n\n" +
		"The limits are settings: SMSBRIDGE_LIMIT_… and SMSBRIDGE_DAILY_… in docs/SETTINGS.md."
}

// Help is shown by smsbridge hold --help.
func (holdCommand) Help() string {
	return "From now on no question, code or relayed mail is texted, by any replica, until " +
		"smsbridge release with the same flags. What tells a person how a question ended still goes. " +
		"A mail that comes meanwhile is recorded as refused, and an app hears 429.\n\n" +
		"  smsbridge hold --country DK\n" +
		"  smsbridge hold --tenant acme\n\n" +
		"Without a flag it holds everything. The bridge need not be restarted, and may be stopped."
}

// Help is shown by smsbridge release --help.
func (releaseCommand) Help() string {
	return "It ends what smsbridge hold began with the same flags. What is still held it says."
}

// Run shows what is near its limit.
func (l limitsCommand) Run(ctx context.Context, w world) error { return l.at(ctx, w, l.show) }

func (l limitsCommand) show(ctx context.Context, d database) error {
	var uses []limit.Use
	err := d.store.Read(ctx, func(ctx context.Context, view store.View) (err error) {
		uses, err = limit.Uses(ctx, view, d.settings.Tenants.All())
		return err
	})
	if err != nil {
		return err
	}
	shown := []limit.Use{}
	for _, u := range uses {
		if l.All || u.Near() {
			shown = append(shown, u)
		}
	}
	if l.JSON {
		return indented(d.world, shown)
	}
	if len(shown) == 0 {
		_, err := fmt.Fprintln(d.stdout, "nothing is near its limit, and nothing is held")
		return err
	}
	table := tabwriter.NewWriter(d.stdout, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "WHAT\tLIMIT\tUSED\tOF\tSTATE")
	for _, u := range shown {
		fmt.Fprintf(table, "%s\t%s\t%s\t%s\t%s\n", u.What, u.Limit, u.Used, u.Of, u.State)
	}
	return table.Flush()
}

// Run holds texts.
func (h holdCommand) Run(ctx context.Context, w world) error {
	return h.at(ctx, w, func(ctx context.Context, d database) error {
		may := func(s limit.Scope, _ []limit.Scope) error { return scopeOf(s, d.settings) }
		return h.change(ctx, d, may, limit.Hold, "hold", "held")
	})
}

// Run releases texts, also those of a tenant that there is no more: they would be held again when
// the tenant comes back.
func (r releaseCommand) Run(ctx context.Context, w world) error {
	return r.at(ctx, w, func(ctx context.Context, d database) error {
		may := func(s limit.Scope, held []limit.Scope) error {
			if slices.Contains(held, s) {
				return nil
			}
			if err := scopeOf(s, d.settings); err != nil {
				return err
			}
			return mistake{"not held: " + s.String(),
				"smsbridge limits shows what is held; release it as it was held"}
		}
		return r.change(ctx, d, may, limit.Release, "release", "released")
	})
}

// change does what may be done with a scope, given what is held, and tells what is held then.
func (f scopeFlags) change(
	ctx context.Context, d database, may func(s limit.Scope, held []limit.Scope) error,
	do func(ctx context.Context, tx *store.Tx, s limit.Scope) error, act, done string,
) error {
	scope := limit.Scope{Tenant: f.Tenant, Country: strings.ToUpper(f.Country)}
	var held []string
	err := d.store.Do(ctx, func(ctx context.Context, tx *store.Tx) error {
		before, err := limit.Holds(ctx, tx)
		if err == nil {
			err = may(scope, before)
		}
		if err == nil {
			err = do(ctx, tx, scope)
		}
		if err != nil {
			return err
		}
		if held, err = limit.HeldNow(ctx, tx); err != nil {
			return err
		}
		return d.audit(ctx, tx, act, scope.String(), "")
	})
	if err != nil {
		return err
	}
	fmt.Fprintf(d.stdout, "%s: %s\n", done, scope)
	for _, what := range held {
		fmt.Fprintf(d.stdout, "held now: %s\n", what)
	}
	return nil
}

// scopeOf judges the tenant and the country of a scope.
func scopeOf(s limit.Scope, settings tenant.Settings) error {
	if _, known := settings.Tenants.Tenant(s.Tenant); s.Tenant != "" && !known {
		return mistake{"there is no tenant " + s.Tenant,
			"the tenants are " + strings.Join(slugsOf(settings.Tenants), ", ")}
	}
	if s.Country != "" && !phonemail.IsCountry(s.Country) {
		return mistake{s.Country + " is no country",
			"use a code of two letters (ISO 3166-1), such as DK, SE or GB"}
	}
	return nil
}

package limit

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"smsbridge/internal/price"
	"smsbridge/internal/store"
	"smsbridge/internal/store/db"
	"smsbridge/internal/store/moment"
	"smsbridge/internal/tenant"
)

// Use says how much of one limit is used.
type Use struct {
	What  string `json:"what"`            // the key of its row, such as route/acme/DK
	Limit string `json:"limit"`           // the setting
	Used  string `json:"used,omitempty"`  // "" for what is held
	Of    string `json:"of,omitempty"`    // "" for what is held
	State string `json:"state,omitempty"` // held, open, used up, not shown, or ""

	near bool
}

// Near reports whether half of the limit is used, or the texts are held.
func (u Use) Near() bool { return u.near }

// mostShown is how many rows are looked at, the newest first, beside those of the budgets.
const mostShown = 100_000

// Uses returns what is counted now, the widest first. That some is left out it says at the end.
func Uses(ctx context.Context, view store.View, tenants []*tenant.Tenant) ([]Use, error) {
	held, err := view.TalliesHeld(ctx)
	if err != nil {
		return nil, err
	}
	var all []Use
	for _, row := range held {
		all = append(all, Use{What: row.Key, Limit: "hold", State: "held", near: true})
	}
	since := view.Moment().Add(-Memory)
	rows, err := view.TalliesSince(ctx, db.TalliesSinceParams{Since: since, Most: mostShown})
	if err != nil {
		return nil, err
	}
	budgets, err := rowsOf(ctx, view, budgetKeys(tenants)) // whose day began before those rows
	if err != nil {
		return nil, err
	}
	more := len(rows) == mostShown
	for _, row := range rows {
		delete(budgets, row.Key)
	}
	rows = slices.AppendSeq(rows, maps.Values(budgets))
	slices.SortFunc(rows, func(a, b db.Tally) int {
		return cmp.Or(width(a.Key)-width(b.Key), strings.Compare(a.Key, b.Key))
	})
	for _, row := range rows {
		all = append(all, usesOf(row, view.Moment(), tenants)...)
	}
	if more {
		all = append(all, Use{What: "older rows", State: "not shown", near: true})
	}
	return all, nil
}

// width is the place of a row in the order of what it counts: most texts first.
func width(key string) int {
	scope, _, _ := strings.Cut(key, "/")
	return slices.Index(
		[]string{keyAll, "tenant", "country", "route", "prefix", "asker", "mail", "phone"}, scope)
}

// usesOf says how much of its limits a row has used. A limit is that of the tenant that the row
// names, else the lowest of all tenants.
func usesOf(row db.Tally, now moment.Moment, tenants []*tenant.Tenant) (all []Use) {
	scope, rest, _ := strings.Cut(row.Key, "/")
	slug, _, _ := strings.Cut(rest, "/")
	var limits tenant.Limits
	for i, t := range tenants {
		// 0 is no limit.
		lower := t.Limits.PhoneDay != 0 &&
			(limits.PhoneDay == 0 || t.Limits.PhoneDay < limits.PhoneDay)
		if t.Slug == slug || i == 0 || scope == "phone" && lower {
			limits = t.Limits
		}
	}
	add := func(name string, used, most int64) {
		if most == 0 {
			return
		}
		u := Use{What: row.Key, Limit: name, Used: fmt.Sprint(used), Of: fmt.Sprint(most)}
		if strings.HasSuffix(name, "daily_money") {
			u.Used, u.Of = price.Micro(used).String(), price.Micro(most).String()
		}
		if u.near = 2*used >= most; used >= most {
			u.State = "used up"
		}
		all = append(all, u)
	}
	today := !row.WindowAt.Before(now.Truncate(day))
	thisHour := !row.WindowAt.Before(now.Truncate(hour))
	switch {
	case scope == keyAll && today:
		add("daily_segments", row.Segments, int64(limits.ProcessDay.Segments))
		add("daily_money", row.Money, int64(limits.ProcessDay.Money))
	case scope == "tenant" && today:
		add("limits.daily_segments", row.Segments, int64(limits.Day.Segments))
		add("limits.daily_money", row.Money, int64(limits.Day.Money))
	case scope == "mail" && today:
		add("limits.mail_phones", row.Texts, int64(limits.MailPhones))
	case scope == "asker" && thisHour:
		add("limits.asker_hour", row.Texts, int64(limits.AskerHour))
	case scope == "prefix" && thisHour:
		add("limits.prefix_hour", row.Texts, int64(limits.PrefixHour))
	case scope == "phone":
		add("limits.phone_day", within(row, now), int64(limits.PhoneDay))
	case scope == "route":
		if thisHour {
			add("limits.country_hour", row.Texts, int64(limits.CountryHour))
			add("limits.breaker", row.Unanswered, int64(limits.Breaker))
		}
		if !row.OpenAt.IsZero() {
			all = append(all, Use{What: row.Key, Limit: "limits.breaker", State: "open", near: true})
		}
	}
	return all
}

// within is how many texts a phone had in the last day.
func within(row db.Tally, now moment.Moment) (n int64) {
	for _, at := range stamps(row.Recent) {
		if now.Sub(at) < day {
			n++
		}
	}
	return n
}

// HeldNow names everything that an operator holds.
func HeldNow(ctx context.Context, view store.View) (held []string, err error) {
	rows, err := view.TalliesHeld(ctx)
	for _, row := range rows {
		held = append(held, row.Key)
	}
	return held, err
}

package cases

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"

	"smsbridge/internal/store"
	"smsbridge/internal/store/db"
)

// Funnel is how many mails of a time came how far: those of one tenant, country and identity
// provider, or those of several together.
type Funnel struct {
	Tenant   string `json:"tenant,omitempty"`
	Country  string `json:"country,omitempty"`  // ISO 3166-1; "" when the number does not say
	Provider string `json:"provider,omitempty"` // the identity provider; "" when none is known

	Seen      int64 `json:"seen"`      // mails that came, but what goes to a test number
	Asked     int64 `json:"asked"`     // a provider has the text that asks
	Delivered int64 `json:"delivered"` // of those; many providers do not say
	Yes       int64 `json:"yes"`
	No        int64 `json:"no"`
	Expired   int64 `json:"expired"`   // no answer came in time
	Confirmed int64 `json:"confirmed"` // the click did what the mail is for
	Failed    int64 `json:"failed"`    // it did not

	// Where the others stay.
	Refused  int64 `json:"refused"`  // nothing is done about the mail
	Unread   int64 `json:"unread"`   // the mail is being examined
	Unasked  int64 `json:"unasked"`  // it is passed on, or another mail's question stands for it
	Unsent   int64 `json:"unsent"`   // the text that asks has not left
	Waiting  int64 `json:"waiting"`  // the person has not answered yet
	Canceled int64 `json:"canceled"` // the phone opted out, or sent too many wrong codes
	Clicking int64 `json:"clicking"` // the link is being opened
	Handed   int64 `json:"handed"`   // the person goes on with the link
}

// By says which mails are counted together.
type By string

// What a funnel may be by. ByEach keeps apart whatever differs.
const (
	ByEach     By = "each"
	ByTenant   By = "tenant"
	ByCountry  By = "country"
	ByProvider By = "provider"
)

// Bys are all of them.
func Bys() []By { return []By{ByEach, ByTenant, ByCountry, ByProvider} }

// key is a funnel of nothing, with what the funnels have in common that are counted as one.
func (b By) key(f Funnel) Funnel {
	switch b {
	case ByTenant:
		return Funnel{Tenant: f.Tenant}
	case ByCountry:
		return Funnel{Country: f.Country}
	case ByProvider:
		return Funnel{Provider: f.Provider}
	}
	return Funnel{Tenant: f.Tenant, Country: f.Country, Provider: f.Provider}
}

// Funnels returns how far the mails came that were taken since a time, in order, and all of them as
// one. Tenant "" is all tenants. The database counts, an hour of mails at a time.
func Funnels(
	ctx context.Context, view store.View, since time.Time, tenant string, by By,
) (all []Funnel, sum Funnel, err error) {
	found := map[Funnel]*Funnel{}
	for from := since; from.Before(view.Now()); from = from.Add(time.Hour) {
		span := db.MailFunnelParams{Now: view.Moment(), FirstID: store.FirstID(from),
			BeforeID: store.FirstID(from.Add(time.Hour))}
		if !from.Add(time.Hour).Before(view.Now()) {
			span.BeforeID = store.AfterAll
		}
		rows, err := view.MailFunnel(ctx, span)
		if err != nil {
			return nil, sum, fmt.Errorf("cases: counting mails: %w", err)
		}
		for _, row := range rows {
			if tenant != "" && row.Tenant != tenant {
				continue
			}
			f := funnelOf(row)
			key := by.key(f)
			if found[key] == nil {
				one := key
				found[key] = &one
			}
			found[key].add(f)
			sum.add(f)
		}
	}
	for _, f := range found {
		all = append(all, *f)
	}
	slices.SortFunc(all, func(a, b Funnel) int {
		return cmp.Or(cmp.Compare(a.Tenant, b.Tenant), cmp.Compare(a.Country, b.Country),
			cmp.Compare(a.Provider, b.Provider))
	})
	return all, sum, nil
}

func funnelOf(r db.MailFunnelRow) Funnel {
	return Funnel{
		Tenant: r.Tenant, Country: r.Country, Provider: r.Provider,
		Seen: r.Seen, Asked: r.Asked, Delivered: r.Delivered, Yes: r.Yes, No: r.No,
		Expired: r.Expired, Confirmed: r.Confirmed, Failed: r.Failed,
		Refused: r.Refused, Unread: r.Unread, Unasked: r.Unasked,
		Unsent:  r.Seen - r.Refused - r.Unread - r.Unasked - r.Asked,
		Waiting: r.Asked - r.Yes - r.No - r.Expired - r.Canceled, Canceled: r.Canceled,
		Clicking: r.Yes - r.Confirmed - r.Handed - r.Failed, Handed: r.Handed,
	}
}

func (f *Funnel) add(g Funnel) {
	f.Seen += g.Seen
	f.Asked += g.Asked
	f.Delivered += g.Delivered
	f.Yes += g.Yes
	f.No += g.No
	f.Expired += g.Expired
	f.Confirmed += g.Confirmed
	f.Failed += g.Failed
	f.Refused += g.Refused
	f.Unread += g.Unread
	f.Unasked += g.Unasked
	f.Unsent += g.Unsent
	f.Waiting += g.Waiting
	f.Canceled += g.Canceled
	f.Clicking += g.Clicking
	f.Handed += g.Handed
}

// Share is a part of a whole in percent, "" when there is no whole. Only nothing is 0 %, and only
// all is 100 %.
func Share(part, of int64) string {
	if of == 0 {
		return ""
	}
	percent := (part*200 + of) / (of * 2)
	switch {
	case percent == 0 && part > 0:
		return "<1 %"
	case percent == 100 && part < of:
		return ">99 %"
	}
	return fmt.Sprintf("%d %%", percent)
}

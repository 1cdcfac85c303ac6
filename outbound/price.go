package outbound

import (
	"context"
	"errors"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"smsbridge/internal/price"
	"smsbridge/internal/store"
	"smsbridge/internal/tenant"
	"smsbridge/internal/text"
)

const (
	// priceEvery is how often providers are asked what texts cost.
	priceEvery = 2 * time.Minute
	// pricedAtOnce is how many prices one transaction records.
	pricedAtOnce = 100
	// mostPriced is how many texts one job asks about in each pass. What is left waits for the next.
	mostPriced = 1000
	// askedAtOnce is how many requests about prices are under way at once. Twilio takes many more.
	askedAtOnce = 8
	// downAfter is after how many failures in a row a provider is asked no more: one may be about the
	// text that was asked about.
	downAfter = 3
)

// PriceTexts is the job that asks providers what texts cost.
type PriceTexts struct{}

// Kind names the job in the queue.
func (PriceTexts) Kind() string { return "price_texts" }

// pricePass looks at each text once, at an age. A text whose price its provider does not know yet
// is left to the next pass. The last one is within text.PriceMemory.
type pricePass struct {
	name string
	age  time.Duration
}

// pricePasses are three, so that no text is asked about more often. Twilio knows most prices some
// minutes after a text was sent, and others when the carrier has reported on it.
func pricePasses() []pricePass {
	return []pricePass{
		{"minutes", 5 * time.Minute}, {"hour", time.Hour}, {"day", text.PriceMemory - time.Hour},
	}
}

// pricing is one round of questions about prices.
type pricing struct {
	mu     sync.Mutex
	of     map[payee]asking
	priced []text.Priced
}

// payee is a provider that a tenant pays.
type payee struct{ tenant, provider string }

// asking is how asking a payee goes.
type asking struct {
	failed        int  // how often in a row
	down, misread bool // what was logged: that it failed, and that a price could not be read
}

// isDown reports whether a provider is not to be asked any more.
func (r *pricing) isDown(p payee) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.of[p].failed >= downAfter
}

// heard counts how a question ended. It reports whether an error is to be logged: each kind once. A
// price that cannot be read says nothing about the next text.
func (r *pricing) heard(p payee, err error) (news bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	a := r.of[p]
	switch {
	case errors.Is(err, price.ErrTold):
		news, a.misread, a.failed = !a.misread, true, 0
	case err != nil:
		news, a.down = !a.down, true
		a.failed++
	default:
		a.failed = 0
	}
	r.of[p] = a
	return news
}

// priceTexts does the job price_texts.
func (w *Worker) priceTexts(ctx context.Context, _ string) error {
	round := pricing{of: map[payee]asking{}}
	asked, known := 0, 0
	for _, pass := range pricePasses() {
		for done := 0; done < mostPriced && ctx.Err() == nil; done += pricedAtOnce {
			n, k, err := w.priceSome(ctx, pass, &round)
			if err != nil {
				return err
			}
			if asked, known = asked+n, known+k; n < pricedAtOnce {
				break
			}
		}
	}
	if asked > 0 {
		w.Log.Info("prices of texts were looked up", "texts", asked, "known", known)
	}
	return nil
}

// priceSome asks what the next texts of a pass cost, and records the prices that are known. It
// returns how many texts there were, and how many have a price now. When its time is up the pass
// does not go on, so that the next job asks about the same texts.
func (w *Worker) priceSome(
	ctx context.Context, pass pricePass, round *pricing,
) (texts, known int, err error) {
	var (
		found []text.Unpriced
		next  string
	)
	err = w.Store.Read(ctx, func(ctx context.Context, view store.View) (err error) {
		found, next, err = text.WithoutPrice(ctx, view, pass.name, pass.age, pricedAtOnce)
		return err
	})
	if err != nil {
		return 0, 0, err
	}
	round.priced = nil
	var group errgroup.Group
	group.SetLimit(askedAtOnce)
	for _, u := range found {
		group.Go(func() error {
			w.priceOne(ctx, u, round)
			return nil
		})
	}
	_ = group.Wait() // the goroutines return no error
	late := ctx.Err() != nil
	err = w.record(ctx, func(ctx context.Context, tx *store.Tx) error {
		if err := text.SetPrices(ctx, tx, round.priced); err != nil || late {
			return err
		}
		return text.Passed(ctx, tx, pass.name, next)
	})
	return len(found), len(round.priced), err
}

// priceOne asks what a text cost, unless its tenant wants no such questions, or its provider is
// down.
func (w *Worker) priceOne(ctx context.Context, u text.Unpriced, round *pricing) {
	t, known := w.settings().Tenants.Tenant(u.Tenant)
	if !known || t.Account() != u.Account || !t.Limits.AskPrices {
		return
	}
	p := payee{u.Tenant, u.Provider}
	if round.isDown(p) {
		return
	}
	told, err := w.provider(tenant.Provider(u.Provider)).price(ctx, t, u.ProviderID)
	if round.heard(p, err) {
		w.Log.Warn("cannot ask what a text cost",
			"tenant", u.Tenant, "provider", u.Provider, "text", u.ID, "error", err)
	}
	if err != nil || !told.Known() {
		return
	}
	priced := text.Priced{Unpriced: u, Told: told, Table: tablePrice(t, u.Provider, u.Phone.Country())}
	round.mu.Lock()
	defer round.mu.Unlock()
	round.priced = append(round.priced, priced)
}

// tablePrice is what a segment costs by the table of prices.
func tablePrice(t *tenant.Tenant, provider, country string) price.Micro {
	return t.Limits.Prices.Segment(provider, country)
}

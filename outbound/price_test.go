package outbound

import (
	"context"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"smsbridge/internal/longtest"
	"smsbridge/internal/price"
	"smsbridge/internal/simulator/twilio"
	"smsbridge/internal/store"
	"smsbridge/internal/text"
)

// sent sends a text.
func (w *world) sent(body string) (id string) {
	w.t.Helper()
	id = w.make(phone, body)
	require.NoError(w.t, w.sendText(w.t.Context(), id))
	require.Eventually(w.t, func() bool { // its price is known a minute after that
		all := w.twilio.Texts()
		return len(all) == 0 || all[len(all)-1].Status == "delivered"
	}, time.Minute, time.Millisecond)
	return id
}

// priced lets time pass, and has the prices looked up.
func (w *world) priced(after time.Duration) {
	w.t.Helper()
	w.wait(after)
	require.NoError(w.t, w.work(w.t.Context(), "price_texts", ""))
}

// spent is what the rows of the day say, in all and of the tenant: segments and millionths.
func (w *world) spent() string {
	w.t.Helper()
	rows := w.all("SELECT segments || '/' || money FROM tally WHERE key IN ('all', 'tenant/acme')")
	require.Len(w.t, rows, 2)
	require.Equal(w.t, rows[0], rows[1])
	return rows[0]
}

func (w *world) price(id string) string {
	return w.one("SELECT charged || ' ' || price || ' ' || currency FROM text WHERE id = '" + id + "'")
}

// watched puts a front before Twilio, and returns what asks for a message.
func (w *world) watched(change func(*http.Response)) func() []string {
	base, seen := w.front(w.twilio.URL(), change)
	w.retarget(base)
	return func() (asked []string) {
		for _, request := range seen() {
			if strings.HasPrefix(request, "GET ") {
				asked = append(asked, request)
			}
		}
		return asked
	}
}

// sameDay keeps midnight, when the budgets begin anew, away from what a test does in ten minutes.
func (w *world) sameDay() {
	midnight := w.clock().Truncate(24 * time.Hour).Add(24 * time.Hour)
	if left := midnight.Sub(w.clock()); left < 11*time.Minute {
		w.wait(left)
	}
}

// Ensure that what Twilio says about the price of a text corrects the budgets once. An operator
// hears once of a price far from the table's.
func TestPrices(t *testing.T) {
	t.Parallel()
	each(t, func(w *world) {
		w.sameDay()
		asked := w.watched(func(*http.Response) {})
		w.twilio.Set(func(m *twilio.Manners) { m.Price, m.Segments = "0.08", 2 })
		one, two := w.sent("Hello"), w.sent("Hello again")
		require.Equal(w.t, "2/118400", w.spent())
		w.wait(2 * time.Minute)
		before := w.unpriced()
		w.priced(4 * time.Minute)
		require.Len(w.t, asked(), 2)
		for _, id := range []string{one, two} {
			require.Equal(w.t, "59200 160000 USD", w.price(id))
		}
		require.Equal(w.t, "4/320000", w.spent())
		said := "SELECT detail FROM event WHERE name = 'limit.price'"
		require.Equal(w.t, []string{"a segment to DK cost 0.08 dollars at twilio, and 0.0592 by the " +
			"table of prices"}, w.all(said))
		require.Equal(w.t, "1", w.jobs("tell_operator"))

		// A slower replica has the same texts in hand.
		w.do(func(ctx context.Context, tx *store.Tx) error {
			var all []text.Priced
			for _, u := range before {
				p := text.Priced{Unpriced: u, Table: 59_200}
				p.Told.Amount, p.Told.Currency = 900_000, "USD"
				all = append(all, p)
			}
			if err := text.SetPrices(ctx, tx, all); err != nil {
				return err
			}
			return text.Passed(ctx, tx, "minutes", "0")
		})
		for _, later := range []time.Duration{2 * time.Minute, time.Hour, 22 * time.Hour} {
			w.priced(later)
		}
		require.Len(w.t, asked(), 2, "what is known is not asked again")
		require.Equal(w.t, "4/320000", w.spent())
		require.Len(w.t, w.all(said), 1)
		require.Contains(w.t, w.log.String(), `"texts":2,"known":2`)
	})
}

// unpriced are the texts whose price is not known.
func (w *world) unpriced() (found []text.Unpriced) {
	w.t.Helper()
	w.do(func(ctx context.Context, tx *store.Tx) (err error) {
		found, _, err = text.WithoutPrice(ctx, tx, "any", 0, 100)
		return err
	})
	require.NotEmpty(w.t, found)
	return found
}

// Ensure that a tenant may have no provider asked, and that texts of an older version, whose charge
// is not known, correct nothing.
func TestPriceNotAsked(t *testing.T) {
	t.Parallel()
	for _, off := range []bool{true, false} {
		w := quick(t)
		asked := w.watched(func(*http.Response) {})
		w.tenant().Limits.AskPrices = !off
		id := w.sent("Hello")
		if !off {
			w.exec("UPDATE text SET charged = -1")
		}
		w.priced(10 * time.Minute)
		require.Empty(t, asked())
		require.Contains(t, w.price(id), " 0 ")
	}
}

// Ensure that money of another kind is kept with the text, said, and not added to dollars.
func TestPriceInAnotherCurrency(t *testing.T) {
	t.Parallel()
	each(t, func(w *world) {
		w.sameDay()
		w.twilio.Set(func(m *twilio.Manners) { m.Price, m.PriceUnit = "0.08", "EUR" })
		one, two := w.sent("Hello"), w.sent("Hello again")
		w.priced(10 * time.Minute)
		require.Equal(w.t, "59200 80000 EUR", w.price(one))
		require.Equal(w.t, "59200 80000 EUR", w.price(two))
		require.Equal(w.t, "2/118400", w.spent())
		require.Equal(w.t, []string{"twilio bills in EUR: such prices correct no budget in dollars"},
			w.all("SELECT detail FROM event WHERE name = 'limit.price'"))
	})
}

// Ensure that a provider which cannot be asked is left alone, and is asked again an hour later.
func TestPriceOfProviderThatIsDown(t *testing.T) {
	t.Parallel()
	w := quick(t)
	down := true
	asked := w.watched(func(r *http.Response) {
		if down && r.Request.Method == http.MethodGet {
			r.StatusCode = http.StatusServiceUnavailable
		}
	})
	for range 3 * askedAtOnce {
		w.sent("Hello")
	}
	w.priced(10 * time.Minute)
	require.Less(t, len(asked()), downAfter+askedAtOnce)
	require.Equal(t, 1, strings.Count(w.log.String(), "cannot ask what a text cost"))
	down = false
	w.priced(time.Hour)
	require.Equal(t, "24", w.one("SELECT COUNT(*) FROM text WHERE price = 7500"))
}

// Ensure that texts whose price cannot be read or asked for are skipped, and no others.
//
//test:unwatched
func TestPriceOfOneThatCannotBeAsked(t *testing.T) {
	t.Parallel()
	for _, provider := range []string{"twilio", "flowroute"} {
		w := quick(t)
		o := w.openOthers(provider)
		broken := map[string]string{}
		change := func(r *http.Response) {
			if r.Request.Method != http.MethodGet {
				return
			}
			_, id, _ := strings.Cut(r.Request.URL.Path, "essages/")
			switch said := broken[strings.TrimSuffix(id, ".json")]; said {
			case "":
			case "cut":
				panic(http.ErrAbortHandler)
			default:
				_ = r.Body.Close()
				r.Body = io.NopCloser(strings.NewReader(said))
			}
		}
		twilioBase, _ := w.front(w.twilio.URL(), change)
		flowrouteBase, _ := w.front(o.flowroute.URL(), change)
		w.tenant().Sending.Twilio.APIBase = twilioBase
		w.tenant().Sending.Flowroute.APIBase = flowrouteBase
		for range 5 * askedAtOnce {
			w.sent("Hello")
		}
		ids := w.all("SELECT provider_id FROM text ORDER BY id")
		const much = `{"price": "much", ` +
			`"data": {"attributes": {"amount_nanodollars": 9000000000000000000}}}`
		for i, said := range []string{"cut", "{", much, "cut"} {
			broken[ids[askedAtOnce*i]] = said // so that others are asked about between them
		}
		for _, id := range ids[len(ids)-downAfter:] {
			broken[id] = much
		}
		w.priced(10 * time.Minute)
		require.Equal(t, "33", w.one("SELECT COUNT(*) FROM text WHERE price > 0"), provider)
		require.Equal(t, 2, strings.Count(w.log.String(), "cannot ask what a text cost"))
		require.Equal(t, 1, strings.Count(w.log.String(), price.ErrTold.Error()))
	}
}

// Ensure that a job whose time is up leaves its texts to the next one, and not to the next pass.
func TestPriceOutOfTime(t *testing.T) {
	t.Parallel()
	w := quick(t)
	ctx, cancel := context.WithCancel(t.Context())
	w.watched(func(r *http.Response) {
		if r.Request.Method == http.MethodGet {
			cancel()
		}
	})
	for range 2 * askedAtOnce {
		w.sent("Hello")
	}
	w.wait(10 * time.Minute)
	_ = w.work(ctx, "price_texts", "") // whether it fails does not matter
	const priced = "SELECT COUNT(*) FROM text WHERE price = 7500"
	require.NotEqual(t, "16", w.one(priced))
	w.priced(2 * time.Minute)
	require.Equal(t, "16", w.one(priced))
}

// Ensure that a job asks about each of many texts once, and about no more than a number of them.
//
//test:unwatched
func TestPriceOfMany(t *testing.T) {
	t.Parallel()
	longtest.Skip(t)
	w := quick(t)
	asked := w.watched(func(*http.Response) {})
	w.sent("Hello")
	const many = mostPriced + pricedAtOnce/2
	for range many {
		id := store.NewID()
		w.exec("INSERT INTO text (id, challenge_id, verification_id, tenant, account, sender, phone, "+
			"purpose, body, segments, state, provider, provider_id, error, deadline, created_at, "+
			"sending_at, ended_at, charged) VALUES ($1, '', '', 'acme', $2, '', $3, 'prompt', '', 1, "+
			"'sent', 'twilio', $1, '', 0, 0, 0, 0, 0)", id, accountSID, phone)
	}
	w.priced(10 * time.Minute)
	require.Len(t, asked(), mostPriced)
	w.priced(2 * time.Minute)
	require.Len(t, asked(), many+1)
	seen := map[string]bool{}
	for _, request := range asked() {
		seen[request] = true
	}
	require.Len(t, seen, many+1)
}

// Ensure that Flowroute is asked, too, and that a sender of the tenant's own says a price in its
// response.
func TestPriceOfOthers(t *testing.T) {
	t.Parallel()
	each(t, func(w *world) {
		w.sameDay()
		w.openOthers("flowroute")
		flowroute := w.sent("Hello")
		require.Equal(w.t, "1/400000", w.spent())
		w.priced(10 * time.Minute)
		require.Equal(w.t, "400000 4000 USD", w.price(flowroute))
		require.Equal(w.t, "1/4000", w.spent())

		s := w.openSender()
		s.say(200, `{"price": 0.05, "segments": 3}`)
		own := w.sent("Hello")
		require.Equal(w.t, "400000 50000 USD", w.price(own))
		require.Equal(w.t, "4/54000", w.spent())
		for _, nonsense := range []string{
			`{"price": -2000}`, `{"price": null}`, `{"price": "x"}`, `{"price": 1, "currency": "$"}`, `x`,
		} {
			s.say(200, nonsense)
			require.Equal(w.t, "400000 0 ", w.price(w.sent("Hello")), nonsense)
		}
	})
}

//go:build !race

package outbound

import (
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"smsbridge/internal/longtest"
	"smsbridge/internal/simulator/twilio"
)

// Ensure that a price which is known late is asked for three times at most, and that the table's
// holds when it never is.
func TestPriceKnownLate(t *testing.T) {
	t.Parallel()
	longtest.Skip(t)
	for lag, want := range map[time.Duration]struct {
		asked int
		price string
	}{
		30 * time.Minute: {2, "59200 7500 USD"},
		10 * time.Hour:   {3, "59200 7500 USD"},
		48 * time.Hour:   {3, "59200 0 "},
	} {
		w := quick(t)
		asked := w.watched(func(*http.Response) {})
		w.twilio.Set(func(m *twilio.Manners) { m.PriceLag = lag })
		id := w.sent("Hello")
		w.priced(4 * time.Minute)
		require.Empty(t, asked(), "no price is known so early")
		for range 50 * 6 {
			w.priced(10 * time.Minute)
		}
		require.Len(t, asked(), want.asked, lag)
		require.Equal(t, want.price, w.price(id), lag)
	}
}

//go:build !race

package operator_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"smsbridge/inbound/inboundtest"
	"smsbridge/internal/store"
	"smsbridge/internal/store/db"
	"smsbridge/internal/store/moment"
)

// Ensure that in a fraud, with more full limits than the page shows, it shows the widest: a country
// that is full or whose breaker is open. It says that there are more.
func TestWidestLimitsAreShown(t *testing.T) {
	inboundtest.Each(t, func(t *testing.T, bridge *inboundtest.Bridge) {
		p := open(t, bridge)
		b := p.login(t, "help")
		require.NotContains(t, b.get("/operator/limits").Body, "There are more")
		p.Do(t, func(ctx context.Context, tx *store.Tx) error {
			add := func(key string) {
				_, err := tx.Tally(ctx, db.TallyParams{Key: key, Texts: 100,
					WindowAt: moment.Of(tx.Now().Truncate(time.Hour))})
				require.NoError(t, err)
			}
			for n := range 501 {
				add(fmt.Sprintf("asker/acme/%d", n))
			}
			add("route/acme/LV")
			return tx.SetBreaker(ctx, db.SetBreakerParams{Key: "route/acme/LV", OpenAt: tx.Moment()})
		})
		body := b.get("/operator/limits").Body
		require.Contains(t, body, `"What">route/acme/LV<`)
		require.Contains(t, body, `<span class="state failed">open</span>`)
		require.Regexp(t, `>100</td>\s*<td data-label="Of" class="number">100<`, body)
		require.Contains(t, body, "There are more")
	}, operators("SMSBRIDGE_LIMIT_ASKER_HOUR=100", "SMSBRIDGE_LIMIT_COUNTRY_HOUR=100")...)
}

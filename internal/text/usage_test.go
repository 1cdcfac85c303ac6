package text_test

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"smsbridge/internal/price"
	"smsbridge/internal/store"
	"smsbridge/internal/text"
	"smsbridge/phonemail"
)

// used are the usages of the day of the bench and of the days before it.
func (b bridge) used(days int) (all []text.Usage) {
	b.Helper()
	b.Do(func(ctx context.Context, tx *store.Tx) (err error) {
		all, err = text.UsedLately(ctx, tx, days)
		return err
	})
	return all
}

// Ensure that each text counts once: by its end, in its day, tenant and country.
func TestUsed(t *testing.T) {
	each(t, func(b bridge) {
		require.Empty(b, b.used(1))
		priced, undelivered, failed, erased := b.sent(), b.sent(), b.sent(), b.sent()
		suppressed, older, due := b.sent(), b.sent(), b.sent()
		b.Do(b.told(priced))
		b.Exec("UPDATE text SET state = 'undelivered' WHERE id = $1", undelivered)
		b.Exec("UPDATE text SET state = 'failed' WHERE id = $1", failed)
		b.Exec("UPDATE text SET state = 'suppressed', charged = 0 WHERE id = $1", suppressed)
		b.Exec("UPDATE text SET charged = -1 WHERE id = $1", older)
		b.Exec("UPDATE text SET state = 'due' WHERE id = $1", due)
		b.Exec("UPDATE text SET state = 'delivered', segments = 2 WHERE id = $1", erased)
		var gone phonemail.Number
		b.Do(func(_ context.Context, tx *store.Tx) error {
			gone = tx.Pseudonym(phone(b, "+4520123456"))
			return nil
		})
		b.Exec("UPDATE text SET phone = $1, tenant = 'other' WHERE id = $2", gone, erased)

		// Ids have the time of the process's clock, and rows that of the bench.
		b.Exec("UPDATE text SET id = $1 || id", store.FirstID(b.Now()))
		day := b.Now().Format(time.DateOnly)
		want := []text.Usage{{
			Day: day, Tenant: "acme", Country: "DK", Sent: 3, Undelivered: 1, Suppressed: 1, Failed: 1,
			Segments: 3, Charged: 4 * 400_000, Told: map[string]price.Micro{price.USD: 400_001},
		}, {
			Day: day, Tenant: "other", Sent: 1, Delivered: 1, Segments: 2, Charged: 400_000,
			Told: map[string]price.Micro{},
		}}
		require.Equal(b, want, b.used(1))
		sum := text.Sum(want)
		require.EqualValues(b, 4, sum.Sent)
		require.EqualValues(b, 5, sum.Segments)
		require.EqualValues(b, 5*400_000, sum.Charged)
		require.Equal(b, []string{price.USD}, sum.Currencies())
	})
}

// Ensure that what does not fit in one read is read too, and that other days are not.
func TestManyUsed(t *testing.T) {
	each(t, func(b bridge) {
		b.Exec(`WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 4100)
			INSERT INTO text (id, challenge_id, verification_id, tenant, account, sender, phone, purpose,
				body, segments, state, provider_id, error, deadline, created_at, sending_at, ended_at)
			SELECT $1 || i, '', '', 'acme', '', '', '+4520123456', 'prompt', '', 1, 'sent', '', '', 0,
				$2, 0, 0 FROM n`, store.FirstID(b.Now()), b.Now().UnixMilli())
		require.EqualValues(b, 4100, text.Sum(b.used(1)).Sent)
		b.Pass(48 * time.Hour)
		require.Empty(b, b.used(1))
		require.EqualValues(b, 4100, text.Sum(b.used(3)).Sent)
	})
}

package verification

import (
	"context"
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"smsbridge/internal/store"
)

// Ensure that each of several requests with one external id that come at once has its own phone
// verified. It replaces the verification before, and no caller is told of another's phone.
func TestReplacedAtOnce(t *testing.T) {
	each(t, func(t *testing.T, b bench) {
		for n := range 20 {
			steps := make([]func(ctx context.Context, tx *store.Tx) error, 4)
			started := make([]Verification, len(steps))
			phones := make([]Request, len(steps))
			for i := range steps {
				r := b.request()
				r.ExternalID, r.Replace, r.Phone = fmt.Sprint("order ", n), true, b.Phone()
				phones[i] = r
				steps[i] = func(ctx context.Context, tx *store.Tx) (err error) {
					started[i], _, err = Start(ctx, tx, r)
					return err
				}
			}
			for i, err := range b.AtOnce(steps...) {
				require.NoError(t, err)
				require.Equal(t, phones[i].Phone.E164(), started[i].Phone.E164())
			}
			b.Do(func(ctx context.Context, tx *store.Tx) error {
				v, err := ByExternalID(ctx, tx, "acme", "api", phones[0].ExternalID)
				require.Equal(t, Pending, v.State, "the last one is the one that counts")
				return err
			})
		}
		require.Equal(t, []string{"pending"}, b.Strings(
			"SELECT DISTINCT state FROM verification GROUP BY external_id, state HAVING state = 'pending'"+
				" AND COUNT(*) = 1"))
	})
}

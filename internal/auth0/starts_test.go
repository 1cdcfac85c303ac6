package auth0

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"

	"smsbridge/internal/store"
	"smsbridge/internal/store/storetest"
	"smsbridge/internal/tenant"
	"smsbridge/phonemail"
)

// A database that fails while the verifications are counted is not told as "no more codes".
func TestBrokenDatabaseIsNoRefusal(t *testing.T) {
	b := storetest.OpenBench(t, storetest.SQLite(t))
	policy := phonemail.Policy{Countries: []string{"DK"}}
	l := Login{
		Tenant: &tenant.Tenant{Slug: "acme", Policy: policy}, Session: Session{Digest: "d"},
	}
	err := b.Try(func(ctx context.Context, tx *store.Tx) error {
		ended, end := context.WithCancel(ctx)
		end()
		_, err := l.start(ended, tx, l.request(b.Phone()))
		return err
	})
	require.ErrorIs(t, err, context.Canceled)
	require.NotErrorIs(t, err, ErrStarts)
}

package auth0

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"

	"smsbridge/internal/session"
	"smsbridge/internal/store"
	"smsbridge/internal/store/storetest"
	"smsbridge/internal/tenant"
	"smsbridge/phonemail"
)

// Ensure that a database that does not answer is not told as "no more codes".
func TestBrokenDatabaseIsNoRefusal(t *testing.T) {
	b := storetest.OpenBench(t, storetest.SQLite(t))
	policy := phonemail.Policy{Countries: []string{"DK"}}
	l := login{tenant: &tenant.Tenant{Slug: "acme", Policy: policy}, session: session.Session{Digest: "d"}}
	err := b.Try(func(ctx context.Context, tx *store.Tx) error {
		ended, end := context.WithCancel(ctx)
		end()
		_, err := l.start(ended, tx, b.Phone(), true)
		return err
	})
	require.ErrorIs(t, err, context.Canceled)
	require.Empty(t, saidOf(err), "the form answers 503")
}

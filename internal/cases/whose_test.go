package cases

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"

	"smsbridge/internal/store"
	"smsbridge/internal/store/db"
	"smsbridge/internal/store/storetest"
	"smsbridge/internal/verification"
	"smsbridge/phonemail"
)

// Ensure that an id of several phones is told from that of one, also when one of the phones has it
// several times: a mail that two tenants received, or what an app calls several verifications.
func TestWhoseOfSeveral(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		one, err := phonemail.ParseNumber("+4520123456")
		require.NoError(t, err)
		other, err := phonemail.ParseNumber("+4520123457")
		require.NoError(t, err)
		add := func(tenant string, phone phonemail.Number) {
			require.NoError(t, s.Do(t.Context(), func(ctx context.Context, tx *store.Tx) error {
				if _, err := tx.AddMail(ctx, db.AddMailParams{ID: store.NewID(), Tenant: tenant,
					MessageID: "mail@idp", Phone: phone}); err != nil {
					return err
				}
				_, err := tx.AddVerification(ctx, db.AddVerificationParams{ID: store.NewID(),
					Tenant: tenant, ExternalID: "call", Phone: phone})
				if err != nil {
					return err
				}
				row, err := tx.GetExternalVerification(ctx, db.GetExternalVerificationParams{
					Tenant: tenant, ExternalID: "call"})
				if err == nil {
					_, err = tx.EndVerification(ctx, db.EndVerificationParams{ID: row.ID,
						State: verification.Canceled})
				}
				return err
			}))
		}
		whose := func(id string) (phone phonemail.Number, err error) {
			_ = s.Read(t.Context(), func(ctx context.Context, view store.View) error {
				phone, err = Whose(ctx, view, id)
				return nil
			})
			return phone, err
		}
		add("acme", one)
		add("beta", one)
		_, err = whose("")
		require.ErrorIs(t, err, ErrUnknown, "rows without an id of a provider have none to be found by")
		for _, id := range []string{"mail@idp", "call"} {
			phone, err := whose(id)
			require.NoError(t, err)
			require.Equal(t, one, phone)
		}
		add("acme", other)
		for _, id := range []string{"mail@idp", "call"} {
			_, err = whose(id)
			require.ErrorIs(t, err, ErrSeveral, id)
		}
	})
}
